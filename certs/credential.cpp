#include "certs/credential.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "certs/issue.h"
#include "certs/openssl_error.h"
#include "certs/pem.h"
#include "certs/signing.h"

namespace nearhub::certs {
namespace {

// The key of an RSA client is never encrypted to by TLS, but tools and stacks look for it (A.3: certGen's leaves have it).
constexpr Profile kRsaClientProfile = {"CA:FALSE", "critical,digitalSignature,keyEncipherment", "clientAuth"};
constexpr Profile kEcClientProfile = {"CA:FALSE", "critical,digitalSignature", "clientAuth"};

Result<Credential> make(const Profile& profile, std::string_view common_name, const Terms& terms, std::int64_t most_days,
                        const Credential* above) {
  const ErrorQueueScope scope;
  if (const Status named = check_common_name(common_name); !named) return named.error();
  if (const Status valid = check_valid_days(terms.valid_days, most_days); !valid) return valid.error();
  auto [not_before, not_after] = validity_from(terms.now, terms.valid_days);
  std::optional<Signer> signer;
  std::optional<Issuer> issuer;
  if (above != nullptr) {
    auto loaded = load_signer(above->pair, terms.now, "the authority");
    if (!loaded) return std::move(loaded).error();
    signer = std::move(*loaded);
    issuer.emplace(Issuer{*signer->certificate, *signer->key});
    not_after = std::min(not_after, signer->not_after);  // it would only look valid beyond that
  }
  const auto key = make_key(terms.key);
  if (!key) return key.error();
  const auto certificate =
      issue(profile, Subject{common_name, {}, not_before, not_after}, **key, issuer ? &*issuer : nullptr, terms.random);
  if (!certificate) return certificate.error();
  auto pair = to_pem(**certificate, **key);
  if (!pair) return std::move(pair).error();
  Credential made{std::move(*pair), {}};
  made.chain_pem = made.pair.certificate_pem;
  if (above != nullptr) made.chain_pem += above->chain_pem;
  return made;
}

}  // namespace

Result<Credential> make_authority(std::string_view common_name, const Terms& terms, const Credential* above) {
  return make(kAuthorityProfile, common_name, terms, kMaxRootValidDays, above);
}

Result<Credential> make_client_leaf(std::string_view common_name, const Terms& terms, const Credential* authority) {
  return make(terms.key == KeyType::kEcP256 ? kEcClientProfile : kRsaClientProfile, common_name, terms, kMaxClientValidDays,
              authority);
}

Result<Credential> make_server_credential(const std::vector<std::string>& names, const Terms& terms, const Credential& authority) {
  auto pair = make_server_leaf(authority.pair, names, terms.key, terms.now, terms.random, terms.valid_days);
  if (!pair) return std::move(pair).error();
  Credential made{std::move(*pair), {}};
  made.chain_pem = made.pair.certificate_pem + authority.chain_pem;
  return made;
}

Result<Credential> read_credential(std::string_view certificate, std::string_view key_pem, std::string_view chain_pem) {
  const ErrorQueueScope scope;
  const auto leaf = parse_certificate(certificate);
  if (!leaf) return leaf.error();
  const auto key = parse_private_key(key_pem);
  if (!key) return key.error();
  if (X509_check_private_key(leaf->get(), key->get()) != 1) {
    return openssl_error(ErrorCode::kInvalidSetting, "the private key does not belong to the certificate");
  }
  std::vector<X509Ptr> above;
  if (!chain_pem.empty()) {
    auto parsed = parse_certificates(chain_pem);
    if (!parsed) return std::move(parsed).error();
    above = std::move(*parsed);
  }
  auto pair = to_pem(**leaf, **key);
  if (!pair) return std::move(pair).error();
  Credential credential{std::move(*pair), {}};
  credential.chain_pem = credential.pair.certificate_pem;
  for (const X509Ptr& one : above) {
    if (&one == &above.front() && X509_cmp(one.get(), leaf->get()) == 0) continue;
    auto text = certificate_pem(*one);
    if (!text) return std::move(text).error();
    credential.chain_pem += *text;
  }
  return credential;
}

Result<std::string> chain_without_root(std::string_view chain_pem) {
  const ErrorQueueScope scope;
  const auto chain = parse_certificates(chain_pem);
  if (!chain) return chain.error();
  std::string shown;
  for (const X509Ptr& one : *chain) {
    const bool root = X509_NAME_cmp(X509_get_subject_name(one.get()), X509_get_issuer_name(one.get())) == 0;
    if (root && &one != &chain->front()) continue;
    auto text = certificate_pem(*one);
    if (!text) return std::move(text).error();
    shown += *text;
  }
  return shown;
}

}  // namespace nearhub::certs
