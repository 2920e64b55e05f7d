// `nearhub config ...`: configurations of devices and modules, and deployments to edge devices.
//
// THREAD: one at a time.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"

namespace nearhub::tools {

// A content as it was given: JSON, the name of a file with it, or - for standard input. `kind`: what it is wrapped in when it is not wrapped already,
// "deviceContent", "moduleContent" or "modulesContent". Gives the JSON of the member `content`. Fails with kInvalidSetting.
Result<std::string> content_json(const std::string& given, const std::string& kind, Console& console);

// What a configuration has beside its content; what is not given stays, or is the hub's default.
struct ConfigurationChange {
  std::string id;
  std::optional<std::string> target;
  std::optional<std::int64_t> priority;
  std::vector<std::string> labels;   // NAME=TEXT, in the place of those that it has
  std::vector<std::string> metrics;  // NAME=QUERY, the same
  bool json = false;
};

// `content`: as content_json() gives it.
Status create_configuration(HubClient& hub, const ConfigurationChange& wanted, const std::string& content, Console& console);
// Fails with kPreconditionFailed when somebody else has changed it meanwhile.
Status update_configuration(HubClient& hub, const ConfigurationChange& change, Console& console);
Status list_configurations(HubClient& hub, bool json, Console& console);
Status show_configuration(HubClient& hub, const std::string& id, bool json, Console& console);
// Its metrics and how many rows each has.
Status show_metrics(HubClient& hub, const std::string& id, bool json, Console& console);
Status delete_configuration(HubClient& hub, const std::string& id, Console& console);
// Writes a deployment's content to one edge device, once.
Status apply_configuration(HubClient& hub, const DeviceId& device, const std::string& content, Console& console);

}  // namespace nearhub::tools
