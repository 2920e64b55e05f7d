#include "hub/certificate_authorities.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"

namespace nearhub::hub {

CertificateAuthorities::CertificateAuthorities(const Hub& hub, Executor& executor, std::vector<Authority> stored)
    : hub_(hub), executor_(executor), all_(std::move(stored)) {}

const CertificateAuthorities::Authority* CertificateAuthorities::known(std::string_view name) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const Authority& each) { return each.name == name; });
  return found == all_.end() ? nullptr : &*found;
}

Result<CertificateAuthorities::Authority> CertificateAuthorities::find(std::string_view name) const {
  NEARHUB_DCHECK(executor_.is_current());
  const Authority* authority = known(name);
  if (authority == nullptr) return Error{ErrorCode::kCertificateNotFound, fmt::format("no certificate {} is registered", printable(name, 80))};
  return *authority;
}

Result<CertificateAuthorities::Authority> CertificateAuthorities::to_change(const std::string& name, const Condition& condition) const {
  auto authority = find(name);
  if (!authority.ok()) return authority;
  if (condition.kind == Condition::kAbsent) return Error{ErrorCode::kPreconditionFailed, fmt::format("certificate {}: give its etag in If-Match, * for any", name)};
  if (!condition.matches(authority->etag().view())) {
    return Error{ErrorCode::kPreconditionFailed, fmt::format("certificate {} has etag {}, If-Match says {}", name, authority->etag().str(), printable(condition.etag, 80))};
  }
  return authority;
}

template <typename T>
void CertificateAuthorities::change(Answer<T> answer, UniqueFunction<void(Answer<T>)> operation) {
  NEARHUB_DCHECK(executor_.is_current());
  if (waiting_.size() >= kMaxWaitingAuthorityChanges) return answer(Error{ErrorCode::kThrottlingException, "too many changes of certificates wait; try again"});
  Answer<T> then = [this, answer = std::move(answer)](Result<T> result) mutable {
    answer(std::move(result));
    finish();
  };
  waiting_.push_back([operation = std::move(operation), then = std::move(then)]() mutable { operation(std::move(then)); });
  if (!busy_) finish();
}

void CertificateAuthorities::finish() {
  busy_ = false;
  if (waiting_.empty()) return;
  busy_ = true;
  // In a later turn: an answer does not begin the next change on its own stack.
  executor_.post([next = std::move(waiting_.front())]() mutable { next(); });
  waiting_.pop_front();
}

void CertificateAuthorities::put(const std::string& name, registry::AuthorityRequest request, const Condition& condition, Answer<Authority> answer) {
  change<Authority>(std::move(answer), [this, name, request = std::move(request), condition](Answer<Authority> done) mutable {
    const WallTime now = hub_.shared().clock.now();
    const Authority* old = known(name);
    if (old == nullptr) {
      if (condition.kind == Condition::kEtag) return done(Error{ErrorCode::kCertificateNotFound, fmt::format("no certificate {} is registered", name)});
      if (all_.size() >= registry::kMaxAuthorities) {
        return done(Error{ErrorCode::kIotHubQuotaExceeded, fmt::format("the hub has {} certificates; more are not allowed", all_.size())});
      }
      return replace(nullptr, registry::create_authority(name, request, now, hub_.shared().random), std::move(done));
    }
    const auto current = to_change(name, condition);
    if (!current.ok()) return done(current.error());
    replace(old, registry::replace_authority(*current, request, now), std::move(done));
  });
}

void CertificateAuthorities::make_verification_code(const std::string& name, const Condition& condition, Answer<Authority> answer) {
  change<Authority>(std::move(answer), [this, name, condition](Answer<Authority> done) {
    const auto current = to_change(name, condition);
    if (!current.ok()) return done(current.error());
    auto coded = registry::with_verification_code(*current, hub_.shared().clock.now(), hub_.shared().random);
    if (!coded.ok()) return done(coded.error());
    replace(known(name), std::move(*coded), std::move(done));
  });
}

void CertificateAuthorities::verify(const std::string& name, auth::Certificate proof, const Condition& condition, Answer<Authority> answer) {
  change<Authority>(std::move(answer), [this, name, proof = std::move(proof), condition](Answer<Authority> done) {
    const auto current = to_change(name, condition);
    if (!current.ok()) return done(current.error());
    auto verified = registry::verify_authority(*current, proof, hub_.shared().clock.now());
    if (!verified.ok()) return done(verified.error());
    replace(known(name), std::move(*verified), std::move(done));
  });
}

void CertificateAuthorities::replace(const Authority* old, Authority authority, Answer<Authority> answer) {
  PutAuthority operation{authority, old == nullptr ? std::nullopt : std::optional(old->etag_counter)};
  store(std::move(operation), [this, authority = std::move(authority), answer = std::move(answer)](const Status& stored) mutable {
    if (!stored.ok()) return answer(stored.error());
    std::erase_if(all_, [&](const Authority& each) { return each.name == authority.name; });
    const auto place = std::find_if(all_.begin(), all_.end(), [&](const Authority& each) { return each.name > authority.name; });
    all_.insert(place, authority);
    log::info("auth", "certificate authority name={} subject=\"{}\" verified={}", authority.name, printable(authority.subject), authority.verified ? 1 : 0);
    tell_shards([authority = std::move(authority), answer = std::move(answer)]() mutable { answer(std::move(authority)); });
  });
}

void CertificateAuthorities::remove(const std::string& name, const Condition& condition, Answer<std::monostate> answer) {
  change<std::monostate>(std::move(answer), [this, name, condition](Answer<std::monostate> done) {
    const auto current = to_change(name, condition);
    if (!current.ok()) return done(current.error());
    store(DeleteAuthority{name, current->etag_counter}, [this, name, done = std::move(done)](const Status& stored) mutable {
      if (!stored.ok()) return done(stored.error());
      std::erase_if(all_, [&](const Authority& each) { return each.name == name; });
      log::info("auth", "certificate authority deleted name={}", name);
      tell_shards([done = std::move(done)]() mutable { done(std::monostate()); });
    });
  });
}

void CertificateAuthorities::store(WriteOperation operation, UniqueFunction<void(const Status&)> done) {
  auto batch = std::make_unique<WriteBatch>();
  batch->operations.push_back(std::move(operation));
  hub_.shared().store.submit(std::move(batch), executor_, [done = std::move(done)](std::unique_ptr<WriteBatch> answered) mutable { done(answered->results.front()); });
}

void CertificateAuthorities::tell_shards(Task told) {
  // Shared by the shards' tasks; the last one's answer runs `told` on this loop.
  struct Round {
    Task told;
    std::uint32_t waiting;
  };
  const auto set = registry::parsed_set(all_);
  auto round = std::make_shared<Round>(Round{std::move(told), hub_.shard_count()});
  for (std::uint32_t i = 0; i < hub_.shard_count(); ++i) {
    Shard& shard = hub_.shard(i);
    shard.executor().post([this, &shard, set, round] {
      shard.set_authorities(set);
      executor_.post([round] {
        if (--round->waiting == 0) round->told();
      });
    });
  }
}

}  // namespace nearhub::hub
