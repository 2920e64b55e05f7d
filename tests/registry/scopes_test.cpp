// Scopes of IoT Edge devices, and what becomes of them when an identity is written (service-rest.md 4.5).
#include <doctest/doctest.h>

#include "base/random.h"
#include "tests/registry/samples.h"

namespace nearhub::registry {
namespace {

SeededRandom random_source(1);

Identity created(std::string_view body) { return create_identity(kDevice, request(body), kNow, random_source); }
Identity replaced(const Identity& old, std::string_view body) { return replace_identity(old, request(body), kNow, random_source); }

}  // namespace

TEST_SUITE("registry") {
  TEST_CASE("scopes: name their device, whatever dashes it has, and nothing else is one") {
    CHECK(edge_scope(DeviceId("a-b"), "123") == "ms-azure-iot-edge://a-b-123");
    CHECK(device_of_scope("ms-azure-iot-edge://a-b-123") == DeviceId("a-b"));
    CHECK(device_of_scope("ms-azure-iot-edge://a-b-") == DeviceId("a-b"));
    CHECK(device_of_scope("ms-azure-iot-edge://--1") == DeviceId("-"));
    for (const char* scope : {"", "a-1", "ms-azure-iot-edge://", "ms-azure-iot-edge://-1", "ms-azure-iot-edge://a", "ms-azure-iot-edge://a-x", "ms-azure-iot-edge://a b-1",
                              "MS-AZURE-IOT-EDGE://a-1"}) {
      CAPTURE(scope);
      CHECK(device_of_scope(scope) == std::nullopt);
    }
    CHECK_FALSE(device_of_scope("ms-azure-iot-edge://" + std::string(129, 'a') + "-1").has_value());
  }

  TEST_CASE("scopes: a new edge device has its generation in its scope, PUT's is ignored and an import's is kept when it is its own") {
    const Identity edge = created(R"({"capabilities":{"iotEdge":true},"deviceScope":"ms-azure-iot-edge://d1-1"})");
    CHECK(edge.device_scope == "ms-azure-iot-edge://d1-" + edge.generation_id.str());
    const auto imported = [](std::string_view scope) {
      IdentityRequest asked = request(R"({"capabilities":{"iotEdge":true},"deviceScope":")" + std::string(scope) + "\"}");
      asked.keeps_scope = true;
      return create_identity(kDevice, std::move(asked), kNow, random_source).device_scope;
    };
    CHECK(imported("ms-azure-iot-edge://d1-1") == "ms-azure-iot-edge://d1-1");
    CHECK(imported("ms-azure-iot-edge://d2-1") == edge.device_scope);
    CHECK(imported("") == edge.device_scope);
  }

  TEST_CASE("scopes: an edge device's stays, a leaf that becomes one has no suffix, one that becomes a leaf has none") {
    const Identity edge = created(R"({"capabilities":{"iotEdge":true}})");
    const std::string echo = R"({"capabilities":{"iotEdge":true},"deviceScope":")" + edge.device_scope + "\"}";
    CHECK(replaced(edge, echo).device_scope == edge.device_scope);
    const Identity leaf = replaced(edge, R"({"deviceScope":")" + edge.device_scope + "\"}");
    CHECK(leaf.device_scope == "");
    CHECK(leaf.parent_scope == "");  // it had sent back what was its own
    CHECK(replaced(leaf, R"({"capabilities":{"iotEdge":true}})").device_scope == "ms-azure-iot-edge://d1-");
  }

  TEST_CASE("scopes: PUT of an edge device must bring its own") {
    const Identity edge = created(R"({"capabilities":{"iotEdge":true}})");
    const auto allowed = [&edge](const std::string& body) { return check_replacement(edge, request(body)).ok(); };
    CHECK(allowed(R"({"capabilities":{"iotEdge":true},"deviceScope":")" + edge.device_scope + "\"}"));
    CHECK_FALSE(allowed(R"({"capabilities":{"iotEdge":true}})"));
    CHECK_FALSE(allowed(R"({"capabilities":{"iotEdge":true},"deviceScope":"ms-azure-iot-edge://d1-9"})"));
    CHECK(allowed("{}"));
    CHECK(check_replacement(created("{}"), request(R"({"capabilities":{"iotEdge":true}})")).ok());
  }
}

}  // namespace nearhub::registry
