// Certificates and private keys as PEM text. Private to this room.
//
// THREAD: any thread.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "certs/openssl_ptr.h"

namespace nearhub::certs {

// The first certificate in the text; what stands before BEGIN and after END is ignored, as in files that tools wrote.
// Fails with kInvalidSetting.
Result<X509Ptr> parse_certificate(std::string_view pem);

// All certificates in the text, in its order, at least one; what stands between them is ignored as well. Fails with
// kInvalidSetting.
Result<std::vector<X509Ptr>> parse_certificates(std::string_view pem);

// The first private key in the text, not encrypted: a hub starts without anybody to ask. Fails with kInvalidSetting.
Result<PkeyPtr> parse_private_key(std::string_view pem);

// LF line ends, nothing before BEGIN or after END. Fail with kIo.
Result<std::string> certificate_pem(X509& certificate);
Result<std::string> private_key_pem(EVP_PKEY& key);  // PKCS#8

}  // namespace nearhub::certs
