// The binary itself: what goes to which stream, exit codes, the help.
#include <doctest/doctest.h>

#include <sys/wait.h>

#include <csignal>
#include <cstdlib>

#include "tests/tools/command_runner.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

int shell(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("the binary: data goes to standard output, errors to standard error, the exit code tells") {
    const TemporaryFolder folder;
    HubProcess hub({"--data", folder.path(), "--device", "first"});
    const ProcessResult created = run_nearhub({"device", "create", "d1", "--data", folder.path()});
    CHECK(created.exit_code == 0);
    CHECK(created.out.find("HostName=localhost:" + std::to_string(hub.mqtts()) + ";DeviceId=d1;SharedAccessKey=") == 0);
    CHECK(created.error == "");
    const ProcessResult missing = run_nearhub({"device", "show", "d2", "--data", folder.path()});
    CHECK(missing.exit_code == 1);
    CHECK(missing.out == "");
    CHECK(missing.error == "nearhub: DeviceNotFound: there is no device d2\n");
    const ProcessResult examples = run_nearhub({"examples", "--data", folder.path()});
    CHECK(examples.out.find("# Device first at localhost") == 0);

    hub.send_signal(SIGTERM);
    CHECK(hub.wait() == 0);
    const ProcessResult gone = run_nearhub({"status", "--data", folder.path()});
    CHECK(gone.exit_code == 1);
    CHECK(gone.error.find("nearhub: no hub found. Looked for: --login (not given);") == 0);
    CHECK(gone.error.find(folder.file("hub.json") + " (no such file: no hub runs with this data folder)") !=
          std::string::npos);
  }

  TEST_CASE("the binary: a hub that was killed leaves its address behind, and is said to have ended") {
    const TemporaryFolder folder;
    HubProcess hub({"--data", folder.path()});
    hub.kill_hard();
    const ProcessResult gone = run_nearhub({"status", "--data", folder.path()});
    CHECK(gone.exit_code == 1);
    CHECK(gone.error.find("the hub that wrote this file has ended: start one with `nearhub serve`\n") !=
          std::string::npos);
  }

  TEST_CASE("the binary: help goes to standard output, wrong arguments exit with 2 and say where help is") {
    const ProcessResult help = run_nearhub({"--help"});
    CHECK(help.exit_code == 0);
    CHECK(help.error == "");
    for (const char* command : {"serve", "device", "module", "monitor", "twin", "method", "send", "purge", "sas", "why",
                                "status", "examples", "clock"}) {
      CAPTURE(command);
      CHECK(help.out.find(std::string("\n  ") + command + " ") != std::string::npos);
      const ProcessResult of_command = run_nearhub({command, "--help"});
      CHECK(of_command.exit_code == 0);
      CHECK(of_command.out.find(std::string("Usage: nearhub ") + command) != std::string::npos);
    }
    CHECK(run_nearhub({"--version"}).out.find("nearhub ") == 0);
    const ProcessResult wrong = run_nearhub({"device", "show", "d1", "--colour"});
    CHECK(wrong.exit_code == 2);
    CHECK(wrong.out == "");
    CHECK(wrong.error ==
          "nearhub: The following argument was not expected: --colour\nTry `nearhub device show --help`.\n");
  }

  TEST_CASE("the binary: output that cannot be written is a failure, a reader that had enough is none") {
    const TemporaryFolder folder;
    const std::string error = folder.file("error");
    CHECK(shell(NEARHUB_BINARY " --version > /dev/full 2> " + error) == 1);
    CHECK(broker::read_file(error).value() ==
          "nearhub: cannot write to standard output: No space left on device\n");
    // `false` never reads; the braces tell the exit code of the binary.
    CHECK(shell("{ " NEARHUB_BINARY " --version 2> " + error + "; echo $? > " + folder.file("code") + "; } | false") == 1);
    CHECK(broker::read_file(folder.file("code")).value() == "0\n");
    CHECK(broker::read_file(error).value() == "");
  }

  TEST_CASE("the binary: monitor ends when its reader does, though no message comes") {
    const TemporaryFolder folder;
    HubProcess hub({"--data", folder.path()});
    // The shell waits for both.
    CHECK(shell(NEARHUB_BINARY " monitor --data " + folder.path() + " 2>&1 | head -n 1 | grep -q showing") == 0);
  }
}
