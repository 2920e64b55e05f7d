#include "service/import_operation.h"

#include <utility>

namespace nearhub::service {
namespace {

using registry::ImportMode;

hub::Condition condition_of(std::string etag) {
  if (etag.empty() || etag == "*") return {hub::Condition::kAny, {}};
  return {hub::Condition::kEtag, std::move(etag)};
}

}  // namespace

Result<hub::ImportOperation> parse_import_operation(const JsonValue& entry, ImportMode otherwise) {
  auto item = registry::parse_import_item(entry);
  if (!item.ok()) return std::move(item).error();
  const ImportMode mode = item->mode.value_or(otherwise);
  hub::ImportOperation operation{item->id, mode, {hub::Condition::kAny, {}}, {hub::Condition::kAny, {}}, std::move(item->request), std::nullopt};
  if (item->id.is_module() && item->id.module.view().starts_with('$') && mode != ImportMode::kUpdateTwin && mode != ImportMode::kUpdateTwinIfMatchETag) {
    return Error{ErrorCode::kArgumentInvalid, "module ids that begin with '$' are the hub's own"};
  }
  const bool by_etag = mode == ImportMode::kUpdateIfMatchETag || mode == ImportMode::kDeleteIfMatchETag || mode == ImportMode::kCreateOrUpdateIfMatchETag;
  if (by_etag) {
    if (item->etag.empty() && mode != ImportMode::kCreateOrUpdateIfMatchETag) return Error{ErrorCode::kPreconditionFailed, "eTag is missing: give the identity's, or *"};
    operation.condition = condition_of(std::move(item->etag));
  }
  // A twin's etag counts by itself, whatever the mode says of the identity's; but for the mode that says it does not.
  if (mode != ImportMode::kUpdateTwin) operation.twin_condition = condition_of(std::move(item->twin_etag));
  if (!item->twin_json.empty()) {
    auto update = twin::parse_update(item->twin_json);
    if (!update.ok()) return std::move(update).error();
    operation.twin = std::move(*update);
  }
  return operation;
}

}  // namespace nearhub::service
