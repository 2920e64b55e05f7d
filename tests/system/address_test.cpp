// Ports and addresses.
#include <doctest/doctest.h>

#include <string>

#include "tests/support/http_client.h"
#include "tests/support/hub_process.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

using Flags = HubProcess::Flags;

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

TEST_SUITE("system") {
  TEST_CASE("ports: off is a door that is not there") {
    {
      HubProcess hub({"--in-memory", "--well-known-keys", "--mqtts", "off", "--https", "0"}, Flags::kExact);
      CHECK(contains(hub.ready_json(), "\"endpoints\":{\"https\":\"localhost:" + std::to_string(hub.https()) + "\"}"));
      CHECK(HttpClient(hub.tls(), hub.https()).request("GET", "/health").status == 200);
    }
    HubProcess hub({"--in-memory", "--well-known-keys", "--mqtts", "0", "--https", "off"}, Flags::kExact);
    CHECK(contains(hub.ready_json(), "\"endpoints\":{\"mqtts\":\"localhost:" + std::to_string(hub.mqtts()) + "\"}"));
    CHECK(TlsClient(hub.tls(), hub.mqtts()).error() == "");
  }

  TEST_CASE("ports: one that another hub listens on is refused, and the other hub goes on") {
    const TemporaryFolder folder;
    HubProcess hub({"--in-memory"});
    for (const bool mqtts : {true, false}) {
      const std::string port = std::to_string(mqtts ? hub.mqtts() : hub.https());
      const ProcessResult result = run_nearhub({"serve", "--data", folder.file("data"), "--mqtts", mqtts ? port : "0", "--https", mqtts ? "0" : port, "--bind",
                                                "127.0.0.1", "--ready-file", folder.file("ready")});
      CHECK(result.exit_code == 1);
      INFO(result.error);
      CHECK(contains(result.error, "127.0.0.1:" + port));
      CHECK(contains(result.error, "in use"));
      CHECK_FALSE(contains(result.error, "hub: ready"));
    }
    CHECK(HttpClient(hub.tls(), hub.https()).request("GET", "/health").status == 200);
  }

  TEST_CASE("addresses: every one of the machine is one flag, with keys of the hub's own") {
    const TemporaryFolder folder;
    HubProcess hub({"--data", folder.path(), "--bind", "0.0.0.0", "--mqtts", "0", "--https", "0", "--server-key", "ec"}, Flags::kExact);
    CHECK(HttpClient(hub.tls(), hub.https()).request("GET", "/health").status == 200);
    TlsOptions by_loopback = hub.tls();
    by_loopback.host = "127.0.0.2";  // nobody bound this one by name
    CHECK(TlsClient(by_loopback, hub.mqtts()).error() == "");
  }

  TEST_CASE("addresses: without a flag it is loopback alone") {
    HubProcess hub({"--in-memory", "--well-known-keys", "--mqtts", "0", "--https", "0"}, Flags::kExact);
    TlsOptions elsewhere = hub.tls();
    elsewhere.host = "127.0.0.2";
    CHECK(TlsClient(elsewhere, hub.mqtts()).error() == "cannot connect");
  }

  TEST_CASE("well-known keys: not beyond loopback, unless the owner knows that they are public") {
    // One address of several is enough.
    const ProcessResult refused =
        run_nearhub({"serve", "--in-memory", "--well-known-keys", "--bind", "127.0.0.1", "--bind", "0.0.0.0", "--mqtts", "0", "--https", "0"});
    CHECK(refused.exit_code == 2);
    CHECK(contains(refused.error, "--i-know-these-keys-are-public"));
    HubProcess hub({"--in-memory", "--well-known-keys", "--bind", "0.0.0.0", "--mqtts", "0", "--https", "0", "--i-know-these-keys-are-public"}, Flags::kExact);
    CHECK(TlsClient(hub.tls(), hub.mqtts()).error() == "");
  }
}
