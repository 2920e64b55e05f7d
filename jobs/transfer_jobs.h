// Import and export jobs: at most one at a time, on a thread of their own (docs/adr/0003-jobs-have-a-thread.md).
//
// The thread may wait: for blob storage, for the store, for the shards. It touches no identity itself. A job's state is in the store, written before
// anybody is told of it; a stop of the hub cuts a job off, and the next start shows it failed.
//
// THREAD: any thread. Answers come on the job's thread or the caller's.
#pragma once
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_function.h"
#include "blob/container.h"
#include "hub/hub.h"
#include "hub/transfer_job.h"

namespace nearhub::jobs {

inline constexpr std::string_view kDefaultBlob = "devices.txt";
inline constexpr std::string_view kErrorBlob = "importErrors.log";

struct TransferRequest {
  hub::TransferKind kind = hub::TransferKind::kExport;
  std::string input_uri;   // import
  std::string output_uri;  // export; import: for importErrors.log, the input when empty
  std::string input_blob = std::string(kDefaultBlob);
  std::string output_blob = std::string(kDefaultBlob);
  bool exclude_keys = false;
};

class TransferJobs {
 public:
  TransferJobs(const hub::Hub& hub, blob::Settings settings);
  ~TransferJobs();  // as stop()
  TransferJobs(const TransferJobs&) = delete;
  TransferJobs& operator=(const TransferJobs&) = delete;

  // Answers when the containers were found good and the job is in the store: kJobQuotaExceeded while another one is active,
  // kBlobContainerValidationError for a container that cannot be used.
  void create(TransferRequest request, hub::Answer<hub::TransferJob> answer);
  // Answers when the job has ended. kJobNotFound; kOperationNotAllowedInCurrentState for one that has ended already.
  void cancel(std::string id, UniqueFunction<void(const Status&)> answer);

  // No further job; the one that runs is cut off. stop() waits for the thread: while the loops still run, or after they have ended.
  void stop_soon();
  void stop();

 private:
  struct Active {
    hub::TransferJob job;
    TransferRequest request;
    hub::Answer<hub::TransferJob> created;
    bool cancelled = false;  // by a client
    bool ending = false;     // its last word is being written: too late to cancel
    std::vector<UniqueFunction<void(const Status&)>> cancel_answers;
  };

  void run();
  void run_job(Active& active);
  Status work(Active& active);
  Status save(const hub::TransferJob& job);
  void progress(Active& active, std::uint64_t done, std::uint64_t of);

  const hub::Hub& hub_;
  const blob::Settings settings_;
  std::atomic<bool> cut_off_{false};  // cancelled or stopping: whoever waits gives up
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;
  std::condition_variable wake_;
  std::unique_ptr<Active> active_;  // protected by mutex_, but for job and request, which are the thread's
  std::thread thread_;
};

}  // namespace nearhub::jobs
