// /_nearhub/policies: shared access policies (service-rest.md 2.2; device-mqtt.md 2.8).
#include "auth/connection_string.h"
#include "auth/sas_token.h"
#include "base/base64.h"
#include "base/time_format.h"
#include "tests/service/samples.h"

namespace nearhub::test {
namespace {

const std::string kPolicies = "/_nearhub/policies";

std::string path(std::string_view name) { return kPolicies + "/" + std::string(name); }

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("policies: the five of a new hub are listed with keys and rights") {
    TestHub hub;
    const JsonDocument list = json_of(hub.api("GET", kPolicies));
    const JsonValue& policies = list["value"];
    REQUIRE(policies.Size() == 5);
    CHECK(member(policies[0], "keyName") == "\"iothubowner\"");
    CHECK(member(policies[0], "rights") == "\"RegistryWrite, ServiceConnect, DeviceConnect\"");
    CHECK(member(policies[3], "rights") == "\"RegistryRead\"");
    CHECK(member(policies[1], "primaryKey").size() == 46);
    CHECK(member(json_of(hub.api("GET", path("device"))), "rights") == "\"DeviceConnect\"");
    CHECK(e1(hub.api("GET", path("nobody"))).starts_with("404 GenericNotFound"));
  }

  TEST_CASE("policies: one that a user makes opens what it may and nothing else, until it is deleted") {
    TestHub hub;
    const JsonDocument made = json_of(hub.api("PUT", path("dash.board_1-@"), R"({"keyName":"dash.board_1-@","rights":"serviceconnect , RegistryRead"})"));
    CHECK(member(made, "rights") == "\"RegistryRead, ServiceConnect\"");
    hub.create("d1");
    const auto token = [&] { return HttpClient::Headers{{"Authorization", hub.policy_token("dash.board_1-@")}}; };
    CHECK(hub.api("GET", "/devices/d1", {}, token()).status == 200);
    CHECK(hub.api("GET", "/twins/d1", {}, token()).status == 200);
    CHECK(hub.api("PUT", "/devices/d2", "{}", token()).status == 401);
    CHECK(hub.api("GET", kPolicies, {}, token()).status == 401);
    const auto before = token();
    CHECK(hub.api("DELETE", path("dash.board_1-@")).status == 204);
    CHECK(hub.api("GET", "/devices/d1", {}, before).status == 401);
    CHECK(hub.api("DELETE", path("dash.board_1-@")).status == 404);
  }

  TEST_CASE("policies: keys stay with a change of rights, and come from the request when it has both") {
    TestHub hub;
    const std::string primary = base64_encode(std::string(32, 'p')), secondary = base64_encode(std::string(32, 's'));
    CHECK(hub.api("PUT", path("p"), R"({"rights":"RegistryRead","primaryKey":")" + primary + R"(","secondaryKey":")" + secondary + "\"}").status == 200);
    const JsonDocument after = json_of(hub.api("PUT", path("p"), R"({"rights":"ServiceConnect"})"));
    CHECK(member(after, "primaryKey") == "\"" + primary + "\"");
    CHECK(member(after, "secondaryKey") == "\"" + secondary + "\"");
    const JsonDocument anew = json_of(hub.api("POST", path("p") + "/regenerate", R"({"policyKey":"secondaryKey"})"));
    CHECK(member(anew, "primaryKey") == "\"" + primary + "\"");
    CHECK(member(anew, "secondaryKey") != "\"" + secondary + "\"");
  }

  TEST_CASE("policies: what cannot be is refused and changes nothing") {
    TestHub hub;
    const std::string before = hub.api("GET", kPolicies).body;
    for (const auto& [name, body] : {std::pair{"p", R"({})"},
                                     std::pair{"p", R"([])"},
                                     std::pair{"p", R"({"rights":""})"},
                                     std::pair{"p", R"({"rights":"Everything"})"},
                                     std::pair{"p", R"({"rights":5})"},
                                     std::pair{"p", R"({"rights":"RegistryRead","keyName":"q"})"},
                                     std::pair{"p", R"({"rights":"RegistryRead","primaryKey":"AAAA","secondaryKey":"AAAA"})"},
                                     std::pair{"p", R"({"rights":"RegistryRead","primaryKey":"MDEyMzQ1Njc4OTAxMjM0NQ=="})"},
                                     std::pair{"a%20b", R"({"rights":"RegistryRead"})"},
                                     std::pair{"a%3Bb", R"({"rights":"RegistryRead"})"}}) {
      CAPTURE(name);
      CAPTURE(body);
      CHECK(e1(hub.api("PUT", path(name), body)).starts_with("400 ArgumentInvalid"));
    }
    CHECK(e1(hub.api("POST", path("device") + "/regenerate", "{}")).starts_with("400 ArgumentInvalid"));
    CHECK(hub.api("GET", kPolicies).body == before);
  }

  TEST_CASE("policies: the owner cannot be locked out") {
    TestHub hub;
    CHECK(e1(hub.api("DELETE", path("iothubowner"))).starts_with("405 OperationNotAllowedInCurrentState"));
    CHECK(e1(hub.api("PUT", path("iothubowner"), R"({"rights":"RegistryRead"})")).starts_with("405 OperationNotAllowedInCurrentState"));
    CHECK(hub.api("GET", kPolicies).status == 200);
  }

  TEST_CASE("policies: a new owner's key stands in hub.json when the answer comes") {
    TestHub hub;
    const std::string before = hub.server().service_connection_string();
    const JsonDocument anew = json_of(hub.api("POST", path("iothubowner") + "/regenerate", R"({"policyKey":"primaryKey"})"));
    const auto file = broker::read_file(hub.server().data_folder() + "/hub.json");
    REQUIRE(file.ok());
    CHECK(file->find(string_member(anew, "primaryKey")) != std::string::npos);
    CHECK(hub.server().service_connection_string() != before);
    CHECK(hub.api("GET", kPolicies).status == 200);  // the test signs by the hub's own list
  }

  TEST_CASE("policies: a changed key ends the connections that it admitted, at once and with the reason") {
    TestHub hub;
    hub.create("d1");
    hub.create("d2");
    TestHub::ConnectOptions options;
    options.password = hub.policy_token("device");
    auto by_policy = hub.connect("d1", options);
    auto by_key = hub.connect("d2");
    CHECK(hub.api("PUT", path("device"), R"({"rights":"DeviceConnect, ServiceConnect"})").status == 200);
    by_policy->expect_silence();  // still there
    CHECK(hub.api("POST", path("device") + "/regenerate", R"({"policyKey":"secondaryKey"})").status == 200);
    by_policy->expect_silence();
    CHECK(hub.api("POST", path("device") + "/regenerate", R"({"policyKey":"primaryKey"})").status == 200);
    by_policy->expect_closed();
    by_key->expect_silence();
    CHECK(newest_refusal(hub, "d1").find("policy device, whose key or rights were changed or removed just now") != std::string::npos);
  }

  TEST_CASE("policies: a removed policy ends an event stream that it opened") {
    TestHub hub;
    CHECK(hub.api("PUT", path("watcher"), R"({"rights":"ServiceConnect"})").status == 200);
    hub.create("d1");
    HttpClient stream(hub.tls(), hub.https());
    stream.send_raw("GET /_nearhub/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + hub.policy_token("watcher") + "\r\n\r\n");
    REQUIRE(stream.read_answer().status == 200);
    stream.read_stream_until(": nearhub events\n\n");
    CHECK(hub.api("DELETE", path("watcher")).status == 204);
    auto device = hub.connect("d1");
    mqtt::Publish message;
    message.topic = "devices/d1/messages/events/";
    message.payload = "secret";
    device->send(message);
    device->expect_silence();
    const std::string text = stream.read_stream_until("event: error");
    CHECK(text.find("secret") == std::string::npos);
  }
}

}  // namespace nearhub::test
