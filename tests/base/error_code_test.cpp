#include "base/error_code.h"

#include <doctest/doctest.h>

#include <iterator>
#include <set>
#include <string>

using namespace nearhub;

namespace {

constexpr ErrorCode kHubErrors[] = {
#define NEARHUB_LISTED(number, name) ErrorCode::k##name,
    NEARHUB_HUB_ERRORS(NEARHUB_LISTED)
#undef NEARHUB_LISTED
};

constexpr ErrorCode kInternalErrors[] = {ErrorCode::kInvalidSetting, ErrorCode::kIo, ErrorCode::kCorrupt,
                                         ErrorCode::kMalformed, ErrorCode::kCancelled};

}  // namespace

TEST_SUITE("base") {
  TEST_CASE("error codes: every hub error has its own name and number, and an HTTP status that begins the number") {
    std::set<std::string_view> names;
    std::set<std::int32_t> numbers;
    for (const ErrorCode code : kHubErrors) {
      const std::string name(error_name(code));
      CAPTURE(name);
      CHECK_FALSE(name.empty());
      CHECK(name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == std::string::npos);
      CHECK(names.insert(error_name(code)).second);
      CHECK(error_number(code) == static_cast<std::int32_t>(code));
      CHECK(numbers.insert(error_number(code)).second);
      CHECK(http_status(code) >= 400);
      CHECK(http_status(code) <= 504);
      CHECK(http_status(code) == error_number(code) / 1000);
    }
    CHECK(names.size() == std::size(kHubErrors));
  }

  TEST_CASE("error codes: the ones that clients and tools look for have the cloud's numbers") {
    const struct {
      ErrorCode code;
      std::int32_t number;
      int status;
      const char* name;
    } known[] = {{ErrorCode::kArgumentInvalid, 400004, 400, "ArgumentInvalid"},
                 {ErrorCode::kIotHubUnauthorizedAccess, 401002, 401, "IotHubUnauthorizedAccess"},
                 {ErrorCode::kIotHubQuotaExceeded, 403002, 403, "IotHubQuotaExceeded"},
                 {ErrorCode::kDeviceMaximumQueueDepthExceeded, 403004, 403, "DeviceMaximumQueueDepthExceeded"},
                 {ErrorCode::kDeviceNotFound, 404001, 404, "DeviceNotFound"},
                 {ErrorCode::kModuleNotFound, 404010, 404, "ModuleNotFound"},
                 {ErrorCode::kDeviceNotOnline, 404103, 404, "DeviceNotOnline"},
                 {ErrorCode::kDeviceAlreadyExists, 409001, 409, "DeviceAlreadyExists"},
                 {ErrorCode::kModuleAlreadyExistsOnDevice, 409301, 409, "ModuleAlreadyExistsOnDevice"},
                 {ErrorCode::kPreconditionFailed, 412001, 412, "PreconditionFailed"},
                 {ErrorCode::kDeviceMessageLockLost, 412002, 412, "DeviceMessageLockLost"},
                 {ErrorCode::kMessageTooLarge, 413001, 413, "MessageTooLarge"},
                 {ErrorCode::kThrottlingException, 429001, 429, "ThrottlingException"},
                 {ErrorCode::kServerError, 500001, 500, "ServerError"},
                 {ErrorCode::kGatewayTimeout, 504101, 504, "GatewayTimeout"}};
    for (const auto& error : known) {
      CAPTURE(std::string(error.name));
      CHECK(error_number(error.code) == error.number);
      CHECK(http_status(error.code) == error.status);
      CHECK(error_name(error.code) == error.name);
    }
  }

  TEST_CASE("error codes: those of our own leave the process as a server error") {
    for (const ErrorCode code : kInternalErrors) {
      CHECK(error_number(code) == 500001);
      CHECK(error_name(code) == "ServerError");
      CHECK(http_status(code) == 500);
      CHECK(static_cast<std::int32_t>(code) < 1000);
    }
  }

  TEST_CASE("CONNACK: 5 for who may not, 3 for a hub that cannot, 1 for the protocol level") {
    const struct {
      ErrorCode code;
      int returned;
    } causes[] = {{ErrorCode::kIotHubUnauthorizedAccess, 5},  // bad or missing token, wrong key, bad sr, expired
                  {ErrorCode::kIotHubUnauthorized, 5},
                  {ErrorCode::kGenericUnauthorized, 5},
                  {ErrorCode::kIotHubNotFound, 5},  // another hub's name
                  {ErrorCode::kDeviceNotFound, 5},  // unknown device or module
                  {ErrorCode::kModuleNotFound, 5},
                  {ErrorCode::kDeviceDisabled, 5},
                  {ErrorCode::kArgumentInvalid, 5},      // client id and username disagree, username unparsable
                  {ErrorCode::kCertificateNotFound, 5},  // X.509 device without or with a wrong certificate
                  {ErrorCode::kGenericForbidden, 5},
                  {ErrorCode::kInvalidProtocolVersion, 1},  // level 3, 5 or 0x84
                  {ErrorCode::kThrottlingException, 3},
                  {ErrorCode::kGenericTooManyRequests, 3},
                  {ErrorCode::kIotHubQuotaExceeded, 3},
                  {ErrorCode::kServerError, 3},
                  {ErrorCode::kServiceUnavailable, 3},
                  {ErrorCode::kGatewayTimeout, 3},
                  {ErrorCode::kIo, 3},
                  {ErrorCode::kCorrupt, 3},
                  {ErrorCode::kCancelled, 3}};
    for (const auto& cause : causes) {
      CAPTURE(std::string(error_name(cause.code)));
      CHECK(connack_code(cause.code) == cause.returned);
    }
    for (const ErrorCode code : kHubErrors) {
      // 2 and 4 stop a C device for ever.
      CAPTURE(std::string(error_name(code)));
      const int returned = connack_code(code);
      CHECK((returned == 1 || returned == 3 || returned == 5));
    }
  }
}
