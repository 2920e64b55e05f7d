// A server under measurement: a process of its own, if wished on a core of its own, with its CPU time and memory.
//
// THREAD: the main thread, while there is no other.
#pragma once
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace nearhub::bench {

using Core = std::optional<int>;  // none: the scheduler decides

// Moves with its owner; killed by its destructor, and by the kernel when this process dies.
class ServerProcess {
 public:
  // Runs `arguments[0]`; what it prints goes to `log_file`.
  static Result<ServerProcess> start(const std::vector<std::string>& arguments, const std::string& log_file, Core core);
  // Runs `body` in a copy of this process.
  static Result<ServerProcess> start(const std::function<void()>& body, Core core);
  ServerProcess(ServerProcess&& other) noexcept;
  ServerProcess& operator=(ServerProcess&&) = delete;
  ~ServerProcess();

  pid_t pid() const { return pid_; }
  bool running();
  bool ends_within(std::chrono::milliseconds patience);
  // Of all its threads, those that have ended included.
  std::chrono::nanoseconds cpu_time() const;
  std::size_t resident_bytes() const;
  // read(2), write(2) and their vectored forms so far; 0 where the kernel does not count them.
  std::uint64_t reads_and_writes() const;

  // Asks it to stop and waits for the end.
  void stop();

 private:
  explicit ServerProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

// And the threads that it starts from here on.
void pin_this_thread(int core);
// The load generator's: the last one, far from where servers begin.
int generator_core();

// As many open files as the hard limit allows.
void raise_file_limit();

// A folder of its own below `parent`, removed with all that is in it.
class WorkFolder {
 public:
  static Result<WorkFolder> make(const std::string& parent);
  WorkFolder(WorkFolder&& other) noexcept;
  WorkFolder& operator=(WorkFolder&&) = delete;
  ~WorkFolder();
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  explicit WorkFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace nearhub::bench
