// `nearhub twin ...`: the twin of a device or module as a service sees and changes it.
//
// THREAD: one at a time.
#pragma once
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/json.h"
#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"

namespace nearhub::tools {

Status show_twin(HubClient& hub, const IdentityId& id, bool json, Console& console);

struct TwinUpdate {
  IdentityId id;
  bool replace = false;                // what is not given is emptied
  std::string body;                    // the whole {"tags":...,"properties":{"desired":...}}; or, when empty:
  std::optional<std::string> desired;  // JSON of these sections alone
  std::optional<std::string> tags;
  std::string etag;  // of the twin as it was read; empty: whatever it is now
  bool json = false;
};

// The request's body. Fails with kInvalidSetting when the JSON is none, is no object, or says nothing that the hub
// would act on: the hub itself ignores what it does not know, because clients send whole twins back.
Result<std::string> twin_update_body(const TwinUpdate& update);

// Sends it and shows the twin as it is now.
Status update_twin(HubClient& hub, const TwinUpdate& update, Console& console);

// A twin for people, without $metadata.
std::string twin_text(const JsonValue& twin);

}  // namespace nearhub::tools
