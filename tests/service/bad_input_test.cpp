// What a registry request may not say: each is answered with the documented error, and nothing is changed by it.
#include "tests/service/samples.h"

namespace nearhub::test {
namespace {

struct Bad {
  const char* what;
  std::string body;
};

std::string nested(int levels) {
  std::string text = "{\"x\":";
  for (int i = 0; i < levels; ++i) text += "[";
  for (int i = 0; i < levels; ++i) text += "]";
  return text + "}";
}

const std::string k129(129, 'a');

std::vector<Bad> bad_devices() {
  const std::string key40 = "\"" + std::string(40, 'A') + "\"";
  return {
      {"no JSON", ""},
      {"half of it", "{\"status\":"},
      {"an array", "[]"},
      {"a text", "\"d\""},
      {"a number", "1"},
      {"two documents", "{}{}"},
      {"not UTF-8", "{\"statusReason\":\"\xff\xfe\"}"},
      {"UTF-16", std::string("{\0}\0", 4)},
      {"a NUL behind it", std::string("{}\0", 3)},
      {"a lone surrogate", R"({"statusReason":"\udc00"})"},
      {"a member twice", R"({"status":"enabled","status":"disabled"})"},
      {"a member twice, inside", R"({"authentication":{"type":"sas","type":"none"}})"},
      {"too deep", nested(100)},
      {"another device", R"({"deviceId":"other"})"},
      {"deviceId a number", R"({"deviceId":5})"},
      {"status unknown", R"({"status":"asleep"})"},
      {"status a boolean", R"({"status":true})"},
      {"statusReason a number", R"({"statusReason":5})"},
      {"statusReason too long", R"({"statusReason":")" + k129 + "\"}"},
      {"authentication a text", R"({"authentication":"sas"})"},
      {"type unknown", R"({"authentication":{"type":"password"}})"},
      {"type a number", R"({"authentication":{"type":1}})"},
      {"type none", R"({"authentication":{"type":"none"}})"},
      {"symmetricKey a text", R"({"authentication":{"symmetricKey":"x"}})"},
      {"one key", R"({"authentication":{"symmetricKey":{"primaryKey":"MDEyMzQ1Njc4OTAxMjM0NQ=="}}})"},
      {"a key that is no base64", R"({"authentication":{"symmetricKey":{"primaryKey":"!!!!","secondaryKey":"!!!!"}}})"},
      {"a key too short", R"({"authentication":{"symmetricKey":{"primaryKey":"MDEy","secondaryKey":"MDEy"}}})"},
      {"a key too long", "{\"authentication\":{\"symmetricKey\":{\"primaryKey\":\"" + std::string(88, 'A') + "\",\"secondaryKey\":" + key40 + "}}}"},
      {"a key that is a number", R"({"authentication":{"symmetricKey":{"primaryKey":1,"secondaryKey":2}}})"},
      {"a thumbprint with colons", R"({"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"00:11:22"}}})"},
      {"a thumbprint too short", R"({"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"0011"}}})"},
      {"x509Thumbprint an array", R"({"authentication":{"type":"selfSigned","x509Thumbprint":[]}})"},
      {"capabilities a text", R"({"capabilities":"edge"})"},
      {"iotEdge a text", R"({"capabilities":{"iotEdge":"yes"}})"},
      {"deviceScope a number", R"({"deviceScope":5})"},
      {"parentScopes a text", R"({"parentScopes":"x"})"},
      {"parentScopes of numbers", R"({"parentScopes":[1]})"},
      {"two parents", R"({"capabilities":{"iotEdge":true},"parentScopes":["a","b"]})"},
  };
}

// All that is in the hub, as it is shown.
std::string everything(TestHub& hub) { return hub.api("GET", "/devices").body + hub.api("GET", "/devices/d1/modules").body + hub.api("GET", "/twins/d1").body; }

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("bad input: a device that cannot be is refused, made or changed, and all stays as it was") {
    TestHub hub;
    hub.create("d1");
    const std::string before = everything(hub);
    for (const Bad& bad : bad_devices()) {
      CAPTURE(bad.what);
      CHECK(e1(hub.api("PUT", "/devices/d2", bad.body)).starts_with("400 ArgumentInvalid: "));
      CHECK(e1(hub.api("PUT", "/devices/d1", bad.body, if_match("*"))).starts_with("400 ArgumentInvalid: "));
    }
    CHECK(everything(hub) == before);
  }

  TEST_CASE("bad input: a module that cannot be is refused") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    const std::string before = everything(hub);
    for (const Bad& bad : std::vector<Bad>{{"no JSON", "x"},
                                           {"managedBy a number", R"({"managedBy":5})"},
                                           {"managedBy too long", R"({"managedBy":")" + k129 + "\"}"},
                                           {"another module", R"({"moduleId":"other"})"},
                                           {"another device", R"({"deviceId":"other"})"},
                                           {"type unknown", R"({"authentication":{"type":"x"}})"}}) {
      CAPTURE(bad.what);
      CHECK(e1(hub.api("PUT", "/devices/d1/modules/m2", bad.body)).starts_with("400 ArgumentInvalid: "));
      CHECK(e1(hub.api("PUT", "/devices/d1/modules/m1", bad.body, if_match("*"))).starts_with("400 ArgumentInvalid: "));
    }
    CHECK(e1(hub.api("PUT", "/devices/nobody/modules/m1", "{}")).starts_with("404 DeviceNotFound: "));
    CHECK(everything(hub) == before);
  }

  TEST_CASE("bad input: ids that are none, however they are spelled") {
    TestHub hub;
    for (const std::string& id : {k129, std::string("a%20b"), std::string("a%22b"), std::string("a%26b"), std::string("a%00b"), std::string("a%5Cb"), std::string("%C3%BC"),
                                  std::string("a%0Ab"), std::string("%FF"), std::string("a%7Cb")}) {
      CAPTURE(id);
      for (const char* method : {"GET", "PUT", "DELETE"}) CHECK(e1(hub.api(method, "/devices/" + id, "{}", if_match("*"))).starts_with("400 "));
      CHECK(e1(hub.api("PUT", "/devices/" + id, "{}")).starts_with("400 "));
    }
    CHECK(e1(hub.api("PUT", "/devices/a%2Fb", "{}")).starts_with("404 "));  // two segments: no such path
    CHECK(e1(hub.api("PUT", "/devices/%zz", "{}")).starts_with("400 "));
    CHECK(hub.api("GET", "/devices").body == "[]");
  }

  TEST_CASE("bad input: in bulk the bad items are told one by one, and none of them counts") {
    TestHub hub;
    hub.create("d1");
    const std::string before = everything(hub);
    for (const char* body : {"", "{}", "\"x\"", "[", "5", R"([{"id":"a"},{"id":"b","id":"c"}])"}) {
      CAPTURE(body);
      CHECK(e1(hub.api("POST", "/devices", body)).starts_with("400 ArgumentInvalid: "));
    }
    for (const char* item : {"5", "null", "[]", "{}", R"({"id":5})", R"({"id":""})", R"({"id":"a b"})", R"({"id":"a/b"})", R"({"id":"x","moduleId":"m n"})",
                             R"({"id":"x","importMode":"destroy"})", R"({"id":"x","importMode":5})", R"({"id":"x","eTag":5})", R"({"id":"x","status":"asleep"})",
                             R"({"id":"x","tags":5})", R"({"id":"x","properties":[]})", R"({"id":"x","properties":{"desired":5}})", R"({"id":"x","properties":{"reported":"r"}})",
                             R"({"id":"x","tags":{"a.b":1}})", R"({"id":"x","tags":{"a":[null]}})", R"({"id":"x","properties":{"desired":{"n":9007199254740993}}})",
                             R"({"id":"x","parentScopes":["a","b"]})", R"({"id":"x","deviceScope":"nonsense"})", R"({"id":"d1","moduleId":"$mine"})",
                             R"({"id":"d1","importMode":"updateTwin","tags":{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":{"j":{"k":{"l":1}}}}}}}}}}}}})"}) {
      CAPTURE(item);
      const HttpAnswer answer = hub.api("POST", "/devices", "[" + std::string(item) + "]");
      CHECK(answer.status == 400);
      CHECK(answer.header("IotHubErrorCode") == "BulkRegistryOperationFailure");
      const JsonDocument document = json_of(answer);
      CHECK(document["errors"].Size() == 1);
      CHECK(member(document, "isSuccessful") == "false");
    }
    std::string many = "[";
    for (int i = 0; i < 101; ++i) many += (i == 0 ? "" : ",") + std::string("{\"id\":\"m") + std::to_string(i) + "\"}";
    CHECK(e1(hub.api("POST", "/devices", many + "]")).starts_with("413 TooManyDevices: "));
    CHECK(everything(hub) == before);
  }

  TEST_CASE("bad input: conditions that are no etag are stale, and a body is read at most up to its bound") {
    TestHub hub([](broker::Config& config) { config.http.body_bytes = 64 * 1024; });
    hub.create("d1");
    const std::string before = everything(hub);
    for (const char* etag : {"\"\"", "abc", "\"abc\"", "W/\"abc\"", "\"*", "**"}) {
      CAPTURE(etag);
      CHECK(e1(hub.api("PUT", "/devices/d1", "{}", if_match(etag))).starts_with("412 PreconditionFailed: "));
      CHECK(e1(hub.api("DELETE", "/devices/d1", {}, if_match(etag))).starts_with("412 PreconditionFailed: "));
    }
    CHECK(e1(hub.api("DELETE", "/devices/d1")).starts_with("412 PreconditionFailed: "));
    CHECK(hub.api("PUT", "/devices/d2", "{\"statusReason\":\"" + std::string(70'000, 'x') + "\"}").status == 413);
    CHECK(everything(hub) == before);
  }
}

}  // namespace nearhub::test
