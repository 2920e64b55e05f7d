#include "broker/data_folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "broker/well_known.h"
#include "certs/authority.h"

namespace nearhub::broker {
namespace {

// A leaf with fewer days left is made anew at the next start.
constexpr std::int64_t kSpareDays = 30;
// How often to look for the reader of a named pipe.
constexpr std::chrono::milliseconds kPipeRetryTime{50};

Error io_error(std::string_view what, const std::string& path) { return {ErrorCode::kIo, fmt::format("{} {}: {}", what, path, std::strerror(errno))}; }

Status write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("cannot write", path);
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

struct LeafFiles {
  certs::KeyType type;
  const char* certificate;
  const char* key;
  const char* well_known_key;
};
const LeafFiles kRsaLeaf = {certs::KeyType::kRsa2048, "server-rsa.pem", "server-rsa.key", kWellKnownServerRsaKey};
const LeafFiles kEcLeaf = {certs::KeyType::kEcP256, "server-ec.pem", "server-ec.key", kWellKnownServerEcKey};

}  // namespace

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return io_error("cannot read", path);
  std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return io_error("cannot read", path);
  return content;
}

Status write_file(const std::string& path, std::string_view content, unsigned mode) {
  const std::string beside = path + ".new";
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, static_cast<mode_t>(mode));
  if (fd < 0) return io_error("cannot create", beside);
  Status status = write_all(fd, content, beside);
  // The mode of a file left over from a crash is not ours.
  if (status.ok() && (::fchmod(fd, static_cast<mode_t>(mode)) != 0 || ::fsync(fd) != 0)) status = io_error("cannot write", beside);
  ::close(fd);
  if (status.ok() && ::rename(beside.c_str(), path.c_str()) != 0) status = io_error("cannot rename to", path);
  if (!status.ok()) ::unlink(beside.c_str());
  return status;
}

bool is_named_pipe(const std::string& path) {
  struct stat existing {};
  return ::stat(path.c_str(), &existing) == 0 && S_ISFIFO(existing.st_mode);
}

PipeWriter::PipeWriter(TimerQueue& timers, std::string path, std::string content, UniqueFunction<void(const Error&)> on_failure)
    : timers_(timers), path_(std::move(path)), content_(std::move(content)), on_failure_(std::move(on_failure)), retry_(timers, [this] { write(); }) {
  write();
}

PipeWriter::~PipeWriter() { close(); }

void PipeWriter::close() {
  if (pipe_ >= 0) ::close(std::exchange(pipe_, -1));
}

void PipeWriter::write() {
  const auto try_again = [this] { retry_.start_at(timers_.now() + kPipeRetryTime); };
  if (pipe_ < 0) pipe_ = ::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (pipe_ < 0) return errno == ENXIO ? try_again() : on_failure_(io_error("cannot open", path_));
  while (written_ < content_.size()) {
    const ssize_t n = ::write(pipe_, content_.data() + written_, content_.size() - written_);
    if (n >= 0) {
      written_ += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN) {
      return try_again();
    } else if (errno == EPIPE) {
      // The reader has left; the next one gets it all.
      close();
      written_ = 0;
      return try_again();
    } else if (errno != EINTR) {
      return on_failure_(io_error("cannot write", path_));
    }
  }
  close();
}

std::string default_data_folder() {
  if (const char* data = std::getenv("NEARHUB_DATA"); data != nullptr && *data != '\0') return data;
  if (const char* xdg = std::getenv("XDG_DATA_HOME"); xdg != nullptr && *xdg == '/') return std::string(xdg) + "/nearhub";
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr && *home != '\0' ? home : ".") + "/.local/share/nearhub";
}

Result<DataFolder> DataFolder::open(const Config& config) {
  if (config.in_memory) {
    const char* base = std::getenv("TMPDIR");
    std::string pattern = std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/nearhub-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) return io_error("cannot make", pattern);
    return DataFolder(pattern, -1, true);
  }
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::absolute(config.data_folder, error);
  const bool existed = std::filesystem::exists(folder, error);
  std::filesystem::create_directories(folder, error);
  if (error) return Error{ErrorCode::kIo, fmt::format("cannot make the data folder {}: {}", folder.string(), error.message())};
  // It holds keys. A folder that somebody made with other rights keeps them.
  if (!existed) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);

  const std::string lock_file = (folder / "lock").string();
  const int lock = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return io_error("cannot open", lock_file);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return Error{ErrorCode::kInvalidSetting, fmt::format("another nearhub runs in {}; stop it, or give another --data folder", folder.string())};
  }
  return DataFolder(folder.string(), lock, false);
}

DataFolder::DataFolder(DataFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)), temporary_(std::exchange(other.temporary_, false)) {}

DataFolder::~DataFolder() {
  if (temporary_) {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  if (lock_ >= 0) ::close(lock_);
}

Result<std::vector<net::CertificateAndKey>> DataFolder::certificates(const Config& config, const std::vector<std::string>& names, WallTime now,
                                                                     Random& random) {
  certs::KeyPair root;
  const std::string ca_key_file = file("ca.key");
  if (config.well_known_keys) {
    root = {kWellKnownCaCertificate, kWellKnownCaKey};
    if (Status written = write_file(ca_file(), root.certificate_pem, 0644); !written.ok()) return written.error();
  } else if (!temporary_ && std::filesystem::exists(ca_file())) {
    auto certificate = read_file(ca_file());
    if (!certificate.ok()) return std::move(certificate).error();
    auto key = read_file(ca_key_file);
    if (!key.ok()) return std::move(key).error();
    root = {std::move(*certificate), std::move(*key)};
    if (root.certificate_pem == kWellKnownCaCertificate) {
      return Error{ErrorCode::kInvalidSetting, path_ + " was made with --well-known-keys: give that flag again, or another --data folder"};
    }
  } else {
    auto made = certs::make_root("nearhub root " + random.hex(2), now, random);
    if (!made.ok()) return std::move(made).error();
    root = std::move(*made);
    // The key first: a certificate without its key would be of no use at the next start.
    if (!temporary_) {
      if (Status written = write_file(ca_key_file, root.key_pem, 0600); !written.ok()) return written.error();
    }
    if (Status written = write_file(ca_file(), root.certificate_pem, 0644); !written.ok()) return written.error();
    log::info("certs", "made a certificate authority file={}", ca_file());
  }

  std::vector<net::CertificateAndKey> leaves;
  for (const LeafFiles& files : {kRsaLeaf, kEcLeaf}) {
    if (config.server_key == ServerKey::kRsa && files.type != certs::KeyType::kRsa2048) continue;
    if (config.server_key == ServerKey::kEc && files.type != certs::KeyType::kEcP256) continue;
    auto kept_certificate = read_file(file(files.certificate));
    auto kept_key = read_file(file(files.key));
    if (kept_certificate.ok() && kept_key.ok() && certs::serves({*kept_certificate, *kept_key}, root, names, now, kSpareDays)) {
      leaves.push_back({std::move(*kept_certificate), std::move(*kept_key)});
      continue;
    }
    auto leaf = config.well_known_keys ? certs::make_server_leaf_for_key(root, names, files.well_known_key, now, random)
                                       : certs::make_server_leaf(root, names, files.type, now, random);
    if (!leaf.ok()) return std::move(leaf).error();
    if (!temporary_) {
      if (Status written = write_file(file(files.key), leaf->key_pem, 0600); !written.ok()) return written.error();
      if (Status written = write_file(file(files.certificate), leaf->certificate_pem, 0644); !written.ok()) return written.error();
      log::info("certs", "made a server certificate file={}", file(files.certificate));
    }
    leaves.push_back({std::move(leaf->certificate_pem), std::move(leaf->key_pem)});
  }
  return leaves;
}

Status DataFolder::write_hub_file(std::string_view json) { return write_file(file("hub.json"), json, 0600); }

void DataFolder::remove_hub_file() { ::unlink(file("hub.json").c_str()); }

}  // namespace nearhub::broker
