// One entry of a bulk request or of an import file: an identity and what is to happen to it (reference/service-rest.md 5.4 and 8).
//
// THREAD: a value type.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "registry/identity.h"

namespace nearhub::registry {

enum class ImportMode : std::uint8_t {
  kCreate,
  kUpdate,
  kUpdateIfMatchETag,
  kDelete,
  kDeleteIfMatchETag,
  kCreateOrUpdate,
  kCreateOrUpdateIfMatchETag,
  kUpdateTwin,
  kUpdateTwinIfMatchETag,
};

std::string_view import_mode_text(ImportMode mode);  // "updateIfMatchETag"
// In any case: clients write "Update", "create" and "deleteIfMatchEtag".
std::optional<ImportMode> parse_import_mode(std::string_view text);

struct ImportItem {
  IdentityId id;
  std::optional<ImportMode> mode;  // absent: the caller's default
  std::string etag;                // without quotes; empty when not given, "*" for any
  std::string twin_etag;
  IdentityRequest request;
  // Whether a twin is to be read from the entry (twin::parse_import): its members stand there and the mode writes twins.
  bool names_twin = false;
};

// The ids of an entry, for errors about one that cannot be read: as far as they are strings, otherwise empty.
struct NamedIds {
  std::string device, module;
};
NamedIds named_ids(const JsonValue& entry);

// Member names count in any case. Fails with kArgumentInvalid and a sentence that names the member. The identity's members are read for the modes
// that write an identity, the twin's for those that can write a twin: others may stand there, as clients send whole documents back.
Result<ImportItem> parse_import_item(const JsonValue& entry);

}  // namespace nearhub::registry
