#include "tests/support/certificate_maker.h"

#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "base/text.h"

namespace nearhub::test {
namespace {

struct BioFree {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioFree>;

std::string contents_of(const BioPtr& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

EVP_PKEY* new_key(KeyKind kind) {
  switch (kind) {
    case KeyKind::kEc256: return EVP_EC_gen("P-256");
    case KeyKind::kEc384: return EVP_EC_gen("P-384");
    case KeyKind::kEc521: return EVP_EC_gen("P-521");
    case KeyKind::kRsa1024: return EVP_RSA_gen(1024);
    case KeyKind::kRsa2048: return EVP_RSA_gen(2048);
    case KeyKind::kRsa4096: return EVP_RSA_gen(4096);
    case KeyKind::kEd25519: return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }
  return nullptr;
}

void add_extension(X509& certificate, X509V3_CTX& context, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str());
  REQUIRE_MESSAGE(extension != nullptr, value);
  REQUIRE(X509_add_ext(&certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

void add_extensions(X509& certificate, const CertificateSpec& spec) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, spec.issuer == nullptr ? &certificate : spec.issuer->certificate.get(), &certificate, nullptr, nullptr, 0);
  if (spec.ca) {
    std::string value = *spec.ca ? "critical,CA:TRUE" : "CA:FALSE";
    if (spec.path_length >= 0) value += ",pathlen:" + std::to_string(spec.path_length);
    add_extension(certificate, context, NID_basic_constraints, value);
  }
  if (!spec.key_usage.empty()) add_extension(certificate, context, NID_key_usage, spec.key_usage);
  if (!spec.extended_key_usage.empty()) add_extension(certificate, context, NID_ext_key_usage, spec.extended_key_usage);
  if (spec.key_ids) {
    add_extension(certificate, context, NID_subject_key_identifier, "hash");
    const bool issuer_has_id = spec.issuer == nullptr || X509_get0_subject_key_id(spec.issuer->certificate.get()) != nullptr;
    if (issuer_has_id) add_extension(certificate, context, NID_authority_key_identifier, "keyid:always");
  }
  std::string names;
  for (const std::string& name : spec.dns_names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
  if (!names.empty()) add_extension(certificate, context, NID_subject_alt_name, names);
  if (!spec.unknown_critical_extension.empty()) {
    ASN1_OBJECT* object = OBJ_txt2obj(spec.unknown_critical_extension.c_str(), 1);
    ASN1_OCTET_STRING* value = ASN1_OCTET_STRING_new();
    REQUIRE(ASN1_OCTET_STRING_set(value, reinterpret_cast<const unsigned char*>("\x05\x00"), 2) == 1);
    X509_EXTENSION* extension = X509_EXTENSION_create_by_OBJ(nullptr, object, 1, value);
    REQUIRE(X509_add_ext(&certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
  }
}

}  // namespace

TestCertificate make_certificate(const CertificateSpec& spec) {
  TestCertificate made;
  made.key = spec.same_key_as != nullptr ? spec.same_key_as->key : std::shared_ptr<EVP_PKEY>(new_key(spec.key), EVP_PKEY_free);
  REQUIRE(made.key != nullptr);
  made.certificate = std::shared_ptr<X509>(X509_new(), X509_free);
  X509& certificate = *made.certificate;
  REQUIRE(X509_set_version(&certificate, spec.version_1 ? X509_VERSION_1 : X509_VERSION_3) == 1);
  static long serial = 1'000'000;
  REQUIRE(ASN1_INTEGER_set(X509_get_serialNumber(&certificate), ++serial) == 1);
  ASN1_TIME_set(X509_getm_notBefore(&certificate), static_cast<std::time_t>(unix_seconds(spec.not_before)));
  ASN1_TIME_set(X509_getm_notAfter(&certificate), static_cast<std::time_t>(unix_seconds(spec.not_after)));
  X509_NAME* subject = X509_get_subject_name(&certificate);
  const auto add_name = [subject](int nid, const std::string& text) {
    REQUIRE(X509_NAME_add_entry_by_NID(subject, nid, V_ASN1_UTF8STRING, reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()), -1, 0) == 1);
  };
  if (!spec.organization.empty()) add_name(NID_organizationName, spec.organization);
  for (const std::string& name : spec.common_names) add_name(NID_commonName, name);
  const X509& issuer = spec.issuer == nullptr ? certificate : *spec.issuer->certificate;
  REQUIRE(X509_set_issuer_name(&certificate, X509_get_subject_name(&issuer)) == 1);
  REQUIRE(X509_set_pubkey(&certificate, made.key.get()) == 1);
  if (!spec.version_1) add_extensions(certificate, spec);
  EVP_PKEY* signer = spec.issuer == nullptr ? made.key.get() : spec.issuer->key.get();
  const bool has_own_digest = EVP_PKEY_is_a(signer, "ED25519") == 1;
  REQUIRE(X509_sign(&certificate, signer, has_own_digest ? nullptr : EVP_get_digestbyname(spec.digest)) > 0);
  return made;
}

std::string TestCertificate::der() const {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate.get(), &bytes);
  REQUIRE(size > 0);
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

std::string TestCertificate::pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  REQUIRE(PEM_write_bio_X509(bio.get(), certificate.get()) == 1);
  return contents_of(bio);
}

std::string TestCertificate::key_pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return contents_of(bio);
}

namespace {

std::string hash_of(const TestCertificate& certificate, const EVP_MD* digest) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  REQUIRE(X509_digest(certificate.certificate.get(), digest, hash, &size) == 1);
  return to_hex({reinterpret_cast<const char*>(hash), size});
}

}  // namespace

std::string TestCertificate::sha1() const { return hash_of(*this, EVP_sha1()); }
std::string TestCertificate::sha256() const { return hash_of(*this, EVP_sha256()); }

}  // namespace nearhub::test
