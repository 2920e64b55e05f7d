#include "tools/json_text.h"

#include <fmt/core.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include "tools/terminal_text.h"

namespace nearhub::tools {
namespace {

Error malformed(std::string_view what) { return {ErrorCode::kMalformed, fmt::format("the hub's answer: {}", what)}; }

}  // namespace

Result<JsonDocument> parse_object(std::string_view body) {
  auto json = parse_json(body);
  if (!json.ok()) return malformed(json.error().detail);
  if (!json->IsObject()) return malformed(fmt::format("{} where an object was expected", json_kind(*json)));
  return json;
}

Result<JsonDocument> parse_array(std::string_view body) {
  auto json = parse_json(body);
  if (!json.ok()) return malformed(json.error().detail);
  if (!json->IsArray()) return malformed(fmt::format("{} where an array was expected", json_kind(*json)));
  return json;
}

const JsonValue* find_path(const JsonValue& value, std::initializer_list<std::string_view> names) {
  const JsonValue* at = &value;
  for (const std::string_view name : names) {
    if (at == nullptr || !at->IsObject()) return nullptr;
    at = find_member(*at, name);
  }
  return at;
}

std::string text_at(const JsonValue& value, std::initializer_list<std::string_view> names) {
  const JsonValue* found = find_path(value, names);
  if (found == nullptr || found->IsNull()) return {};
  return found->IsString() ? std::string(string_of(*found)) : to_json(*found);
}

std::int64_t integer_at(const JsonValue& value, std::initializer_list<std::string_view> names, std::int64_t fallback) {
  const JsonValue* found = find_path(value, names);
  return found != nullptr && found->IsInt64() ? found->GetInt64() : fallback;
}

std::string pretty_json(const JsonValue& value, std::size_t indent) {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 2);
  value.Accept(writer);
  std::string out;
  std::string_view rest(buffer.GetString(), buffer.GetSize());
  while (true) {
    const std::size_t end = rest.find('\n');
    out.append(indent, ' ').append(terminal_text(rest.substr(0, end)));
    if (end == std::string_view::npos) return out;
    out += '\n';
    rest.remove_prefix(end + 1);
  }
}

}  // namespace nearhub::tools
