// Configurations over HTTPS (service-rest.md 5.10; traps 1 to 3, 10, 11 and 29).
#include "tests/service/samples.h"

namespace nearhub::test {
namespace {

HttpAnswer put(TestHub& hub, const std::string& id, std::string_view body, const HttpClient::Headers& headers = {}) {
  return hub.api("PUT", "/configurations/" + id, body, headers);
}

std::string twin(TestHub& hub, std::string_view id, std::string_view path) {
  return member(json_of(hub.api("GET", "/twins/" + std::string(id))), path);
}

void patch(TestHub& hub, std::string_view id, std::string_view body) {
  const HttpAnswer answer = hub.api("PATCH", "/twins/" + std::string(id), body);
  INFO(answer.body);
  REQUIRE(answer.status == 200);
}

std::string chiller(std::string_view condition, std::string_view more) {
  return R"({"content":{"deviceContent":{"properties.desired.chiller":{"temp":66,"mode":"auto"}}},"targetCondition":")" + std::string(condition) + '"' + std::string(more) + "}";
}
std::string chiller(std::string_view more = {}) { return chiller("tags.floor = 2", more); }

std::string metric(TestHub& hub, const std::string& id, std::string_view path) { return member(json_of(hub.api("GET", "/configurations/" + id)), path); }

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("configurations: created, read, listed and deleted, with the hub's own members and an etag in quotes") {
    TestHub hub;
    const HttpAnswer made = put(hub, "chiller-1", chiller(R"(,"priority":7,"labels":{"by":"me"},"schemaVersion":"2.0","etag":"*","metrics":{"queries":{"hot":"SELECT deviceId FROM devices WHERE tags.hot = true"}})"));
    CHECK(made.status == 200);
    const JsonDocument document = json_of(made);
    CHECK(made.header("ETag") == "\"MQ==\"");
    CHECK(member(document, "id") == "\"chiller-1\"");
    CHECK(member(document, "etag") == "\"MQ==\"");
    CHECK(member(document, "schemaVersion") == "\"2.0\"");
    CHECK(member(document, "labels") == R"({"by":"me"})");
    CHECK(member(document, "priority") == "7");
    CHECK(member(document, "targetCondition") == "\"tags.floor = 2\"");
    CHECK(member(document, "content") == R"({"deviceContent":{"properties.desired.chiller":{"temp":66,"mode":"auto"}}})");
    CHECK(member(document, "createdTimeUtc") == member(document, "lastUpdatedTimeUtc"));
    CHECK(member(document, "systemMetrics") ==
          R"({"results":{},"queries":{"targetedCount":"select deviceId from devices where tags.floor = 2","appliedCount":"select deviceId from devices where configurations.[[chiller-1]].status = 'Applied'"}})");
    CHECK(member(document, "metrics") == R"({"results":{},"queries":{"hot":"SELECT deviceId FROM devices WHERE tags.hot = true"}})");

    const JsonDocument least = json_of(put(hub, "a", R"({"content":{"deviceContent":{}}})"));
    for (const char* name : {"schemaVersion", "labels"}) CHECK(member(least, name) == "null");
    CHECK(member(least, "priority") == "0");
    CHECK(member(least, "targetCondition") == "\"\"");
    CHECK(member(least, "systemMetrics/queries/targetedCount") == "\"\"");
    for (const char* path : {"/configurations", "/configurations/", "/configurations?top=1"}) {
      const JsonDocument all = json_of(hub.api("GET", path));
      REQUIRE(all.Size() == 2);
      CHECK(member(all[0], "id") == "\"a\"");
      CHECK(member(all[1], "id") == "\"chiller-1\"");
    }
    CHECK(hub.api("DELETE", "/configurations/chiller-1").status == 204);
    CHECK(e1(hub.api("DELETE", "/configurations/chiller-1")) == "404 ConfigurationNotFound: chiller-1");
    CHECK(e1(hub.api("GET", "/configurations/chiller-1")) == "404 ConfigurationNotFound: chiller-1");
  }

  TEST_CASE("configurations: without If-Match it is a creation, with it an update, and an etag counts in quotes alone") {
    TestHub hub;
    CHECK(e1(put(hub, "a", chiller(), if_match("\"*\""))) == "404 ConfigurationNotFound: a");
    CHECK(e1(put(hub, "a", chiller(), if_match("\"MQ==\""))) == "404 ConfigurationNotFound: a");
    REQUIRE(put(hub, "a", chiller()).status == 200);
    CHECK(e1(put(hub, "a", chiller())) == "409 ConfigurationAlreadyExists: A configuration with ID 'a' already exists.");
    CHECK(e1(put(hub, "a", chiller(), if_match("MQ=="))) ==
          "409 ConfigurationAlreadyExists: A configuration with ID 'a' already exists. The etag in If-Match has no quotes around it, and counts only with them.");
    CHECK(e1(put(hub, "a", chiller(), if_match("\"Mg==\""))).starts_with("412 PreconditionFailed"));
    CHECK(put(hub, "a", chiller(R"(,"priority":2)"), if_match("\"MQ==\"")).header("ETag") == "\"Mg==\"");
    CHECK(put(hub, "a", chiller(), if_match("\"*\"")).header("ETag") == "\"Mw==\"");
    CHECK(put(hub, "a", chiller(), if_match("*")).header("ETag") == "\"NA==\"");
    CHECK(e1(hub.api("DELETE", "/configurations/a", {}, if_match("\"MQ==\""))).starts_with("412 PreconditionFailed"));
    CHECK(hub.api("DELETE", "/configurations/a", {}, if_match("\"NA==\"")).status == 204);
    REQUIRE(put(hub, "a", chiller()).status == 200);
    CHECK(hub.api("DELETE", "/configurations/a", {}, if_match("*")).status == 204);
  }

  TEST_CASE("configurations: an update keeps the content, whatever it says, and needs one all the same") {
    TestHub hub;
    REQUIRE(put(hub, "a", chiller()).status == 200);
    const HttpAnswer updated = put(hub, "a", R"({"content":{"moduleContent":{"properties.desired.b":1}},"priority":3})", if_match("*"));
    CHECK(updated.status == 200);
    const JsonDocument document = json_of(updated);
    CHECK(member(document, "content/deviceContent").find("chiller") != std::string::npos);
    CHECK(member(document, "content/moduleContent") == "absent");
    CHECK(member(document, "priority") == "3");
    CHECK(member(document, "targetCondition") == "\"\"");
    CHECK(e1(put(hub, "a", "{}", if_match("*"))).starts_with("400 InvalidConfigurationContent: The content provided for configuration is invalid. Please check and try again"));
    CHECK(e1(put(hub, "a", R"({"content":{"moduleContent":{}},"targetCondition":"FROM devices.modules WHERE a = 1"})", if_match("*")))
              .starts_with("400 InvalidConfigurationTargetCondition"));
  }

  TEST_CASE("configurations: applied when the answer comes, to what matches then and to what matches later") {
    TestHub hub;
    hub.create("d1");
    hub.create("d2");
    patch(hub, "d1", R"({"tags":{"floor":2},"properties":{"desired":{"own":1}}})");
    REQUIRE(put(hub, "a", chiller()).status == 200);
    CHECK(twin(hub, "d1", "properties/desired/chiller") == R"({"temp":66,"mode":"auto"})");
    CHECK(twin(hub, "d1", "properties/desired/own") == "1");
    CHECK(twin(hub, "d1", "configurations") == R"({"a":{"status":"Applied"}})");
    CHECK(twin(hub, "d2", "configurations") == "absent");
    // The answer to a change shows what came of it.
    const HttpAnswer tagged = hub.api("PATCH", "/twins/d2", R"({"tags":{"floor":2}})");
    CHECK(member(json_of(tagged), "properties/desired/chiller/temp") == "66");
    CHECK(tagged.header("ETag") == "\"" + string_member(json_of(hub.api("GET", "/twins/d2")), "etag") + "\"");
    const HttpAnswer found = hub.api("POST", "/devices/query", R"j({"query":"SELECT deviceId, configurations FROM devices WHERE configurations.[[a]].status = 'Applied'"})j");
    CHECK(found.body == R"([{"deviceId":"d1","configurations":{"a":{"status":"Applied"}}},{"deviceId":"d2","configurations":{"a":{"status":"Applied"}}}])");
    // A new device by bulk, with the tag.
    REQUIRE(hub.api("POST", "/devices", R"([{"id":"d3","tags":{"floor":2}}])").status == 200);
    CHECK(twin(hub, "d3", "properties/desired/chiller/mode") == "\"auto\"");

    CHECK(metric(hub, "a", "systemMetrics/results") == R"({"targetedCount":3,"appliedCount":3})");
    // What a service writes over it does not stay.
    patch(hub, "d1", R"({"properties":{"desired":{"chiller":{"temp":1,"fan":2}}}})");
    CHECK(twin(hub, "d1", "properties/desired/chiller") == R"({"temp":66,"mode":"auto","fan":2})");
    // Who leaves loses what the configuration has put there, and nothing else.
    patch(hub, "d1", R"({"tags":{"floor":3}})");
    CHECK(twin(hub, "d1", "properties/desired/chiller") == R"({"fan":2})");
    CHECK(twin(hub, "d1", "configurations") == "absent");
    REQUIRE(put(hub, "a", chiller("tags.floor = 3", ""), if_match("*")).status == 200);
    CHECK(twin(hub, "d1", "properties/desired/chiller/temp") == "66");
    CHECK(twin(hub, "d2", "properties/desired/chiller") == "absent");
    // A deletion leaves its values.
    CHECK(hub.api("DELETE", "/configurations/a").status == 204);
    CHECK(twin(hub, "d1", "properties/desired/chiller/temp") == "66");
    CHECK(twin(hub, "d1", "configurations") == "absent");
  }

  TEST_CASE("configurations: at each path the higher priority wins, then the newer") {
    TestHub hub;
    hub.create("d1");
    const auto body = [](int priority, std::string_view content) {
      return R"({"targetCondition":"*","priority":)" + std::to_string(priority) + R"(,"content":{"deviceContent":)" + std::string(content) + "}}";
    };
    REQUIRE(put(hub, "low", body(1, R"({"properties.desired.a":1,"properties.desired.b.x":1})")).status == 200);
    REQUIRE(put(hub, "high", body(5, R"({"properties.desired.a":5,"properties.desired.b.y":5})")).status == 200);
    CHECK(twin(hub, "d1", "properties/desired/a") == "5");
    CHECK(twin(hub, "d1", "properties/desired/b") == R"({"x":1,"y":5})");
    hub.advance(std::chrono::seconds(1));
    REQUIRE(put(hub, "newer", body(5, R"({"properties.desired.a":6})")).status == 200);
    CHECK(twin(hub, "d1", "properties/desired/a") == "6");
    REQUIRE(put(hub, "lowest", body(0, R"({"properties.desired.a":0})")).status == 200);
    CHECK(twin(hub, "d1", "configurations") == R"({"newer":{"status":"Applied"},"high":{"status":"Applied"},"low":{"status":"Applied"},"lowest":{"status":"Targeted"}})");
    CHECK(metric(hub, "lowest", "systemMetrics/results") == R"({"targetedCount":1,"appliedCount":0})");
    // The next takes over what is given up.
    REQUIRE(hub.api("DELETE", "/configurations/newer").status == 204);
    CHECK(twin(hub, "d1", "properties/desired/a") == "5");
    REQUIRE(put(hub, "high", R"({"content":{"deviceContent":{}},"targetCondition":""})", if_match("*")).status == 200);
    CHECK(twin(hub, "d1", "properties/desired/a") == "1");
    CHECK(twin(hub, "d1", "properties/desired/b") == R"({"x":1})");
  }

  TEST_CASE("configurations: modules are targeted by their own twins") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    hub.create("d1/m2");
    patch(hub, "d1/modules/m1", R"({"tags":{"kind":"sensor"}})");
    const HttpAnswer made = put(hub, "sensors", R"({"content":{"moduleContent":{"properties.desired.rate":5}},"targetCondition":"from devices.modules where tags.kind = 'sensor'"})");
    REQUIRE(made.status == 200);
    CHECK(member(json_of(made), "systemMetrics/queries") ==
          R"({"targetedCount":"select deviceId from devices.modules where tags.kind = 'sensor'","appliedCount":"select deviceId from devices.modules where configurations.[[sensors]].status = 'Applied'"})");
    CHECK(twin(hub, "d1/modules/m1", "properties/desired/rate") == "5");
    CHECK(twin(hub, "d1/modules/m1", "configurations") == R"({"sensors":{"status":"Applied"}})");
    CHECK(twin(hub, "d1/modules/m2", "properties/desired/rate") == "absent");
    CHECK(twin(hub, "d1", "configurations") == "absent");
    CHECK(metric(hub, "sensors", "systemMetrics/results") == R"({"targetedCount":1,"appliedCount":1})");
    CHECK(e1(put(hub, "x", R"({"content":{"moduleContent":{}},"targetCondition":"tags.a = 1"})")) ==
          "400 InvalidConfigurationTargetCondition: targetCondition: that of moduleContent begins with FROM devices.modules WHERE");
    CHECK(put(hub, "x", R"({"content":{"moduleContent":{}},"targetCondition":""})").status == 200);
  }

  TEST_CASE("configurations: a deployment is written into the modules of the edge devices that match") {
    TestHub hub;
    REQUIRE(hub.api("PUT", "/devices/e1", R"({"capabilities":{"iotEdge":true}})").status == 200);
    hub.create("e1/sensor");
    hub.create("leaf");
    patch(hub, "e1/modules/sensor", R"({"properties":{"desired":{"old":1}}})");
    const std::string base = R"({"content":{"modulesContent":{"$edgeAgent":{"properties.desired":{"modules":{"a":{"v":1}},"schemaVersion":"1.0"}},
      "$edgeHub":{"properties.desired":{"routes":{}}},"sensor":{"properties.desired":{"interval":5}},"missing":{"properties.desired":{"x":1}}}},"targetCondition":"*"})";
    const HttpAnswer made = put(hub, "base", base);
    REQUIRE(made.status == 200);
    CHECK(twin(hub, "e1/modules/$edgeAgent", "properties/desired/modules") == R"({"a":{"v":1}})");
    CHECK(twin(hub, "e1/modules/sensor", "properties/desired/interval") == "5");
    CHECK(twin(hub, "e1/modules/sensor", "properties/desired/old") == "absent");
    for (const char* id : {"e1", "e1/modules/$edgeAgent", "e1/modules/sensor"}) CHECK(twin(hub, id, "configurations") == R"({"base":{"status":"Applied"}})");
    CHECK(twin(hub, "leaf", "configurations") == "absent");
    CHECK(member(json_of(made), "systemMetrics/queries/targetedCount") == "\"select deviceId from devices where capabilities.iotEdge = true\"");
    CHECK(metric(hub, "base", "systemMetrics/results") == R"({"targetedCount":1,"appliedCount":1,"reportedSuccessfulCount":0,"reportedFailedCount":0})");

    // A layer on top, one below that nobody sees, and a base that takes its place.
    const auto layer = [](int priority) { return R"({"content":{"modulesContent":{"$edgeAgent":{"properties.desired.modules.b":{"v":2}}}},"targetCondition":"*","priority":)" + std::to_string(priority) + "}"; };
    REQUIRE(put(hub, "layer", layer(5)).status == 200);
    CHECK(twin(hub, "e1/modules/$edgeAgent", "properties/desired/modules") == R"({"a":{"v":1},"b":{"v":2}})");
    REQUIRE(put(hub, "base2", R"({"content":{"modulesContent":{"$edgeAgent":{"properties.desired":{"modules":{"c":{"v":3}}}}}},"targetCondition":"*","priority":3})").status == 200);
    CHECK(twin(hub, "e1/modules/$edgeAgent", "properties/desired/modules") == R"({"b":{"v":2},"c":{"v":3}})");
    CHECK(twin(hub, "e1", "configurations") == R"({"layer":{"status":"Applied"},"base2":{"status":"Applied"},"base":{"status":"Targeted"}})");
    CHECK(twin(hub, "e1/modules/sensor", "properties/desired/interval") == "absent");
    // A module that is made later gets its part at once.
    REQUIRE(hub.api("DELETE", "/configurations/base2").status == 204);
    hub.create("e1/missing");
    CHECK(twin(hub, "e1/modules/missing", "properties/desired/x") == "1");
    CHECK(twin(hub, "e1/modules/sensor", "properties/desired/interval") == "5");
  }

  TEST_CASE("configurations: content is applied to an edge device once") {
    TestHub hub;
    REQUIRE(hub.api("PUT", "/devices/e1", R"({"capabilities":{"iotEdge":true}})").status == 200);
    hub.create("d1");
    const auto apply = [&hub](const std::string& id, std::string_view body) { return hub.api("POST", "/devices/" + id + "/applyConfigurationContent", body); };
    const std::string content = R"({"modulesContent":{"$edgeAgent":{"properties.desired":{"modules":{}}},"$edgeHub":{"properties.desired.routes.up":"FROM /* INTO $upstream"},"other":{"properties.desired":{"a":1}}}})";
    const HttpAnswer applied = apply("e1", content);
    CHECK(applied.status == 204);
    CHECK(applied.body == "");
    CHECK(twin(hub, "e1/modules/$edgeAgent", "properties/desired/modules") == "{}");
    CHECK(twin(hub, "e1/modules/$edgeHub", "properties/desired/routes") == R"({"up":"FROM /* INTO $upstream"})");
    CHECK(twin(hub, "e1", "configurations") == "absent");
    const std::string version = twin(hub, "e1/modules/$edgeHub", "version");
    CHECK(apply("e1", content).status == 204);
    CHECK(twin(hub, "e1/modules/$edgeHub", "version") == version);
    CHECK(e1(apply("d1", content)) == "400 InvalidOperation: Not an Azure IoT Edge device");
    CHECK(newest_refusal(hub, "d1").find("Not an Azure IoT Edge device") != std::string::npos);
    CHECK(e1(apply("nobody", content)) == "404 DeviceNotFound: nobody");
    CHECK(e1(apply("e1", R"({"deviceContent":{"properties.desired.a":1}})")).starts_with("400 InvalidConfigurationContent"));
    CHECK(e1(apply("e1", "{}")).starts_with("400 InvalidConfigurationContent"));
    CHECK(e1(apply("e1", "{")).starts_with("400 InvalidConfigurationContent"));
  }

  TEST_CASE("configurations: queries are tested without being stored") {
    TestHub hub;
    const auto verdict = [&hub](std::string_view body) {
      const HttpAnswer answer = hub.api("POST", "/configurations/testQueries", body);
      CHECK(answer.status == 200);
      return answer.body;
    };
    CHECK(verdict(R"({"targetCondition":"tags.a = 1","customMetricQueries":{"m":"SELECT deviceId FROM devices"}})") == R"({"targetConditionError":null,"customMetricQueryErrors":{}})");
    CHECK(verdict(R"({"targetCondition":"from devices.modules where tags.a = 1"})") == R"({"targetConditionError":null,"customMetricQueryErrors":{}})");
    CHECK(verdict("{}") == R"({"targetConditionError":null,"customMetricQueryErrors":{}})");
    CHECK(verdict(R"({"targetCondition":"*"})") == R"({"targetConditionError":"* targets everything and is no query","customMetricQueryErrors":{}})");
    CHECK(verdict(R"({"targetCondition":"tags.a =","customMetricQueries":{"m":"SELECT","n":"SELECT * FROM devices.jobs"}})") ==
          R"({"targetConditionError":"targetCondition: column 9: the query ends here; expected a member, a constant, a function or (","customMetricQueryErrors":{"m":"column 7: the query ends here; expected a member like deviceId, tags.floor or properties.reported.state","n":"a metric counts twins, of devices or devices.modules"}})");
    CHECK(e1(hub.api("POST", "/configurations/testQueries", "[]")) == "400 ArgumentInvalid: the body is an array, expected an object");
  }

  TEST_CASE("configurations: a hundred and no more") {
    TestHub hub;
    for (int i = 0; i < 100; ++i) REQUIRE(put(hub, "c" + std::to_string(i), chiller()).status == 200);
    CHECK(e1(put(hub, "more", chiller())) == "413 ConfigurationCountLimitExceeded: Number of deployments exceed the maximum quota 100 for this IotHub.");
    CHECK(put(hub, "c7", chiller(), if_match("*")).status == 200);
    CHECK(hub.api("DELETE", "/configurations/c7").status == 204);
    CHECK(put(hub, "more", chiller()).status == 200);
    CHECK(json_of(hub.api("GET", "/configurations")).Size() == 100);
  }
}

}  // namespace nearhub::test
