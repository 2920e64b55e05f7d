#include "registry/identity.h"

#include "base/base64.h"
#include "base/time_format.h"

namespace nearhub::registry {
namespace {

void apply(Identity& identity, IdentityRequest&& request, Random& random) {
  identity.enabled = request.enabled.value_or(true);
  identity.status_reason = std::move(request.status_reason);
  identity.credentials = std::move(request.credentials);
  identity.managed_by = std::move(request.managed_by);
  if (identity.credentials.type == auth::AuthenticationType::kSas && identity.credentials.primary_key.empty()) {
    identity.credentials.primary_key = random.symmetric_key();
    identity.credentials.secondary_key = random.symmetric_key();
  }
}

}  // namespace

ETag Identity::etag() const { return ETag(base64_encode(std::to_string(etag_counter))); }

Identity create_identity(IdentityId id, IdentityRequest request, WallTime now, Random& random) {
  Identity identity;
  identity.id = std::move(id);
  identity.generation_id = GenerationId(std::to_string(dotnet_ticks(now)));
  identity.etag_counter = 100'000'000 + static_cast<std::int64_t>(random.next() % 900'000'000);
  apply(identity, std::move(request), random);
  return identity;
}

Identity replace_identity(const Identity& old, IdentityRequest request, WallTime now, Random& random) {
  Identity identity = old;
  ++identity.etag_counter;
  apply(identity, std::move(request), random);
  if (identity.enabled != old.enabled) identity.status_updated = now;
  return identity;
}

}  // namespace nearhub::registry
