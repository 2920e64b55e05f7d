// The server's certificates and the authority behind them, over restarts.
#include <doctest/doctest.h>
#include <signal.h>

#include <filesystem>
#include <string>
#include <vector>

#include "broker/data_folder.h"
#include "tests/support/hub_process.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

// Starts a hub with keys of its own under these names, looks whether clients that dial these others trust it, and stops it.
void start_and_dial(const std::string& data, const std::vector<std::string>& hosts, const std::vector<std::string>& good, const std::vector<std::string>& bad,
                    const std::string& server_key = "ec") {
  std::vector<std::string> flags = {"--data", data, "--mqtts", "0", "--https", "off", "--server-key", server_key};
  for (const std::string& host : hosts) flags.insert(flags.end(), {"--host", host});
  HubProcess hub(flags, HubProcess::Flags::kExact);
  TlsOptions client = hub.tls();
  for (const std::string& name : good) {
    CAPTURE(name);
    client.server_name = name;
    CHECK(TlsClient(client, hub.mqtts()).error() == "");
  }
  for (const std::string& name : bad) {
    CAPTURE(name);
    client.server_name = name;
    CHECK(TlsClient(client, hub.mqtts()).error() == "certificate verify failed");
  }
  hub.send_signal(SIGTERM);
  CHECK(hub.wait() == 0);
}

}  // namespace

TEST_SUITE("system") {
  TEST_CASE("certificates: follow --host, and the authority stays the one that clients were given") {
    const TemporaryFolder folder;
    const std::string data = folder.file("data");
    const auto file = [&data](const std::string& name) { return broker::read_file(data + "/" + name).value(); };

    start_and_dial(data, {"one.hub.test"}, {"localhost", "one.hub.test"}, {"two.hub.test"}, "both");
    const std::string authority = file("ca.pem"), rsa = file("server-rsa.pem"), ec = file("server-ec.pem");

    start_and_dial(data, {"one.hub.test"}, {"localhost", "one.hub.test"}, {"two.hub.test"}, "both");
    CHECK(file("server-rsa.pem") == rsa);
    CHECK(file("server-ec.pem") == ec);

    start_and_dial(data, {"two.hub.test", "three.hub.test"}, {"localhost", "two.hub.test", "three.hub.test"}, {"one.hub.test"}, "both");
    CHECK(file("ca.pem") == authority);
    CHECK(file("server-rsa.pem") != rsa);
    CHECK(file("server-ec.pem") != ec);
  }

  TEST_CASE("certificates: keys of a data folder are its own, and readable by their owner alone") {
    const TemporaryFolder folder;
    for (const char* name : {"a", "b"}) start_and_dial(folder.file(name), {}, {"localhost"}, {});
    for (const char* name : {"ca.key", "server-ec.key"}) {
      CAPTURE(name);
      CHECK(broker::read_file(folder.file("a") + "/" + name).value() != broker::read_file(folder.file("b") + "/" + name).value());
      CHECK((std::filesystem::status(folder.file("a") + "/" + name).permissions() & std::filesystem::perms::all) ==
            (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    }
  }

  TEST_CASE("certificates: a damaged one is made anew, a missing authority key is said") {
    const TemporaryFolder folder;
    const std::string data = folder.file("data");
    start_and_dial(data, {}, {"localhost"}, {});
    REQUIRE(broker::write_file(data + "/server-ec.pem", "no certificate", 0644).ok());
    start_and_dial(data, {}, {"localhost"}, {});
    std::filesystem::remove(data + "/ca.key");
    const ProcessResult result = run_nearhub({"serve", "--data", data, "--mqtts", "0", "--https", "off"});
    CHECK(result.exit_code == 1);
    CHECK(result.error.find("nearhub: cannot read " + data + "/ca.key: No such file or directory\n") != std::string::npos);
  }
}
