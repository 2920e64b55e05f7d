// A container as a folder below the hub's folder for blobs. Every step of the path is opened without following links, so nothing outside is reached
// whatever stands there. Files are for the hub's user alone: they hold keys.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "base/text.h"
#include "blob/container.h"

namespace nearhub::blob {
namespace {

constexpr unsigned kFolderMode = 0700, kFileMode = 0600;

class File {
 public:
  explicit File(int fd = -1) : fd_(fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

Error failed(std::string_view what, std::string_view name) {
  return {ErrorCode::kBlobContainerValidationError, fmt::format("{} {}: {}", what, name, std::strerror(errno))};
}

class FolderReader final : public Reader {
 public:
  FolderReader(File file, std::uint64_t size, std::string name) : file_(std::move(file)), size_(size), name_(std::move(name)) {}
  std::uint64_t size() const override { return size_; }
  Result<std::string> read() override {
    std::string bytes(kBlockBytes, '\0');
    const ssize_t count = ::read(file_.fd(), bytes.data(), bytes.size());
    if (count < 0) return failed("reading", name_);
    bytes.resize(static_cast<std::size_t>(count));
    return bytes;
  }

 private:
  File file_;
  std::uint64_t size_;
  std::string name_;
};

// Writes beside the target and renames at the end.
class FolderWriter final : public Writer {
 public:
  FolderWriter(File folder, File file, std::string name) : folder_(std::move(folder)), file_(std::move(file)), name_(std::move(name)) {}
  ~FolderWriter() override {
    if (!finished_) ::unlinkat(folder_.fd(), temporary().c_str(), 0);
  }
  static std::string temporary_of(const std::string& name) { return name + ".part"; }
  Status write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = ::write(file_.fd(), bytes.data(), bytes.size());
      if (count < 0) return failed("writing", name_);
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
  }
  Status finish() override {
    if (::fsync(file_.fd()) != 0) return failed("writing", name_);
    if (::renameat(folder_.fd(), temporary().c_str(), folder_.fd(), name_.c_str()) != 0) return failed("renaming", name_);
    finished_ = true;
    return {};
  }

 private:
  std::string temporary() const { return temporary_of(name_); }
  File folder_, file_;
  std::string name_;
  bool finished_ = false;
};

class FolderContainer final : public Container {
 public:
  FolderContainer(std::string root, std::vector<std::string> path) : root_(std::move(root)), path_(std::move(path)) {}

  Status probe_write() override {
    auto folder = open_here(true);
    if (!folder.ok()) return folder.error();
    const std::string name = ".nearhub-probe";
    const File file(::openat(folder->fd(), name.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kFileMode));
    if (!file.is_open()) return failed("writing into the folder", text());
    if (::unlinkat(folder->fd(), name.c_str(), 0) != 0) return failed("deleting in the folder", text());
    return {};
  }

  Result<std::unique_ptr<Reader>> open(const std::string& name) override {
    if (Status sound = check_blob_name(name); !sound.ok()) return sound.error();
    auto folder = open_here(false);
    if (!folder.ok()) return std::move(folder).error();
    // Not blocking: a named pipe that stands there must not hold up the job.
    File file(::openat(folder->fd(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (!file.is_open()) return failed("opening", name);
    struct stat facts {};
    if (::fstat(file.fd(), &facts) != 0) return failed("opening", name);
    if (!S_ISREG(facts.st_mode)) return Error{ErrorCode::kBlobContainerValidationError, name + " is no file"};
    return std::unique_ptr<Reader>(std::make_unique<FolderReader>(std::move(file), static_cast<std::uint64_t>(facts.st_size), name));
  }

  Result<std::unique_ptr<Writer>> create(const std::string& name) override {
    if (Status sound = check_blob_name(name); !sound.ok()) return sound.error();
    auto folder = open_here(true);
    if (!folder.ok()) return std::move(folder).error();
    const std::string temporary = FolderWriter::temporary_of(name);
    ::unlinkat(folder->fd(), temporary.c_str(), 0);  // of a job that was cut off
    File file(::openat(folder->fd(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
    if (!file.is_open()) return failed("writing", name);
    return std::unique_ptr<Writer>(std::make_unique<FolderWriter>(std::move(*folder), std::move(file), name));
  }

 private:
  Result<File> open_here(bool make) const {
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    if (make) ::mkdir(root_.c_str(), kFolderMode);
    File folder(::open(root_.c_str(), kFlags));
    for (const std::string& name : path_) {
      if (!folder.is_open()) break;
      if (make) ::mkdirat(folder.fd(), name.c_str(), kFolderMode);
      File next(::openat(folder.fd(), name.c_str(), kFlags));
      if (!next.is_open()) return failed("opening the folder", text());
      folder = std::move(next);
    }
    if (!folder.is_open()) return failed("opening the folder", text());
    return folder;
  }

  std::string text() const {
    std::string joined = "file://";
    for (const std::string& name : path_) joined.append("/").append(name);
    return joined;
  }

  const std::string root_;
  const std::vector<std::string> path_;
};

}  // namespace

Result<std::unique_ptr<Container>> open_folder(std::string_view path, const Settings& settings) {
  const auto invalid = [](std::string detail) { return Error{ErrorCode::kBlobContainerValidationError, std::move(detail)}; };
  if (settings.folder.empty()) return invalid("this hub has no folder for file:// containers");
  // The whole path, as a person sees it, is as good as the name below the folder.
  const std::string whole = "/" + std::string(path);
  if (whole.starts_with(settings.folder + "/")) path.remove_prefix(settings.folder.size());
  std::vector<std::string> names;
  while (!path.empty()) {
    const auto [name, rest] = split_once(path, '/');
    path = rest.value_or(std::string_view());
    if (name.empty() && path.empty()) break;  // a slash at the end
    if (Status sound = check_blob_name(name); !sound.ok()) return invalid("file:// URI: " + sound.error().detail);
    names.emplace_back(name);
  }
  if (names.empty()) return invalid("a file:// URI names a folder below " + settings.folder + ": file:///NAME");
  return std::unique_ptr<Container>(std::make_unique<FolderContainer>(settings.folder, std::move(names)));
}

}  // namespace nearhub::blob
