// What a request for an identity may say, and the sentences for what it may not.
#include <doctest/doctest.h>

#include <string>

#include "tests/registry/samples.h"

using namespace nearhub;
using namespace nearhub::registry;
using auth::AuthenticationType;

namespace {

// The sentence of the refusal; "" when the request is taken.
std::string error_of(std::string_view body, const IdentityId& id = kDevice) {
  const auto parsed = parse_identity_request(body, id);
  if (parsed.ok()) return {};
  CHECK(parsed.error().code == ErrorCode::kArgumentInvalid);
  return parsed.error().detail;
}

std::string with_keys(std::string_view primary, std::string_view secondary) {
  return R"({"authentication":{"symmetricKey":{"primaryKey":")" + std::string(primary) + R"(","secondaryKey":")" + std::string(secondary) + "\"}}}";
}

std::string with_thumbprints(std::string_view primary, std::string_view secondary) {
  return R"({"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":")" + std::string(primary) + R"(","secondaryThumbprint":")" +
         std::string(secondary) + "\"}}}";
}

const std::string kSha1 = "0123456789ABCDEF0123456789abcdef01234567";
const std::string kSha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF";

}  // namespace

TEST_SUITE("registry") {
  TEST_CASE("identity request: the smallest is an empty object") {
    const IdentityRequest device = request("{}");
    CHECK_FALSE(device.enabled.has_value());
    CHECK_FALSE(device.status_reason.has_value());
    CHECK(device.credentials == auth::Credentials());
    CHECK_FALSE(device.managed_by.has_value());
    CHECK(request("{}", kModule).credentials == auth::Credentials());
  }

  TEST_CASE("identity request: a whole document can be sent back, and the hub's own members and unknown ones do not count") {
    const IdentityRequest taken = request(
        R"({"deviceId":"d1","generationId":"637546501104263193","etag":"MzE4NzUxOTU1","connectionState":"Connected","status":"disabled",)"
        R"("statusReason":"lost","connectionStateUpdatedTime":null,"statusUpdatedTime":42,"lastActivityTime":"x","cloudToDeviceMessageCount":"y",)"
        R"("authentication":{"symmetricKey":{"primaryKey":"cHJpbWFyeSBrZXkgb2YgMzIgcmVhZGFibGUgYnl0ZXM=",)"
        R"("secondaryKey":"c2Vjb25kYXJ5IGtleSwgcmVhZGFibGUgYXMgd2VsbC4="},"x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"sas"},)"
        R"("capabilities":{"iotEdge":false},"deviceScope":null,"parentScopes":[],"tags":{"a":1},"unknown":{"deep":[1,2]}})");
    CHECK(taken.enabled == false);
    CHECK(taken.status_reason == "lost");
    CHECK(taken.credentials == auth::Credentials{AuthenticationType::kSas, kPrimary, kSecondary, {}, {}});
  }

  TEST_CASE("identity request: nulls are the same as nothing") {
    const IdentityRequest taken = request(R"({"deviceId":null,"status":null,"statusReason":null,"authentication":null,"capabilities":null})");
    CHECK_FALSE(taken.enabled.has_value());
    CHECK_FALSE(taken.status_reason.has_value());
    CHECK(request(R"({"managedBy":null,"moduleId":null,"authentication":{"type":null,"symmetricKey":null,"x509Thumbprint":null}})", kModule).credentials ==
          auth::Credentials());
    CHECK(request(R"({"capabilities":{"iotEdge":null}})").credentials == auth::Credentials());
  }

  TEST_CASE("identity request: status in any case") {
    CHECK(request(R"({"status":"enabled"})").enabled == true);
    CHECK(request(R"({"status":"Disabled"})").enabled == false);
    CHECK(error_of(R"({"status":"on"})") == "status is \"on\"; expected enabled or disabled");
    CHECK(error_of(R"({"status":""})") == "status is \"\"; expected enabled or disabled");
    CHECK(error_of(R"({"status":true})") == "status is a boolean; expected a string");
  }

  TEST_CASE("identity request: a status reason has at most 128 characters, which need not be bytes") {
    const std::string at_most(128, 'x');
    CHECK(request(R"({"statusReason":")" + at_most + "\"}").status_reason == at_most);
    CHECK(error_of(R"({"statusReason":")" + at_most + "x\"}") == "statusReason has 129 characters; at most 128 are allowed");
    std::string wide;
    for (int i = 0; i < 128; ++i) wide += "ä";
    CHECK(request(R"({"statusReason":")" + wide + "\"}").status_reason == wide);
    CHECK(error_of(R"({"statusReason":")" + wide + "ä\"}") == "statusReason has 129 characters; at most 128 are allowed");
    CHECK(request(R"({"managedBy":")" + at_most + "\"}", kModule).managed_by == at_most);
    CHECK(error_of(R"({"managedBy":")" + at_most + "x\"}", kModule) == "managedBy has 129 characters; at most 128 are allowed");
    CHECK(error_of(R"({"statusReason":1})") == "statusReason is a number; expected a string");
  }

  TEST_CASE("identity request: what is no JSON object") {
    CHECK(error_of("") == "not valid JSON at byte 0: The document is empty.");
    CHECK(error_of("{") == "not valid JSON at byte 1: Missing a name for object member.");
    CHECK(error_of("[]") == "the body is an array; expected an object");
    CHECK(error_of("null") == "the body is null; expected an object");
    CHECK(error_of("\"d1\"") == "the body is a string; expected an object");
    CHECK(error_of(R"({"status":"enabled","status":"disabled"})") == "JSON names the member \"status\" twice in one object");
  }

  TEST_CASE("identity request: ids in the body must be those of the path") {
    CHECK(error_of(R"({"deviceId":"d2"})") == "deviceId in the body is \"d2\", in the path \"d1\"");
    CHECK(error_of(R"({"deviceId":"D1"})") == "deviceId in the body is \"D1\", in the path \"d1\"");
    CHECK(error_of(R"({"deviceId":""})") == "deviceId in the body is \"\", in the path \"d1\"");
    CHECK(error_of(R"({"deviceId":1})") == "deviceId is a number; expected a string");
    CHECK(error_of(R"({"deviceId":"d1","moduleId":"m2"})", kModule) == "moduleId in the body is \"m2\", in the path \"m1\"");
    CHECK(error_of(R"({"deviceId":"d2","moduleId":"m1"})", kModule) == "deviceId in the body is \"d2\", in the path \"d1\"");
    CHECK(error_of(R"({"deviceId":"d1","moduleId":"m1"})", kModule) == "");
    // A device's document has no module.
    CHECK(error_of(R"({"deviceId":"d1","moduleId":"m1"})") == "");
  }

  TEST_CASE("identity request: both keys or neither") {
    const char* either = "Either no keys or both keys can be set: authentication.symmetricKey.";
    CHECK(error_of(with_keys(kPrimary, "")) == std::string(either) + "secondaryKey is missing");
    CHECK(error_of(with_keys("", kSecondary)) == std::string(either) + "primaryKey is missing");
    CHECK(error_of(R"({"authentication":{"symmetricKey":{"primaryKey":")" + std::string(kPrimary) + "\"}}}") ==
          std::string(either) + "secondaryKey is missing");
    CHECK(error_of(R"({"authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":")" + std::string(kPrimary) + "\"}}}") ==
          std::string(either) + "primaryKey is missing");
  }

  TEST_CASE("identity request: keys are base64 of 16 to 64 bytes") {
    const std::string bytes15 = "MDEyMzQ1Njc4OWFiY2Rl", bytes16 = "MDEyMzQ1Njc4OWFiY2RlZg==";
    const std::string bytes64 = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==";
    const std::string bytes65 = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjA=";
    CHECK(error_of(with_keys(bytes16, bytes64)) == "");
    CHECK(error_of(with_keys(bytes15, bytes16)) ==
          "Invalid device key length: authentication.symmetricKey.primaryKey has 15 bytes; 16 to 64 are allowed");
    CHECK(error_of(with_keys(bytes16, bytes65)) ==
          "Invalid device key length: authentication.symmetricKey.secondaryKey has 65 bytes; 16 to 64 are allowed");
    CHECK(error_of(with_keys("not base64 at all!", bytes16)) == "authentication.symmetricKey.primaryKey is not base64");
    CHECK(error_of(with_keys(bytes16, "MDEyMzQ1Njc4OWFiY2RlZg")) == "authentication.symmetricKey.secondaryKey is not base64");
  }

  TEST_CASE("identity request: members of the wrong kind are named with their path") {
    CHECK(error_of(R"({"authentication":"sas"})") == "authentication is a string; expected an object");
    CHECK(error_of(R"({"authentication":{"type":1}})") == "authentication.type is a number; expected a string");
    CHECK(error_of(R"({"authentication":{"symmetricKey":[]}})") == "authentication.symmetricKey is an array; expected an object");
    CHECK(error_of(R"({"authentication":{"symmetricKey":{"primaryKey":1}}})") == "authentication.symmetricKey.primaryKey is a number; expected a string");
    CHECK(error_of(R"({"authentication":{"symmetricKey":{"secondaryKey":{}}}})") == "authentication.symmetricKey.secondaryKey is an object; expected a string");
    CHECK(error_of(R"({"authentication":{"x509Thumbprint":"x"}})") == "authentication.x509Thumbprint is a string; expected an object");
    CHECK(error_of(R"({"authentication":{"x509Thumbprint":{"primaryThumbprint":false}}})") ==
          "authentication.x509Thumbprint.primaryThumbprint is a boolean; expected a string");
    CHECK(error_of(R"({"authentication":{"x509Thumbprint":{"secondaryThumbprint":[]}}})") ==
          "authentication.x509Thumbprint.secondaryThumbprint is an array; expected a string");
    CHECK(error_of(R"({"capabilities":[]})") == "capabilities is an array; expected an object");
    CHECK(error_of(R"({"capabilities":{"iotEdge":"true"}})") == "capabilities.iotEdge is a string; expected a boolean");
    CHECK(error_of(R"({"managedBy":1})", kModule) == "managedBy is a number; expected a string");
    CHECK(error_of(R"({"moduleId":1})", kModule) == "moduleId is a number; expected a string");
  }

  TEST_CASE("identity request: authentication types in any case, and none is for modules, where it means sas") {
    CHECK(request(R"({"authentication":{"type":"SAS"}})").credentials.type == AuthenticationType::kSas);
    CHECK(request(R"({"authentication":{"type":"selfsigned"}})").credentials.type == AuthenticationType::kSelfSigned);
    CHECK(request(R"({"authentication":{"type":"CertificateAuthority"}})").credentials.type == AuthenticationType::kCertificateAuthority);
    CHECK(error_of(R"({"authentication":{"type":"tpm"}})") ==
          "authentication.type is \"tpm\"; expected sas, selfSigned, certificateAuthority or none");
    CHECK(error_of(R"({"authentication":{"type":"none"}})") ==
          "DeviceAuthenticationTypeIsMissing: authentication.type none is not allowed for a device");
    CHECK(request(R"({"authentication":{"type":"none"}})", kModule).credentials.type == AuthenticationType::kSas);
  }

  TEST_CASE("identity request: thumbprints without a type mean selfSigned, as older clients do") {
    const IdentityRequest taken = request(R"({"authentication":{"x509Thumbprint":{"primaryThumbprint":")" + kSha1 + "\"}}}");
    CHECK(taken.credentials == auth::Credentials{AuthenticationType::kSelfSigned, {}, {}, kSha1, {}});
    CHECK(request(R"({"authentication":{"x509Thumbprint":{"secondaryThumbprint":")" + kSha256 + "\"}}}").credentials.type == AuthenticationType::kSelfSigned);
  }

  TEST_CASE("identity request: what another type would use is not kept") {
    const std::string both = R"("symmetricKey":{"primaryKey":")" + std::string(kPrimary) + R"(","secondaryKey":")" + kSecondary +
                             R"("},"x509Thumbprint":{"primaryThumbprint":")" + kSha1 + R"(","secondaryThumbprint":")" + kSha1 + "\"}";
    CHECK(request(R"({"authentication":{"type":"sas",)" + both + "}}").credentials ==
          auth::Credentials{AuthenticationType::kSas, kPrimary, kSecondary, {}, {}});
    CHECK(request(R"({"authentication":{"type":"selfSigned",)" + both + "}}").credentials ==
          auth::Credentials{AuthenticationType::kSelfSigned, {}, {}, kSha1, kSha1});
    CHECK(request(R"({"authentication":{"type":"certificateAuthority",)" + both + "}}").credentials ==
          auth::Credentials{AuthenticationType::kCertificateAuthority, {}, {}, {}, {}});
  }

  TEST_CASE("identity request: thumbprints are 40 or 64 hexadecimal digits, kept in the case that they came in") {
    CHECK(request(with_thumbprints(kSha1, "")).credentials == auth::Credentials{AuthenticationType::kSelfSigned, {}, {}, kSha1, {}});
    CHECK(request(with_thumbprints(kSha256, kSha256)).credentials.secondary_thumbprint == kSha256);
    CHECK(error_of(with_thumbprints(kSha1, kSha256)) == "");
    CHECK(request(with_thumbprints("", "")).credentials == auth::Credentials{AuthenticationType::kSelfSigned, {}, {}, {}, {}});
    CHECK(error_of(with_thumbprints(kSha1.substr(1), "")) ==
          "StringIsNotThumbprint: authentication.x509Thumbprint.primaryThumbprint has 39 digits; expected 40 (SHA-1) or 64 (SHA-256)");
    CHECK(error_of(with_thumbprints("", kSha1 + "0")) ==
          "StringIsNotThumbprint: authentication.x509Thumbprint.secondaryThumbprint has 41 digits; expected 40 (SHA-1) or 64 (SHA-256)");
    CHECK(error_of(with_thumbprints("01:23", "")) ==
          "StringIsNotThumbprint: authentication.x509Thumbprint.primaryThumbprint contains ':' at position 3; give hexadecimal digits only");
    CHECK(error_of(with_thumbprints(kSha1, "g" + kSha1)) ==
          "StringIsNotThumbprint: authentication.x509Thumbprint.secondaryThumbprint contains 'g' at position 1; give hexadecimal digits only");
    // Pasted from a certificate dialogue: a mark that nobody sees (U+200E).
    CHECK(error_of(with_thumbprints("\u200e" + kSha1, "")) ==
          "StringIsNotThumbprint: authentication.x509Thumbprint.primaryThumbprint contains '\\xE2' at position 1; give hexadecimal digits only");
  }

  TEST_CASE("identity request: a leaf's parent is its deviceScope, an edge device's stands in parentScopes") {
    const IdentityRequest leaf = request(R"({"deviceScope":"a","parentScopes":["b"]})");
    CHECK_FALSE(leaf.iot_edge);
    CHECK(leaf.parent_scope() == "a");
    CHECK(request(R"({"parentScopes":["b"]})").parent_scope() == "");
    CHECK(request(R"({"deviceScope":""})").parent_scope() == "");
    const IdentityRequest edge = request(R"({"capabilities":{"iotEdge":true},"deviceScope":"a","parentScopes":["b"]})");
    CHECK(edge.iot_edge);
    CHECK(edge.parent_scope() == "b");
    CHECK(request(R"({"capabilities":{"iotEdge":true},"parentScopes":[""]})").parent_scope() == "");
    CHECK(error_of(R"({"deviceScope":5})") == "deviceScope is a number; expected a string");
    CHECK(error_of(R"({"parentScopes":"a"})") == "parentScopes is a string; expected an array");
    CHECK(error_of(R"({"parentScopes":[5]})") == "parentScopes holds a number; expected strings");
    CHECK(error_of(R"({"parentScopes":["a","b"]})") == "parentScopes holds 2 scopes; a device has one parent");
  }

  TEST_CASE("identity request: a module has no status, reason or capabilities of its own") {
    const IdentityRequest taken = request(R"({"status":1,"statusReason":[],"capabilities":"x","managedBy":"iotEdge"})", kModule);
    CHECK_FALSE(taken.enabled.has_value());
    CHECK_FALSE(taken.status_reason.has_value());
    CHECK(taken.managed_by == "iotEdge");
    CHECK_FALSE(request(R"({"managedBy":"iotEdge"})", kDevice).managed_by.has_value());
  }
}
