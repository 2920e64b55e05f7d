// The token in x-ms-continuation: where a page ended, so that the next one begins behind it whatever has changed meanwhile.
//
// Clients take it for opaque. It belongs to the text of its query and names the last row that was seen, never a count of rows.
//
// THREAD: value types.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"

namespace nearhub::hub {

struct Continuation {
  std::uint64_t query = 0;                 // stable_hash() of the query's text
  std::optional<std::uint64_t> remaining;  // of TOP
  IdentityId after;                        // of rows that are identities
  std::string key;                         // of groups and jobs
};

std::string encode(const Continuation& continuation);
// Fails with kArgumentInvalid when the token is none of ours, or of another query than `query_text`.
Result<Continuation> decode_continuation(std::string_view token, std::string_view query_text);

}  // namespace nearhub::hub
