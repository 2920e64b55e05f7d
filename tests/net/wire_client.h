// A TLS client that sees the bytes on the wire: which records came, of what size. And plain sockets, for peers that speak no TLS.
//
// THREAD: one at a time. Failures stop the test case.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;

namespace nearhub::test {

// A connected, blocking TCP socket to 127.0.0.1. Closed by its destructor.
class PlainSocket {
 public:
  // `receive_buffer` > 0: so small a window that a sender is soon held up.
  explicit PlainSocket(std::uint16_t port, int receive_buffer = 0);
  ~PlainSocket();
  PlainSocket(const PlainSocket&) = delete;
  PlainSocket& operator=(const PlainSocket&) = delete;

  void send(std::string_view bytes);
  // What has come, at least one byte; empty at the end, or when the connection was reset.
  std::string receive();
  // FIN: nothing more is sent, reading goes on.
  void finish();
  void close();
  // RST.
  void reset();
  int get() const { return socket_; }
  std::uint16_t local_port() const;

 private:
  int socket_;
};

struct TlsRecord {
  std::uint8_t type = 0;  // 20 change cipher spec, 21 alert, 22 handshake, 23 application data
  std::size_t bytes = 0;  // on the wire, the five of the header included
};
// Those that a stream of bytes from one side begins with; the rest of a cut one does not count.
std::vector<TlsRecord> records_of(std::string_view wire);

// What a client keeps of a connection, to resume it at the next.
using TlsSession = std::shared_ptr<ssl_session_st>;

class WireClient {
 public:
  struct Options {
    int version = 0;                  // TLS1_2_VERSION and the like; 0: what OpenSSL offers
    const char* ciphers = nullptr;    // TLS 1.2
    const char* signatures = nullptr;
    const char* groups = nullptr;
    const char* verify_name = nullptr;  // not null: the certificate is verified, against ca_pem and this name
    std::string ca_pem;
    std::int64_t now_s = 0;           // what the client takes for the time; 0: the machine's
    std::string certificate_pem;      // of the client
    std::string key_pem;
    std::vector<std::string> chain_pem;  // sent behind it
    int receive_buffer = 0;
    TlsSession session;               // offered to the server; null: none
    bool tickets = true;              // false: asks for none (TLS 1.2)
  };
  WireClient(std::uint16_t port, const Options& options);
  ~WireClient();

  // Shakes hands to the end; false when that fails, and error() says how.
  bool handshake();
  const std::string& error() const { return error_; }
  // Only the first flight; then what the server answers is not waited for.
  void send_hello();

  std::string version() const;
  std::string cipher() const;
  std::string server_key_type() const;  // "RSA" or "EC"

  void send(std::string_view bytes);
  // Plaintext, at least one byte; empty at the end of the connection.
  std::string receive();
  // At least so much plaintext, or what came before the end.
  std::string receive_all(std::size_t bytes);
  // True when the server said goodbye with close_notify before the connection ended.
  bool said_goodbye() const;
  // Asks the server for new keys; its answer is not read. False when the connection is broken.
  bool ask_for_key_update();

  // The latest that the server gave; with TLS 1.3 it comes with the first data behind the handshake. Null: it gave none.
  TlsSession session() const;
  bool resumed() const;
  int tickets_received() const { return tickets_received_; }

  // All that came, as it came.
  const std::string& wire() const { return wire_; }
  PlainSocket& socket() { return socket_; }

 private:
  void flush();
  bool fill();  // false at the end

  PlainSocket socket_;
  ssl_ctx_st* context_ = nullptr;
  ssl_st* ssl_ = nullptr;
  std::string wire_;
  std::string error_;
  int tickets_received_ = 0;
};

}  // namespace nearhub::test
