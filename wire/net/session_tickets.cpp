#include "wire/net/session_tickets.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/check.h"

namespace nearhub::net {
namespace {

std::string der_of(const X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) return {};
  std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

void random_bytes(unsigned char* to, int size) { NEARHUB_CHECK(RAND_bytes(to, size) == 1); }

}  // namespace

struct SessionTickets::Key {
  std::array<unsigned char, 16> name;
  std::array<unsigned char, 32> aes;
  std::array<unsigned char, 32> hmac;
  MonoTime made;

  ~Key() {
    OPENSSL_cleanse(aes.data(), aes.size());
    OPENSSL_cleanse(hmac.data(), hmac.size());
  }
};

// What a session's full handshake showed. It travels in every ticket of the session; those that a resumed connection gets carry it on.
struct SessionTickets::Proof {
  SessionName session;
  MonoTime when;
  Digest intermediates;  // zeros: none came
};

SessionTickets::SessionTickets(const Clock& clock, TicketLimits limits) : clock_(clock), limits_(limits) {}

SessionTickets::~SessionTickets() = default;

// --- Keys ---------------------------------------------------------------------------------------------------------------------

void SessionTickets::drop_old_keys(MonoTime now) {
  std::erase_if(keys_, [&](const Key& key) { return now >= key.made + limits_.key_time + limits_.lifetime; });
}

SessionTickets::Key SessionTickets::current_key() {
  const MonoTime now = clock_.mono();
  const std::lock_guard lock(mutex_);
  drop_old_keys(now);
  if (keys_.empty() || now >= keys_.back().made + limits_.key_time) {
    Key key;
    random_bytes(key.name.data(), static_cast<int>(key.name.size()));
    NEARHUB_CHECK(RAND_priv_bytes(key.aes.data(), static_cast<int>(key.aes.size())) == 1);
    NEARHUB_CHECK(RAND_priv_bytes(key.hmac.data(), static_cast<int>(key.hmac.size())) == 1);
    key.made = now;
    keys_.push_back(key);
  }
  return keys_.back();
}

bool SessionTickets::find_key(const unsigned char* name, Key& key, bool& current) {
  const MonoTime now = clock_.mono();
  const std::lock_guard lock(mutex_);
  drop_old_keys(now);
  const auto found = std::find_if(keys_.begin(), keys_.end(), [name](const Key& each) { return std::memcmp(each.name.data(), name, each.name.size()) == 0; });
  if (found == keys_.end()) return false;
  key = *found;
  current = now < key.made + limits_.key_time;
  return true;
}

// --- Intermediates --------------------------------------------------------------------------------------------------------------

SessionTickets::Digest SessionTickets::keep(const stack_st_X509* chain) {
  Digest digest{};
  const int count = chain == nullptr ? 0 : sk_X509_num(chain);
  if (count <= 0) return digest;
  auto intermediates = std::make_shared<Intermediates>();
  std::string all;  // DER tells its own length, so one behind the other they have one reading
  for (int i = 0; i < count; ++i) all += intermediates->emplace_back(der_of(sk_X509_value(chain, i)));
  SHA256(reinterpret_cast<const unsigned char*>(all.data()), all.size(), digest.data());

  const std::size_t bytes = sizeof(Kept) + 128 + all.size() + intermediates->size() * (sizeof(std::string) + 16);
  const std::lock_guard lock(mutex_);
  if (const auto known = kept_at_.find(digest); known != kept_at_.end()) {
    kept_.splice(kept_.begin(), kept_, known->second);
    return digest;
  }
  kept_.push_front({digest, std::move(intermediates), bytes});
  kept_at_.emplace(digest, kept_.begin());
  kept_bytes_ += bytes;
  while (kept_.size() > limits_.chains || kept_bytes_ > limits_.chain_bytes) {
    kept_bytes_ -= kept_.back().bytes;
    kept_at_.erase(kept_.back().digest);
    kept_.pop_back();
  }
  return digest;
}

SharedIntermediates SessionTickets::find(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  const auto found = kept_at_.find(digest);
  if (found == kept_at_.end()) return nullptr;
  kept_.splice(kept_.begin(), kept_, found->second);
  return found->second->intermediates;
}

// --- Sessions -------------------------------------------------------------------------------------------------------------------

namespace {

template <typename Proof>
bool read_proof(SSL_SESSION* session, Proof& proof) {
  static_assert(std::is_trivially_copyable_v<Proof>);
  void* data = nullptr;
  std::size_t size = 0;
  if (session == nullptr || SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1 || size != sizeof proof) return false;
  std::memcpy(&proof, data, size);
  return true;
}

}  // namespace

SessionTickets::Proof SessionTickets::prove(ssl_st* connection) {
  Proof proof{};
  random_bytes(proof.session.data(), static_cast<int>(proof.session.size()));
  proof.when = clock_.mono();
  proof.intermediates = keep(SSL_get_peer_cert_chain(connection));
  return proof;
}

bool SessionTickets::fit(ssl_session_st* session, SharedIntermediates& intermediates) {
  Proof proof;
  if (!read_proof(session, proof)) return false;
  if (clock_.mono() >= proof.when + limits_.lifetime) return false;
  if (const X509* leaf = SSL_SESSION_get0_peer(session)) {
    std::time_t now = static_cast<std::time_t>(unix_seconds(clock_.now()));
    if (X509_cmp_time(X509_get0_notAfter(leaf), &now) <= 0) return false;
  }
  {
    const std::lock_guard lock(mutex_);
    if (is_revoked_.contains(proof.session)) return false;
  }
  intermediates = nullptr;
  if (proof.intermediates == Digest{}) return true;
  intermediates = find(proof.intermediates);
  return intermediates != nullptr;
}

void SessionTickets::revoke(ssl_st* connection) {
  Proof proof;
  if (!read_proof(SSL_get_session(connection), proof)) return;
  const std::lock_guard lock(mutex_);
  if (!is_revoked_.insert(proof.session).second) return;
  revoked_.push_back(proof.session);
  if (revoked_.size() <= limits_.revoked) return;
  is_revoked_.erase(revoked_.front());
  revoked_.pop_front();
}

// --- OpenSSL's side -------------------------------------------------------------------------------------------------------------

struct SessionTickets::Callbacks {
  // 1: done; 2: done, and the client is to get a new ticket; 0: not a ticket of ours; -1: the handshake fails.
  static int key(SSL* connection, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int encrypt) {
    static EVP_CIPHER* const aes = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
    auto& tickets = *static_cast<SessionTickets*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection)));
    Key key;
    bool current = true;
    if (encrypt == 1) {
      key = tickets.current_key();
      std::memcpy(name, key.name.data(), key.name.size());
      random_bytes(iv, 16);
    } else if (!tickets.find_key(name, key, current)) {
      return 0;
    }
    const bool ready = EVP_CipherInit_ex2(cipher, aes, key.aes.data(), iv, encrypt, nullptr) == 1;
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.hmac.data(), key.hmac.size()),
                                 OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    if (!ready || EVP_MAC_CTX_set_params(mac, params) != 1) return -1;
    return current ? 1 : 2;
  }

  static int generate(SSL* connection, void* argument) {
    // A resumed session has its proof from the ticket; there is no chain to make another from.
    if (SSL_session_reused(connection) == 1) return 1;
    const Proof proof = static_cast<SessionTickets*>(argument)->prove(connection);
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(connection), &proof, sizeof proof);
  }

  static SSL_TICKET_RETURN decrypted(SSL* connection, SSL_SESSION* session, const unsigned char* /*key_name*/, std::size_t /*size*/,
                                     SSL_TICKET_STATUS status, void* argument) {
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) return SSL_TICKET_RETURN_IGNORE_RENEW;
    auto& intermediates = *static_cast<SharedIntermediates*>(BIO_get_data(SSL_get_rbio(connection)));
    if (!static_cast<SessionTickets*>(argument)->fit(session, intermediates)) return SSL_TICKET_RETURN_IGNORE_RENEW;
    // A client of TLS 1.3 uses a ticket once, and needs another (RFC 8446 appendix C.4).
    const bool renew = status == SSL_TICKET_SUCCESS_RENEW || SSL_version(connection) == TLS1_3_VERSION;
    return renew ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE;
  }
};

void SessionTickets::serve(ssl_ctx_st* context) {
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_timeout(context, static_cast<long>(std::chrono::seconds(limits_.lifetime).count()));
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &Callbacks::key);
  SSL_CTX_set_session_ticket_cb(context, &Callbacks::generate, &Callbacks::decrypted, this);
}

}  // namespace nearhub::net
