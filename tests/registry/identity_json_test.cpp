// The documents that the hub answers with, whole [service-rest.md 4.2, 4.3].
#include <doctest/doctest.h>

#include <string>

#include "base/random.h"
#include "tests/registry/samples.h"

using namespace nearhub;
using namespace nearhub::registry;

namespace {

std::string json_of(const Identity& identity, const LiveState& live = {}) {
  JsonWriter json;
  write_json(json, identity, live);
  return std::move(json).take();
}

Identity identity(const IdentityId& id) {
  SeededRandom random(1);
  Identity made = create_identity(id, request(kBothKeys, id), kNow, random);
  made.etag_counter = 318'751'955;
  return made;
}

}  // namespace

TEST_SUITE("registry") {
  TEST_CASE("device document: a new device") {
    CHECK(json_of(identity(kDevice)) ==
          R"({"deviceId":"d1","generationId":"638095749841626056","etag":"MzE4NzUxOTU1","connectionState":"Disconnected","status":"enabled",)"
          R"("statusReason":null,"connectionStateUpdatedTime":"0001-01-01T00:00:00","statusUpdatedTime":"0001-01-01T00:00:00",)"
          R"("lastActivityTime":"0001-01-01T00:00:00","cloudToDeviceMessageCount":0,"authentication":{"symmetricKey":{)"
          R"("primaryKey":"cHJpbWFyeSBrZXkgb2YgMzIgcmVhZGFibGUgYnl0ZXM=","secondaryKey":"c2Vjb25kYXJ5IGtleSwgcmVhZGFibGUgYXMgd2VsbC4="},)"
          R"("x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"sas"},"capabilities":{"iotEdge":false},"deviceScope":null,"parentScopes":[]})");
  }

  TEST_CASE("device document: everything set") {
    Identity device = identity(kDevice);
    device.enabled = false;
    device.status_reason = "stolen \"again\"";
    device.status_updated = kNow;
    device.connection_state_updated = kNow + std::chrono::seconds{1};
    device.last_activity = kNow + std::chrono::seconds{2};
    CHECK(json_of(device, {true, 7}) ==
          R"({"deviceId":"d1","generationId":"638095749841626056","etag":"MzE4NzUxOTU1","connectionState":"Connected","status":"disabled",)"
          R"("statusReason":"stolen \"again\"","connectionStateUpdatedTime":"2023-01-17T17:56:25.1626056Z",)"
          R"("statusUpdatedTime":"2023-01-17T17:56:24.1626056Z","lastActivityTime":"2023-01-17T17:56:26.1626056Z","cloudToDeviceMessageCount":7,)"
          R"("authentication":{"symmetricKey":{"primaryKey":"cHJpbWFyeSBrZXkgb2YgMzIgcmVhZGFibGUgYnl0ZXM=",)"
          R"("secondaryKey":"c2Vjb25kYXJ5IGtleSwgcmVhZGFibGUgYXMgd2VsbC4="},)"
          R"("x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"sas"},"capabilities":{"iotEdge":false},"deviceScope":null,"parentScopes":[]})");
  }

  TEST_CASE("device document: an edge device has its own scope, a leaf its parent's in both places") {
    Identity device = identity(kDevice);
    device.parent_scope = "ms-azure-iot-edge://e1-5";
    CHECK(json_of(device).ends_with(
        R"("capabilities":{"iotEdge":false},"deviceScope":"ms-azure-iot-edge://e1-5","parentScopes":["ms-azure-iot-edge://e1-5"]})"));
    device.iot_edge = true;
    device.device_scope = "ms-azure-iot-edge://d1-7";
    CHECK(json_of(device).ends_with(
        R"("capabilities":{"iotEdge":true},"deviceScope":"ms-azure-iot-edge://d1-7","parentScopes":["ms-azure-iot-edge://e1-5"]})"));
  }

  TEST_CASE("device document: one with thumbprints, and one of a certificate authority, have null keys") {
    Identity device = identity(kDevice);
    device.credentials = {auth::AuthenticationType::kSelfSigned, {}, {}, std::string(40, 'A'), std::string(64, 'b')};
    CHECK(json_of(device).find(R"("authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"x509Thumbprint":{"primaryThumbprint":")" +
                               std::string(40, 'A') + R"(","secondaryThumbprint":")" + std::string(64, 'b') + R"("},"type":"selfSigned"})") !=
          std::string::npos);
    device.credentials = {auth::AuthenticationType::kCertificateAuthority, {}, {}, {}, {}};
    CHECK(json_of(device).find(R"("authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},)"
                               R"("x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"certificateAuthority"})") !=
          std::string::npos);
  }

  TEST_CASE("module document: no status, no capabilities") {
    Identity module = identity(kModule);
    CHECK(json_of(module) ==
          R"({"moduleId":"m1","managedBy":null,"deviceId":"d1","generationId":"638095749841626056","etag":"MzE4NzUxOTU1",)"
          R"("connectionState":"Disconnected","connectionStateUpdatedTime":"0001-01-01T00:00:00","lastActivityTime":"0001-01-01T00:00:00",)"
          R"("cloudToDeviceMessageCount":0,"authentication":{"symmetricKey":{)"
          R"("primaryKey":"cHJpbWFyeSBrZXkgb2YgMzIgcmVhZGFibGUgYnl0ZXM=","secondaryKey":"c2Vjb25kYXJ5IGtleSwgcmVhZGFibGUgYXMgd2VsbC4="},)"
          R"("x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"sas"}})");
    module.managed_by = "iotEdge";
    CHECK(json_of(module, {true, 0}).starts_with(R"({"moduleId":"m1","managedBy":"iotEdge","deviceId":"d1",)"));
  }

  TEST_CASE("documents: what the hub writes can be sent back to it") {
    Identity device = identity(kDevice);
    device.enabled = false;
    device.status_reason = "lost";
    const IdentityRequest again = request(json_of(device, {true, 3}));
    CHECK(again.enabled == false);
    CHECK(again.status_reason == "lost");
    CHECK(again.credentials == device.credentials);
    CHECK(request(json_of(identity(kModule)), kModule).credentials == identity(kModule).credentials);
  }
}
