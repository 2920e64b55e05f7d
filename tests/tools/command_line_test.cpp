// What the command line says to somebody who does not know it yet.
#include "tools/command_line.h"

#include <doctest/doctest.h>

#include <sstream>

#include "tests/tools/command_runner.h"
#include "tools/terminal_text.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Every command that does something, as it is typed.
const std::vector<Arguments> kCommands = {
    {"serve"},          {"device", "create"}, {"device", "list"},   {"device", "show"},    {"device", "connection-string"},
    {"device", "enable"}, {"device", "disable"}, {"device", "delete"}, {"module", "create"}, {"module", "list"},
    {"module", "show"}, {"module", "connection-string"}, {"module", "delete"}, {"monitor"}, {"twin", "show"},
    {"twin", "patch"},  {"twin", "replace"},  {"twin", "watch"},  {"method"},           {"send"},              {"purge"},
    {"sas", "make"},    {"sas", "explain"},   {"why"},              {"status"},            {"examples"},
    {"clock", "advance"}};

std::string help(Arguments command) {
  command.push_back("--help");
  const Outcome outcome = run(command);
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.error == "");
  return outcome.out;
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("command line: a command that does not exist is named, with the one that was meant") {
    const Outcome typo = run({"devcie", "list"});
    CHECK(typo.exit_code == 2);
    CHECK(typo.error == "nearhub: there is no command devcie; did you mean device?\nTry `nearhub --help`.\n");
    CHECK(run({"frobnicate"}).error == "nearhub: there is no command frobnicate\nTry `nearhub --help`.\n");
    CHECK(run({"device", "lst"}).error ==
          "nearhub: there is no command device lst; did you mean device list?\nTry `nearhub device --help`.\n");
    CHECK(run({"x\x1B[2J"}).error == "nearhub: there is no command x\\u001b[2J\nTry `nearhub --help`.\n");
  }

  TEST_CASE("command line: a command that is missing, and what there is") {
    const Outcome nothing = run({});
    CHECK(nothing.exit_code == 2);
    CHECK(contains(nothing.error, "nearhub: which command? There are serve, device, module, "));
    CHECK(contains(nothing.error, "\nTry `nearhub --help`.\n"));
    CHECK(run({"twin"}).error ==
          "nearhub: which command of twin? There are show, patch, replace, watch\nTry `nearhub twin --help`.\n");
  }

  TEST_CASE("command line: a flag of a command that stands before it") {
    CHECK(run({"--data", "/nowhere", "status"}).error ==
          "nearhub: --data stands behind the command: nearhub status --data ...\nTry `nearhub status --help`.\n");
    CHECK(run({"--colour", "status"}).exit_code == 2);
  }

  TEST_CASE("command line: numbers that are none") {
    CHECK(run({"clock", "advance", "soon"}).error ==
          "nearhub: SECONDS: soon is no number of seconds, and no 10m, 2h or 1d\nTry `nearhub clock advance --help`.\n");
    CHECK(run({"clock", "advance", "--", "-4"}).error ==
          "nearhub: SECONDS: a clock moves forward only\nTry `nearhub clock advance --help`.\n");
  }

  TEST_CASE("command line: an argument that is missing is called what the help calls it") {
    CHECK(run({"device", "show"}).error == "nearhub: DEVICE is required\nTry `nearhub device show --help`.\n");
    CHECK(run({"module", "show"}).error == "nearhub: DEVICE/MODULE is required\nTry `nearhub module show --help`.\n");
    CHECK(run({"twin", "show"}).error == "nearhub: ID is required\nTry `nearhub twin show --help`.\n");
    CHECK(run({"send", "d1"}).error ==
          "nearhub: nothing to send: give BODY, - for standard input, or --file FILE\nTry `nearhub send --help`.\n");
  }

  TEST_CASE("command line: a login or CA file that cannot be right is a mistake in the arguments") {
    const ScopedVariable ca("NEARHUB_CA_FILE", "");
    CHECK(run({"status", "--login", "nonsense"}).exit_code == 2);
    CHECK(run({"sas", "make", "--device", "d1", "--login", "nonsense"}).exit_code == 2);
    CHECK(run({"status", "--login", "HostName=h;SharedAccessKeyName=a;SharedAccessKey=AAAA", "--ca", "/nowhere"})
              .exit_code == 2);
    const TemporaryFolder empty;
    CHECK(run({"status", "--data", empty.path()}).exit_code == 1);
  }

  TEST_CASE("help: of every command says what it is for, how it is called and what its exit codes mean") {
    for (const Arguments& command : kCommands) {
      const std::string text = help(command);
      CAPTURE(text);
      std::string usage = "Usage: nearhub";
      for (const std::string& word : command) usage += " " + word;
      CHECK(contains(text, "\n" + usage + " [OPTIONS]"));
      CHECK(contains(text, "\nExit codes: 0 "));
      CHECK((contains(text, "\nExample:\n") || contains(text, "\nExamples:\n")));
      if (command.front() != "serve") {
        CHECK(contains(text, "NEARHUB_CONNECTION_STRING"));
        CHECK(contains(text, "NEARHUB_CA_FILE"));
        CHECK(contains(text, "NEARHUB_DATA"));
      }
    }
  }

  TEST_CASE("help: fits into a hundred columns, without gaps") {
    std::vector<Arguments> all = kCommands;
    all.insert(all.end(), {{}, {"device"}, {"module"}, {"twin"}, {"sas"}, {"clock"}});
    for (const Arguments& command : all) {
      const std::string text = help(command);
      CAPTURE(text);
      CHECK_FALSE(contains(text, "\n\n\n"));
      CHECK_FALSE(contains(text, " \n"));
      CHECK(text.ends_with("\n"));
      CHECK_FALSE(text.ends_with("\n\n"));
      std::istringstream lines(text);
      for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        CHECK(tools::terminal_width(line) <= 100);
      }
    }
  }

  TEST_CASE("help: of nearhub itself shows the first steps, the environment and the exit codes") {
    const std::string text = help({});
    for (const char* part : {"nearhub serve", "nearhub device create thermostat", "nearhub examples thermostat",
                             "NEARHUB_CONNECTION_STRING", "NEARHUB_CA_FILE", "NEARHUB_DATA", "\nExit codes: 0 "}) {
      CAPTURE(part);
      CHECK(contains(text, part));
    }
  }
}
