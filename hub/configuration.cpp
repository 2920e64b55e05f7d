// The requests of configurations and their documents (reference/service-rest.md 4.6 and 5.10).
#include "hub/configuration.h"

#include <fmt/core.h>

#include <algorithm>
#include <variant>

#include "base/base64.h"
#include "base/text.h"
#include "base/time_format.h"
#include "hub/configuration_target.h"
#include "twin/query_parser.h"

namespace nearhub::hub {
namespace {

using twin::Value;

// Values that are null count as absent: the SDKs write out all members of their models.
const Value* member_of(const Value& object, std::string_view name) {
  const Value* member = object.find(name);
  return member == nullptr || member->is_null() ? nullptr : member;
}

Error wrong_kind(std::string_view name, const Value& value, std::string_view expected) {
  return invalid_argument(fmt::format("{} is {}; expected {}", name, twin::kind_name(value.kind()), expected));
}

Result<std::optional<std::string>> text_of_member(const Value& object, std::string_view name) {
  const Value* member = member_of(object, name);
  if (member == nullptr) return std::optional<std::string>();
  if (member->kind() != Value::Kind::kString) return wrong_kind(name, *member, "a string");
  return std::optional(member->text());
}

// An object of strings, as JSON; empty when it is absent.
Result<std::string> texts_of_member(const Value& object, std::string_view name, std::size_t max_count, std::size_t max_bytes) {
  const Value* member = member_of(object, name);
  if (member == nullptr) return std::string();
  if (!member->is_object()) return wrong_kind(name, *member, "an object");
  if (member->members().size() > max_count) return invalid_argument(fmt::format("{} has {} members; at most {} are allowed", name, member->members().size(), max_count));
  for (const auto& [key, value] : member->members()) {
    const std::string path = fmt::format("{}.{}", name, printable(key, 60));
    if (key.empty() || key.size() > kMaxConfigurationNameBytes) return invalid_argument(fmt::format("{}: a name has 1 to {} bytes", path, kMaxConfigurationNameBytes));
    if (value.kind() != Value::Kind::kString) return wrong_kind(path, value, "a string");
    if (value.text().size() > max_bytes) return invalid_argument(fmt::format("{} has {} bytes; at most {} are allowed", path, value.text().size(), max_bytes));
  }
  return member->to_json();
}

// What is wrong with the query of a metric; empty: nothing.
std::string fault_of_metric(std::string_view text) {
  const auto parsed = twin::query::parse_query(text);
  if (const auto* fault = std::get_if<twin::query::Fault>(&parsed)) return twin::query::fault_text(text, *fault);
  if (std::get<twin::query::Query>(parsed).source == twin::query::Source::kJobs) return "a metric counts twins, of devices or devices.modules";
  return {};
}

MetricQueries queries_of(std::string_view json) {
  MetricQueries queries;
  if (json.empty()) return queries;
  const auto parsed = twin::parse_value(json, json.size());
  if (!parsed.ok()) return queries;
  for (const auto& [name, text] : parsed->members()) queries.emplace_back(name, text.text());
  return queries;
}

Status check_metrics(std::string_view metrics) {
  for (const auto& [name, text] : queries_of(metrics)) {
    if (std::string fault = fault_of_metric(text); !fault.empty()) {
      return Error{ErrorCode::kInvalidConfigurationCustomMetricsQuery, fmt::format("metrics.queries.{}: {}", printable(name, 60), fault)};
    }
  }
  return {};
}

void write_metrics(JsonWriter& json, std::string_view name, const MetricQueries& queries, const std::vector<std::pair<std::string, std::uint64_t>>& results) {
  json.member(name).object().member("results").object();
  for (const auto& [metric, count] : results) json.member(metric).unsigned_integer(count);
  json.end_object().member("queries").object();
  for (const auto& [metric, text] : queries) json.member(metric, text);
  json.end_object().end_object();
}

}  // namespace

ETag Configuration::etag() const { return ETag(base64_encode(std::to_string(etag_counter))); }

Status check_configuration_id(std::string_view id) {
  if (id.empty() || id.size() > kMaxConfigurationIdLength) {
    return invalid_argument(fmt::format("the id of a configuration has 1 to {} characters, not {}", kMaxConfigurationIdLength, id.size()));
  }
  const auto is_legal = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || std::string_view("-+%_*!'").find(c) != std::string_view::npos; };
  const auto wrong = std::find_if_not(id.begin(), id.end(), is_legal);
  if (wrong == id.end()) return {};
  return invalid_argument(fmt::format("the id of a configuration contains '{}' at position {}; lower-case letters, digits and - + % _ * ! ' are allowed",
                                      printable(std::string_view(&*wrong, 1)), wrong - id.begin() + 1));
}

Result<Configuration> parse_configuration(std::string_view body, std::string id) {
  if (Status legal = check_configuration_id(id); !legal.ok()) return legal.error();
  const auto document = twin::parse_value(body);
  if (!document.ok()) return document.error();
  if (!document->is_object()) return wrong_kind("the body", *document, "an object");
  Configuration made;
  made.id = std::move(id);
  const auto named = text_of_member(*document, "id");
  if (!named.ok()) return named.error();
  if (*named && **named != made.id) return invalid_argument(fmt::format("the body is of configuration \"{}\", the path of \"{}\"", printable(**named, 128), made.id));
  auto version = text_of_member(*document, "schemaVersion");
  if (!version.ok()) return std::move(version).error();
  if (*version && (*version)->size() > kMaxConfigurationNameBytes) return invalid_argument(fmt::format("schemaVersion has more than {} bytes", kMaxConfigurationNameBytes));
  made.schema_version = std::move(*version);
  auto labels = texts_of_member(*document, "labels", kMaxConfigurationLabels, kMaxConfigurationLabelBytes);
  if (!labels.ok()) return std::move(labels).error();
  made.labels = std::move(*labels);
  if (const Value* priority = member_of(*document, "priority")) {
    const auto number = priority->kind() == Value::Kind::kNumber ? parse_decimal(priority->text()) : std::nullopt;
    if (!number || *number > static_cast<std::uint64_t>(kMaxConfigurationPriority)) {
      return invalid_argument(fmt::format("priority is {}; expected a whole number from 0 to {}", printable(priority->to_json(), 40), kMaxConfigurationPriority));
    }
    made.priority = static_cast<std::int64_t>(*number);
  }
  if (const Value* metrics = member_of(*document, "metrics")) {
    if (!metrics->is_object()) return wrong_kind("metrics", *metrics, "an object");
    auto queries = texts_of_member(*metrics, "queries", kMaxConfigurationMetrics, twin::query::kMaxQueryBytes);
    if (!queries.ok()) return std::move(queries).error();
    if (Status sound = check_metrics(*queries); !sound.ok()) return sound.error();
    made.metrics = std::move(*queries);
  }

  const Value* content = member_of(*document, "content");
  made.content = content == nullptr ? std::string() : content->to_json();
  const auto parsed = parse_content(made.content);
  if (!parsed.ok()) return parsed.error();
  made.kind = parsed->kind;
  auto condition = text_of_member(*document, "targetCondition");
  if (!condition.ok()) return std::move(condition).error();
  made.target_condition = std::move(*condition).value_or("");
  if (const auto target = parse_target(parsed->kind, made.target_condition); !target.ok()) return target.error();
  return made;
}

MetricQueries system_queries(const Configuration& configuration) {
  const ConfigurationKind kind = configuration.kind;
  const std::string condition(bare_condition(configuration.target_condition));
  const std::string source = kind == ConfigurationKind::kModule ? "devices.modules" : "devices";
  const std::string status = fmt::format("configurations.[[{}]].status = 'Applied'", configuration.id);
  std::string targeted;
  if (kind == ConfigurationKind::kEdge) {
    // A deployment has nothing to do with devices that are no edge devices.
    if (!condition.empty()) targeted = "select deviceId from devices where capabilities.iotEdge = true" + (condition == "*" ? std::string() : " and (" + condition + ")");
  } else if (!condition.empty()) {
    targeted = "select deviceId from " + source + (condition == "*" ? std::string() : " where " + condition);
  }
  MetricQueries queries = {{"targetedCount", std::move(targeted)}, {"appliedCount", fmt::format("select deviceId from {} where {}", source, status)}};
  if (kind != ConfigurationKind::kEdge) return queries;
  // What the runtime on the device says of the deployment that it has (5.10).
  for (const auto& [name, code] : {std::pair{"reportedSuccessfulCount", "= 200"}, std::pair{"reportedFailedCount", "!= 200"}}) {
    queries.emplace_back(name, fmt::format("select deviceId from devices.modules where moduleId = '$edgeAgent' and {} and properties.desired.$version = "
                                           "properties.reported.lastDesiredVersion and properties.reported.lastDesiredStatus.code {}",
                                           status, code));
  }
  return queries;
}

MetricQueries custom_queries(const Configuration& configuration) { return queries_of(configuration.metrics); }

void write_json(JsonWriter& json, const Configuration& configuration, const MetricResults& results) {
  json.object().member("id", configuration.id).member("schemaVersion");
  configuration.schema_version ? json.string(*configuration.schema_version) : json.null();
  json.member("labels");
  configuration.labels.empty() ? json.null() : json.raw(configuration.labels);
  json.member("content").raw(configuration.content).member("targetCondition", configuration.target_condition);
  json.member("createdTimeUtc", format_iso8601(configuration.created)).member("lastUpdatedTimeUtc", format_iso8601(configuration.updated));
  json.member("priority", configuration.priority);
  write_metrics(json, "systemMetrics", system_queries(configuration), results.system);
  write_metrics(json, "metrics", custom_queries(configuration), results.custom);
  json.member("etag", configuration.etag().view()).end_object();
}

Result<std::string> test_configuration_queries(std::string_view body) {
  const auto document = twin::parse_value(body);
  if (!document.ok()) return document.error();
  if (!document->is_object()) return wrong_kind("the body", *document, "an object");
  const auto condition = text_of_member(*document, "targetCondition");
  if (!condition.ok()) return condition.error();
  auto texts = texts_of_member(*document, "customMetricQueries", kMaxConfigurationMetrics, body.size());
  if (!texts.ok()) return texts;
  JsonWriter json;
  json.object().member("targetConditionError");
  const std::string text = condition->value_or("");
  const bool of_modules = bare_condition(text).size() != trim(text).size();
  const auto target = parse_target(of_modules ? ConfigurationKind::kModule : ConfigurationKind::kDevice, text);
  if (!target.ok()) {
    json.string(target.error().detail);
  } else if (trim(text) == "*") {
    json.string("* targets everything and is no query");  // the cloud refuses it here, and takes it in a configuration
  } else {
    json.null();
  }
  json.member("customMetricQueryErrors").object();
  for (const auto& [name, query] : queries_of(*texts)) {
    if (const std::string fault = fault_of_metric(query); !fault.empty()) json.member(name, fault);
  }
  json.end_object().end_object();
  return std::move(json).take();
}

}  // namespace nearhub::hub
