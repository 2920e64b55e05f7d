// The body of a PUT of a device or module.
//
// Input: a line with the device id, or device id/module id; the rest is the body.
//
// Checked: a refusal has its code and a sentence; what is accepted keeps every limit; the document that the hub answers with
// can be sent back as it is, as the SDKs do to update one member, and changes nothing.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/base64.h"
#include "base/check.h"
#include "base/json.h"
#include "base/random.h"
#include "base/text.h"
#include "registry/identity_json.h"

using namespace nearhub;
using namespace nearhub::registry;

namespace {

using auth::AuthenticationType;

IdentityId identity_of(std::string_view line) {
  const auto [device, module] = split_once(line, '/');
  if (!check_id(device, "device").ok() || (module && !check_id(*module, "module").ok())) return {DeviceId("dev"), {}};
  return {DeviceId(device), ModuleId(module.value_or(std::string_view()))};
}

void check_key(const std::string& key) {
  const auto bytes = base64_decode(key);
  NEARHUB_CHECK(bytes && bytes->size() >= kMinKeyBytes && bytes->size() <= kMaxKeyBytes);
}

void check_credentials(const auth::Credentials& credentials) {
  const bool keys = credentials.type == AuthenticationType::kSas;
  NEARHUB_CHECK(credentials.type != AuthenticationType::kNone);
  NEARHUB_CHECK(keys || (credentials.primary_key.empty() && credentials.secondary_key.empty()));
  if (keys) check_key(credentials.primary_key), check_key(credentials.secondary_key);
  for (const std::string& print : {credentials.primary_thumbprint, credentials.secondary_thumbprint}) {
    NEARHUB_CHECK(print.empty() || (credentials.type == AuthenticationType::kSelfSigned && (print.size() == 40 || print.size() == 64)));
    NEARHUB_CHECK(print.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [line, rest] = split_once({reinterpret_cast<const char*>(data), size}, '\n');
  const IdentityId id = identity_of(line);
  const Result<IdentityRequest> request = parse_identity_request(rest.value_or(std::string_view()), id);
  if (!request.ok()) {
    NEARHUB_CHECK(request.error().code == ErrorCode::kArgumentInvalid || request.error().code == ErrorCode::kNotImplemented);
    NEARHUB_CHECK(!request.error().detail.empty() && is_utf8(request.error().detail));
    return 0;
  }

  SeededRandom random(1);
  const WallTime now = WallTime{std::chrono::seconds{1'767'225'600}};
  const Identity identity = create_identity(id, *request, now, random);
  check_credentials(identity.credentials);
  if (identity.status_reason) NEARHUB_CHECK(identity.status_reason->size() <= 4 * kMaxStatusReasonCharacters);
  NEARHUB_CHECK(id.is_module() ? identity.enabled && !identity.status_reason : !identity.managed_by);

  JsonWriter json;
  write_json(json, identity, {true, 7});
  const Result<JsonDocument> document = parse_json(json.text());
  NEARHUB_CHECK(document.ok() && document->IsObject());
  NEARHUB_CHECK(string_of(*find_member(*document, "etag")) == identity.etag().view());
  const Result<IdentityRequest> sent_back = parse_identity_request(json.text(), id);
  NEARHUB_CHECK(sent_back.ok());
  Identity again = replace_identity(identity, *sent_back, now, random);
  NEARHUB_CHECK(again.etag() != identity.etag());
  again.etag_counter = identity.etag_counter;
  NEARHUB_CHECK(again == identity);
  return 0;
}
