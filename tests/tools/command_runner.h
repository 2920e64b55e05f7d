// Runs client commands in this process, as the binary would with the same arguments, and shows what a person would have
// seen.
//
// THREAD: run() and Running on the test's thread; CapturedConsole any thread.
#pragma once
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "broker/data_folder.h"
#include "tests/support/hub_process.h"
#include "tests/support/test_hub.h"
#include "tools/console.h"

namespace nearhub::test {

class CapturedConsole final : public tools::Console {
 public:
  explicit CapturedConsole(std::string input = {}) : input_(std::move(input)) {}

  bool print(std::string_view text) override;
  void say(std::string_view text) override;
  void complain(std::string_view text) override;
  Result<std::string> read_input() override { return input_; }

  std::string out() const;
  std::string error() const;
  // Waits until the text stands in standard output, or in standard error; stops the test case when it does not come.
  void wait_for_out(std::string_view text) { wait_for(out_, text); }
  void wait_for_error(std::string_view text) { wait_for(error_, text); }
  // From the next print() on nobody reads any more.
  void close_output();

 private:
  void wait_for(const std::string& where, std::string_view text);

  const std::string input_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Protected by mutex_.
  std::string out_;
  std::string error_;
  bool closed_ = false;
};

struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string error;
};

using Arguments = std::vector<std::string>;

// The arguments as they are.
Outcome run(const Arguments& arguments, std::string input = {});
// The hub is found by its data folder.
Outcome run(TestHub& hub, Arguments arguments, std::string input = {});

// A command that is still running, on a thread of its own. Its arguments must make it end, or the test must.
class Running {
 public:
  explicit Running(const Arguments& arguments);
  Running(TestHub& hub, Arguments arguments);
  CapturedConsole& console() { return console_; }
  // Waits for the end.
  Outcome finish();

 private:
  CapturedConsole console_;
  std::future<int> code_;
};

// One QoS 1 message that the hub has stored.
void publish(MqttClient& device, std::string_view topic, std::string_view body);

// An environment variable for the time of a test case.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const std::string& value);
  ~ScopedVariable();
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  const char* name_;
  std::string previous_;
  bool was_set_;
};

}  // namespace nearhub::test
