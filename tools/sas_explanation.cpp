#include "tools/sas_explanation.h"

#include <fmt/core.h>

#include <variant>

#include "auth/connection_string.h"
#include "auth/device_authentication.h"
#include "auth/service_authentication.h"
#include "base/base64.h"
#include "base/text.h"
#include "base/time_format.h"
#include "tools/identity.h"
#include "tools/json_text.h"
#include "tools/table.h"
#include "tools/terminal_text.h"
#include "tools/time_text.h"

namespace nearhub::tools {
namespace {

// What stands around a token where people copy it from.
std::string_view strip(std::string_view text, std::string& note) {
  text = trim(text);
  const auto take = [&text, &note](bool there, std::size_t front, std::size_t back, std::string_view what) {
    if (!there) return;
    text = trim(text.substr(front, text.size() - front - back));
    note += fmt::format("{}{}", note.empty() ? "" : ", ", what);
  };
  constexpr std::string_view kHeader = "Authorization:";
  take(starts_with_ignoring_case(text, kHeader), kHeader.size(), 0, "the header name in front");
  for (const char quote : {'"', '\''}) {
    take(text.size() >= 2 && text.front() == quote && text.back() == quote, 1, 1, "the quotes around it");
  }
  return text;
}

struct Subject {
  std::string host;
  IdentityId id;       // empty device: the whole hub
  bool other = false;  // something else below the host
};

Subject subject_of(const auth::SasToken& token) {
  Subject subject;
  const auto segments = auth::resource_segments(token.resource);
  if (!segments.empty()) subject.host = segments[0];
  if (segments.size() < 2) return subject;
  if (segments.size() >= 3 && equals_ignoring_case(segments[1], "devices")) {
    subject.id.device = DeviceId(segments[2]);
    if (segments.size() >= 5 && equals_ignoring_case(segments[3], "modules")) subject.id.module = ModuleId(segments[4]);
  } else {
    subject.other = true;
  }
  return subject;
}

std::string subject_text(const Subject& subject) {
  if (subject.other) return fmt::format("something at {} that is neither a device nor the whole hub", subject.host);
  return subject.id.device.empty() ? fmt::format("everything of the hub {}", subject.host)
                                   : fmt::format("{} of the hub {}", describe(subject.id), subject.host);
}

// The time that was meant, when se is not in seconds.
std::string milliseconds_text(std::string_view se, WallTime now) {
  const auto number = parse_decimal(se);
  constexpr std::uint64_t kMaxMilliseconds = std::uint64_t{auth::kMaxExpirySeconds} * 1000;
  if (!number || *number <= std::uint64_t{auth::kMaxExpirySeconds} || *number > kMaxMilliseconds) return {};
  const WallTime meant = from_unix_milliseconds(static_cast<std::int64_t>(*number));
  return fmt::format("taken for milliseconds it is {} ({})", show_time(meant), relative_time(meant, now));
}

// How the time of the token looks, and whether a hub takes it.
std::string expiry_text(const auth::SasToken& token, WallTime now, bool& in_time) {
  const std::int64_t skew_s = auth::SasTimes().skew_s, late_s = unix_seconds(now) - token.expiry_s;
  in_time = late_s <= skew_s;
  std::string text = fmt::format("{} ({})", show_time(token.expiry()), relative_time(token.expiry(), now));
  if (late_s > skew_s) return text + fmt::format(": expired; a hub forgives {} s", skew_s);
  if (late_s > 0) return text + fmt::format(": expired, but within the {} s that a hub forgives", skew_s);
  return text;
}

void add_line(std::string& text, std::string_view line) { text.append(terminal_text(line)).append("\n"); }

// The format is broken: what there is, and what is wrong.
void explain_denial(TokenExplanation& explanation, const auth::Denial& denial, WallTime now) {
  Fields fields;
  const auth::SasToken& token = explanation.token;
  if (!token.resource.empty()) fields.add("for", subject_text(subject_of(token)));
  if (!token.policy.empty()) fields.add("signed by", "a key of the policy " + token.policy);
  if (!token.expiry_text.empty()) {
    fields.add("se", token.expiry_text);
    fields.add("", milliseconds_text(token.expiry_text, now));
  }
  explanation.text += fields.text();
  Fields fault(2);
  fault.add("expected", denial.expected);
  fault.add("received", denial.received);
  fault.add("mend it", denial.advice);
  explanation.text += "what is wrong\n" + fault.text();
}

void explain_signature(TokenExplanation& explanation, std::string_view key) {
  const auto bytes = base64_decode(key);
  if (!bytes || bytes->empty()) {
    explanation.sound = false;
    add_line(explanation.text, "the signature was not checked: --key is not base64");
    return;
  }
  if (auth::verify_signature(explanation.token, *bytes)) {
    add_line(explanation.text, "the signature was made with this key");
    return;
  }
  explanation.sound = false;
  const std::string found = auth::diagnose_signature(explanation.token, {{"this key", std::string(key)}}, {});
  add_line(explanation.text,
           "the signature does not match this key" +
               (found.empty() ? std::string(": it was made with another key, or over another text") : ": " + found));
}

void add_refusal(TokenExplanation& explanation, const auth::Denial& denial) {
  explanation.sound = false;
  Fields fields(2);
  fields.add("expected", denial.expected);
  fields.add("received", denial.received);
  fields.add("mend it", denial.advice);
  explanation.text += fmt::format("the hub refuses it: {}\n", auth::check_text(denial.check)) + fields.text();
}

// The verdicts, by the functions that the hub itself uses. A device's or module's own token:
Status check_identity_token(HubClient& hub, const auth::HostNames& hosts, TokenExplanation& explanation) {
  const IdentityId id = subject_of(explanation.token).id;
  if (id.device.empty()) return {};  // said already
  const auto identity = get_identity(hub, id);
  if (!identity.ok()) return identity.error();
  const auto key_of = [&identity](std::string_view which) {
    return text_at(*identity, {"authentication", "symmetricKey", which});
  };
  auth::Credentials credentials;
  credentials.primary_key = key_of(kPrimaryKey);
  credentials.secondary_key = key_of(kSecondaryKey);
  if (credentials.primary_key.empty()) {
    explanation.sound = false;
    add_line(explanation.text, fmt::format("the hub refuses it: {} has authentication type {}, and no key",
                                           describe(id), authentication_cell(*identity)));
    return {};
  }
  const std::vector<auth::AccessPolicy> policies;
  const auto verdict = auth::authenticate_device(
      {id, credentials, nullptr, {explanation.token_text, nullptr}, hosts, policies, hub.now(), auth::SasTimes()});
  if (const auto* denial = std::get_if<auth::Denial>(&verdict)) {
    add_refusal(explanation, *denial);
  } else if (text_at(*identity, {"status"}) == "disabled") {
    explanation.sound = false;
    add_line(explanation.text, fmt::format("the token is right, but the device is disabled: `nearhub device enable {}`",
                                           id.device.str()));
  } else {
    add_line(explanation.text, fmt::format("the hub takes it for {}", describe(id)));
  }
  return {};
}

// A policy's, as far as the login knows the policy: the API shows no keys of policies.
void check_policy_token(HubClient& hub, const auth::HostNames& hosts, TokenExplanation& explanation) {
  const auth::ConnectionString& login = hub.address().login;
  if (login.policy_name != explanation.token.policy || login.key.empty()) {
    add_line(explanation.text,
             fmt::format("not checked with the hub: log in with the policy {} to do that", explanation.token.policy));
    return;
  }
  // Its rights are not asked for here.
  const std::vector<auth::AccessPolicy> policies = {{login.policy_name, login.key, {}, {}}};
  auth::ServiceQuestion question{&explanation.token_text,
                                 {auth::Rights()},
                                 auth::resource_segments(explanation.token.resource),
                                 hosts,
                                 policies,
                                 hub.now(),
                                 {}};
  if (!question.path.empty()) question.path.erase(question.path.begin());  // the host
  const auto verdict = auth::authorize_service(question);
  if (const auto* denial = std::get_if<auth::Denial>(&verdict)) {
    add_refusal(explanation, *denial);
  } else {
    add_line(explanation.text, fmt::format("the hub takes it as the policy {}", login.policy_name));
  }
}

}  // namespace

TokenExplanation explain_token(std::string_view text, std::string_view key, WallTime now) {
  TokenExplanation explanation;
  std::string note;
  text = strip(text, note);
  if (!note.empty()) add_line(explanation.text, "left out: " + note);

  std::string inner;
  if (const auto login = auth::parse_connection_string(text); login.ok()) {
    const std::string whose = !login->module_id.empty()   ? "module " + login->device_id + "/" + login->module_id
                              : !login->device_id.empty() ? "device " + login->device_id
                                                          : "policy " + login->policy_name;
    add_line(explanation.text,
             fmt::format("this is no token but the connection string of {} at {}", whose, login->host_name));
    if (login->signature.empty()) {
      add_line(explanation.text, "a token is made from it: `nearhub sas make --connection-string '...'`");
      return explanation;
    }
    add_line(explanation.text, "the token in it:");
    inner = login->signature;
    text = inner;
  }

  auth::SasParse parse = auth::parse_sas_token(text);
  explanation.token = std::move(parse.token);
  explanation.parsed = parse.ok;
  explanation.token_text = text;
  if (!parse.ok) {
    explain_denial(explanation, parse.denial, now);
    return explanation;
  }
  const auth::SasToken& token = explanation.token;
  Fields fields;
  fields.add("for", subject_text(subject_of(token)));
  fields.add("signed by", token.policy.empty() ? "a key of the device or module itself (no skn)"
                                               : "a key of the policy " + token.policy + " (skn)");
  fields.add("expires", expiry_text(token, now, explanation.sound));
  fields.add("sr", token.resource_text);
  if (token.resource != token.resource_text) fields.add("sr, decoded", token.resource);
  fields.add("se", token.expiry_text);
  fields.add("sig", "32 bytes, base64");
  explanation.text += fields.text();
  if (const Subject subject = subject_of(token); token.policy.empty() && subject.id.device.empty()) {
    explanation.sound = false;
    add_line(explanation.text,
             "a token without skn is a device's or a module's, and must be for {hub}/devices/{device id}");
  }
  if (!key.empty()) explain_signature(explanation, key);
  return explanation;
}

Status check_with_hub(HubClient& hub, TokenExplanation& explanation) {
  if (!explanation.parsed) return {};
  const auto body = hub.get("/_nearhub/status");
  if (!body.ok()) return body.error();
  const auto status = parse_object(*body);
  if (!status.ok()) return status.error();
  std::vector<std::string> names;
  if (const JsonValue* all = find_path(*status, {"hostNames"}); all != nullptr && all->IsArray()) {
    for (const JsonValue& name : all->GetArray()) names.push_back(text_at(name, {}));
  }
  if (names.empty()) names.push_back(hub.address().host);
  const auth::HostNames hosts(names);
  if (explanation.token.policy.empty()) return check_identity_token(hub, hosts, explanation);
  check_policy_token(hub, hosts, explanation);
  return {};
}

Status print_explanation(const HubFlags& flags, std::string_view text, std::string_view key, bool check,
                         const Clock& clock, Console& console) {
  TokenExplanation explanation = explain_token(text, key, clock.now());
  Status checked;
  if (check && explanation.parsed) {
    auto hub = HubClient::open(flags, clock);
    checked = hub.ok() ? check_with_hub(**hub, explanation) : Status(hub.error());
  }
  if (!check && key.empty() && explanation.sound) {
    add_line(explanation.text, "its form is right; the signature was not checked: --check asks the hub, --key takes a key");
  }
  // What is known without the hub is shown in any case.
  console.print(explanation.text);
  if (!checked.ok()) return checked;
  if (!explanation.parsed) return Error{ErrorCode::kMalformed, "this is no SAS token that a hub could read"};
  return explanation.sound ? Status() : Error{ErrorCode::kMalformed, "a hub would refuse this token"};
}

}  // namespace nearhub::tools
