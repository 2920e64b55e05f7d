#include "certs/openssl_error.h"

#include <doctest/doctest.h>
#include <openssl/err.h>
#include <openssl/x509err.h>

#include "certs/authority.h"
#include "tests/certs/fixtures.h"

using namespace nearhub;
using namespace nearhub::certs;

TEST_SUITE("certs") {
  TEST_CASE("OpenSSL errors: what was tried, then every entry of the queue, oldest first, with its data") {
    const ErrorQueueScope scope;
    ERR_raise(ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH);
    ERR_raise_data(ERR_LIB_X509, X509_R_UNKNOWN_NID, "nid %d", 7);
    CHECK(openssl_error(ErrorCode::kIo, "cannot sign") ==
          Error{ErrorCode::kIo,
                "cannot sign: x509 certificate routines: key values mismatch; x509 certificate routines: unknown nid "
                "(nid 7)"});
    CHECK(openssl_error(ErrorCode::kIo, "cannot sign").detail == "cannot sign");
  }

  TEST_CASE("OpenSSL errors: a call neither reports what was in the queue before it nor leaves anything behind") {
    ERR_raise(ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH);
    const auto info = read_certificate("no PEM at all");
    REQUIRE_FALSE(info.ok());
    CHECK(info.error() ==
          Error{ErrorCode::kInvalidSetting,
                "the text holds no certificate in PEM form: PEM routines: no start line (Expecting: CERTIFICATE)"});
    CHECK(ERR_peek_error() == 0);
    // The key is another certificate's: OpenSSL says so in its queue, serves() only answers no.
    CHECK_FALSE(serves({ec_leaf().certificate_pem, rsa_leaf().key_pem}, test_root(), kNames, kNow, 30));
    CHECK(ERR_peek_error() == 0);
  }
}
