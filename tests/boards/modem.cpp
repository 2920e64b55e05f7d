#include "tests/boards/modem.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tests/support/tls_client.h"

namespace nearhub::test {
namespace {

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free_all)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

BioPtr reader(const std::string& text) { return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free_all}; }

X509Ptr next_certificate(BIO* bio) { return {PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), &X509_free}; }

std::string reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* text = code == 0 ? nullptr : ERR_reason_error_string(code);
  return text == nullptr ? "connection closed" : text;
}

void load(SSL_CTX* context, const SecurityTag& tag) {
  const X509Ptr ca = next_certificate(reader(tag.ca_pem).get());
  REQUIRE(ca != nullptr);
  REQUIRE(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get()) == 1);
  if (tag.certificate_pem.empty()) return;
  const BioPtr chain = reader(tag.certificate_pem);
  const X509Ptr leaf = next_certificate(chain.get());
  REQUIRE(leaf != nullptr);
  REQUIRE(SSL_CTX_use_certificate(context, leaf.get()) == 1);
  while (const X509Ptr above = next_certificate(chain.get())) REQUIRE(SSL_CTX_add1_chain_cert(context, above.get()) == 1);
  ERR_clear_error();
  const KeyPtr key(PEM_read_bio_PrivateKey(reader(tag.key_pem).get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  REQUIRE(key != nullptr);
  REQUIRE(SSL_CTX_use_PrivateKey(context, key.get()) == 1);
}

}  // namespace

struct ModemSocket::Impl {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = nullptr;
  ~Impl() {
    SSL_free(ssl);
    SSL_CTX_free(context);
  }

  // What comes in, record by record and handshake message by handshake message.
  static void watch(int write, int, int type, const void* bytes, std::size_t size, SSL*, void* argument) {
    if (write != 0) return;
    auto& modem = *static_cast<ModemSocket*>(argument);
    const auto* at = static_cast<const unsigned char*>(bytes);
    if (type == SSL3_RT_HEADER && size == SSL3_RT_HEADER_LENGTH) {
      modem.largest_record_ = std::max(modem.largest_record_, SSL3_RT_HEADER_LENGTH + static_cast<std::size_t>(at[3] << 8 | at[4]));
    } else if (type == SSL3_RT_HANDSHAKE && size > 0 && at[0] == SSL3_MT_CERTIFICATE) {
      modem.certificate_bytes_ = size;
    }
  }
};

ModemSocket::ModemSocket(const SecurityTag& tag, const ModemFirmware& firmware, const std::string& host, std::uint16_t port, int receive_buffer)
    : impl_(std::make_unique<Impl>()) {
  SSL_CTX* context = impl_->context;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  REQUIRE(SSL_CTX_set_cipher_list(context, firmware.ciphers) == 1);
  REQUIRE(SSL_CTX_set1_groups_list(context, "P-256") == 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  load(context, tag);

  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer != 0) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  timeval patience{};
  patience.tv_sec = kPatience.count();
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);

  impl_->ssl = SSL_new(context);
  SSL_set_fd(impl_->ssl, socket_);
  SSL_set_msg_callback(impl_->ssl, &Impl::watch);
  SSL_set_msg_callback_arg(impl_->ssl, this);
  // The name is checked whether SNI is sent or not; a literal address stands in the certificate as text, too.
  if (firmware.server_name) SSL_set_tlsext_host_name(impl_->ssl, host.c_str());
  REQUIRE(SSL_set1_host(impl_->ssl, host.c_str()) == 1);
  ERR_clear_error();
  if (SSL_connect(impl_->ssl) != 1) fault_ = "TLS handshake: " + reason();
  check_sizes();
}

ModemSocket::~ModemSocket() { cut(); }

bool ModemSocket::check_sizes() {
  if (fault_.empty() && certificate_bytes_ > kModemCertificateBytes) fault_ = "a certificate message of " + std::to_string(certificate_bytes_) + " bytes";
  if (fault_.empty() && largest_record_ > kModemRecordBytes) fault_ = "a TLS record of " + std::to_string(largest_record_) + " bytes";
  return fault_.empty();
}

bool ModemSocket::send(std::string_view bytes) {
  if (!fault_.empty() || socket_ < 0) return false;
  std::size_t sent = 0;
  ERR_clear_error();
  return SSL_write_ex(impl_->ssl, bytes.data(), bytes.size(), &sent) == 1 && sent == bytes.size();
}

std::optional<std::string> ModemSocket::receive(std::chrono::milliseconds patience) {
  if (!fault_.empty() || socket_ < 0) return std::string();
  const auto time = std::max(patience, std::chrono::milliseconds(1));
  timeval limit{};
  limit.tv_sec = time.count() / 1000;
  limit.tv_usec = static_cast<suseconds_t>(time.count() % 1000) * 1000;
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  std::string buffer(kModemRecordBytes, '\0');
  std::size_t n = 0;
  ERR_clear_error();
  const bool read = SSL_read_ex(impl_->ssl, buffer.data(), buffer.size(), &n) == 1;
  if (!check_sizes()) return std::string();
  if (read) {
    buffer.resize(n);
    return buffer;
  }
  const int error = SSL_get_error(impl_->ssl, 0);
  if (error == SSL_ERROR_WANT_READ || (error == SSL_ERROR_SYSCALL && (errno == EAGAIN || errno == EWOULDBLOCK))) return std::nullopt;
  return std::string();
}

void ModemSocket::cut() {
  if (socket_ < 0) return;
  const linger at_once{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(socket_);
  socket_ = -1;
}

std::string ModemSocket::cipher() const { return SSL_get_cipher_name(impl_->ssl); }

}  // namespace nearhub::test
