#include "tests/support/hub_process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/json.h"
#include "base/text.h"
#include "broker/data_folder.h"

namespace nearhub::test {
namespace {

pid_t spawn(const std::vector<std::string>& arguments, const std::string& out, const std::string& error) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid != 0) return pid;
  const int out_fd = open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), error_fd = open(error.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(out_fd, STDOUT_FILENO);
  dup2(error_fd, STDERR_FILENO);
  execv(argv[0], argv.data());
  _exit(127);
}

int wait_for(pid_t pid) {
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::uint16_t port_of(const JsonValue& endpoints, std::string_view name) {
  const JsonValue* endpoint = find_member(endpoints, name);
  if (endpoint == nullptr) return 0;
  const std::string text(string_of(*endpoint));
  return static_cast<std::uint16_t>(std::atoi(text.substr(text.rfind(':') + 1).c_str()));
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "nearhub-test-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

ProcessResult run_nearhub(const std::vector<std::string>& arguments) {
  const TemporaryFolder folder;
  std::vector<std::string> all = {NEARHUB_BINARY};
  all.insert(all.end(), arguments.begin(), arguments.end());
  ProcessResult result;
  result.exit_code = wait_for(spawn(all, folder.file("out"), folder.file("error")));
  result.out = broker::read_file(folder.file("out")).value();
  result.error = broker::read_file(folder.file("error")).value();
  return result;
}

HubProcess::HubProcess(std::vector<std::string> flags, Flags which) {
  // Ready comes through a pipe, so that waiting for it is waiting for data.
  const std::string ready_pipe = folder_.file("ready");
  REQUIRE(mkfifo(ready_pipe.c_str(), 0600) == 0);
  std::vector<std::string> arguments = {NEARHUB_BINARY, "serve", "--ready-file", ready_pipe};
  if (which == Flags::kUsual) {
    arguments.insert(arguments.end(), {"--mqtts", "0", "--https", "0", "--bind", "127.0.0.1", "--well-known-keys"});
  }
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const int pipe = open(ready_pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(pipe >= 0);
  pid_ = spawn(arguments, folder_.file("out"), folder_.file("error"));
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (ready_.empty() || ready_.back() != '\n') {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      FAIL("the hub ended before it was ready: ", log());
    }
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    pollfd ready{pipe, POLLIN, 0};
    if (poll(&ready, 1, 100) > 0 && (ready.revents & POLLIN) != 0) {
      char buffer[4096];
      const ssize_t n = read(pipe, buffer, sizeof buffer);
      if (n > 0) ready_.append(buffer, static_cast<std::size_t>(n));
    } else if ((ready.revents & POLLHUP) != 0 && ready_.empty()) {
      std::this_thread::yield();
    }
  }
  close(pipe);
  const auto json = parse_json(trim(ready_));
  REQUIRE(json.ok());
  const JsonValue* endpoints = find_member(*json, "endpoints");
  mqtts_ = port_of(*endpoints, "mqtts");
  https_ = port_of(*endpoints, "https");
  ca_pem_ = broker::read_file(std::string(string_of(*find_member(*json, "caFile")))).value();
}

HubProcess::~HubProcess() {
  if (pid_ > 0) kill_hard();
}

TlsOptions HubProcess::tls() const {
  TlsOptions options;
  options.ca_pem = ca_pem_;
  return options;
}

void HubProcess::send_signal(int number) { REQUIRE(kill(pid_, number) == 0); }

int HubProcess::wait() {
  const int code = wait_for(pid_);
  pid_ = -1;
  return code;
}

void HubProcess::kill_hard() {
  kill(pid_, SIGKILL);
  wait();
}

void HubProcess::wait_for_log(std::string_view text) {
  const int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  REQUIRE(watch >= 0);
  REQUIRE(inotify_add_watch(watch, folder_.file("error").c_str(), IN_MODIFY) >= 0);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (log().find(text) == std::string::npos) {
    INFO("waiting for \"", text, "\" in: ", log());
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    pollfd news{watch, POLLIN, 0};
    poll(&news, 1, 1000);
    char events[4096];
    while (read(watch, events, sizeof events) > 0) {
    }
  }
  close(watch);
}

std::string HubProcess::log() const {
  auto text = broker::read_file(folder_.file("error"));
  return text.ok() ? *text : std::string();
}

}  // namespace nearhub::test
