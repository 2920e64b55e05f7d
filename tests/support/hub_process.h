// The real binary as a process of its own: for crashes, signals, and what a user sees.
//
// THREAD: one at a time. Failures stop the test case.
#pragma once
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/tls_client.h"

namespace nearhub::test {

// A folder of its own under the build's temporary folder; removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct ProcessResult {
  int exit_code = -1;  // 128 + signal when it was killed
  std::string out;
  std::string error;
};

// Runs the binary to its end.
ProcessResult run_nearhub(const std::vector<std::string>& arguments);

class HubProcess {
 public:
  // kUsual: on free loopback ports with well-known keys. kExact: only what the test says, and a ready file.
  enum class Flags { kUsual, kExact };
  // `nearhub serve` with these flags; waits until it is ready.
  explicit HubProcess(std::vector<std::string> flags, Flags which = Flags::kUsual);
  ~HubProcess();  // killed if it still runs
  HubProcess(const HubProcess&) = delete;
  HubProcess& operator=(const HubProcess&) = delete;

  std::uint16_t mqtts() const { return mqtts_; }
  std::uint16_t https() const { return https_; }
  const std::string& ready_json() const { return ready_; }
  TlsOptions tls() const;
  pid_t pid() const { return pid_; }

  void send_signal(int number);
  // Waits for the end; its exit code, or 128 + the signal that ended it.
  int wait();
  // kill -9, at once.
  void kill_hard();
  // What it wrote to standard error so far.
  std::string log() const;
  // Waits until that has this in it.
  void wait_for_log(std::string_view text);

 private:
  TemporaryFolder folder_;
  pid_t pid_ = -1;
  std::string ready_;
  std::string ca_pem_;
  std::uint16_t mqtts_ = 0;
  std::uint16_t https_ = 0;
};

}  // namespace nearhub::test
