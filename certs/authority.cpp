#include "certs/authority.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "base/time_format.h"
#include "certs/host_name.h"
#include "certs/issue.h"
#include "certs/openssl_error.h"
#include "certs/pem.h"

namespace nearhub::certs {
namespace {

constexpr Profile kRootProfile = {"critical,CA:TRUE", "critical,keyCertSign,cRLSign", nullptr};
// TLS_RSA suites encrypt the premaster secret with the leaf's key; with an EC key nothing is ever encrypted.
constexpr Profile kRsaServerProfile = {"CA:FALSE", "critical,digitalSignature,keyEncipherment", "serverAuth"};
constexpr Profile kEcServerProfile = {"CA:FALSE", "critical,digitalSignature", "serverAuth"};

Result<PkeyPtr> make_key(KeyType type) {
  PkeyPtr key(type == KeyType::kRsa2048 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
  if (key == nullptr) return openssl_error(ErrorCode::kIo, "cannot make a private key");
  return key;
}

Status check_common_name(std::string_view name) {
  if (name.empty()) return Error{ErrorCode::kInvalidSetting, "the common name is empty"};
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (!is_utf8(name) || std::any_of(name.begin(), name.end(), is_control)) {
    return Error{ErrorCode::kInvalidSetting, fmt::format("common name \"{}\" is not printable UTF-8", printable(name))};
  }
  // Continuation bytes do not begin a character.
  const auto characters =
      static_cast<std::size_t>(std::count_if(name.begin(), name.end(), [](char c) { return (c & 0xC0) != 0x80; }));
  if (characters > kMaxCommonNameLength) {
    return Error{ErrorCode::kInvalidSetting, fmt::format("common name \"{}\" has {} characters; at most {} are allowed",
                                                         printable(name), characters, kMaxCommonNameLength)};
  }
  return {};
}

Status check_valid_days(std::int64_t days, std::int64_t most) {
  if (days >= 1 && days <= most) return {};
  return Error{ErrorCode::kInvalidSetting,
               fmt::format("a certificate of this kind is valid for 1 to {} days, not {}", most, days)};
}

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

struct Validity {
  WallTime not_before, not_after;
};

// Both ends count (RFC 5280), so the last second lies one before the round number: stacks that count strictly see
// `days` and not more.
Validity validity_from(WallTime now, std::int64_t days) {
  const WallTime not_before = now - std::chrono::seconds{kBackdateSeconds};
  return {not_before, not_before + std::chrono::hours{24 * days} - std::chrono::seconds{1}};
}

Result<KeyPair> to_pem(X509& certificate, EVP_PKEY& key) {
  auto certificate_text = certificate_pem(certificate);
  if (!certificate_text) return std::move(certificate_text).error();
  auto key_text = private_key_pem(key);
  if (!key_text) return std::move(key_text).error();
  return KeyPair{std::move(*certificate_text), std::move(*key_text)};
}

Error about_root(Error error) {
  error.detail.insert(0, "root: ");
  return error;
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

  const auto root_certificate = parse_certificate(root.certificate_pem);
  if (!root_certificate) return about_root(root_certificate.error());
  const auto root_key = parse_private_key(root.key_pem);
  if (!root_key) return about_root(root_key.error());
  if (X509_check_private_key(root_certificate->get(), root_key->get()) != 1) {
    return openssl_error(ErrorCode::kInvalidSetting, "root: the private key does not belong to the certificate");
  }
  if (X509_check_ca(root_certificate->get()) == 0) {
    return Error{ErrorCode::kInvalidSetting, "root: the certificate is not a certificate authority's"};
  }
  const auto root_info = read_certificate(root.certificate_pem);
  if (!root_info) return about_root(root_info.error());
  if (now < root_info->not_before || now >= root_info->not_after) {
    return Error{ErrorCode::kInvalidSetting,
                 fmt::format("root: the certificate is valid from {} to {}, and the clock says {}",
                             format_http_date(root_info->not_before), format_http_date(root_info->not_after),
                             format_http_date(now))};
  }

  auto [not_before, not_after] = validity_from(now, valid_days);
  not_after = std::min(not_after, root_info->not_after);  // a leaf that outlives its root only looks valid
  const Issuer issuer{**root_certificate, **root_key};
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
  const auto certificate = issue(kRootProfile, Subject{common_name, {}, not_before, not_after}, **key, nullptr, random);
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
