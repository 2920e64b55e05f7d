// The folder that a hub lives in: its database, its certificate authority, its server certificates, and the note by which command-line clients on
// the same machine find it.
//
//   nearhub.db          everything (store/)
//   ca.pem, ca.key      the certificate authority: clients get ca.pem
//   server-rsa.pem ...  what the listeners show; made anew when names change or the end is near
//   hub.json            where the hub listens and the service connection string, for `nearhub` clients (mode 0600)
//   lock                held while a hub runs here
//
// In memory the folder is a temporary one with ca.pem and hub.json alone, removed at the end.
//
// THREAD: start-up and shutdown only.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/timer_queue.h"
#include "base/unique_function.h"
#include "broker/config.h"
#include "wire/net/tls_context.h"

namespace nearhub::broker {

class DataFolder {
 public:
  // Makes the folder if it is missing and locks it. Fails with kInvalidSetting when another hub runs in it, with kIo when it cannot be used.
  static Result<DataFolder> open(const Config& config);
  DataFolder(DataFolder&& other) noexcept;
  DataFolder& operator=(DataFolder&&) = delete;
  ~DataFolder();

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
  std::string ca_file() const { return file("ca.pem"); }

  // The server certificates for these names; keeps what is still good. The authority is made once and kept for good.
  Result<std::vector<net::CertificateAndKey>> certificates(const Config& config, const std::vector<std::string>& names, WallTime now, Random& random);

  Status write_hub_file(std::string_view json);
  void remove_hub_file();

 private:
  DataFolder(std::string path, int lock, bool temporary) : path_(std::move(path)), lock_(lock), temporary_(temporary) {}
  std::string path_;
  int lock_;
  bool temporary_;
};

// $NEARHUB_DATA, or ~/.local/share/nearhub (by the XDG rules).
std::string default_data_folder();

// Whole or not at all: written beside the target, synced, and renamed.
Status write_file(const std::string& path, std::string_view content, unsigned mode);
Result<std::string> read_file(const std::string& path);

bool is_named_pipe(const std::string& path);

// Writes a text into a named pipe as soon as somebody reads from it. Until then it looks again from time to time, because a loop must not wait;
// destroyed before, it gives up.
//
// THREAD: the loop of the timers.
class PipeWriter {
 public:
  PipeWriter(TimerQueue& timers, std::string path, std::string content, UniqueFunction<void(const Error&)> on_failure);
  ~PipeWriter();
  PipeWriter(const PipeWriter&) = delete;
  PipeWriter& operator=(const PipeWriter&) = delete;

 private:
  void write();
  void close();

  TimerQueue& timers_;
  const std::string path_;
  const std::string content_;
  UniqueFunction<void(const Error&)> on_failure_;
  std::size_t written_ = 0;
  int pipe_ = -1;
  Timer retry_;
};

}  // namespace nearhub::broker
