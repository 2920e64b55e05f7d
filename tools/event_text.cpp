#include "tools/event_text.h"

#include "base/ids.h"
#include "tools/json_text.h"
#include "tools/table.h"
#include "tools/terminal_text.h"
#include "tools/time_text.h"

namespace nearhub::tools {
namespace {

std::string sender(const JsonValue& event) {
  return IdentityId{DeviceId(text_at(event, {"deviceId"})), ModuleId(text_at(event, {"moduleId"}))}.text();
}

// "name=value name=value"; a property without a value is its name alone.
std::string words(const JsonValue& event, std::string_view section) {
  std::string text;
  const JsonValue* members = find_path(event, {section});
  if (members == nullptr || !members->IsObject()) return text;
  for (const auto& member : members->GetObject()) {
    if (!text.empty()) text += ' ';
    text += terminal_word(string_of(member.name));
    if (!member.value.IsNull()) {
      text +=
          "=" + terminal_word(member.value.IsString() ? std::string(string_of(member.value)) : to_json(member.value));
    }
  }
  return text;
}

std::string body_line(const JsonValue& event) {
  if (const JsonValue* body = find_path(event, {"body"})) {
    return terminal_text(body->IsString() ? std::string(string_of(*body)) : to_json(*body));
  }
  return "base64:" + terminal_text(text_at(event, {"bodyBase64"}));
}

void add_section(std::string& out, const JsonValue& event, const char* section, const char* title) {
  const JsonValue* members = find_path(event, {section});
  if (members == nullptr || !members->IsObject() || members->MemberCount() == 0) return;
  out.append("  ").append(title).append("\n");
  Fields fields(4);
  for (const auto& member : members->GetObject()) {
    const std::string value = member.value.IsString() ? std::string(string_of(member.value)) : to_json(member.value);
    fields.add(terminal_text(string_of(member.name)), value.empty() ? "\"\"" : value);
  }
  out += fields.text();
}

}  // namespace

std::string event_line(const JsonValue& event) {
  std::string line = show_time(text_at(event, {"enqueuedTime"})) + "  " + terminal_text(sender(event));
  // What the hub says itself.
  const std::string source = text_at(event, {"annotations", "iothub-message-source"});
  if (!source.empty() && source != "Telemetry") line += "  <" + terminal_text(source) + ">";
  if (const std::string properties = words(event, "properties"); !properties.empty()) line += "  " + properties;
  if (const std::string system = words(event, "systemProperties"); !system.empty()) line += "  [" + system + "]";
  return line + "  " + body_line(event) + "\n";
}

std::string event_block(const JsonValue& event) {
  std::string text = show_time(text_at(event, {"enqueuedTime"})) + "  " + terminal_text(sender(event)) + "\n";
  add_section(text, event, "properties", "properties");
  add_section(text, event, "systemProperties", "system properties");
  add_section(text, event, "annotations", "annotations");
  const JsonValue* body = find_path(event, {"body"});
  text += "  body\n";
  text += body != nullptr && !body->IsString() ? pretty_json(*body, 4) : "    " + body_line(event);
  return text + "\n\n";
}

}  // namespace nearhub::tools
