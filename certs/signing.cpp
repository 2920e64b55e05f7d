#include "certs/signing.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "base/time_format.h"
#include "certs/issue.h"
#include "certs/openssl_error.h"
#include "certs/pem.h"

namespace nearhub::certs {
namespace {

unsigned rsa_bits(KeyType type) {
  switch (type) {
    case KeyType::kRsa2048: return 2048;
    case KeyType::kRsa3072: return 3072;
    case KeyType::kRsa4096: return 4096;
    case KeyType::kEcP256: return 0;
  }
  return 0;
}

Error about(std::string_view what, Error error) {
  error.detail.insert(0, fmt::format("{}: ", what));
  return error;
}

}  // namespace

Result<PkeyPtr> make_key(KeyType type) {
  const unsigned bits = rsa_bits(type);
  PkeyPtr key(bits > 0 ? EVP_RSA_gen(bits) : EVP_EC_gen("P-256"));
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

Result<Signer> load_signer(const KeyPair& pair, WallTime now, std::string_view what) {
  auto certificate = parse_certificate(pair.certificate_pem);
  if (!certificate) return about(what, certificate.error());
  auto key = parse_private_key(pair.key_pem);
  if (!key) return about(what, key.error());
  if (X509_check_private_key(certificate->get(), key->get()) != 1) {
    return openssl_error(ErrorCode::kInvalidSetting, fmt::format("{}: the private key does not belong to the certificate", what));
  }
  if (X509_check_ca(certificate->get()) == 0) {
    return Error{ErrorCode::kInvalidSetting, fmt::format("{}: the certificate is not a certificate authority's", what)};
  }
  const auto info = read_certificate(pair.certificate_pem);
  if (!info) return about(what, info.error());
  if (now < info->not_before || now >= info->not_after) {
    return Error{ErrorCode::kInvalidSetting,
                 fmt::format("{}: the certificate is valid from {} to {}, and the clock says {}", what,
                             format_http_date(info->not_before), format_http_date(info->not_after), format_http_date(now))};
  }
  return Signer{std::move(*certificate), std::move(*key), info->not_after};
}

}  // namespace nearhub::certs
