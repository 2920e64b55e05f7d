// The hub as a whole: what all shards share, and the way to a device's shard.
//
// THREAD: set up before the loops run; then immutable but for counters, and everything it refers to is safe from any thread.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/authorities.h"
#include "auth/host_names.h"
#include "auth/policy_table.h"
#include "auth/refusal.h"
#include "auth/sas_token.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/ids.h"
#include "base/random.h"
#include "hub/limits.h"
#include "hub/store.h"

namespace nearhub::hub {

class CertificateAuthorities;
class ConfigurationList;
class Configurations;
class FeedbackQueue;
class JobRows;
class ScheduledJobs;
class Shard;

// How the hub answers where the cloud and convenience differ; each field is a setting of the same name.
struct Behaviour {
  bool strict = false;  // the cloud's limits too (device-mqtt.md, "strict")
  bool empty_method_payload = false;  // send an empty body for an absent payload, as the cloud does (7.1)
  // What else than telemetry stands in the event stream (service-rest.md 7). Off: in the cloud these need a route, and readers count on telemetry alone.
  bool lifecycle_events = false;
  bool twin_events = false;
  bool connection_events = false;
};

// With --well-known-keys: the keys of every identity that is made without keys.
struct FixedKeys {
  std::string primary;
  std::string secondary;
};

class Hub {
 public:
  struct Shared {
    const Clock& clock;
    Random& random;
    Store& store;
    auth::RefusalBook& refusals;
    auth::HostNames hosts;
    auth::PolicyTable policies;
    auth::SasTimes sas_times;
    Limits limits;
    Behaviour behaviour;
    std::uint32_t partitions = 4;
    std::optional<FixedKeys> fixed_keys;
    auth::AuthoritiesPtr authorities = {};  // at the start; null: none
    std::shared_ptr<const ConfigurationList> configurations = {};  // at the start; null: none
    JobRows* job_rows = nullptr;  // what devices.jobs shows (hub/query_run.h); null: there are no jobs
  };

  explicit Hub(Shared shared);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  const Shared& shared() const { return shared_; }

  // Called once, before the loops run: one shard per loop, in order.
  void set_shards(std::vector<Shard*> shards) { shards_ = std::move(shards); }
  std::uint32_t shard_count() const { return static_cast<std::uint32_t>(shards_.size()); }
  std::uint32_t home_of(const DeviceId& device) const;
  Shard& shard(std::uint32_t index) const { return *shards_[index]; }
  // The same for the registered authorities, whose home is the first shard's loop.
  void set_authorities(CertificateAuthorities& authorities) { authorities_ = &authorities; }
  CertificateAuthorities& authorities() const { return *authorities_; }
  // And for the scheduled jobs.
  void set_scheduled_jobs(ScheduledJobs& jobs) { scheduled_jobs_ = &jobs; }
  ScheduledJobs& scheduled_jobs() const { return *scheduled_jobs_; }
  // And for the feedback on cloud-to-device messages.
  void set_feedback(FeedbackQueue& feedback) { feedback_ = &feedback; }
  FeedbackQueue& feedback() const { return *feedback_; }

  // And for the configurations.
  void set_configurations(Configurations& configurations) { configurations_ = &configurations; }
  Configurations& configurations() const { return *configurations_; }

  // How many queries are under way: each holds a page in memory (kMaxQueriesAtOnce).
  std::atomic<std::uint32_t>& queries() const { return queries_; }

  // Writes the refusal into the book and a line into the log. `peer` may be empty.
  void refuse(std::string identity, std::string peer, std::string operation, std::string answer, auth::Denial denial) const;
  // The same for what was not refused: into the margin of the book. `outcome` says what happened all the same: "accepted", "sent".
  void warn(std::string identity, std::string peer, std::string operation, std::string outcome, auth::Denial reason) const;

 private:
  void record(auth::EntryKind kind, std::string identity, std::string peer, std::string operation, std::string answer, auth::Denial denial) const;

  Shared shared_;
  std::vector<Shard*> shards_;
  CertificateAuthorities* authorities_ = nullptr;
  ScheduledJobs* scheduled_jobs_ = nullptr;
  FeedbackQueue* feedback_ = nullptr;
  Configurations* configurations_ = nullptr;
  mutable std::atomic<std::uint32_t> queries_{0};
};

}  // namespace nearhub::hub
