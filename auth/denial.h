// Why something was refused, in the words that end up in front of a person.
//
// THREAD: value types.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error_code.h"

namespace nearhub::auth {

// Which check said no. The texts (check_text) are stable: scripts filter `nearhub why --json` by them.
enum class Check : std::uint8_t {
  kTls,
  kProtocol,     // bytes or a sequence of packets that break the protocol
  kTimeLimit,    // nothing, or too little, came in time
  kUserName,
  kClientId,
  kHostName,
  kApiVersion,
  kIdentity,     // unknown device or module
  kStatus,       // disabled
  kCredential,   // the wrong kind of credential, or none
  kSasFormat,
  kSasResource,  // sr
  kSasPolicy,    // skn
  kSasSignature,
  kSasExpiry,
  kCertificate,
  kPermission,
  kTopic,
  kFilter,
  kQos,
  kSize,
  kLimit,        // a bound of the hub was reached
  kBody,         // the content of a request
  kState,        // the identity or object is not in the state that the request needs
};
std::string_view check_text(Check check);  // "SAS signature"

struct Denial {
  Check check = Check::kProtocol;
  ErrorCode code = ErrorCode::kIotHubUnauthorized;
  std::string expected;  // "signature by the primary or secondary key of device d1"; empty when `received` says it all
  std::string received;  // what came instead, or the whole reason; never a key or signature
  std::string advice;    // how to mend it; may be empty

  // "expected ...; received ...", for error messages and logs.
  std::string sentence() const;
};

}  // namespace nearhub::auth
