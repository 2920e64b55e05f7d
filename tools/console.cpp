#include "tools/console.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "broker/data_folder.h"

namespace nearhub::tools {
namespace {

Error too_long(std::string_view what) {
  return {ErrorCode::kInvalidSetting, fmt::format("{} is longer than {} bytes", what, kMaxInputBytes)};
}

}  // namespace

bool StandardConsole::print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return true;
  if (errno != EPIPE && !output_lost_) {
    output_lost_ = true;
    say(fmt::format("cannot write to standard output: {}", std::strerror(errno)));
  }
  return false;
}

int StandardConsole::output_fd() const { return STDOUT_FILENO; }

void StandardConsole::say(std::string_view text) { complain(fmt::format("nearhub: {}\n", text)); }

void StandardConsole::complain(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

Result<std::string> StandardConsole::read_input() {
  std::string input;
  char buffer[16 * 1024];
  while (true) {
    const ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error{ErrorCode::kIo, fmt::format("cannot read standard input: {}", std::strerror(errno))};
    if (n == 0) return input;
    input.append(buffer, static_cast<std::size_t>(n));
    if (input.size() > kMaxInputBytes) return too_long("standard input");
  }
}

Result<std::string> read_content(const std::string& argument, const std::string& file, Console& console) {
  if (!file.empty()) {
    auto content = broker::read_file(file);
    // A wrong argument, like the file of any other flag.
    if (!content.ok()) return Error{ErrorCode::kInvalidSetting, content.error().detail};
    if (content->size() > kMaxInputBytes) return too_long(file);
    return content;
  }
  if (argument == "-") return console.read_input();
  return argument;
}

}  // namespace nearhub::tools
