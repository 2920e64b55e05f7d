#include "tests/tools/command_runner.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "tools/command_line.h"

namespace nearhub::test {
namespace {

Arguments with_data_folder(TestHub& hub, Arguments arguments) {
  arguments.insert(arguments.end(), {"--data", hub.server().data_folder()});
  return arguments;
}

}  // namespace

bool CapturedConsole::print(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  out_ += text;
  changed_.notify_all();
  return true;
}

void CapturedConsole::say(std::string_view text) { complain("nearhub: " + std::string(text) + "\n"); }

void CapturedConsole::complain(std::string_view text) {
  const std::lock_guard lock(mutex_);
  error_ += text;
  changed_.notify_all();
}

std::string CapturedConsole::out() const {
  const std::lock_guard lock(mutex_);
  return out_;
}

std::string CapturedConsole::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

void CapturedConsole::close_output() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

void CapturedConsole::wait_for(const std::string& where, std::string_view text) {
  std::unique_lock lock(mutex_);
  const bool came = changed_.wait_for(lock, kPatience, [&] { return where.find(text) != std::string::npos; });
  INFO("waiting for: ", text, "\nstandard output: ", out_, "\nstandard error: ", error_);
  REQUIRE(came);
}

Outcome run(const Arguments& arguments, std::string input) {
  CapturedConsole console(std::move(input));
  Outcome outcome;
  outcome.exit_code = tools::run_command_line(arguments, console);
  outcome.out = console.out();
  outcome.error = console.error();
  return outcome;
}

Outcome run(TestHub& hub, Arguments arguments, std::string input) {
  return run(with_data_folder(hub, std::move(arguments)), std::move(input));
}

Running::Running(const Arguments& arguments)
    : code_(
          std::async(std::launch::async, [this, arguments] { return tools::run_command_line(arguments, console_); })) {}

Running::Running(TestHub& hub, Arguments arguments) : Running(with_data_folder(hub, std::move(arguments))) {}

Outcome Running::finish() {
  const auto ended = code_.wait_for(kPatience);
  INFO("standard output: ", console_.out(), "\nstandard error: ", console_.error());
  REQUIRE(ended == std::future_status::ready);
  Outcome outcome;
  outcome.exit_code = code_.get();
  outcome.out = console_.out();
  outcome.error = console_.error();
  return outcome;
}

void publish(MqttClient& device, std::string_view topic, std::string_view body) {
  device.send(mqtt::Publish{.topic = topic, .payload = body, .qos = 1, .packet_id = 1});
  device.expect<mqtt::Puback>();
}

ScopedVariable::ScopedVariable(const char* name, const std::string& value)
    : name_(name), was_set_(std::getenv(name) != nullptr) {
  if (was_set_) previous_ = std::getenv(name);
  setenv(name, value.c_str(), 1);
}

ScopedVariable::~ScopedVariable() {
  if (was_set_) {
    setenv(name_, previous_.c_str(), 1);
  } else {
    unsetenv(name_);
  }
}

}  // namespace nearhub::test
