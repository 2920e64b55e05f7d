#include "registry/import_item.h"

#include <fmt/core.h>

#include <array>
#include <utility>

#include "base/text.h"
#include "registry/identity_json.h"

namespace nearhub::registry {
namespace {

constexpr std::array<std::pair<ImportMode, std::string_view>, 9> kModes = {{
    {ImportMode::kCreate, "create"},
    {ImportMode::kUpdate, "update"},
    {ImportMode::kUpdateIfMatchETag, "updateIfMatchETag"},
    {ImportMode::kDelete, "delete"},
    {ImportMode::kDeleteIfMatchETag, "deleteIfMatchETag"},
    {ImportMode::kCreateOrUpdate, "createOrUpdate"},
    {ImportMode::kCreateOrUpdateIfMatchETag, "createOrUpdateIfMatchETag"},
    {ImportMode::kUpdateTwin, "updateTwin"},
    {ImportMode::kUpdateTwinIfMatchETag, "updateTwinIfMatchETag"},
}};

// Null is as good as absent.
const JsonValue* member_in_any_case(const JsonValue& object, std::string_view name) {
  for (const auto& member : object.GetObject()) {
    if (equals_ignoring_case(string_of(member.name), name)) return member.value.IsNull() ? nullptr : &member.value;
  }
  return nullptr;
}

Result<std::string> text_member(const JsonValue& object, std::string_view name) {
  const JsonValue* member = member_in_any_case(object, name);
  if (member == nullptr) return std::string();
  if (!member->IsString()) return invalid_argument(fmt::format("{} is {}; expected a string", name, json_kind(*member)));
  return std::string(string_of(*member));
}

Result<std::string> etag_member(const JsonValue& object, std::string_view name) {
  auto etag = text_member(object, name);
  if (etag.ok() && etag->size() >= 2 && etag->front() == '"' && etag->back() == '"') *etag = etag->substr(1, etag->size() - 2);
  return etag;
}

bool writes_identity(std::optional<ImportMode> mode) {
  return !mode || *mode == ImportMode::kCreate || *mode == ImportMode::kUpdate || *mode == ImportMode::kUpdateIfMatchETag ||
         *mode == ImportMode::kCreateOrUpdate || *mode == ImportMode::kCreateOrUpdateIfMatchETag;
}

bool deletes(std::optional<ImportMode> mode) { return mode && (*mode == ImportMode::kDelete || *mode == ImportMode::kDeleteIfMatchETag); }

}  // namespace

std::string_view import_mode_text(ImportMode mode) {
  for (const auto& [known, text] : kModes) {
    if (known == mode) return text;
  }
  return "create";
}

std::optional<ImportMode> parse_import_mode(std::string_view text) {
  for (const auto& [mode, known] : kModes) {
    if (equals_ignoring_case(text, known)) return mode;
  }
  return std::nullopt;
}

NamedIds named_ids(const JsonValue& entry) {
  NamedIds ids;
  if (!entry.IsObject()) return ids;
  const auto text = [&entry](std::string_view name) {
    const JsonValue* member = member_in_any_case(entry, name);
    return member != nullptr && member->IsString() ? printable(string_of(*member), kMaxIdLength) : std::string();
  };
  ids.device = text("id");
  ids.module = text("moduleId");
  return ids;
}

Result<ImportItem> parse_import_item(const JsonValue& entry) {
  if (!entry.IsObject()) return invalid_argument(fmt::format("an entry is {}; expected an object", json_kind(entry)));
  ImportItem item;
  auto device = text_member(entry, "id");
  if (!device.ok()) return std::move(device).error();
  auto module = text_member(entry, "moduleId");
  if (!module.ok()) return std::move(module).error();
  if (Status status = check_id(*device, "id"); !status.ok()) return status.error();
  if (!module->empty()) {
    if (Status status = check_id(*module, "moduleId"); !status.ok()) return status.error();
  }
  item.id = {DeviceId(std::move(*device)), ModuleId(std::move(*module))};

  auto mode = text_member(entry, "importMode");
  if (!mode.ok()) return std::move(mode).error();
  if (!mode->empty()) {
    item.mode = parse_import_mode(*mode);
    if (!item.mode) return invalid_argument(fmt::format("importMode is \"{}\", which is none of create, update, delete, createOrUpdate, updateTwin and their IfMatchETag forms", printable(*mode, 40)));
  }
  auto etag = etag_member(entry, "eTag");
  if (!etag.ok()) return std::move(etag).error();
  item.etag = std::move(*etag);
  auto twin_etag = etag_member(entry, "twinETag");
  if (!twin_etag.ok()) return std::move(twin_etag).error();
  item.twin_etag = std::move(*twin_etag);

  if (writes_identity(item.mode)) {
    auto request = read_identity_request(entry, item.id, MemberNames::kInAnyCase);
    if (!request.ok()) return std::move(request).error();
    item.request = std::move(*request);
    item.request.keeps_scope = true;
  }
  item.names_twin = !deletes(item.mode) && (member_in_any_case(entry, "tags") != nullptr || member_in_any_case(entry, "properties") != nullptr);
  return item;
}

}  // namespace nearhub::registry
