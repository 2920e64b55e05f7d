// An X.509 certificate as the hub looks at it: read once, immutable from then on.
//
// Reference: x509-and-boards.md A.2 to A.4. Names are read by their object identifiers and never from OpenSSL's one-line text, in which a slash of
// a name looks like the next attribute (G.5).
//
// THREAD: any thread; a certificate may be shared by all of them.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

struct x509_st;

namespace nearhub::auth {

enum class Digest { kSha1, kSha256 };
// 40 or 64 lower-case hex digits of the bytes' hash.
std::string hex_digest(std::string_view bytes, Digest digest);
std::string_view digest_text(Digest digest);  // "SHA-1"

class Certificate {
 public:
  // Exactly one DER certificate. Fails with kArgumentInvalid.
  static Result<Certificate> from_der(std::string_view der);
  // What people and tools upload: PEM with one certificate, whatever stands before BEGIN and behind END (the source documents' own script leaves
  // the word "null" there); or the base64 of such a text, or of DER. Fails with kArgumentInvalid and a sentence; a private key in the text is
  // refused too, because it was not meant to leave its owner.
  static Result<Certificate> from_text(std::string_view text);

  x509_st* get() const { return certificate_.get(); }
  std::string der() const;
  std::string pem() const;

  std::string subject() const;  // "CN=d1, O=Contoso", the most specific first; "no subject" when it is empty
  std::string issuer() const;
  // All common names of the subject, in its order, as UTF-8; the last is the one that counts. They may hold anything, a NUL too.
  std::vector<std::string> common_names() const;
  // DNS names of the subjectAltName, for hints only.
  std::vector<std::string> alternative_names() const;

  WallTime not_before() const { return not_before_; }
  WallTime not_after() const { return not_after_; }
  // The first and the last second belong to it.
  bool is_valid_at(WallTime now) const { return not_before_ <= now && now < not_after_ + std::chrono::seconds{1}; }

  std::string thumbprint(Digest digest) const;  // of the whole DER certificate
  // May sign certificates: basicConstraints CA:TRUE, or a self-signed root of version 1.
  bool may_sign() const;
  // basicConstraints CA:TRUE, or a key usage that only an authority has.
  bool claims_authority() const;
  // The issuer has the subject's own name. What is self-signed is.
  bool is_self_issued() const;
  // The names fit and the signature verifies with the issuer's key. Of the issuer nothing but these two is looked at.
  bool is_signed_by(const Certificate& issuer) const;
  // An extended key usage that is there allows client authentication (A.3).
  bool allows_client_authentication() const;
  std::string extended_key_usage() const;  // "TLS Web Server Authentication, ..."

  // Keys and signatures too weak to be trusted (A.4): RSA below 2048 bits, others below as many bits of security; SHA-1 and MD5. nullopt: strong
  // enough. "an RSA key of 1024 bits", "a signature with SHA1".
  std::optional<std::string> weak_key() const;
  std::optional<std::string> weak_signature() const;

 private:
  struct Free {
    void operator()(x509_st* certificate) const;
  };
  explicit Certificate(x509_st* certificate) : certificate_(certificate) {}
  static Result<Certificate> take(x509_st* certificate);

  std::unique_ptr<x509_st, Free> certificate_;
  WallTime not_before_{};
  WallTime not_after_{};
};

}  // namespace nearhub::auth
