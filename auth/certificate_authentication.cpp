#include "auth/certificate_authentication.h"

#include <fmt/core.h>

#include <algorithm>

#include "auth/certificate_chain.h"
#include "auth/certificate_text.h"
#include "base/text.h"

namespace nearhub::auth {
namespace {

Denial deny(std::string expected, std::string received, std::string advice = {}) {
  return {Check::kCertificate, ErrorCode::kIotHubUnauthorized, std::move(expected), std::move(received), std::move(advice)};
}

Admission admit(const DeviceQuestion& q, std::string credential) {
  Admission admission;
  admission.scope = q.identity.is_module() ? Admission::Scope::kModule : Admission::Scope::kDevice;
  admission.type = q.credentials.type;
  admission.credential = std::move(credential);
  return admission;
}

// What came, or why it cannot be looked at. The door bounds it too; whoever calls from elsewhere gets an answer and no stall.
std::variant<std::vector<Certificate>, Denial> read_presented(const std::vector<std::string>& presented) {
  std::size_t bytes = 0;
  for (const std::string& der : presented) bytes += der.size();
  if (presented.size() > kMaxPresentedCertificates || bytes > kMaxPresentedCertificateBytes) {
    return Denial{Check::kSize, ErrorCode::kIotHubUnauthorized,
                  fmt::format("at most {} certificates with {} bytes", kMaxPresentedCertificates, kMaxPresentedCertificateBytes),
                  fmt::format("{} with {}", presented.size(), bytes), "send the leaf and its intermediates alone"};
  }
  std::vector<Certificate> certificates;
  certificates.reserve(presented.size());
  for (const std::string& der : presented) {
    auto certificate = Certificate::from_der(der);
    if (!certificate.ok()) {
      return deny("X.509 certificates", fmt::format("certificate {} of {}: {}", certificates.size() + 1, presented.size(), certificate.error().detail));
    }
    certificates.push_back(std::move(*certificate));
  }
  return certificates;
}

std::string leaf_text(const Certificate& leaf) { return fmt::format("the leaf ({})", shown(leaf.subject())); }

// --- selfSigned ---------------------------------------------------------------------------------------------------------------

Digest digest_of(std::string_view thumbprint) { return thumbprint.size() == 40 ? Digest::kSha1 : Digest::kSha256; }

Denial unknown_thumbprint(const DeviceQuestion& q, const Certificate& leaf) {
  const Credentials& registered = q.credentials;
  std::string expected, received;
  for (const auto& [slot, thumbprint] : {std::pair{"primary", &registered.primary_thumbprint}, std::pair{"secondary", &registered.secondary_thumbprint}}) {
    if (thumbprint->empty()) continue;
    const Digest digest = digest_of(*thumbprint);
    expected += fmt::format("{}{} {} {}", expected.empty() ? "" : ", ", slot, digest_text(digest), *thumbprint);
    const std::string computed = fmt::format("{} {}", digest_text(digest), leaf.thumbprint(digest));
    if (received.find(computed) == std::string::npos) received += (received.empty() ? "" : ", ") + computed;
  }
  if (expected.empty()) {
    return deny(fmt::format("a thumbprint registered for {}", describe(q.identity)), fmt::format("no thumbprint is registered; {} has SHA-256 {}", leaf_text(leaf), leaf.thumbprint(Digest::kSha256)),
                "register it as primaryThumbprint");
  }
  std::string advice = diagnose_thumbprint(q, leaf);
  if (advice.empty()) advice = "connect with the certificate that is registered, or register this one in the free slot";
  return deny(fmt::format("a registered thumbprint of {}: {}", describe(q.identity), expected), fmt::format("{} with {}", leaf_text(leaf), received), std::move(advice));
}

std::variant<Admission, Denial> authenticate_by_thumbprint(const DeviceQuestion& q, const Certificate& leaf) {
  for (const std::string* thumbprint : {&q.credentials.primary_thumbprint, &q.credentials.secondary_thumbprint}) {
    if (thumbprint->empty() || !equals_ignoring_case(*thumbprint, leaf.thumbprint(digest_of(*thumbprint)))) continue;
    if (auto denial = judge_validity(leaf, leaf_text(leaf), q.now)) return std::move(*denial);
    Admission admission = admit(q, to_lower(*thumbprint));
    // The cloud takes them, so this hub does (A.4); but somebody should know.
    const auto weak = leaf.weak_key() ? leaf.weak_key() : leaf.weak_signature();
    if (weak) admission.warning = fmt::format("the client certificate has {}; the identity's certificate authority type would refuse it", *weak);
    return admission;
  }
  return unknown_thumbprint(q, leaf);
}

// --- certificateAuthority -----------------------------------------------------------------------------------------------------

std::optional<Denial> check_common_name(const DeviceQuestion& q, const Certificate& leaf) {
  const std::string wanted = q.identity.text();
  const std::vector<std::string> names = leaf.common_names();
  const std::string name = names.empty() ? std::string() : names.back();
  if (name == wanted) return std::nullopt;

  const std::string expected = fmt::format("a leaf with CN={}, the {} id", wanted, q.identity.is_module() ? "device and module" : "device");
  if (names.empty()) {
    const auto alternatives = leaf.alternative_names();
    const bool named = std::find(alternatives.begin(), alternatives.end(), wanted) != alternatives.end();
    return deny(expected, fmt::format("{} without a common name", leaf_text(leaf)),
                named ? "its subjectAltName has the id, which is not looked at: put it into the subject's CN" : "issue it anew with the id as the subject's CN");
  }
  std::string received = fmt::format("CN={}", shown(name));
  if (names.size() > 1) received += fmt::format(", the last of {}", names.size());
  std::string advice = "issue the certificate for this identity, or connect as the one that it names";
  if (name.find('\0') != std::string::npos) {
    advice = "the CN contains a NUL byte";
  } else if (equals_ignoring_case(name, wanted)) {
    advice = "ids are case-sensitive: the CN must be the id, letter for letter";
  } else if (trim(name) == wanted) {
    advice = "the CN has spaces around the id";
  } else if (q.identity.is_module() && name == q.identity.device.view()) {
    advice = "a device's certificate does not open its modules: issue one with CN=" + wanted;
  } else if (q.identity.is_module() && name == q.identity.module.view()) {
    advice = "the CN of a module is device and module: issue one with CN=" + wanted;
  } else if (!q.identity.is_module() && name.starts_with(wanted + "/")) {
    advice = "a module's certificate does not open its device: issue one with CN=" + wanted;
  } else if (std::find(names.begin(), names.end(), wanted) != names.end()) {
    advice = "of several CNs the last one counts: leave the id alone in the subject";
  }
  return deny(expected, std::move(received), std::move(advice));
}

std::variant<Admission, Denial> authenticate_by_authority(const DeviceQuestion& q, const std::vector<Certificate>& certificates) {
  const Certificate& leaf = certificates.front();
  const std::string expected = fmt::format("a leaf issued by a CA: {} is registered with authentication type certificateAuthority", describe(q.identity));
  const std::string own_first = "send the device's own certificate first, then the intermediates";
  if (leaf.is_self_issued()) {
    if (const Authority* registered = q.authorities == nullptr ? nullptr : q.authorities->find_certificate(leaf)) {
      return deny(expected, fmt::format("{}, which is the registered CA {} itself", leaf_text(leaf), registered->name), own_first);
    }
    return deny(expected, fmt::format("{}, which is self-signed", leaf_text(leaf)),
                fmt::format("register the identity with type selfSigned and thumbprint {}, or issue the certificate by a registered CA", leaf.thumbprint(Digest::kSha256)));
  }
  if (leaf.claims_authority()) {
    return deny(expected, fmt::format("{}, which is a CA certificate itself", leaf_text(leaf)), own_first + "; issue it with CA:FALSE");
  }
  if (auto denial = check_common_name(q, leaf)) return std::move(*denial);
  static const Authorities none;
  auto chain = verify_chain(leaf, std::span(certificates).subspan(1), q.authorities == nullptr ? none : *q.authorities, q.now);
  if (auto* denial = std::get_if<Denial>(&chain)) return std::move(*denial);
  const Authority& authority = *std::get<const Authority*>(chain);
  Admission admission = admit(q, authority.sha256);
  admission.authority = authority.name;
  return admission;
}

}  // namespace

std::string describe(const IdentityId& identity) {
  return identity.is_module() ? fmt::format("module {}", identity.text()) : fmt::format("device {}", identity.text());
}

std::variant<Admission, Denial> authenticate_by_certificate(const DeviceQuestion& q) {
  auto read = read_presented(*q.presented.certificates);
  if (auto* denial = std::get_if<Denial>(&read)) return std::move(*denial);
  const auto& certificates = std::get<std::vector<Certificate>>(read);
  if (q.credentials.type == AuthenticationType::kSelfSigned) return authenticate_by_thumbprint(q, certificates.front());
  return authenticate_by_authority(q, certificates);
}

}  // namespace nearhub::auth
