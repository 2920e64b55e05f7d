#include "tools/certificate.h"

#include <fmt/core.h>

#include <optional>

#include "base/text.h"
#include "tools/examples.h"
#include "tools/table.h"
#include "tools/terminal_text.h"
#include "tools/time_text.h"

namespace nearhub::tools {
namespace {

constexpr std::size_t kMaxCommonName = 64;  // X.520, in characters; ids are ASCII

std::int64_t default_days(CertificateKind kind) {
  switch (kind) {
    case CertificateKind::kRoot: return kRootDays;
    case CertificateKind::kIntermediate: return kIntermediateDays;
    case CertificateKind::kVerification: return kVerificationDays;
    case CertificateKind::kDevice:
    case CertificateKind::kModule:
    case CertificateKind::kServer: return kLeafDays;
  }
  return kLeafDays;
}

Result<certs::Credential> make(const CertificateOrder& order, const certs::Terms& terms, const certs::Credential* authority) {
  const std::string& name = order.names.front();
  switch (order.kind) {
    case CertificateKind::kRoot:
    case CertificateKind::kIntermediate: return certs::make_authority(name, terms, authority);
    case CertificateKind::kServer: return certs::make_server_credential(order.names, terms, *authority);
    case CertificateKind::kVerification: return certs::make_client_leaf(name, terms, authority);
    case CertificateKind::kDevice:
    case CertificateKind::kModule: {
      const std::string common_name = common_name_for(name, authority == nullptr);
      if (common_name.size() > kMaxCommonName) {
        return Error{ErrorCode::kInvalidSetting,
                     fmt::format("{} has {} characters, and the common name of a certificate takes {}: an identity with a longer id can be known by "
                                 "its thumbprint only, so leave out --ca",
                                 name, name.size(), kMaxCommonName)};
      }
      return certs::make_client_leaf(common_name, terms, authority);
    }
  }
  return Error{ErrorCode::kInvalidSetting, "an unknown kind of certificate"};
}

// What to paste next.
Result<std::string> next_steps(const CertificateOrder& order, const CertificateFiles& files, const certs::Credential& made, const std::string& base,
                               const Authority* authority) {
  const std::string place = order.folder == "." ? "" : " --out " + shell_word(order.folder);
  const std::string& name = order.names.front();
  switch (order.kind) {
    case CertificateKind::kRoot:
      return fmt::format("nearhub ca add {} {} --verified\nnearhub cert device DEVICE --ca {}{}\n", shell_word(authority_name(base)),
                         shell_word(files.certificate), shell_word(base), place);
    case CertificateKind::kIntermediate:
      return fmt::format("nearhub cert device DEVICE --ca {}{}\n", shell_word(base), place);
    case CertificateKind::kVerification:
      return fmt::format("nearhub ca verify {} {}\n", shell_word(authority_name(authority->name)), shell_word(files.certificate));
    case CertificateKind::kServer: return std::string();
    case CertificateKind::kDevice:
    case CertificateKind::kModule: {
      const char* family = order.kind == CertificateKind::kDevice ? "device" : "module";
      std::string known_by = "--auth ca";
      if (authority == nullptr) {
        const auto info = certs::read_certificate(made.pair.certificate_pem);
        if (!info.ok()) return info.error();
        known_by = "--thumbprint " + info->sha256_thumbprint;
      }
      return fmt::format("nearhub {0} create {1} {2}\n# or, when it is registered already\nnearhub {0} update {1} {2}\n", family, shell_word(name), known_by);
    }
  }
  return std::string();
}

}  // namespace

Result<certs::KeyType> key_type(int rsa_bits) {
  switch (rsa_bits) {
    case 0: return certs::KeyType::kEcP256;
    case 2048: return certs::KeyType::kRsa2048;
    case 3072: return certs::KeyType::kRsa3072;
    case 4096: return certs::KeyType::kRsa4096;
    default: return Error{ErrorCode::kInvalidSetting, fmt::format("RSA keys have 2048, 3072 or 4096 bits, not {}", rsa_bits)};
  }
}

std::string authority_name(std::string_view name) {
  std::string registered(name.substr(0, kMaxCommonName));
  for (char& c : registered) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    if (!plain) c = '-';
  }
  return registered;
}

std::string common_name_for(std::string_view id, bool may_be_cut) {
  return std::string(may_be_cut ? id.substr(0, kMaxCommonName) : id);
}

Result<std::string> made_certificate_text(const CertificateFiles& files, const certs::Credential& credential) {
  const auto info = certs::read_certificate(credential.pair.certificate_pem);
  if (!info.ok()) return info.error();
  std::size_t links = 0;
  for (std::size_t at = 0; (at = credential.chain_pem.find("-----BEGIN", at)) != std::string::npos; ++at) ++links;
  Fields fields;
  fields.add("certificate", terminal_text(files.certificate));
  fields.add("private key", terminal_text(files.key));
  fields.add("full chain", fmt::format("{} ({})", terminal_text(files.chain), links == 1 ? "the certificate alone" : fmt::format("{} certificates", links)));
  fields.add("common name", terminal_text(info->common_name));
  fields.add("valid", fmt::format("{} to {}", show_time(info->not_before), show_time(info->not_after)));
  fields.add("thumbprint", info->sha256_thumbprint + " (SHA-256)");
  return fields.text();
}

Result<certs::Credential> make_credential(const CertificateOrder& order, const certs::Credential* authority, WallTime now, Random& random) {
  const auto type = key_type(order.rsa_bits);
  if (!type.ok()) return type.error();
  return make(order, {*type, order.days == 0 ? default_days(order.kind) : order.days, now, random}, authority);
}

Status make_certificate(const CertificateOrder& order, const Clock& clock, Random& random, Console& console) {
  const std::string base = !order.file_name.empty()                        ? order.file_name
                           : order.kind == CertificateKind::kVerification ? "verification"
                                                                           : file_name_for(order.names.front());
  const CertificateFiles files = certificate_files(order.folder, base);
  if (const Status free = check_certificate_files(files, order.force); !free.ok()) return free;
  std::optional<Authority> authority;
  if (!order.authority.empty()) {
    auto found = find_authority(order.authority, order.authority_key, order.folder);
    if (!found.ok()) return found.error();
    authority = std::move(*found);
  }
  const auto made = make_credential(order, authority ? &authority->credential : nullptr, clock.now(), random);
  if (!made.ok()) return made.error();
  if (const Status written = write_certificate_files(files, *made, order.force); !written.ok()) return written;
  const auto text = made_certificate_text(files, *made);
  if (!text.ok()) return text.error();
  console.print(*text);
  const auto next = next_steps(order, files, *made, base, authority ? &*authority : nullptr);
  if (!next.ok()) return next.error();
  if (!next->empty()) console.print("\n# next\n" + *next);
  return {};
}

}  // namespace nearhub::tools
