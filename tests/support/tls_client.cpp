#include "tests/support/tls_client.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace nearhub::test {
namespace {

std::string openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "connection closed" : reason;
}

struct BioDelete {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioDelete>;
BioPtr reader(const std::string& text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

void set_receive_timeout(int socket, std::chrono::milliseconds time) {
  timeval value{};
  value.tv_sec = time.count() / 1000;
  value.tv_usec = static_cast<suseconds_t>(time.count() % 1000) * 1000;
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value);
}

}  // namespace

struct TlsClient::Impl {
  SSL_CTX* context = nullptr;
  SSL* ssl = nullptr;
  ~Impl() {
    // Without a goodbye, sent or pretended, OpenSSL would spoil the session for the next connection.
    if (ssl != nullptr) SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN);
    SSL_free(ssl);
    SSL_CTX_free(context);
  }
};

TlsClient::TlsClient(const TlsOptions& options, std::uint16_t port) : impl_(std::make_unique<Impl>()) {
  impl_->context = SSL_CTX_new(TLS_client_method());
  SSL_CTX* context = impl_->context;
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (!options.ciphers.empty()) {
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    REQUIRE(SSL_CTX_set_cipher_list(context, options.ciphers.c_str()) == 1);
  }
  if (!options.groups.empty()) REQUIRE(SSL_CTX_set1_groups_list(context, options.groups.c_str()) == 1);
  if (options.verify) {
    const BioPtr bio = reader(options.ca_pem);
    X509* ca = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr);
    REQUIRE(ca != nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca);
    X509_free(ca);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  }
  if (!options.certificate_pem.empty()) {
    // A weak certificate is for the hub to judge.
    SSL_CTX_set_security_level(context, 0);
    const BioPtr certificate_bio = reader(options.certificate_pem), key_bio = reader(options.key_pem);
    X509* certificate = PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr);
    REQUIRE(SSL_CTX_use_certificate(context, certificate) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey(context, key) == 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
    // What stands behind the leaf goes along.
    while (X509* next = PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr)) REQUIRE(SSL_CTX_add_extra_chain_cert(context, next) == 1);
    ERR_clear_error();
  }
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  REQUIRE(inet_pton(AF_INET, options.host.c_str(), &address.sin_addr) == 1);
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    error_ = "cannot connect";
    return;
  }
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  set_receive_timeout(socket_, kPatience);
  impl_->ssl = SSL_new(context);
  SSL_set_fd(impl_->ssl, socket_);
  if (options.session != nullptr) REQUIRE(SSL_set_session(impl_->ssl, options.session.get()) == 1);
  if (!options.server_name.empty()) {
    SSL_set_tlsext_host_name(impl_->ssl, options.server_name.c_str());
    if (options.verify) SSL_set1_host(impl_->ssl, options.server_name.c_str());
  }
  ERR_clear_error();
  if (SSL_connect(impl_->ssl) != 1) error_ = openssl_error();
}

TlsClient::~TlsClient() {
  if (socket_ >= 0) ::close(socket_);
}

std::string TlsClient::version() const { return SSL_get_version(impl_->ssl); }
std::string TlsClient::cipher() const { return SSL_get_cipher_name(impl_->ssl); }
std::string TlsClient::server_key_type() const {
  X509* certificate = SSL_get0_peer_certificate(impl_->ssl);
  return EVP_PKEY_is_a(X509_get0_pubkey(certificate), "RSA") == 1 ? "RSA" : "EC";
}

bool TlsClient::resumed() const { return SSL_session_reused(impl_->ssl) == 1; }
std::shared_ptr<ssl_session_st> TlsClient::session() const {
  std::shared_ptr<ssl_session_st> session(SSL_get1_session(impl_->ssl), SSL_SESSION_free);
  return session != nullptr && SSL_SESSION_has_ticket(session.get()) == 1 ? session : nullptr;
}

bool TlsClient::try_send(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t n = 0;
    ERR_clear_error();
    if (SSL_write_ex(impl_->ssl, bytes.data(), bytes.size(), &n) != 1) return false;
    bytes.remove_prefix(n);
  }
  return true;
}

void TlsClient::send(std::string_view bytes) { REQUIRE(try_send(bytes)); }

std::optional<std::string> TlsClient::receive_within(std::chrono::milliseconds time) {
  std::string buffer(64 * 1024, '\0');
  std::size_t n = 0;
  set_receive_timeout(socket_, std::max(time, std::chrono::milliseconds(1)));
  ERR_clear_error();
  if (SSL_read_ex(impl_->ssl, buffer.data(), buffer.size(), &n) == 1) {
    buffer.resize(n);
    return buffer;
  }
  const int error = SSL_get_error(impl_->ssl, 0);
  if (error == SSL_ERROR_WANT_READ || (error == SSL_ERROR_SYSCALL && (errno == EAGAIN || errno == EWOULDBLOCK))) return std::nullopt;
  return std::string();
}

std::string TlsClient::receive(std::chrono::milliseconds patience) {
  auto bytes = receive_within(patience);
  REQUIRE_MESSAGE(bytes.has_value(), "nothing came in time");
  return *bytes;
}

void TlsClient::reset() {
  const linger at_once{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(socket_);
  socket_ = -1;
}

}  // namespace nearhub::test
