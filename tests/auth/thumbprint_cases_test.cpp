// selfSigned: which certificates a thumbprint admits, what the registered one really is when it does not, and passwords beside certificates.
#include <openssl/x509v3.h>

#include <cctype>

#include "base/text.h"
#include "tests/auth/certificate_samples.h"

using namespace nearhub;
using namespace nearhub::auth;
using namespace std::chrono_literals;

namespace {

const TestCertificate& device() {
  static const TestCertificate made = make_certificate({.common_names = {"localhost"}, .ca = true});
  return made;
}
const TestCertificate& other() {
  static const TestCertificate made = make_certificate({});
  return made;
}

Credentials thumbprints(std::string primary, std::string secondary = {}) { return {AuthenticationType::kSelfSigned, {}, {}, std::move(primary), std::move(secondary)}; }

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

CertificateCase of(const char* name, Credentials credentials, std::string verdict, std::vector<const TestCertificate*> presented = {&device()}) {
  return {name, std::move(presented), {}, std::move(verdict), "d1", std::move(credentials)};
}

std::string advice_of(const CertificateCase& c, std::vector<Relative> relatives = {}) {
  const auto verdict = judge(c, std::move(relatives));
  REQUIRE(std::holds_alternative<Denial>(verdict));
  return std::get<Denial>(verdict).advice;
}

const std::string kRegisterThis = "connect with the certificate that is registered, or register this one in the free slot";

}  // namespace

TEST_SUITE("auth") {
  TEST_CASE("thumbprint: SHA-1 or SHA-256 by its length, in any case, in either slot, and nothing else of the certificate counts") {
    const std::string sha1 = device().sha1(), sha256 = device().sha256(), others = other().sha256();
    check_cases({
        of("SHA-1", thumbprints(sha1), "admitted by " + sha1),
        of("SHA-256", thumbprints(sha256), "admitted by " + sha256),
        of("SHA-1 in upper case", thumbprints(upper(sha1)), "admitted by " + sha1),
        of("SHA-256 in upper case", thumbprints(upper(sha256)), "admitted by " + sha256),
        of("secondary", thumbprints(others, sha256), "admitted by " + sha256),
        of("secondary alone", thumbprints({}, sha1), "admitted by " + sha1),
        of("one of each length", thumbprints(others, sha1), "admitted by " + sha1),
        of("both slots", thumbprints(sha256, sha256), "admitted by " + sha256),
        of("the other certificate", thumbprints(others, sha256), "admitted by " + others, {&other()}),
        of("with a chain that leads nowhere", thumbprints(sha256), "admitted by " + sha256, {&device(), &intermediate()}),
    });
    // For servers, a CA, with another CN, issued by nobody known: all the same.
    const TestCertificate server = make_certificate({.common_names = {"other"}, .issuer = &intermediate(), .ca = true, .extended_key_usage = "serverAuth"});
    check_cases({of("wrong in every way but this", thumbprints(server.sha1()), "admitted by " + server.sha1(), {&server})});
    const auto module = judge({"module", {&device()}, {}, "", "d1/m1", thumbprints(sha256)});
    CHECK(std::get<Admission>(module).scope == Admission::Scope::kModule);
    CHECK(std::get<Admission>(module).type == AuthenticationType::kSelfSigned);
    CHECK_FALSE(std::get<Admission>(module).expiry.has_value());
  }

  TEST_CASE("thumbprint: the leaf is within its time at the hub's clock") {
    CertificateCase late = of("expired", thumbprints(device().sha256()), "the leaf (CN=localhost) expired at 2027-01-01T00:00:00Z, 5 s ago; issue it anew");
    late.now = test::kCertificateNow + 24h * 365 + 5s;
    CertificateCase early = of("early", thumbprints(device().sha256()),
                               "the leaf (CN=localhost) becomes valid at 2025-12-31T00:00:00Z, in 12 h 0 min; check the clocks of the hub and of the machine that made it");
    early.now = test::kCertificateNow - 36h;
    check_cases({late, early});
  }

  TEST_CASE("thumbprint: weak keys and signatures are let in with a warning") {
    const TestCertificate short_key = make_certificate({.key = KeyKind::kRsa1024}), sha1 = make_certificate({.digest = "SHA1"});
    const std::string would_refuse = "; the identity's certificate authority type would refuse it)";
    check_cases({
        of("RSA-1024", thumbprints(short_key.sha1()), "admitted by " + short_key.sha1() + " (the client certificate has an RSA key of 1024 bits" + would_refuse, {&short_key}),
        of("SHA-1", thumbprints(sha1.sha256()), "admitted by " + sha1.sha256() + " (the client certificate has a signature with SHA1" + would_refuse, {&sha1}),
    });
  }

  TEST_CASE("thumbprint: a refusal shows what is registered and what was computed, in the same hashes") {
    const std::string sha1 = device().sha1(), sha256 = device().sha256(), others = upper(other().sha256());
    const auto denial = [](const CertificateCase& c) { return std::get<Denial>(judge(c)).sentence(); };
    CHECK(denial(of("one", thumbprints(others), "")) == "expected a registered thumbprint of device d1: primary SHA-256 " + others + "; received the leaf (CN=localhost) with SHA-256 " +
                                                            sha256 + "; " + kRegisterThis);
    CHECK(denial(of("both", thumbprints(others, other().sha1()), "")) == "expected a registered thumbprint of device d1: primary SHA-256 " + others + ", secondary SHA-1 " + other().sha1() +
                                                                           "; received the leaf (CN=localhost) with SHA-256 " + sha256 + ", SHA-1 " + sha1 + "; " + kRegisterThis);
    CHECK(denial(of("none", thumbprints({}), "")) == "expected a thumbprint registered for device d1; received no thumbprint is registered; the leaf (CN=localhost) has SHA-256 " + sha256 +
                                                         "; register it as primaryThumbprint");
  }

  TEST_CASE("thumbprint: what the registered one really is") {
    const std::string pem = leaf().pem();
    std::string crlf;
    for (const char c : pem) crlf += c == '\n' ? "\r\n" : std::string(1, c);
    const std::string of_pem = " thumbprint is the hash of the PEM text: use `openssl x509 -fingerprint -noout`, which hashes the certificate";
    const std::vector<const TestCertificate*> presented = {&leaf(), &intermediate()};
    CHECK(advice_of(of("issuer", thumbprints(intermediate().sha1()), "", presented)) == "the registered primary thumbprint is that of the issuer that was presented: register the leaf's");
    CHECK(advice_of(of("issuer", thumbprints({}, intermediate().sha256()), "", presented)) == "the registered secondary thumbprint is that of the issuer that was presented: register the leaf's");
    CHECK(advice_of(of("PEM", thumbprints(hex_digest(pem, Digest::kSha256)), "", presented)) == "the registered primary" + of_pem);
    CHECK(advice_of(of("PEM with CR LF", thumbprints(hex_digest(crlf, Digest::kSha1)), "", presented)) == "the registered primary" + of_pem);
    CHECK(advice_of(of("PEM without the last line feed", thumbprints(hex_digest(pem.substr(0, pem.size() - 1), Digest::kSha256)), "", presented)) == "the registered primary" + of_pem);
    CertificateCase authority = of("a registered CA", thumbprints(root().sha1()), "", presented);
    authority.registered = {{"root", &root()}};
    CHECK(advice_of(authority) == "the registered primary thumbprint is that of the CA root: register the leaf's");

    unsigned char* bytes = nullptr;
    const int size = i2d_PUBKEY(leaf().key.get(), &bytes);
    REQUIRE(size > 0);
    const std::string key(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    CHECK(advice_of(of("public key", thumbprints(hex_digest(key, Digest::kSha256)), "", presented)) ==
          "the registered primary thumbprint is the hash of the leaf's public key: use the hash of the whole certificate");
    const ASN1_OCTET_STRING* id = X509_get0_subject_key_id(leaf().certificate.get());
    const std::string id_hex = to_hex({reinterpret_cast<const char*>(ASN1_STRING_get0_data(id)), static_cast<std::size_t>(ASN1_STRING_length(id))});
    CHECK(advice_of(of("key identifier", thumbprints(id_hex), "", presented)) ==
          "the registered primary thumbprint is the leaf's subject key identifier: use the hash of the whole certificate");
  }

  TEST_CASE("thumbprint: one that is registered for another identity of the device, and a leaf that a registered CA has issued") {
    const IdentityId d1 = identity_id("d1"), m1 = identity_id("d1/m1");
    const Credentials of_module = thumbprints(device().sha1()), of_device = thumbprints(other().sha1());
    CHECK(advice_of(of("the module's", of_device, ""), {{&d1, &of_device}, {&m1, &of_module}}) ==
          "this certificate is registered for module d1/m1: a device and its modules have thumbprints of their own");
    CertificateCase issued = of("by a CA", thumbprints(other().sha256()), "", {&leaf(), &intermediate()});
    issued.registered = {{"root", &root()}};
    CHECK(advice_of(issued) == "it chains to the registered CA root: register the identity with type certificateAuthority to admit it by that");
    issued.registered = {{"root", &root(), false}};
    CHECK(advice_of(issued) == kRegisterThis);
  }

  TEST_CASE("certificates and passwords: the type of the identity says what counts") {
    const std::string of_policy = signed_token("localhost", policy_key("primary", "device"), kInAnHour, "device");
    const std::string of_key = signed_token("localhost%2Fdevices%2Fd1", kDevicePrimary);
    CertificateCase x509 = of("", thumbprints(device().sha1()), "admitted by " + device().sha1());
    for (const std::string& password : {std::string(), of_key, std::string("anything at all"), std::string("SharedAccessSignature sr=x")}) {
      x509.password = password;
      check_cases({x509});
    }
    // A policy's token opens an identity of any type, and it is what admitted.
    x509.password = of_policy;
    CHECK(std::get<Admission>(judge(x509)).scope == Admission::Scope::kHub);
    x509.presented = {};
    CHECK(std::get<Admission>(judge(x509)).scope == Admission::Scope::kHub);
    // A certificate that came along with a token of an identity with keys is not looked at (the Node client with x509=true and a key).
    CertificateCase sas = of("", {AuthenticationType::kSas, kDevicePrimary, kDeviceSecondary, {}, {}}, "admitted by " + std::string(kDevicePrimary));
    sas.password = of_key;
    check_cases({sas});
  }

  TEST_CASE("certificates and passwords: what did not come is named") {
    const auto sentence = [](const CertificateCase& c) {
      const auto verdict = judge(c);
      const auto& denial = std::get<Denial>(verdict);
      return std::string(check_text(denial.check)) + ": " + denial.sentence();
    };
    CertificateCase x509 = of("", thumbprints(device().sha1()), "", {});
    CHECK(sentence(x509) == "credential: expected a client certificate: device d1 is registered with authentication type selfSigned; received no client certificate; give the client its "
                            "certificate and key: setOptions({cert, key}) in Node, X509 in Python, --cert and --key in mosquitto_pub");
    x509.password = signed_token("localhost%2Fdevices%2Fd1", kDevicePrimary);
    CHECK(sentence(x509) == "credential: expected a client certificate: device d1 is registered with authentication type selfSigned; received no client certificate, and a password that "
                            "is no token of a shared access policy; give the client its certificate and key, or register the identity with authentication type sas");
    CertificateCase sas = of("", {AuthenticationType::kSas, kDevicePrimary, kDeviceSecondary, {}, {}}, "");
    CHECK(sentence(sas) == "credential: expected a SAS token as password: device d1 is registered with authentication type sas; received a client certificate and no password; send a token, "
                           "or register the identity for X.509");
  }

  TEST_CASE("still valid: a thumbprint while it is in a slot, a CA while it is trusted, and no longer when the type is another one") {
    const auto admission = std::get<Admission>(judge(of("", thumbprints(device().sha1()), "")));
    const Authorities none;
    CHECK(still_valid(admission, thumbprints(device().sha1()), {}, none));
    CHECK(still_valid(admission, thumbprints({}, upper(device().sha1())), {}, none));
    CHECK_FALSE(still_valid(admission, thumbprints(other().sha1()), {}, none));
    CHECK_FALSE(still_valid(admission, thumbprints({}), {}, none));
    CHECK_FALSE(still_valid(admission, {AuthenticationType::kSas, kDevicePrimary, kDeviceSecondary, {}, {}}, {}, none));

    const std::vector<Registered> registered = {{"root", &root()}};
    const auto by_root = std::get<Admission>(judge({"", {&leaf(), &intermediate()}, registered, ""}));
    const Credentials authority{AuthenticationType::kCertificateAuthority, {}, {}, {}, {}};
    CHECK(still_valid(by_root, authority, {}, authorities_of(registered)));
    CHECK(still_valid(by_root, authority, {}, authorities_of({{"other", &intermediate()}, {"renamed", &root()}})));
    CHECK_FALSE(still_valid(by_root, authority, {}, authorities_of({{"root", &root(), false}})));
    CHECK_FALSE(still_valid(by_root, authority, {}, authorities_of({{"root", &intermediate()}})));
    CHECK_FALSE(still_valid(by_root, thumbprints(leaf().sha1()), {}, authorities_of(registered)));
  }

  TEST_CASE("certificates: bytes that are none, and too many of them, are refused with their reason") {
    static const HostNames hosts({"localhost"});
    const IdentityId id = identity_id("d1");
    const Credentials credentials = thumbprints(device().sha1());
    const auto sentence = [&](const std::vector<std::string>& ders) {
      Presented presented;
      presented.certificates = &ders;
      return std::get<Denial>(authenticate_device({id, credentials, nullptr, presented, hosts, policies(), kNow, {}})).sentence();
    };
    CHECK(sentence({"no certificate"}) == "expected X.509 certificates; received certificate 1 of 1: it is no X.509 certificate");
    CHECK(sentence({device().der() + "x"}) == "expected X.509 certificates; received certificate 1 of 1: 1 bytes follow the certificate");
    CHECK(sentence({device().der(), device().der().substr(0, 100)}) == "expected X.509 certificates; received certificate 2 of 2: it is no X.509 certificate");
    CHECK(sentence({std::string(16 * 1024 + 1, '\x30')}) ==
          "expected at most 10 certificates with 16384 bytes; received 1 with 16385; send the leaf and its intermediates alone");
  }
}
