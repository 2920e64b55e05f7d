// A scheduled job (reference/service-rest.md 4.6 and 5.9): one twin update, or one direct method, for all identities that a query finds, at a time that
// was set; and what came of it at each of them.
//
// THREAD: value types.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "hub/method.h"

namespace nearhub::hub {

inline constexpr std::size_t kMaxJobIdLength = 64;                     // service-rest.md 5.9
inline constexpr std::chrono::hours kMaxJobDelay{168};                  // from the request to the start: 5.9
inline constexpr std::size_t kMaxRunningJobs = 10;                     // at a time; others queue. The cloud's largest tier: service-rest.md 11
inline constexpr std::chrono::seconds kDefaultJobExecutionTime{3600};  // what clients send when nobody says another: 5.9
inline constexpr std::chrono::hours kScheduledJobHistory{24 * 30};     // the cloud's: 5.9
// Bounds of our own.
inline constexpr std::chrono::hours kMaxJobExecutionTime{24 * 30};
inline constexpr std::size_t kMaxActiveJobs = 1000;        // scheduled, queued and running ones
inline constexpr std::size_t kMaxScheduledJobs = 1000;     // in the history, ended ones
inline constexpr std::size_t kMaxJobConditionBytes = 8192;  // as any query's text

// Numbers are stored.
enum class ScheduledJobKind : std::uint8_t { kUpdateTwin = 0, kDeviceMethod = 1 };
enum class ScheduledJobStatus : std::uint8_t { kQueued = 0, kScheduled = 1, kRunning = 2, kCompleted = 3, kFailed = 4, kCancelled = 5 };
enum class DeviceJobStatus : std::uint8_t { kPending = 0, kRunning = 1, kCompleted = 2, kFailed = 3 };

inline constexpr std::string_view kJobKindTexts[] = {"scheduleUpdateTwin", "scheduleDeviceMethod"};
inline constexpr std::string_view kJobStatusTexts[] = {"queued", "scheduled", "running", "completed", "failed", "cancelled"};
inline constexpr std::string_view kDeviceJobStatusTexts[] = {"pending", "running", "completed", "failed"};

inline std::string_view job_kind_text(ScheduledJobKind kind) { return kJobKindTexts[static_cast<std::size_t>(kind)]; }
inline std::string_view job_status_text(ScheduledJobStatus status) { return kJobStatusTexts[static_cast<std::size_t>(status)]; }
inline std::string_view device_job_status_text(DeviceJobStatus status) { return kDeviceJobStatusTexts[static_cast<std::size_t>(status)]; }

inline bool has_ended(ScheduledJobStatus status) { return status >= ScheduledJobStatus::kCompleted; }
inline bool has_ended(DeviceJobStatus status) { return status >= DeviceJobStatus::kCompleted; }

// How many identities of a job are where.
struct JobStatistics {
  std::int64_t devices = 0;
  std::int64_t pending = 0;
  std::int64_t running = 0;
  std::int64_t succeeded = 0;
  std::int64_t failed = 0;

  friend bool operator==(const JobStatistics&, const JobStatistics&) = default;
};

// What changes of a job.
struct ScheduledJobState {
  ScheduledJobStatus status = ScheduledJobStatus::kQueued;
  WallTime started = kNever;  // running since; the maximum execution time counts from here
  WallTime ended = kNever;
  std::string failure;
  JobStatistics statistics;
  IdentityId selected;        // the last identity that stands among the job's devices
  bool all_selected = false;  // there are no further ones

  friend bool operator==(const ScheduledJobState&, const ScheduledJobState&) = default;
};

struct ScheduledJob {
  std::string id;
  ScheduledJobKind kind = ScheduledJobKind::kUpdateTwin;
  std::string condition;  // as it was sent
  WallTime created{};
  WallTime start{};  // not before then
  std::chrono::seconds max_execution = kDefaultJobExecutionTime;
  std::string update;    // kUpdateTwin: JSON, the body of a PATCH
  MethodRequest method;  // kDeviceMethod
  ScheduledJobState state;
  std::uint64_t sequence = 0;  // rises with each job that is made; by the store
};

// A job and one of its identities.
struct DeviceJob {
  IdentityId id;
  DeviceJobStatus status = DeviceJobStatus::kPending;
  WallTime created{};  // when the identity was selected
  WallTime started = kNever;
  WallTime ended = kNever;
  WallTime updated{};
  std::optional<MethodResult> outcome;  // of a method that was answered
  std::string error_code;               // of one that failed: "DeviceNotOnline"
  std::string error;                    // a sentence
};

// A job that has not ended, as the next start of the hub takes it up.
struct UnfinishedJob {
  std::string id;
  std::uint64_t sequence = 0;
  WallTime start{};
  ScheduledJobStatus status = ScheduledJobStatus::kQueued;
};

}  // namespace nearhub::hub
