#include "hub/import_operation.h"

#include <utility>

namespace nearhub::hub {
namespace {

using registry::ImportMode;

Condition condition_of(std::string etag) {
  if (etag.empty() || etag == "*") return {Condition::kAny, {}};
  return {Condition::kEtag, std::move(etag)};
}

bool only_twin(ImportMode mode) { return mode == ImportMode::kUpdateTwin || mode == ImportMode::kUpdateTwinIfMatchETag; }

}  // namespace

Result<ImportOperation> parse_import_operation(const JsonValue& entry, std::string_view text, ImportMode otherwise) {
  auto item = registry::parse_import_item(entry);
  if (!item.ok()) return std::move(item).error();
  ImportMode mode = item->mode.value_or(otherwise);
  if (item->id.is_module() && item->id.module.view().starts_with('$') && !only_twin(mode)) {
    // The hub makes and deletes them; their twins hold an edge deployment, which an exported file brings back.
    const bool deletes = mode == ImportMode::kDelete || mode == ImportMode::kDeleteIfMatchETag;
    if (deletes || !registry::is_edge_module(item->id.module)) {
      return Error{ErrorCode::kArgumentInvalid, "module ids that begin with '$' are the hub's own"};
    }
    mode = ImportMode::kUpdateTwin;
  }
  ImportOperation operation{item->id, mode, {Condition::kAny, {}}, {Condition::kAny, {}}, std::move(item->request), std::nullopt, std::nullopt};
  const bool by_etag = mode == ImportMode::kUpdateIfMatchETag || mode == ImportMode::kDeleteIfMatchETag || mode == ImportMode::kCreateOrUpdateIfMatchETag;
  if (by_etag) {
    if (item->etag.empty() && mode != ImportMode::kCreateOrUpdateIfMatchETag) return Error{ErrorCode::kPreconditionFailed, "eTag is missing: give the identity's, or *"};
    operation.condition = condition_of(std::move(item->etag));
  }
  // A twin's etag counts by itself, whatever the mode says of the identity's; but for the mode that says it does not.
  if (mode != ImportMode::kUpdateTwin) operation.twin_condition = condition_of(std::move(item->twin_etag));
  if (item->names_twin) {
    auto twin = twin::parse_import(text);
    if (!twin.ok()) return std::move(twin).error();
    if (twin->update.tags || twin->update.desired) operation.twin = std::move(twin->update);
    operation.initial_reported = std::move(twin->reported);
  }
  return operation;
}

}  // namespace nearhub::hub
