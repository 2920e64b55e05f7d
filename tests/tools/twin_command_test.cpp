#include <doctest/doctest.h>

#include "base/json.h"
#include "base/text.h"
#include "tests/tools/command_runner.h"
#include "tools/json_text.h"
#include "tools/twin.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

TEST_SUITE("tools") {
  TEST_CASE("twin show: sections without metadata for people, the whole document for scripts") {
    TestHub hub;
    hub.create("d1");
    CHECK(run(hub, {"twin", "show", "d1"}).out == "device   d1\n"
                                                  "status   enabled, Disconnected, last activity never\n"
                                                  "version  2, etag AAAAAAAAAAE=\n"
                                                  "desired, $version 1\n"
                                                  "  {}\n"
                                                  "reported, $version 1\n"
                                                  "  {}\n");
    CHECK(run(hub, {"twin", "show", "d1", "--json"}).out == hub.api("GET", "/twins/d1").body + "\n");
    CHECK(run(hub, {"twin", "show", "d1/m9"}).error == "nearhub: DeviceNotFound: there is no module d1/m9\n");
    CHECK(run(hub, {"twin", "show", "d2"}).error == "nearhub: DeviceNotFound: there is no device d2\n");
    CHECK(run(hub, {"twin", "show", "d2"}).exit_code == 1);
  }

  TEST_CASE("twin patch: merges desired properties and tags, and the connected device hears of it") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    device->subscribe(1, {{"$iothub/twin/PATCH/properties/desired/#", 0}});
    device->expect<mqtt::Suback>();
    const Outcome patched = run(
        hub, {"twin", "patch", "d1", "--desired", R"({"interval":10,"gone":null})", "--tags", R"({"room":"hall"})"});
    CHECK(patched.exit_code == 0);
    CHECK(patched.out.find(
              "tags\n  {\n    \"room\": \"hall\"\n  }\ndesired, $version 2\n  {\n    \"interval\": 10\n  }\n") !=
          std::string::npos);
    const auto told = device->expect<mqtt::Publish>();
    CHECK(told.topic == "$iothub/twin/PATCH/properties/desired/?$version=2");
    CHECK(told.payload == R"({"interval":10,"gone":null,"$version":2})");
  }

  TEST_CASE("twin patch: the whole update as an argument, from standard input, or from a file") {
    TestHub hub;
    hub.create("d1");
    const TemporaryFolder folder;
    REQUIRE(broker::write_file(folder.file("update.json"), R"({"tags":{"c":3}})", 0600).ok());
    CHECK(run(hub, {"twin", "patch", "d1", R"({"tags":{"a":1}})"}).exit_code == 0);
    CHECK(run(hub, {"twin", "patch", "d1", "-"}, R"({"tags":{"b":2}})").exit_code == 0);
    const Outcome last = run(hub, {"twin", "patch", "d1", "--file", folder.file("update.json"), "--json"});
    CHECK(text_at(*parse_json(trim(last.out)), {"tags"}) == R"({"a":1,"b":2,"c":3})");
    CHECK(run(hub, {"twin", "patch", "d1", "--file", folder.file("none.json")}).exit_code == 2);
  }

  TEST_CASE("twin replace: what is not given is emptied") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    for (const std::string id : {"d1", "d1/m1"}) {
      REQUIRE(run(hub, {"twin", "patch", id, "--desired", R"({"a":1})", "--tags", R"({"t":1})"}).exit_code == 0);
      const auto twin = parse_json(run(hub, {"twin", "replace", id, "--desired", R"({"b":2})", "--json"}).out);
      REQUIRE(twin.ok());
      CHECK(text_at(*twin, {"tags"}) == "{}");
      CHECK(find_path(*twin, {"properties", "desired", "a"}) == nullptr);
      CHECK(integer_at(*twin, {"properties", "desired", "b"}) == 2);
    }
  }

  TEST_CASE("twin patch, replace: with --etag only the twin that was read is changed") {
    TestHub hub;
    hub.create("d1");
    CHECK(run(hub, {"twin", "patch", "d1", "--tags", R"({"a":1})", "--etag", "AAAAAAAAAAE="}).exit_code == 0);
    const Outcome stale = run(hub, {"twin", "patch", "d1", "--tags", R"({"a":2})", "--etag", "AAAAAAAAAAE="});
    CHECK(stale.exit_code == 1);
    CHECK(stale.error.find("nearhub: PreconditionFailed, ETag may be invalid.") == 0);
    CHECK(run(hub, {"twin", "replace", "d1", "--tags", R"({"b":1})", "--etag", "AAAAAAAAAAE="}).exit_code == 1);
    CHECK(run(hub, {"twin", "replace", "d1", "--tags", R"({"b":1})", "--etag", "AAAAAAAAAAI="}).exit_code == 0);
  }

  TEST_CASE("twin patch: an update that would change nothing, or is no JSON, is refused with the reason") {
    const auto error_of = [](TwinUpdate update) { return twin_update_body(update).error().detail; };
    TwinUpdate update;
    CHECK(error_of(update) ==
          "nothing to send: give --desired '{...}', --tags '{...}', or the whole update as an argument");
    update.body = R"({"interval":10})";
    CHECK(error_of(update) == "the update has neither tags nor properties.desired, so it would change nothing; for "
                              "desired properties alone give --desired '{...}'");
    update.body = "[1]";
    CHECK(error_of(update) == R"(the update is an array; expected {"tags":...,"properties":{"desired":...}})");
    update.body = "{";
    CHECK(error_of(update) == "the update: not valid JSON at byte 1: Missing a name for object member.");
    update.body.clear();
    update.desired = "10";
    CHECK(error_of(update) == R"(--desired is a number; expected an object like {"interval":10})");
    update.desired = "null";
    CHECK(twin_update_body(update).value() == R"({"properties":{"desired":null}})");
    CHECK(run({"twin", "patch", "d1", "{}", "--desired", "{}"}).exit_code == 2);
  }

  TEST_CASE("twin patch: the hub's own refusal names the limit") {
    TestHub hub;
    hub.create("d1");
    const Outcome refused = run(hub, {"twin", "patch", "d1", "--desired", R"({"a.b":1})"});
    CHECK(refused.exit_code == 1);
    CHECK(refused.error.find("nearhub: ArgumentInvalid: ") == 0);
  }
}
