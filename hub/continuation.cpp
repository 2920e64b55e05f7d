#include "hub/continuation.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/shard_hash.h"

namespace nearhub::hub {
namespace {

constexpr std::int64_t kForm = 1;  // of what is inside

Error foreign() {
  return {ErrorCode::kArgumentInvalid, "x-ms-continuation is not a token of this hub: send the one that the page before came with, or none for the first page"};
}

}  // namespace

std::string encode(const Continuation& continuation) {
  JsonWriter json;
  json.array().integer(kForm).unsigned_integer(continuation.query);
  continuation.remaining ? json.unsigned_integer(*continuation.remaining) : json.null();
  json.string(continuation.after.device.view()).string(continuation.after.module.view()).string(continuation.key).end_array();
  return base64_encode(json.text());
}

Result<Continuation> decode_continuation(std::string_view token, std::string_view query_text) {
  const auto text = base64_decode(token);
  if (!text) return foreign();
  const auto json = parse_json(*text, 2);
  if (!json.ok() || !json->IsArray() || json->Size() != 6) return foreign();
  const JsonValue& parts = *json;
  if (!parts[0].IsInt64() || parts[0].GetInt64() != kForm || !parts[1].IsUint64() || !(parts[2].IsNull() || parts[2].IsUint64())) return foreign();
  for (rapidjson::SizeType i = 3; i < 6; ++i) {
    if (!parts[i].IsString()) return foreign();
  }
  Continuation continuation;
  continuation.query = parts[1].GetUint64();
  if (parts[2].IsUint64()) continuation.remaining = parts[2].GetUint64();
  continuation.after = {DeviceId(string_of(parts[3])), ModuleId(string_of(parts[4]))};
  continuation.key = string_of(parts[5]);
  if (continuation.query != stable_hash(query_text)) {
    return Error{ErrorCode::kArgumentInvalid, "x-ms-continuation belongs to another query: a token goes with the text of the query that it came from"};
  }
  return continuation;
}

}  // namespace nearhub::hub
