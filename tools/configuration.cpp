#include "tools/configuration.h"

#include <fmt/core.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/url.h"
#include "tools/json_text.h"
#include "tools/table.h"
#include "tools/time_text.h"

namespace nearhub::tools {
namespace {

constexpr std::string_view kKinds[] = {"deviceContent", "moduleContent", "modulesContent"};
constexpr std::chrono::minutes kChangeTime{5};  // a change is answered behind its first twins

std::string configuration_path(const std::string& id) { return "/configurations/" + percent_encode(id); }

// NAME=TEXT as a JSON object.
Result<std::string> named_texts(const std::vector<std::string>& pairs, std::string_view what) {
  JsonWriter json;
  json.object();
  for (const std::string& pair : pairs) {
    const auto [name, text] = split_once(pair, '=');
    if (!text || trim(name).empty()) return invalid_setting(fmt::format("{} \"{}\": expected NAME=TEXT", what, printable(pair, 80)));
    json.member(trim(name), trim(*text));
  }
  json.end_object();
  return std::move(json).take();
}

// The body of a PUT: `old` with what changes. Members that the hub owns may go along, it does not look at them.
Result<std::string> body_of(const ConfigurationChange& change, const JsonValue* old, std::string_view content) {
  JsonWriter json;
  json.object().member("id", change.id);
  const auto keep = [&](std::string_view name) {
    const JsonValue* value = old == nullptr ? nullptr : find_member(*old, name);
    if (value != nullptr) json.member(name).raw(to_json(*value));
  };
  json.member("content").raw(content);
  keep("schemaVersion");
  change.target ? static_cast<void>(json.member("targetCondition", *change.target)) : keep("targetCondition");
  change.priority ? static_cast<void>(json.member("priority", *change.priority)) : keep("priority");
  if (!change.labels.empty()) {
    const auto labels = named_texts(change.labels, "--label");
    if (!labels.ok()) return labels;
    json.member("labels").raw(*labels);
  } else {
    keep("labels");
  }
  if (!change.metrics.empty()) {
    const auto metrics = named_texts(change.metrics, "--metric");
    if (!metrics.ok()) return metrics;
    json.member("metrics").object().member("queries").raw(*metrics).end_object();
  } else {
    keep("metrics");
  }
  json.end_object();
  return std::move(json).take();
}

std::string kind_of(const JsonValue& configuration) {
  for (const auto& [kind, name] : {std::pair{kKinds[0], "device"}, std::pair{kKinds[1], "module"}, std::pair{kKinds[2], "edge"}}) {
    if (find_path(configuration, {"content", kind}) != nullptr) return name;
  }
  return {};
}

std::string configuration_text(const JsonValue& configuration) {
  Fields fields;
  fields.add("id", text_at(configuration, {"id"}));
  fields.add("kind", kind_of(configuration));
  fields.add("target", text_at(configuration, {"targetCondition"}));
  fields.add("priority", text_at(configuration, {"priority"}));
  fields.add("labels", text_at(configuration, {"labels"}));
  fields.add("targeted", text_at(configuration, {"systemMetrics", "results", "targetedCount"}));
  fields.add("applied", text_at(configuration, {"systemMetrics", "results", "appliedCount"}));
  fields.add("created", show_time(text_at(configuration, {"createdTimeUtc"})));
  fields.add("updated", show_time(text_at(configuration, {"lastUpdatedTimeUtc"})));
  fields.add("etag", text_at(configuration, {"etag"}));
  const JsonValue* content = find_path(configuration, {"content"});
  return fields.text() + "content\n" + (content == nullptr ? "" : pretty_json(*content, 2) + "\n");
}

Result<HubAnswer> send(HubClient& hub, std::string method, std::string path, std::string body, const std::string& if_match) {
  HubRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.body = std::move(body);
  request.time_limit = kChangeTime;
  request.headers = {{"Content-Type", "application/json; charset=utf-8"}};
  if (!if_match.empty()) request.headers.emplace_back("If-Match", if_match);
  return hub.call(request);
}

Result<JsonDocument> read_configuration(HubClient& hub, const std::string& id) {
  HubRequest request;
  request.path = configuration_path(id);
  const auto answer = hub.call(request);
  if (!answer.ok()) {
    if (answer.error().code != ErrorCode::kConfigurationNotFound) return answer.error();
    return Error{ErrorCode::kConfigurationNotFound, "ConfigurationNotFound: there is no configuration " + id};
  }
  return parse_object(answer->body);
}

}  // namespace

Result<std::string> content_json(const std::string& given, const std::string& kind, Console& console) {
  const bool is_json = trim(given).starts_with('{') || given == "-";
  const auto text = read_content(is_json ? given : std::string(), is_json ? std::string() : given, console);
  if (!text.ok()) return text;
  const auto parsed = parse_json(*text);
  if (!parsed.ok()) return invalid_setting("the content: " + parsed.error().detail);
  const JsonValue* content = &*parsed;
  if (content->IsObject() && find_member(*content, "content") != nullptr) content = find_member(*content, "content");
  if (!content->IsObject()) return invalid_setting(fmt::format("the content is {}; expected an object", json_kind(*content)));
  for (const std::string_view each : kKinds) {
    if (find_member(*content, each) != nullptr) return to_json(*content);
  }
  JsonWriter json;
  json.object().member(kind).raw(to_json(*content)).end_object();
  return std::move(json).take();
}

Status create_configuration(HubClient& hub, const ConfigurationChange& wanted, const std::string& content, Console& console) {
  const auto body = body_of(wanted, nullptr, content);
  if (!body.ok()) return body.error();
  const auto answer = send(hub, "PUT", configuration_path(wanted.id), *body, {});
  if (!answer.ok()) return answer.error();
  console.print(wanted.json ? answer->body + "\n" : fmt::format("created the configuration {}\n", wanted.id));
  return {};
}

Status update_configuration(HubClient& hub, const ConfigurationChange& change, Console& console) {
  const auto old = read_configuration(hub, change.id);
  if (!old.ok()) return old.error();
  const JsonValue* content = find_member(*old, "content");
  const auto body = body_of(change, &*old, content == nullptr ? "null" : to_json(*content));
  if (!body.ok()) return body.error();
  const auto answer = send(hub, "PUT", configuration_path(change.id), *body, "\"" + text_at(*old, {"etag"}) + "\"");
  if (!answer.ok()) return answer.error();
  console.print(change.json ? answer->body + "\n" : fmt::format("updated the configuration {}\n", change.id));
  return {};
}

Status list_configurations(HubClient& hub, bool json, Console& console) {
  const auto body = hub.get("/configurations");
  if (!body.ok()) return body.error();
  if (json) {
    console.print(*body + "\n");
    return {};
  }
  const auto all = parse_array(*body);
  if (!all.ok()) return all.error();
  if (all->Empty()) {
    console.print("no configurations; make one with `nearhub config create ID --device CONTENT --target CONDITION`\n");
    return {};
  }
  Table table({"CONFIGURATION", "KIND", "PRIORITY", "TARGETED", "APPLIED", "TARGET"});
  for (const JsonValue& each : all->GetArray()) {
    table.add({text_at(each, {"id"}), kind_of(each), text_at(each, {"priority"}), text_at(each, {"systemMetrics", "results", "targetedCount"}),
               text_at(each, {"systemMetrics", "results", "appliedCount"}), text_at(each, {"targetCondition"})});
  }
  console.print(table.text());
  return {};
}

Status show_configuration(HubClient& hub, const std::string& id, bool json, Console& console) {
  const auto configuration = read_configuration(hub, id);
  if (!configuration.ok()) return configuration.error();
  console.print(json ? to_json(*configuration) + "\n" : configuration_text(*configuration));
  return {};
}

Status show_metrics(HubClient& hub, const std::string& id, bool json, Console& console) {
  const auto configuration = read_configuration(hub, id);
  if (!configuration.ok()) return configuration.error();
  Table table({"METRIC", "COUNT"});
  JsonWriter writer;
  writer.object();
  for (const std::string_view family : {"systemMetrics", "metrics"}) {
    const JsonValue* queries = find_path(*configuration, {family, "queries"});
    if (queries == nullptr || !queries->IsObject()) continue;
    for (const auto& query : queries->GetObject()) {
      const std::string_view name = string_of(query.name);
      const JsonValue* count = find_path(*configuration, {family, "results", name});
      table.add({std::string(name), count == nullptr ? "not counted" : to_json(*count)});
      writer.member(name).raw(count == nullptr ? "null" : to_json(*count));
    }
  }
  writer.end_object();
  console.print(json ? std::move(writer).take() + "\n" : table.text());
  return {};
}

Status delete_configuration(HubClient& hub, const std::string& id, Console& console) {
  const auto answer = send(hub, "DELETE", configuration_path(id), {}, {});
  if (!answer.ok()) {
    if (answer.error().code != ErrorCode::kConfigurationNotFound) return answer.error();
    return Error{ErrorCode::kConfigurationNotFound, "ConfigurationNotFound: there is no configuration " + id};
  }
  console.print(fmt::format("deleted the configuration {}; what it wrote into twins stays there\n", id));
  return {};
}

Status apply_configuration(HubClient& hub, const DeviceId& device, const std::string& content, Console& console) {
  const auto answer = send(hub, "POST", "/devices/" + percent_encode(device.view()) + "/applyConfigurationContent", content, {});
  if (!answer.ok()) return answer.error();
  console.print(fmt::format("applied the content to the modules of {}\n", device.str()));
  return {};
}

}  // namespace nearhub::tools
