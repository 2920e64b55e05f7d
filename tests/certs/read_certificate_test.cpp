#include <algorithm>
#include <functional>
#include <string>

#include "base/text.h"
#include "base/time_format.h"
#include "certs/authority.h"
#include "certs/issue.h"
#include "tests/certs/fixtures.h"

using namespace nearhub;
using namespace nearhub::certs;

namespace {

// A self-signed certificate with an empty subject and no extensions, after `change`.
std::string odd_certificate(const std::function<void(X509&)>& change) {
  const PkeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), to_time_t(kNow));
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), to_time_t(kNow + days(1)));
  REQUIRE(X509_set_pubkey(certificate.get(), key.get()) == 1);
  change(*certificate);
  REQUIRE(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
  return *certificate_pem(*certificate);
}

void add_common_name(X509& certificate, std::string_view name, int type = MBSTRING_UTF8) {
  REQUIRE(X509_NAME_add_entry_by_NID(X509_get_subject_name(&certificate), NID_commonName, type,
                                     reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()),
                                     -1, 0) == 1);
}

void add_extension(X509& certificate, int nid, const char* value) {
  const X509ExtensionPtr extension(X509V3_EXT_nconf_nid(nullptr, nullptr, nid, value));
  REQUIRE(extension != nullptr);
  REQUIRE(X509_add_ext(&certificate, extension.get(), -1) == 1);
}

void add_raw_extension(X509& certificate, int nid, std::string_view der) {
  const Asn1StringPtr value(ASN1_STRING_type_new(V_ASN1_OCTET_STRING));
  REQUIRE(ASN1_STRING_set(value.get(), der.data(), static_cast<int>(der.size())) == 1);
  const X509ExtensionPtr extension(X509_EXTENSION_create_by_NID(nullptr, nid, 0, value.get()));
  REQUIRE(X509_add_ext(&certificate, extension.get(), -1) == 1);
}

const Profile kServer = {"CA:FALSE", "critical,digitalSignature", "serverAuth"};

// A leaf that claims to be of test_root(), with the parts given.
KeyPair crafted_leaf(const Profile& profile, std::vector<HostName> names, const KeyPair& signer) {
  const X509Ptr root = certificate_of(test_root());
  const PkeyPtr signing_key = key_of(signer), key(EVP_EC_gen("P-256"));
  const Issuer issuer{*root, *signing_key};
  const auto leaf =
      issue(profile, Subject{"hub.lab", std::move(names), kNow, kNow + days(100)}, *key, &issuer, test_random());
  REQUIRE(leaf.ok());
  return {*certificate_pem(**leaf), *private_key_pem(*key)};
}

constexpr std::int64_t kSpareDays = 30;

}  // namespace

TEST_SUITE("certs") {
  TEST_CASE("reading: everything that start-up asks for, in the certificate's own order") {
    const auto info = read_certificate(ec_leaf().certificate_pem);
    REQUIRE(info.ok());
    CHECK(info->common_name == "hub.lab");
    CHECK(info->dns_names == std::vector<std::string>{"hub.lab", "dps.lab", "localhost", "127.0.0.1", "::1"});
    CHECK(info->ip_addresses == std::vector<std::string>{"127.0.0.1", "::1"});
    CHECK(info->not_before == kNow - std::chrono::hours{1});
    CHECK(info->sha256_thumbprint.size() == 64);
    CHECK(info->sha256_thumbprint == to_lower(info->sha256_thumbprint));
  }

  TEST_CASE("reading: a certificate of known bytes has the thumbprint, dates and identifiers that other tools print") {
    // openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=known
    // -addext subjectAltName=DNS:known.lab,IP:10.1.2.3 -days 1; read with openssl x509 -noout -fingerprint -sha256
    // -dates -ext ...
    const auto info = read_certificate(
        "-----BEGIN CERTIFICATE-----\n"
        "MIIBkjCCATegAwIBAgIUQVEXeIVU43HIyKoiGaYQdC1VB0kwCgYIKoZIzj0EAwIw\n"
        "EDEOMAwGA1UEAwwFa25vd24wHhcNMjYxMTIxMDYxMDEzWhcNMjYxMTIyMDYxMDEz\n"
        "WjAQMQ4wDAYDVQQDDAVrbm93bjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPkF\n"
        "v7RtEKJik9hGf6w+uGVe3BPRCRLZ2qxFwLWKnBInOKVHbLF5E9K7a6D/0mVYZGNO\n"
        "MT87GW+mr8V6ACSfXVmjbzBtMB0GA1UdDgQWBBRSozMiAsHGJPJzFo3SWIoGrLqu\n"
        "YjAfBgNVHSMEGDAWgBRSozMiAsHGJPJzFo3SWIoGrLquYjAPBgNVHRMBAf8EBTAD\n"
        "AQH/MBoGA1UdEQQTMBGCCWtub3duLmxhYocECgECAzAKBggqhkjOPQQDAgNJADBG\n"
        "AiEAk6Dy8mxOIIrJB8PqwaO3cqLynxYskBVU2s2sXKdFHHgCIQDwtHKyzqXJj0XY\n"
        "2ILtwj8SYUShlmBHVN1q66amuQ2d2w==\n"
        "-----END CERTIFICATE-----\n");
    REQUIRE(info.ok());
    CHECK(info->common_name == "known");
    CHECK(info->dns_names == std::vector<std::string>{"known.lab"});
    CHECK(info->ip_addresses == std::vector<std::string>{"10.1.2.3"});
    CHECK(format_iso8601(info->not_before) == "2026-11-21T06:10:13.0000000Z");
    CHECK(format_iso8601(info->not_after) == "2026-11-22T06:10:13.0000000Z");
    CHECK(info->sha256_thumbprint == "2a4faeabf5c9dc458c9b0e77c258af74e763ad39296301e393bfb160adbfd470");
    CHECK(info->key_id == "52a3332202c1c624f273168dd2588a06acbaae62");
    CHECK(info->issuer_key_id == "52a3332202c1c624f273168dd2588a06acbaae62");
  }

  TEST_CASE("reading: text around the PEM is ignored, CRLF is taken, and the first certificate counts") {
    const std::string& pem = ec_leaf().certificate_pem;
    const std::string thumbprint = read_certificate(pem)->sha256_thumbprint;
    CHECK(read_certificate("subject=CN = hub.lab\n" + pem + "null")->sha256_thumbprint == thumbprint);
    CHECK(read_certificate(pem + rsa_leaf().certificate_pem)->sha256_thumbprint == thumbprint);
    std::string crlf;
    for (const char c : pem) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
    CHECK(read_certificate(crlf)->sha256_thumbprint == thumbprint);
  }

  TEST_CASE("reading: the last common name counts, and one that hides a NUL is refused") {
    CHECK(read_certificate(odd_certificate([](X509& c) {
            add_common_name(c, "first");
            add_common_name(c, "last");
          }))->common_name == "last");
    CHECK(read_certificate(odd_certificate([](X509& c) { add_common_name(c, "\xC4", MBSTRING_ASC); }))->common_name ==
          "\xC3\x84");
    const auto nul =
        read_certificate(odd_certificate([](X509& c) { add_common_name(c, std::string_view("hub\0.evil", 9)); }));
    REQUIRE_FALSE(nul.ok());
    CHECK(nul.error() == Error{ErrorCode::kInvalidSetting, "the certificate's common name contains a NUL"});
  }

  TEST_CASE("reading: what a foreign certificate lacks is empty") {
    const auto info = read_certificate(odd_certificate([](X509&) {}));
    REQUIRE(info.ok());
    CHECK(info->common_name.empty());
    CHECK(info->dns_names.empty());
    CHECK(info->ip_addresses.empty());
    CHECK(info->issuer_key_id.empty());
    CHECK(info->key_id.empty());
  }

  TEST_CASE("reading: alternative names of other kinds are passed over, broken or repeated ones refused") {
    const auto info = read_certificate(odd_certificate(
        [](X509& c) { add_extension(c, NID_subject_alt_name, "email:a@b.example,DNS:hub.lab,URI:urn:x"); }));
    CHECK(info->dns_names == std::vector<std::string>{"hub.lab"});
    // SEQUENCE { [7] five bytes }
    const auto five = read_certificate(odd_certificate(
        [](X509& c) { add_raw_extension(c, NID_subject_alt_name, "\x30\x07\x87\x05\x01\x02\x03\x04\x05"); }));
    REQUIRE_FALSE(five.ok());
    CHECK(five.error() == Error{ErrorCode::kInvalidSetting, "the certificate names an IP address of 5 bytes"});
    const auto broken =
        read_certificate(odd_certificate([](X509& c) { add_raw_extension(c, NID_subject_alt_name, "\x30\x07"); }));
    REQUIRE_FALSE(broken.ok());
    CHECK(broken.error().detail.starts_with("the certificate's alternative names cannot be read"));
    const auto twice = read_certificate(odd_certificate([](X509& c) {
      add_extension(c, NID_subject_alt_name, "DNS:a");
      add_extension(c, NID_subject_alt_name, "DNS:b");
    }));
    REQUIRE_FALSE(twice.ok());
    CHECK(twice.error().detail.starts_with("the certificate's alternative names cannot be read"));
  }

  TEST_CASE("reading: texts without a whole certificate are refused") {
    const std::string& pem = ec_leaf().certificate_pem;
    for (const std::string& text : {std::string(), std::string("-----BEGIN CERTIFICATE-----\n"),
                                    pem.substr(0, pem.size() / 2), ec_leaf().key_pem}) {
      const auto info = read_certificate(text);
      REQUIRE_FALSE(info.ok());
      CHECK(info.error().code == ErrorCode::kInvalidSetting);
      CHECK(info.error().detail.starts_with("the text holds no certificate in PEM form: "));
    }
  }

  TEST_CASE("keeping a leaf: it serves all its names or fewer, in any case, without a look at the root's key") {
    for (const KeyPair* leaf : {&rsa_leaf(), &ec_leaf()}) {
      CHECK(serves(*leaf, test_root(), kNames, kNow, kSpareDays));
      CHECK(serves(*leaf, test_root(), {"HUB.LAB", "0:0:0:0:0:0:0:1"}, kNow, kSpareDays) ==
            false);  // that spelling has no DNS entry
      CHECK(serves(*leaf, test_root(), {"HUB.LAB", "::1"}, kNow, kSpareDays));
      CHECK(serves(*leaf, KeyPair{test_root().certificate_pem, ""}, kNames, kNow, kSpareDays));
    }
  }

  TEST_CASE("keeping a leaf: one that lacks a name is refused") {
    for (const char* name : {"new.lab", "10.0.0.1", "fe80::1", "nearhub root 4f2a", ""}) {
      std::vector<std::string> names = kNames;
      names.push_back(name);
      CHECK_FALSE(serves(ec_leaf(), test_root(), names, kNow, kSpareDays));
    }
  }

  TEST_CASE("keeping a leaf: an address must stand as IP entry and as text") {
    const HostName as_text{"10.0.0.9", ""}, other_text{"hub.lab", std::string("\x0A\0\0\x09", 4)};
    const std::vector<std::string> names = {"10.0.0.9"};
    CHECK_FALSE(serves(crafted_leaf(kServer, {as_text}, test_root()), test_root(), names, kNow, 0));
    CHECK_FALSE(serves(crafted_leaf(kServer, {other_text}, test_root()), test_root(), names, kNow, 0));
    CHECK(serves(crafted_leaf(kServer, {as_text, other_text}, test_root()), test_root(), names, kNow, 0));
  }

  TEST_CASE("keeping a leaf: one of another root is refused, even of a root of the same name") {
    CHECK_FALSE(serves(ec_leaf(), other_root(), kNames, kNow, kSpareDays));
    CHECK_FALSE(serves(rsa_leaf(), other_root(), kNames, kNow, kSpareDays));
    CHECK_FALSE(serves(ec_leaf(), ec_leaf(), kNames, kNow, kSpareDays));
  }

  TEST_CASE("keeping a leaf: one that names the root as its issuer but bears another's signature is refused") {
    const HostName hub{"hub.lab", ""};
    CHECK(serves(crafted_leaf(kServer, {hub}, test_root()), test_root(), {"hub.lab"}, kNow, kSpareDays));
    CHECK_FALSE(serves(crafted_leaf(kServer, {hub}, other_root()), test_root(), {"hub.lab"}, kNow, kSpareDays));
  }

  TEST_CASE("keeping a leaf: a root with the old key under a new name did not issue it, as clients look for the name") {
    const PkeyPtr key = key_of(test_root());
    const auto renamed = issue({"critical,CA:TRUE", "critical,keyCertSign", nullptr},
                               Subject{"renamed root", {}, kNow, kNow + days(100)}, *key, nullptr, test_random());
    REQUIRE(renamed.ok());
    CHECK_FALSE(serves(ec_leaf(), KeyPair{*certificate_pem(**renamed), test_root().key_pem}, kNames, kNow, kSpareDays));
  }

  TEST_CASE("keeping a leaf: a certificate that is not a server's is refused") {
    const Profile client = {"CA:FALSE", "critical,digitalSignature", "clientAuth"};
    CHECK_FALSE(
        serves(crafted_leaf(client, {{"hub.lab", ""}}, test_root()), test_root(), {"hub.lab"}, kNow, kSpareDays));
  }

  TEST_CASE("keeping a leaf: it must be valid now and for the spare days") {
    const WallTime first = kNow - std::chrono::hours{1}, last = first + days(825) - std::chrono::seconds{1};
    CHECK(serves(ec_leaf(), test_root(), kNames, last - days(30), 30));
    CHECK_FALSE(serves(ec_leaf(), test_root(), kNames, last - days(30) + std::chrono::seconds{1}, 30));
    CHECK_FALSE(serves(ec_leaf(), test_root(), kNames, last + std::chrono::seconds{1}, 0));
    CHECK(serves(ec_leaf(), test_root(), kNames, first, 30));
    CHECK_FALSE(serves(ec_leaf(), test_root(), kNames, first - std::chrono::seconds{1}, 30));
  }

  TEST_CASE("keeping a leaf: another certificate's key, or text that is neither, is refused") {
    CHECK_FALSE(serves({ec_leaf().certificate_pem, rsa_leaf().key_pem}, test_root(), kNames, kNow, kSpareDays));
    CHECK_FALSE(serves({ec_leaf().certificate_pem, ""}, test_root(), kNames, kNow, kSpareDays));
    CHECK_FALSE(serves({"", ec_leaf().key_pem}, test_root(), kNames, kNow, kSpareDays));
    CHECK_FALSE(serves(ec_leaf(), {"", ""}, kNames, kNow, kSpareDays));
  }
}
