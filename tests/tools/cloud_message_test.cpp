#include "tools/cloud_message.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/time_format.h"
#include "tests/tools/command_runner.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

const WallTime kNow = *parse_iso8601("2026-01-31T12:00:00Z");

std::unique_ptr<MqttClient> listener(TestHub& hub, std::string_view id, std::string_view filter) {
  auto device = hub.connect(id);
  device->subscribe(1, {{filter, 1}});
  device->expect<mqtt::Suback>();
  return device;
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("send: the device gets the message with its properties") {
    TestHub hub;
    hub.create("d1");
    auto device = listener(hub, "d1", "devices/d1/messages/devicebound/#");
    const Outcome sent = run(hub, {"send", "d1", "hello", "--prop", "level=3", "--prop", "note=a b&c", "--message-id",
                                   "m-1", "--correlation-id", "c-1", "--content-type", "text/plain",
                                   "--content-encoding", "utf-8", "--ack", "full"});
    CHECK(sent.error == "");
    CHECK(sent.exit_code == 0);
    CHECK(sent.out == "queued for device d1, message id m-1\n");
    const auto message = device->expect<mqtt::Publish>();
    CHECK(message.payload == "hello");
    const std::string topic(message.topic);
    for (const char* part : {"%24.mid=m-1", "%24.cid=c-1", "%24.ct=text%2Fplain", "%24.ce=utf-8", "iothub-ack=full",
                             "level=3", "note=a%20b%26c"}) {
      CAPTURE(part);
      CAPTURE(topic);
      CHECK(topic.find(part) != std::string::npos);
    }
  }

  TEST_CASE("send: feedback needs a message id, and the hub's is shown, without feedback there is none to show") {
    TestHub hub;
    hub.create("d1");
    const Outcome sent = run(hub, {"send", "d1", "x", "--ack", "full"});
    CHECK(sent.out.find("queued for device d1, message id ") == 0);
    CHECK(sent.out.size() == std::string("queued for device d1, message id ").size() + 36 + 1);
    CHECK(run(hub, {"send", "d1", "x"}).out == "queued for device d1\n");
  }

  TEST_CASE("send: the body comes from standard input or a file, byte for byte, modules have queues, too") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    const TemporaryFolder folder;
    const std::string bytes("\0\xFF\n", 3);
    REQUIRE(broker::write_file(folder.file("body"), bytes, 0600).ok());
    auto module = listener(hub, "d1/m1", "devices/d1/modules/m1/messages/devicebound/#");
    CHECK(run(hub, {"send", "d1/m1", "-"}, "from a pipe\n").out == "queued for module d1/m1\n");
    CHECK(module->expect<mqtt::Publish>().payload == "from a pipe\n");
    CHECK(run(hub, {"send", "d1/m1", "--file", folder.file("body")}).exit_code == 0);
    CHECK(module->expect<mqtt::Publish>().payload == bytes);
  }

  TEST_CASE("send: headers carry what was given, an expiry counts from now") {
    NewCloudMessage message;
    message.expiry = "10m";
    message.properties = {"a=1=2"};
    const auto headers = cloud_message_headers(message, kNow);
    REQUIRE(headers.ok());
    CHECK(*headers == std::vector<std::pair<std::string, std::string>>{
                          {"iothub-expiry", "2026-01-31T12:10:00.0000000Z"}, {"iothub-app-a", "1=2"}});
  }

  TEST_CASE("send: what cannot travel in a header is refused with the reason") {
    const auto property_error = [](const char* property) {
      NewCloudMessage message;
      message.properties = {property};
      return cloud_message_headers(message, kNow).error().detail;
    };
    CHECK(property_error("novalue") == "--prop novalue: expected NAME=VALUE");
    CHECK(property_error("=x").find("a property's name travels as an HTTP header") != std::string::npos);
    CHECK(property_error("a b=x").find("a property's name travels as an HTTP header") != std::string::npos);
    CHECK(property_error("a=") == "--prop a=: the hub does not tell devices of a property without a value");
    CHECK(property_error("a= x") == "--prop a= x: HTTP takes spaces at the ends of a value off");
    CHECK(property_error("a=x\ry") == "iothub-app-a: a value contains a control character");
    NewCloudMessage message;
    message.message_id = "1\r\nX: y";
    CHECK(cloud_message_headers(message, kNow).error().detail ==
          "iothub-messageid: a value contains a control character");
    message.message_id.clear();
    message.expiry = "later";
    CHECK(cloud_message_headers(message, kNow).error().detail ==
          "\"later\" is no expiry: give 10m, 2h, 1d, or a time like 2026-01-31T12:00:00Z");
    CHECK(run({"send", "d1", "x", "--ack", "maybe"}).exit_code == 2);
    TestHub hub;
    const Outcome no_file = run(hub, {"send", "d1", "--file", "/nowhere/body"});
    CHECK(no_file.exit_code == 2);
    CHECK(no_file.error == "nearhub: cannot read /nowhere/body: No such file or directory\n");
  }

  TEST_CASE("purge: says how many messages went") {
    TestHub hub;
    hub.create("d1");
    for (int i = 0; i < 2; ++i) REQUIRE(run(hub, {"send", "d1", "x"}).exit_code == 0);
    CHECK(run(hub, {"purge", "d1"}).out == "purged 2 messages of device d1\n");
    REQUIRE(run(hub, {"send", "d1", "x"}).exit_code == 0);
    CHECK(run(hub, {"purge", "d1"}).out == "purged 1 message of device d1\n");
    CHECK(run(hub, {"purge", "d1", "--json"}).out == "{\"deviceId\":\"d1\",\"totalMessagesPurged\":0}\n");
    CHECK(run(hub, {"purge", "nobody"}).exit_code == 1);
  }

  TEST_CASE("feedback: each record is shown once, and stays with --keep") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    CHECK(run(hub, {"feedback"}).out.starts_with("no feedback now; ask for it with `nearhub send ID BODY --ack full`."));
    REQUIRE(run(hub, {"send", "d1", "x", "--ack", "full", "--message-id", "one"}).exit_code == 0);
    REQUIRE(run(hub, {"send", "d1/m1", "x", "--ack", "negative", "--message-id", "two"}).exit_code == 0);
    REQUIRE(run(hub, {"purge", "d1"}).exit_code == 0);
    REQUIRE(run(hub, {"purge", "d1/m1"}).exit_code == 0);
    const Outcome kept = run(hub, {"feedback", "--keep"});
    CHECK(kept.error == "");
    CHECK(kept.out.find("Z  d1  Purged  message one\n") != std::string::npos);
    CHECK(kept.out.find("Z  d1/m1  Purged  message two\n") != std::string::npos);
    const Outcome shown = run(hub, {"feedback", "--json"});
    CHECK(shown.exit_code == 0);
    CHECK(shown.out.find("{\"originalMessageId\":\"one\"") == 0);
    CHECK(shown.out.find("\n{\"originalMessageId\":\"two\"") != std::string::npos);
    CHECK(run(hub, {"feedback", "--json"}).out == "");
    CHECK(run(hub, {"feedback", "--keep", "--follow"}).exit_code == 2);
  }

  TEST_CASE("feedback: what nobody could read is there the next time") {
    TestHub hub;
    hub.create("d1");
    Running follower(hub, {"feedback", "--follow"});
    follower.console().close_output();
    REQUIRE(hub.api("POST", "/devices/d1/messages/deviceBound", "x", {{"iothub-ack", "full"}}).status == 204);
    REQUIRE(run(hub, {"purge", "d1"}).exit_code == 0);
    CHECK(follower.finish().out == "");
    const Outcome shown = run(hub, {"feedback"});
    CHECK(shown.out.ends_with("Z  d1  Purged  a message without an id\n"));
  }

  TEST_CASE("feedback: --keep shows a thousand records and says that there may be more") {
    TestHub hub([](broker::Config& config) { config.limits.cloud_queue_messages = 2000; });
    hub.create("d1");
    for (int i = 0; i < 1001; ++i) REQUIRE(hub.api("POST", "/devices/d1/messages/deviceBound", "x", {{"iothub-ack", "full"}, {"iothub-messageid", std::to_string(i)}}).status == 204);
    REQUIRE(run(hub, {"purge", "d1"}).exit_code == 0);
    const Outcome kept = run(hub, {"feedback", "--keep", "--json"});
    CHECK(kept.exit_code == 0);
    CHECK(std::count(kept.out.begin(), kept.out.end(), '\n') == 1000);
    CHECK(kept.error.find("there may be more") != std::string::npos);
    const Outcome all = run(hub, {"feedback", "--json"});
    CHECK(std::count(all.out.begin(), all.out.end(), '\n') == 1001);
  }
}
