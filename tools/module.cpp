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

}  // namespace nearhub::tools
