#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "twin/digital_twin.h"

namespace nearhub::twin {
namespace {

constexpr std::string_view kMetadataMarker = "$metadata";
constexpr std::size_t kShownOfPath = 140;  // a component, a property, and what is around them

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_dtdl_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxDtdlNameBytes && is_letter(name.front()) && name.back() != '_' &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

// Sentences about one operation of the patch, counted from 1 as people do.
struct Place {
  std::size_t number;
  std::string_view path;  // as it was sent

  Error error(ErrorCode code, std::string_view what) const {
    return {code, fmt::format("operation {}, path \"{}\": {}", number, printable(path, kShownOfPath), what)};
  }
};

constexpr std::string_view kNameRule = "a name is 1 to 64 letters, digits and '_', a letter first and no '_' last (DTDL)";

// A name in a JSON pointer (RFC 6901): ~1 is '/', ~0 is '~', and there is no other '~'.
std::optional<std::string> unescape(std::string_view segment) {
  std::string name;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] != '~') {
      name += segment[i];
      continue;
    }
    if (++i == segment.size() || (segment[i] != '0' && segment[i] != '1')) return std::nullopt;
    name += segment[i] == '0' ? '~' : '/';
  }
  return name;
}

Status read_path(const Place& place, PatchOperation& operation) {
  constexpr ErrorCode kCode = ErrorCode::kInvalidDigitalTwinPatchPath;
  if (!place.path.starts_with('/')) return place.error(kCode, "expected /property, /component or /component/property");
  std::vector<std::string> names;
  for (std::optional<std::string_view> rest = place.path.substr(1); rest;) {
    const auto [segment, more] = split_once(*rest, '/');
    rest = more;
    if (names.size() == 2) return place.error(kCode, "it goes too deep; expected /property, /component or /component/property");
    auto name = unescape(segment);
    if (!name) return place.error(kCode, "'~' stands for '/' as ~1 and for itself as ~0, and nowhere else");
    if (!is_dtdl_name(*name)) return place.error(kCode, fmt::format("\"{}\" is no name; {}", printable(*name, kMaxDtdlNameBytes), kNameRule));
    names.push_back(std::move(*name));
  }
  operation.name = std::move(names.back());
  if (names.size() == 2) operation.component = std::move(names.front());
  return {};
}

// What a property may be set to. `levels`: of objects around it.
Status check_value(const Place& place, const Value& value, int levels) {
  constexpr ErrorCode kCode = ErrorCode::kInvalidDigitalTwinPayload;
  if (value.is_null()) return place.error(kCode, "a value is null; a property is cleared by the operation remove");
  if (value.is_array()) return place.error(kCode, "a value is an array, which a property cannot be");
  if (!value.is_object()) return {};
  if (levels == kMaxPropertyLevels) return place.error(kCode, fmt::format("a value has objects in more than {} levels", kMaxPropertyLevels));
  for (const auto& [name, member] : value.members()) {
    if (!is_dtdl_name(name)) {
      return place.error(kCode, fmt::format("the value has a member \"{}\"; {}", printable(name, kMaxDtdlNameBytes), kNameRule));
    }
    if (Status checked = check_value(place, member, levels + 1); !checked.ok()) return checked;
  }
  return {};
}

Status read_value(const Place& place, Value value, PatchOperation& operation) {
  if (Value* marker = value.find(kMetadataMarker); marker != nullptr && operation.component.empty()) {
    if (!marker->is_object() || !marker->members().empty()) {
      return place.error(ErrorCode::kInvalidDigitalTwinPayload, "a component's \"$metadata\" is the empty object {}");
    }
    value.erase(kMetadataMarker);
    operation.whole_component = true;
  }
  // A component is no level of its properties' values.
  if (Status checked = check_value(place, value, operation.whole_component ? -1 : 0); !checked.ok()) return checked;
  operation.value = std::move(value);
  return {};
}

Result<PatchOperation> read_operation(std::size_t number, Value& given) {
  const auto refuse = [number](std::string_view what) {
    return Error{ErrorCode::kInvalidDigitalTwinPatch, fmt::format("operation {}: {}", number, what)};
  };
  if (!given.is_object()) return refuse(fmt::format("it is {}; expected an object", kind_name(given.kind())));
  const auto text = [&given](std::string_view name) -> const std::string* {
    const Value* member = given.find(name);
    return member != nullptr && member->kind() == Value::Kind::kString ? &member->text() : nullptr;
  };
  PatchOperation operation;
  const std::string* op = text("op");
  if (op == nullptr) return refuse("op is missing; expected \"add\", \"replace\" or \"remove\"");
  if (*op != "add" && *op != "replace" && *op != "remove") {
    return refuse(fmt::format("op is \"{}\"; digital twins know add, replace and remove", printable(*op, 20)));
  }
  operation.kind = *op == "add" ? PatchOperation::kAdd : *op == "replace" ? PatchOperation::kReplace : PatchOperation::kRemove;
  const std::string* path = text("path");
  if (path == nullptr) return refuse("path is missing; expected \"/property\", \"/component\" or \"/component/property\"");
  const Place place{number, *path};
  if (Status read = read_path(place, operation); !read.ok()) return read.error();
  // The Java SDK sends null with remove.
  if (operation.kind == PatchOperation::kRemove) return operation;
  Value* value = given.find("value");
  if (value == nullptr) return refuse(fmt::format("{} needs a value", *op));
  if (Status read = read_value(place, std::move(*value), operation); !read.ok()) return read.error();
  return operation;
}

}  // namespace

Result<DigitalTwinPatch> parse_digital_twin_patch(std::string_view body) {
  auto parsed = parse_value(body);
  if (!parsed.ok()) return Error{ErrorCode::kInvalidDigitalTwinJsonPatch, parsed.error().detail};
  if (!parsed->is_array()) {
    return Error{ErrorCode::kInvalidDigitalTwinJsonPatch,
                 fmt::format("the body is {}; expected a JSON Patch: [{{\"op\":\"add\",\"path\":\"/...\",\"value\":...}}]", kind_name(parsed->kind()))};
  }
  if (parsed->elements().size() > kMaxPatchOperations) {
    return Error{ErrorCode::kInvalidDigitalTwinJsonPatch,
                 fmt::format("the patch has {} operations; at most {} are allowed", parsed->elements().size(), kMaxPatchOperations)};
  }
  DigitalTwinPatch patch;
  for (Value& each : parsed->elements()) {
    auto operation = read_operation(patch.size() + 1, each);
    if (!operation.ok()) return operation.error();
    patch.push_back(std::move(*operation));
  }
  return patch;
}

}  // namespace nearhub::twin
