// What the tests of this room share: what an answer must look like, whatever it says.
#pragma once
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/text.h"
#include "tests/support/test_hub.h"

namespace nearhub::test {

inline JsonDocument json_of(const HttpAnswer& answer) {
  INFO("body: ", answer.body);
  CHECK(answer.header("Content-Type") == "application/json; charset=utf-8");
  auto document = parse_json(answer.body);
  REQUIRE(document.ok());
  return std::move(*document);
}

// The value of a member, as JSON; "absent" when there is none. Members inside of members: "properties/desired/a".
inline std::string member(const JsonValue& document, std::string_view path) {
  const JsonValue* value = &document;
  std::string_view rest = path;
  for (bool more = true; more;) {
    const auto [name, behind] = split_once(rest, '/');
    value = value->IsObject() ? find_member(*value, name) : nullptr;
    if (value == nullptr) return "absent";
    more = behind.has_value();
    rest = behind.value_or("");
  }
  return to_json(*value);
}

inline std::string string_member(const JsonValue& document, std::string_view name) {
  const JsonValue* value = find_member(document, name);
  REQUIRE(value != nullptr);
  REQUIRE(value->IsString());
  return std::string(string_of(*value));
}

// An error of the registry's family (E1): status, code and text, and everything around them. Gives "404 DeviceNotFound: d1".
inline std::string e1(const HttpAnswer& answer) {
  const JsonDocument document = json_of(answer);
  const std::string code = answer.header("iothub-errorcode");
  const std::string prefix = "ErrorCode:" + code + ";";
  const std::string message = string_member(document, "Message");
  CHECK(!code.empty());
  CHECK(message.starts_with(prefix));
  // Clients split at ';'.
  CHECK(message.find(';', prefix.size()) == std::string::npos);
  const std::string tracking = string_member(document, "ExceptionMessage");
  CHECK(tracking.starts_with("Tracking ID:"));
  CHECK(tracking.find("-G:0-TimeStamp:") == std::string("Tracking ID:").size() + 32);
  CHECK(document.MemberCount() == 2);
  CHECK(answer.header("x-ms-request-id").size() == 36);
  return std::to_string(answer.status) + " " + code + ": " + message.substr(prefix.size());
}

// An error of the twins' and methods' family (E3): "404001 DeviceNotFound: d1". The number agrees with status and name.
inline std::string e3(const HttpAnswer& answer) {
  const JsonDocument document = json_of(answer);
  CHECK(document.MemberCount() == 2);
  CHECK(string_member(document, "ExceptionMessage") == "");
  auto inner = parse_json(string_member(document, "Message"));
  REQUIRE(inner.ok());
  CHECK(inner->MemberCount() == 5);
  const std::string number = member(*inner, "errorCode");
  CHECK(number.size() == 6);
  CHECK(number.substr(0, 3) == std::to_string(answer.status));
  CHECK(member(*inner, "info") == "null");
  CHECK(string_member(*inner, "trackingId").find("-G:0-TimeStamp:") == 32);
  CHECK(string_member(*inner, "timestampUtc").ends_with("Z"));
  CHECK(answer.header("x-ms-request-id").size() == 36);
  return number + " " + answer.header("iothub-errorcode") + ": " + string_member(*inner, "message");
}

inline HttpClient::Headers if_match(std::string value) { return {{"If-Match", std::move(value)}}; }

// The newest refusal of an identity as "operation -> answer: expected; received".
inline std::string newest_refusal(const TestHub& hub, std::string_view identity = {}) {
  const auto refusals = hub.refusals(identity, 1);
  if (refusals.empty()) return "none";
  return refusals[0].operation + " -> " + refusals[0].answer + ": " + refusals[0].denial.sentence();
}

}  // namespace nearhub::test
