// What every command has from its way to the hub: login, trust, errors, time.
#include "tools/hub_client.h"

#include <doctest/doctest.h>

#include "auth/connection_string.h"
#include "base/json.h"
#include "tests/tools/command_runner.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

std::string login(TestHub& hub, const std::function<void(auth::ConnectionString&)>& change = {}) {
  auto text = auth::parse_connection_string(hub.server().service_connection_string()).value();
  if (change) change(text);
  return text.text();
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("login: a connection string and a CA file are enough, as flags or in the environment") {
    TestHub hub;
    hub.create("d1");
    CHECK(run({"device", "show", "d1", "--login", login(hub), "--ca", hub.server().ca_file()}).exit_code == 0);
    const ScopedVariable variable("NEARHUB_CONNECTION_STRING", login(hub)),
        ca("NEARHUB_CA_FILE", hub.server().ca_file());
    CHECK(run({"device", "show", "d1"}).exit_code == 0);
  }

  TEST_CASE("login: a ready token in the connection string is used as it is") {
    TestHub hub;
    hub.create("d1");
    const std::string text = login(hub, [&hub](auth::ConnectionString& parts) {
      parts.key.clear();
      parts.policy_name.clear();
      parts.signature = hub.policy_token("registryRead");
    });
    CHECK(run({"device", "show", "d1", "--login", text, "--ca", hub.server().ca_file()}).exit_code == 0);
    const Outcome refused = run({"device", "delete", "d1", "--login", text, "--ca", hub.server().ca_file()});
    CHECK(refused.exit_code == 1);
    CHECK(refused.error.find("nearhub: IotHubUnauthorizedAccess: Unauthorized") == 0);
  }

  TEST_CASE("login: a wrong key is refused, with a pointer to the reason") {
    TestHub hub;
    const std::string wrong = login(hub, [](auth::ConnectionString& parts) { parts.key = "MDEyMzQ1Njc4OWFiY2RlZg=="; });
    const Outcome refused = run({"device", "list", "--login", wrong, "--ca", hub.server().ca_file()});
    CHECK(refused.exit_code == 1);
    CHECK(refused.out == "");
    CHECK(refused.error == "nearhub: IotHubUnauthorizedAccess: Unauthorized; the login came from --login; the hub "
                           "wrote the reason down: `nearhub why policy:iothubowner` on its "
                           "machine shows it\n");
    CHECK(run(hub, {"why", "policy:iothubowner"}).out.find("check     SAS signature\n") != std::string::npos);
    const std::string no_base64 = login(hub, [](auth::ConnectionString& parts) { parts.key = "%%%"; });
    CHECK(run({"device", "list", "--login", no_base64}).error == "nearhub: --login: SharedAccessKey is not base64\n");
  }

  TEST_CASE("trust: without the hub's CA its certificate is refused, and --ca is named") {
    TestHub hub;
    const TemporaryFolder empty;
    const Outcome refused = run({"device", "list", "--login", login(hub), "--data", empty.path()});
    CHECK(refused.exit_code == 1);
    CHECK(refused.error.find("nearhub: cannot trust the hub at localhost:") == 0);
    CHECK(refused.error.find("Its CA file goes to --ca (here: the system's certificates)\n") != std::string::npos);
  }

  TEST_CASE("unreachable: nobody listens, the wrong port, no such name, a hub that ended") {
    TestHub hub;
    const auto error_of = [&hub](const std::string& host) {
      const std::string text = login(hub, [&host](auth::ConnectionString& parts) { parts.host_name = host; });
      const Outcome outcome = run({"status", "--login", text, "--ca", hub.server().ca_file()});
      CHECK(outcome.exit_code == 1);
      return outcome.error;
    };
    CHECK(error_of("localhost:1") == "nearhub: cannot reach the hub at localhost:1 (--login): nobody accepts "
                                     "connections there; does the hub run, and is this its HTTPS port?\n");
    CHECK(error_of("localhost:" + std::to_string(hub.mqtts())).find("does not answer as a hub's HTTPS port does") !=
          std::string::npos);
    CHECK(error_of("no-such-host.invalid").find("the name no-such-host.invalid is not known here") !=
          std::string::npos);

    const TemporaryFolder folder;
    REQUIRE(broker::write_file(
                folder.file("hub.json"),
                R"({"endpoints":{"https":"localhost:1"},"caFile":")" + hub.server().ca_file() +
                    R"(","serviceConnectionString":"HostName=localhost:1;SharedAccessKeyName=a;SharedAccessKey=AAAA"})",
                0600)
                .ok());
    CHECK(run({"status", "--data", folder.path()}).error ==
          "nearhub: cannot reach the hub at localhost:1 (" + folder.file("hub.json") +
              "): nobody accepts connections there; the hub that wrote this file has ended: start one with "
              "`nearhub serve`\n");
  }

  TEST_CASE("the hub of this machine is reached though its name is known nowhere") {
    TestHub hub([](broker::Config& config) { config.hosts = {"nowhere.invalid"}; });
    const Outcome created = run(hub, {"device", "create", "d1"});
    CHECK(created.error == "");
    CHECK(created.out.find("HostName=nowhere.invalid:" + std::to_string(hub.mqtts()) + ";DeviceId=d1;") == 0);
  }

  TEST_CASE("status: where the hub listens and how it is") {
    TestHub hub;
    const Outcome shown = run(hub, {"status"});
    CHECK(shown.out.find("hub          localhost\nnames        localhost, 127.0.0.1, ::1\nMQTT         localhost:" +
                         std::to_string(hub.mqtts()) + "\nHTTPS        localhost:" + std::to_string(hub.https()) +
                         "\n") == 0);
    CHECK(shown.out.find("refusals     0\n") != std::string::npos);
    const auto json = parse_json(run(hub, {"status", "--json"}).out);
    REQUIRE(json.ok());
    CHECK(find_member(*json, "loops")->GetInt() == 2);
  }

  TEST_CASE("clock advance: moves the hub's time, commands go on although their tokens are old by it") {
    TestHub hub;
    const WallTime before = hub.clock().now();
    const Outcome moved = run(hub, {"clock", "advance", "200000"});
    CHECK(moved.exit_code == 0);
    CHECK(moved.out.find("the hub's time is now 2") == 0);
    CHECK(hub.clock().now() - before >= std::chrono::seconds{200'000});
    // A token of this machine's time has expired for the hub: it is signed again by the hub's.
    CHECK(run(hub, {"device", "create", "d1"}).exit_code == 0);
    // And is not shown to it before: what `nearhub why` shows is the clients' mistakes, not this command's.
    CHECK(run(hub, {"status"}).out.find("refusals     0\n") != std::string::npos);
    CHECK(run(hub, {"clock", "advance", "6h"}).exit_code == 0);
    CHECK(hub.clock().now() - before >= std::chrono::seconds{200'000} + std::chrono::hours{6});
    CHECK(run({"clock", "advance", "-5"}).exit_code == 2);
    CHECK(run({"clock", "advance", "x"}).exit_code == 2);

    TestHub fixed([](broker::Config& config) { config.test_clock = false; });
    CHECK(run(fixed, {"clock", "advance", "1"}).error ==
          "nearhub: OperationNotAllowedInCurrentState: the hub runs without --test-clock\n");
  }
}
