// `nearhub send` and `nearhub purge`: cloud-to-device messages.
//
// THREAD: one at a time.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"

namespace nearhub::tools {

struct NewCloudMessage {
  IdentityId id;
  std::string body;
  std::vector<std::string> properties;  // "name=value"
  std::string ack;                      // none, positive, negative, full; empty: none
  std::string message_id;
  std::string correlation_id;
  std::string user_id;
  std::string content_type;
  std::string content_encoding;
  std::string expiry;  // a duration from now, or a time; empty: the hub's default
};

// The request's headers. Properties travel as headers, so a name must be one word of letters, digits and the like, and
// nothing may contain a line break. Fails with kInvalidSetting.
Result<std::vector<std::pair<std::string, std::string>>> cloud_message_headers(const NewCloudMessage& message,
                                                                               WallTime now);

// Queues it; says its message id where it has one.
Status send_cloud_message(HubClient& hub, const NewCloudMessage& message, Console& console);

// Empties the queue.
Status purge_cloud_messages(HubClient& hub, const IdentityId& id, bool json, Console& console);

}  // namespace nearhub::tools
