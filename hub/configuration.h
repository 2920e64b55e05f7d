// A configuration: desired properties that the hub keeps in all twins that meet a condition (automatic device management; IoT Edge calls one for its
// modules a deployment). Reference: service-rest.md 5.10.
//
// Here is what a service writes and reads. What the hub makes of it stands in configuration_target.h, what it does to a twin in configuration_merge.h.
//
// THREAD: value types.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/json_writer.h"
#include "base/result.h"

namespace nearhub::hub {

inline constexpr std::size_t kMaxConfigurations = 100;           // service-rest.md 11
inline constexpr std::size_t kMaxConfigurationIdLength = 128;    // 5.10
inline constexpr std::int64_t kMaxConfigurationPriority = 2147483647;  // as the clients count
// Bounds of our own.
inline constexpr std::size_t kMaxConfigurationContentBytes = 256 * 1024;  // as sent; each twin's part has the twin's limits
inline constexpr std::size_t kMaxConfigurationLabels = 20;
inline constexpr std::size_t kMaxConfigurationMetrics = 20;
inline constexpr std::size_t kMaxConfigurationNameBytes = 128;   // of a label, a metric, a schema version
inline constexpr std::size_t kMaxConfigurationLabelBytes = 1024;
inline constexpr std::size_t kMaxTargetConditionBytes = 7680;    // the text of a query is made around it (twin::query::kMaxQueryBytes)

enum class ConfigurationKind : std::uint8_t {
  kDevice,  // deviceContent: for the twins of devices
  kModule,  // moduleContent: for the twins of modules
  kEdge,    // modulesContent: for the modules of edge devices, each its own
};

struct Configuration {
  std::string id;
  std::optional<std::string> schema_version;
  std::string labels;   // a JSON object of strings; empty: null
  std::string content;  // the JSON object as it was sent
  std::string target_condition;
  std::int64_t priority = 0;
  std::string metrics;  // a JSON object: the text of a query by the name of the metric
  WallTime created{};
  WallTime updated{};
  std::int64_t etag_counter = 1;
  // As the content says. Not stored: make_targeted() reads it.
  ConfigurationKind kind = ConfigurationKind::kDevice;

  ETag etag() const;  // base64 of the decimal counter (4.1)

  friend bool operator==(const Configuration&, const Configuration&) = default;
};

// As the store has them: with the sweeps that are still to be done, of configurations that may be deleted.
struct StoredConfigurations {
  std::vector<Configuration> configurations;
  std::vector<std::pair<std::string, std::int64_t>> sweeps;
};

// ^[a-z0-9\-+%_*!']{1,128}$. Fails with kArgumentInvalid and names the first character that does not belong.
Status check_configuration_id(std::string_view id);

// The body of PUT /configurations/{id}: all but what the hub owns; `id` is the path's. Everything is checked, content, condition and queries too. Fails
// with kArgumentInvalid, kInvalidConfigurationContent, kInvalidConfigurationTargetCondition, kInvalidConfigurationCustomMetricsQuery.
Result<Configuration> parse_configuration(std::string_view body, std::string id);

// The numbers of one configuration, by the names of its metrics; those that were never counted are left out.
struct MetricResults {
  std::vector<std::pair<std::string, std::uint64_t>> system;
  std::vector<std::pair<std::string, std::uint64_t>> custom;
};

// The queries whose rows are counted, by name. What is counted is what these texts select.
using MetricQueries = std::vector<std::pair<std::string, std::string>>;
MetricQueries system_queries(const Configuration& configuration);
MetricQueries custom_queries(const Configuration& configuration);

// As GET shows it (4.6).
void write_json(JsonWriter& json, const Configuration& configuration, const MetricResults& results);

// POST /configurations/testQueries: what is wrong with a target condition and with queries, each null when nothing is. Fails with kArgumentInvalid for a
// body that is none.
Result<std::string> test_configuration_queries(std::string_view body);

}  // namespace nearhub::hub
