#include "tools/device.h"

#include <fmt/core.h>

#include <utility>

#include "tools/identity.h"
#include "tools/json_text.h"
#include "tools/table.h"

namespace nearhub::tools {
namespace {

constexpr int kMostListed = 1000;  // by the API

}  // namespace

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
