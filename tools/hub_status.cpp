#include "tools/hub_status.h"

#include <fmt/core.h>

#include "base/json_writer.h"
#include "base/time_format.h"
#include "tools/json_text.h"
#include "tools/table.h"
#include "tools/time_text.h"

namespace nearhub::tools {
namespace {

Result<JsonDocument> get_status(HubClient& hub) {
  const auto body = hub.get("/_nearhub/status");
  if (!body.ok()) return body.error();
  return parse_object(*body);
}

}  // namespace

Status show_status(HubClient& hub, bool json, Console& console) {
  if (json) {
    const auto body = hub.get("/_nearhub/status");
    if (!body.ok()) return body.error();
    console.print(*body + "\n");
    return {};
  }
  const auto status = get_status(hub);
  if (!status.ok()) return status.error();
  console.print(status_text(*status));
  return {};
}

std::string status_text(const JsonValue& status) {
  Fields fields;
  fields.add("hub", text_at(status, {"hostName"}));
  std::string names;
  if (const JsonValue* all = find_path(status, {"hostNames"}); all != nullptr && all->IsArray()) {
    for (const JsonValue& name : all->GetArray()) names += (names.empty() ? "" : ", ") + text_at(name, {});
  }
  fields.add("names", names);
  fields.add("MQTT", text_at(status, {"endpoints", "mqtts"}));
  fields.add("HTTPS", text_at(status, {"endpoints", "https"}));
  fields.add("CA file", text_at(status, {"caFile"}));
  fields.add("version", fmt::format("{}, process {}", text_at(status, {"version"}), text_at(status, {"pid"})));
  const auto started = parse_iso8601(text_at(status, {"startedTime"})), now = parse_iso8601(text_at(status, {"time"}));
  if (started && now) fields.add("started", fmt::format("{} ({})", show_time(*started), relative_time(*started, *now)));
  fields.add("time", show_time(text_at(status, {"time"})));
  fields.add("loops", text_at(status, {"loops"}));
  fields.add("connections", text_at(status, {"connections"}));
  const std::int64_t refusals = integer_at(status, {"refusals"});
  fields.add("refusals", fmt::format("{}{}", refusals, refusals == 0 ? "" : ", see `nearhub why`"));
  return fields.text();
}

Status advance_clock(HubClient& hub, double seconds, Console& console) {
  JsonWriter json;
  json.object().member("advanceSeconds").number(seconds).end_object();
  HubRequest request;
  request.method = "POST";
  request.path = "/_nearhub/clock";
  request.body = std::move(json).take();
  if (const auto answer = hub.call(request); !answer.ok()) return answer.error();
  const auto status = get_status(hub);
  if (!status.ok()) return status.error();
  console.print(fmt::format("the hub's time is now {}\n", show_time(text_at(*status, {"time"}))));
  return {};
}

}  // namespace nearhub::tools
