// The queries that clients and tools really send (reference/service-rest.md 6.3), each with the rows that it must find, over HTTPS.
#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "tests/service/samples.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

// An edge device with a leaf and another edge device below it, and plain devices: one with twin data, one that is disabled, one connected.
class Fleet {
 public:
  Fleet() {
    create("e1", R"({"capabilities":{"iotEdge":true}})");
    scope_ = string_member(json_of(hub_.api("GET", "/devices/e1")), "deviceScope");
    create("e2", R"({"capabilities":{"iotEdge":true},"parentScopes":[")" + scope_ + "\"]}");
    create("l1", R"({"deviceScope":")" + scope_ + "\"}");
    create("p1", "{}");
    create("p2", "{}");
    create("p3", "{}");
    create("p1/modules/m1", R"({"managedBy":"me"})");
    set("p1", R"({"tags":{"site":{"building":"b1","floor":2},"fleet":"north"},"properties":{"desired":{"interval":30}}})");
    set("p2", R"({"tags":{"site":{"building":"b2","floor":-1},"fleet":"north"}})");
    set("e1", R"({"tags":{"fleet":"south"}})");
    set("e1/modules/$edgeAgent", R"({"properties":{"desired":{"schema":1.10}}})");
    report("p1", R"({"a":{"status":"pending"},"level":71.5,"on":true,"two-words":1})");
    report("p3", R"({"a":{"status":"done"},"level":12})");
    CHECK(hub_.api("PUT", "/devices/p2", R"({"status":"disabled","statusReason":"lost"})", if_match("*")).status == 200);
    connected_ = hub_.connect("p3");
  }

  TestHub& hub() { return hub_; }
  const std::string& scope() const { return scope_; }

  // GET /twins/... of these, as an array.
  std::string twins(std::initializer_list<std::string_view> ids) {
    std::string rows;
    for (const std::string_view id : ids) rows += (rows.empty() ? "" : ",") + hub_.api("GET", "/twins/" + std::string(id)).body;
    return "[" + rows + "]";
  }

  // What Azure IoT Explorer's list shows of these.
  std::string explorer_rows(std::initializer_list<std::string_view> ids) {
    std::string rows;
    for (const std::string_view id : ids) {
      const JsonDocument twin = json_of(hub_.api("GET", "/twins/" + std::string(id)));
      rows += (rows.empty() ? "" : ",") + (R"({"DeviceId":)" + member(twin, "deviceId")) + R"(,"Status":)" + member(twin, "status") + R"(,"LastActivityTime":)" +
              member(twin, "lastActivityTime") + R"(,"StatusUpdatedTime":)" + member(twin, "statusUpdateTime") + R"(,"AuthenticationType":)" + member(twin, "authenticationType") +
              R"(,"CloudToDeviceMessageCount":)" + member(twin, "cloudToDeviceMessageCount") + R"(,"ConnectionState":)" + member(twin, "connectionState") + R"(,"IotEdge":)" +
              member(twin, "capabilities/iotEdge") + R"(,"ModelId":)" + member(twin, "modelId") + "}";
    }
    return "[" + rows + "]";
  }

 private:
  void create(std::string_view path, std::string_view body) { REQUIRE(hub_.api("PUT", "/devices/" + std::string(path), body).status == 200); }
  void set(std::string_view path, std::string_view body) { REQUIRE(hub_.api("PATCH", "/twins/" + std::string(path), body).status == 200); }

  void report(std::string_view id, std::string_view properties) {
    auto device = hub_.connect(id);
    device->subscribe(1, {{"$iothub/twin/res/#", 0}});
    device->expect<mqtt::Suback>();
    mqtt::Publish patch;
    patch.topic = "$iothub/twin/PATCH/properties/reported/?$rid=1";
    patch.payload = properties;
    device->send(patch);
    REQUIRE(device->expect<mqtt::Publish>().topic.starts_with("$iothub/twin/res/204/"));
    device->send(mqtt::Disconnect{});
    device->expect_closed();
  }

  TestHub hub_;
  std::string scope_;
  std::unique_ptr<MqttClient> connected_;
};

struct Answer {
  std::string rows;
  std::string item_type;
};
Answer ask_for(Fleet& fleet, std::string_view query) {
  JsonWriter body;
  body.object().member("query", query).end_object();
  const HttpAnswer answer = fleet.hub().api("POST", "/devices/query", body.text());
  INFO(answer.body);
  CHECK(answer.status == 200);
  CHECK_FALSE(answer.has_header("x-ms-continuation"));
  return {answer.body, answer.header("x-ms-item-type")};
}

struct Row {
  std::string query;
  std::string rows;
};
void check(Fleet& fleet, std::string_view item_type, const std::vector<Row>& table) {
  for (const Row& row : table) {
    CAPTURE(row.query);
    const Answer answer = ask_for(fleet, row.query);
    CHECK(answer.rows == row.rows);
    CHECK(answer.item_type == item_type);
  }
}

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("query table: a row of SELECT * is what GET gives, byte for byte, of every kind of device and module") {
    Fleet fleet;
    CHECK(ask_for(fleet, "SELECT * FROM devices").rows == fleet.twins({"e1", "e2", "l1", "p1", "p2", "p3"}));
    CHECK(ask_for(fleet, "SELECT * FROM devices.modules").rows ==
          fleet.twins({"e1/modules/$edgeAgent", "e1/modules/$edgeHub", "e2/modules/$edgeAgent", "e2/modules/$edgeHub", "p1/modules/m1"}));
    // What there is to differ in.
    const std::string leaf = fleet.twins({"l1"}), below = fleet.twins({"e2"});
    CHECK(leaf.find(R"("deviceScope":")" + fleet.scope() + R"(","parentScopes":[")" + fleet.scope() + "\"]") != std::string::npos);
    CHECK(below.find(R"("capabilities":{"iotEdge":true},"deviceScope":"ms-azure-iot-edge://e2-)") != std::string::npos);
    CHECK(fleet.twins({"e1/modules/$edgeAgent"}).find(R"("schema":1.10)") != std::string::npos);
  }

  TEST_CASE("query table: whole twins as Explorer, VS Code, the command line and the SDKs' samples ask for them") {
    Fleet fleet;
    const std::string all = fleet.twins({"e1", "e2", "l1", "p1", "p2", "p3"}), edge = fleet.twins({"e1", "e2"});
    check(fleet, "Twin",
          {
              {"SELECT * FROM devices.modules WHERE deviceId in ['p1']", fleet.twins({"p1/modules/m1"})},
              {"SELECT * FROM devices.modules WHERE deviceId in ['p2']", "[]"},
              {"SELECT * FROM DEVICES where capabilities.iotEdge=true", edge},
              {"select * from devices", all},
              {"select * from devices where capabilities.iotEdge = true", edge},
              {"select * from devices where capabilities.iotEdge = false", fleet.twins({"l1", "p1", "p2", "p3"})},
              {"select * from devices.modules where devices.deviceId = 'e1'", fleet.twins({"e1/modules/$edgeAgent", "e1/modules/$edgeHub"})},
              {"SELECT * FROM devices WHERE STARTSWITH(id, 'p')", fleet.twins({"p1", "p2", "p3"})},
              {"SELECT * FROM devices WHERE id = 'l1'", fleet.twins({"l1"})},
              {"select * from devices where deviceId = 'p2'", fleet.twins({"p2"})},
              {"SELECT * FROM devices WHERE deviceId IN ['p3', 'l1', 'nobody']", fleet.twins({"l1", "p3"})},
              {"SELECT * FROM devices WHERE devices.tags.fleet = \"north\"", fleet.twins({"p1", "p2"})},
              {"\n\t  SELECT *\r\n  FROM devices\n  WHERE status = 'disabled'\n", fleet.twins({"p2"})},
          });
  }

  TEST_CASE("query table: Explorer's list, with the indentation that it sends") {
    Fleet fleet;
    const std::string list =
        "\n    SELECT deviceId as DeviceId,\n    status as Status,\n    lastActivityTime as LastActivityTime,\n    statusUpdatedTime as StatusUpdatedTime,\n"
        "    authenticationType as AuthenticationType,\n    cloudToDeviceMessageCount as CloudToDeviceMessageCount,\n    connectionState as ConnectionState,\n"
        "    capabilities.iotEdge as IotEdge,\n    modelId as ModelId\n    FROM devices\n  ";
    check(fleet, "Raw",
          {
              {list, fleet.explorer_rows({"e1", "e2", "l1", "p1", "p2", "p3"})},
              {list + " WHERE STARTSWITH(devices.deviceId, 'p')", fleet.explorer_rows({"p1", "p2", "p3"})},
              {list + " WHERE (capabilities.iotEdge=true AND status='enabled')", fleet.explorer_rows({"e1", "e2"})},
              {list + " WHERE (connectionState='Connected')", fleet.explorer_rows({"p3"})},
          });
  }

  TEST_CASE("query table: columns, scopes, counts and groups") {
    Fleet fleet;
    const std::string all = R"([{"deviceId":"e1"},{"deviceId":"e2"},{"deviceId":"l1"},{"deviceId":"p1"},{"deviceId":"p2"},{"deviceId":"p3"}])";
    const std::string own = string_member(json_of(fleet.hub().api("GET", "/devices/e2")), "deviceScope");
    check(fleet, "Raw",
          {
              {"SELECT deviceId FROM devices", all},
              {"SELECT DeviceId FROM Devices", all},
              {"SELECT devices.deviceId FROM devices", all},
              {"select deviceId from devices where array_contains(parentScopes, '" + fleet.scope() + "')", R"([{"deviceId":"e2"},{"deviceId":"l1"}])"},
              {"select deviceId from devices where array_contains(parentScopes, 'ms-azure-iot-edge://nobody-1')", "[]"},
              {"SELECT deviceId, deviceScope FROM devices WHERE deviceId IN ['e1', 'e2', 'l1', 'p1']",
               R"([{"deviceId":"e1","deviceScope":")" + fleet.scope() + R"("},{"deviceId":"e2","deviceScope":")" + own + R"("},{"deviceId":"l1","deviceScope":")" + fleet.scope() +
                   R"("},{"deviceId":"p1"}])"},
              {"select count() AS numberOfDevices from devices", R"([{"numberOfDevices":6}])"},
              {"SELECT COUNT(*) AS n FROM devices.modules WHERE moduleId = '$edgeAgent'", R"([{"n":2}])"},
              {"SELECT status, COUNT() AS numberOfDevices FROM devices GROUP BY status", R"([{"status":"disabled","numberOfDevices":1},{"status":"enabled","numberOfDevices":5}])"},
              {"select tags.fleet, count() as n from devices where is_defined(tags.fleet) group by tags.fleet", R"([{"fleet":"north","n":2},{"fleet":"south","n":1}])"},
              {"SELECT AVG(properties.reported.level) AS a, MIN(properties.reported.level) AS b, MAX(properties.reported.level) AS c FROM devices", R"([{"a":41.75,"b":12,"c":71.5}])"},
          });
  }

  TEST_CASE("query table: conditions on tags and properties, and names in brackets") {
    Fleet fleet;
    const std::string p1 = R"([{"deviceId":"p1"}])", p3 = R"([{"deviceId":"p3"}])";
    const std::string select = "SELECT deviceId FROM devices WHERE ";
    check(fleet, "Raw",
          {
              {select + "properties.reported.a.status='pending'", p1},
              {select + "devices.properties.reported.a.status != 'pending'", p3},
              {select + "tags.site.building = 'b1' AND tags.site.floor >= 2", p1},
              {select + "tags.[[site]].[[floor]] < 0", R"([{"deviceId":"p2"}])"},

              {select + "properties.reported.[[two-words]] = 1", p1},
              {select + "properties.reported.level >= 71.5 OR properties.reported.level = 12", R"([{"deviceId":"p1"},{"deviceId":"p3"}])"},
              {select + "tags.site.floor NIN [2, 3]", R"([{"deviceId":"p2"}])"},
              {select + "is_defined(properties.reported.a) AND NOT IS_DEFINED(tags.site)", p3},
              {select + "properties.reported.on", p1},
              {select + "properties.reported.on = true", p1},
              {select + "properties.desired.$version > 1", p1},
              {select + "properties.reported.$version = 2 AND properties.desired.$version = 1", p3},
              {"SELECT deviceId, properties.desired.$version AS v FROM devices.modules WHERE moduleId = '$edgeAgent' AND properties.desired.$version > 1", R"([{"deviceId":"e1","v":2}])"},
              {"select deviceId from devices.modules where moduleId = '$edgeAgent' and properties.desired.$version = properties.reported.lastDesiredVersion", "[]"},
              {select + "ENDSWITH(deviceId, '1') AND capabilities.iotEdge = false", R"([{"deviceId":"l1"},{"deviceId":"p1"}])"},
          });
  }
}
