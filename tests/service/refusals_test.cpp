// GET /_nearhub/refusals: what `nearhub why` shows.
#include <doctest/doctest.h>

#include <string>

#include "tests/service/samples.h"

using namespace nearhub;
using namespace nearhub::test;

TEST_SUITE("service") {
  TEST_CASE("refusals: a refused request is told with everything that helps") {
    TestHub hub;
    hub.create("d1");
    CHECK(hub.api("GET", "/_nearhub/refusals").body == "[]");
    CHECK(hub.api("PUT", "/devices/d1", R"({"status":"on"})").status == 400);
    CHECK(hub.api("PUT", "/devices/d1", R"({"status":"on"})").status == 400);
    const JsonDocument refusals = json_of(hub.api("GET", "/_nearhub/refusals"));
    REQUIRE(refusals.Size() == 1);
    const JsonValue& refusal = refusals[0];
    CHECK(member(refusal, "count") == "2");
    CHECK(member(refusal, "identity") == "\"d1\"");
    CHECK(string_member(refusal, "peer").starts_with("127.0.0.1:"));
    CHECK(member(refusal, "operation") == "\"PUT /devices/d1\"");
    CHECK(member(refusal, "check") == "\"body\"");
    CHECK(member(refusal, "errorCode") == "400004");
    CHECK(member(refusal, "error") == "\"ArgumentInvalid\"");
    CHECK(string_member(refusal, "received") == "status is \"on\"; expected enabled or disabled");
    CHECK(member(refusal, "answer") == "\"400 ArgumentInvalid\"");
    CHECK(string_member(refusal, "time") >= string_member(refusal, "firstTime"));
  }

  TEST_CASE("refusals: of one identity, and of the last few") {
    TestHub hub;
    for (const char* id : {"d1", "d2", "d3"}) CHECK(hub.api("PUT", "/devices/" + std::string(id), "[]").status == 400);
    const auto ids = [&](const std::string& query) {
      const JsonDocument refusals = json_of(hub.api("GET", "/_nearhub/refusals" + query));
      std::string text;
      for (const auto& refusal : refusals.GetArray()) text += string_member(refusal, "identity") + " ";
      return text;
    };
    CHECK(ids("") == "d3 d2 d1 ");
    CHECK(ids("?id=d2") == "d2 ");
    CHECK(ids("?id=d4") == "");
    CHECK(ids("?id=") == "d3 d2 d1 ");
    CHECK(ids("?limit=2") == "d3 d2 ");
    CHECK(ids("?limit=1000") == "d3 d2 d1 ");
    for (const char* limit : {"0", "1001", "-1", "x", ""}) {
      CHECK(e1(hub.api("GET", "/_nearhub/refusals?limit=" + std::string(limit))) == "400 ArgumentInvalid: limit must be within [1, 1000].");
    }
  }

  TEST_CASE("refusals: twenty are shown when nobody says how many") {
    TestHub hub;
    for (int i = 0; i < 25; ++i) CHECK(hub.api("PUT", "/devices/d" + std::to_string(i), "[]").status == 400);
    CHECK(json_of(hub.api("GET", "/_nearhub/refusals")).Size() == 20);
  }

  TEST_CASE("refusals: what merely is not there, or is there already, is an answer and no refusal") {
    TestHub hub;
    hub.create("d1");
    CHECK(hub.api("GET", "/devices/nobody").status == 404);
    CHECK(hub.api("GET", "/twins/nobody").status == 404);
    CHECK(hub.api("PUT", "/devices/d1", "{}").status == 409);
    CHECK(hub.api("PUT", "/devices/d1", "{}", if_match("abc")).status == 412);
    CHECK(hub.refusals().empty());
  }

  TEST_CASE("refusals: requests that the parser refuses are written down, too") {
    TestHub hub;
    HttpClient client(hub.tls(), hub.https());
    client.send_raw("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\nHost: h\r\n\r\n");
    const HttpAnswer answer = client.read_answer();
    CHECK(e1(answer) == "400 GenericBadRequest: not a valid HTTP/1.1 request: bad Content-Length");
    CHECK(answer.header("Connection") == "close");
    CHECK(client.closed());
    CHECK(newest_refusal(hub) ==
          "HTTP request -> 400 GenericBadRequest: expected an HTTP/1.1 request within the limits; received not a valid HTTP/1.1 request: bad Content-Length");
  }

  TEST_CASE("refusals: warnings stand among them, and either kind can be asked for alone") {
    TestHub hub;
    CHECK(hub.api("PUT", "/devices/d1", "[]").status == 400);
    hub.server().hub().warn("d2", "192.0.2.7:5", "twin document", "sent all the same", {auth::Check::kSize, {}, "a payload of at most 2048 bytes", "3000 bytes", {}});
    const auto kinds = [&](const std::string& query) {
      const JsonDocument entries = json_of(hub.api("GET", "/_nearhub/refusals" + query));
      std::string text;
      for (const auto& entry : entries.GetArray()) text += string_member(entry, "kind") + " " + string_member(entry, "answer") + "; ";
      return text;
    };
    CHECK(kinds("") == "warning sent all the same; refusal 400 ArgumentInvalid; ");
    CHECK(kinds("?kind=warning") == "warning sent all the same; ");
    CHECK(kinds("?kind=refusal") == "refusal 400 ArgumentInvalid; ");
    CHECK(kinds("?kind=refusal&id=d2") == "");
    CHECK(member(json_of(hub.api("GET", "/_nearhub/status")), "refusals") == "1");
    CHECK(e1(hub.api("GET", "/_nearhub/refusals?kind=x")) == "400 ArgumentInvalid: kind must be refusal or warning.");
  }
}
