// The three files of a certificate, under the names that the scripts of the Azure SDKs give them: NAME_cert.pem,
// NAME_key.pem (0600), NAME_fullchain.pem.
//
// THREAD: one at a time.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "certs/credential.h"

namespace nearhub::tools {

struct CertificateFiles {
  std::string certificate, key, chain;  // paths
};
// `name` may be a path; `folder` is put before one that is not.
CertificateFiles certificate_files(std::string_view folder, std::string_view name);

// NAME for an identity: "d1", "d1.m1". For any text the slash becomes a dot: it cannot stand in a file's name.
std::string file_name_for(std::string_view common_name);

// Makes the folder if it is missing. A file that exists stays as it is, and the answer is kInvalidSetting, unless `force`.
Status write_certificate_files(const CertificateFiles& files, const certs::Credential& credential, bool force);
// Fails as the writing would, before anything is made.
Status check_certificate_files(const CertificateFiles& files, bool force);

// What stands there now, to be put back when what is written over it turns out to be of no use. A file that is not there is removed again.
struct KeptFiles {
  std::optional<std::string> certificate, key, chain;
};
KeptFiles keep_certificate_files(const CertificateFiles& files);
Status put_back(const CertificateFiles& files, const KeptFiles& kept);

// Those three; the chain may be missing. Fails with kInvalidSetting.
Result<certs::Credential> read_certificate_files(const CertificateFiles& files);

// The authority that a person names: NAME of files in `folder` or in the current one, the path of its certificate
// (NAME_cert.pem finds NAME_key.pem), or any certificate file with `key_file`. Fails with kInvalidSetting and says what
// was looked for.
struct Authority {
  std::string name;              // NAME, without a folder
  std::string certificate_file;
  certs::Credential credential;
};
Result<Authority> find_authority(const std::string& name, const std::string& key_file, const std::string& folder);

}  // namespace nearhub::tools
