// `nearhub cert ...`: keys, certificates and chains for devices, modules and the authorities above them. Needs no hub.
//
// THREAD: one at a time.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "tools/certificate_files.h"
#include "tools/console.h"

namespace nearhub::tools {

enum class CertificateKind : std::uint8_t { kRoot, kIntermediate, kDevice, kModule, kVerification, kServer };

inline constexpr std::int64_t kRootDays = 3650, kIntermediateDays = 1825, kLeafDays = 365, kVerificationDays = 30;

struct CertificateOrder {
  CertificateKind kind = CertificateKind::kDevice;
  std::vector<std::string> names;  // of a server its names, else one: common name, id, or verification code
  std::string authority;           // as find_authority() takes it; empty: self-signed
  std::string authority_key;
  std::string folder = ".";
  std::string file_name;  // empty: made of the name
  int rsa_bits = 0;       // 0: EC P-256
  std::int64_t days = 0;  // 0: that of its kind
  bool force = false;
};

// Fails with kInvalidSetting for bits that no key has here.
Result<certs::KeyType> key_type(int rsa_bits);

// The certificate alone, without a file.
Result<certs::Credential> make_credential(const CertificateOrder& order, const certs::Credential* authority, WallTime now, Random& random);

// Makes it, writes its files and says what is where and what to do next.
Status make_certificate(const CertificateOrder& order, const Clock& clock, Random& random, Console& console);

// The common name of an identity's certificate: its id, "device/module". One that only its thumbprint is looked at for
// may be cut to what a certificate takes.
std::string common_name_for(std::string_view id, bool may_be_cut);

// The name by which a hub knows an authority: letters, digits and - . _, at most 64 (reference/x509-and-boards.md A.6).
std::string authority_name(std::string_view name);

// "d1_cert.pem  certificate of d1, EC P-256, valid until ...": the lines about what was made.
Result<std::string> made_certificate_text(const CertificateFiles& files, const certs::Credential& credential);

}  // namespace nearhub::tools
