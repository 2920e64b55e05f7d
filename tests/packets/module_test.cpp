// Modules: their own connections, topics, twins, methods and queues.
#include <doctest/doctest.h>

#include "tests/packets/wire.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

struct ModuleRig {
  ModuleRig() {
    hub.create("d1");
    hub.create("d1/m1");
    hub.create("d1/m2");
    module = hub.connect("d1/m1");
  }
  TestHub hub;
  std::unique_ptr<MqttClient> module;
};

}  // namespace

TEST_SUITE("packets") {
  TEST_CASE("module: client id device/module, and a connection beside its device's") {
    ModuleRig rig;
    auto device = rig.hub.connect("d1"), other = rig.hub.connect("d1/m2");
    for (MqttClient* client : {rig.module.get(), device.get(), other.get()}) client->expect_silence();
    CHECK(contains(rig.hub.api("GET", "/devices/d1/modules/m1").body, R"("connectionState":"Connected")"));
  }

  TEST_CASE("module telemetry: its topic, with an output name, a trailing slash, and its mark on the event") {
    ModuleRig rig;
    rig.module->send_raw(packet(0x32, field("devices/d1/modules/m1/messages/events/%24.on=out1&%24.ct=application%2Fjson&%24.ce=utf-8/") + "0001"_hex + "{\"a\":1}"));
    expect_bytes(*rig.module, "40 02 0001"_hex);
    const std::string event = events_of(rig.hub, "d1").at(0);
    CHECK(contains(event, R"("deviceId":"d1","moduleId":"m1","systemProperties":{"iothub-outputname":"out1","content-type":"application/json","content-encoding":"utf-8"})"));
    CHECK(contains(event, R"("iothub-connection-module-id":"m1")"));
    CHECK(contains(event, R"(\"scope\":\"module\")"));
    CHECK(contains(event, R"("body":{"a":1})"));
  }

  TEST_CASE("module: the topics of its device and of its sisters close the connection") {
    ModuleRig rig;
    for (const std::string topic : {"devices/d1/messages/events/", "devices/d1/modules/m2/messages/events/", "devices/d1/modules/m1/messages/eventsx"}) {
      auto module = rig.hub.connect("d1/m1");
      module->send_raw(publish(topic, "x"));
      module->expect_closed();
      CHECK(contains(last_refusal(rig.hub, "d1/m1"), "expected a topic of the hub: devices/d1/modules/m1/messages/events/"));
    }
    for (const std::string filter : {"devices/d1/messages/devicebound/#", "devices/+/messages/devicebound/#", "devices/d1/modules/m2/#", "devices/d1/modules/m1/inputs/x/#"}) {
      auto module = rig.hub.connect("d1/m1");
      module->send_raw(subscribe(1, filter, 0));
      module->expect_closed();
      CHECK(contains(last_refusal(rig.hub, "d1/m1"), "MQTT SUBSCRIBE | connection closed | filter"));
    }
  }

  TEST_CASE("module: the five filters of a Java client are granted, and the whole-module filter of C and C#") {
    ModuleRig rig;
    std::string list;
    for (const char* filter : {"devices/d1/modules/m1/messages/devicebound/#", "devices/d1/modules/m1/inputs/#", "$iothub/twin/res/#",
                               "$iothub/twin/PATCH/properties/desired/#", "$iothub/methods/POST/#", "devices/d1/modules/m1/#"}) {
      list += field(filter) + '\1';
    }
    rig.module->send_raw(packet(0x82, number(1) + list));
    expect_bytes(*rig.module, "90 08 0001 010101010101"_hex);
  }

  TEST_CASE("module twin: GET, report and desired on the same topics, apart from the device's twin") {
    ModuleRig rig;
    rig.module->send_raw(packet(0x82, number(1) + field("$iothub/twin/res/#") + '\0' + field("$iothub/twin/PATCH/properties/desired/#") + '\0'));
    expect_bytes(*rig.module, "90 04 0001 0000"_hex);
    CHECK(rig.hub.api("PATCH", "/twins/d1", R"({"properties":{"desired":{"device":1}}})").status == 200);
    CHECK(rig.hub.api("PATCH", "/twins/d1/modules/m1", R"({"properties":{"desired":{"module":1}}})").status == 200);
    expect_bytes(*rig.module, publish("$iothub/twin/PATCH/properties/desired/?$version=2", R"({"module":1,"$version":2})"));
    rig.module->send_raw(publish("$iothub/twin/PATCH/properties/reported/?$rid=1", R"({"r":1})"));
    expect_bytes(*rig.module, publish("$iothub/twin/res/204/?$rid=1&$version=2", ""));
    rig.module->send_raw(publish("$iothub/twin/GET/?$rid=2", " "));
    expect_bytes(*rig.module, publish("$iothub/twin/res/200/?$rid=2", R"({"desired":{"module":1,"$version":2},"reported":{"r":1,"$version":2}})"));
  }

  TEST_CASE("module method: called under the module's path, answered on the device's topic") {
    ModuleRig rig;
    rig.module->send_raw(subscribe(1, "$iothub/methods/POST/#", 0));
    expect_bytes(*rig.module, "90 03 0001 00"_hex);
    HttpClient service(rig.hub.tls(), rig.hub.https());
    ask(rig.hub, service, "POST", "/twins/d1/modules/m1/methods", R"({"methodName":"m","payload":1})");
    expect_bytes(*rig.module, publish("$iothub/methods/POST/m/?$rid=1", "1"));
    rig.module->send_raw(publish("$iothub/methods/res/200/?$rid=1", "2"));
    CHECK(service.read_answer().body == R"({"status":200,"payload":2})");
    CHECK(rig.hub.api("POST", "/twins/d1/methods", R"({"methodName":"m"})").status == 404);
  }

  TEST_CASE("module C2D: a queue of its own, under its own topic") {
    ModuleRig rig;
    rig.module->send_raw(subscribe(1, "devices/d1/modules/m1/messages/devicebound/#", 1));
    expect_bytes(*rig.module, "90 03 0001 01"_hex);
    CHECK(rig.hub.api("POST", "/devices/d1/messages/deviceBound", "for the device").status == 204);
    CHECK(rig.hub.api("POST", "/devices/d1/modules/m1/messages/deviceBound", "for the module", {{"iothub-app-k", "v"}}).status == 204);
    expect_bytes(*rig.module, packet(0x32, field("devices/d1/modules/m1/messages/devicebound/%24.to=%2Fdevices%2Fd1%2Fmodules%2Fm1%2Fmessages%2FdeviceBound&k=v") + "0001"_hex + "for the module"));
    rig.module->expect_silence();
  }

  TEST_CASE("module session: stored apart from its device's") {
    ModuleRig rig;
    bool present = true;
    join(rig.hub, "d1/m1", {.clean_session = false}, &present);
    CHECK_FALSE(present);
    join(rig.hub, "d1", {.clean_session = false}, &present);
    CHECK_FALSE(present);
    join(rig.hub, "d1/m1", {.clean_session = false}, &present);
    CHECK(present);
  }

  TEST_CASE("disabling or deleting a device ends the connections of its modules too") {
    ModuleRig rig;
    auto device = rig.hub.connect("d1");
    CHECK(rig.hub.api("PUT", "/devices/d1", R"({"deviceId":"d1","status":"disabled","statusReason":"stolen"})", {{"If-Match", "*"}}).status == 200);
    device->expect_closed();
    rig.module->expect_closed();
    CHECK(last_refusal(rig.hub, "d1/m1") ==
          "MQTT connection | connection closed | status | expected an enabled device; received device d1, disabled just now; enable it: nearhub device enable d1");
    CHECK(rig.hub.api("PUT", "/devices/d1", R"({"deviceId":"d1","status":"enabled"})", {{"If-Match", "*"}}).status == 200);
    rig.module = rig.hub.connect("d1/m1");
    CHECK(rig.hub.api("DELETE", "/devices/d1", {}, {{"If-Match", "*"}}).status == 204);
    rig.module->expect_closed();
  }

  TEST_CASE("deleting a module ends its connection alone") {
    ModuleRig rig;
    auto device = rig.hub.connect("d1"), other = rig.hub.connect("d1/m2");
    CHECK(rig.hub.api("DELETE", "/devices/d1/modules/m1", {}, {{"If-Match", "*"}}).status == 204);
    expect_closed_because(rig.hub, *rig.module, "d1/m1",
                          "MQTT connection | connection closed | identity | expected a registered module; received d1/m1, deleted just now; create it again; it gets new keys");
    device->expect_silence();
    other->expect_silence();
  }
}
