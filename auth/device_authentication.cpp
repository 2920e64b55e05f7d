#include "auth/device_authentication.h"

#include <fmt/core.h>

#include "auth/certificate_authentication.h"
#include "base/base64.h"
#include "base/text.h"
#include "base/time_format.h"

namespace nearhub::auth {
namespace {

std::string resource_of(const IdentityId& identity, std::string_view host) {
  std::string resource = fmt::format("{}/devices/{}", host, identity.device.str());
  if (identity.is_module()) resource += "/modules/" + identity.module.str();
  return resource;
}

Denial deny(Check check, std::string expected, std::string received, std::string advice = {}) {
  return {check, ErrorCode::kIotHubUnauthorized, std::move(expected), std::move(received), std::move(advice)};
}

bool has_certificate(const Presented& presented) { return presented.certificates != nullptr && !presented.certificates->empty(); }

// A token that says whose key signed it.
bool names_policy(const Presented& presented) {
  if (!presented.password) return false;
  const SasParse parse = parse_sas_token(*presented.password);
  return parse.ok && !parse.token.policy.empty();
}

// For an identity that has no keys: what came does not even claim to be a policy's.
Denial no_certificate(const DeviceQuestion& q) {
  const bool password = q.presented.password && !q.presented.password->empty();
  return deny(Check::kCredential,
              fmt::format("a client certificate: {} is registered with authentication type {}", describe(q.identity), authentication_type_text(q.credentials.type)),
              password ? "no client certificate, and a password that is no token of a shared access policy" : "no client certificate",
              password ? "give the client its certificate and key, or register the identity with authentication type sas"
                       : "give the client its certificate and key: setOptions({cert, key}) in Node, X509 in Python, --cert and --key in mosquitto_pub");
}

// The scope of the token against the identity. An identity's own key must name it; a policy's may name any part of the path to it.
std::optional<Denial> check_scope(const DeviceQuestion& q, std::string_view resource, bool by_policy) {
  const auto segments = resource_segments(resource);
  const std::string wanted = resource_of(q.identity, q.hosts.primary());
  const std::string received = fmt::format("sr={}", printable(resource, 300));
  if (segments.empty() || !q.hosts.contains(segments[0])) {
    return deny(Check::kHostName, fmt::format("sr that begins with a name of this hub ({})", q.hosts.list()), received,
                wrong_host_advice(segments.empty() ? std::string_view() : segments[0]));
  }
  std::vector<std::string_view> required = {segments[0], "devices", q.identity.device.view()};
  if (q.identity.is_module()) {
    required.emplace_back("modules");
    required.push_back(q.identity.module.view());
  }
  const std::size_t common = std::min(segments.size(), required.size());
  bool fits = by_policy || segments.size() >= required.size();
  // What tools write behind the resource does not count, but a module's scope is narrower than its device's, whoever signed the token.
  if (!q.identity.is_module() && segments.size() > required.size() && equals_ignoring_case(segments[required.size()], "modules")) fits = false;
  for (std::size_t i = 1; i < common && fits; ++i) {
    // "devices" and "modules" are words of the protocol; ids are case-sensitive.
    fits = i % 2 == 1 ? equals_ignoring_case(segments[i], required[i]) : segments[i] == required[i];
  }
  if (fits) return std::nullopt;

  std::string advice = "sign a token for this identity";
  if (segments.size() >= 3 && segments[2] != q.identity.device.view()) {
    advice = equals_ignoring_case(segments[2], q.identity.device.view())
                 ? "ids are case-sensitive"
                 : fmt::format("the token is for device {}", printable(segments[2], kMaxIdLength));
  } else if (q.identity.is_module() && segments.size() == 3) {
    advice = "a device's token does not open its modules: sign with the module's key for .../modules/" + q.identity.module.str();
  } else if (!q.identity.is_module() && segments.size() > required.size()) {
    advice = "a module's token does not open its device";
  } else if (segments.size() == 1 && !by_policy) {
    advice = "a token for the whole hub needs a policy: add skn, or sign a token for this device";
  }
  return deny(Check::kSasResource, fmt::format("sr={}", wanted), received, advice);
}

// As decoded, or as it stands: the C SDK does not encode, and an id may hold what looks encoded.
std::optional<Denial> check_resource(const DeviceQuestion& q, const SasToken& token, bool by_policy) {
  auto denial = check_scope(q, token.resource, by_policy);
  if (denial && token.resource_text != token.resource && !check_scope(q, token.resource_text, by_policy)) return std::nullopt;
  return denial;
}

std::variant<Admission, Denial> authenticate_by_token(const DeviceQuestion& q) {
  if (!q.presented.password || q.presented.password->empty()) {
    const bool certificate = has_certificate(q.presented);
    return deny(Check::kCredential, fmt::format("a SAS token as password: {} is registered with authentication type sas", describe(q.identity)),
                certificate ? "a client certificate and no password" : "no password",
                certificate ? "send a token, or register the identity for X.509"
                            : "make a token with `nearhub sas make`, or use an SDK with the connection string");
  }
  const SasParse parse = parse_sas_token(*q.presented.password);
  if (!parse.ok) return parse.denial;
  const SasToken& token = parse.token;

  const AccessPolicy* policy = nullptr;
  if (!token.policy.empty()) {
    policy = find_policy(q.policies, token.policy);
    if (policy == nullptr) {
      return deny(Check::kSasPolicy, "skn naming a shared access policy of this hub, or no skn with a device's key",
                  fmt::format("skn={}", printable(token.policy, 80)));
    }
    if (!policy->rights.include(Right::kDeviceConnect)) {
      return deny(Check::kPermission, "a policy with DeviceConnect", fmt::format("policy {} with {}", policy->name, policy->rights.text()),
                  "use the policy device or iothubowner, or the device's own key");
    }
  }
  if (auto denial = check_resource(q, token, policy != nullptr)) return *denial;

  const std::string& primary = policy != nullptr ? policy->primary_key : q.credentials.primary_key;
  const std::string& secondary = policy != nullptr ? policy->secondary_key : q.credentials.secondary_key;
  const std::string* matched = nullptr;
  for (const std::string* key : {&primary, &secondary}) {
    const auto bytes = base64_decode(*key);
    if (matched == nullptr && bytes && !bytes->empty() && verify_signature(token, *bytes)) matched = key;
  }
  if (matched == nullptr) {
    const std::string owner = policy != nullptr ? fmt::format("policy {}", policy->name) : describe(q.identity);
    std::vector<NamedKey> rightful = {{"the primary key of " + owner, primary}, {"the secondary key of " + owner, secondary}};
    std::vector<NamedKey> candidates;
    if (q.device_credentials != nullptr) {
      candidates.push_back({fmt::format("the primary key of device {}", q.identity.device.str()), q.device_credentials->primary_key});
      candidates.push_back({fmt::format("the secondary key of device {}", q.identity.device.str()), q.device_credentials->secondary_key});
    }
    if (policy == nullptr) {
      for (const AccessPolicy& other : q.policies) {
        candidates.push_back({fmt::format("the primary key of policy {}, but skn is missing", other.name), other.primary_key});
        candidates.push_back({fmt::format("the secondary key of policy {}, but skn is missing", other.name), other.secondary_key});
      }
    } else {
      candidates.push_back({fmt::format("the primary key of {}: leave skn out", describe(q.identity)), q.credentials.primary_key});
      candidates.push_back({fmt::format("the secondary key of {}: leave skn out", describe(q.identity)), q.credentials.secondary_key});
    }
    std::string hint = diagnose_signature(token, rightful, candidates);
    return deny(Check::kSasSignature, fmt::format("a signature by the primary or secondary key of {}", owner), "a signature by neither",
                hint.empty() ? "compare the key in the client with the registered one (`nearhub device connection-string`); keys change when a device is re-created"
                             : hint);
  }

  const std::int64_t late_s = unix_seconds(q.now) - token.expiry_s;
  if (late_s > q.times.skew_s) {
    return deny(Check::kSasExpiry, fmt::format("a token that is valid now ({}); {} s of skew are forgiven", format_iso8601(q.now), q.times.skew_s),
                fmt::format("se={}, expired {} ago", token.expiry_s, format_duration(late_s)), "make a new token; check the device's clock");
  }

  Admission admission;
  admission.scope = policy != nullptr ? Admission::Scope::kHub
                    : q.identity.is_module() ? Admission::Scope::kModule
                                             : Admission::Scope::kDevice;
  admission.credential = *matched;
  if (policy != nullptr) admission.policy = policy->name;
  admission.expiry = token.expiry();
  if (late_s > 0) {
    admission.warning = fmt::format("SAS token expired {} ago, accepted within the {} s skew; device clock?", format_duration(late_s), q.times.skew_s);
  }
  return admission;
}

}  // namespace

std::string_view authentication_type_text(AuthenticationType type) {
  switch (type) {
    case AuthenticationType::kSas: return "sas";
    case AuthenticationType::kSelfSigned: return "selfSigned";
    case AuthenticationType::kCertificateAuthority: return "certificateAuthority";
    case AuthenticationType::kNone: return "none";
  }
  return "none";
}

std::string wrong_host_advice(std::string_view host) {
  if (const auto scheme = host.find(':'); scheme != std::string_view::npos && scheme + 1 == host.size()) {
    return fmt::format("leave {}// out: sr begins with the name alone", printable(host, 80));
  }
  return fmt::format("use the hub's name, or start the hub with --host {}", host.empty() ? "NAME" : printable(without_port(host), 80));
}

std::vector<std::string_view> resource_segments(std::string_view resource) {
  std::vector<std::string_view> segments;
  while (!resource.empty()) {
    const auto [segment, rest] = split_once(resource, '/');
    resource = rest.value_or(std::string_view());
    // Only where a word of the path would stand: an id may look like that.
    const bool word = segments.size() % 2 == 1;
    if (word && (starts_with_ignoring_case(segment, "api-version=") || segment.starts_with('?'))) break;
    if (!segment.empty()) segments.push_back(segment);
  }
  return segments;
}

std::variant<Admission, Denial> authenticate_device(const DeviceQuestion& q) {
  switch (q.credentials.type) {
    case AuthenticationType::kSas: return authenticate_by_token(q);
    case AuthenticationType::kSelfSigned:
    case AuthenticationType::kCertificateAuthority:
      // A policy's token opens an identity of any type; any other password does not count here (x509-and-boards.md A.1).
      if (names_policy(q.presented)) return authenticate_by_token(q);
      if (!has_certificate(q.presented)) return no_certificate(q);
      return authenticate_by_certificate(q);
    case AuthenticationType::kNone:
      return deny(Check::kCredential, "an identity with keys or thumbprints", "one with authentication type none",
                  "update the identity with authentication type sas");
  }
  return deny(Check::kCredential, "a known authentication type", "another");
}

bool still_valid(const Admission& admission, const Credentials& credentials, const std::vector<AccessPolicy>& policies, const Authorities& authorities) {
  if (admission.scope == Admission::Scope::kHub) {
    const AccessPolicy* policy = find_policy(policies, admission.policy);
    return policy != nullptr && policy->rights.include(Right::kDeviceConnect) &&
           (admission.credential == policy->primary_key || admission.credential == policy->secondary_key);
  }
  if (admission.type != credentials.type) return false;
  switch (admission.type) {
    case AuthenticationType::kSas: return admission.credential == credentials.primary_key || admission.credential == credentials.secondary_key;
    case AuthenticationType::kSelfSigned:
      return equals_ignoring_case(admission.credential, credentials.primary_thumbprint) ||
             equals_ignoring_case(admission.credential, credentials.secondary_thumbprint);
    case AuthenticationType::kCertificateAuthority: return authorities.trusts(admission.credential);
    case AuthenticationType::kNone: return false;
  }
  return false;
}

}  // namespace nearhub::auth
