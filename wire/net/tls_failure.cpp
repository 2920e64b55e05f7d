#include "wire/net/tls_failure.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>

#include "wire/net/openssl_error.h"

namespace nearhub::net {
namespace {

struct Diagnosis {
  int reason;
  const char* detail;
  const char* advice;
};

// What OpenSSL's reasons mean to somebody with a board on the desk.
constexpr const char* kTrustAdvice = "give the client this hub's CA file (ca.pem); see `nearhub examples`";
// Clients send one alert for all three.
constexpr const char* kRefused =
    "the client refused the hub's certificate: its authority is not trusted, it lacks the name that the client dialled, or the client's clock is wrong";
constexpr const char* kRefusedAdvice =
    "give the client this hub's CA file, start the hub with --host NAME for the name that the client dials, and set the client's clock";
constexpr std::array kDiagnoses = {
    Diagnosis{SSL_R_HTTP_REQUEST, "the peer spoke plain HTTP on a TLS port", "use https://"},
    Diagnosis{SSL_R_WRONG_VERSION_NUMBER, "the peer's first bytes are not TLS", "turn TLS on in the client: this port speaks only TLS"},
    Diagnosis{SSL_R_UNSUPPORTED_PROTOCOL, "the client offers no TLS version above 1.1", "the hub speaks TLS 1.2 and 1.3"},
    Diagnosis{SSL_R_EXCESSIVE_MESSAGE_SIZE, "the client sends more than 16 KB of certificates",
              "send the leaf and the intermediates that the hub needs, not the root or a whole bundle"},
    Diagnosis{SSL_R_WRONG_CURVE, "the client's certificate has a key on a curve that TLS has no place for here", "make its key on P-256, P-384 or P-521, or with RSA"},
    Diagnosis{SSL_R_NO_SHARED_CIPHER, "client and hub share no cipher suite", "see docs/tls.md for the hub's list"},
    Diagnosis{SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the client does not trust the hub's certificate authority", kTrustAdvice},
    Diagnosis{SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, kRefused, kRefusedAdvice},
    Diagnosis{SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, kRefused, kRefusedAdvice},
    Diagnosis{SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "the client holds the hub's certificate for expired or not yet valid", "set the client's clock"},
    Diagnosis{SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "the client ended the handshake", "see docs/tls.md for suites and curves"},
    Diagnosis{SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the client refused the TLS version", "the hub speaks TLS 1.2 and 1.3"},
};

}  // namespace

std::string take_openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : fmt::format("OpenSSL error {:#x}", code);
}

CloseReason tls_failure(CloseReason::Kind kind) {
  const unsigned long code = ERR_peek_error();
  const int reason = ERR_GET_REASON(code);
  CloseReason result{kind, fmt::format("TLS: {}", take_openssl_error()), {}};
  for (const Diagnosis& diagnosis : kDiagnoses) {
    if (diagnosis.reason == reason) {
      result.detail = fmt::format("{} ({})", diagnosis.detail, result.detail);
      result.advice = diagnosis.advice;
    }
  }
  return result;
}

}  // namespace nearhub::net
