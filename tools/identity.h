// What the commands for devices and for modules share: names on the command line, paths of the API, connection strings,
// what is shown.
//
// THREAD: one at a time.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/json.h"
#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"
#include "tools/table.h"

namespace nearhub::tools {

// "device" or "device/module". Fails with kInvalidSetting.
Result<IdentityId> parse_identity(std::string_view text);

// Ids are percent-encoded: "/devices/a%23b", "/devices/d/modules/m"; below it commands, messages...
std::string registry_path(const IdentityId& id);
std::string twin_path(const IdentityId& id);

// "device d1", "module d1/m1".
std::string describe(const IdentityId& id);

// Thumbprints as tools show them, made what the hub takes: without colons, spaces and the invisible marks that
// certificate dialogs put in front (reference/x509-and-boards.md A.2), and without the words before them in a line of
// `openssl x509 -fingerprint`.
std::string clean_thumbprint(std::string_view text);

// Where devices find the hub. The name is the one of a login that was given, because it evidently reaches the hub, else
// the one that the hub calls itself.
struct DeviceEndpoint {
  std::string host;
  std::uint16_t mqtts_port = 0;  // 0: off

  // The HostName of a connection string: "localhost", "localhost:18883" when MQTT is not on 8883.
  std::string host_name() const;
};
Result<DeviceEndpoint> device_endpoint(HubClient& hub);

inline constexpr std::string_view kPrimaryKey = "primaryKey", kSecondaryKey = "secondaryKey";

// From the hub's JSON of an identity; x509=true where it has no key.
std::string connection_string(const JsonValue& identity, std::string_view host_name,
                              std::string_view which_key = kPrimaryKey);

// Reads an identity. Fails with the hub's error.
Result<JsonDocument> get_identity(HubClient& hub, const IdentityId& id);

// Writes one back that was read and changed; gives it as it is then. What another client changed in between fails it
// (etag).
Result<JsonDocument> put_identity(HubClient& hub, const IdentityId& id, const JsonValue& identity);

struct NewIdentity {
  IdentityId id;
  std::string primary_key;  // both or neither; empty: made by the hub
  std::string secondary_key;
  std::string type;                // of the API; empty: sas, or selfSigned with thumbprints
  std::string primary_thumbprint;  // as typed
  std::string secondary_thumbprint;
  bool disabled = false;      // devices
  std::string status_reason;  // devices
  std::string managed_by;     // modules
  bool edge = false;          // devices
  std::string parent;         // devices: the edge device above
  bool json = false;
};
// The body of the request that creates it; below the edge device of that scope when there is one.
std::string identity_body(const NewIdentity& identity, const std::string& parent_scope = {});
// The scope of an edge device. Fails with kInvalidSetting for another device, and with the hub's error.
Result<std::string> scope_of(HubClient& hub, const std::string& edge_device);
// Creates it and prints its connection string, or with `json` the hub's answer.
Status create_identity(HubClient& hub, const NewIdentity& identity, Console& console);

Status show_identity(HubClient& hub, const IdentityId& id, bool keys, bool json, Console& console);
Status delete_identity(HubClient& hub, const IdentityId& id, Console& console);
Status print_connection_string(HubClient& hub, const IdentityId& id, bool secondary, Console& console);

// What people see of an identity.
std::string identity_text(const JsonValue& identity, bool keys);

// The same JSON with "***" for keys: no key by accident in a log.
std::string without_keys(JsonDocument document);

// The cells of a listing.
std::string authentication_cell(const JsonValue& identity);
std::string activity_cell(const JsonValue& identity);

}  // namespace nearhub::tools
