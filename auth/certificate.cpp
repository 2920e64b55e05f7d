#include "auth/certificate.h"

#include <fmt/core.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <climits>
#include <ctime>

#include "base/base64.h"
#include "base/check.h"
#include "base/text.h"

namespace nearhub::auth {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMinSecurityBits = 112;  // what RSA-2048 is worth (NIST SP 800-57)

struct BioFree {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioFree>;

// SSL_get_error() reads the same queue: nothing of ours may stay in it.
struct ErrorQueueScope {
  ErrorQueueScope() { ERR_clear_error(); }
  ~ErrorQueueScope() { ERR_clear_error(); }
};

std::string contents_of(BIO& memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(&memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string name_text(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  // RFC 2253 with a space behind the comma, as .NET shows names; UTF-8 stays readable.
  constexpr unsigned long kFlags = (XN_FLAG_RFC2253 & ~static_cast<unsigned long>(XN_FLAG_SEP_MASK) & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB)) | XN_FLAG_SEP_CPLUS_SPC;
  if (bio == nullptr || X509_NAME_entry_count(name) == 0 || X509_NAME_print_ex(bio.get(), name, 0, kFlags) < 0) return "no subject";
  return contents_of(*bio);
}

std::optional<WallTime> wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{parts.tm_year + 1900}, std::chrono::month{static_cast<unsigned>(parts.tm_mon + 1)},
                                         std::chrono::day{static_cast<unsigned>(parts.tm_mday)}};
  return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{parts.tm_hour} + std::chrono::minutes{parts.tm_min} + std::chrono::seconds{parts.tm_sec};
}

std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; at += what.size()) ++count;
  return count;
}

}  // namespace

std::string hex_digest(std::string_view bytes, Digest digest) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  NEARHUB_CHECK(EVP_Digest(bytes.data(), bytes.size(), hash, &size, digest == Digest::kSha1 ? EVP_sha1() : EVP_sha256(), nullptr) == 1);
  return to_hex({reinterpret_cast<const char*>(hash), size});
}

std::string_view digest_text(Digest digest) { return digest == Digest::kSha1 ? "SHA-1" : "SHA-256"; }

void Certificate::Free::operator()(x509_st* certificate) const { X509_free(certificate); }

Result<Certificate> Certificate::take(x509_st* raw) {
  Certificate certificate(raw);
  if (raw == nullptr) return invalid_argument("it is no X.509 certificate");
  const auto first = wall_time(X509_get0_notBefore(raw)), last = wall_time(X509_get0_notAfter(raw));
  if (!first || !last) return invalid_argument("its validity cannot be read");
  certificate.not_before_ = *first;
  certificate.not_after_ = *last;
  // Reads the extensions now: nobody who shares the certificate later has to wait for another who does.
  static_cast<void>(X509_check_purpose(raw, -1, 0));
  return certificate;
}

Result<Certificate> Certificate::from_der(std::string_view der) {
  const ErrorQueueScope scope;
  if (der.empty() || der.size() > INT_MAX) return invalid_argument("it is no X.509 certificate");
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = bytes + der.size();
  auto certificate = take(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
  if (certificate.ok() && bytes != end) return invalid_argument(fmt::format("{} bytes follow the certificate", end - bytes));
  return certificate;
}

Result<Certificate> Certificate::from_text(std::string_view text) {
  const ErrorQueueScope scope;
  constexpr std::string_view kBegin = "-----BEGIN ";
  std::string decoded;
  if (text.find(kBegin) == std::string_view::npos) {
    std::string compact;
    for (const char c : text) {
      if (c != '\n' && c != '\r' && c != ' ') compact += c;
    }
    auto bytes = base64_decode(compact);
    if (!bytes || bytes->empty()) return invalid_argument("it is neither PEM (-----BEGIN CERTIFICATE-----) nor base64");
    decoded = std::move(*bytes);
    if (decoded.find(kBegin) == std::string::npos) return from_der(decoded);
    text = decoded;
  }
  if (text.find("PRIVATE KEY-----") != std::string_view::npos) return invalid_argument("it holds a private key, which must stay with its owner: give the certificate alone");
  if (count_of(text, "-----BEGIN CERTIFICATE REQUEST-----") > 0) return invalid_argument("it is a signing request; expected the certificate made from it");
  if (const std::size_t certificates = count_of(text, "-----BEGIN CERTIFICATE-----"); certificates > 1) {
    return invalid_argument(fmt::format("it holds {} certificates; give one", certificates));
  }
  const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(std::min<std::size_t>(text.size(), INT_MAX))));
  return take(bio == nullptr ? nullptr : PEM_read_bio_X509(bio.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr));
}

std::string Certificate::der() const {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(get(), &bytes);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

std::string Certificate::pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_X509(bio.get(), get()) != 1) return {};
  return contents_of(*bio);
}

std::string Certificate::subject() const { return name_text(X509_get_subject_name(get())); }

std::string Certificate::issuer() const { return name_text(X509_get_issuer_name(get())); }

std::vector<std::string> Certificate::common_names() const {
  const ErrorQueueScope scope;
  std::vector<std::string> names;
  const X509_NAME* subject = X509_get_subject_name(get());
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) {
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    // One that cannot be converted is nobody's name, and still the one that counts when it is the last.
    names.emplace_back(size < 0 ? std::string() : std::string(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size)));
    if (size >= 0) OPENSSL_free(utf8);
  }
  return names;
}

std::vector<std::string> Certificate::alternative_names() const {
  const ErrorQueueScope scope;
  std::vector<std::string> found;
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(get(), NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names); ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type));
    if (type == GEN_DNS) found.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)), static_cast<std::size_t>(ASN1_STRING_length(value)));
  }
  GENERAL_NAMES_free(names);
  return found;
}

std::string Certificate::thumbprint(Digest digest) const { return hex_digest(der(), digest); }

bool Certificate::may_sign() const { return X509_check_ca(get()) != 0; }

bool Certificate::claims_authority() const {
  const int kind = X509_check_ca(get());
  return kind == 1 || kind == 4;  // basicConstraints, or keyCertSign without them; 3 is any self-signed certificate of version 1
}

bool Certificate::is_self_issued() const { return X509_NAME_cmp(X509_get_subject_name(get()), X509_get_issuer_name(get())) == 0; }

bool Certificate::is_signed_by(const Certificate& issuer) const {
  const ErrorQueueScope scope;
  EVP_PKEY* key = X509_get0_pubkey(issuer.get());
  return key != nullptr && X509_NAME_cmp(X509_get_issuer_name(get()), X509_get_subject_name(issuer.get())) == 0 && X509_verify(get(), key) == 1;
}

bool Certificate::allows_client_authentication() const {
  if ((X509_get_extension_flags(get()) & EXFLAG_XKUSAGE) == 0) return true;
  return (X509_get_extended_key_usage(get()) & (XKU_SSL_CLIENT | XKU_ANYEKU)) != 0;
}

std::string Certificate::extended_key_usage() const {
  const ErrorQueueScope scope;
  std::string text;
  auto* usages = static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(get(), NID_ext_key_usage, nullptr, nullptr));
  for (int i = 0; usages != nullptr && i < sk_ASN1_OBJECT_num(usages); ++i) {
    char name[80];
    OBJ_obj2txt(name, sizeof name, sk_ASN1_OBJECT_value(usages, i), 0);
    text += (text.empty() ? "" : ", ") + std::string(name);
  }
  EXTENDED_KEY_USAGE_free(usages);
  return text;
}

std::optional<std::string> Certificate::weak_key() const {
  const ErrorQueueScope scope;
  EVP_PKEY* key = X509_get0_pubkey(get());
  if (key == nullptr) return "a public key that cannot be read";
  const int type = EVP_PKEY_base_id(key);
  if (type == EVP_PKEY_RSA || type == EVP_PKEY_RSA_PSS) {
    if (EVP_PKEY_bits(key) >= kMinRsaBits) return std::nullopt;
    return fmt::format("an RSA key of {} bits", EVP_PKEY_bits(key));
  }
  if (EVP_PKEY_security_bits(key) >= kMinSecurityBits) return std::nullopt;
  const char* name = EVP_PKEY_get0_type_name(key);
  return fmt::format("a key of type {} with {} bits", name == nullptr ? "unknown" : name, EVP_PKEY_bits(key));
}

std::optional<std::string> Certificate::weak_signature() const {
  const ErrorQueueScope scope;
  int digest = NID_undef, key = NID_undef, security_bits = -1;
  std::uint32_t flags = 0;
  if (X509_get_signature_info(get(), &digest, &key, &security_bits, &flags) == 1 && security_bits >= kMinSecurityBits) return std::nullopt;
  if (digest != NID_undef) return fmt::format("a signature with {}", OBJ_nid2sn(digest));
  return fmt::format("a signature of an unknown kind ({})", OBJ_nid2sn(X509_get_signature_nid(get())));
}

}  // namespace nearhub::auth
