// A configuration as the hub works with it: its condition as a query, its content as values by twin; and all of them in the order of their rank.
//
// THREAD: immutable once made; any thread.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hub/configuration.h"
#include "twin/query_ast.h"
#include "twin/value.h"

namespace nearhub::hub {

// The desired properties that one twin is to have.
struct TwinContent {
  std::string module;    // of kEdge: whose twin
  twin::Value desired;   // an object without nulls
  bool whole = false;    // of kEdge: they are all that the module's twin is to have, "properties.desired" without a path
};

struct ConfigurationContent {
  ConfigurationKind kind = ConfigurationKind::kDevice;
  std::vector<TwinContent> twins;  // of kDevice and kModule: one

  const TwinContent* find(std::string_view module) const;
  // A deployment that says all of $edgeAgent; others are layers on top of one.
  bool is_base() const;
};

// `text` is a JSON object with deviceContent, moduleContent or modulesContent. Fails with kInvalidConfigurationContent.
Result<ConfigurationContent> parse_content(std::string_view text);

// The condition as a query; null when it is empty: then nothing is targeted. Fails with kInvalidConfigurationTargetCondition: it does not parse, or it
// looks at what moves by itself or by configurations (connection state, desired properties, versions).
Result<std::shared_ptr<const twin::query::Query>> parse_target(ConfigurationKind kind, std::string_view condition);
// The condition as it stands behind WHERE: without the FROM devices.modules WHERE of a module's. Empty: none; "*": all.
std::string_view bare_condition(std::string_view condition);

struct TargetedConfiguration {
  Configuration configuration;
  ConfigurationContent content;
  std::shared_ptr<const twin::query::Query> target;  // null: nothing
  bool sees_reported = false;                        // the condition looks at reported properties

  twin::query::Source source() const;
  // What selects the twins to look at after a change: those that meet the condition, and those that this configuration has been at.
  std::shared_ptr<const twin::query::Query> swept() const;
};

// A configuration that was checked by parse_configuration(). Fails with kCorrupt.
Result<std::shared_ptr<const TargetedConfiguration>> make_targeted(Configuration configuration);
// The twins that a configuration has been at which is deleted.
std::shared_ptr<const twin::query::Query> swept_of_deleted(std::string_view id, twin::query::Source source);

// All configurations, the highest rank first: by priority, then by the time of their creation, the newest first, then by id.
class ConfigurationList {
 public:
  explicit ConfigurationList(std::vector<std::shared_ptr<const TargetedConfiguration>> all);

  const std::vector<std::shared_ptr<const TargetedConfiguration>>& ranked() const { return ranked_; }
  const TargetedConfiguration* find(std::string_view id) const;
  bool has(ConfigurationKind kind) const { return has_[static_cast<std::size_t>(kind)]; }
  bool sees_reported(ConfigurationKind kind) const { return sees_reported_[static_cast<std::size_t>(kind)]; }

 private:
  std::vector<std::shared_ptr<const TargetedConfiguration>> ranked_;
  bool has_[3] = {};
  bool sees_reported_[3] = {};
};
using ConfigurationListPtr = std::shared_ptr<const ConfigurationList>;

}  // namespace nearhub::hub
