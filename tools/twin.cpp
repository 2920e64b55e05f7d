#include "tools/twin.h"

#include <fmt/core.h>

#include "base/json_writer.h"
#include "tools/identity.h"
#include "tools/json_text.h"
#include "tools/table.h"
#include "tools/terminal_text.h"
#include "tools/time_text.h"

namespace nearhub::tools {
namespace {

// A section without what the hub keeps about it.
std::string section_text(const JsonValue& section) {
  JsonDocument copy;
  copy.CopyFrom(section, copy.GetAllocator());
  if (copy.IsObject()) {
    copy.RemoveMember("$metadata");
    copy.RemoveMember("$version");
  }
  return pretty_json(copy, 2) + "\n";
}

// A section of an update: an object, or null to empty it.
Status check_section(std::string_view name, const std::string& text) {
  const auto json = parse_json(text);
  if (!json.ok()) return invalid_setting(fmt::format("{}: {}", name, json.error().detail));
  if (!json->IsObject() && !json->IsNull()) {
    return invalid_setting(fmt::format("{} is {}; expected an object like {{\"interval\":10}}", name, json_kind(*json)));
  }
  return {};
}

Status print_twin(const std::string& body, bool json, Console& console) {
  if (json) {
    console.print(body + "\n");
    return {};
  }
  const auto twin = parse_object(body);
  if (!twin.ok()) return twin.error();
  console.print(twin_text(*twin));
  return {};
}

}  // namespace

Status show_twin(HubClient& hub, const IdentityId& id, bool json, Console& console) {
  const auto body = hub.get(twin_path(id));
  if (!body.ok()) return body.error();
  return print_twin(*body, json, console);
}

Result<std::string> twin_update_body(const TwinUpdate& update) {
  if (!update.body.empty()) {
    const auto json = parse_json(update.body);
    if (!json.ok()) return invalid_setting("the update: " + json.error().detail);
    if (!json->IsObject()) {
      return invalid_setting(fmt::format("the update is {}; expected {{\"tags\":...,\"properties\":{{\"desired\":...}}}}",
                                 json_kind(*json)));
    }
    if (find_path(*json, {"tags"}) == nullptr && find_path(*json, {"properties", "desired"}) == nullptr) {
      return invalid_setting("the update has neither tags nor properties.desired, so it would change nothing; for desired "
                     "properties alone give --desired '{...}'");
    }
    return update.body;
  }
  JsonWriter json;
  json.object();
  if (update.tags) {
    if (Status status = check_section("--tags", *update.tags); !status.ok()) return status.error();
    json.member("tags").raw(*update.tags);
  }
  if (update.desired) {
    if (Status status = check_section("--desired", *update.desired); !status.ok()) return status.error();
    json.member("properties").object().member("desired").raw(*update.desired).end_object();
  }
  if (!update.tags && !update.desired) {
    return invalid_setting("nothing to send: give --desired '{...}', --tags '{...}', or the whole update as an argument");
  }
  json.end_object();
  return std::move(json).take();
}

Status update_twin(HubClient& hub, const TwinUpdate& update, Console& console) {
  auto body = twin_update_body(update);
  if (!body.ok()) return body.error();
  HubRequest request;
  request.method = update.replace ? "PUT" : "PATCH";
  request.path = twin_path(update.id);
  request.body = std::move(*body);
  if (!update.etag.empty()) request.headers.emplace_back("If-Match", "\"" + update.etag + "\"");
  const auto answer = hub.call(request);
  if (!answer.ok()) return answer.error();
  return print_twin(answer->body, update.json, console);
}

std::string twin_text(const JsonValue& twin) {
  Fields fields;
  fields.add("device", text_at(twin, {"deviceId"}));
  fields.add("module", text_at(twin, {"moduleId"}));
  fields.add("model", text_at(twin, {"modelId"}));
  fields.add("status", fmt::format("{}, {}, last activity {}", text_at(twin, {"status"}),
                                   text_at(twin, {"connectionState"}), show_time(text_at(twin, {"lastActivityTime"}))));
  fields.add("version", fmt::format("{}, etag {}", text_at(twin, {"version"}), text_at(twin, {"etag"})));
  if (const JsonValue* configurations = find_path(twin, {"configurations"}); configurations != nullptr && configurations->IsObject()) {
    std::string states;
    for (const auto& each : configurations->GetObject()) {
      states += fmt::format("{}{} {}", states.empty() ? "" : ", ", string_of(each.name), text_at(each.value, {"status"}));
    }
    fields.add("configs", states);
  }
  std::string text = fields.text();
  if (const JsonValue* tags = find_path(twin, {"tags"})) text += "tags\n" + section_text(*tags);
  for (const char* name : {"desired", "reported"}) {
    const JsonValue* section = find_path(twin, {"properties", name});
    if (section == nullptr) continue;
    text +=
        fmt::format("{}, $version {}\n", name, terminal_text(text_at(*section, {"$version"}))) + section_text(*section);
  }
  return text;
}

}  // namespace nearhub::tools
