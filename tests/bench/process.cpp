#include "tests/bench/process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

namespace nearhub::bench {
namespace {

void run_on(Core core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (!core || *core == i) CPU_SET(static_cast<std::size_t>(i), &cores);
  }
  ::sched_setaffinity(0, sizeof cores, &cores);
}

}  // namespace

Result<ServerProcess> ServerProcess::start(const std::vector<std::string>& arguments, const std::string& log_file, Core core) {
  return start(
      [&] {
        const int log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ::dup2(log, STDOUT_FILENO);
        ::dup2(log, STDERR_FILENO);
        std::vector<char*> argv;
        for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        ::execv(argv[0], argv.data());
        ::_exit(127);
      },
      core);
}

Result<ServerProcess> ServerProcess::start(const std::function<void()>& body, Core core) {
  const pid_t pid = ::fork();
  if (pid < 0) return Error{ErrorCode::kIo, fmt::format("cannot start a process: {}", std::strerror(errno))};
  if (pid > 0) return ServerProcess(pid);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  run_on(core);
  // What this process had freed is no memory that the server may fill unseen.
  ::malloc_trim(0);
  body();
  ::_exit(0);
}

ServerProcess::ServerProcess(ServerProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

ServerProcess::~ServerProcess() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool ServerProcess::running() {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

bool ServerProcess::ends_within(std::chrono::milliseconds patience) {
  if (pid_ < 0) return true;
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  pollfd ended{process, POLLIN, 0};
  ::poll(&ended, 1, static_cast<int>(patience.count()));
  if (process >= 0) ::close(process);
  return !running();
}

std::chrono::nanoseconds ServerProcess::cpu_time() const {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid_, &clock) == 0) clock_gettime(clock, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

std::size_t ServerProcess::resident_bytes() const {
  std::ifstream file(fmt::format("/proc/{}/statm", pid_));
  std::size_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t ServerProcess::reads_and_writes() const {
  std::ifstream file(fmt::format("/proc/{}/io", pid_));
  std::uint64_t sum = 0, value = 0;
  for (std::string name; file >> name >> value;) {
    if (name == "syscr:" || name == "syscw:") sum += value;
  }
  return sum;
}

void ServerProcess::stop() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(std::exchange(pid_, -1), nullptr, 0);
}

void pin_this_thread(int core) { run_on(core); }

int generator_core() { return static_cast<int>(std::thread::hardware_concurrency()) - 1; }

void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Result<WorkFolder> WorkFolder::make(const std::string& parent) {
  std::string pattern = parent + "/nearhub-bench-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) {
    return Error{ErrorCode::kIo, fmt::format("cannot make {}: {}", pattern, std::strerror(errno))};
  }
  return WorkFolder(pattern);
}

WorkFolder::WorkFolder(WorkFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace nearhub::bench
