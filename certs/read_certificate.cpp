#include <fmt/core.h>
#include <openssl/evp.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>
#include <utility>

#include "base/text.h"
#include "certs/authority.h"
#include "certs/host_name.h"
#include "certs/openssl_error.h"
#include "certs/pem.h"

namespace nearhub::certs {
namespace {

std::string_view view_of(const ASN1_STRING& string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(&string)),
          static_cast<std::size_t>(ASN1_STRING_length(&string))};
}

Result<WallTime> to_wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    return openssl_error(ErrorCode::kInvalidSetting, "the certificate's validity cannot be read");
  }
  const std::chrono::year_month_day date{std::chrono::year{parts.tm_year + 1900},
                                         std::chrono::month{static_cast<unsigned>(parts.tm_mon + 1)},
                                         std::chrono::day{static_cast<unsigned>(parts.tm_mday)}};
  return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{parts.tm_hour} +
         std::chrono::minutes{parts.tm_min} + std::chrono::seconds{parts.tm_sec};
}

// The last common name of the subject as UTF-8 (x509-and-boards.md A.3); empty when there is none.
Result<std::string> common_name_of(X509& certificate) {
  const X509_NAME* subject = X509_get_subject_name(&certificate);
  int at = -1;
  for (int next = -1; (next = X509_NAME_get_index_by_NID(subject, NID_commonName, next)) >= 0;) at = next;
  if (at < 0) return std::string();
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) return openssl_error(ErrorCode::kInvalidSetting, "the certificate's common name cannot be read");
  std::string name(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  // "hub\0.evil" is one name to us and another to a client that reads C strings.
  if (name.find('\0') != std::string::npos) {
    return Error{ErrorCode::kInvalidSetting, "the certificate's common name contains a NUL"};
  }
  return name;
}

Status read_alternative_names(X509& certificate, CertificateInfo& info) {
  int found = -1;  // -1: absent; -2: more than once
  const GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, &found, nullptr)));
  if (names == nullptr) {
    if (found == -1) return {};
    return openssl_error(ErrorCode::kInvalidSetting, "the certificate's alternative names cannot be read");
  }
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
    if (type != GEN_DNS && type != GEN_IPADD) continue;
    const std::string_view bytes = view_of(*static_cast<const ASN1_STRING*>(value));
    if (type == GEN_DNS) {
      info.dns_names.emplace_back(bytes);
    } else if (std::string text = ip_text(bytes); !text.empty()) {
      info.ip_addresses.push_back(std::move(text));
    } else {
      return Error{ErrorCode::kInvalidSetting,
                   fmt::format("the certificate names an IP address of {} bytes", bytes.size())};
    }
  }
  return {};
}

Result<std::string> thumbprint_of(X509& certificate, const EVP_MD* hash) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(&certificate, hash, digest, &size) != 1) {
    return openssl_error(ErrorCode::kIo, "cannot hash the certificate");
  }
  return to_hex({reinterpret_cast<const char*>(digest), size});
}

std::string hex_of(const ASN1_OCTET_STRING* id) { return id == nullptr ? std::string() : to_hex(view_of(*id)); }

Result<CertificateInfo> read(X509& certificate) {
  CertificateInfo info;
  auto common_name = common_name_of(certificate);
  if (!common_name) return std::move(common_name).error();
  info.common_name = std::move(*common_name);
  if (const Status names = read_alternative_names(certificate, info); !names) return names.error();
  const auto not_before = to_wall_time(X509_get0_notBefore(&certificate));
  if (!not_before) return not_before.error();
  info.not_before = *not_before;
  const auto not_after = to_wall_time(X509_get0_notAfter(&certificate));
  if (!not_after) return not_after.error();
  info.not_after = *not_after;
  for (const auto& [hash, thumbprint] : {std::pair{EVP_sha1(), &info.sha1_thumbprint}, std::pair{EVP_sha256(), &info.sha256_thumbprint}}) {
    auto hex = thumbprint_of(certificate, hash);
    if (!hex) return std::move(hex).error();
    *thumbprint = std::move(*hex);
  }
  info.issuer_key_id = hex_of(X509_get0_authority_key_id(&certificate));
  info.key_id = hex_of(X509_get0_subject_key_id(&certificate));
  return info;
}

bool names_host(const CertificateInfo& info, const std::string& name) {
  const auto host = parse_host_name(name);
  if (!host) return false;
  const bool as_text = std::any_of(info.dns_names.begin(), info.dns_names.end(),
                                   [&](const std::string& n) { return equals_ignoring_case(n, name); });
  if (host->ip_bytes.empty()) return as_text;
  const std::string address = ip_text(host->ip_bytes);
  return as_text && std::find(info.ip_addresses.begin(), info.ip_addresses.end(), address) != info.ip_addresses.end();
}

// The issuer's name and key identifier match, it may sign certificates, and the signature is its own.
bool is_issued_by(X509& certificate, X509& issuer) {
  return X509_check_issued(&issuer, &certificate) == X509_V_OK &&
         X509_verify(&certificate, X509_get0_pubkey(&issuer)) == 1;
}

}  // namespace

Result<CertificateInfo> read_certificate(std::string_view certificate_pem) {
  const ErrorQueueScope scope;
  const auto certificate = parse_certificate(certificate_pem);
  if (!certificate) return certificate.error();
  return read(**certificate);
}

Result<std::vector<CertificateInfo>> read_chain(std::string_view chain_pem) {
  const ErrorQueueScope scope;
  const auto chain = parse_certificates(chain_pem);
  if (!chain) return chain.error();
  std::vector<CertificateInfo> infos;
  for (const X509Ptr& certificate : *chain) {
    auto info = read(*certificate);
    if (!info) return std::move(info).error();
    infos.push_back(std::move(*info));
  }
  return infos;
}

bool serves(const KeyPair& leaf, const KeyPair& root, const std::vector<std::string>& names, WallTime now,
            std::int64_t spare_days) {
  const ErrorQueueScope scope;
  const auto certificate = parse_certificate(leaf.certificate_pem);
  const auto key = parse_private_key(leaf.key_pem);
  const auto issuer = parse_certificate(root.certificate_pem);
  if (!certificate || !key || !issuer) return false;
  if (X509_check_private_key(certificate->get(), key->get()) != 1) return false;
  if (!is_issued_by(**certificate, **issuer)) return false;
  if (X509_check_purpose(certificate->get(), X509_PURPOSE_SSL_SERVER, 0) != 1) return false;

  const auto info = read(**certificate);
  if (!info || now < info->not_before || info->not_after - now < std::chrono::hours{24 * spare_days}) return false;
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) { return names_host(*info, name); });
}

}  // namespace nearhub::certs
