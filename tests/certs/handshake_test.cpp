// Two TLS endpoints in one process: what clients of the boards' kinds are shown when a listener holds both leaves.

#include <openssl/ssl.h>

#include "tests/certs/fixtures.h"

using namespace nearhub;
using namespace nearhub::certs;

namespace {

using SslContextPtr = OpensslPtr<SSL_CTX, &SSL_CTX_free>;
using SslPtr = OpensslPtr<SSL, &SSL_free>;

// x509-and-boards.md A.8.
constexpr const char* kServerCiphers =
    "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-"
    "AES128-SHA256:"
    "ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA:AES128-GCM-SHA256:AES256-"
    "GCM-SHA384:"
    "AES128-SHA256:AES256-SHA256:AES128-SHA";

// x509-and-boards.md B.6: old firmware of the nRF9160's modem.
constexpr const char* kOldModemCiphers =
    "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-"
    "AES256-SHA:"
    "ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-SHA";

SSL_CTX* server_context() {
  static const SslContextPtr context = [] {
    SslContextPtr server(SSL_CTX_new(TLS_server_method()));
    for (const KeyPair* leaf : {&rsa_leaf(), &ec_leaf()}) {
      REQUIRE(SSL_CTX_use_certificate(server.get(), certificate_of(*leaf).get()) == 1);
      REQUIRE(SSL_CTX_use_PrivateKey(server.get(), key_of(*leaf).get()) == 1);
    }
    REQUIRE(SSL_CTX_set_cipher_list(server.get(), kServerCiphers) == 1);
    REQUIRE(SSL_CTX_set_min_proto_version(server.get(), TLS1_2_VERSION) == 1);
    SSL_CTX_set_options(server.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
    return server;
  }();
  return context.get();
}

struct Client {
  const char* ciphers = nullptr;     // null: OpenSSL's own, and TLS 1.3
  const char* signatures = nullptr;  // null: OpenSSL's own
  const char* groups = nullptr;      // null: OpenSSL's own
  const char* host = "hub.lab";      // null: checks `address` instead
  const char* address = nullptr;
  const KeyPair& trusts = test_root();
};

struct Outcome {
  bool connected = false;
  long verdict = -1;  // X509_V_...
  std::string cipher;
  std::string version;
  int leaf_key = 0;  // EVP_PKEY_...
  int sent_certificates = 0;
  std::size_t certificate_bytes = 0;  // of the Certificate message
};

void note_certificate_message(int write, int, int content_type, const void* bytes, std::size_t size, SSL*,
                              void* outcome) {
  const bool handshake = content_type == SSL3_RT_HANDSHAKE && write == 0;
  if (handshake && static_cast<const unsigned char*>(bytes)[0] == SSL3_MT_CERTIFICATE) {
    static_cast<Outcome*>(outcome)->certificate_bytes = size;
  }
}

Outcome connect(const Client& wanted) {
  Outcome outcome;
  const SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  const X509Ptr trusted = certificate_of(wanted.trusts);
  REQUIRE(X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), trusted.get()) == 1);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  X509_VERIFY_PARAM* parameters = SSL_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, to_time_t(kNow));
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  if (wanted.host != nullptr) {
    REQUIRE(X509_VERIFY_PARAM_set1_host(parameters, wanted.host, 0) == 1);
  } else {
    REQUIRE(X509_VERIFY_PARAM_set1_ip_asc(parameters, wanted.address) == 1);
  }
  if (wanted.ciphers != nullptr) {
    REQUIRE(SSL_CTX_set_cipher_list(context.get(), wanted.ciphers) == 1);
    REQUIRE(SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION) == 1);
  }
  if (wanted.signatures != nullptr) REQUIRE(SSL_CTX_set1_sigalgs_list(context.get(), wanted.signatures) == 1);
  if (wanted.groups != nullptr) REQUIRE(SSL_CTX_set1_groups_list(context.get(), wanted.groups) == 1);
  SSL_CTX_set_msg_callback(context.get(), note_certificate_message);
  SSL_CTX_set_msg_callback_arg(context.get(), &outcome);

  const SslPtr client(SSL_new(context.get())), server(SSL_new(server_context()));
  BIO *client_end = nullptr, *server_end = nullptr;
  REQUIRE(BIO_new_bio_pair(&client_end, 0, &server_end, 0) == 1);
  SSL_set_bio(client.get(), client_end, client_end);
  SSL_set_bio(server.get(), server_end, server_end);
  SSL_set_connect_state(client.get());
  SSL_set_accept_state(server.get());

  bool client_done = false, server_done = false;
  for (int turn = 0; turn < 10 && !(client_done && server_done); ++turn) {
    client_done = SSL_do_handshake(client.get()) == 1;
    server_done = SSL_do_handshake(server.get()) == 1;
  }
  outcome.connected = client_done && server_done;
  outcome.verdict = SSL_get_verify_result(client.get());
  if (!outcome.connected) return outcome;
  outcome.cipher = SSL_get_cipher_name(client.get());
  outcome.version = SSL_get_version(client.get());
  outcome.leaf_key = EVP_PKEY_get_base_id(X509_get0_pubkey(SSL_get0_peer_certificate(client.get())));
  outcome.sent_certificates = sk_X509_num(SSL_get_peer_cert_chain(client.get()));
  return outcome;
}

}  // namespace

TEST_SUITE("certs") {
  TEST_CASE("handshake: an nRF9160 with old firmware gets the EC leaf, in a chain that it can hold") {
    const Outcome outcome = connect({.ciphers = kOldModemCiphers, .groups = "P-256"});
    CHECK(outcome.connected);
    CHECK(outcome.verdict == X509_V_OK);
    CHECK(outcome.cipher == "ECDHE-ECDSA-AES256-SHA384");
    CHECK(outcome.leaf_key == EVP_PKEY_EC);
    CHECK(outcome.sent_certificates == 1);
    CHECK(outcome.certificate_bytes == 703);  // the modem takes 4096 at most
  }

  TEST_CASE("handshake: a client of RSA key exchanges and RSA signatures gets the RSA leaf") {
    for (const char* cipher :
         {"ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA", "AES128-SHA256", "AES128-GCM-SHA256"}) {
      const Outcome outcome = connect({.ciphers = cipher, .signatures = "RSA+SHA256:RSA+SHA384", .groups = "P-256"});
      CHECK(outcome.connected);
      CHECK(outcome.verdict == X509_V_OK);
      CHECK(outcome.cipher == cipher);
      CHECK(outcome.leaf_key == EVP_PKEY_RSA);
      CHECK(outcome.sent_certificates == 1);
      CHECK(outcome.certificate_bytes == 906);
    }
  }

  TEST_CASE("handshake: a client of all ciphers but RSA signatures alone gets the RSA leaf") {
    const Outcome outcome = connect({.ciphers = kServerCiphers, .signatures = "RSA+SHA256:RSA+SHA384"});
    CHECK(outcome.connected);
    CHECK(outcome.verdict == X509_V_OK);
    CHECK(outcome.leaf_key == EVP_PKEY_RSA);
    CHECK(outcome.cipher == "ECDHE-RSA-AES256-GCM-SHA384");
  }

  TEST_CASE("handshake: a present-day client gets the EC leaf over TLS 1.3, one of RSA signatures alone the RSA leaf") {
    const Outcome modern = connect({});
    CHECK(modern.connected);
    CHECK(modern.verdict == X509_V_OK);
    CHECK(modern.version == "TLSv1.3");
    CHECK(modern.leaf_key == EVP_PKEY_EC);
    const Outcome rsa = connect({.signatures = "rsa_pss_rsae_sha256:rsa_pkcs1_sha256"});
    CHECK(rsa.connected);
    CHECK(rsa.verdict == X509_V_OK);
    CHECK(rsa.version == "TLSv1.3");
    CHECK(rsa.leaf_key == EVP_PKEY_RSA);
  }

  TEST_CASE("handshake: clients that check an address instead of a name connect as well") {
    for (const char* address : {"127.0.0.1", "::1"}) {
      const Outcome outcome = connect({.host = nullptr, .address = address});
      CHECK(outcome.connected);
      CHECK(outcome.verdict == X509_V_OK);
    }
    CHECK(connect({.host = "127.0.0.1"}).verdict == X509_V_OK);  // compared as text
  }

  TEST_CASE("handshake: a wrong name, a wrong address and another root are found out") {
    CHECK(connect({.host = "evil.lab"}).verdict == X509_V_ERR_HOSTNAME_MISMATCH);
    CHECK_FALSE(connect({.host = "evil.lab"}).connected);
    CHECK(connect({.host = nullptr, .address = "127.0.0.2"}).verdict == X509_V_ERR_IP_ADDRESS_MISMATCH);
    const Outcome stranger = connect({.trusts = other_root()});
    CHECK_FALSE(stranger.connected);
    CHECK(stranger.verdict != X509_V_OK);
  }
}
