#include <string>

#include "tests/twin/query_rows.h"

using namespace nearhub;
using namespace nearhub::twin::query;
using namespace nearhub::twin::query::test;

namespace {

std::string all_of(Source source) {
  std::string rows;
  for (const std::string& row : rows_of(source)) rows += (rows.empty() ? "" : ",") + row;
  return "[" + rows + "]";
}

}  // namespace

TEST_SUITE("twin") {
  TEST_CASE("query rows: SELECT * gives whole documents as they are") {
    CHECK(answer("SELECT * FROM devices") == all_of(Source::kDevices));
    CHECK(answer("select * from DEVICES") == all_of(Source::kDevices));
    CHECK(answer("SELECT * FROM devices.modules") == all_of(Source::kModules));
    CHECK(answer("SELECT * FROM Devices.Modules") == all_of(Source::kModules));
    CHECK(answer("SELECT * FROM devices.jobs") == all_of(Source::kJobs));
    CHECK(answer("\n   SELECT\t*\r\nFROM\n\ndevices\n") == all_of(Source::kDevices));
    CHECK(answer("SELECT * FROM devices WHERE deviceId = 'd3'") == "[" + rows_of(Source::kDevices)[2] + "]");
    CHECK(answer("SELECT TOP 1 * FROM devices.modules") == "[" + rows_of(Source::kModules)[0] + "]");
  }

  TEST_CASE("query rows: columns keep the spelling of values and the documents' spelling of names, and what is undefined is left out") {
    check_answers({
        {"SELECT deviceId FROM devices", R"([{"deviceId":"d1"},{"deviceId":"d2"},{"deviceId":"d3"},{"deviceId":"d4"},{"deviceId":"e5"}])"},
        {"SELECT DEVICEID FROM devices WHERE deviceId = 'd1'", R"([{"deviceId":"d1"}])"},
        {"SELECT id FROM devices WHERE id = 'd1'", R"([{"deviceId":"d1"}])"},
        {"SELECT deviceId AS DeviceId, status as Status FROM devices WHERE deviceId = 'd2'", R"([{"DeviceId":"d2","Status":"disabled"}])"},
        {"SELECT tags.floor, tags.room FROM devices", R"([{"floor":1,"room":"kitchen"},{"floor":2,"room":"Kitchen"},{},{"floor":"2","room":"café"},{"floor":10,"room":"attic"}])"},
        {"SELECT properties.reported.temperature AS t FROM devices WHERE deviceId = 'd1'", R"([{"t":21.50}])"},
        {"SELECT tags.small, tags.big FROM devices WHERE deviceId = 'd4'", R"([{"small":-1.5e3,"big":4503599627370495}])"},
        {"SELECT tags.place FROM devices WHERE deviceId = 'd1'", R"([{"place":{"city":"Bern","at":[46.95,7.45]}}])"},
        {"SELECT tags.labels, tags.nothing FROM devices WHERE deviceId = 'd2'", R"([{"labels":[],"nothing":null}])"},
        {"SELECT tags.labels[0] AS first, tags.place.at[1] AS second FROM devices WHERE deviceId = 'd1'", R"([{"first":"a","second":7.45}])"},
        {"SELECT Properties.Desired.$version FROM devices WHERE deviceId = 'd1'", R"([{"$version":2}])"},
        {"SELECT properties.desired.$metadata.interval.$lastUpdatedVersion FROM devices WHERE deviceId = 'd1'", R"([{"$lastUpdatedVersion":2}])"},
        {"SELECT capabilities.iotedge FROM devices WHERE deviceId = 'd2'", R"([{"iotEdge":true}])"},
        {"SELECT tags.[[odd name]] FROM devices WHERE deviceId = 'd1'", R"([{"odd name":"x"}])"},
        {"SELECT tags['odd name'] AS [[another odd name]] FROM devices WHERE deviceId = 'd1'", R"([{"another odd name":"x"}])"},
        {"SELECT tags.quote FROM devices WHERE deviceId = 'd4'", R"([{"quote":"it's \"so\""}])"},
        {"SELECT devices.deviceId FROM devices WHERE devices.deviceId = 'd1'", R"([{"deviceId":"d1"}])"},
        {"SELECT missing, tags.missing FROM devices WHERE deviceId = 'd1'", "at 16: two columns have the name missing; give one another by AS"},
        {"SELECT missing FROM devices WHERE deviceId = 'd1'", "[{}]"},
        {"SELECT status AS from FROM devices WHERE deviceId = 'd1'", R"([{"from":"enabled"}])"},
        {"SELECT moduleId, deviceId FROM devices.modules", R"([{"moduleId":"camera","deviceId":"d1"},{"moduleId":"radio","deviceId":"d1"},{"moduleId":"camera","deviceId":"d2"}])"},
    });
  }

  TEST_CASE("query rows: TOP takes the first") {
    check_answers({
        {"SELECT TOP 2 deviceId FROM devices", R"([{"deviceId":"d1"},{"deviceId":"d2"}])"},
        {"SELECT TOP 0 deviceId FROM devices", "[]"},
        {"SELECT TOP 99 deviceId FROM devices WHERE tags.floor > 1", R"([{"deviceId":"d2"},{"deviceId":"e5"}])"},
        {"select top 1 deviceId from devices where status = 'disabled'", R"([{"deviceId":"d2"}])"},
        {"SELECT TOP 1 status, COUNT() AS n FROM devices GROUP BY status", R"([{"status":"disabled","n":1}])"},
    });
  }

  TEST_CASE("query rows: modules have the members of their twins, and name their source or not") {
    check_answers({
        {"select deviceId from devices.modules where devices.deviceId = 'd2'", R"([{"deviceId":"d2"}])"},
        {"SELECT deviceId FROM devices.modules WHERE devices.modules.deviceId = 'd2'", R"([{"deviceId":"d2"}])"},
        {"SELECT moduleId FROM devices.modules WHERE deviceId in ['d1']", R"([{"moduleId":"camera"},{"moduleId":"radio"}])"},
        {"SELECT deviceId FROM devices.modules WHERE moduleId = 'camera' AND tags.lens = 'wide'", R"([{"deviceId":"d1"}])"},
        {"SELECT deviceId FROM devices.modules WHERE tags.floor = 1", "[]"},
        {"SELECT moduleId FROM devices.modules WHERE properties.desired.$version = properties.reported.lastDesiredVersion and properties.reported.lastDesiredStatus.code = 200", R"([{"moduleId":"radio"}])"},
        {"SELECT deviceId FROM devices.modules WHERE properties.reported.lastDesiredStatus.code != 200", R"([{"deviceId":"d2"}])"},
    });
  }

  TEST_CASE("query rows: jobs are selected whole") {
    const auto& jobs = rows_of(Source::kJobs);
    CHECK(answer("SELECT * FROM devices.jobs WHERE devices.jobs.deviceId = 'd1' AND devices.jobs.status = 'completed'") == "[" + jobs[0] + "]");
    CHECK(answer("SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'j1'") == "[" + jobs[0] + "," + jobs[1] + "]");
    CHECK(answer("SELECT * FROM devices.jobs WHERE devices.status = 'running'") == "[" + jobs[2] + "]");
    CHECK(answer("SELECT * FROM devices.jobs WHERE JobType = 'scheduleDeviceMethod'") == "[" + jobs[2] + "]");
    CHECK(answer("SELECT * FROM devices.jobs WHERE is_defined(error) AND error.code = '404103'") == "[" + jobs[1] + "]");
    CHECK(answer("SELECT TOP 1 * FROM devices.jobs WHERE startTimeUtc > '2026-01-01T00:00:00Z'") == "[" + jobs[1] + "]");
    // As the documentation writes it.
    CHECK(answer("SELECT * FROM devices.jobs\n WHERE devices.jobs.deviceId = 'd1'\n AND devices.jobs.jobType = 'scheduleUpdateTwin'\n"
                 " AND devices.jobs.status = 'completed'\n AND devices.jobs.createdTimeUtc > '2016-09-01'") == "[" + jobs[0] + "]");
    CHECK(answer("SELECT * FROM devices.jobs WHERE jobId = 'none'") == "[]");
  }

  TEST_CASE("query rows: aggregates over all rows give one, for no rows, too") {
    check_answers({
        {"SELECT COUNT() AS numberOfDevices FROM devices", R"([{"numberOfDevices":5}])"},
        {"select count() as n from devices where status = 'enabled'", R"([{"n":4}])"},
        {"SELECT COUNT(*) AS n FROM devices.modules", R"([{"n":3}])"},
        {"SELECT COUNT(1) AS n FROM devices", R"([{"n":5}])"},
        {"SELECT COUNT(tags.floor) AS n FROM devices", R"([{"n":4}])"},
        {"SELECT COUNT(tags.nothing) AS n FROM devices", R"([{"n":1}])"},
        {"SELECT COUNT() FROM devices", R"([{"$1":5}])"},
        {"SELECT COUNT(), SUM(tags.floor) AS s, MIN(tags.floor) FROM devices", R"([{"$1":5,"s":13,"$2":1}])"},
        {"SELECT SUM(properties.reported.temperature) AS s, AVG(properties.reported.temperature) AS a FROM devices", R"([{"s":36.5,"a":12.166666666666666}])"},
        {"SELECT AVG(properties.desired.interval) AS a FROM devices", R"([{"a":20}])"},
        {"SELECT MIN(properties.reported.temperature) AS lo, MAX(properties.reported.temperature) AS hi FROM devices", R"([{"lo":-4,"hi":21.50}])"},
        {"SELECT MIN(lastActivityTime) AS first, MAX(lastActivityTime) AS last FROM devices", R"([{"first":"0001-01-01T00:00:00Z","last":"2026-01-03T00:00:00.0000000Z"}])"},
        {"SELECT MIN(tags.floor) AS lo, MAX(tags.floor) AS hi FROM devices", R"([{"lo":1,"hi":"2"}])"},
        {"SELECT COUNT() AS n, SUM(tags.floor) AS s, AVG(tags.floor) AS a, MIN(tags.floor) AS lo, MAX(tags.floor) AS hi FROM devices WHERE deviceId = 'none'", R"([{"n":0}])"},
        {"SELECT SUM(tags.room) AS s, MAX(tags.place) AS m, COUNT() AS n FROM devices", R"([{"n":5}])"},
    });
  }

  TEST_CASE("query rows: groups come in the order of their keys, and rows without the member are a group") {
    check_answers({
        {"SELECT status, COUNT() AS numberOfDevices FROM devices GROUP BY status", R"([{"status":"disabled","numberOfDevices":1},{"status":"enabled","numberOfDevices":4}])"},
        {"SELECT COUNT() AS n, tags.floor AS f FROM devices GROUP BY tags.floor", R"([{"n":1},{"n":1,"f":1},{"n":1,"f":2},{"n":1,"f":10},{"n":1,"f":"2"}])"},
        {"SELECT COUNT() AS n FROM devices GROUP BY capabilities.iotEdge", R"([{"n":4},{"n":1}])"},
        {"SELECT properties.desired.interval, AVG(properties.reported.battery) AS b FROM devices WHERE is_defined(properties.desired.interval) GROUP BY properties.desired.interval",
         R"([{"interval":10,"b":80},{"interval":20,"b":15},{"interval":30,"b":100}])"},
        {"SELECT status, connectionState, COUNT() AS n FROM devices GROUP BY status, connectionState",
         R"([{"status":"disabled","connectionState":"Disconnected","n":1},{"status":"enabled","connectionState":"Connected","n":2},{"status":"enabled","connectionState":"Disconnected","n":2}])"},
        {"SELECT Status FROM devices GROUP BY status", R"([{"status":"disabled"},{"status":"enabled"}])"},
        {"SELECT properties.desired.mode AS m, COUNT() AS n FROM devices GROUP BY properties.desired.mode", R"([{"n":3},{"m":null,"n":1},{"m":"auto","n":1}])"},
        {"SELECT status, COUNT() AS n FROM devices WHERE deviceId = 'none' GROUP BY status", "[]"},
        {"SELECT COUNT() AS n FROM devices GROUP BY tags.place.city", R"([{"n":3},{"n":1},{"n":1}])"},
    });
  }

  TEST_CASE("query rows: what tools ask for") {
    // Azure IoT Explorer's device list: it asks for the identity's name of a time that the twin calls statusUpdateTime.
    CHECK(answer(R"(
        SELECT deviceId as DeviceId,
        status as Status,
        lastActivityTime as LastActivityTime,
        statusUpdatedTime as StatusUpdatedTime,
        authenticationType as AuthenticationType,
        cloudToDeviceMessageCount as CloudToDeviceMessageCount,
        connectionState as ConnectionState,
        capabilities.iotEdge as IotEdge, modelId as ModelId
        FROM devices WHERE STARTSWITH(devices.deviceId, 'd2'))") ==
          R"([{"DeviceId":"d2","Status":"disabled","LastActivityTime":"2026-01-01T00:00:00.0000000Z","AuthenticationType":"selfSigned","CloudToDeviceMessageCount":0,"ConnectionState":"Disconnected","IotEdge":true,"ModelId":""}])");
    check_answers({
        {"SELECT deviceId FROM DEVICES where capabilities.iotEdge=true", R"([{"deviceId":"d2"}])"},
        {"select deviceId from devices where array_contains(parentScopes, 'ms-azure-iot-edge://x-1')", "[]"},
        {"SELECT deviceId, deviceScope FROM devices WHERE deviceId = 'd1'", R"([{"deviceId":"d1"}])"},
        {"SELECT deviceId FROM devices WHERE properties.reported.firmware.state='pending'", R"([{"deviceId":"e5"}])"},
        {"select deviceId from devices.modules where moduleId = '$edgeAgent' and configurations.[[dep]].status != 'Applied'", "[]"},
    });
  }
}
