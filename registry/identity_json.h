// Identities as JSON: what requests may say, and what responses show.
//
// THREAD: any thread.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/result.h"
#include "registry/identity.h"

namespace nearhub::registry {

// Reads the body of PUT /devices/{id} or PUT /devices/{d}/modules/{m}. Server-owned members (etag, generationId, times, ...) and unknown ones are
// ignored: clients send whole documents back. Fails with kArgumentInvalid and a sentence that names the member; nothing of the request
// counts then.
Result<IdentityRequest> parse_identity_request(std::string_view body, const IdentityId& id);

// The same from a document, whose ids are not looked at. In any case: of bulk requests and import files, whose writers disagree.
enum class MemberNames : std::uint8_t { kExact, kInAnyCase };
Result<IdentityRequest> read_identity_request(const JsonValue& document, const IdentityId& id, MemberNames names);

// What only the running hub knows.
struct LiveState {
  bool connected = false;
  std::int64_t queued_messages = 0;  // cloudToDeviceMessageCount
};

// The response document, both keys included. One object, as a value.
void write_json(JsonWriter& json, const Identity& identity, const LiveState& live);

}  // namespace nearhub::registry
