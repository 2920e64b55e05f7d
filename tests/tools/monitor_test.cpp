#include <doctest/doctest.h>

#include <csignal>

#include "base/json.h"
#include "base/text.h"
#include "tests/tools/command_runner.h"
#include "tools/json_text.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

constexpr const char* kTopic =
    "devices/d1/messages/events/%24.ct=application%2Fjson&%24.ce=utf-8&%24.mid=m-1&alert=true&room=big%20hall";

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; at += what.size()) ++n;
  return n;
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("monitor: a message that a device sent is shown with its properties, for people and for scripts") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    publish(*device, kTopic, R"({"temperature": 21.5})");

    const Outcome shown = run(hub, {"monitor", "--since", "start", "--no-follow"});
    CHECK(shown.exit_code == 0);
    CHECK(shown.error == "");
    CHECK(shown.out.find("Z  d1  alert=true room=\"big hall\"  [content-type=application/json content-encoding=utf-8 "
                         "message-id=m-1]  {\"temperature\":21.5}\n") != std::string::npos);

    const Outcome json = run(hub, {"monitor", "--since", "1h", "--no-follow", "--json"});
    CHECK(count(json.out, "\n") == 1);
    const auto event = parse_json(trim(json.out));
    REQUIRE(event.ok());
    CHECK(text_at(*event, {"deviceId"}) == "d1");
    CHECK(text_at(*event, {"properties", "room"}) == "big hall");
    CHECK(text_at(*event, {"systemProperties", "message-id"}) == "m-1");
    CHECK(text_at(*event, {"annotations", "iothub-message-source"}) == "Telemetry");
    CHECK(text_at(*event, {"body"}) == R"({"temperature":21.5})");

    const Outcome pretty = run(hub, {"monitor", "d1", "--since", "start", "--no-follow", "--pretty"});
    CHECK(pretty.out.find("  system properties\n    content-type      application/json\n") != std::string::npos);
    CHECK(pretty.out.find("  body\n    {\n      \"temperature\": 21.5\n    }\n") != std::string::npos);
  }

  TEST_CASE("monitor: one device or one module, what is older than --since stays away") {
    TestHub hub;
    for (const char* id : {"d1", "d2", "d1/m1"}) hub.create(id);
    publish(*hub.connect("d1"), "devices/d1/messages/events/", "old");
    hub.advance(std::chrono::hours{1});
    publish(*hub.connect("d1"), "devices/d1/messages/events/", "of d1");
    publish(*hub.connect("d2"), "devices/d2/messages/events/", "of d2");
    publish(*hub.connect("d1/m1"), "devices/d1/modules/m1/messages/events/", "of m1");
    const auto shown = [&hub](Arguments arguments) {
      arguments.insert(arguments.begin(), {"monitor", "--no-follow"});
      const std::string out = run(hub, arguments).out;
      std::string bodies;
      for (const char* body : {"old", "of d1", "of d2", "of m1"}) {
        bodies += count(out, std::string("  ") + body + "\n") == 1 ? body + std::string(";") : "";
      }
      return bodies;
    };
    CHECK(shown({"--since", "start"}) == "old;of d1;of d2;of m1;");
    CHECK(shown({"--since", "30m"}) == "of d1;of d2;of m1;");
    CHECK(shown({"d1", "--since", "30m"}) == "of d1;of m1;");
    CHECK(shown({"d1/m1", "--since", "30m"}) == "of m1;");
    CHECK(shown({"d2", "--since", "2h"}) == "of d2;");
    CHECK(shown({}) == "");
  }

  TEST_CASE("monitor: follows, and Ctrl-C ends it well") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    publish(*device, "devices/d1/messages/events/", "before");
    Running monitor(hub, {"monitor"});
    monitor.console().wait_for_error("showing telemetry of all devices as it reaches the hub at localhost:");
    publish(*device, "devices/d1/messages/events/", "first");
    monitor.console().wait_for_out("first");
    publish(*device, "devices/d1/messages/events/", "second");
    monitor.console().wait_for_out("second");
    std::raise(SIGINT);
    const Outcome outcome = monitor.finish();
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.out.find("before") == std::string::npos);
    CHECK(count(outcome.out, "\n") == 2);
  }

  TEST_CASE("monitor: ends when nobody reads its output any more") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    Running monitor(hub, {"monitor", "d1"});
    monitor.console().wait_for_error("showing telemetry of device d1");
    publish(*device, "devices/d1/messages/events/", "first");
    monitor.console().wait_for_out("first");
    monitor.console().close_output();
    publish(*device, "devices/d1/messages/events/", "second");
    CHECK(monitor.finish().exit_code == 0);
  }

  TEST_CASE("monitor: a hub that restarts is waited for, nothing is missing and nothing comes twice") {
    const TemporaryFolder folder;
    const auto kept = [&folder](broker::Config& config) {
      config.in_memory = false;
      config.data_folder = folder.path();
    };
    auto first = std::make_unique<TestHub>(kept);
    first->create("d1");
    publish(*first->connect("d1"), "devices/d1/messages/events/", "message 1");
    // The second hub has other ports: its data folder tells.
    Running monitor({"monitor", "--since", "start", "--data", folder.path()});
    monitor.console().wait_for_out("message 1");
    CHECK(first->stop() == 0);
    monitor.console().wait_for_error("waiting for the hub (Ctrl-C ends)");
    first.reset();
    TestHub second(kept);
    publish(*second.connect("d1"), "devices/d1/messages/events/", "message 2");
    monitor.console().wait_for_out("message 2");
    monitor.console().wait_for_error("the hub is back");
    std::raise(SIGINT);
    const Outcome outcome = monitor.finish();
    CHECK(outcome.exit_code == 0);
    CHECK(count(outcome.out, "message 1") == 1);
    CHECK(count(outcome.out, "message 2") == 1);
  }

  TEST_CASE("monitor: an id that does not exist is remarked upon, arguments that cannot be right are refused") {
    TestHub hub;
    const Outcome unknown = run(hub, {"monitor", "nobody", "--no-follow"});
    CHECK(unknown.exit_code == 0);
    CHECK(unknown.error == "nearhub: there is no device nobody at the moment; showing what it sends all the same\n");
    CHECK(run(hub, {"monitor", "--since", "yesterday", "--no-follow"}).exit_code == 2);
    CHECK(run({"monitor", "--json", "--pretty"}).exit_code == 2);
    CHECK(run({"monitor", "a b"}).exit_code == 2);
  }
}
