// What a registered thumbprint really is when it does not fit. Each guess is a mistake seen in the field; a guess that matches is proof.
#include <fmt/core.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "auth/certificate_authentication.h"
#include "auth/certificate_chain.h"
#include "auth/certificate_text.h"
#include "base/text.h"

namespace nearhub::auth {
namespace {

bool is_hash_of(std::string_view thumbprint, std::string_view bytes) {
  return !thumbprint.empty() && equals_ignoring_case(thumbprint, hex_digest(bytes, thumbprint.size() == 40 ? Digest::kSha1 : Digest::kSha256));
}

std::string public_key_der(const Certificate& certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &bytes);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

std::string with_crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

// What the leaf looks like in other forms.
std::string other_form(const Certificate& leaf, std::string_view slot, std::string_view thumbprint) {
  const std::string pem = leaf.pem();
  for (const std::string& text : {pem, pem.substr(0, pem.size() - 1), with_crlf(pem)}) {
    if (is_hash_of(thumbprint, text)) return fmt::format("the registered {} thumbprint is the hash of the PEM text: use `openssl x509 -fingerprint -noout`, which hashes the certificate", slot);
  }
  if (is_hash_of(thumbprint, public_key_der(leaf))) {
    return fmt::format("the registered {} thumbprint is the hash of the leaf's public key: use the hash of the whole certificate", slot);
  }
  if (const ASN1_OCTET_STRING* id = X509_get0_subject_key_id(leaf.get())) {
    const std::string_view bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(id)), static_cast<std::size_t>(ASN1_STRING_length(id)));
    if (equals_ignoring_case(thumbprint, to_hex(bytes))) {
      return fmt::format("the registered {} thumbprint is the leaf's subject key identifier: use the hash of the whole certificate", slot);
    }
  }
  return {};
}

// The leaf, registered elsewhere in the same device.
std::string other_identity(const DeviceQuestion& q, const std::string& leaf_der) {
  for (const Relative& relative : q.relatives) {
    if (*relative.identity == q.identity) continue;
    for (const std::string* thumbprint : {&relative.credentials->primary_thumbprint, &relative.credentials->secondary_thumbprint}) {
      if (is_hash_of(*thumbprint, leaf_der)) return fmt::format("this certificate is registered for {}: a device and its modules have thumbprints of their own", describe(*relative.identity));
    }
  }
  return {};
}

}  // namespace

std::string diagnose_thumbprint(const DeviceQuestion& q, const Certificate& leaf) {
  const std::vector<std::string>& presented = *q.presented.certificates;
  for (const auto& [slot, thumbprint] : {std::pair{"primary", &q.credentials.primary_thumbprint}, std::pair{"secondary", &q.credentials.secondary_thumbprint}}) {
    if (thumbprint->empty()) continue;
    for (std::size_t i = 1; i < presented.size(); ++i) {
      if (is_hash_of(*thumbprint, presented[i])) return fmt::format("the registered {} thumbprint is that of the issuer that was presented: register the leaf's", slot);
    }
    if (q.authorities != nullptr) {
      for (const Authority& authority : q.authorities->all()) {
        if (is_hash_of(*thumbprint, authority.certificate.der())) return fmt::format("the registered {} thumbprint is that of the CA {}: register the leaf's", slot, authority.name);
      }
    }
    if (std::string form = other_form(leaf, slot, *thumbprint); !form.empty()) return form;
  }
  if (std::string other = other_identity(q, presented.front()); !other.empty()) return other;
  if (q.authorities == nullptr || leaf.is_self_issued()) return {};
  std::vector<Certificate> intermediates;
  for (std::size_t i = 1; i < presented.size(); ++i) {
    if (auto certificate = Certificate::from_der(presented[i]); certificate.ok()) intermediates.push_back(std::move(*certificate));
  }
  const auto chain = verify_chain(leaf, intermediates, *q.authorities, q.now);
  if (const auto* authority = std::get_if<const Authority*>(&chain)) {
    return fmt::format("it chains to the registered CA {}: register the identity with type certificateAuthority to admit it by that", (*authority)->name);
  }
  return {};
}

}  // namespace nearhub::auth
