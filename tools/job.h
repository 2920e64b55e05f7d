// `nearhub job ...`: import and export of the registry; and what the commands for jobs of every kind do (tools/scheduled_job.h has the others).
//
// THREAD: one at a time.
#pragma once
#include <string>

#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"

namespace nearhub::tools {

struct NewJob {
  bool import = false;
  std::string container;         // file:///NAME, or a SAS URI
  std::string output_container;  // of an import's importErrors.log; empty: `container`
  std::string blob;              // empty: devices.txt
  bool exclude_keys = false;
  bool no_wait = false;
  bool json = false;
};

// Starts a job and, unless told otherwise, shows its progress until it has ended. Fails when the job does; Ctrl-C leaves it running.
Status start_job(HubClient& hub, const NewJob& job, Console& console);

// Of every kind.
Status list_jobs(HubClient& hub, bool json, Console& console);
Status show_job(HubClient& hub, const std::string& id, bool json, Console& console);
Status cancel_job(HubClient& hub, const std::string& id, Console& console);

}  // namespace nearhub::tools
