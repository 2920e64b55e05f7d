// A blocking TLS client for tests, which can be limited as boards are.
//
// Failures stop the test case (doctest REQUIRE), unless a function says that it returns them.
//
// THREAD: one at a time.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct ssl_session_st;

namespace nearhub::test {

// Generous: a test that waits so long has failed; under sanitizers on a busy machine things take seconds.
inline constexpr std::chrono::seconds kPatience{30};

struct TlsOptions {
  std::string host = "127.0.0.1";
  std::string server_name = "localhost";  // checked against the certificate, and sent as SNI; empty: neither
  std::string ca_pem;
  std::string ciphers;         // TLS 1.2 list; not empty: TLS 1.2 only
  std::string groups;          // empty: what OpenSSL offers
  std::string certificate_pem;  // of the client, leaf first
  std::string key_pem;
  bool verify = true;
  std::shared_ptr<ssl_session_st> session;  // of an earlier connection, to be resumed; null: none
};

class TlsClient {
 public:
  // Connects and shakes hands. `error()` is set, and nothing else may be called, when that fails.
  TlsClient(const TlsOptions& options, std::uint16_t port);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  const std::string& error() const { return error_; }
  std::string version() const;
  std::string cipher() const;
  std::string server_key_type() const;  // "RSA" or "EC"
  bool resumed() const;
  // The latest that the server gave a ticket for; with TLS 1.3 that comes with the first data. Null: none.
  std::shared_ptr<ssl_session_st> session() const;

  void send(std::string_view bytes);
  // False when the connection is broken.
  bool try_send(std::string_view bytes);
  // What has come, at least one byte; empty at the end of the connection.
  std::string receive(std::chrono::milliseconds patience = kPatience);
  // Nothing within the time: nullopt.
  std::optional<std::string> receive_within(std::chrono::milliseconds time);

  // Without a goodbye, as when the power fails.
  void reset();
  int socket() const { return socket_; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  int socket_ = -1;
  std::string error_;
};

}  // namespace nearhub::test
