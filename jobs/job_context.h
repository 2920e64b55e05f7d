// What a job's steps need.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>

#include "blob/container.h"
#include "hub/hub.h"
#include "jobs/transfer_jobs.h"

namespace nearhub::jobs {

struct JobContext {
  const hub::Hub& hub;
  const TransferRequest& request;
  const std::atomic<bool>& cut_off;   // cancelled, or the hub stops
  const std::atomic<bool>& stopping;  // the hub stops: nobody answers any more
  std::function<void(std::uint64_t done, std::uint64_t of)> progress;
};

// Fail with what ended them: a container that could not be read or written, a store that stopped, kCancelled. Lines of an import that could not be
// carried out are no failure: they stand in importErrors.log.
Status run_export(const JobContext& context, blob::Container& output);
Status run_import(const JobContext& context, blob::Container& input, blob::Container& output);

}  // namespace nearhub::jobs
