// An import or export job over the whole registry, as it is kept and shown (reference/service-rest.md 4.6 and 5.8). Container URIs are not part of it:
// they hold secrets, are not echoed, and a job that a stop cut off is not taken up again.
//
// THREAD: a value type.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace nearhub::hub {

inline constexpr std::chrono::hours kTransferJobHistory{24 * 30};  // the cloud's
inline constexpr std::size_t kMaxTransferJobs = 1000;              // in the history; a bound of our own

// Numbers are stored.
enum class TransferKind : std::uint8_t { kExport = 0, kImport = 1 };
enum class TransferStatus : std::uint8_t { kEnqueued = 0, kRunning = 1, kCompleted = 2, kFailed = 3, kCancelled = 4 };

inline std::string_view transfer_status_text(TransferStatus status) {
  switch (status) {
    case TransferStatus::kEnqueued: return "enqueued";
    case TransferStatus::kRunning: return "running";
    case TransferStatus::kCompleted: return "completed";
    case TransferStatus::kFailed: return "failed";
    case TransferStatus::kCancelled: return "cancelled";
  }
  return "unknown";
}

struct TransferJob {
  std::string id;
  TransferKind kind = TransferKind::kExport;
  TransferStatus status = TransferStatus::kEnqueued;
  int progress = 0;  // percent
  WallTime started = kNever;
  WallTime ended = kNever;
  std::string failure;
  bool exclude_keys = false;
  std::string input_blob;
  std::string output_blob;
};

}  // namespace nearhub::hub
