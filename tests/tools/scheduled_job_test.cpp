// `nearhub job twin`, `job method`, `job results`, and what `job list`, `show` and `cancel` do with scheduled jobs.
#include "tools/scheduled_job.h"

#include <doctest/doctest.h>

#include "tests/tools/command_runner.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("job twin: updates the devices of a condition, or all, and tells how many") {
    TestHub hub;
    for (const char* id : {"d1", "d2", "d3"}) hub.create(id);
    const Outcome all = run(hub, {"job", "twin", "--all", "--id", "j1", "--tags", R"({"floor":1})", "--desired", R"({"interval":30})"});
    CHECK(all.exit_code == 0);
    CHECK(all.out == "job j1 completed: 3 devices, 3 succeeded, 0 failed\n");
    const Outcome some = run(hub, {"job", "twin", R"({"tags":{"floor":2}})", "--where", "deviceId IN ['d1', 'd2']", "--id", "j2", "--max-time", "5m"});
    CHECK(some.out == "job j2 completed: 2 devices, 2 succeeded, 0 failed\n");
    CHECK(run(hub, {"job", "twin", R"({"tags":{"room":1}})", "--where", "deviceId = 'd3'", "--id", "j3"}).out == "job j3 completed: 1 device, 1 succeeded, 0 failed\n");
    CHECK(run(hub, {"query", "--json", "SELECT deviceId FROM devices WHERE tags.floor = 2 AND properties.desired.interval = 30"}).out == "{\"deviceId\":\"d1\"}\n{\"deviceId\":\"d2\"}\n");
    const Outcome shown = run(hub, {"job", "show", "j2"});
    CHECK(shown.out.starts_with("job        j2\ntype       scheduleUpdateTwin\nstatus     completed\ncondition  deviceId IN ['d1', 'd2']\nupdate     {\"tags\":{\"floor\":2}}\ncreated    "));
    CHECK(contains(shown.out, "max time   5 min 0 s\ndevices    2\nsucceeded  2\n"));
    const Outcome json = run(hub, {"job", "twin", "--all", "--tags", "{}", "--json"});
    CHECK(contains(json.out, R"("status":"completed")"));
    const Outcome results = run(hub, {"job", "results", "j2"});
    CHECK(results.out.starts_with("DEVICE  STATUS     ENDED"));
    CHECK(contains(results.out, "\nd2      completed  20"));
    CHECK(run(hub, {"job", "results", "j2", "--failed"}).error == "nearhub: no device failed\n");
  }

  TEST_CASE("job method: answers are results, and a device that could not be called fails the command") {
    TestHub hub;
    hub.create("d1");
    hub.create("d2");
    auto device = hub.connect("d1");
    device->subscribe(1, {{"$iothub/methods/POST/#", 0}});
    device->expect<mqtt::Suback>();
    Running job(hub, {"job", "method", "reboot", R"({"delay":5})", "--all", "--id", "boot", "--timeout", "60"});
    const auto call = device->expect<mqtt::Publish>();
    CHECK(call.payload == R"({"delay":5})");
    device->send(mqtt::Publish{.topic = "$iothub/methods/res/200/?$rid=1", .payload = R"({"ok":true})"});
    const Outcome outcome = job.finish();
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.out == "job boot completed: 2 devices, 1 succeeded, 1 failed\nDEVICE  FAILED BECAUSE\nd2      DeviceNotOnline: d2 is not connected\n");
    CHECK(contains(outcome.error, "1 of 2 devices failed; `nearhub job results boot --failed` shows all of them"));
    const Outcome results = run(hub, {"job", "results", "boot"});
    CHECK(contains(results.out, R"(  200 {"ok":true})"));
    const Outcome json = run(hub, {"job", "results", "boot", "--failed", "--json"});
    CHECK(json.out.starts_with(R"({"deviceId":"d2","jobId":"boot",)"));
    CHECK(contains(run(hub, {"job", "show", "boot"}).out, "method     reboot\npayload    {\"delay\":5}\n"));
  }

  TEST_CASE("job: one for later is left alone, listed, and cancelled") {
    TestHub hub;
    const Outcome later = run(hub, {"job", "twin", "--all", "--id", "later", "--tags", R"({"a":1})", "--start", "2h"});
    CHECK(later.exit_code == 0);
    CHECK(later.out == "later\n");
    CHECK(contains(later.error, "job later begins at 20"));
    CHECK(run(hub, {"job", "export", "file:///x"}).exit_code == 0);
    const Outcome list = run(hub, {"job", "list"});
    CHECK(contains(list.out, "later                                 scheduleUpdateTwin  scheduled"));
    CHECK(contains(list.out, "  export              completed  100 %"));
    CHECK(run(hub, {"job", "list", "--json"}).out.starts_with(R"([{"jobId":"later",)"));
    CHECK(contains(run(hub, {"job", "show", "later"}).out, "status     scheduled\n"));
    CHECK(run(hub, {"job", "cancel", "later"}).out == "cancelled job later\n");
    CHECK(contains(run(hub, {"job", "cancel", "later"}).error, "job later is cancelled"));
    CHECK(contains(run(hub, {"job", "show", "nobody"}).error, "JobNotFound"));
    CHECK(contains(run(hub, {"job", "results", "nobody"}).error, "there is no scheduled job nobody"));
    const Outcome made = run(hub, {"job", "twin", "--where", "deviceId = 'x'", "--tags", R"({"a":1})", "--no-wait"});
    CHECK(made.out.size() == 37);  // a made id
  }

  TEST_CASE("job: what cannot be meant is said before or by the hub") {
    TestHub hub;
    hub.create("d1");
    CHECK(contains(run(hub, {"job", "twin", "--tags", R"({"a":1})"}).error, "which devices: give --where CONDITION, or --all"));
    for (const Arguments& wrong : {Arguments{"job", "twin", "--all"}, {"job", "twin", "--all", "--tags", "{"}, {"job", "twin", "--all", "--where", "*", "--tags", "{}"},
                                   {"job", "twin", "--all", "--tags", "{}", "--start", "soon"}, {"job", "twin", "--all", "--tags", "{}", "--max-time", "0"},
                                   {"job", "method", "m", "{", "--all"}, {"job", "method", "--all"}, {"job", "method", "m", "--all", "--timeout", "1"}}) {
      CHECK(run(hub, wrong).exit_code == 2);
    }
    const Outcome condition = run(hub, {"job", "twin", "--where", "tags.floor LIKE 2", "--tags", R"({"a":1})"});
    CHECK(condition.exit_code == 1);
    CHECK(contains(condition.error, "the job failed: queryCondition: column 12: "));
    CHECK(contains(run(hub, {"job", "twin", "--all", "--tags", R"({"a":1})", "--id", "a_b"}).error, "the job's id contains '_'"));
  }

  TEST_CASE("job list: a login that may not see import and export jobs sees the others") {
    TestHub hub;
    const std::string login = run(hub, {"policy", "connection-string", "service"}).out;
    const Outcome list = run({"job", "list", "--login", login.substr(0, login.size() - 1), "--ca", hub.server().ca_file()});
    CHECK(list.exit_code == 0);
    CHECK(contains(list.error, "import and export jobs are left out"));
  }
}
