#include "certs/authority.h"

#include <openssl/pem.h>

#include <set>

#include "base/text.h"
#include "certs/issue.h"
#include "tests/certs/fixtures.h"

using namespace nearhub;
using namespace nearhub::certs;

namespace {

bool is_critical(X509& certificate, int nid) {
  const int at = X509_get_ext_by_NID(&certificate, nid, -1);
  REQUIRE(at >= 0);
  return X509_EXTENSION_get_critical(X509_get_ext(&certificate, at)) == 1;
}

int der_size(const KeyPair& pair) { return i2d_X509(certificate_of(pair).get(), nullptr); }

std::string serial_of(const KeyPair& pair) {
  const X509Ptr certificate = certificate_of(pair);
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate.get());
  CHECK(ASN1_STRING_type(serial) == V_ASN1_INTEGER);  // V_ASN1_NEG_INTEGER when negative
  return to_hex({reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)),
                 static_cast<std::size_t>(ASN1_STRING_length(serial))});
}

WallTime not_before(const KeyPair& pair) { return read_certificate(pair.certificate_pem)->not_before; }
WallTime not_after(const KeyPair& pair) { return read_certificate(pair.certificate_pem)->not_after; }

std::string refused_names(const std::vector<std::string>& names) {
  const auto leaf = make_server_leaf(test_root(), names, KeyType::kEcP256, kNow, test_random());
  REQUIRE_FALSE(leaf.ok());
  CHECK(leaf.error().code == ErrorCode::kInvalidSetting);
  return leaf.error().detail;
}

std::string refused_root(const KeyPair& root, WallTime now = kNow) {
  const auto leaf = make_server_leaf(root, {"hub.lab"}, KeyType::kEcP256, now, test_random());
  REQUIRE_FALSE(leaf.ok());
  CHECK(leaf.error().code == ErrorCode::kInvalidSetting);
  return leaf.error().detail;
}

}  // namespace

TEST_SUITE("certs") {
  TEST_CASE("root: RSA-2048, self-signed with SHA-256, of X.509 version 3") {
    const X509Ptr root = certificate_of(test_root());
    EVP_PKEY* key = X509_get0_pubkey(root.get());
    CHECK(EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA);
    CHECK(EVP_PKEY_get_bits(key) == 2048);
    CHECK(X509_get_version(root.get()) == X509_VERSION_3);
    CHECK(X509_get_signature_nid(root.get()) == NID_sha256WithRSAEncryption);
    CHECK(X509_verify(root.get(), key) == 1);
    CHECK(X509_NAME_cmp(X509_get_subject_name(root.get()), X509_get_issuer_name(root.get())) == 0);
    CHECK(X509_check_private_key(root.get(), key_of(test_root()).get()) == 1);
    CHECK(read_certificate(test_root().certificate_pem)->common_name == "nearhub root 4f2a");
  }

  TEST_CASE("root: a CA of any depth that signs certificates and revocation lists, and says so critically") {
    const X509Ptr root = certificate_of(test_root());
    CHECK((X509_get_extension_flags(root.get()) & EXFLAG_CA) != 0);
    CHECK(X509_get_pathlen(root.get()) == -1);
    CHECK(is_critical(*root, NID_basic_constraints));
    CHECK(X509_get_key_usage(root.get()) == (KU_KEY_CERT_SIGN | KU_CRL_SIGN));
    CHECK(is_critical(*root, NID_key_usage));
    CHECK(X509_get_ext_by_NID(root.get(), NID_ext_key_usage, -1) == -1);
    CHECK(X509_get_ext_by_NID(root.get(), NID_subject_alt_name, -1) == -1);
  }

  TEST_CASE("server leaves: RSA-2048 and P-256 keys, both signed by the root with RSA and SHA-256, neither a CA") {
    const X509Ptr root = certificate_of(test_root()), rsa = certificate_of(rsa_leaf()), ec = certificate_of(ec_leaf());
    CHECK(EVP_PKEY_get_base_id(X509_get0_pubkey(rsa.get())) == EVP_PKEY_RSA);
    CHECK(EVP_PKEY_get_bits(X509_get0_pubkey(rsa.get())) == 2048);
    CHECK(EVP_PKEY_get_base_id(X509_get0_pubkey(ec.get())) == EVP_PKEY_EC);
    char group[32] = "";
    std::size_t length = 0;
    CHECK(EVP_PKEY_get_group_name(X509_get0_pubkey(ec.get()), group, sizeof group, &length) == 1);
    CHECK(std::string_view(group, length) == "prime256v1");
    for (X509* leaf : {rsa.get(), ec.get()}) {
      CHECK(X509_get_version(leaf) == X509_VERSION_3);
      CHECK(X509_get_signature_nid(leaf) == NID_sha256WithRSAEncryption);
      CHECK(X509_verify(leaf, X509_get0_pubkey(root.get())) == 1);
      CHECK(X509_check_issued(root.get(), leaf) == X509_V_OK);
      CHECK((X509_get_extension_flags(leaf) & EXFLAG_CA) == 0);
      CHECK(X509_check_ca(leaf) == 0);
    }
    CHECK(X509_check_private_key(rsa.get(), key_of(rsa_leaf()).get()) == 1);
    CHECK(X509_check_private_key(ec.get(), key_of(ec_leaf()).get()) == 1);
  }

  TEST_CASE("server leaves: for servers only, the RSA key may also encrypt, for the TLS_RSA suites") {
    const X509Ptr rsa = certificate_of(rsa_leaf()), ec = certificate_of(ec_leaf());
    CHECK(X509_get_key_usage(rsa.get()) == (KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT));
    CHECK(X509_get_key_usage(ec.get()) == KU_DIGITAL_SIGNATURE);
    for (X509* leaf : {rsa.get(), ec.get()}) {
      CHECK(is_critical(*leaf, NID_key_usage));
      CHECK(X509_get_extended_key_usage(leaf) == XKU_SSL_SERVER);
      CHECK(X509_check_purpose(leaf, X509_PURPOSE_SSL_SERVER, 0) == 1);
      CHECK(X509_check_purpose(leaf, X509_PURPOSE_SSL_CLIENT, 0) == 0);
    }
  }

  TEST_CASE("key identifiers: each certificate has its own, and names the root's as its issuer's") {
    const auto root = read_certificate(test_root().certificate_pem), rsa = read_certificate(rsa_leaf().certificate_pem),
               ec = read_certificate(ec_leaf().certificate_pem);
    CHECK(root->key_id.size() == 40);
    CHECK(root->issuer_key_id == root->key_id);
    CHECK(rsa->issuer_key_id == root->key_id);
    CHECK(ec->issuer_key_id == root->key_id);
    CHECK(std::set{root->key_id, rsa->key_id, ec->key_id}.size() == 3);
    CHECK(rsa->key_id.size() == 40);
  }

  TEST_CASE("names: clients accept every host name and address of the list, in any case, and no other") {
    for (const KeyPair* pair : {&rsa_leaf(), &ec_leaf()}) {
      const X509Ptr leaf = certificate_of(*pair);
      for (const char* name : {"hub.lab", "HUB.Lab", "dps.lab", "localhost"}) {
        CHECK(X509_check_host(leaf.get(), name, 0, 0, nullptr) == 1);
      }
      for (const char* name : {"lab", "x.hub.lab", "hub.lab.example", "nearhub root 4f2a"}) {
        CHECK(X509_check_host(leaf.get(), name, 0, 0, nullptr) == 0);
      }
      for (const char* address : {"127.0.0.1", "::1", "0:0:0:0:0:0:0:1"}) {
        CHECK(X509_check_ip_asc(leaf.get(), address, 0) == 1);
      }
      for (const char* address : {"127.0.0.2", "::2", "::ffff:127.0.0.1"}) {
        CHECK(X509_check_ip_asc(leaf.get(), address, 0) == 0);
      }
    }
  }

  TEST_CASE("names: an address stands as IP entry and, as given, as DNS entry for stacks that compare text") {
    const auto info =
        read_certificate(new_leaf(test_root(), {"192.168.1.20", "2001:DB8:0:0::7", "hub.lab"}).certificate_pem);
    CHECK(info->common_name == "192.168.1.20");
    CHECK(info->dns_names == std::vector<std::string>{"192.168.1.20", "2001:DB8:0:0::7", "hub.lab"});
    CHECK(info->ip_addresses == std::vector<std::string>{"192.168.1.20", "2001:db8::7"});
    const X509Ptr leaf = certificate_of(new_leaf(test_root(), {"192.168.1.20"}));
    CHECK(X509_check_host(leaf.get(), "192.168.1.20", 0, 0, nullptr) == 1);
    CHECK(X509_check_ip_asc(leaf.get(), "192.168.1.20", 0) == 1);
  }

  TEST_CASE("names: a name that is given twice, in another case or form, stands once") {
    const auto info = read_certificate(
        new_leaf(test_root(), {"hub.lab", "HUB.lab", "::1", "0:0:0:0:0:0:0:1", "::1"}).certificate_pem);
    CHECK(info->dns_names == std::vector<std::string>{"hub.lab", "::1", "0:0:0:0:0:0:0:1"});
    CHECK(info->ip_addresses == std::vector<std::string>{"::1"});
  }

  TEST_CASE("common name: the first name, or the first that fits into 64 characters") {
    const std::string label(60, 'a');
    CHECK(read_certificate(ec_leaf().certificate_pem)->common_name == "hub.lab");
    CHECK(read_certificate(new_leaf(test_root(), {label + ".lab", "b"}).certificate_pem)->common_name ==
          label + ".lab");
    const auto info = read_certificate(new_leaf(test_root(), {label + ".labs", "b"}).certificate_pem);
    CHECK(info->common_name == "b");
    CHECK(info->dns_names == std::vector<std::string>{label + ".labs", "b"});
    CHECK(refused_names({label + ".labs"}) ==
          "every host name has more than 64 characters; a certificate's common name needs one that has not");
  }

  TEST_CASE("chain: a client that trusts the root alone accepts both leaves as a server's, also in strict mode") {
    for (const KeyPair* leaf : {&rsa_leaf(), &ec_leaf()}) {
      CHECK(verify(*leaf, test_root(), kNow) == X509_V_OK);
      CHECK(verify(*leaf, test_root(), kNow, X509_V_FLAG_X509_STRICT) == X509_V_OK);
      CHECK(verify(*leaf, other_root(), kNow) != X509_V_OK);
    }
  }

  TEST_CASE("validity: backdated by an hour, because boards' clocks run late, and over to the second") {
    for (const KeyPair* leaf : {&rsa_leaf(), &ec_leaf()}) {
      CHECK(not_before(*leaf) == kNow - std::chrono::hours{1});
      CHECK(not_after(*leaf) == kNow - std::chrono::hours{1} + days(825) - std::chrono::seconds{1});
      CHECK(verify(*leaf, test_root(), not_before(*leaf)) == X509_V_OK);
      CHECK(verify(*leaf, test_root(), not_before(*leaf) - std::chrono::seconds{1}) == X509_V_ERR_CERT_NOT_YET_VALID);
      CHECK(verify(*leaf, test_root(), not_after(*leaf) - std::chrono::seconds{1}) == X509_V_OK);
      CHECK(verify(*leaf, test_root(), not_after(*leaf) + std::chrono::seconds{1}) == X509_V_ERR_CERT_HAS_EXPIRED);
    }
    CHECK(not_before(test_root()) == kNow - std::chrono::hours{1});
    CHECK(not_after(test_root()) == kNow - std::chrono::hours{1} + days(3650) - std::chrono::seconds{1});
  }

  TEST_CASE("validity: comes from the given time alone, fractions cut, also beyond 2049 where the encoding changes") {
    const WallTime then =
        WallTime{std::chrono::sys_days{std::chrono::year{2049} / 12 / 31}} + std::chrono::hours{12} + Ticks{1'234'567};
    const auto root = make_root("late", then, test_random(), 365);
    REQUIRE(root.ok());
    const auto info = read_certificate(root->certificate_pem);
    CHECK(info->not_before ==
          WallTime{std::chrono::sys_days{std::chrono::year{2049} / 12 / 31}} + std::chrono::hours{11});
    CHECK(info->not_after == info->not_before + days(365) - std::chrono::seconds{1});
  }

  TEST_CASE("validity: a leaf ends with its root") {
    const auto leaf = make_server_leaf(test_root(), {"hub.lab"}, KeyType::kEcP256, kNow + days(3600), test_random());
    REQUIRE(leaf.ok());
    CHECK(not_after(*leaf) == not_after(test_root()));
  }

  TEST_CASE("validity: at least a day, at most 825 days for a leaf and a hundred years for a root") {
    const auto leaf = [](std::int64_t count) {
      return make_server_leaf(test_root(), {"a"}, KeyType::kEcP256, kNow, test_random(), count);
    };
    CHECK(leaf(1).ok());
    CHECK(leaf(825).ok());
    CHECK(leaf(826).error().detail == "a certificate of this kind is valid for 1 to 825 days, not 826");
    CHECK(leaf(0).error().detail == "a certificate of this kind is valid for 1 to 825 days, not 0");
    CHECK(leaf(INT64_MIN).error().code == ErrorCode::kInvalidSetting);
    CHECK(make_root("r", kNow, test_random(), 0).error().detail ==
          "a certificate of this kind is valid for 1 to 36500 days, not 0");
    CHECK(make_root("r", kNow, test_random(), INT64_MAX).error().code == ErrorCode::kInvalidSetting);
  }

  TEST_CASE("serial numbers: sixteen bytes of the given randomness, positive, never the same twice") {
    class Ones final : public Random {
     public:
      void fill(void* bytes, std::size_t size) override {
        std::fill_n(static_cast<unsigned char*>(bytes), size, static_cast<unsigned char>(0xFF));
      }
    };
    class Zeros final : public Random {
     public:
      void fill(void* bytes, std::size_t size) override {
        std::fill_n(static_cast<unsigned char*>(bytes), size, static_cast<unsigned char>(0));
      }
    };
    Ones ones;
    Zeros zeros;
    CHECK(serial_of(*make_server_leaf(test_root(), {"a"}, KeyType::kEcP256, kNow, ones)) ==
          "7fffffffffffffffffffffffffffffff");
    CHECK(serial_of(*make_server_leaf(test_root(), {"a"}, KeyType::kEcP256, kNow, zeros)) ==
          "40000000000000000000000000000000");
    SeededRandom first(1), again(1);
    const std::string serial = serial_of(*make_server_leaf(test_root(), {"a"}, KeyType::kEcP256, kNow, first));
    CHECK(serial == serial_of(*make_server_leaf(test_root(), {"a"}, KeyType::kEcP256, kNow, again)));
    CHECK(serial != serial_of(*make_server_leaf(test_root(), {"a"}, KeyType::kEcP256, kNow, first)));
  }

  TEST_CASE("keys: are new for every certificate, whatever the randomness that was handed in") {
    SeededRandom first(1), again(1);
    const auto a = make_server_leaf(test_root(), {"a"}, KeyType::kEcP256, kNow, first);
    const auto b = make_server_leaf(test_root(), {"a"}, KeyType::kEcP256, kNow, again);
    CHECK(a->key_pem != b->key_pem);
    CHECK(read_certificate(a->certificate_pem)->key_id != read_certificate(b->certificate_pem)->key_id);
  }

  TEST_CASE("PEM: begins with BEGIN, ends after END, LF only, keys as PKCS#8") {
    for (const KeyPair* pair : {&test_root(), &rsa_leaf(), &ec_leaf()}) {
      CHECK(pair->certificate_pem.starts_with("-----BEGIN CERTIFICATE-----\n"));
      CHECK(pair->certificate_pem.ends_with("\n-----END CERTIFICATE-----\n"));
      CHECK(pair->key_pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
      CHECK(pair->key_pem.ends_with("\n-----END PRIVATE KEY-----\n"));
      for (const std::string* text : {&pair->certificate_pem, &pair->key_pem}) {
        CHECK(text->find('\r') == std::string::npos);
        CHECK(text->find('\0') == std::string::npos);
        CHECK(text->size() < 4096);  // one credential of a board's modem (x509-and-boards.md F)
      }
    }
  }

  TEST_CASE("size: both leaves stay far below the 4 kB that an nRF9160 takes for the whole chain") {
    CHECK(der_size(rsa_leaf()) == 896);
    CHECK(der_size(ec_leaf()) == 693);
    CHECK(der_size(new_leaf(test_root(), {"hub.lab"}, KeyType::kRsa2048)) == 836);
    CHECK(der_size(new_leaf(test_root(), {"hub.lab"}, KeyType::kEcP256)) == 633);
    CHECK(der_size(test_root()) == 809);  // not sent, but stored on the board
  }

  TEST_CASE("names: one that no client could match is refused with a sentence that names it") {
    CHECK(refused_names({}) == "a server certificate needs at least one host name");
    CHECK(refused_names({"hub.lab", "*.lab"}) == "host name \"*.lab\" is a wildcard; name each host instead");
    CHECK(refused_names({"hub.lab", ""}) == "a host name is empty");
  }

  TEST_CASE("root name: 1 to 64 characters of printable UTF-8") {
    const auto reason = [](std::string_view name) {
      const auto root = make_root(name, kNow, test_random());
      REQUIRE_FALSE(root.ok());
      CHECK(root.error().code == ErrorCode::kInvalidSetting);
      return root.error().detail;
    };
    CHECK(reason("") == "the common name is empty");
    CHECK(reason("a\nb") == "common name \"a\\x0Ab\" is not printable UTF-8");
    CHECK(reason(std::string_view("a\0b", 3)) == "common name \"a\\x00b\" is not printable UTF-8");
    CHECK(reason("\xFF") == "common name \"\\xFF\" is not printable UTF-8");
    CHECK(reason(std::string(65, 'x')).ends_with("has 65 characters; at most 64 are allowed"));
    std::string umlauts;
    for (int i = 0; i < 64; ++i) umlauts += "\xC3\xA4";
    const auto root = make_root(umlauts, kNow, test_random());
    REQUIRE(root.ok());
    CHECK(read_certificate(root->certificate_pem)->common_name == umlauts);
  }

  TEST_CASE("a root of the user's: texts that are no certificate, no key or no pair are refused in OpenSSL's words") {
    CHECK(refused_root(KeyPair{"hello", test_root().key_pem}) ==
          "root: the text holds no certificate in PEM form: PEM routines: no start line (Expecting: CERTIFICATE)");
    CHECK(refused_root(KeyPair{test_root().certificate_pem, "hello"})
              .starts_with("root: the text holds no private key in PEM form without a passphrase: "));
    CHECK(refused_root(KeyPair{test_root().certificate_pem, other_root().key_pem}) ==
          "root: the private key does not belong to the certificate: x509 certificate routines: key values mismatch");
    CHECK(refused_root(ec_leaf()) == "root: the certificate is not a certificate authority's");
  }

  TEST_CASE("a root of the user's: a key under a passphrase is refused and nobody is asked for it") {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    const char passphrase[] = "secret";
    REQUIRE(PEM_write_bio_PKCS8PrivateKey(bio.get(), key_of(test_root()).get(), EVP_aes_128_cbc(), passphrase, 6,
                                          nullptr, nullptr) == 1);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    CHECK(refused_root(KeyPair{test_root().certificate_pem, std::string(text, static_cast<std::size_t>(size))})
              .starts_with("root: the text holds no private key in PEM form without a passphrase: "));
  }

  TEST_CASE("a root of the user's: one that is not valid now is refused with its dates and the clock's") {
    CHECK(refused_root(test_root(), kNow - std::chrono::seconds{3601}) ==
          "root: the certificate is valid from Wed, 31 Dec 2025 23:00:00 GMT to Sat, 29 Dec 2035 22:59:59 GMT, and the "
          "clock says "
          "Wed, 31 Dec 2025 22:59:59 GMT");
    CHECK(refused_root(test_root(), not_after(test_root())).starts_with("root: the certificate is valid from "));
  }

  TEST_CASE("a root of the user's: one without a key identifier signs leaves that refer to none") {
    const PkeyPtr key(EVP_EC_gen("P-256"));
    const X509Ptr certificate(X509_new());
    REQUIRE(X509_set_version(certificate.get(), X509_VERSION_3) == 1);
    ASN1_TIME_set(X509_getm_notBefore(certificate.get()), to_time_t(kNow));
    ASN1_TIME_set(X509_getm_notAfter(certificate.get()), to_time_t(kNow + days(100)));
    REQUIRE(X509_set_pubkey(certificate.get(), key.get()) == 1);
    X509_NAME* name = X509_get_subject_name(certificate.get());
    REQUIRE(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("plain"), -1, -1,
                                       0) == 1);
    REQUIRE(X509_set_issuer_name(certificate.get(), name) == 1);
    const X509ExtensionPtr ca(X509V3_EXT_nconf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE"));
    REQUIRE(X509_add_ext(certificate.get(), ca.get(), -1) == 1);
    REQUIRE(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);

    const KeyPair root{*certificate_pem(*certificate), *private_key_pem(*key)};
    const KeyPair leaf = new_leaf(root, kNames);
    CHECK(read_certificate(leaf.certificate_pem)->issuer_key_id.empty());
    CHECK(verify(leaf, root, kNow) == X509_V_OK);
    CHECK(serves(leaf, root, kNames, kNow, 30));
  }

  TEST_CASE("a root of the user's: an EC root signs leaves too") {
    const PkeyPtr key(EVP_EC_gen("P-256"));
    const Profile profile = {"critical,CA:TRUE", "critical,keyCertSign", nullptr};
    const auto certificate =
        issue(profile, Subject{"their root", {}, kNow, kNow + days(100)}, *key, nullptr, test_random());
    REQUIRE(certificate.ok());
    const KeyPair root{*certificate_pem(**certificate), *private_key_pem(*key)};
    const KeyPair leaf = new_leaf(root, kNames);
    CHECK(verify(leaf, root, kNow) == X509_V_OK);
    CHECK(X509_get_signature_nid(certificate_of(leaf).get()) == NID_ecdsa_with_SHA256);
    CHECK(not_after(leaf) == kNow + days(100));
  }
}
