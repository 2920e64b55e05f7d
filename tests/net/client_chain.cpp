#include "tests/net/client_chain.h"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

namespace nearhub::test {
namespace {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<&BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<&X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<&EVP_PKEY_free>>;

template <typename Write>
std::string text_of(Write write) {
  const Bio bio(BIO_new(BIO_s_mem()));
  REQUIRE(write(bio.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Bio reader(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

void add_extension(X509* certificate, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  REQUIRE(extension != nullptr);
  REQUIRE(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

}  // namespace

ClientCertificate make_client_certificate(const std::string& common_name, const ClientCertificate* issuer, const ClientCertificateOptions& options) {
  static int serial = 1;
  const Key key(options.key == ClientKey::kEc ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048));
  REQUIRE(key != nullptr);
  const Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), static_cast<std::time_t>(unix_seconds(options.not_before)));
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), static_cast<std::time_t>(unix_seconds(options.not_after)));
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name.data()), static_cast<int>(common_name.size()), -1, 0);
  X509_set_pubkey(certificate.get(), key.get());
  add_extension(certificate.get(), NID_basic_constraints, options.ca ? "critical,CA:TRUE" : "CA:FALSE");
  if (options.padding > 0) {
    std::string value = "DER:0482";  // an octet string with two bytes of length
    constexpr const char* kDigits = "0123456789abcdef";
    for (const int shift : {12, 8, 4, 0}) value += kDigits[options.padding >> shift & 15];
    for (std::size_t i = 0; i < options.padding; ++i) value += "5a";
    X509_EXTENSION* extension = X509V3_EXT_conf(nullptr, nullptr, "1.2.3.4.5", value.c_str());
    REQUIRE(extension != nullptr);
    REQUIRE(X509_add_ext(certificate.get(), extension, -1) == 1);
    X509_EXTENSION_free(extension);
  }
  if (issuer == nullptr) {
    X509_set_issuer_name(certificate.get(), subject);
    REQUIRE(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
  } else {
    const Bio certificate_bio = reader(issuer->certificate_pem), key_bio = reader(issuer->key_pem);
    const Certificate issuer_certificate(PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr));
    const Key issuer_key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer_certificate.get()));
    REQUIRE(X509_sign(certificate.get(), issuer_key.get(), EVP_sha256()) > 0);
  }
  ClientCertificate result;
  result.certificate_pem = text_of([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); });
  result.key_pem = text_of([&](BIO* bio) { return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  result.der = text_of([&](BIO* bio) { return i2d_X509_bio(bio, certificate.get()); });
  return result;
}

}  // namespace nearhub::test
