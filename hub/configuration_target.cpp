#include "hub/configuration_target.h"

#include <fmt/core.h>

#include <algorithm>
#include <variant>

#include "base/check.h"
#include "base/text.h"
#include "twin/query_parser.h"
#include "twin/twin_members.h"

namespace nearhub::hub {
namespace {

using twin::TwinMember;
using twin::query::Expression;
using twin::query::Path;
using twin::query::Query;
using twin::query::Source;

// Whether the path is of what a condition may see: what neither moves by itself nor is written by configurations.
bool may_see(const Path& path) {
  if (!path.root) return true;  // undefined, wherever it is
  switch (static_cast<TwinMember>(*path.root)) {
    case TwinMember::kDeviceId:
    case TwinMember::kModuleId:
    case TwinMember::kStatus:
    case TwinMember::kAuthenticationType:
    case TwinMember::kModelId:
    case TwinMember::kTags:
    case TwinMember::kCapabilities:
    case TwinMember::kDeviceScope:
    case TwinMember::kParentScopes: return true;
    case TwinMember::kProperties: return !path.steps.empty() && !path.steps[0].is_index && path.steps[0].name == "reported";
    default: return false;
  }
}

template <typename Visit>
void visit_paths(const Expression& expression, const Visit& visit) {
  if (expression.kind == Expression::Kind::kPath) visit(expression.path);
  for (const Expression& operand : expression.operands) visit_paths(operand, visit);
}

std::shared_ptr<const Query> condition_query(Source source, std::string_view text) {
  auto parsed = twin::query::parse_condition(source, text);
  NEARHUB_CHECK(std::holds_alternative<Query>(parsed));  // made around a condition that was checked
  return std::make_shared<const Query>(std::get<Query>(std::move(parsed)));
}

std::string been_at(std::string_view id) { return fmt::format("IS_DEFINED(configurations.[[{}]])", id); }

// The text behind a word, which white space or the end follows; nullopt: it does not begin with it.
std::optional<std::string_view> behind(std::string_view text, std::string_view word) {
  text = trim(text);
  if (!starts_with_ignoring_case(text, word)) return std::nullopt;
  const std::string_view rest = text.substr(word.size());
  if (!rest.empty() && trim(rest).size() == rest.size() && rest.front() != '(') return std::nullopt;
  return rest;
}

}  // namespace

std::string_view bare_condition(std::string_view condition) {
  const auto source = behind(condition, "FROM");
  const auto where = source ? behind(*source, "devices.modules") : std::nullopt;
  const auto bare = where ? behind(*where, "WHERE") : std::nullopt;
  return trim(bare.value_or(condition));
}

Result<std::shared_ptr<const Query>> parse_target(ConfigurationKind kind, std::string_view condition) {
  const auto invalid = [](std::string why) { return Error{ErrorCode::kInvalidConfigurationTargetCondition, "targetCondition: " + std::move(why)}; };
  if (condition.size() > kMaxTargetConditionBytes) return invalid(fmt::format("it has {} bytes; at most {} are allowed", condition.size(), kMaxTargetConditionBytes));
  const std::string_view bare = bare_condition(condition), all = trim(condition);
  if (all.empty()) return std::shared_ptr<const Query>();
  const bool of_modules = bare.size() != all.size();
  if ((kind == ConfigurationKind::kModule) != of_modules) {
    return invalid(of_modules ? "FROM devices.modules goes with moduleContent alone" : "that of moduleContent begins with FROM devices.modules WHERE");
  }
  if (bare.empty()) return invalid("a condition is missing behind WHERE");
  auto parsed = twin::query::parse_condition(of_modules ? Source::kModules : Source::kDevices, bare);
  if (const auto* fault = std::get_if<twin::query::Fault>(&parsed)) return invalid(twin::query::fault_text(bare, *fault));
  Query& query = std::get<Query>(parsed);
  std::string unseen;
  for (const Expression& each : query.where) {
    visit_paths(each, [&](const Path& path) {
      if (unseen.empty() && !may_see(path)) unseen = twin::kTwinMemberNames[*path.root];
    });
  }
  if (bare != "*") {
    // The hub puts more around it.
    const auto around = twin::query::parse_condition(query.source, fmt::format("({}) OR {}", bare, been_at("x")));
    if (const auto* fault = std::get_if<twin::query::Fault>(&around)) return invalid(fault->sentence);
  }
  if (!unseen.empty()) {
    return invalid(fmt::format("it looks at {}; a target is chosen by tags, properties.reported, deviceId{} and other members that neither move by themselves nor are written "
                               "by configurations",
                               unseen == "properties" ? "properties other than properties.reported" : unseen, of_modules ? ", moduleId" : ""));
  }
  return std::make_shared<const Query>(std::move(query));
}

Source TargetedConfiguration::source() const { return content.kind == ConfigurationKind::kModule ? Source::kModules : Source::kDevices; }

std::shared_ptr<const Query> TargetedConfiguration::swept() const {
  const std::string_view bare = bare_condition(configuration.target_condition);
  if (bare == "*") return condition_query(source(), "*");
  return condition_query(source(), bare.empty() ? been_at(configuration.id) : fmt::format("({}) OR {}", bare, been_at(configuration.id)));
}

std::shared_ptr<const Query> swept_of_deleted(std::string_view id, Source source) { return condition_query(source, been_at(id)); }

Result<std::shared_ptr<const TargetedConfiguration>> make_targeted(Configuration configuration) {
  const auto corrupt = [&](const Error& why) { return Error{ErrorCode::kCorrupt, fmt::format("the stored configuration {}: {}", configuration.id, why.detail)}; };
  TargetedConfiguration made;
  auto content = parse_content(configuration.content);
  if (!content.ok()) return corrupt(content.error());
  configuration.kind = content->kind;
  auto target = parse_target(content->kind, configuration.target_condition);
  if (!target.ok()) return corrupt(target.error());
  made.content = std::move(*content);
  made.target = std::move(*target);
  if (made.target) {
    for (const Expression& each : made.target->where) {
      visit_paths(each, [&made](const Path& path) { made.sees_reported |= path.root && static_cast<TwinMember>(*path.root) == TwinMember::kProperties; });
    }
  }
  made.configuration = std::move(configuration);
  return std::make_shared<const TargetedConfiguration>(std::move(made));
}

ConfigurationList::ConfigurationList(std::vector<std::shared_ptr<const TargetedConfiguration>> all) : ranked_(std::move(all)) {
  std::sort(ranked_.begin(), ranked_.end(), [](const auto& a, const auto& b) {
    const Configuration &x = a->configuration, &y = b->configuration;
    if (x.priority != y.priority) return x.priority > y.priority;
    return x.created != y.created ? x.created > y.created : x.id < y.id;
  });
  for (const auto& each : ranked_) {
    const auto kind = static_cast<std::size_t>(each->content.kind);
    has_[kind] = true;
    sees_reported_[kind] |= each->sees_reported;
  }
}

const TargetedConfiguration* ConfigurationList::find(std::string_view id) const {
  const auto found = std::find_if(ranked_.begin(), ranked_.end(), [id](const auto& each) { return each->configuration.id == id; });
  return found == ranked_.end() ? nullptr : found->get();
}

}  // namespace nearhub::hub
