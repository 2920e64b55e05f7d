#include "tools/module.h"

#include <fmt/core.h>

#include <utility>

#include "tools/identity.h"
#include "tools/json_text.h"
#include "tools/table.h"

namespace nearhub::tools {

Status list_modules(HubClient& hub, const DeviceId& device, bool json, Console& console) {
  const auto body = hub.get(registry_path({device, {}}) + "/modules");
  if (!body.ok()) return body.error();
  auto modules = parse_array(*body);
  if (!modules.ok()) return modules.error();
  if (json) {
    console.print(without_keys(std::move(*modules)) + "\n");
  } else if (modules->Empty()) {
    console.print(fmt::format("no modules; make one with `nearhub module create {}/MODULE`\n", device.str()));
  } else {
    Table table({"MODULE", "AUTHENTICATION", "CONNECTION", "LAST ACTIVITY", "QUEUED", "MANAGED BY"});
    for (const JsonValue& module : modules->GetArray()) {
      table.add({text_at(module, {"moduleId"}), authentication_cell(module), text_at(module, {"connectionState"}),
                 activity_cell(module), text_at(module, {"cloudToDeviceMessageCount"}),
                 text_at(module, {"managedBy"})});
    }
    console.print(table.text());
  }
  return {};
}

Status update_module(HubClient& hub, const IdentityId& id, const CredentialChange& change, bool json, Console& console) {
  if (change.empty()) return Error{ErrorCode::kInvalidSetting, "nothing to change: `nearhub module update --help` shows what can be named"};
  auto identity = get_identity(hub, id);
  if (!identity.ok()) return identity.error();
  if (Status changed = change_credentials(*identity, change); !changed.ok()) return changed;
  auto updated = put_identity(hub, id, *identity);
  if (!updated.ok()) return updated.error();
  console.print(json ? without_keys(std::move(*updated)) + "\n" : identity_text(*updated, false));
  return {};
}

}  // namespace nearhub::tools
