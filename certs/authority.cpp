#include "certs/authority.h"

#include <fmt/core.h>

#include <algorithm>

#include "certs/host_name.h"
#include "certs/issue.h"
#include "certs/openssl_error.h"
#include "certs/pem.h"
#include "certs/signing.h"

namespace nearhub::certs {
namespace {

// TLS_RSA suites encrypt the premaster secret with the leaf's key; with an EC key nothing is ever encrypted.
constexpr Profile kRsaServerProfile = {"CA:FALSE", "critical,digitalSignature,keyEncipherment", "serverAuth"};
constexpr Profile kEcServerProfile = {"CA:FALSE", "critical,digitalSignature", "serverAuth"};

Result<std::vector<HostName>> parse_host_names(const std::vector<std::string>& names) {
  if (names.empty()) return Error{ErrorCode::kInvalidSetting, "a server certificate needs at least one host name"};
  std::vector<HostName> hosts;
  hosts.reserve(names.size());
  for (const std::string& name : names) {
    auto host = parse_host_name(name);
    if (!host) return std::move(host).error();
    hosts.push_back(std::move(*host));
  }
  return hosts;
}

Result<KeyPair> issue_server_leaf(const KeyPair& root, const std::vector<std::string>& names, EVP_PKEY& key, WallTime now, Random& random,
                                  std::int64_t valid_days) {
  auto hosts = parse_host_names(names);
  if (!hosts) return std::move(hosts).error();
  const auto named =
      std::find_if(names.begin(), names.end(), [](const std::string& n) { return n.size() <= kMaxCommonNameLength; });
  if (named == names.end()) {
    return Error{
        ErrorCode::kInvalidSetting,
        fmt::format("every host name has more than {} characters; a certificate's common name needs one that has not",
                    kMaxCommonNameLength)};
  }
  if (const Status valid = check_valid_days(valid_days, kServerValidDays); !valid) return valid.error();

  const auto signer = load_signer(root, now, "root");
  if (!signer) return signer.error();
  auto [not_before, not_after] = validity_from(now, valid_days);
  not_after = std::min(not_after, signer->not_after);  // a leaf that outlives its root only looks valid
  const Issuer issuer{*signer->certificate, *signer->key};
  const auto leaf = issue(EVP_PKEY_is_a(&key, "RSA") == 1 ? kRsaServerProfile : kEcServerProfile,
                          Subject{*named, std::move(*hosts), not_before, not_after}, key, &issuer, random);
  if (!leaf) return leaf.error();
  return to_pem(**leaf, key);
}

}  // namespace

Result<KeyPair> make_root(std::string_view common_name, WallTime now, Random& random, std::int64_t valid_days) {
  const ErrorQueueScope scope;
  if (const Status named = check_common_name(common_name); !named) return named.error();
  if (const Status valid = check_valid_days(valid_days, kMaxRootValidDays); !valid) return valid.error();
  auto key = make_key(KeyType::kRsa2048);
  if (!key) return std::move(key).error();
  const auto [not_before, not_after] = validity_from(now, valid_days);
  const auto certificate = issue(kAuthorityProfile, Subject{common_name, {}, not_before, not_after}, **key, nullptr, random);
  if (!certificate) return certificate.error();
  return to_pem(**certificate, **key);
}

Result<KeyPair> make_server_leaf(const KeyPair& root, const std::vector<std::string>& names, KeyType type, WallTime now,
                                 Random& random, std::int64_t valid_days) {
  const ErrorQueueScope scope;
  const auto key = make_key(type);
  if (!key) return key.error();
  return issue_server_leaf(root, names, **key, now, random, valid_days);
}

Result<KeyPair> make_server_leaf_for_key(const KeyPair& root, const std::vector<std::string>& names, std::string_view key_pem,
                                         WallTime now, Random& random, std::int64_t valid_days) {
  const ErrorQueueScope scope;
  const auto key = parse_private_key(key_pem);
  if (!key) return key.error();
  return issue_server_leaf(root, names, **key, now, random, valid_days);
}

}  // namespace nearhub::certs
