// IoT Edge devices, their modules and scopes (service-rest.md 4.5; traps 25 and 26).
#include "tests/service/samples.h"

namespace nearhub::test {
namespace {

std::string put(TestHub& hub, std::string_view id, std::string body, const HttpClient::Headers& headers = {}) {
  const HttpAnswer answer = hub.api("PUT", "/devices/" + std::string(id), body, headers);
  return answer.status == 200 ? "200" : e1(answer);
}

std::string device(TestHub& hub, std::string_view id, std::string_view path) {
  return member(json_of(hub.api("GET", "/devices/" + std::string(id))), path);
}

std::string twin(TestHub& hub, std::string_view id, std::string_view path) {
  return member(json_of(hub.api("GET", "/twins/" + std::string(id))), path);
}

constexpr std::string_view kEdge = R"("capabilities":{"iotEdge":true})";

std::string edge(std::string_view more = {}) { return "{" + std::string(kEdge) + std::string(more) + "}"; }

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

// The scope of an edge device, with its quotes.
std::string scope_of(TestHub& hub, std::string_view id) { return device(hub, id, "deviceScope"); }

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("edge: a new edge device has a scope of its id and generation, whatever was asked for") {
    TestHub hub;
    CHECK(put(hub, "e1", edge(R"(,"deviceScope":"ms-azure-iot-edge://e1-1")")) == "200");
    const std::string generation = device(hub, "e1", "generationId");
    CHECK(scope_of(hub, "e1") == "\"ms-azure-iot-edge://e1-" + generation.substr(1));
    CHECK(device(hub, "e1", "capabilities") == R"({"iotEdge":true})");
    CHECK(device(hub, "e1", "parentScopes") == "[]");
    CHECK(twin(hub, "e1", "capabilities") == R"({"iotEdge":true})");
    CHECK(twin(hub, "e1", "deviceScope") == scope_of(hub, "e1"));
    CHECK(twin(hub, "e1", "parentScopes") == "absent");
  }

  TEST_CASE("edge: a leaf without a parent shows it") {
    TestHub hub;
    hub.create("d1");
    CHECK(device(hub, "d1", "deviceScope") == "null");
    CHECK(device(hub, "d1", "parentScopes") == "[]");
    CHECK(twin(hub, "d1", "deviceScope") == "absent");
  }

  TEST_CASE("edge: $edgeAgent and $edgeHub come and go with the device, and belong to the hub") {
    TestHub hub;
    CHECK(put(hub, "e1", edge()) == "200");
    const JsonDocument modules = json_of(hub.api("GET", "/devices/e1/modules"));
    REQUIRE(modules.Size() == 2);
    for (const rapidjson::SizeType i : {0u, 1u}) {
      CHECK(member(modules[i], "moduleId") == (i == 0 ? "\"$edgeAgent\"" : "\"$edgeHub\""));
      CHECK(member(modules[i], "managedBy") == "\"iotEdge\"");
      CHECK(member(modules[i], "authentication/type") == "\"none\"");
      CHECK(member(modules[i], "authentication/symmetricKey/primaryKey") == "null");
    }
    CHECK(hub.api("GET", "/twins/e1/modules/$edgeAgent").status == 200);
    CHECK(hub.api("PATCH", "/twins/e1/modules/%24edgeAgent", R"({"properties":{"desired":{"a":1}}})").status == 200);
    CHECK(e1(hub.api("PUT", "/devices/e1/modules/$edgeAgent", "{}", if_match("*"))).starts_with("401 SystemModuleModifyUnauthorizedAccess"));
    CHECK(e1(hub.api("DELETE", "/devices/e1/modules/$edgeHub", {}, if_match("*"))).starts_with("401 SystemModuleModifyUnauthorizedAccess"));
    CHECK(e1(hub.api("PUT", "/devices/e1/modules/$mine", "{}")).starts_with("400 ArgumentInvalid"));

    CHECK(put(hub, "e1", "{}", if_match("*")) == "200");  // a leaf now
    CHECK(hub.api("GET", "/devices/e1/modules").body == "[]");
    CHECK(e1(hub.api("GET", "/devices/e1/modules/$edgeAgent")).starts_with("404 ModuleNotFound"));
    CHECK(device(hub, "e1", "deviceScope") == "null");
  }

  TEST_CASE("edge: a leaf that becomes an edge device has a scope without a suffix") {
    TestHub hub;
    hub.create("d1");
    CHECK(put(hub, "d1", edge(), if_match("*")) == "200");
    CHECK(scope_of(hub, "d1") == "\"ms-azure-iot-edge://d1-\"");
    CHECK(hub.api("GET", "/devices/d1/modules/$edgeHub").status == 200);
  }

  TEST_CASE("edge: an edge device must send its own scope with every update") {
    TestHub hub;
    CHECK(put(hub, "e1", edge()) == "200");
    const std::string refusal = "400 ArgumentInvalid: Device scope is immutable";
    CHECK(put(hub, "e1", edge(), if_match("*")).starts_with(refusal));
    CHECK(put(hub, "e1", edge(R"(,"deviceScope":"")"), if_match("*")).starts_with(refusal));
    CHECK(put(hub, "e1", edge(R"(,"deviceScope":"ms-azure-iot-edge://e1-2")"), if_match("*")).starts_with(refusal));
    CHECK(put(hub, "e1", edge(",\"deviceScope\":" + scope_of(hub, "e1")), if_match("*")) == "200");
  }

  TEST_CASE("edge: a leaf's parent stands in deviceScope and is copied into parentScopes") {
    TestHub hub;
    CHECK(put(hub, "e1", edge()) == "200");
    const std::string scope = scope_of(hub, "e1");
    CHECK(put(hub, "d1", "{\"deviceScope\":" + scope + "}") == "200");
    CHECK(device(hub, "d1", "deviceScope") == scope);
    CHECK(device(hub, "d1", "parentScopes") == "[" + scope + "]");
    CHECK(twin(hub, "d1", "deviceScope") == scope);
    CHECK(twin(hub, "d1", "parentScopes") == "[" + scope + "]");
    CHECK(hub.api("GET", "/devices").body.find("\"parentScopes\":[" + scope + "]") != std::string::npos);
    // Both, as the Node SDK sends them back.
    CHECK(put(hub, "d1", "{\"deviceScope\":" + scope + ",\"parentScopes\":[" + scope + "]}", if_match("*")) == "200");
    // parentScopes alone say nothing about a leaf, and an empty scope takes it away.
    CHECK(put(hub, "d1", "{\"parentScopes\":[" + scope + "]}", if_match("*")) == "200");
    CHECK(device(hub, "d1", "parentScopes") == "[]");
    CHECK(put(hub, "d1", "{\"deviceScope\":" + scope + "}", if_match("*")) == "200");
    CHECK(put(hub, "d1", R"({"deviceScope":""})", if_match("*")) == "200");
    CHECK(device(hub, "d1", "deviceScope") == "null");
  }

  TEST_CASE("edge: an edge device's parent stands in parentScopes") {
    TestHub hub;
    CHECK(put(hub, "e1", edge()) == "200");
    const std::string top = scope_of(hub, "e1");
    CHECK(put(hub, "e2", edge(",\"parentScopes\":[" + top + "]")) == "200");
    const std::string own = scope_of(hub, "e2");
    CHECK(own != top);
    CHECK(device(hub, "e2", "parentScopes") == "[" + top + "]");
    CHECK(put(hub, "e2", edge(",\"deviceScope\":" + own), if_match("*")) == "200");
    CHECK(device(hub, "e2", "parentScopes") == "[]");
    CHECK(put(hub, "e2", edge(",\"deviceScope\":" + own + ",\"parentScopes\":[" + top + "," + own + "]"), if_match("*")).starts_with("400 ArgumentInvalid"));
  }

  TEST_CASE("edge: a scope that is no edge device's is refused, and nothing changes") {
    TestHub hub;
    hub.create("d1");
    hub.create("leaf");
    CHECK(put(hub, "e1", edge()) == "200");
    const std::string etag = device(hub, "d1", "etag");
    for (const char* scope : {"nonsense", "ms-azure-iot-edge://", "ms-azure-iot-edge://missing-1", "ms-azure-iot-edge://leaf-1", "ms-azure-iot-edge://e1-1",
                              "ms-azure-iot-edge://d1-1", "ms-azure-iot-edge://e1-x"}) {
      CAPTURE(scope);
      const std::string body = "{\"deviceScope\":" + quoted(scope) + "}";
      CHECK(put(hub, "d1", body, if_match("*")).starts_with("400 InvalidDeviceScope"));
      CHECK(put(hub, "d2", body).starts_with("400 InvalidDeviceScope"));
    }
    CHECK(device(hub, "d1", "etag") == etag);
    CHECK(hub.api("GET", "/devices/d2").status == 404);
  }

  TEST_CASE("edge: nobody is above itself, at whatever distance") {
    TestHub hub;
    std::string above;
    for (const std::string id : {"e1", "e2", "e3", "e4", "e5"}) {
      CHECK(put(hub, id, edge(above.empty() ? "" : ",\"parentScopes\":[" + above + "]")) == "200");
      above = scope_of(hub, id);
    }
    const std::string own = scope_of(hub, "e1");
    CHECK(put(hub, "e1", edge(",\"deviceScope\":" + own + ",\"parentScopes\":[" + own + "]"), if_match("*")).starts_with("400 InvalidDeviceScope"));
    CHECK(put(hub, "e1", edge(",\"deviceScope\":" + own + ",\"parentScopes\":[" + above + "]"), if_match("*")).starts_with("400 InvalidDeviceScope"));
    CHECK(put(hub, "d1", "{\"deviceScope\":" + above + "}") == "200");
  }

  TEST_CASE("edge: a child whose parent is gone can still be updated") {
    TestHub hub;
    CHECK(put(hub, "e1", edge()) == "200");
    const std::string scope = scope_of(hub, "e1");
    CHECK(put(hub, "d1", "{\"deviceScope\":" + scope + "}") == "200");
    CHECK(hub.api("DELETE", "/devices/e1", {}, if_match("*")).status == 204);
    CHECK(put(hub, "d1", "{\"status\":\"disabled\",\"deviceScope\":" + scope + "}", if_match("*")) == "200");
    CHECK(put(hub, "d2", "{\"deviceScope\":" + scope + "}").starts_with("400 InvalidDeviceScope"));
  }

  TEST_CASE("edge: bulk makes edge devices with the scope that they bring, and their children wherever they stand") {
    TestHub hub;
    const HttpAnswer answer = hub.api("POST", "/devices", R"([
      {"id":"d1","deviceScope":"ms-azure-iot-edge://e2-638000000000000002"},
      {"id":"e2","capabilities":{"iotEdge":true},"deviceScope":"ms-azure-iot-edge://e2-638000000000000002","parentScopes":["ms-azure-iot-edge://e1-638000000000000001"]},
      {"id":"e1","capabilities":{"iotEdge":true},"deviceScope":"ms-azure-iot-edge://e1-638000000000000001"},
      {"id":"e1","moduleId":"$edgeAgent","importMode":"createOrUpdate","properties":{"desired":{"a":1}}},
      {"id":"d9","deviceScope":"ms-azure-iot-edge://e9-1"}])");
    CHECK(answer.status == 400);
    CHECK(member(json_of(answer), "errors") .find("\"deviceId\":\"d9\"") != std::string::npos);
    CHECK(json_of(answer)["errors"].Size() == 1);
    CHECK(scope_of(hub, "e2") == "\"ms-azure-iot-edge://e2-638000000000000002\"");
    CHECK(device(hub, "d1", "deviceScope") == scope_of(hub, "e2"));
    CHECK(device(hub, "e2", "parentScopes") == "[" + scope_of(hub, "e1") + "]");
  }

  // A child asks for its parent, at another home perhaps, and its modules do not.
  TEST_CASE("edge: bulk makes the modules of a child, whether its parent is there, comes before it or after it") {
    TestHub hub;
    const std::string parent = R"({"id":"p","importMode":"createOrUpdate","capabilities":{"iotEdge":true},"deviceScope":"ms-azure-iot-edge://p-638000000000000001"})";
    std::string before = "[", after = "[" + parent;
    for (int i = 0; i < 8; ++i) {
      for (std::string* items : {&before, &after}) {
        const std::string id = (items == &before ? "b" : "a") + std::to_string(i);
        if (items->size() > 1) *items += ",";
        *items += R"({"id":")" + id + R"(","deviceScope":"ms-azure-iot-edge://p-638000000000000001"},{"id":")" + id + R"(","moduleId":"m"})";
      }
    }
    CHECK(hub.api("POST", "/devices", before + "," + parent + "]").body == R"({"isSuccessful":true,"errors":[],"warnings":[]})");
    CHECK(hub.api("POST", "/devices", after + "]").body == R"({"isSuccessful":true,"errors":[],"warnings":[]})");
    for (int i = 0; i < 8; ++i) {
      CHECK(hub.api("GET", "/devices/a" + std::to_string(i) + "/modules/m").status == 200);
      CHECK(hub.api("GET", "/devices/b" + std::to_string(i) + "/modules/m").status == 200);
    }
    // A device that fails for good takes its modules along.
    const HttpAnswer orphan = hub.api("POST", "/devices", R"([{"id":"d9","deviceScope":"ms-azure-iot-edge://e9-1"},{"id":"d9","moduleId":"m"},{"id":"d1"}])");
    CHECK(orphan.status == 400);
    CHECK(json_of(orphan)["errors"].Size() == 2);
    CHECK(hub.api("GET", "/devices/d1").status == 200);
  }
}

}  // namespace nearhub::test
