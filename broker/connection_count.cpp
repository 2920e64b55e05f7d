#include "broker/connection_count.h"

#include <fmt/core.h>
#include <unistd.h>

namespace nearhub::broker {

bool ConnectionCount::admit(const hub::Hub& hub, int socket, const std::string& peer) {
  if (open_.fetch_add(1) < limits_.connections) return true;
  --open_;
  ::close(socket);
  hub.refuse({}, peer, "connection", "closed",
             {auth::Check::kLimit, ErrorCode::kGenericTooManyRequests, fmt::format("at most {} connections", limits_.connections), "one more", "raise max_connections"});
  return false;
}

void record_tls_failure(const hub::Hub& hub, const std::string& identity, const std::string& peer, const net::CloseReason& reason) {
  if (reason.kind == net::CloseReason::kHandshake) {
    hub.refuse({}, peer, "TLS handshake", "connection closed", {auth::Check::kTls, ErrorCode::kMalformed, "a TLS handshake", reason.detail, reason.advice});
  } else if (reason.kind == net::CloseReason::kTls) {
    hub.refuse(identity, peer, "TLS", "connection closed", {auth::Check::kTls, ErrorCode::kMalformed, "a peer that keeps to TLS", reason.detail, reason.advice});
  }
}

}  // namespace nearhub::broker
