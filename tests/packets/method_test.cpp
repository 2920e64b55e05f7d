// Direct methods over MQTT, byte for byte.
#include <doctest/doctest.h>

#include "tests/packets/wire.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

constexpr std::string_view kMethods = "/twins/d1/methods";

std::string request_topic(std::string_view name, std::string_view rid) { return "$iothub/methods/POST/" + std::string(name) + "/?$rid=" + std::string(rid); }
std::string response_topic(std::string_view status, std::string_view rid) { return "$iothub/methods/res/" + std::string(status) + "/?$rid=" + std::string(rid); }

struct MethodRig {
  explicit MethodRig(std::string_view filter = "$iothub/methods/POST/#", const std::function<void(broker::Config&)>& adjust = {}) : hub(adjust), service(hub.tls(), hub.https()) {
    hub.create("d1");
    device = hub.connect("d1");
    device->send_raw(subscribe(1, filter, 1));
    expect_bytes(*device, "90 03 0001 01"_hex);
  }
  TestHub hub;
  HttpClient service;
  std::unique_ptr<MqttClient> device;
};

}  // namespace

TEST_SUITE("packets") {
  TEST_CASE("method: the payload goes out as it is, at QoS 0, and the answer comes back") {
    MethodRig rig;
    ask(rig.hub, rig.service, "POST", kMethods, R"({"methodName":"reboot","payload":{"in":[1,2.5,"x"],"u":"\u00e4"}})");
    expect_bytes(*rig.device, "30 40"_hex + field("$iothub/methods/POST/reboot/?$rid=1") + "{\"in\":[1,2.5,\"x\"],\"u\":\"\xC3\xA4\"}");
    rig.device->send_raw(publish("$iothub/methods/res/200/?$rid=1", R"({"ok":true})"));
    const HttpAnswer answer = rig.service.read_answer();
    CHECK(answer.status == 200);
    CHECK(answer.body == R"({"status":200,"payload":{"ok":true}})");
  }

  TEST_CASE("method: null, an empty string, an empty object, and no payload at all, which is sent as null") {
    MethodRig rig;
    const std::pair<std::string, std::string> payloads[] = {
        {R"(,"payload":null)", "null"}, {R"(,"payload":"")", "\"\""}, {R"(,"payload":{})", "{}"}, {R"(,"payload":"text")", "\"text\""}, {"", "null"}};
    int rid = 0;
    for (const auto& [given, sent] : payloads) {
      ask(rig.hub, rig.service, "POST", kMethods, "{\"methodName\":\"m\"" + given + "}");
      const std::string id = std::to_string(++rid);
      expect_bytes(*rig.device, publish(request_topic("m", id), sent));
      rig.device->send_raw(publish(response_topic("0", id), ""));
      CHECK(rig.service.read_answer().body == R"({"status":0,"payload":null})");
    }
  }

  TEST_CASE("method: with --empty-method-payload an absent payload is an empty body, as in the cloud") {
    MethodRig rig("$iothub/methods/POST/#", [](broker::Config& config) { config.behaviour.empty_method_payload = true; });
    ask(rig.hub, rig.service, "POST", kMethods, R"({"methodName":"m"})");
    expect_bytes(*rig.device, publish(request_topic("m", "1"), ""));
    rig.device->send_raw(publish(response_topic("200", "1"), "1"));
    CHECK(rig.service.read_answer().body == R"({"status":200,"payload":1})");
  }

  TEST_CASE("method: request ids are lower-case hexadecimal, from 1 on each connection") {
    MethodRig rig;
    for (int i = 1; i <= 17; ++i) {
      ask(rig.hub, rig.service, "POST", kMethods, R"({"methodName":"m"})");
      const std::string rid = i < 10 ? std::to_string(i) : i < 16 ? std::string(1, static_cast<char>('a' + i - 10)) : i == 16 ? "10" : "11";
      expect_bytes(*rig.device, publish(request_topic("m", rid), "null"));
      rig.device->send_raw(publish(response_topic("200", rid), "null"));
      CHECK(rig.service.read_answer().status == 200);
    }
    rig.device = rig.hub.connect("d1");
    rig.device->send_raw(subscribe(1, "$iothub/methods/POST/#", 0));
    expect_bytes(*rig.device, "90 03 0001 00"_hex);
    ask(rig.hub, rig.service, "POST", kMethods, R"({"methodName":"m"})");
    expect_bytes(*rig.device, publish(request_topic("m", "1"), "null"));
  }

  TEST_CASE("method: answers may come in any order, at QoS 1, with negative statuses, and others are dropped") {
    MethodRig rig;
    HttpClient second(rig.hub.tls(), rig.hub.https());
    ask(rig.hub, rig.service, "POST", kMethods, R"({"methodName":"a"})");
    expect_bytes(*rig.device, publish(request_topic("a", "1"), "null"));
    ask(rig.hub, second, "POST", kMethods, R"({"methodName":"b"})");
    expect_bytes(*rig.device, publish(request_topic("b", "2"), "null"));
    // An id that nobody knows, a status that is no number, an id in another spelling: of no consequence.
    rig.device->send_raw(publish(response_topic("200", "3"), "1") + publish(response_topic("ok", "2"), "1") + publish(response_topic("200", "02"), "1"));
    rig.device->send_raw(packet(0x32, field(response_topic("-2147483648", "2")) + "0009"_hex + "\"second\""));
    expect_bytes(*rig.device, "40 02 0009"_hex);
    CHECK(second.read_answer().body == R"({"status":-2147483648,"payload":"second"})");
    rig.device->send_raw(publish(response_topic("2147483647", "1"), "\"first\""));
    CHECK(rig.service.read_answer().body == R"({"status":2147483647,"payload":"first"})");
    // A second answer.
    rig.device->send_raw(publish(response_topic("200", "1"), "\"late\""));
    rig.device->expect_silence();
    CHECK(contains(last_refusal(rig.hub, "d1"),
                   "method response | dropped | topic | expected .../methods/res/{status}/?$rid={rid} with a whole number as status; received $iothub/methods/res/ok/?$rid=2"));
  }

  TEST_CASE("method: an answer on the next connection completes the call") {
    MethodRig rig;
    ask(rig.hub, rig.service, "POST", kMethods, R"({"methodName":"m"})");
    expect_bytes(*rig.device, publish(request_topic("m", "1"), "null"));
    rig.device = rig.hub.connect("d1");
    rig.device->send_raw(publish(response_topic("200", "1"), "\"after all\""));
    CHECK(rig.service.read_answer().body == R"({"status":200,"payload":"after all"})");
  }

  TEST_CASE("method: a filter by name brings that method alone") {
    MethodRig rig("$iothub/methods/POST/reboot/#");
    CHECK(rig.hub.api("POST", kMethods, R"({"methodName":"other"})").status == 404);
    CHECK(rig.hub.api("POST", kMethods, R"({"methodName":"rebooter"})").status == 404);
    rig.device->expect_silence();
    ask(rig.hub, rig.service, "POST", kMethods, R"({"methodName":"reboot"})");
    expect_bytes(*rig.device, publish(request_topic("reboot", "1"), "null"));
    rig.device->send_raw(publish(response_topic("200", "1"), "null"));
    CHECK(rig.service.read_answer().status == 200);
  }

  TEST_CASE("method: a component's command keeps its asterisk") {
    MethodRig rig;
    ask(rig.hub, rig.service, "POST", kMethods, R"({"methodName":"thermostat1*getMaxMinReport"})");
    expect_bytes(*rig.device, publish("$iothub/methods/POST/thermostat1*getMaxMinReport/?$rid=1", "null"));
  }

  TEST_CASE("method: with a connect timeout a call waits for the device and its subscription") {
    TestHub hub;
    hub.create("d1");
    HttpClient service(hub.tls(), hub.https());
    ask(hub, service, "POST", kMethods, R"({"methodName":"m","connectTimeoutInSeconds":20})");
    settle(hub);
    auto device = hub.connect("d1");
    device->expect_silence();
    device->send_raw(subscribe(1, "$iothub/methods/POST/#", 0));
    expect_bytes(*device, "90 03 0001 00"_hex);
    expect_bytes(*device, publish(request_topic("m", "1"), "null"));
    device->send_raw(publish(response_topic("200", "1"), "7"));
    CHECK(service.read_answer().body == R"({"status":200,"payload":7})");
  }

  TEST_CASE("method: the cloud's sentence leaves open why nobody is there, the refusal book does not") {
    TestHub hub;
    hub.create("d1");
    const std::string expected = "POST /twins/d1/methods | 404 DeviceNotOnline | state | expected a device that is online and listens for methods; received ";
    const auto call = [&hub] {
      const HttpAnswer answer = hub.api("POST", kMethods, R"({"methodName":"m"})");
      CHECK(answer.status == 404);
      CHECK(contains(answer.body, "because the requested device isn't online or hasn't registered the direct method callback"));
      return last_refusal(hub, "d1");
    };
    CHECK(contains(call(), expected + "d1 is not connected; "));
    auto device = hub.connect("d1");
    CHECK(contains(call(), expected + "d1 is connected, and has not subscribed to methods; "));
  }

  TEST_CASE("method: nobody answers within the response timeout: 504") {
    MethodRig rig;
    ask(rig.hub, rig.service, "POST", kMethods, R"({"methodName":"m","responseTimeoutInSeconds":60})");
    expect_bytes(*rig.device, publish(request_topic("m", "1"), "null"));
    rig.hub.advance(std::chrono::seconds(61));
    CHECK(rig.service.read_answer().status == 504);
  }

  TEST_CASE("method: an answer of more than 128 KB, or one that is no JSON, is the caller's error and not the device's") {
    MethodRig rig;
    ask(rig.hub, rig.service, "POST", kMethods, R"({"methodName":"m"})");
    expect_bytes(*rig.device, publish(request_topic("m", "1"), "null"));
    rig.device->send_raw(publish(response_topic("200", "1"), "\"" + std::string(131'072, 'x') + "\""));
    CHECK(rig.service.read_answer().status == 413);
    ask(rig.hub, rig.service, "POST", kMethods, R"({"methodName":"m"})");
    expect_bytes(*rig.device, publish(request_topic("m", "2"), "null"));
    rig.device->send_raw(publish(response_topic("200", "2"), "not JSON"));
    CHECK(rig.service.read_answer().status == 502);
    rig.device->expect_silence();
  }
}
