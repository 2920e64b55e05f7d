// Where a command reads and writes. No command touches the process's streams itself, so that a test sees what a person
// would see.
//
// THREAD: one at a time.
#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace nearhub::tools {

// A bound of our own on what is read from standard input or a file for one request; the hub's own limits are far below
// it.
inline constexpr std::size_t kMaxInputBytes = 4 * 1024 * 1024;

class Console {
 public:
  virtual ~Console() = default;

  // To standard output, at once, so that a pipe sees every message when it comes. False when nobody reads any more.
  virtual bool print(std::string_view text) = 0;
  // Whose readers' going away a command that waits should notice; -1: none.
  virtual int output_fd() const { return -1; }
  // One line to standard error: "nearhub: " and the text.
  virtual void say(std::string_view text) = 0;
  // Text as it is to standard error: help after wrong arguments.
  virtual void complain(std::string_view text) = 0;
  // All of standard input. Fails with kIo when it cannot be read, with kInvalidSetting when it is longer than
  // kMaxInputBytes.
  virtual Result<std::string> read_input() = 0;
};

// The process's own streams. SIGPIPE must be ignored.
class StandardConsole final : public Console {
 public:
  // What cannot be written is said on standard error, unless the reader had enough (a closed pipe).
  bool print(std::string_view text) override;
  int output_fd() const override;
  void say(std::string_view text) override;
  void complain(std::string_view text) override;
  Result<std::string> read_input() override;
  // Something that was printed is lost, and somebody may still wait for it.
  bool output_lost() const { return output_lost_; }

 private:
  bool output_lost_ = false;
};

// What a command sends: the argument itself, standard input for "-", or a file's content when `file` is not empty. Fails
// with kInvalidSetting when the file cannot be read or is too long.
Result<std::string> read_content(const std::string& argument, const std::string& file, Console& console);

}  // namespace nearhub::tools
