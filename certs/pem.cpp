#include "certs/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <climits>

#include "certs/openssl_error.h"

namespace nearhub::certs {
namespace {

// Without a callback OpenSSL would ask for a passphrase on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

BioPtr reader_of(std::string_view text) {
  if (text.size() > INT_MAX) return nullptr;
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string contents_of(BIO& memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(&memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

Result<X509Ptr> parse_certificate(std::string_view pem) {
  const BioPtr bio = reader_of(pem);
  X509Ptr certificate(bio == nullptr ? nullptr : PEM_read_bio_X509(bio.get(), nullptr, &no_passphrase, nullptr));
  if (certificate == nullptr) {
    return openssl_error(ErrorCode::kInvalidSetting, "the text holds no certificate in PEM form");
  }
  return certificate;
}

Result<std::vector<X509Ptr>> parse_certificates(std::string_view pem) {
  const BioPtr bio = reader_of(pem);
  std::vector<X509Ptr> certificates;
  while (bio != nullptr) {
    X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, &no_passphrase, nullptr));
    if (certificate == nullptr) break;
    certificates.push_back(std::move(certificate));
  }
  // What stopped it is the end of the text, or a certificate that cannot be read.
  const unsigned long error = ERR_peek_last_error();
  const bool at_the_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (certificates.empty() || !at_the_end) {
    return openssl_error(ErrorCode::kInvalidSetting, certificates.empty() ? "the text holds no certificate in PEM form"
                                                                          : "a certificate further down in the text cannot be read");
  }
  ERR_clear_error();
  return certificates;
}

Result<PkeyPtr> parse_private_key(std::string_view pem) {
  const BioPtr bio = reader_of(pem);
  PkeyPtr key(bio == nullptr ? nullptr : PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_passphrase, nullptr));
  if (key == nullptr) {
    return openssl_error(ErrorCode::kInvalidSetting, "the text holds no private key in PEM form without a passphrase");
  }
  return key;
}

Result<std::string> certificate_pem(X509& certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_X509(bio.get(), &certificate) != 1) {
    return openssl_error(ErrorCode::kIo, "cannot write the certificate as PEM");
  }
  return contents_of(*bio);
}

Result<std::string> private_key_pem(EVP_PKEY& key) {
  // The secure-memory BIO wipes its buffer when it is freed.
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  if (bio == nullptr || PEM_write_bio_PKCS8PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return openssl_error(ErrorCode::kIo, "cannot write the private key as PEM");
  }
  return contents_of(*bio);
}

}  // namespace nearhub::certs
