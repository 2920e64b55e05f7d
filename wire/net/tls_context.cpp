#include "wire/net/tls_context.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "wire/net/openssl_error.h"

namespace nearhub::net {
namespace {

struct BioDelete {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
struct X509Delete {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct KeyDelete {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using BioPtr = std::unique_ptr<BIO, BioDelete>;

BioPtr reader(std::string_view text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// Client certificates are judged at CONNECT, where the identity says what is expected of them. OpenSSL looks for no path: it would check
// signatures whose result nobody asks for, and keep the chain.
int accept_any_certificate(X509_STORE_CTX* store, void* /*argument*/) {
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

Error failure(std::string_view what) {
  return {ErrorCode::kInvalidSetting, fmt::format("{}: {}", what, take_openssl_error())};
}

}  // namespace

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Result<std::unique_ptr<TlsContext>> TlsContext::create(const std::vector<CertificateAndKey>& leaves,
                                                       std::string_view session_id_context, std::optional<Resumption> resumption) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) return failure("OpenSSL gives no TLS context");
  std::unique_ptr<TlsContext> result(new TlsContext(context));

  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  if (SSL_CTX_set_cipher_list(context, std::string(kCipherList).c_str()) != 1) return failure("cipher list");
  if (SSL_CTX_set1_groups_list(context, "P-256:P-384:P-521:X25519") != 1) return failure("curves");
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);
  // An idle connection keeps no record buffers; the plaintext buffer of a write may move between attempts.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_CTX_set_max_send_fragment(context, kMaxSendFragment);

  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, accept_any_certificate, nullptr);
  SSL_CTX_set_max_cert_list(context, kMaxClientCertificateBytes);
  // Without a session id context OpenSSL ends a handshake in which a client that was asked for a certificate offers a session (A.5).
  if (SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(session_id_context.data()),
                                     static_cast<unsigned>(session_id_context.size())) != 1) {
    return failure("session id context");
  }
  // OpenSSL's own cache would keep every session in memory; tickets leave them with the clients.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
  if (resumption) {
    result->tickets_ = std::make_unique<SessionTickets>(resumption->clock, resumption->limits);
    result->tickets_->serve(context);
  }

  if (leaves.empty()) return Error{ErrorCode::kInvalidSetting, "no server certificate"};
  for (const CertificateAndKey& leaf : leaves) {
    const BioPtr certificate_bio = reader(leaf.certificate_pem), key_bio = reader(leaf.key_pem);
    const std::unique_ptr<X509, X509Delete> certificate(PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) return failure("server certificate is not a PEM certificate");
    const std::unique_ptr<EVP_PKEY, KeyDelete> key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
    if (key == nullptr) return failure("server key is not a PEM private key");
    // Together: by itself a key of another type would only wait for a certificate of its own.
    if (SSL_CTX_use_cert_and_key(context, certificate.get(), key.get(), nullptr, 1) != 1) return failure("server key does not fit its certificate");
  }
  return result;
}

}  // namespace nearhub::net
