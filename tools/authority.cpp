#include "tools/authority.h"

#include <fmt/core.h>

#include "base/base64.h"
#include "base/json_writer.h"
#include "base/url.h"
#include "broker/data_folder.h"
#include "tools/json_text.h"
#include "tools/table.h"

namespace nearhub::tools {
namespace {

constexpr const char* kRoot = "/_nearhub/certificates";

std::string authority_path(const std::string& name) { return std::string(kRoot) + "/" + percent_encode(name); }

Result<JsonDocument> call(HubClient& hub, std::string method, std::string path, std::string body, bool any_version) {
  HubRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.body = std::move(body);
  if (any_version) request.headers = {{"If-Match", "*"}};
  const auto answer = hub.call(request);
  if (!answer.ok()) return answer.error();
  return parse_object(answer->body);
}

std::string verified_cell(const JsonValue& authority) {
  return text_at(authority, {"properties", "isVerified"}) == "true" ? "yes" : "no";
}

std::string authority_text(const JsonValue& authority) {
  Fields fields;
  fields.add("name", text_at(authority, {"name"}));
  fields.add("subject", text_at(authority, {"properties", "subject"}));
  fields.add("verified", verified_cell(authority));
  fields.add("expires", text_at(authority, {"properties", "expiry"}));
  fields.add("thumbprint", text_at(authority, {"properties", "thumbprint"}) + " (SHA-1)");
  fields.add("verification code", text_at(authority, {"properties", "verificationCode"}));
  fields.add("created", text_at(authority, {"properties", "created"}));
  fields.add("updated", text_at(authority, {"properties", "updated"}));
  fields.add("etag", text_at(authority, {"etag"}));
  return fields.text();
}

}  // namespace

Result<std::string> certificate_text(const std::string& file) {
  auto content = broker::read_file(file);
  if (!content.ok()) return Error{ErrorCode::kInvalidSetting, content.error().detail};
  if (content->size() > kMaxInputBytes) return Error{ErrorCode::kInvalidSetting, file + " is too long for a certificate"};
  return content->find("-----BEGIN ") == std::string::npos ? base64_encode(*content) : std::move(*content);
}

Status add_authority(HubClient& hub, const NewAuthority& authority, Console& console) {
  const auto certificate = certificate_text(authority.file);
  if (!certificate.ok()) return certificate.error();
  JsonWriter body;
  body.object().member("properties").object().member("certificate", *certificate).member("isVerified", authority.verified);
  body.end_object().end_object();
  const auto added = call(hub, "PUT", authority_path(authority.name), std::move(body).take(), authority.replace);
  if (!added.ok()) {
    if (added.error().code != ErrorCode::kPreconditionFailed || authority.replace) return added.error();
    return Error{ErrorCode::kPreconditionFailed, fmt::format("there is a CA {} already: --replace puts this one in its place", authority.name)};
  }
  if (authority.json) {
    console.print(to_json(*added) + "\n");
    return {};
  }
  console.print(fmt::format("registered the CA {} ({}){}\n", authority.name, text_at(*added, {"properties", "subject"}),
                            authority.verified ? "" : fmt::format("; it lets nobody in until it is verified: nearhub ca code {}", authority.name)));
  return {};
}

Status list_authorities(HubClient& hub, bool json, Console& console) {
  const auto listed = call(hub, "GET", kRoot, {}, false);
  if (!listed.ok()) return listed.error();
  const JsonValue* authorities = find_path(*listed, {"value"});
  if (authorities == nullptr || !authorities->IsArray()) return Error{ErrorCode::kMalformed, "the hub's answer is no list"};
  if (json) {
    console.print(to_json(*authorities) + "\n");
  } else if (authorities->Empty()) {
    console.print("no certificate authorities; register one with `nearhub ca add NAME FILE`\n");
  } else {
    Table table({"NAME", "VERIFIED", "EXPIRES", "THUMBPRINT", "SUBJECT"});
    for (const JsonValue& each : authorities->GetArray()) {
      table.add({text_at(each, {"name"}), verified_cell(each), text_at(each, {"properties", "expiry"}),
                 text_at(each, {"properties", "thumbprint"}), text_at(each, {"properties", "subject"})});
    }
    console.print(table.text());
  }
  return {};
}

Status show_authority(HubClient& hub, const std::string& name, bool json, Console& console) {
  const auto authority = call(hub, "GET", authority_path(name), {}, false);
  if (!authority.ok()) return authority.error();
  console.print(json ? to_json(*authority) + "\n" : authority_text(*authority));
  return {};
}

Status print_verification_code(HubClient& hub, const std::string& name, Console& console) {
  const auto coded = call(hub, "POST", authority_path(name) + "/generateVerificationCode", {}, true);
  if (!coded.ok()) return coded.error();
  console.print(text_at(*coded, {"properties", "verificationCode"}) + "\n");
  return {};
}

Status verify_authority(HubClient& hub, const std::string& name, const std::string& file, Console& console) {
  const auto certificate = certificate_text(file);
  if (!certificate.ok()) return certificate.error();
  JsonWriter body;
  body.object().member("certificate", *certificate).end_object();
  const auto verified = call(hub, "POST", authority_path(name) + "/verify", std::move(body).take(), true);
  if (!verified.ok()) return verified.error();
  console.print(fmt::format("the CA {} is verified; its devices may connect\n", name));
  return {};
}

Status delete_authority(HubClient& hub, const std::string& name, Console& console) {
  HubRequest request;
  request.method = "DELETE";
  request.path = authority_path(name);
  request.headers = {{"If-Match", "*"}};
  const auto answer = hub.call(request);
  if (!answer.ok()) return answer.error();
  console.print(fmt::format("deleted the CA {}; the connections that it admitted are closed\n", name));
  return {};
}

}  // namespace nearhub::tools
