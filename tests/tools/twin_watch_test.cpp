#include <doctest/doctest.h>

#include <csignal>

#include "tests/tools/command_runner.h"
#include "tools/twin_watch.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

JsonDocument parsed(std::string_view text) {
  auto json = parse_json(text);
  REQUIRE(json.ok());
  return std::move(*json);
}

std::string shown(std::string_view before, std::string_view after) {
  std::string text;
  for (const TwinChange& change : changes_of(parsed(before), parsed(after))) {
    text += change.part + " " + change.value + (change.time.empty() ? "" : " at " + change.time) + ";";
  }
  return text;
}

void report(MqttClient& device, std::string_view properties) {
  mqtt::Publish patch;
  patch.topic = "$iothub/twin/PATCH/properties/reported/?$rid=1";
  patch.payload = properties;
  device.send(patch);
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("twin watch: a change of a section is what has to be merged into it, with its version and time") {
    CHECK(shown(R"({"properties":{"desired":{"a":1,"b":{"c":1,"d":2},"e":3,"$metadata":{"$lastUpdated":"2026-01-01T00:00:00Z"},"$version":2}}})",
                R"({"properties":{"desired":{"a":1,"b":{"c":5,"f":{}},"g":[1],"$metadata":{"$lastUpdated":"2026-01-02T00:00:00Z"},"$version":3}}})") ==
          R"(desired, $version 3 {"b":{"c":5,"f":{},"d":null},"g":[1],"e":null} at 2026-01-02T00:00:00Z;)");
    // Written again as it was.
    CHECK(shown(R"({"properties":{"reported":{"a":1,"$version":2}}})", R"({"properties":{"reported":{"a":1,"$version":3}}})") == "reported, $version 3 {};");
    CHECK(shown(R"({"properties":{"reported":{"a":{"b":1},"$version":2}}})", R"({"properties":{"reported":{"a":2,"$version":3}}})") == R"(reported, $version 3 {"a":2};)");
    CHECK(shown(R"({})", R"({"tags":{"room":"hall"}})") == R"(tags {"room":"hall"};)");
    CHECK(shown(R"({"tags":{"room":"hall"}})", R"({"tags":{}})") == R"(tags {"room":null};)");
  }

  TEST_CASE("twin watch: of the members around the sections those are shown that people wait for") {
    CHECK(shown(R"({"status":"enabled","connectionState":"Disconnected","modelId":"","version":1,"etag":"a","lastActivityTime":"x","cloudToDeviceMessageCount":0})",
                R"({"status":"disabled","statusReason":"lost","connectionState":"Connected","modelId":"dtmi:a;1","version":2,"etag":"b","lastActivityTime":"y","cloudToDeviceMessageCount":1})") ==
          "status disabled;statusReason lost;connectionState Connected;modelId dtmi:a;1;");
    CHECK(shown(R"({"statusReason":"lost"})", "{}") == "statusReason null;");
    CHECK(shown(R"({"version":1,"etag":"a","lastActivityTime":"x"})", R"({"version":2,"etag":"b","lastActivityTime":"y"})") == "");
  }

  TEST_CASE("twin watch: as JSON a change has the shape of a twin") {
    CHECK(change_json(parsed(R"({"version":2,"tags":{"a":1},"connectionState":"Connected","properties":{"desired":{"x":1,"$version":1},"reported":{"$version":1}}})"),
                      parsed(R"({"version":3,"tags":{"a":2},"connectionState":"Disconnected","properties":{"desired":{"$metadata":{},"$version":2},"reported":{"$version":1}}})"), "T") ==
          R"({"time":"T","version":3,"connectionState":"Disconnected","tags":{"a":2},"properties":{"desired":{"$version":2,"x":null}}})");
    CHECK(change_json(parsed("{}"), parsed(R"({"version":3,"status":"enabled"})"), "T") == R"({"time":"T","version":3,"status":"enabled"})");
  }

  TEST_CASE("twin watch: follows what services and the device change, and Ctrl-C ends it well") {
    TestHub hub;
    hub.create("d1");
    Running watch(hub, {"twin", "watch", "d1"});
    watch.console().wait_for_error("watching the twin of device d1 at localhost:");
    REQUIRE(hub.api("PATCH", "/twins/d1", R"({"properties":{"desired":{"interval":30}}})").status == 200);
    watch.console().wait_for_out("Z  desired, $version 2  {\"interval\":30}\n");
    auto device = hub.connect("d1");
    watch.console().wait_for_out("Z  connectionState  Connected\n");
    report(*device, R"({"firmware":"1.4.2\u001b"})");
    watch.console().wait_for_out("Z  reported, $version 2  {\"firmware\":\"1.4.2\\u001B\"}\n");
    std::raise(SIGINT);
    const Outcome outcome = watch.finish();
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.out.find("tags") == std::string::npos);
  }

  TEST_CASE("twin watch: of a module, for scripts, until nobody reads any more") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    Running watch(hub, {"twin", "watch", "d1/m1", "--json"});
    watch.console().wait_for_error("watching the twin of module d1/m1 at localhost:");
    REQUIRE(hub.api("PATCH", "/twins/d1", R"({"tags":{"of":"device"}})").status == 200);
    REQUIRE(hub.api("PATCH", "/twins/d1/modules/m1", R"({"tags":{"of":"module"}})").status == 200);
    watch.console().wait_for_out(R"(,"version":3,"tags":{"of":"module"}})");
    watch.console().close_output();
    REQUIRE(hub.api("PATCH", "/twins/d1/modules/m1", R"({"tags":{"of":"nobody"}})").status == 200);
    const Outcome outcome = watch.finish();
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.out.find("device") == std::string::npos);
  }

  TEST_CASE("twin watch: a twin that is deleted is waited for, one that never was is an error") {
    TestHub hub;
    CHECK(run(hub, {"twin", "watch", "d1"}).error == "nearhub: DeviceNotFound: there is no device d1\n");
    CHECK(run(hub, {"twin", "watch", "d1"}).exit_code == 1);
    hub.create("d1");
    Running watch(hub, {"twin", "watch", "d1"});
    watch.console().wait_for_error("watching the twin of device d1");
    REQUIRE(hub.api("DELETE", "/devices/d1", {}, {{"If-Match", "*"}}).status == 204);
    watch.console().wait_for_error("device d1 is deleted; waiting for one of that name");
    hub.create("d1");
    watch.console().wait_for_error("device d1 is there again");
    watch.console().wait_for_out("Z  desired, $version 1  {}\n");
    std::raise(SIGINT);
    CHECK(watch.finish().exit_code == 0);
  }

  TEST_CASE("twin watch: a hub that restarts is waited for, and what changed meanwhile is shown") {
    const TemporaryFolder folder;
    const auto kept = [&folder](broker::Config& config) {
      config.in_memory = false;
      config.data_folder = folder.path();
    };
    auto first = std::make_unique<TestHub>(kept);
    first->create("d1");
    // The second hub has other ports: its data folder tells.
    Running watch({"twin", "watch", "d1", "--data", folder.path()});
    watch.console().wait_for_error("watching the twin of device d1");
    CHECK(first->stop() == 0);
    watch.console().wait_for_error("waiting for the hub (Ctrl-C ends)");
    first.reset();
    TestHub second(kept);
    REQUIRE(second.api("PATCH", "/twins/d1", R"({"tags":{"room":"hall"}})").status == 200);
    watch.console().wait_for_out("Z  tags  {\"room\":\"hall\"}\n");
    watch.console().wait_for_error("the hub is back");
    std::raise(SIGINT);
    CHECK(watch.finish().exit_code == 0);
  }
}
