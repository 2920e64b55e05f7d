#include <doctest/doctest.h>

#include <string>

#include "base/base64.h"
#include "tests/service/samples.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

std::string etag_of(const HttpAnswer& answer) { return string_member(json_of(answer), "etag"); }

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("devices: create, get, list, replace, delete") {
    TestHub hub;
    const HttpAnswer made = hub.api("PUT", "/devices/d1", R"({"deviceId":"d1","status":"enabled"})");
    CHECK(made.status == 200);
    const JsonDocument document = json_of(made);
    CHECK(string_member(document, "deviceId") == "d1");
    CHECK(member(document, "connectionState") == "\"Disconnected\"");
    CHECK(base64_decode(string_member(document["authentication"]["symmetricKey"], "primaryKey"))->size() == 32);
    CHECK(made.header("ETag") == "\"" + etag_of(made) + "\"");

    const HttpAnswer got = hub.api("GET", "/devices/d1");
    CHECK(got.status == 200);
    CHECK(got.body == made.body);
    CHECK(got.header("ETag") == made.header("ETag"));
    CHECK(hub.api("GET", "/devices").body == "[" + made.body + "]");

    const HttpAnswer replaced = hub.api("PUT", "/devices/d1", R"({"status":"disabled","statusReason":"lost"})", if_match("*"));
    CHECK(replaced.status == 200);
    CHECK(member(json_of(replaced), "status") == "\"disabled\"");
    CHECK(member(json_of(replaced), "statusReason") == "\"lost\"");
    CHECK(etag_of(replaced) != etag_of(made));
    CHECK(hub.api("GET", "/devices/d1").body == replaced.body);

    const HttpAnswer deleted = hub.api("DELETE", "/devices/d1", {}, if_match("*"));
    CHECK(deleted.status == 204);
    CHECK(deleted.body == "");
    CHECK(e1(hub.api("GET", "/devices/d1")) == "404 DeviceNotFound: d1");
    CHECK(hub.api("GET", "/devices").body == "[]");
  }

  TEST_CASE("devices: a list shows of each device what it shows by itself, while it is connected and just after") {
    TestHub hub;
    hub.create("d1");
    hub.create("d2");
    auto device = hub.connect("d2");
    mqtt::Publish publish;
    publish.topic = "devices/d2/messages/events/";
    publish.qos = 1;
    publish.packet_id = 1;
    device->send(publish);
    device->expect<mqtt::Puback>();
    const auto both = [&hub] { return "[" + hub.api("GET", "/devices/d1").body + "," + hub.api("GET", "/devices/d2").body + "]"; };
    CHECK(hub.api("GET", "/devices").body == both());
    CHECK(both().find("\"connectionState\":\"Connected\"") != std::string::npos);
    device.reset();
    hub.wait_until([&] { return hub.api("GET", "/devices/d2").body.find("Disconnected") != std::string::npos; }, "the end of the connection");
    CHECK(hub.api("GET", "/devices").body == both());
  }

  TEST_CASE("devices: If-Match decides between create, replace and refuse [service-rest.md 5.1]") {
    TestHub hub;
    // Of a device that is not there: absent creates, everything else looks for it.
    for (const char* value : {"*", "\"*\"", "abc", "\"abc\"", "W/\"abc\"", "\"\"", ""}) {
      CAPTURE(value);
      CHECK(e1(hub.api("PUT", "/devices/d1", "{}", if_match(value))) == "404 DeviceNotFound: d1");
      CHECK(e1(hub.api("DELETE", "/devices/d1", {}, if_match(value))) == "404 DeviceNotFound: d1");
    }
    CHECK(e1(hub.api("DELETE", "/devices/d1")) == "412 PreconditionFailed: Etag missing: DELETE needs an If-Match header, * for any");
    std::string etag = etag_of(hub.api("PUT", "/devices/d1", "{}"));

    CHECK(e1(hub.api("PUT", "/devices/d1", "{}")) == "409 DeviceAlreadyExists: A device with ID 'd1' is already registered.");
    // Even when the body carries the current one.
    CHECK(hub.api("PUT", "/devices/d1", R"({"etag":")" + etag + "\"}").status == 409);
    CHECK(hub.api("PUT", "/devices/d1", R"({"etag":"*"})").status == 409);
    for (const char* form : {"{}", "\"{}\"", "W/\"{}\""}) {
      CAPTURE(form);
      std::string value = form;
      value.replace(value.find("{}"), 2, etag);
      const HttpAnswer replaced = hub.api("PUT", "/devices/d1", "{}", if_match(value));
      CHECK(replaced.status == 200);
      // The one just used is stale now.
      CHECK(e1(hub.api("PUT", "/devices/d1", "{}", if_match(value))) ==
            "412 PreconditionFailed: PreconditionFailed, ETag may be invalid. The etag of d1 is " + etag_of(replaced) + ", If-Match says " + etag);
      CHECK(hub.api("DELETE", "/devices/d1", {}, if_match(value)).status == 412);
      etag = etag_of(replaced);
    }
    for (const char* value : {"*", "\"*\""}) {
      const HttpAnswer replaced = hub.api("PUT", "/devices/d1", "{}", if_match(value));
      CHECK(replaced.status == 200);
      etag = etag_of(replaced);
    }
    for (const char* value : {"\"\"", "", "abc", "\"abc\""}) {
      CAPTURE(value);
      CHECK(hub.api("PUT", "/devices/d1", "{}", if_match(value)).status == 412);
      CHECK(hub.api("DELETE", "/devices/d1", {}, if_match(value)).status == 412);
    }
    CHECK(hub.api("GET", "/devices/d1").header("ETag") == "\"" + etag + "\"");
    CHECK(hub.api("DELETE", "/devices/d1", {}, if_match("\"" + etag + "\"")).status == 204);
  }

  TEST_CASE("devices: one that is made again is another one") {
    TestHub hub;
    const HttpAnswer first = hub.api("PUT", "/devices/d1", "{}");
    CHECK(hub.api("DELETE", "/devices/d1", {}, if_match("*")).status == 204);
    const HttpAnswer second = hub.api("PUT", "/devices/d1", "{}");
    CHECK(second.status == 200);
    CHECK(string_member(json_of(second), "generationId") != string_member(json_of(first), "generationId"));
  }

  TEST_CASE("devices: a whole document can be read, changed and sent back") {
    TestHub hub;
    const HttpAnswer made = hub.api("PUT", "/devices/d1", "{}");
    std::string changed = made.body;
    changed.replace(changed.find("\"enabled\""), 9, "\"disabled\"");
    const HttpAnswer replaced = hub.api("PUT", "/devices/d1", changed, if_match(made.header("ETag")));
    CHECK(replaced.status == 200);
    const JsonDocument document = json_of(replaced), before = json_of(made);
    CHECK(member(document, "status") == "\"disabled\"");
    CHECK(member(document, "authentication") == member(before, "authentication"));
    CHECK(member(document, "generationId") == member(before, "generationId"));
    CHECK(member(document, "statusUpdatedTime") != member(before, "statusUpdatedTime"));
  }

  TEST_CASE("devices: bodies that cannot be used are refused with the member that is wrong, and nothing happens") {
    TestHub hub;
    for (const auto& [body, text] : {std::pair{"", "not valid JSON at byte 0: The document is empty."},
                                     {"[]", "the body is an array, expected an object"},
                                     {R"({"deviceId":"d2"})", "deviceId in the body is \"d2\", in the path \"d1\""},
                                     {R"({"status":"on"})", "status is \"on\", expected enabled or disabled"},
                                     {R"({"authentication":{"type":"none"}})", "DeviceAuthenticationTypeIsMissing: authentication.type none is not allowed for a device"},
                                     {R"({"authentication":{"symmetricKey":{"primaryKey":"eA==","secondaryKey":"eA=="}}})",
                                      "Invalid device key length: authentication.symmetricKey.primaryKey has 1 bytes, 16 to 64 are allowed"}}) {
      CAPTURE(body);
      CHECK(e1(hub.api("PUT", "/devices/d1", body)) == "400 ArgumentInvalid: " + std::string(text));
    }
    CHECK(hub.api("GET", "/devices/d1").status == 404);
    CHECK(newest_refusal(hub, "d1") ==
          "PUT /devices/d1 -> 400 ArgumentInvalid: Invalid device key length: "
          "authentication.symmetricKey.primaryKey has 1 bytes; 16 to 64 are allowed");
  }

  // The list once showed what the store held, which is up to half a minute older.
  TEST_CASE("devices: the list shows the same times as the device itself while it is connected") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    const JsonDocument listed = json_of(hub.api("GET", "/devices")), shown = json_of(hub.api("GET", "/devices/d1"));
    REQUIRE(listed.Size() == 1);
    CHECK(member(shown, "lastActivityTime") != "\"0001-01-01T00:00:00\"");
    for (const char* name : {"connectionState", "connectionStateUpdatedTime", "lastActivityTime"}) {
      CAPTURE(name);
      CHECK(member(listed[0], name) == member(shown, name));
    }
  }

  TEST_CASE("devices: the list is bounded by top, which is forgiven anything else") {
    TestHub hub;
    for (int i = 0; i < 5; ++i) hub.create("d" + std::to_string(i));
    const auto listed = [&](const std::string& query) {
      const JsonDocument document = json_of(hub.api("GET", "/devices/" + query));
      REQUIRE(document.IsArray());
      std::string ids;
      for (const auto& device : document.GetArray()) ids += string_member(device, "deviceId") + " ";
      return ids;
    };
    CHECK(listed("") == "d0 d1 d2 d3 d4 ");
    CHECK(listed("?top=2") == "d0 d1 ");
    CHECK(listed("?top=1000") == "d0 d1 d2 d3 d4 ");
    for (const char* query : {"?top=0", "?top=1001", "?top=-1", "?top=x", "?top=", "?top"}) CHECK(listed(query) == "d0 d1 d2 d3 d4 ");
  }

  TEST_CASE("devices: the list shows what each device's own document shows, connections and queues too") {
    TestHub hub;
    for (const char* id : {"d1", "d2", "d3"}) hub.create(id);
    auto client = hub.connect("d2");
    CHECK(hub.api("POST", "/devices/d3/messages/deviceBound", "hello").status == 204);
    const std::string d1 = hub.api("GET", "/devices/d1").body, d2 = hub.api("GET", "/devices/d2").body, d3 = hub.api("GET", "/devices/d3").body;
    CHECK(d2.find(R"("connectionState":"Connected")") != std::string::npos);
    CHECK(d3.find(R"("cloudToDeviceMessageCount":1)") != std::string::npos);
    const JsonDocument list = json_of(hub.api("GET", "/devices"));
    REQUIRE(list.Size() == 3);
    CHECK(member(list[0], "connectionState") == "\"Disconnected\"");
    CHECK(member(list[1], "connectionState") == "\"Connected\"");
    CHECK(member(list[2], "cloudToDeviceMessageCount") == "1");
    CHECK(to_json(list[0]) == d1);
  }

  TEST_CASE("devices: a thousand of them, and one more that the list leaves out") {
    TestHub hub;
    for (int i = 0; i < 1001; ++i) {
      const std::string number = std::to_string(i);
      hub.create("d" + std::string(4 - number.size(), '0') + number);
    }
    const JsonDocument list = json_of(hub.api("GET", "/devices"));
    REQUIRE(list.Size() == 1000);
    CHECK(string_member(list[0], "deviceId") == "d0000");
    CHECK(string_member(list[999], "deviceId") == "d0999");
  }
}
