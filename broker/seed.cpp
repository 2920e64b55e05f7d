#include "broker/seed.h"

#include <fmt/core.h>

#include <filesystem>
#include <memory>
#include <set>
#include <utility>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "broker/data_folder.h"
#include "hub/certificate_authorities.h"
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
  if (const JsonValue* parent = find_member(document, "parent"); parent != nullptr && !parent->IsNull()) {
    if (identity.id.is_module()) return invalid(identity.id.text() + ": a module has no parent of its own");
    if (!parent->IsString()) return invalid(fmt::format("{}: parent is {}; expected the id of an edge device", identity.id.text(), json_kind(*parent)));
    if (Status status = check_id(string_of(*parent), "parent"); !status.ok()) return invalid(identity.id.text() + ": " + status.error().detail);
    identity.parent = DeviceId(string_of(*parent));
  }
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

Result<SeedAuthority> parse_authority(const JsonValue& document, const std::string& where, const std::string& folder) {
  if (!document.IsObject()) return invalid(fmt::format("{} is {}; expected an object", where, json_kind(document)));
  const JsonValue* name = find_member(document, "name");
  const JsonValue* certificate = find_member(document, "certificate");
  const JsonValue* verified = find_member(document, "isVerified");
  if (name == nullptr || !name->IsString()) return invalid(where + " has no name");
  const std::string text(string_of(*name));
  if (Status status = registry::check_authority_name(text); !status.ok()) return invalid(where + ": " + status.error().detail);
  if (certificate == nullptr || !certificate->IsString()) return invalid(text + " has no certificate: give PEM text, or the path of a file");
  if (verified != nullptr && !verified->IsBool()) return invalid(fmt::format("{}: isVerified is {}; expected true or false", text, json_kind(*verified)));
  std::string content(string_of(*certificate));
  if (content.find("-----BEGIN ") == std::string::npos) {
    auto file = read_file((std::filesystem::path(folder) / content).string());
    if (!file.ok()) return invalid(text + ": " + file.error().detail);
    content = file->find("-----BEGIN ") == std::string::npos ? base64_encode(*file) : std::move(*file);
  }
  auto request = registry::authority_request(content, verified == nullptr || verified->IsTrue());
  if (!request.ok()) return invalid(text + ": " + request.error().detail);
  return SeedAuthority{text, std::move(*request)};
}

// The authorities first, so that what devices prove themselves by is there before them; then one identity after the other, each on its home loop.
struct Applying {
  const hub::Hub& hub;
  std::vector<SeedAuthority> authorities;
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
         stored.credentials == request.credentials && stored.iot_edge == request.iot_edge && stored.parent_scope == request.parent_scope();
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

void apply_identity(const std::shared_ptr<Applying>& applying);

void apply_next(const std::shared_ptr<Applying>& applying) {
  if (applying->at == applying->seed.size()) return applying->done(std::move(applying->devices));
  const std::optional<DeviceId>& parent = applying->seed[applying->at].parent;
  if (!parent) return apply_identity(applying);
  // A scope has the generation id of its device in it, which a file cannot know: it names the device.
  hub::Shard& shard = applying->hub.shard(applying->hub.home_of(*parent));
  shard.executor().post([applying, &shard] {
    SeedIdentity& seed = applying->seed[applying->at];
    shard.get_identity({*seed.parent, ModuleId()}, [applying](const Result<hub::IdentityView>& found) {
      SeedIdentity& wanted = applying->seed[applying->at];
      if (!found.ok() || !found->identity.iot_edge) {
        return fail(applying, {ErrorCode::kInvalidDeviceScope, fmt::format("parent {} is no edge device; it must stand before its children", wanted.parent->str())});
      }
      if (wanted.request.iot_edge) {
        wanted.request.parent_scopes = {found->identity.device_scope};
      } else {
        wanted.request.device_scope = found->identity.device_scope;
      }
      apply_identity(applying);
    });
  });
}

void apply_identity(const std::shared_ptr<Applying>& applying) {
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
      if (found->identity.iot_edge && wanted.request.iot_edge) wanted.request.device_scope = found->identity.device_scope;
      if (says_the_same(wanted, found->identity)) return accept(applying, std::move(found->identity));
      shard.put_identity(wanted.id, wanted.request, {hub::Condition::kAny, {}}, [applying](Result<hub::IdentityView> updated) {
        if (!updated.ok()) return fail(applying, updated.error());
        accept(applying, std::move(updated->identity));
      });
    });
  });
}

void apply_next_authority(const std::shared_ptr<Applying>& applying) {
  if (applying->authorities.empty()) return apply_next(applying);
  const SeedAuthority& wanted = applying->authorities.back();
  hub::CertificateAuthorities& registered = applying->hub.authorities();
  const auto found = registered.find(wanted.name);
  const bool same = found.ok() && found->certificate == wanted.request.certificate.der() && found->verified == wanted.request.verified;
  if (same) {
    applying->authorities.pop_back();
    return apply_next_authority(applying);
  }
  const hub::Condition condition{found.ok() ? hub::Condition::kAny : hub::Condition::kAbsent, {}};
  const std::string name = wanted.name;
  registered.put(name, std::move(applying->authorities.back().request), condition, [applying, name](const Result<registry::CertificateAuthority>& made) {
    if (!made.ok()) return applying->done(invalid(name + ": " + made.error().detail));
    applying->authorities.pop_back();
    apply_next_authority(applying);
  });
}

// A member that is an array, or absent.
Result<const JsonValue*> array_member(const JsonValue& document, std::string_view name) {
  const JsonValue* member = find_member(document, name);
  if (member != nullptr && !member->IsArray()) return invalid(fmt::format("\"{}\" is {}; expected an array", name, json_kind(*member)));
  return member;
}

}  // namespace

Result<Seed> parse_seed(std::string_view text, const std::string& folder) {
  const auto parsed = parse_json(text);
  if (!parsed.ok()) return invalid(parsed.error().detail);
  if (!parsed->IsObject()) return invalid(fmt::format("it is {}; expected an object with \"devices\"", json_kind(*parsed)));
  const auto authorities = array_member(*parsed, "certificateAuthorities");
  if (!authorities.ok()) return authorities.error();
  Seed seed;
  std::set<std::string> seen;
  for (rapidjson::SizeType i = 0; *authorities != nullptr && i < (*authorities)->Size(); ++i) {
    auto authority = parse_authority((**authorities)[i], fmt::format("certificateAuthorities[{}]", i), folder);
    if (!authority.ok()) return std::move(authority).error();
    if (!seen.insert(authority->name).second) return invalid(fmt::format("certificate authority {} stands there twice", authority->name));
    seed.authorities.push_back(std::move(*authority));
  }
  seen.clear();
  const JsonValue* devices = find_member(*parsed, "devices");
  if (devices == nullptr && *authorities != nullptr) return seed;
  if (devices == nullptr || !devices->IsArray()) return invalid("\"devices\" is missing or no array");
  std::vector<SeedIdentity>& identities = seed.identities;
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
  return seed;
}

void apply_seed(const hub::Hub& hub, Seed seed, UniqueFunction<void(Result<std::vector<registry::Identity>>)> done) {
  // Shared by the answers of one identity's operations, which follow each other.
  auto applying = std::make_shared<Applying>(Applying{hub, std::move(seed.authorities), std::move(seed.identities), std::move(done), {}});
  hub.authorities().post([applying] { apply_next_authority(applying); });
}

}  // namespace nearhub::broker
