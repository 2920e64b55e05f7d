// `nearhub feedback`: what became of cloud-to-device messages whose senders asked to hear of it.
//
// THREAD: one at a time.
#pragma once
#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"
#include "tools/interrupt.h"

namespace nearhub::tools {

struct FeedbackOptions {
  bool follow = false;  // until interrupted; otherwise ends when all that is there was shown
  bool keep = false;    // what was shown stays at the hub, and no more than 1000 records are; not together with `follow`
  bool json = false;    // one object a line
};

// Shows the records and takes them out of the hub, a batch once it is printed: what nobody saw is there the next time. Ends between two batches when
// interrupted; with `follow` it waits for a hub that is away.
Status show_feedback(HubClient& hub, const FeedbackOptions& options, const Interrupt& interrupt, Console& console);

}  // namespace nearhub::tools
