#include "tools/certificate_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "broker/data_folder.h"
#include "tools/terminal_text.h"

namespace nearhub::tools {
namespace {

constexpr std::string_view kCertificateEnding = "_cert.pem", kKeyEnding = "_key.pem", kChainEnding = "_fullchain.pem";
constexpr unsigned kPublicMode = 0644, kSecretMode = 0600;

bool exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

// A file that a person named: whatever is wrong with it is a wrong argument.
Result<std::string> read_named_file(const std::string& path) {
  auto content = broker::read_file(path);
  if (!content.ok()) return invalid_setting(content.error().detail);
  return content;
}

}  // namespace

CertificateFiles certificate_files(std::string_view folder, std::string_view name) {
  std::string path(name);
  if (name.find('/') == std::string_view::npos && !folder.empty() && folder != ".") path = fmt::format("{}/{}", folder, name);
  return {path + std::string(kCertificateEnding), path + std::string(kKeyEnding), path + std::string(kChainEnding)};
}

std::string file_name_for(std::string_view common_name) {
  std::string name(common_name);
  std::replace(name.begin(), name.end(), '/', '.');
  return name;
}

Status check_certificate_files(const CertificateFiles& files, bool force) {
  if (force) return {};
  for (const std::string* path : {&files.key, &files.certificate, &files.chain}) {
    if (exists(*path)) return invalid_setting(fmt::format("{} exists and stays as it is; --force replaces it", terminal_text(*path)));
  }
  return {};
}

Status write_certificate_files(const CertificateFiles& files, const certs::Credential& credential, bool force) {
  if (const Status free = check_certificate_files(files, force); !free.ok()) return free;
  if (const auto folder = std::filesystem::path(files.key).parent_path(); !folder.empty()) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return Error{ErrorCode::kIo, fmt::format("cannot make the folder {}: {}", terminal_text(folder.string()), error.message())};
  }
  // The key first: a certificate without its key is of no use.
  if (const Status s = broker::write_file(files.key, credential.pair.key_pem, kSecretMode); !s.ok()) return s;
  if (const Status s = broker::write_file(files.certificate, credential.pair.certificate_pem, kPublicMode); !s.ok()) return s;
  return broker::write_file(files.chain, credential.chain_pem, kPublicMode);
}

KeptFiles keep_certificate_files(const CertificateFiles& files) {
  const auto content_of = [](const std::string& path) {
    auto content = broker::read_file(path);
    return content.ok() ? std::optional(std::move(*content)) : std::nullopt;
  };
  return {content_of(files.certificate), content_of(files.key), content_of(files.chain)};
}

Status put_back(const CertificateFiles& files, const KeptFiles& kept) {
  Status status;
  const auto put = [&status](const std::string& path, const std::optional<std::string>& content, unsigned mode) {
    std::error_code ignored;
    const Status done = content ? broker::write_file(path, *content, mode) : (std::filesystem::remove(path, ignored), Status());
    if (!done.ok()) status = done;
  };
  put(files.key, kept.key, kSecretMode);
  put(files.certificate, kept.certificate, kPublicMode);
  put(files.chain, kept.chain, kPublicMode);
  return status;
}

Result<certs::Credential> read_certificate_files(const CertificateFiles& files) {
  const auto certificate = read_named_file(files.certificate);
  if (!certificate.ok()) return certificate.error();
  const auto key = read_named_file(files.key);
  if (!key.ok()) return key.error();
  std::string chain;
  if (exists(files.chain)) {
    auto read = read_named_file(files.chain);
    if (!read.ok()) return read.error();
    chain = std::move(*read);
  }
  auto credential = certs::read_credential(*certificate, *key, chain);
  if (!credential.ok()) return invalid_setting(fmt::format("{}: {}", terminal_text(files.certificate), credential.error().detail));
  return credential;
}

Result<Authority> find_authority(const std::string& name, const std::string& key_file, const std::string& folder) {
  std::string_view base = name;
  for (const std::string_view ending : {kCertificateEnding, kChainEnding}) {
    if (base.size() > ending.size() && base.ends_with(ending)) {
      base.remove_suffix(ending.size());
      break;
    }
  }
  Authority authority;
  authority.name = base.substr(base.rfind('/') + 1);
  std::string looked_for;
  for (const std::string& where : {folder, std::string(".")}) {
    CertificateFiles files = certificate_files(where, base);
    if (!exists(files.certificate)) {
      if (looked_for.find(files.certificate) == std::string::npos) looked_for += (looked_for.empty() ? "" : ", ") + files.certificate;
      continue;
    }
    if (!key_file.empty()) files.key = key_file;
    auto read = read_certificate_files(files);
    if (!read.ok()) return read.error();
    authority.certificate_file = files.certificate;
    authority.credential = std::move(*read);
    return authority;
  }
  if (exists(name) && std::filesystem::is_regular_file(name)) {
    if (key_file.empty()) return invalid_setting(fmt::format("{}: where is its private key? --ca-key says it", terminal_text(name)));
    auto read = read_certificate_files({name, key_file, name});
    if (!read.ok()) return read.error();
    authority.name = std::filesystem::path(name).stem().string();
    authority.certificate_file = name;
    authority.credential = std::move(*read);
    return authority;
  }
  return invalid_setting(fmt::format("there is no certificate authority {}: looked for {}; `nearhub cert root {}` makes one", terminal_text(name),
                           terminal_text(looked_for), terminal_text(std::string(base))));
}

}  // namespace nearhub::tools
