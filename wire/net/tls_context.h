// What a TLS listener shows and accepts; shared by all loops.
//
// TLS 1.2 and 1.3; the cipher list, curves and record size that the boards need; a client certificate is asked for with an empty CA
// list, never demanded, and every one is accepted here: the verdict falls at CONNECT, when the identity is known (reference/x509-and-boards.md
// A.5, A.8, B.6). No renegotiation, no compression. Sessions are resumed by tickets when the hub is told so (session_tickets.h).
//
// THREAD: immutable once made, but for the tickets, which lock; any thread.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "wire/net/session_tickets.h"

struct ssl_ctx_st;

namespace nearhub::net {

// x509-and-boards.md A.8. CBC suites stay on for older modem firmware, TLS_RSA for NetX and mbedTLS with plain RSA key exchange.
inline constexpr std::string_view kCipherList =
    "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256:"
    "ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA:AES128-GCM-SHA256:AES256-GCM-SHA384:"
    "AES128-SHA256:AES256-SHA256:AES128-SHA";

// Plaintext bytes per record: with header, IV, MAC and padding at most 2133 bytes on the wire, below the nRF9160 modem's 2303 (B.6).
inline constexpr int kMaxSendFragment = 2048;

// A client's Certificate message: a leaf and four intermediates of RSA-4096 take half of it. OpenSSL keeps what came as long as the connection lives.
inline constexpr long kMaxClientCertificateBytes = 16 * 1024;

struct CertificateAndKey {
  std::string certificate_pem;
  std::string key_pem;
};

// Lets clients resume their sessions. `clock`, the hub's, outlives the context.
struct Resumption {
  const Clock& clock;
  TicketLimits limits = {};
};

class TlsContext {
 public:
  // `leaves`: one per key type; OpenSSL shows the one that the client can use, EC first. `session_id_context` separates hubs: at most 32
  // bytes. Without `resumption` every handshake is a full one. Fails with kInvalidSetting when a certificate or key cannot be used.
  static Result<std::unique_ptr<TlsContext>> create(const std::vector<CertificateAndKey>& leaves, std::string_view session_id_context,
                                                    std::optional<Resumption> resumption = std::nullopt);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* get() const { return context_; }
  // Null when sessions are not resumed.
  SessionTickets* tickets() const { return tickets_.get(); }

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
  std::unique_ptr<SessionTickets> tickets_;
};

}  // namespace nearhub::net
