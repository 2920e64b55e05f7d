#include "tools/method.h"

#include <doctest/doctest.h>

#include "tests/tools/command_runner.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

std::unique_ptr<MqttClient> device_with_methods(TestHub& hub, std::string_view id) {
  auto device = hub.connect(id);
  device->subscribe(1, {{"$iothub/methods/POST/#", 0}});
  device->expect<mqtt::Suback>();
  return device;
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("method: the payload reaches the device, its answer is shown, any status is an answer") {
    TestHub hub;
    hub.create("d1");
    auto device = device_with_methods(hub, "d1");
    Running call(hub, {"method", "d1", "reboot", R"({"delay":[1,2]})"});
    const auto asked = device->expect<mqtt::Publish>();
    CHECK(asked.topic == "$iothub/methods/POST/reboot/?$rid=1");
    CHECK(asked.payload == R"({"delay":[1,2]})");
    device->send(mqtt::Publish{.topic = "$iothub/methods/res/500/?$rid=1", .payload = R"({"reason":"hot\u001b"})"});
    const Outcome outcome = call.finish();
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.out == "status 500\n{\n  \"reason\": \"hot\\u001B\"\n}\n");
    CHECK(outcome.error == "");
  }

  TEST_CASE("method: --json is the hub's answer, modules have methods, too, without a payload null is sent") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    auto module = device_with_methods(hub, "d1/m1");
    Running call(hub, {"method", "d1/m1", "ping", "--json"});
    CHECK(module->expect<mqtt::Publish>().payload == "null");
    module->send(mqtt::Publish{.topic = "$iothub/methods/res/200/?$rid=1", .payload = "[true]"});
    CHECK(call.finish().out == "{\"status\":200,\"payload\":[true]}\n");
  }

  TEST_CASE("method: a device that is offline, or subscribed to no methods, is said to be so") {
    TestHub hub;
    hub.create("d1");
    const Outcome offline = run(hub, {"method", "d1", "reboot"});
    CHECK(offline.exit_code == 1);
    CHECK(offline.out == "");
    CHECK(offline.error == "nearhub: device d1 is offline, or does not listen for methods (404103 DeviceNotOnline); "
                           "--connect-timeout 30 waits for it\n");
    auto deaf = hub.connect("d1");
    CHECK(run(hub, {"method", "d1", "reboot"}).exit_code == 1);
    CHECK(run(hub, {"method", "nobody", "reboot"}).error == "nearhub: DeviceNotFound: there is no device nobody\n");
  }

  TEST_CASE("method: a device that does not answer in time") {
    TestHub hub;
    hub.create("d1");
    auto device = device_with_methods(hub, "d1");
    Running call(hub, {"method", "d1", "reboot", "--timeout", "20"});
    device->expect<mqtt::Publish>();
    hub.advance(std::chrono::seconds{21});
    const Outcome outcome = call.finish();
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.error == "nearhub: device d1 did not answer within 20 s (504101 GatewayTimeout)\n");
  }

  TEST_CASE("method: --connect-timeout waits for a device that comes late") {
    TestHub hub;
    hub.create("d1");
    Running call(hub, {"method", "d1", "hello", "--timeout", "60", "--connect-timeout", "60"});
    auto device = device_with_methods(hub, "d1");
    device->expect<mqtt::Publish>();
    device->send(mqtt::Publish{.topic = "$iothub/methods/res/200/?$rid=1", .payload = "\"late\""});
    CHECK(call.finish().out == "status 200\n\"late\"\n");
  }

  TEST_CASE("method: a payload that is no JSON and times out of range are refused before a hub hears of them") {
    MethodCall call;
    call.name = "m";
    call.payload = "hello";
    CHECK(method_body(call).error().detail ==
          "the payload: not valid JSON at byte 0: Invalid value. (a text goes in quotes: '\"text\"')");
    call.payload = "-5";
    CHECK(method_body(call).value() ==
          R"({"methodName":"m","responseTimeoutInSeconds":30,"connectTimeoutInSeconds":0,"payload":-5})");
    CHECK(run({"method", "d1", "m", "--timeout", "4"}).exit_code == 2);
    CHECK(run({"method", "d1", "m", "--connect-timeout", "301"}).exit_code == 2);
    CHECK(run({"method", "d1"}).error == "nearhub: NAME is required\nTry `nearhub method --help`.\n");
    TestHub hub;
    CHECK(run(hub, {"method", "d1", "m", "{"}).exit_code == 2);
  }
}
