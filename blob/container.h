// A container of blobs: where import and export jobs read and write (reference/service-rest.md 5.8).
//
//   https://account.blob.core.windows.net/container?sv=...&sig=...   Azure storage, or Azurite, by a SAS URI
//   file:///NAME[/NAME...]                                          a folder below the hub's own folder for blobs
//
// Errors name the container without the query of its URI, which is a secret.
//
// THREAD: calls wait for the network or the disk: for a thread that may. One thread at a time.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nearhub::blob {

// What is read or sent at a time; with it a blob of 50,000 blocks, Azure's most, has 200 GB.
inline constexpr std::size_t kBlockBytes = 4 * 1024 * 1024;
// How long a request may stand still, and a container be tried at a job's creation, while its client waits.
inline constexpr long kStallSeconds = 60;
inline constexpr long kProbeSeconds = 20;
inline constexpr std::size_t kMaxUriBytes = 4096;

struct Settings {
  std::string folder;   // that file:// URIs are below
  std::string ca_file;  // of https:// URIs; empty: the system's
};

class Reader {
 public:
  virtual ~Reader() = default;
  virtual std::uint64_t size() const = 0;
  // The next bytes, at most kBlockBytes; empty at the end.
  virtual Result<std::string> read() = 0;
};

class Writer {
 public:
  virtual ~Writer() = default;
  virtual Status write(std::string_view bytes) = 0;
  // The blob is there when this succeeds, and as it was before when the writer is destroyed without it.
  virtual Status finish() = 0;
};

class Container {
 public:
  virtual ~Container() = default;
  // Whether blobs can be written and deleted here, by doing so: kBlobContainerValidationError when not.
  virtual Status probe_write() = 0;
  // Fails with kBlobContainerValidationError when there is no such blob or it cannot be read.
  virtual Result<std::unique_ptr<Reader>> open(const std::string& name) = 0;
  virtual Result<std::unique_ptr<Writer>> create(const std::string& name) = 0;
};

// Fails with kBlobContainerValidationError for what is no URI of a container. `cancelled` ends what waits, with kCancelled; it outlives the container.
Result<std::unique_ptr<Container>> open_container(const std::string& uri, const Settings& settings, const std::atomic<bool>& cancelled);

// Letters, digits, '.', '_' and '-', not "." or "..": what is safe as a name on every disk. Fails with kBlobContainerValidationError.
Status check_blob_name(std::string_view name);

// The two kinds. `path`: decoded, without the leading slash.
Result<std::unique_ptr<Container>> open_folder(std::string_view path, const Settings& settings);
Result<std::unique_ptr<Container>> open_azure(std::string_view uri, const Settings& settings, const std::atomic<bool>& cancelled);

}  // namespace nearhub::blob
