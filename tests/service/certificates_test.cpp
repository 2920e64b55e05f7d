// Registered CAs over HTTPS, under the management API's paths and our own [x509-and-boards.md A.6].
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "base/base64.h"
#include "base/time_format.h"
#include "tests/service/samples.h"
#include "tests/support/certificate_maker.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

const std::string kManagement = "/subscriptions/91d12660-3dec-467a-be2a-213b5544ddc0/resourceGroups/rg/providers/Microsoft.Devices/IotHubs/hub/certificates";
const std::string kOurs = "/_nearhub/certificates";

const TestCertificate& root() {
  static const TestCertificate made = make_certificate(valid_now({.common_names = {"root"}, .organization = "Contoso", .ca = true}));
  return made;
}
const TestCertificate& other_root() {
  static const TestCertificate made = make_certificate(valid_now({.common_names = {"root"}, .organization = "Contoso", .ca = true}));
  return made;
}

std::string upload(std::string_view certificate, const char* verified = nullptr) {
  JsonWriter json;
  json.object().member("properties").object().member("certificate", certificate);
  if (verified != nullptr) json.member("isVerified").raw(verified);
  json.end_object().end_object();
  return json.text();
}

std::string proof(std::string_view certificate) {
  JsonWriter json;
  json.object().member("certificate", certificate).end_object();
  return json.text();
}

std::string code_of(TestHub& hub, const std::string& path) {
  const HttpAnswer answer = hub.api("POST", path + "/generateVerificationCode", {}, if_match("*"));
  REQUIRE(answer.status == 200);
  const JsonDocument coded = json_of(answer);
  const JsonValue* properties = find_member(coded, "properties");
  REQUIRE(properties != nullptr);
  return string_member(*properties, "verificationCode");
}

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("certificates: uploaded, read, listed, deleted, under either path, in the management API's shape") {
    TestHub hub;
    std::string thumbprint = root().sha1();
    for (char& c : thumbprint) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    for (const std::string& paths : {kManagement, kOurs}) {
      CAPTURE(paths);
      const HttpAnswer made = hub.api("PUT", paths + "/plant-7", upload(root().pem()));
      CHECK(made.status == 201);
      const JsonDocument document = json_of(made);
      CHECK(member(document, "id") == "\"" + paths + "/plant-7\"");
      CHECK(member(document, "name") == "\"plant-7\"");
      CHECK(member(document, "type") == "\"Microsoft.Devices/IotHubs/Certificates\"");
      CHECK(member(document, "properties/subject") == "\"CN=root, O=Contoso\"");
      CHECK(member(document, "properties/thumbprint") == "\"" + thumbprint + "\"");
      CHECK(member(document, "properties/isVerified") == "false");
      CHECK(member(document, "properties/verificationCode") == "absent");
      CHECK(member(document, "properties/certificate") == "\"" + base64_encode(root().der()) + "\"");
      CHECK(string_member(*find_member(document, "properties"), "expiry").ends_with(" GMT"));
      CHECK(member(document, "properties/created") == member(document, "properties/updated"));
      CHECK(made.header("ETag") == "\"" + string_member(document, "etag") + "\"");

      const HttpAnswer read = hub.api("GET", paths + "/plant-7");
      CHECK(read.status == 200);
      CHECK(read.body == made.body);
      const HttpAnswer listed = hub.api("GET", paths);
      CHECK(listed.status == 200);
      CHECK(listed.body == "{\"value\":[" + made.body + "]}");
      CHECK(hub.api("DELETE", paths + "/plant-7", {}, if_match(made.header("ETag"))).status == 204);
      CHECK(e1(hub.api("GET", paths + "/plant-7")) == "404 CertificateNotFound: no certificate plant-7 is registered");
      CHECK(hub.api("GET", paths).body == R"({"value":[]})");
    }
  }

  TEST_CASE("certificates: a replacement and a deletion name the etag, or any") {
    TestHub hub;
    const std::string path = kOurs + "/root";
    const HttpAnswer first = hub.api("PUT", path, upload(root().pem(), "true"));
    REQUIRE(first.status == 201);
    CHECK(e1(hub.api("PUT", path, upload(root().pem()))) == "412 PreconditionFailed: certificate root: give its etag in If-Match, * for any");
    CHECK(e1(hub.api("PUT", path, upload(root().pem()), if_match("\"b3RoZXI=\""))).starts_with("412 PreconditionFailed: certificate root has etag "));
    CHECK(e1(hub.api("DELETE", path)) == "412 PreconditionFailed: certificate root: give its etag in If-Match, * for any");
    CHECK(e1(hub.api("DELETE", path, {}, if_match("\"b3RoZXI=\""))).starts_with("412 PreconditionFailed"));
    CHECK(e1(hub.api("DELETE", kOurs + "/nothing", {}, if_match("*"))) == "404 CertificateNotFound: no certificate nothing is registered");
    CHECK(e1(hub.api("PUT", kOurs + "/nothing", upload(root().pem()), if_match("\"x\""))) == "404 CertificateNotFound: no certificate nothing is registered");
    const HttpAnswer second = hub.api("PUT", path, upload(other_root().pem()), if_match(first.header("ETag")));
    CHECK(second.status == 200);
    CHECK(second.header("ETag") != first.header("ETag"));
    const JsonDocument replaced = json_of(second);
    // What was verified is another certificate.
    CHECK(member(replaced, "properties/isVerified") == "false");
    CHECK(member(replaced, "properties/created") == member(json_of(first), "properties/created"));
    CHECK(e1(hub.api("DELETE", path, {}, if_match(first.header("ETag")))).starts_with("412 PreconditionFailed"));
  }

  TEST_CASE("certificates: PEM, and base64 of PEM or DER, are taken, what can admit nobody is refused with its reason") {
    TestHub hub;
    for (const std::string& text : {root().pem() + "null", base64_encode(root().pem()), base64_encode(root().der())}) {
      CHECK(hub.api("PUT", kOurs + "/root", upload(text), if_match("*")).status / 100 == 2);
    }
    // Without the envelope, too.
    CHECK(hub.api("PUT", kOurs + "/root", proof(root().pem()), if_match("*")).status == 200);
    const auto refusal = [&hub](const std::string& body) { return e1(hub.api("PUT", kOurs + "/bad", body)); };
    const TestCertificate leaf = make_certificate(valid_now({.issuer = &root()})), weak = make_certificate(valid_now({.common_names = {"weak"}, .key = KeyKind::kRsa1024, .ca = true}));
    CHECK(refusal(upload(leaf.pem())) ==
          "400 ArgumentInvalid: certificate: CN=d1 is no CA certificate (basicConstraints CA:TRUE is missing), so nothing can chain to it, a device's own certificate is registered by "
          "its thumbprint");
    CHECK(refusal(upload(weak.pem())) == "400 ArgumentInvalid: certificate: CN=weak has an RSA key of 1024 bits, which is too weak for a CA");
    CHECK(refusal(upload(root().pem() + root().key_pem())) ==
          "400 ArgumentInvalid: certificate: it holds a private key, which must stay with its owner: give the certificate alone");
    CHECK(refusal(upload("no certificate")) == "400 ArgumentInvalid: certificate: it is neither PEM (-----BEGIN CERTIFICATE-----) nor base64");
    CHECK(refusal("{}") == "400 ArgumentInvalid: certificate is missing: give PEM text, or base64");
    CHECK(refusal("[]") == "400 ArgumentInvalid: the body is an array, expected an object");
    CHECK(refusal(R"({"properties":{"certificate":7}})") == "400 ArgumentInvalid: certificate is a number, expected a string");
    CHECK(refusal(upload(root().pem(), "1")) == "400 ArgumentInvalid: isVerified is a number, expected true or false");
    CHECK(e1(hub.api("PUT", kOurs + "/a%20b", upload(root().pem()))) ==
          "400 ArgumentInvalid: the name of a certificate contains ' ' at position 2, letters, digits and - . _ are allowed");
    CHECK(e1(hub.api("PUT", kOurs + "/" + std::string(65, 'a'), upload(root().pem()))) == "400 ArgumentInvalid: the name of a certificate has 1 to 64 characters, not 65");
    CHECK(hub.api("PUT", kOurs + "/" + std::string(64, 'Z'), upload(root().pem())).status == 201);
    CHECK(hub.api("GET", kOurs + "/bad").status == 404);
  }

  TEST_CASE("certificates: the proof of possession is a certificate for the code, signed directly by the CA, valid now") {
    TestHub hub;
    const std::string path = kManagement + "/root";
    REQUIRE(hub.api("PUT", path, upload(root().pem())).status == 201);
    const auto refusal = [&](const TestCertificate& certificate) { return e1(hub.api("POST", path + "/verify", proof(certificate.pem()), if_match("*"))); };
    CHECK(refusal(root()) == "400 InvalidOperation: root has no verification code: ask for one first, nearhub ca code root");

    const std::string old_code = code_of(hub, path), code = code_of(hub, path);
    CHECK(code != old_code);
    CHECK(code.size() == 48);
    CHECK(code.find_first_not_of("0123456789ABCDEF") == std::string::npos);
    CHECK(member(json_of(hub.api("GET", path)), "properties/verificationCode") == "\"" + code + "\"");

    const TestCertificate middle = make_certificate(valid_now({.common_names = {"middle"}, .issuer = &root(), .ca = true}));
    const WallTime now = hub.clock().now();
    CHECK(refusal(make_certificate(valid_now({.common_names = {old_code}, .issuer = &root()}))) ==
          "400 ArgumentInvalid: the verification certificate has CN=" + old_code + ", expected the code " + code);
    CHECK(refusal(make_certificate(valid_now({.common_names = {}, .issuer = &root()}))) == "400 ArgumentInvalid: the verification certificate has CN=none, expected the code " + code);
    CHECK(refusal(make_certificate(valid_now({.common_names = {code}, .issuer = &middle}))) ==
          "400 ArgumentInvalid: the verification certificate, issued by CN=middle, is not signed by the key of root (CN=root, O=Contoso): the CA itself must sign it, not one below it");
    CHECK(refusal(make_certificate(valid_now({.common_names = {code}, .issuer = &other_root()}))).starts_with("400 ArgumentInvalid: the verification certificate, issued by CN=root, O=Contoso, is not"));
    CertificateSpec late{.common_names = {code}, .issuer = &root()};
    late.not_before = now - std::chrono::hours{48};
    late.not_after = now - std::chrono::hours{24};
    CHECK(refusal(make_certificate(late)).starts_with("400 ArgumentInvalid: the verification certificate is valid from "));
    CHECK(e1(hub.api("POST", path + "/verify", "{}", if_match("*"))) == "400 ArgumentInvalid: certificate is missing: give PEM text, or base64");

    // What it is for does not matter.
    const TestCertificate right = make_certificate(valid_now({.common_names = {code}, .issuer = &root(), .ca = true, .extended_key_usage = "serverAuth"}));
    CHECK(e1(hub.api("POST", path + "/verify", proof(right.pem()))).starts_with("412 PreconditionFailed"));
    const HttpAnswer verified = hub.api("POST", path + "/verify", proof(base64_encode(right.der())), if_match("*"));
    CHECK(verified.status == 200);
    CHECK(member(json_of(verified), "properties/isVerified") == "true");
    CHECK(member(json_of(verified), "properties/verificationCode") == "absent");
    CHECK(refusal(right) == "400 InvalidOperation: root is verified already");
    CHECK(e1(hub.api("POST", path + "/generateVerificationCode", {}, if_match("*"))) == "400 InvalidOperation: root is verified already");
  }

  TEST_CASE("certificates: twenty-five and no more") {
    TestHub hub;
    for (int i = 0; i < 25; ++i) REQUIRE(hub.api("PUT", kOurs + "/ca-" + std::to_string(i), upload(root().pem())).status == 201);
    CHECK(e1(hub.api("PUT", kOurs + "/one-more", upload(root().pem()))) == "403 IotHubQuotaExceeded: the hub has 25 certificates, more are not allowed");
    CHECK(hub.api("PUT", kOurs + "/ca-3", upload(other_root().pem()), if_match("*")).status == 200);
    CHECK(hub.api("DELETE", kOurs + "/ca-3", {}, if_match("*")).status == 204);
    CHECK(hub.api("PUT", kOurs + "/one-more", upload(root().pem())).status == 201);
  }
}
