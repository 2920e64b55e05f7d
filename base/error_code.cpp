#include "base/error_code.h"

namespace nearhub {

std::string_view error_name(ErrorCode code) {
  switch (code) {
#define NEARHUB_NAME(number, name) \
  case ErrorCode::k##name:         \
    return #name;
    NEARHUB_HUB_ERRORS(NEARHUB_NAME)
#undef NEARHUB_NAME
    case ErrorCode::kInvalidSetting:
    case ErrorCode::kIo:
    case ErrorCode::kCorrupt:
    case ErrorCode::kMalformed:
    case ErrorCode::kCancelled:
      break;
  }
  return "ServerError";
}

std::int32_t error_number(ErrorCode code) {
  const auto number = static_cast<std::int32_t>(code);
  return number < 1000 ? static_cast<std::int32_t>(ErrorCode::kServerError) : number;
}

int http_status(ErrorCode code) { return error_number(code) / 1000; }

int connack_code(ErrorCode code) {
  if (code == ErrorCode::kInvalidProtocolVersion) return 1;
  const int status = http_status(code);
  const bool unavailable = status == 429 || status >= 500 || code == ErrorCode::kIotHubQuotaExceeded;
  return unavailable ? 3 : 5;
}

}  // namespace nearhub
