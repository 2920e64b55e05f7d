#include "broker/seed.h"

#include <fmt/core.h>

#include <memory>
#include <set>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "hub/shard.h"
#include "registry/identity_json.h"

namespace nearhub::broker {
namespace {

Error invalid(std::string detail) { return {ErrorCode::kInvalidSetting, "seed file: " + std::move(detail)}; }

bool names_keys(const JsonValue& document) {
  const JsonValue* authentication = find_member(document, "authentication");
  return authentication != nullptr && authentication->IsObject() &&
         (find_member(*authentication, "symmetricKey") != nullptr || find_member(*authentication, "x509Thumbprint") != nullptr);
}

Result<SeedIdentity> parse_identity(const JsonValue& document, IdentityId id) {
  auto request = registry::parse_identity_request(to_json(document), id);
  if (!request.ok()) return invalid(id.text() + ": " + request.error().detail);
  SeedIdentity identity;
  identity.id = std::move(id);
  identity.request = std::move(*request);
  identity.names_keys = names_keys(document);
  if (const JsonValue* twin = find_member(document, "twin")) {
    auto update = twin::parse_update(to_json(*twin));
    if (!update.ok()) return invalid(identity.id.text() + ": twin: " + update.error().detail);
    identity.twin = std::move(*update);
  }
  return identity;
}

Result<std::string> id_member(const JsonValue& document, std::string_view name, std::string_view where) {
  if (!document.IsObject()) return invalid(fmt::format("{} is {}; expected an object", where, json_kind(document)));
  const JsonValue* id = find_member(document, name);
  if (id == nullptr || !id->IsString()) return invalid(fmt::format("{} has no {}", where, name));
  std::string text(string_of(*id));
  if (Status status = check_id(text, name); !status.ok()) return invalid(fmt::format("{}: {}", where, status.error().detail));
  return text;
}

// One identity after the other, each on its home loop.
struct Applying {
  const hub::Hub& hub;
  std::vector<SeedIdentity> seed;
  UniqueFunction<void(Result<std::vector<registry::Identity>>)> done;
  std::vector<registry::Identity> devices;
  std::size_t at = 0;
};

void apply_next(const std::shared_ptr<Applying>& applying);

void fail(const std::shared_ptr<Applying>& applying, const Error& error) {
  applying->done(invalid(applying->seed[applying->at].id.text() + ": " + error.detail));
}

void accept(const std::shared_ptr<Applying>& applying, registry::Identity identity) {
  if (!identity.id.is_module()) applying->devices.push_back(std::move(identity));
  ++applying->at;
  apply_next(applying);
}

bool says_the_same(const SeedIdentity& seed, const registry::Identity& stored) {
  const registry::IdentityRequest& request = seed.request;
  return stored.enabled == request.enabled.value_or(true) && stored.status_reason == request.status_reason && stored.managed_by == request.managed_by &&
         stored.credentials == request.credentials;
}

// Identity and twin in one step: a start that is cut off leaves both or none.
void create(const std::shared_ptr<Applying>& applying, hub::Shard& shard) {
  const SeedIdentity& seed = applying->seed[applying->at];
  hub::ImportOperation operation;
  operation.id = seed.id;
  operation.request = seed.request;
  operation.twin = seed.twin;
  shard.import(std::move(operation), [applying, &shard](const Result<std::monostate>& made) {
    if (!made.ok()) return fail(applying, made.error());
    shard.get_identity(applying->seed[applying->at].id, [applying](Result<hub::IdentityView> created) {
      if (!created.ok()) return fail(applying, created.error());
      accept(applying, std::move(created->identity));
    });
  });
}

void apply_next(const std::shared_ptr<Applying>& applying) {
  if (applying->at == applying->seed.size()) return applying->done(std::move(applying->devices));
  const IdentityId& id = applying->seed[applying->at].id;
  hub::Shard& shard = applying->hub.shard(applying->hub.home_of(id.device));
  shard.executor().post([applying, &shard] {
    SeedIdentity& seed = applying->seed[applying->at];
    shard.get_identity(seed.id, [applying, &shard](Result<hub::IdentityView> found) {
      SeedIdentity& wanted = applying->seed[applying->at];
      if (!found.ok()) {
        const bool missing = found.error().code == ErrorCode::kDeviceNotFound || found.error().code == ErrorCode::kModuleNotFound;
        return missing ? create(applying, shard) : fail(applying, found.error());
      }
      if (wanted.only_create) return accept(applying, std::move(found->identity));
      // Keys that the seed leaves open are those that the identity has.
      if (!wanted.names_keys && wanted.request.credentials.type == found->identity.credentials.type) {
        wanted.request.credentials = found->identity.credentials;
      }
      if (says_the_same(wanted, found->identity)) return accept(applying, std::move(found->identity));
      shard.put_identity(wanted.id, wanted.request, {hub::Condition::kAny, {}}, [applying](Result<hub::IdentityView> updated) {
        if (!updated.ok()) return fail(applying, updated.error());
        accept(applying, std::move(updated->identity));
      });
    });
  });
}

}  // namespace

Result<std::vector<SeedIdentity>> parse_seed(std::string_view text) {
  const auto parsed = parse_json(text);
  if (!parsed.ok()) return invalid(parsed.error().detail);
  if (!parsed->IsObject()) return invalid(fmt::format("it is {}; expected an object with \"devices\"", json_kind(*parsed)));
  const JsonValue* devices = find_member(*parsed, "devices");
  if (devices == nullptr || !devices->IsArray()) return invalid("\"devices\" is missing or no array");
  std::vector<SeedIdentity> identities;
  std::set<std::string> seen;
  for (rapidjson::SizeType i = 0; i < devices->Size(); ++i) {
    const JsonValue& device = (*devices)[i];
    auto device_id = id_member(device, "deviceId", fmt::format("devices[{}]", i));
    if (!device_id.ok()) return std::move(device_id).error();
    auto identity = parse_identity(device, {DeviceId(*device_id), ModuleId()});
    if (!identity.ok()) return std::move(identity).error();
    if (!seen.insert(*device_id).second) return invalid(fmt::format("device {} stands there twice", *device_id));
    identities.push_back(std::move(*identity));
    const JsonValue* modules = find_member(device, "modules");
    if (modules == nullptr) continue;
    if (!modules->IsArray()) return invalid(fmt::format("{}: modules is {}; expected an array", *device_id, json_kind(*modules)));
    for (rapidjson::SizeType k = 0; k < modules->Size(); ++k) {
      auto module_id = id_member((*modules)[k], "moduleId", fmt::format("{}: modules[{}]", *device_id, k));
      if (!module_id.ok()) return std::move(module_id).error();
      auto module = parse_identity((*modules)[k], {DeviceId(*device_id), ModuleId(*module_id)});
      if (!module.ok()) return std::move(module).error();
      if (!seen.insert(module->id.text()).second) return invalid(fmt::format("module {} stands there twice", module->id.text()));
      identities.push_back(std::move(*module));
    }
  }
  return identities;
}

void apply_seed(const hub::Hub& hub, std::vector<SeedIdentity> seed, UniqueFunction<void(Result<std::vector<registry::Identity>>)> done) {
  // Shared by the answers of one identity's operations, which follow each other.
  apply_next(std::make_shared<Applying>(Applying{hub, std::move(seed), std::move(done), {}}));
}

}  // namespace nearhub::broker
