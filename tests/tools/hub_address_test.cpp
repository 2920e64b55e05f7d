#include "tools/hub_address.h"

#include <doctest/doctest.h>

#include "tests/tools/command_runner.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

constexpr const char* kLogin = "HostName=hub.local.test:8443;SharedAccessKeyName=service;SharedAccessKey=AAAA";

void write(const std::string& file, const std::string& content) {
  REQUIRE(broker::write_file(file, content, 0600).ok());
}

std::string hub_json(const std::string& more = {}) {
  return R"({"hostName":"localhost","pid":1,"endpoints":{"mqtts":"localhost:8883","https":"localhost:8443"},"caFile":"/nowhere/ca.pem",)"
         R"("serviceConnectionString":"HostName=localhost:8443;SharedAccessKeyName=iothubowner;SharedAccessKey=AAAA",)"
         R"("devices":[{"deviceId":"d1","connectionString":"x"},{"deviceId":"d2","connectionString":"y"}])" +
         more + "}\n";
}

// The environment of a machine where nothing is set.
struct Machine {
  TemporaryFolder folder;
  ScopedVariable login{"NEARHUB_CONNECTION_STRING", ""};
  ScopedVariable ca{"NEARHUB_CA_FILE", ""};
  ScopedVariable data{"NEARHUB_DATA", folder.path()};
};

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("hub address: a login that is given wins, its port is taken off the name") {
    const Machine machine;
    write(machine.folder.file("hub.json"), hub_json());
    const auto found = find_hub({kLogin, "", ""});
    REQUIRE(found.ok());
    CHECK(found->host == "hub.local.test");
    CHECK(found->port == 8443);
    CHECK(found->endpoint() == "hub.local.test:8443");
    CHECK(found->source == "--login");
    CHECK_FALSE(found->from_data_folder);
    CHECK(found->login.policy_name == "service");
  }

  TEST_CASE("hub address: without a port it is 443, an IPv6 address keeps its brackets in the endpoint") {
    const Machine machine;
    CHECK(find_hub({"HostName=h;SharedAccessKeyName=a;SharedAccessKey=AAAA", "", ""})->endpoint() == "h:443");
    CHECK(find_hub({"HostName=[::1]:8443;SharedAccessKeyName=a;SharedAccessKey=AAAA", "", ""})->endpoint() ==
          "[::1]:8443");
    CHECK(find_hub({"HostName=::1;SharedAccessKeyName=a;SharedAccessKey=AAAA", "", ""})->endpoint() == "[::1]:443");
  }

  TEST_CASE(
      "hub address: the environment's login comes before the data folder, and after a data folder that is given") {
    const Machine machine;
    const TemporaryFolder given;
    const ScopedVariable login("NEARHUB_CONNECTION_STRING", kLogin);
    write(machine.folder.file("hub.json"), hub_json());
    write(given.file("hub.json"), hub_json());
    CHECK(find_hub({})->source == "NEARHUB_CONNECTION_STRING");
    const auto found = find_hub({"", "", given.path()});
    REQUIRE(found.ok());
    CHECK(found->source == given.file("hub.json"));
    CHECK(found->from_data_folder);
  }

  TEST_CASE("hub address: the hub of this machine is found by its hub.json, with its CA and first devices") {
    const Machine machine;
    write(machine.folder.file("hub.json"), hub_json());
    const auto found = find_hub({});
    REQUIRE(found.ok());
    CHECK(found->endpoint() == "localhost:8443");
    CHECK(found->ca_file == "/nowhere/ca.pem");
    CHECK_FALSE(found->system_store);
    CHECK(found->devices == std::vector<std::string>{"d1", "d2"});
  }

  TEST_CASE("hub address: the CA is --ca, else NEARHUB_CA_FILE, else the data folder's beside the system's") {
    const Machine machine;
    write(machine.folder.file("ca.pem"), "x");
    write(machine.folder.file("one.pem"), "x");
    write(machine.folder.file("two.pem"), "x");
    const auto by_default = find_hub({kLogin, "", ""});
    CHECK(by_default->ca_file == machine.folder.file("ca.pem"));
    CHECK(by_default->system_store);
    const ScopedVariable ca("NEARHUB_CA_FILE", machine.folder.file("one.pem"));
    CHECK(find_hub({kLogin, "", ""})->ca_file == machine.folder.file("one.pem"));
    CHECK_FALSE(find_hub({kLogin, "", ""})->system_store);
    CHECK(find_hub({kLogin, machine.folder.file("two.pem"), ""})->ca_file == machine.folder.file("two.pem"));
    CHECK(find_hub({kLogin, machine.folder.file("none.pem"), ""}).error().detail ==
          "cannot read the CA file " + machine.folder.file("none.pem"));
  }

  TEST_CASE("hub address: when there is none, all places that were looked at are named") {
    const Machine machine;
    CHECK(find_hub({}).error().detail ==
          "no hub found. Looked for: --login (not given); NEARHUB_CONNECTION_STRING (not set); " +
              machine.folder.file("hub.json") +
              " (no such file: no hub runs with this data folder). Start a hub with `nearhub serve`, or say where one "
              "is: "
              "--login \"HostName=...\", or --data with its data folder");
  }

  TEST_CASE("hub address: what cannot be used is refused with the reason") {
    const Machine machine;
    const auto error_of = [](const char* login) { return find_hub({login, "", ""}).error().detail; };
    CHECK(error_of("HostName=h;DeviceId=d1;SharedAccessKey=AAAA") ==
          "--login: this is the connection string of device d1; give the one of a shared access policy "
          "(HostName=...;SharedAccessKeyName=...), which the "
          "hub writes into its ready file");
    CHECK(error_of("HostName=h;SharedAccessKey=AAAA") == "--login: the connection string has no SharedAccessKeyName");
    CHECK(error_of("HostName=h;SharedAccessKeyName=a") == "--login: the connection string has no SharedAccessKey");
    CHECK(error_of("HostName=h:0;SharedAccessKeyName=a;SharedAccessKey=AAAA") == "--login: \"0\" is no port");
    CHECK(error_of("HostName=h:99999;SharedAccessKeyName=a;SharedAccessKey=AAAA") == "--login: \"99999\" is no port");
    CHECK(error_of("HostName=:1;SharedAccessKeyName=a;SharedAccessKey=AAAA") == "--login: HostName has no host");
    CHECK(error_of("nonsense") == "--login: connection string: \"nonsense\" has no value");

    write(machine.folder.file("hub.json"), "{\"pid\":");
    CHECK(find_hub({}).error().detail == machine.folder.file("hub.json") + " is damaged; restart the hub");
    write(
        machine.folder.file("hub.json"),
        R"({"endpoints":{"mqtts":"localhost:8883"},"serviceConnectionString":"HostName=localhost;SharedAccessKeyName=o;SharedAccessKey=AAAA"})");
    CHECK(find_hub({}).error().detail ==
          machine.folder.file("hub.json") + ": that hub runs with --https off, and client commands need HTTPS");
  }
}
