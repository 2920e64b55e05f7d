// The certificate authorities that are registered with the hub: one list, changed in one place, judged by everywhere.
//
// A change is stored first. Then every shard is handed the new set, and ends the connections that depended on what is gone; when all have done so the
// change is answered: after the answer to a deletion nobody is connected by that authority any more, and after that to an addition its devices come
// in at every loop. Changes follow each other, the next begins when the one before is answered.
//
// THREAD: the first shard's loop; post() from any thread leads there.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/executor.h"
#include "hub/hub.h"
#include "hub/shard.h"
#include "registry/certificate_authority.h"

namespace nearhub::hub {

inline constexpr std::size_t kMaxWaitingAuthorityChanges = 100;

class CertificateAuthorities {
 public:
  // `stored`: as the store has them. `hub` has, or will have, its shards; `executor` is that of the first.
  CertificateAuthorities(const Hub& hub, Executor& executor, std::vector<registry::CertificateAuthority> stored);
  CertificateAuthorities(const CertificateAuthorities&) = delete;
  CertificateAuthorities& operator=(const CertificateAuthorities&) = delete;

  // Runs `task` on the loop where the rest may be called. Any thread; false when too much waits there.
  bool try_post(Task task) { return executor_.try_post(std::move(task)); }
  void post(Task task) { executor_.post(std::move(task)); }

  using Authority = registry::CertificateAuthority;

  // In the order of their names.
  const std::vector<Authority>& all() const { return all_; }
  // Fails with kCertificateNotFound.
  Result<Authority> find(std::string_view name) const;

  // Without a condition it creates, and fails with kPreconditionFailed when the name is taken: a replacement names the etag, or any.
  void put(const std::string& name, registry::AuthorityRequest request, const Condition& condition, Answer<Authority> answer);
  void remove(const std::string& name, const Condition& condition, Answer<std::monostate> answer);
  void make_verification_code(const std::string& name, const Condition& condition, Answer<Authority> answer);
  void verify(const std::string& name, auth::Certificate proof, const Condition& condition, Answer<Authority> answer);

 private:
  // Runs the change when those before it are answered. It calls finish().
  template <typename T>
  void change(Answer<T> answer, UniqueFunction<void(Answer<T>)> operation);
  void finish();
  const Authority* known(std::string_view name) const;
  Result<Authority> to_change(const std::string& name, const Condition& condition) const;
  void store(WriteOperation operation, UniqueFunction<void(const Status&)> done);
  // Stores the authority in the place of `old`, or as a new one, tells the shards, and answers.
  void replace(const Authority* old, Authority authority, Answer<Authority> answer);
  void tell_shards(Task told);

  const Hub& hub_;
  Executor& executor_;
  std::vector<Authority> all_;
  std::deque<Task> waiting_;
  bool busy_ = false;
};

}  // namespace nearhub::hub
