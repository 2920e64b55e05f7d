// The rows of devices.jobs: what came of scheduled jobs at each identity, as the store has it.
//
// THREAD: any thread.
#pragma once
#include <string>

#include "hub/query_run.h"
#include "hub/store.h"

namespace nearhub::hub {

class DeviceJobRows final : public JobRows {
 public:
  explicit DeviceJobRows(Store& store) : store_(store) {}

  // Fails with kArgumentInvalid for a key that is none of ours.
  void read_job_rows(JobRowFilter filter, std::string after, std::size_t limit, Executor& executor, Answer<Chunk> answer) override;

 private:
  Store& store_;
};

// {"deviceId":...,"jobId":...,"jobType":...,"status":...}: reference/service-rest.md 5.9.
std::string device_job_json(const DeviceJobRecord& record);

}  // namespace nearhub::hub
