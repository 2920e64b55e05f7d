#include "registry/certificate_authority.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/base64.h"
#include "base/check.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time_format.h"

namespace nearhub::registry {
namespace {

using auth::Certificate;
using auth::Digest;

std::string upper_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

void show_certificate(CertificateAuthority& authority, const Certificate& certificate) {
  authority.certificate = certificate.der();
  authority.subject = certificate.subject();
  authority.expiry = certificate.not_after();
  authority.thumbprint = upper_case(certificate.thumbprint(Digest::kSha1));
}

void touch(CertificateAuthority& authority, WallTime now) {
  ++authority.etag_counter;
  authority.updated = now;
}

Result<const JsonValue*> string_member(const JsonValue& object, std::string_view name) {
  const JsonValue* member = find_member(object, name);
  if (member == nullptr || member->IsNull()) return invalid_argument(fmt::format("{} is missing: give PEM text, or base64", name));
  if (!member->IsString()) return invalid_argument(fmt::format("{} is {}; expected a string", name, json_kind(*member)));
  return member;
}

}  // namespace

ETag CertificateAuthority::etag() const { return ETag(base64_encode(std::to_string(etag_counter))); }

Status check_authority_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxAuthorityNameLength) {
    return invalid_argument(fmt::format("the name of a certificate has 1 to {} characters, not {}", kMaxAuthorityNameLength, name.size()));
  }
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i], lower = ascii_lower(c);
    if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_') continue;
    return invalid_argument(fmt::format("the name of a certificate contains '{}' at position {}; letters, digits and - . _ are allowed", printable(name.substr(i, 1)), i + 1));
  }
  return {};
}

Result<AuthorityRequest> authority_request(std::string_view certificate_text, bool verified) {
  auto certificate = Certificate::from_text(certificate_text);
  if (!certificate.ok()) return invalid_argument("certificate: " + certificate.error().detail);
  if (certificate->der().size() > kMaxAuthorityBytes) return invalid_argument(fmt::format("certificate: it has more than {} bytes", kMaxAuthorityBytes));
  if (!certificate->may_sign()) {
    return invalid_argument(fmt::format("certificate: {} is no CA certificate (basicConstraints CA:TRUE is missing), so nothing can chain to it; a device's own certificate is "
                               "registered by its thumbprint",
                               printable(certificate->subject())));
  }
  if (const auto weak = certificate->weak_key()) return invalid_argument(fmt::format("certificate: {} has {}, which is too weak for a CA", printable(certificate->subject()), *weak));
  return AuthorityRequest{std::move(*certificate), verified};
}

Result<AuthorityRequest> parse_authority_request(std::string_view body) {
  const auto document = parse_json(body);
  if (!document.ok()) return document.error();
  if (!document->IsObject()) return invalid_argument(fmt::format("the body is {}; expected an object", json_kind(*document)));
  const JsonValue* properties = find_member(*document, "properties");
  if (properties == nullptr) {
    properties = &*document;
  } else if (!properties->IsObject()) {
    return invalid_argument(fmt::format("properties is {}; expected an object", json_kind(*properties)));
  }
  const auto certificate = string_member(*properties, "certificate");
  if (!certificate.ok()) return certificate.error();
  const JsonValue* verified = find_member(*properties, "isVerified");
  if (verified != nullptr && !verified->IsNull() && !verified->IsBool()) return invalid_argument(fmt::format("isVerified is {}; expected true or false", json_kind(*verified)));
  return authority_request(string_of(**certificate), verified != nullptr && verified->IsTrue());
}

Result<Certificate> parse_proof_request(std::string_view body) {
  const auto document = parse_json(body);
  if (!document.ok()) return document.error();
  if (!document->IsObject()) return invalid_argument(fmt::format("the body is {}; expected an object", json_kind(*document)));
  const auto text = string_member(*document, "certificate");
  if (!text.ok()) return text.error();
  auto certificate = Certificate::from_text(string_of(**text));
  if (!certificate.ok()) return invalid_argument("certificate: " + certificate.error().detail);
  return certificate;
}

CertificateAuthority create_authority(std::string name, const AuthorityRequest& request, WallTime now, Random& random) {
  CertificateAuthority authority;
  authority.name = std::move(name);
  authority.verified = request.verified;
  authority.created = authority.updated = now;
  authority.etag_counter = 100'000'000 + static_cast<std::int64_t>(random.next() % 900'000'000);
  show_certificate(authority, request.certificate);
  return authority;
}

CertificateAuthority replace_authority(const CertificateAuthority& old, const AuthorityRequest& request, WallTime now) {
  CertificateAuthority authority = old;
  touch(authority, now);
  show_certificate(authority, request.certificate);
  authority.verified = request.verified;
  // The proof was one for the old certificate's key.
  authority.verification_code.clear();
  return authority;
}

Result<CertificateAuthority> with_verification_code(const CertificateAuthority& old, WallTime now, Random& random) {
  if (old.verified) return Error{ErrorCode::kInvalidOperation, fmt::format("{} is verified already", old.name)};
  CertificateAuthority authority = old;
  touch(authority, now);
  authority.verification_code = upper_case(random.hex(24));
  return authority;
}

Result<CertificateAuthority> verify_authority(const CertificateAuthority& old, const Certificate& proof, WallTime now) {
  if (old.verification_code.empty()) {
    return Error{ErrorCode::kInvalidOperation, old.verified ? fmt::format("{} is verified already", old.name) : fmt::format("{0} has no verification code: ask for one first, nearhub ca code {0}", old.name)};
  }
  const auto authority = Certificate::from_der(old.certificate);
  NEARHUB_CHECK(authority.ok());
  const std::vector<std::string> names = proof.common_names();
  const std::string name = names.empty() ? std::string() : names.back();
  if (name != old.verification_code) {
    return invalid_argument(fmt::format("the verification certificate has CN={}; expected the code {}", name.empty() ? "none" : printable(name, 80), old.verification_code));
  }
  if (!proof.is_signed_by(*authority)) {
    return invalid_argument(fmt::format("the verification certificate, issued by {}, is not signed by the key of {} ({}): the CA itself must sign it, not one below it",
                               printable(proof.issuer(), 120), old.name, printable(old.subject, 120)));
  }
  if (!proof.is_valid_at(now)) {
    return invalid_argument(fmt::format("the verification certificate is valid from {} to {}, and now it is {}", format_http_date(proof.not_before()), format_http_date(proof.not_after()),
                               format_http_date(now)));
  }
  CertificateAuthority verified = old;
  touch(verified, now);
  verified.verified = true;
  verified.verification_code.clear();
  return verified;
}

Status read_certificate(CertificateAuthority& authority) {
  const auto certificate = Certificate::from_der(authority.certificate);
  if (!certificate.ok()) return Error{ErrorCode::kCorrupt, fmt::format("the stored certificate {}: {}", authority.name, certificate.error().detail)};
  show_certificate(authority, *certificate);
  return {};
}

auth::AuthoritiesPtr parsed_set(const std::vector<CertificateAuthority>& all) {
  std::vector<auth::Authority> parsed;
  for (const CertificateAuthority& each : all) {
    auto certificate = Certificate::from_der(each.certificate);
    NEARHUB_CHECK(certificate.ok());
    std::string sha256 = certificate->thumbprint(Digest::kSha256);
    parsed.push_back({each.name, each.verified, std::move(*certificate), std::move(sha256)});
  }
  return std::make_shared<const auth::Authorities>(std::move(parsed));
}

void write_json(JsonWriter& json, const CertificateAuthority& authority, std::string_view id) {
  json.object()
      .member("id", id)
      .member("name", authority.name)
      .member("type", "Microsoft.Devices/IotHubs/Certificates")
      .member("etag", authority.etag().str())
      .member("properties")
      .object()
      .member("subject", authority.subject)
      .member("expiry", format_http_date(authority.expiry))
      .member("thumbprint", authority.thumbprint)
      .member("isVerified", authority.verified)
      .member("created", format_http_date(authority.created))
      .member("updated", format_http_date(authority.updated));
  if (!authority.verification_code.empty()) json.member("verificationCode", authority.verification_code);
  json.member("certificate", base64_encode(authority.certificate)).end_object().end_object();
}

}  // namespace nearhub::registry
