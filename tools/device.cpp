#include "tools/device.h"

#include <fmt/core.h>

#include <utility>

#include "tools/identity.h"
#include "tools/json_text.h"
#include "tools/table.h"

namespace nearhub::tools {

Status list_devices(HubClient& hub, int top, bool json, Console& console) {
  const auto body = hub.get("/devices", fmt::format("top={}", top));
  if (!body.ok()) return body.error();
  auto devices = parse_array(*body);
  if (!devices.ok()) return devices.error();
  const int count = static_cast<int>(devices->Size());
  if (json) {
    console.print(without_keys(std::move(*devices)) + "\n");
  } else if (count == 0) {
    console.print("no devices; make one with `nearhub device create ID`\n");
  } else {
    Table table({"DEVICE", "STATUS", "AUTHENTICATION", "CONNECTION", "LAST ACTIVITY", "QUEUED"});
    for (const JsonValue& device : devices->GetArray()) {
      table.add({text_at(device, {"deviceId"}), text_at(device, {"status"}), authentication_cell(device),
                 text_at(device, {"connectionState"}), activity_cell(device),
                 text_at(device, {"cloudToDeviceMessageCount"})});
    }
    console.print(table.text());
  }
  if (count == kMostListed) console.say(fmt::format("these are the first {} devices, there may be more", kMostListed));
  return {};
}

Status update_device(HubClient& hub, const DeviceUpdate& update, Console& console) {
  if (update.credentials.empty() && !update.status_reason && !update.edge && !update.no_edge && update.parent.empty() && !update.no_parent) {
    return Error{ErrorCode::kInvalidSetting, "nothing to change: `nearhub device update --help` shows what can be named"};
  }
  const IdentityId id{update.id, {}};
  auto identity = get_identity(hub, id);
  if (!identity.ok()) return identity.error();
  auto& allocator = identity->GetAllocator();
  const auto put = [&allocator](JsonValue& object, const char* name, JsonValue value) {
    object.RemoveMember(name);
    object.AddMember(rapidjson::StringRef(name), std::move(value), allocator);
  };
  const auto text = [&allocator](const std::string& value) { return JsonValue(value.c_str(), allocator); };
  if (update.status_reason) put(*identity, "statusReason", update.status_reason->empty() ? JsonValue() : text(*update.status_reason));
  if (!update.credentials.empty()) {
    if (Status changed = change_credentials(*identity, update.credentials); !changed.ok()) return changed;
  }
  if (update.edge || update.no_edge) {
    JsonValue capabilities(rapidjson::kObjectType);
    put(capabilities, "iotEdge", JsonValue(update.edge));
    put(*identity, "capabilities", std::move(capabilities));
  }
  const bool edge = text_at(*identity, {"capabilities", "iotEdge"}) == "true";
  if (update.no_parent || !update.parent.empty()) {
    std::string scope;
    if (!update.no_parent) {
      auto found = scope_of(hub, update.parent);
      if (!found.ok()) return found.error();
      scope = std::move(*found);
    }
    // A leaf names its parent in deviceScope, an edge device in parentScopes.
    JsonValue scopes(rapidjson::kArrayType);
    if (!scope.empty()) scopes.PushBack(text(scope), allocator);
    put(*identity, "parentScopes", std::move(scopes));
    if (!edge) put(*identity, "deviceScope", text(scope));
  }
  auto updated = put_identity(hub, id, *identity);
  if (!updated.ok()) return updated.error();
  console.print(update.json ? without_keys(std::move(*updated)) + "\n" : identity_text(*updated, false));
  return {};
}

Status set_device_status(HubClient& hub, const DeviceId& id, bool enabled, const std::string& reason,
                         Console& console) {
  const IdentityId identity_id{id, {}};
  auto identity = get_identity(hub, identity_id);
  if (!identity.ok()) return identity.error();
  const auto set = [&identity](const char* name, const char* value) {
    auto& allocator = identity->GetAllocator();
    identity->RemoveMember(name);
    identity->AddMember(rapidjson::StringRef(name), value == nullptr ? JsonValue() : JsonValue(value, allocator),
                        allocator);
  };
  set("status", enabled ? "enabled" : "disabled");
  set("statusReason", reason.empty() ? nullptr : reason.c_str());
  const auto updated = put_identity(hub, identity_id, *identity);
  if (!updated.ok()) return updated.error();
  console.print(fmt::format("device {} is {}{}\n", id.str(), enabled ? "enabled" : "disabled",
                            enabled ? "" : "; its connections are closed"));
  return {};
}

}  // namespace nearhub::tools
