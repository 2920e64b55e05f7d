// Owners for OpenSSL's objects. Private to this room.
//
// THREAD: value types; an object belongs to one thread at a time.
#pragma once
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

namespace nearhub::certs {

template <auto Free>
struct OpensslFree {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <typename T, auto Free>
using OpensslPtr = std::unique_ptr<T, OpensslFree<Free>>;

using X509Ptr = OpensslPtr<X509, &X509_free>;
using X509ExtensionPtr = OpensslPtr<X509_EXTENSION, &X509_EXTENSION_free>;
using PkeyPtr = OpensslPtr<EVP_PKEY, &EVP_PKEY_free>;
using BioPtr = OpensslPtr<BIO, &BIO_free_all>;
using BignumPtr = OpensslPtr<BIGNUM, &BN_free>;
using Asn1IntegerPtr = OpensslPtr<ASN1_INTEGER, &ASN1_INTEGER_free>;
using Asn1StringPtr = OpensslPtr<ASN1_STRING, &ASN1_STRING_free>;
using Asn1TimePtr = OpensslPtr<ASN1_TIME, &ASN1_TIME_free>;
using GeneralNamePtr = OpensslPtr<GENERAL_NAME, &GENERAL_NAME_free>;
using GeneralNamesPtr = OpensslPtr<GENERAL_NAMES, &GENERAL_NAMES_free>;

}  // namespace nearhub::certs
