#include "tests/net/wire_client.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "tests/support/tls_client.h"

namespace nearhub::test {
namespace {

X509* certificate_of(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  REQUIRE(certificate != nullptr);
  return certificate;
}

}  // namespace

PlainSocket::PlainSocket(std::uint16_t port, int receive_buffer) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  REQUIRE(socket_ >= 0);
  if (receive_buffer > 0) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  timeval patience{};
  patience.tv_sec = kPatience.count();
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

PlainSocket::~PlainSocket() { close(); }

void PlainSocket::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    REQUIRE(n > 0);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string PlainSocket::receive() {
  std::array<char, 64 * 1024> buffer;
  const ssize_t n = ::recv(socket_, buffer.data(), buffer.size(), 0);
  REQUIRE_MESSAGE((n >= 0 || errno == ECONNRESET), "nothing came in time");
  return n > 0 ? std::string(buffer.data(), static_cast<std::size_t>(n)) : std::string();
}

void PlainSocket::finish() { ::shutdown(socket_, SHUT_WR); }

void PlainSocket::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

void PlainSocket::reset() {
  const linger at_once{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

std::uint16_t PlainSocket::local_port() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  REQUIRE(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

std::vector<TlsRecord> records_of(std::string_view wire) {
  std::vector<TlsRecord> records;
  while (wire.size() >= 5) {
    const std::size_t bytes = 5 + (static_cast<std::size_t>(static_cast<unsigned char>(wire[3])) << 8) + static_cast<unsigned char>(wire[4]);
    if (wire.size() < bytes) break;
    records.push_back({static_cast<std::uint8_t>(wire[0]), bytes});
    wire.remove_prefix(bytes);
  }
  return records;
}

WireClient::WireClient(std::uint16_t port, const Options& options)
    : socket_(port, options.receive_buffer), context_(SSL_CTX_new(TLS_client_method())) {
  if (options.version != 0) {
    // The old versions are off at the level that OpenSSL begins with.
    if (options.version < TLS1_2_VERSION) SSL_CTX_set_security_level(context_, 0);
    REQUIRE(SSL_CTX_set_min_proto_version(context_, options.version) == 1);
    REQUIRE(SSL_CTX_set_max_proto_version(context_, options.version) == 1);
  }
  if (options.ciphers != nullptr) REQUIRE(SSL_CTX_set_cipher_list(context_, options.ciphers) == 1);
  if (options.signatures != nullptr) REQUIRE(SSL_CTX_set1_sigalgs_list(context_, options.signatures) == 1);
  if (options.groups != nullptr) REQUIRE(SSL_CTX_set1_groups_list(context_, options.groups) == 1);
  if (options.verify_name != nullptr) {
    X509* ca = certificate_of(options.ca_pem);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), ca);
    X509_free(ca);
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  }
  if (!options.certificate_pem.empty()) {
    X509* certificate = certificate_of(options.certificate_pem);
    BIO* bio = BIO_new_mem_buf(options.key_pem.data(), static_cast<int>(options.key_pem.size()));
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    REQUIRE(SSL_CTX_use_certificate(context_, certificate) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey(context_, key) == 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
    for (const std::string& pem : options.chain_pem) REQUIRE(SSL_CTX_add_extra_chain_cert(context_, certificate_of(pem)) == 1);
  }
  if (!options.tickets) SSL_CTX_set_options(context_, SSL_OP_NO_TICKET);
  // Called for each ticket that comes.
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context_, [](SSL* ssl, SSL_SESSION* session) {
    if (SSL_SESSION_has_ticket(session) == 1) ++static_cast<WireClient*>(SSL_get_app_data(ssl))->tickets_received_;
    return 0;
  });
  ssl_ = SSL_new(context_);
  SSL_set_app_data(ssl_, this);
  if (options.session != nullptr) REQUIRE(SSL_set_session(ssl_, options.session.get()) == 1);
  if (options.verify_name != nullptr) SSL_set1_host(ssl_, options.verify_name);
  if (options.now_s != 0) X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl_), options.now_s);
  SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(ssl_);
}

WireClient::~WireClient() {
  // Without a goodbye, sent or pretended, OpenSSL would spoil the session for the next connection.
  SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN);
  SSL_free(ssl_);
  SSL_CTX_free(context_);
}

void WireClient::flush() {
  char* data = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(ssl_), &data);
  if (size > 0) socket_.send({data, static_cast<std::size_t>(size)});
  static_cast<void>(BIO_reset(SSL_get_wbio(ssl_)));
}

bool WireClient::fill() {
  const std::string bytes = socket_.receive();
  wire_ += bytes;
  if (!bytes.empty()) BIO_write(SSL_get_rbio(ssl_), bytes.data(), static_cast<int>(bytes.size()));
  return !bytes.empty();
}

bool WireClient::handshake() {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_);
    const int error = SSL_get_error(ssl_, result);
    if (result != 1 && error != SSL_ERROR_WANT_READ) {
      const char* reason = ERR_reason_error_string(ERR_peek_error());
      error_ = reason == nullptr ? "unknown error" : reason;
    }
    flush();
    if (result == 1) return true;
    if (!error_.empty()) return false;
    if (!fill()) {
      error_ = "connection closed";
      return false;
    }
  }
}

void WireClient::send_hello() {
  SSL_do_handshake(ssl_);
  flush();
}

std::string WireClient::version() const { return SSL_get_version(ssl_); }
std::string WireClient::cipher() const { return SSL_get_cipher_name(ssl_); }
std::string WireClient::server_key_type() const {
  return EVP_PKEY_is_a(X509_get0_pubkey(SSL_get0_peer_certificate(ssl_)), "RSA") == 1 ? "RSA" : "EC";
}

void WireClient::send(std::string_view bytes) {
  std::size_t n = 0;
  REQUIRE(SSL_write_ex(ssl_, bytes.data(), bytes.size(), &n) == 1);
  REQUIRE(n == bytes.size());
  flush();
}

std::string WireClient::receive() {
  std::string buffer(64 * 1024, '\0');
  for (;;) {
    std::size_t n = 0;
    ERR_clear_error();
    if (SSL_read_ex(ssl_, buffer.data(), buffer.size(), &n) == 1) {
      buffer.resize(n);
      return buffer;
    }
    if (SSL_get_error(ssl_, 0) != SSL_ERROR_WANT_READ || !fill()) return {};
  }
}

std::string WireClient::receive_all(std::size_t bytes) {
  std::string all;
  while (all.size() < bytes) {
    const std::string more = receive();
    if (more.empty()) break;
    all += more;
  }
  return all;
}

TlsSession WireClient::session() const {
  SSL_SESSION* session = SSL_get1_session(ssl_);
  TlsSession owned(session, SSL_SESSION_free);
  return session != nullptr && SSL_SESSION_has_ticket(session) == 1 ? owned : nullptr;
}

bool WireClient::resumed() const { return SSL_session_reused(ssl_) == 1; }

bool WireClient::said_goodbye() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }

bool WireClient::ask_for_key_update() {
  REQUIRE(SSL_key_update(ssl_, SSL_KEY_UPDATE_REQUESTED) == 1);
  REQUIRE(SSL_do_handshake(ssl_) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(ssl_), &data);
  const bool sent = ::send(socket_.get(), data, static_cast<std::size_t>(size), MSG_NOSIGNAL) == size;
  static_cast<void>(BIO_reset(SSL_get_wbio(ssl_)));
  return sent;
}

}  // namespace nearhub::test
