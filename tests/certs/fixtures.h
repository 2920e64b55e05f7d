// What the tests of this room share. Making an RSA key is slow, so each is made once per process.
#pragma once
#include <doctest/doctest.h>

#include <chrono>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "certs/authority.h"
#include "certs/openssl_ptr.h"
#include "certs/pem.h"

namespace nearhub::certs {

// 2026-01-01T00:00:00Z.
inline constexpr WallTime kNow = WallTime{std::chrono::milliseconds{1'767'225'600'000}};

inline constexpr std::chrono::seconds days(std::int64_t count) { return std::chrono::hours{24 * count}; }

// What a hub without further settings names.
inline const std::vector<std::string> kNames = {"hub.lab", "dps.lab", "localhost", "127.0.0.1", "::1"};

inline Random& test_random() {
  static SeededRandom seeded(2026);
  return seeded;
}

inline KeyPair new_root() {
  auto root = make_root("nearhub root 4f2a", kNow, test_random());
  REQUIRE_MESSAGE(root.ok(), (root.ok() ? "" : root.error().detail));
  return std::move(*root);
}

inline KeyPair new_leaf(const KeyPair& root, const std::vector<std::string>& names, KeyType type = KeyType::kEcP256) {
  auto leaf = make_server_leaf(root, names, type, kNow, test_random());
  REQUIRE_MESSAGE(leaf.ok(), (leaf.ok() ? "" : leaf.error().detail));
  return std::move(*leaf);
}

inline const KeyPair& test_root() {
  static const KeyPair root = new_root();
  return root;
}

// Of the same name as test_root(), with another key.
inline const KeyPair& other_root() {
  static const KeyPair root = new_root();
  return root;
}

inline const KeyPair& rsa_leaf() {
  static const KeyPair leaf = new_leaf(test_root(), kNames, KeyType::kRsa2048);
  return leaf;
}

inline const KeyPair& ec_leaf() {
  static const KeyPair leaf = new_leaf(test_root(), kNames, KeyType::kEcP256);
  return leaf;
}

inline X509Ptr certificate_of(const KeyPair& pair) {
  auto certificate = parse_certificate(pair.certificate_pem);
  REQUIRE(certificate.ok());
  return std::move(*certificate);
}

inline PkeyPtr key_of(const KeyPair& pair) {
  auto key = parse_private_key(pair.key_pem);
  REQUIRE(key.ok());
  return std::move(*key);
}

inline std::time_t to_time_t(WallTime t) { return static_cast<std::time_t>(unix_seconds(t)); }

using StorePtr = OpensslPtr<X509_STORE, &X509_STORE_free>;
using StoreContextPtr = OpensslPtr<X509_STORE_CTX, &X509_STORE_CTX_free>;

// What a client that trusts `root` alone finds at that moment: X509_V_OK, or the X509_V_ERR_... number.
inline int verify(const KeyPair& leaf, const KeyPair& root, WallTime at, unsigned long flags = 0) {
  const X509Ptr leaf_certificate = certificate_of(leaf), root_certificate = certificate_of(root);
  const StorePtr store(X509_STORE_new());
  REQUIRE(X509_STORE_add_cert(store.get(), root_certificate.get()) == 1);
  const StoreContextPtr context(X509_STORE_CTX_new());
  REQUIRE(X509_STORE_CTX_init(context.get(), store.get(), leaf_certificate.get(), nullptr) == 1);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, to_time_t(at));
  X509_VERIFY_PARAM_set_flags(parameters, flags);
  REQUIRE(X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER) == 1);
  const int verified = X509_verify_cert(context.get());
  const int error = X509_STORE_CTX_get_error(context.get());
  CHECK((verified == 1) == (error == X509_V_OK));
  return error;
}

}  // namespace nearhub::certs
