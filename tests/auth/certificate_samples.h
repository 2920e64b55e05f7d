// What the tables of certificate cases share: the question in a form that fits a row, and the verdict in one line.
#pragma once
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "auth/device_authentication.h"
#include "tests/auth/samples.h"
#include "tests/support/certificate_maker.h"

namespace nearhub::auth {

using test::CertificateSpec;
using test::KeyKind;
using test::make_certificate;
using test::TestCertificate;

struct Registered {
  std::string name;
  const TestCertificate* certificate;
  bool verified = true;
};

struct CertificateCase {
  const char* name;
  std::vector<const TestCertificate*> presented;  // leaf first
  std::vector<Registered> registered;
  // "admitted by NAME", "admitted by THUMBPRINT [warning]", or "RECEIVED; ADVICE" of the denial.
  std::string verdict;
  std::string identity = "d1";
  Credentials credentials = {AuthenticationType::kCertificateAuthority, {}, {}, {}, {}};
  WallTime now = test::kCertificateNow;
  std::optional<std::string> password = std::nullopt;
};

inline IdentityId identity_id(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {DeviceId(text), {}};
  return {DeviceId(text.substr(0, slash)), ModuleId(text.substr(slash + 1))};
}

inline Authorities authorities_of(const std::vector<Registered>& registered) {
  std::vector<Authority> all;
  for (const Registered& each : registered) {
    auto certificate = Certificate::from_der(each.certificate->der());
    REQUIRE(certificate.ok());
    all.push_back({each.name, each.verified, std::move(*certificate), each.certificate->sha256()});
  }
  return Authorities(std::move(all));
}

inline std::variant<Admission, Denial> judge(const CertificateCase& c, std::vector<Relative> relatives = {}) {
  static const HostNames hosts({"localhost"});
  std::vector<std::string> ders;
  for (const TestCertificate* each : c.presented) ders.push_back(each->der());
  const IdentityId id = identity_id(c.identity);
  const Authorities authorities = authorities_of(c.registered);
  Presented presented;
  if (c.password) presented.password = *c.password;
  presented.certificates = &ders;
  return authenticate_device({id, c.credentials, nullptr, presented, hosts, policies(), c.now, {}, &authorities, std::move(relatives)});
}

inline std::string text_of(const std::variant<Admission, Denial>& verdict) {
  if (const auto* denial = std::get_if<Denial>(&verdict)) return denial->received + (denial->advice.empty() ? "" : "; " + denial->advice);
  const auto& admission = std::get<Admission>(verdict);
  return "admitted by " + (admission.authority.empty() ? admission.credential : admission.authority) + (admission.warning.empty() ? "" : " (" + admission.warning + ")");
}

inline void check_cases(const std::vector<CertificateCase>& cases) {
  for (const CertificateCase& each : cases) {
    CAPTURE(each.name);
    CHECK(text_of(judge(each)) == each.verdict);
  }
}

// The parts that most cases are made of, made once.
inline const TestCertificate& root() {
  static const TestCertificate made = make_certificate({.common_names = {"root"}, .ca = true, .key_usage = "critical,keyCertSign,cRLSign"});
  return made;
}
inline const TestCertificate& intermediate() {
  static const TestCertificate made = make_certificate({.common_names = {"intermediate"}, .issuer = &root(), .ca = true, .key_usage = "critical,keyCertSign"});
  return made;
}
inline const TestCertificate& leaf() {
  static const TestCertificate made = make_certificate({.issuer = &intermediate(), .ca = false, .key_usage = "critical,digitalSignature", .extended_key_usage = "clientAuth"});
  return made;
}

}  // namespace nearhub::auth
