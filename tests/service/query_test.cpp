#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/service/samples.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

std::string body_of(std::string_view query) {
  JsonWriter json;
  json.object().member("query", query).end_object();
  return std::move(json).take();
}

HttpAnswer ask(TestHub& hub, std::string_view query, const HttpClient::Headers& headers = {}) {
  return hub.api("POST", "/devices/query", body_of(query), headers);
}

// The rows of an answer that must be one.
std::string rows(const HttpAnswer& answer) {
  CHECK(answer.status == 200);
  json_of(answer);
  return answer.body;
}
std::string rows(TestHub& hub, std::string_view query) { return rows(ask(hub, query)); }

// Of all pages, with the number of rows of each.
struct Pages {
  std::vector<std::string> ids;
  std::vector<std::size_t> sizes;
};
template <typename Between>
Pages pages(TestHub& hub, std::string_view query, std::size_t size, Between between) {
  Pages all;
  for (std::string token;;) {
    HttpClient::Headers headers = {{"x-ms-max-item-count", std::to_string(size)}};
    if (!token.empty()) headers.emplace_back("x-ms-continuation", token);
    const HttpAnswer answer = ask(hub, query, headers);
    REQUIRE(answer.status == 200);
    const JsonDocument page = json_of(answer);
    all.sizes.push_back(page.Size());
    for (const JsonValue& row : page.GetArray()) all.ids.push_back(string_member(row, "deviceId"));
    if (!answer.has_header("x-ms-continuation")) return all;
    token = answer.header("x-ms-continuation");
    CHECK(!token.empty());
    between(all.sizes.size());
  }
}
Pages pages(TestHub& hub, std::string_view query, std::size_t size) {
  return pages(hub, query, size, [](std::size_t) {});
}

void create_many(TestHub& hub, int from, int to) {
  for (int i = from; i < to; ++i) hub.create("n" + std::to_string(i), "{}");
}

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("query: SELECT * gives what GET gives, byte for byte, of connected devices and modules, too") {
    TestHub hub;
    for (const char* id : {"d1", "d2", "d3", "d1/m1", "d2/m2"}) hub.create(id);
    REQUIRE(hub.api("PATCH", "/twins/d1", R"({"tags":{"a":1.50,"b":"caf\u00e9"},"properties":{"desired":{"x":{"y":[1,2]},"z":1e3}}})").status == 200);
    REQUIRE(hub.api("PUT", "/devices/d3", R"({"status":"disabled","statusReason":"lost"})", if_match("*")).status == 200);
    auto device = hub.connect("d2");
    auto module = hub.connect("d1/m1");
    const auto get = [&hub](std::string_view path) { return hub.api("GET", path).body; };
    HttpAnswer answer = ask(hub, "SELECT * FROM devices");
    CHECK(rows(answer) == "[" + get("/twins/d1") + "," + get("/twins/d2") + "," + get("/twins/d3") + "]");
    CHECK(answer.header("x-ms-item-type") == "Twin");
    CHECK(!answer.has_header("x-ms-continuation"));
    answer = ask(hub, "SELECT * FROM devices.modules");
    CHECK(rows(answer) == "[" + get("/twins/d1/modules/m1") + "," + get("/twins/d2/modules/m2") + "]");
    CHECK(answer.header("x-ms-item-type") == "Twin");
    CHECK(rows(hub, "SELECT * FROM devices.modules WHERE deviceId IN ['d2', 'd9']") == "[" + get("/twins/d2/modules/m2") + "]");
    CHECK(rows(hub, "SELECT * FROM devices WHERE deviceId = 'd3'") == "[" + get("/twins/d3") + "]");
    CHECK(rows(hub, "SELECT * FROM devices WHERE deviceId = 'd9'") == "[]");
  }

  TEST_CASE("query: item types are spelled as the C# SDK parses them") {
    TestHub hub;
    hub.create("d1");
    CHECK(ask(hub, "SELECT deviceId FROM devices").header("x-ms-item-type") == "Raw");
    CHECK(ask(hub, "SELECT COUNT() AS n FROM devices").header("x-ms-item-type") == "Raw");
    CHECK(ask(hub, "SELECT TOP 1 * FROM devices").header("x-ms-item-type") == "Twin");
    const HttpAnswer jobs = ask(hub, "SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'x'");
    CHECK(jobs.header("x-ms-item-type") == "DeviceJob");
    CHECK(rows(jobs) == "[]");
  }

  TEST_CASE("query: in every form of the path that clients use, and `query` is a device's id all the same") {
    TestHub hub;
    hub.create("query");
    for (const char* path : {"/devices/query", "/devices/query/", "/devices%2Fquery", "/Devices/Query"}) {
      CAPTURE(path);
      CHECK(rows(hub.api("POST", path, body_of("SELECT deviceId FROM devices"))) == R"([{"deviceId":"query"}])");
    }
    CHECK(hub.api("GET", "/devices/query").status == 200);
  }

  TEST_CASE("query: a wrong one is 400 as the cloud has it, and the book knows where and why") {
    TestHub hub;
    CHECK(e1(ask(hub, "SELECT * FROM devices\nWHERE CONTAINS(deviceId, 'd')")) == "400 ArgumentInvalid: BadRequest");
    CHECK(newest_refusal(hub).find("POST /devices/query -> 400 ArgumentInvalid: ") == 0);
    CHECK(newest_refusal(hub).find("line 2, column 7: queries have no CONTAINS; there are STARTSWITH, ENDSWITH and, for arrays, ARRAY_CONTAINS") != std::string::npos);
    for (const char* body : {"", "[]", "{}", R"({"query":1})", R"("SELECT")"}) {
      CAPTURE(body);
      CHECK(e1(hub.api("POST", "/devices/query", body)).starts_with("400 ArgumentInvalid: "));
    }
  }

  TEST_CASE("query: what was acknowledged is seen by the next query") {
    TestHub hub;
    for (int i = 0; i < 20; ++i) {
      hub.create("d1");
      REQUIRE(hub.api("PATCH", "/twins/d1", R"({"tags":{"i":)" + std::to_string(i) + "}}").status == 200);
      CHECK(rows(hub, "SELECT tags.i FROM devices") == "[{\"i\":" + std::to_string(i) + "}]");
      REQUIRE(hub.api("DELETE", "/devices/d1", {}, if_match("*")).status == 204);
      CHECK(rows(hub, "SELECT tags.i FROM devices") == "[]");
    }
  }

  TEST_CASE("query: connection state, queue and last activity are those of this moment, in conditions, columns and groups") {
    TestHub hub;
    for (const char* id : {"d1", "d2", "d3", "d1/m1"}) hub.create(id);
    auto d2 = hub.connect("d2");
    auto m1 = hub.connect("d1/m1");
    CHECK(rows(hub, "SELECT deviceId FROM devices WHERE connectionState = 'Connected'") == R"([{"deviceId":"d2"}])");
    CHECK(rows(hub, "SELECT deviceId FROM devices WHERE connectionState != 'Connected' AND STARTSWITH(deviceId, 'd')") == R"([{"deviceId":"d1"},{"deviceId":"d3"}])");
    CHECK(rows(hub, "SELECT deviceId, connectionState FROM devices WHERE deviceId IN ['d1', 'd2']") ==
          R"([{"deviceId":"d1","connectionState":"Disconnected"},{"deviceId":"d2","connectionState":"Connected"}])");
    CHECK(rows(hub, "SELECT deviceId FROM devices.modules WHERE connectionState = 'Connected'") == R"([{"deviceId":"d1"}])");
    CHECK(rows(hub, "SELECT connectionState, COUNT() AS n FROM devices GROUP BY connectionState") ==
          R"([{"connectionState":"Connected","n":1},{"connectionState":"Disconnected","n":2}])");
    CHECK(rows(hub, "SELECT COUNT() AS n FROM devices WHERE lastActivityTime > '2020'") == R"([{"n":1}])");
    CHECK(hub.api("POST", "/devices/d3/messages/devicebound", "hello").status == 204);
    CHECK(rows(hub, "SELECT deviceId, cloudToDeviceMessageCount AS c FROM devices WHERE cloudToDeviceMessageCount > 0") == R"([{"deviceId":"d3","c":1}])");
    d2.reset();
    hub.wait_until([&] { return rows(hub, "SELECT COUNT() AS n FROM devices WHERE connectionState = 'Connected'") == R"([{"n":0}])"; }, "the disconnect");
    CHECK(rows(hub, "SELECT COUNT() AS n FROM devices WHERE lastActivityTime > '2020'") == R"([{"n":1}])");
  }

  TEST_CASE("query: pages are of the size asked for, and the last one has no token") {
    TestHub hub;
    create_many(hub, 10, 35);
    const Pages all = pages(hub, "SELECT * FROM devices", 10);
    CHECK(all.sizes == std::vector<std::size_t>{10, 10, 5});
    CHECK(all.ids.size() == 25);
    CHECK(all.ids.front() == "n10");
    CHECK(all.ids.back() == "n34");
    // As many rows as fit: the page that is full is the last one.
    CHECK(pages(hub, "SELECT deviceId FROM devices", 25).sizes == std::vector<std::size_t>{25});
    CHECK(pages(hub, "SELECT deviceId FROM devices WHERE STARTSWITH(deviceId, 'n2')", 5).sizes == std::vector<std::size_t>{5, 5});
    CHECK(pages(hub, "SELECT deviceId FROM devices WHERE connectionState = 'Disconnected'", 24).sizes == std::vector<std::size_t>{24, 1});
    // TOP counts over pages.
    CHECK(pages(hub, "SELECT TOP 12 deviceId FROM devices", 5).sizes == std::vector<std::size_t>{5, 5, 2});
    CHECK(pages(hub, "SELECT TOP 10 * FROM devices", 5).sizes == std::vector<std::size_t>{5, 5});
    CHECK(pages(hub, "SELECT TOP 0 * FROM devices", 5).sizes == std::vector<std::size_t>{0});
    CHECK(pages(hub, "SELECT deviceId, COUNT() AS n FROM devices GROUP BY deviceId", 10).sizes == std::vector<std::size_t>{10, 10, 5});
  }

  TEST_CASE("query: sizes that are none are the default, too large ones the largest") {
    TestHub hub;
    create_many(hub, 100, 205);
    for (const char* size : {"0", "-1", "x", ""}) {
      CAPTURE(size);
      CHECK(json_of(ask(hub, "SELECT deviceId FROM devices", {{"x-ms-max-item-count", size}})).Size() == 100);
    }
    CHECK(json_of(ask(hub, "SELECT deviceId FROM devices", {{"x-ms-max-item-count", "5000"}})).Size() == 105);
    CHECK(json_of(ask(hub, "SELECT deviceId FROM devices")).Size() == 100);
  }

  TEST_CASE("query: while devices come and go, a row that stays is seen once, and one page is like another") {
    TestHub hub;
    create_many(hub, 10, 40);
    const auto change = [&hub](std::size_t page) {
      const int i = static_cast<int>(page);
      // Behind us and before us.
      REQUIRE(hub.api("DELETE", "/devices/n" + std::to_string(9 + i), {}, if_match("*")).status == 204);
      REQUIRE(hub.api("DELETE", "/devices/n" + std::to_string(40 - i), {}, if_match("*")).status == 204);
      hub.create("n1" + std::to_string(i) + "x");
    };
    const Pages seen = pages(hub, "SELECT * FROM devices", 7, change);
    const std::set<std::string> once(seen.ids.begin(), seen.ids.end());
    CHECK(once.size() == seen.ids.size());
    for (int i = 15; i < 35; ++i) CHECK(once.count("n" + std::to_string(i)) == 1);
    CHECK(std::is_sorted(seen.ids.begin(), seen.ids.end()));
  }

  TEST_CASE("query: a token goes with its query, and anything else is refused clearly") {
    TestHub hub;
    create_many(hub, 10, 14);
    const std::string query = "SELECT deviceId FROM devices";
    const HttpAnswer first = ask(hub, query, {{"x-ms-max-item-count", "2"}});
    const std::string token = first.header("x-ms-continuation");
    REQUIRE(!token.empty());
    CHECK(rows(ask(hub, query, {{"x-ms-continuation", token}})) == R"([{"deviceId":"n12"},{"deviceId":"n13"}])");
    CHECK(e1(ask(hub, "SELECT * FROM devices", {{"x-ms-continuation", token}})).starts_with("400 ArgumentInvalid: x-ms-continuation belongs to another query"));
    for (const std::string& wrong : {std::string("x"), std::string("AAAA"), token.substr(0, 8), token + "AAAA", std::string("W10=")}) {
      CAPTURE(wrong);
      CHECK(e1(ask(hub, query, {{"x-ms-continuation", wrong}})).starts_with("400 ArgumentInvalid: x-ms-continuation is not a token of this hub"));
    }
    // The Node SDK sends an empty one back as none.
    CHECK(json_of(ask(hub, query, {{"x-ms-continuation", ""}})).Size() == 4);
  }

  TEST_CASE("query: a page of large twins ends by its bytes, and the next one goes on") {
    TestHub hub;
    std::string big = R"({"properties":{"desired":{)";
    for (int i = 0; i < 7; ++i) big += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":\"" + std::string(4096, 'x') + "\"";
    big += "}}}";
    for (int i = 100; i < 300; ++i) {
      hub.create("n" + std::to_string(i));
      REQUIRE(hub.api("PATCH", "/twins/n" + std::to_string(i), big).status == 200);
    }
    const Pages all = pages(hub, "SELECT * FROM devices", 1000);
    CHECK(all.ids.size() == 200);
    CHECK(all.sizes.size() == 2);
    const std::set<std::string> once(all.ids.begin(), all.ids.end());
    CHECK(once.size() == 200);
  }
}
