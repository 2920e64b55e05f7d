#include "certs/credential.h"

#include "tests/certs/fixtures.h"

using namespace nearhub;
using namespace nearhub::certs;

namespace {

Terms terms(KeyType key = KeyType::kEcP256, std::int64_t valid_days = 365, WallTime now = kNow) { return {key, valid_days, now, test_random()}; }

Credential made(Result<Credential> result) {
  REQUIRE_MESSAGE(result.ok(), (result.ok() ? "" : result.error().detail));
  return std::move(*result);
}

const Credential& factory() {
  static const Credential root = made(make_authority("factory", terms(KeyType::kEcP256, kRootValidDays)));
  return root;
}
const Credential& line() {
  static const Credential intermediate = made(make_authority("line-1", terms(KeyType::kEcP256, 1825), &factory()));
  return intermediate;
}

std::string refused(Result<Credential> result) {
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ErrorCode::kInvalidSetting);
  return result.error().detail;
}

// What a hub that trusts `root` alone finds about a client with this chain, in OpenSSL's strict mode.
int verify_client(const Credential& leaf, const Credential& root, WallTime at = kNow) {
  const auto chain = parse_certificates(leaf.chain_pem);
  REQUIRE(chain.ok());
  const X509Ptr root_certificate = certificate_of(root.pair);
  const StorePtr store(X509_STORE_new());
  REQUIRE(X509_STORE_add_cert(store.get(), root_certificate.get()) == 1);
  STACK_OF(X509)* untrusted = sk_X509_new_null();
  for (std::size_t i = 1; i < chain->size(); ++i) sk_X509_push(untrusted, (*chain)[i].get());
  const StoreContextPtr context(X509_STORE_CTX_new());
  REQUIRE(X509_STORE_CTX_init(context.get(), store.get(), chain->front().get(), untrusted) == 1);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, to_time_t(at));
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  REQUIRE(X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT) == 1);
  X509_verify_cert(context.get());
  const int error = X509_STORE_CTX_get_error(context.get());
  sk_X509_free(untrusted);
  return error;
}

}  // namespace

TEST_SUITE("certs") {
  TEST_CASE("authorities: a root and an intermediate are CAs of any depth that sign certificates, P-256 by default") {
    for (const Credential* authority : {&factory(), &line()}) {
      const X509Ptr certificate = certificate_of(authority->pair);
      CHECK((X509_get_extension_flags(certificate.get()) & EXFLAG_CA) != 0);
      CHECK(X509_get_pathlen(certificate.get()) == -1);
      CHECK(X509_get_key_usage(certificate.get()) == (KU_KEY_CERT_SIGN | KU_CRL_SIGN));
      CHECK(X509_get_ext_by_NID(certificate.get(), NID_ext_key_usage, -1) == -1);
      CHECK(EVP_PKEY_get_base_id(X509_get0_pubkey(certificate.get())) == EVP_PKEY_EC);
      CHECK(X509_check_private_key(certificate.get(), key_of(authority->pair).get()) == 1);
    }
    const auto root = read_certificate(factory().pair.certificate_pem), below = read_certificate(line().pair.certificate_pem);
    CHECK(root->common_name == "factory");
    CHECK(below->common_name == "line-1");
    CHECK(below->issuer_key_id == root->key_id);
  }

  TEST_CASE("client leaves: for clients only, CN as given, an RSA key may also encrypt") {
    const Credential ec = made(make_client_leaf("d1/m1", terms(), &line()));
    const Credential rsa = made(make_client_leaf("d1", terms(KeyType::kRsa2048), &factory()));
    CHECK(read_certificate(ec.pair.certificate_pem)->common_name == "d1/m1");
    CHECK(X509_get_key_usage(certificate_of(ec.pair).get()) == KU_DIGITAL_SIGNATURE);
    CHECK(X509_get_key_usage(certificate_of(rsa.pair).get()) == (KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT));
    for (const Credential* leaf : {&ec, &rsa}) {
      const X509Ptr certificate = certificate_of(leaf->pair);
      CHECK(X509_get_extended_key_usage(certificate.get()) == XKU_SSL_CLIENT);
      CHECK(X509_check_purpose(certificate.get(), X509_PURPOSE_SSL_CLIENT, 0) == 1);
      CHECK(X509_check_purpose(certificate.get(), X509_PURPOSE_SSL_SERVER, 0) == 0);
      CHECK(X509_check_ca(certificate.get()) == 0);
    }
  }

  TEST_CASE("client leaves: RSA keys have the bits that were asked for") {
    CHECK(EVP_PKEY_get_bits(key_of(made(make_client_leaf("d1", terms(KeyType::kRsa3072))).pair).get()) == 3072);
  }

  TEST_CASE("chains: a hub that trusts the root accepts a leaf under an intermediate, also in strict mode, and nobody else's") {
    const Credential leaf = made(make_client_leaf("d1", terms(), &line()));
    CHECK(parse_certificates(leaf.chain_pem)->size() == 3);
    CHECK(verify_client(leaf, factory()) == X509_V_OK);
    CHECK(verify_client(made(make_client_leaf("d1", terms(), &factory())), factory()) == X509_V_OK);
    const Credential stranger = made(make_authority("factory", terms()));
    CHECK(verify_client(leaf, stranger) != X509_V_OK);
    CHECK(verify_client(leaf, factory(), kNow + days(366)) == X509_V_ERR_CERT_HAS_EXPIRED);
  }

  TEST_CASE("self-signed leaves: signed by their own key, a chain of one") {
    const Credential leaf = made(make_client_leaf("d1", terms()));
    const X509Ptr certificate = certificate_of(leaf.pair);
    CHECK(X509_verify(certificate.get(), X509_get0_pubkey(certificate.get())) == 1);
    CHECK(leaf.chain_pem == leaf.pair.certificate_pem);
    CHECK(verify_client(leaf, leaf) == X509_V_OK);
  }

  TEST_CASE("validity: so many days, from an hour ago, and no longer than the authority's") {
    const auto info = read_certificate(made(make_client_leaf("d1", terms(KeyType::kEcP256, 30))).pair.certificate_pem);
    CHECK(info->not_before == kNow - std::chrono::hours{1});
    CHECK(info->not_after == kNow - std::chrono::hours{1} + days(30) - std::chrono::seconds{1});
    const Credential shorter = made(make_authority("short", terms(KeyType::kEcP256, 10)));
    const auto below = read_certificate(made(make_client_leaf("d1", terms(KeyType::kEcP256, 365), &shorter)).pair.certificate_pem);
    CHECK(below->not_after == read_certificate(shorter.pair.certificate_pem)->not_after);
    CHECK(refused(make_client_leaf("d1", terms(KeyType::kEcP256, 0))) == "a certificate of this kind is valid for 1 to 36500 days, not 0");
    CHECK(refused(make_client_leaf("d1", terms(KeyType::kEcP256, 1, kNow + days(20)), &shorter)).starts_with("the authority: the certificate is valid from "));
  }

  TEST_CASE("signing: a leaf, and a pair that is none, sign nothing") {
    const Credential leaf = made(make_client_leaf("d1", terms()));
    CHECK(refused(make_client_leaf("d2", terms(), &leaf)) == "the authority: the certificate is not a certificate authority's");
    Credential mixed = factory();
    mixed.pair.key_pem = leaf.pair.key_pem;
    CHECK(refused(make_client_leaf("d2", terms(), &mixed)).starts_with("the authority: the private key does not belong to the certificate"));
    CHECK(refused(make_authority("", terms())) == "the common name is empty");
    CHECK(refused(make_client_leaf(std::string(65, 'x'), terms())).ends_with("has 65 characters; at most 64 are allowed"));
  }

  TEST_CASE("server credentials: the names, the chain up to the root") {
    const Credential server = made(make_server_credential({"files.lan", "192.168.1.20"}, terms(), factory()));
    CHECK(read_certificate(server.pair.certificate_pem)->ip_addresses == std::vector<std::string>{"192.168.1.20"});
    CHECK(parse_certificates(server.chain_pem)->size() == 2);
    CHECK(verify(server.pair, factory().pair, kNow, X509_V_FLAG_X509_STRICT) == X509_V_OK);
  }

  TEST_CASE("reading: a chain may repeat the certificate or not, and text around the certificates is ignored") {
    const Credential leaf = made(make_client_leaf("d1", terms(), &line()));
    const std::string above = line().chain_pem;
    for (const std::string& chain : {leaf.chain_pem, above, "junk\n" + leaf.chain_pem + "\nnull"}) {
      CHECK(made(read_credential(leaf.pair.certificate_pem, leaf.pair.key_pem, chain)).chain_pem == leaf.chain_pem);
    }
    CHECK(made(read_credential("note\n" + leaf.pair.certificate_pem, leaf.pair.key_pem)).chain_pem == leaf.pair.certificate_pem);
    CHECK(refused(read_credential(leaf.pair.certificate_pem, line().pair.key_pem)).starts_with("the private key does not belong to the certificate"));
    CHECK(refused(read_credential("no", leaf.pair.key_pem)).starts_with("the text holds no certificate in PEM form"));
    // The end of a certificate is missing.
    CHECK(refused(read_credential(leaf.pair.certificate_pem, leaf.pair.key_pem, leaf.chain_pem.substr(0, leaf.chain_pem.size() - 40)))
              .starts_with("a certificate further down in the text cannot be read"));
  }

  TEST_CASE("chains as shown: without the root, but a certificate that signed itself stays") {
    const Credential leaf = made(make_client_leaf("d1", terms(), &line()));
    CHECK(*chain_without_root(leaf.chain_pem) == leaf.pair.certificate_pem + line().pair.certificate_pem);
    const Credential alone = made(make_client_leaf("d1", terms()));
    CHECK(*chain_without_root(alone.chain_pem) == alone.pair.certificate_pem);
    CHECK_FALSE(chain_without_root("").ok());
  }

  TEST_CASE("size: leaf and intermediate of EC keys fit an nRF9160's 4 kB several times") {
    const Credential leaf = made(make_client_leaf("nrf-352656100000001", terms(), &line()));
    CHECK(chain_without_root(leaf.chain_pem)->size() < 1600);
    CHECK(leaf.pair.key_pem.size() < 300);
  }
}
