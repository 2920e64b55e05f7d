#include "certs/issue.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "base/text.h"
#include "certs/openssl_error.h"

namespace nearhub::certs {
namespace {

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

bool set_serial_number(X509& certificate, Random& random) {
  std::array<unsigned char, 16> serial;
  random.fill(serial.data(), serial.size());
  // Positive (RFC 5280), and always sixteen bytes long, so that a certificate's size does not depend on chance.
  serial[0] = static_cast<unsigned char>((serial[0] & 0x7F) | 0x40);
  const BignumPtr number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  if (number == nullptr) return false;
  const Asn1IntegerPtr integer(BN_to_ASN1_INTEGER(number.get(), nullptr));
  return integer != nullptr && X509_set_serialNumber(&certificate, integer.get()) == 1;
}

bool set_validity(X509& certificate, WallTime not_before, WallTime not_after) {
  const Asn1TimePtr first(ASN1_TIME_set(nullptr, static_cast<std::time_t>(unix_seconds(not_before))));
  const Asn1TimePtr last(ASN1_TIME_set(nullptr, static_cast<std::time_t>(unix_seconds(not_after))));
  return first != nullptr && last != nullptr && X509_set1_notBefore(&certificate, first.get()) == 1 &&
         X509_set1_notAfter(&certificate, last.get()) == 1;
}

bool set_names(X509& certificate, std::string_view common_name, const Issuer* issuer) {
  X509_NAME* subject = X509_get_subject_name(&certificate);
  if (X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, bytes_of(common_name),
                                 static_cast<int>(common_name.size()), -1, 0) != 1) {
    return false;
  }
  return X509_set_issuer_name(&certificate,
                              issuer == nullptr ? subject : X509_get_subject_name(&issuer->certificate)) == 1;
}

bool add_extension(X509& certificate, X509V3_CTX& context, int nid, const char* value) {
  const X509ExtensionPtr extension(X509V3_EXT_nconf_nid(nullptr, &context, nid, value));
  return extension != nullptr && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

bool add_alternative_name(GENERAL_NAMES& names, int type, std::string_view value) {
  Asn1StringPtr string(ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING));
  GeneralNamePtr name(GENERAL_NAME_new());
  if (string == nullptr || name == nullptr ||
      ASN1_STRING_set(string.get(), value.data(), static_cast<int>(value.size())) != 1) {
    return false;
  }
  GENERAL_NAME_set0_value(name.get(), type, string.release());
  if (sk_GENERAL_NAME_push(&names, name.get()) <= 0) return false;
  static_cast<void>(name.release());
  return true;
}

// Every name once: DNS entries for all (some embedded stacks compare addresses as text), IP entries for addresses.
bool add_alternative_names(X509& certificate, const std::vector<HostName>& hosts) {
  const GeneralNamesPtr names(GENERAL_NAMES_new());
  if (names == nullptr) return false;
  for (auto host = hosts.begin(); host != hosts.end(); ++host) {
    const bool new_text =
        std::none_of(hosts.begin(), host, [&](const HostName& h) { return equals_ignoring_case(h.text, host->text); });
    if (new_text && !add_alternative_name(*names, GEN_DNS, host->text)) return false;
    if (host->ip_bytes.empty()) continue;
    const bool new_address =
        std::none_of(hosts.begin(), host, [&](const HostName& h) { return h.ip_bytes == host->ip_bytes; });
    if (new_address && !add_alternative_name(*names, GEN_IPADD, host->ip_bytes)) return false;
  }
  return X509_add1_ext_i2d(&certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

bool add_extensions(X509& certificate, const Profile& profile, const Subject& subject, const Issuer* issuer) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer == nullptr ? &certificate : &issuer->certificate, &certificate, nullptr, nullptr, 0);
  // A root that a user brought may have no identifier to refer to.
  const bool issuer_has_id = issuer == nullptr || X509_get0_subject_key_id(&issuer->certificate) != nullptr;
  // The authority's identifier follows the subject's, which is its source when the certificate is self-signed.
  return add_extension(certificate, context, NID_basic_constraints, profile.basic_constraints) &&
         add_extension(certificate, context, NID_key_usage, profile.key_usage) &&
         (profile.extended_key_usage == nullptr ||
          add_extension(certificate, context, NID_ext_key_usage, profile.extended_key_usage)) &&
         add_extension(certificate, context, NID_subject_key_identifier, "hash") &&
         (!issuer_has_id || add_extension(certificate, context, NID_authority_key_identifier, "keyid:always")) &&
         (subject.names.empty() || add_alternative_names(certificate, subject.names));
}

}  // namespace

Result<X509Ptr> issue(const Profile& profile, const Subject& subject, EVP_PKEY& key, const Issuer* issuer,
                      Random& random) {
  X509Ptr certificate(X509_new());
  if (certificate == nullptr || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      !set_serial_number(*certificate, random) || !set_validity(*certificate, subject.not_before, subject.not_after) ||
      !set_names(*certificate, subject.common_name, issuer) || X509_set_pubkey(certificate.get(), &key) != 1 ||
      !add_extensions(*certificate, profile, subject, issuer)) {
    return openssl_error(ErrorCode::kIo, "cannot build the certificate");
  }
  if (X509_sign(certificate.get(), issuer == nullptr ? &key : &issuer->key, EVP_sha256()) == 0) {
    return openssl_error(ErrorCode::kIo, "cannot sign the certificate");
  }
  return certificate;
}

}  // namespace nearhub::certs
