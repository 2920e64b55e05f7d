// `nearhub config ...`
#include <doctest/doctest.h>

#include <string>

#include "base/text.h"
#include "tests/tools/command_runner.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

constexpr const char* kChiller = R"({"properties.desired.chiller":{"temp":66}})";

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("config: created, shown, listed, changed, counted and deleted") {
    TestHub hub;
    hub.create("d1");
    REQUIRE(hub.api("PATCH", "/twins/d1", R"({"tags":{"floor":2}})").status == 200);
    CHECK(run(hub, {"config", "list"}).out == "no configurations; make one with `nearhub config create ID --device CONTENT --target CONDITION`\n");
    const Outcome made = run(hub, {"config", "create", "chiller", "--device", kChiller, "--target", "tags.floor = 2", "--label", "by=me", "--metric",
                                   "hot=SELECT deviceId FROM devices WHERE properties.reported.temp > 70"});
    CHECK(made.error == "");
    CHECK(made.out == "created the configuration chiller\n");
    CHECK(hub.api("GET", "/twins/d1").body.find(R"("chiller":{"temp":66})") != std::string::npos);
    CHECK(run(hub, {"twin", "show", "d1"}).out.find("\nconfigs  chiller Applied\n") != std::string::npos);
    CHECK(run(hub, {"config", "list"}).out ==
          "CONFIGURATION  KIND    PRIORITY  TARGETED  APPLIED  TARGET\n"
          "chiller        device  0         1         1        tags.floor = 2\n");
    CHECK(run(hub, {"config", "metrics", "chiller"}).out ==
          "METRIC         COUNT\n"
          "targetedCount  1\n"
          "appliedCount   1\n"
          "hot            0\n");
    CHECK(run(hub, {"config", "metrics", "chiller", "--json"}).out == "{\"targetedCount\":1,\"appliedCount\":1,\"hot\":0}\n");
    const std::string shown = run(hub, {"config", "show", "chiller"}).out;
    CHECK(shown.starts_with("id        chiller\nkind      device\ntarget    tags.floor = 2\npriority  0\nlabels    {\"by\":\"me\"}\ntargeted  1\napplied   1\ncreated   "));
    CHECK(shown.ends_with("content\n  {\n    \"deviceContent\": {\n      \"properties.desired.chiller\": {\n        \"temp\": 66\n      }\n    }\n  }\n"));

    CHECK(run(hub, {"config", "update", "chiller", "--priority", "7"}).out == "updated the configuration chiller\n");
    const std::string after = run(hub, {"config", "show", "chiller", "--json"}).out;
    CHECK(after.find(R"("priority":7)") != std::string::npos);
    CHECK(after.find(R"("labels":{"by":"me"})") != std::string::npos);
    CHECK(after.find(R"("targetCondition":"tags.floor = 2")") != std::string::npos);
    CHECK(after.find(R"("hot":"SELECT)") != std::string::npos);
    CHECK(run(hub, {"config", "update", "chiller", "--target", "", "--label", "by=you", "--json"}).out.find(R"("labels":{"by":"you"})") != std::string::npos);
    CHECK(hub.api("GET", "/twins/d1").body.find("chiller") == std::string::npos);
    CHECK(run(hub, {"config", "delete", "chiller"}).out == "deleted the configuration chiller; what it wrote into twins stays there\n");
    CHECK(run(hub, {"config", "show", "chiller"}).error == "nearhub: ConfigurationNotFound: there is no configuration chiller\n");
    CHECK(run(hub, {"config", "delete", "chiller"}).exit_code == 1);
  }

  TEST_CASE("config: a content comes as JSON, from a file or from standard input, wrapped or not") {
    TestHub hub;
    REQUIRE(hub.api("PUT", "/devices/e1", R"({"capabilities":{"iotEdge":true}})").status == 200);
    const TemporaryFolder folder;
    const std::string content = R"({"$edgeAgent":{"properties.desired":{"modules":{}}}})";
    for (const std::string& text : {content, R"({"modulesContent":)" + content + "}", R"({"id":"x","content":{"modulesContent":)" + content + "}}"}) {
      REQUIRE(broker::write_file(folder.file("deployment.json"), text, 0600).ok());
      CHECK(run(hub, {"config", "apply", "e1", folder.file("deployment.json")}).out == "applied the content to the modules of e1\n");
      CHECK(run(hub, {"config", "apply", "e1", text}).exit_code == 0);
      CHECK(run(hub, {"config", "apply", "e1", "-"}, text).exit_code == 0);
    }
    CHECK(run(hub, {"config", "create", "base", "--edge", folder.file("deployment.json"), "--target", "*"}).exit_code == 0);
    CHECK(run(hub, {"config", "list"}).out ==
          "CONFIGURATION  KIND  PRIORITY  TARGETED  APPLIED  TARGET\n"
          "base           edge  0         1         1        *\n");
    CHECK(run(hub, {"config", "create", "m", "--module", R"({"properties.desired.a":1})", "--target", "from devices.modules where tags.a = 1"}).exit_code == 0);
    CHECK(run(hub, {"config", "show", "m"}).out.find("kind      module") != std::string::npos);
  }

  TEST_CASE("config: what is wrong is said") {
    TestHub hub;
    hub.create("d1");
    const auto error = [&hub](Arguments arguments) {
      arguments.insert(arguments.begin(), "config");
      const Outcome outcome = run(hub, std::move(arguments));
      CHECK(outcome.exit_code != 0);
      return outcome.error;
    };
    CHECK(error({"create", "c"}) == "nearhub: a content is missing: give --device, --module or --edge\n");
    CHECK(error({"create", "c", "--device", "no-such-file.json"}).starts_with("nearhub: "));
    CHECK(error({"create", "c", "--device", "{"}).starts_with("nearhub: the content: "));
    CHECK(error({"create", "c", "--device", kChiller, "--label", "nothing"}) == "nearhub: --label \"nothing\": expected NAME=TEXT\n");
    CHECK(error({"create", "c", "--device", kChiller, "--target", "tags.a ="}).starts_with("nearhub: InvalidConfigurationTargetCondition: targetCondition: column 9: "));
    CHECK(error({"create", "C", "--device", kChiller}).starts_with("nearhub: ArgumentInvalid: the id of a configuration contains 'C' at position 1"));
    CHECK(error({"create", "c", "--device", kChiller, "--priority", "-1"}).starts_with("nearhub: --priority"));
    CHECK(error({"update", "c", "--priority", "1"}) == "nearhub: ConfigurationNotFound: there is no configuration c\n");
    CHECK(error({"apply", "d1", R"({"$edgeAgent":{}})"}) == "nearhub: InvalidOperation: Not an Azure IoT Edge device\n");
  }
}
