// The user name of a CONNECT.
//
// Checked: what was read is read the same from the user name that the SDKs would write for it, with and without '?'; ids
// keep to their grammar; a refusal has its code and a sentence in readable characters.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/url.h"
#include "broker/username.h"

using namespace nearhub;
using namespace nearhub::broker;

namespace {

void check_reads_as(const std::string& text, const UserName& name) {
  const Result<UserName> again = parse_username(text);
  NEARHUB_CHECK(again.ok());
  NEARHUB_CHECK(again->host == name.host && again->identity == name.identity);
  NEARHUB_CHECK(again->api_version == name.api_version && again->client_type == name.client_type && again->model_id == name.model_id);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Result<UserName> name = parse_username({reinterpret_cast<const char*>(data), size});
  if (!name.ok()) {
    NEARHUB_CHECK(name.error().code == ErrorCode::kIotHubUnauthorized && !name.error().detail.empty());
    for (const char c : name.error().detail) NEARHUB_CHECK(c >= 0x20 && c <= 0x7e);
    return 0;
  }
  NEARHUB_CHECK(!name->host.empty() && name->host.find('/') == std::string::npos);
  NEARHUB_CHECK(check_id(name->identity.device.view(), "device").ok());
  if (name->identity.is_module()) NEARHUB_CHECK(check_id(name->identity.module.view(), "module").ok());

  const std::string query = "api-version=" + percent_encode(name->api_version) + "&DeviceClientType=" + percent_encode(name->client_type) +
                            "&model-id=" + percent_encode(name->model_id);
  const std::string self = name->host + "/" + name->identity.text() + "/";
  check_reads_as(self + "?" + query, *name);
  check_reads_as(self + query, *name);
  return 0;
}
