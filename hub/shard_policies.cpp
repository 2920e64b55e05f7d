// Shared access policies: changed on the first shard's loop alone, so that changes follow each other, and told to all shards.
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.h"
#include "hub/shard.h"

namespace nearhub::hub {
namespace {

Error no_policy(std::string_view name) { return {ErrorCode::kGenericNotFound, fmt::format("there is no policy {}", printable(name, 80))}; }

std::vector<auth::AccessPolicy>::iterator find_named(std::vector<auth::AccessPolicy>& policies, std::string_view name) {
  return std::find_if(policies.begin(), policies.end(), [name](const auth::AccessPolicy& policy) { return policy.name == name; });
}

}  // namespace

void Shard::put_policy(const std::string& name, PolicyRequest request, Answer<auth::AccessPolicy> answer) {
  if (Status sound = auth::check_policy_name(name); !sound.ok()) return answer(sound.error());
  if (name == auth::kOwnerPolicy && request.rights && !request.rights->include(auth::kAllRights)) {
    return answer(Error{ErrorCode::kOperationNotAllowedInCurrentState, name + " keeps all rights, so that the hub's owner cannot be locked out"});
  }
  std::vector<auth::AccessPolicy> policies = *shared_.policies.current();
  auto policy = find_named(policies, name);
  if (policy == policies.end()) {
    if (!request.rights) return answer(Error{ErrorCode::kArgumentInvalid, "rights is missing"});
    if (policies.size() >= kMaxPolicies) {
      return answer(Error{ErrorCode::kIotHubQuotaExceeded, fmt::format("the hub has {} policies; more are not allowed", policies.size())});
    }
    policies.push_back({name, shared_.random.symmetric_key(), shared_.random.symmetric_key(), {}});
    policy = policies.end() - 1;
  }
  if (request.rights) policy->rights = *request.rights;
  if (!request.primary_key.empty()) policy->primary_key = std::move(request.primary_key);
  if (!request.secondary_key.empty()) policy->secondary_key = std::move(request.secondary_key);
  auth::AccessPolicy after = *policy;
  set_policies(std::move(policies), [after = std::move(after), answer = std::move(answer)](const Status& status) mutable {
    answer(status.ok() ? Result<auth::AccessPolicy>(std::move(after)) : Result<auth::AccessPolicy>(status.error()));
  });
}

void Shard::regenerate_policy(const std::string& name, SymmetricKey which, Answer<auth::AccessPolicy> answer) {
  const auto policies = shared_.policies.current();
  if (auth::find_policy(*policies, name) == nullptr) return answer(no_policy(name));
  PolicyRequest request;
  if (which != SymmetricKey::kSecondary) request.primary_key = shared_.random.symmetric_key();
  if (which != SymmetricKey::kPrimary) request.secondary_key = shared_.random.symmetric_key();
  put_policy(name, std::move(request), std::move(answer));
}

void Shard::delete_policy(const std::string& name, Answer<std::monostate> answer) {
  std::vector<auth::AccessPolicy> policies = *shared_.policies.current();
  const auto policy = find_named(policies, name);
  if (policy == policies.end()) return answer(no_policy(name));
  if (name == auth::kOwnerPolicy) {
    return answer(Error{ErrorCode::kOperationNotAllowedInCurrentState, name + " stays, so that the hub's owner cannot be locked out; its keys can be made anew"});
  }
  policies.erase(policy);
  set_policies(std::move(policies), [answer = std::move(answer)](const Status& status) mutable {
    answer(status.ok() ? Result<std::monostate>(std::monostate()) : Result<std::monostate>(status.error()));
  });
}

void Shard::set_policies(std::vector<auth::AccessPolicy> policies, UniqueFunction<void(const Status&)> done) {
  auth::PolicyTable table = shared_.policies;
  table.set(policies);
  // At once, as with a device's keys; the answer waits until every shard has done so and the change is durable.
  struct Round {
    std::size_t waiting;
    Status status;
    UniqueFunction<void(const Status&)> done;
    void arrived() {
      if (--waiting == 0) done(status);
    }
  };
  auto round = std::make_shared<Round>(Round{hub_.shard_count() + std::size_t{1}, {}, std::move(done)});
  WriteBatch& open = batch();
  open.bytes += sizeof(ReplacePolicies);
  open.operations.emplace_back(ReplacePolicies{std::move(policies)});
  open.done.emplace_back([round](const Status& status) {
    if (!status.ok()) round->status = status;
    round->arrived();
  });
  for (std::uint32_t i = 0; i < hub_.shard_count(); ++i) {
    Shard& shard = hub_.shard(i);
    shard.executor().post([this, &shard, round] {
      shard.end_revoked_connections();
      executor_.post([round] { round->arrived(); });
    });
  }
}

void Shard::end_revoked_connections() {
  const auto policies = shared_.policies.current();
  for (std::size_t slot = 0; slot < connections_.size(); ++slot) {
    const Connection* connection = connections_[slot].get();
    if (connection == nullptr || connection->admission.scope != auth::Admission::Scope::kHub) continue;
    IdentityState& state = *connection->identity;
    if (auth::still_valid(connection->admission, state.identity.credentials, *policies, *authorities_)) continue;
    end_connection(state, {auth::Check::kSasPolicy, ErrorCode::kIotHubUnauthorized, "a policy that the hub has, with DeviceConnect and the key that signed the token",
                           fmt::format("policy {}, whose key or rights were changed or removed just now", connection->admission.policy),
                           "connect with a token that is signed with one of its present keys"});
  }
}

}  // namespace nearhub::hub
