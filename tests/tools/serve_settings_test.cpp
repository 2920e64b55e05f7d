// Flags, environment and config file of `nearhub serve`.
#include <doctest/doctest.h>

#include "base/json.h"
#include "base/text.h"
#include "tests/tools/command_runner.h"
#include "tools/json_text.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

struct ConfigFile {
  TemporaryFolder folder;
  std::string path = folder.file("hub.conf");

  explicit ConfigFile(const std::string& content) { REQUIRE(broker::write_file(path, content, 0600).ok()); }
};

std::string host_name(const HubProcess& hub) {
  const auto json = parse_json(trim(hub.ready_json()));
  REQUIRE(json.ok());
  return text_at(*json, {"hostName"});
}

std::string first_device(const HubProcess& hub) {
  const auto json = parse_json(trim(hub.ready_json()));
  REQUIRE(json.ok());
  const JsonValue* devices = find_path(*json, {"devices"});
  REQUIRE((devices != nullptr && devices->IsArray() && !devices->Empty()));
  return text_at((*devices)[0], {"deviceId"});
}

// What is said about arguments with which no hub starts.
std::string complaint(const Arguments& flags) {
  Arguments arguments = {"serve", "--in-memory", "--mqtts", "0", "--https", "0"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const Outcome outcome = run(arguments);
  CHECK(outcome.exit_code == 2);
  CHECK(outcome.out == "");
  return outcome.error.substr(0, outcome.error.find('\n'));
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("serve: settings come from the config file, lists and switches too") {
    const ConfigFile file(
        "# names of the hub\n"
        "host = [\"hub.local.test\", \"other.local.test\"]\n"
        "device = \"from-the-file\"\n"
        "in-memory = true\n"
        "strict = false\n"
        "test-clock = on\n"
        "c2d-queue-depth = 7\n");
    HubProcess hub({"--config", file.path});
    CHECK(host_name(hub) == "hub.local.test");
    CHECK(first_device(hub) == "from-the-file");
  }

  TEST_CASE("serve: a flag wins over the environment, the environment over the config file") {
    const ConfigFile file("host = from-the-file.test\ndevice = from-the-file\nin-memory = true\n");
    const ScopedVariable config("NEARHUB_CONFIG", file.path);
    {
      const ScopedVariable host("NEARHUB_HOST", "from-the-environment.test");
      HubProcess hub({});
      CHECK(host_name(hub) == "from-the-environment.test");
      CHECK(first_device(hub) == "from-the-file");
    }
    const ScopedVariable device("NEARHUB_DEVICE", "from-the-environment");
    HubProcess hub({"--device", "from-a-flag", "--host", "from-a-flag.test"});
    CHECK(host_name(hub) == "from-a-flag.test");
    CHECK(first_device(hub) == "from-a-flag");
  }

  TEST_CASE("serve: several values in one variable are separated by commas") {
    const ScopedVariable devices("NEARHUB_DEVICE", "d1,d2");
    HubProcess hub({"--in-memory"});
    const auto json = parse_json(trim(hub.ready_json()));
    REQUIRE(find_path(*json, {"devices"})->Size() == 2);
    CHECK(text_at((*find_path(*json, {"devices"}))[1], {"deviceId"}) == "d2");
  }

  TEST_CASE("serve: a config file that cannot be used is refused, and the line that is wrong is named") {
    const std::string before = "nearhub: ";
    CHECK(complaint({"--config", "/nowhere/hub.conf"}) == before + "--config: cannot read /nowhere/hub.conf");
    const auto complaint_of = [&](const std::string& content) {
      const ConfigFile file(content);
      const std::string text = complaint({"--config", file.path});
      REQUIRE(text.find(before + file.path + ": ") == 0);
      return text.substr((before + file.path + ": ").size());
    };
    CHECK(complaint_of("lop = 2\n") == "there is no setting lop");
    CHECK(complaint_of("log-levl = debug\n") == "there is no setting log-levl; did you mean log-level?");
    CHECK(complaint_of("loops = many\n") == "--loops: \"many\" is no whole number from 0 to 256");
    CHECK(complaint_of("strict = perhaps\n") == "--strict: \"perhaps\" is neither true nor false");
    CHECK(complaint_of("[times]\nc2d-hold-ms = 5\n") ==
          "sections like [times] are not known; every setting is a line `name = value`");
    CHECK(complaint_of("config = other.conf\n") == "a config file cannot name another one");
    CHECK(complaint_of("loops = [1, 2]\n") == "--loops: one value is expected");
  }

  TEST_CASE("serve: values that cannot be meant are refused") {
    CHECK(complaint({"--loops", "-1"}) == "nearhub: --loops: \"-1\" is no whole number from 0 to 256");
    CHECK(complaint({"--max-connections", "-1"}).find("\"-1\" is no whole number from 1 to ") != std::string::npos);
    CHECK(complaint({"--max-connections", "0"}).find("\"0\" is no whole number from 1 to ") != std::string::npos);
    CHECK(complaint({"--max-subscriptions", ""}).find("\"\" is no whole number from 1 to ") != std::string::npos);
    CHECK(complaint({"--connect-time-s", "1.5"}).find("\"1.5\" is no whole number from 1 to ") != std::string::npos);
    CHECK(complaint({"--c2d-hold-ms", "0x10"}).find("\"0x10\" is no whole number from 0 to ") != std::string::npos);
    CHECK(complaint({"--durability", "none"}) == "nearhub: --durability: \"none\" is none of full, normal");
    CHECK(complaint({"--log-level", "trace"}) ==
          "nearhub: --log-level: \"trace\" is none of debug, info, warn, error, off");
    CHECK(complaint({"--mqtts", "99999"}) == "nearhub: --mqtts: \"99999\" is no port: expected 0 to 65535, or off");
    CHECK(complaint({"--seed", "/nowhere"}) == "nearhub: --seed: cannot read /nowhere");
  }

  TEST_CASE("serve: a wrong value of the environment is said to be from there") {
    const ScopedVariable loops("NEARHUB_LOOPS", "x");
    CHECK(complaint({}) == "nearhub: --loops: \"x\" is no whole number from 0 to 256 (from NEARHUB_LOOPS)");
    const ScopedVariable strict("NEARHUB_STRICT", "perhaps");
    CHECK(complaint({"--loops", "1"}) == "nearhub: --strict: \"perhaps\" is neither true nor false (from NEARHUB_STRICT)");
  }

  TEST_CASE("serve: of a setting that is given twice the last one counts") {
    HubProcess hub({"--in-memory", "--log-level", "debug", "--log-level", "info", "--device", "d1", "--device", "d2"});
    CHECK(first_device(hub) == "d1");
    CHECK(hub.log().find(" debug ") == std::string::npos);
  }

  TEST_CASE("serve: settings that contradict each other are a mistake in the arguments") {
    CHECK(complaint({"--mqtts", "off", "--https", "off"}) ==
          "nearhub: --mqtts off and --https off leave nothing to listen on");
    CHECK(complaint({"--bind", "nowhere"}) == "nearhub: --bind nowhere: not an IP address");
    CHECK(complaint({"--well-known-keys", "--bind", "0.0.0.0"}).find("--i-know-these-keys-are-public") !=
          std::string::npos);
  }

  TEST_CASE("serve --help: names the environment variable of every flag, and shows a config file") {
    const Outcome help = run({"serve", "--help"});
    for (const char* part : {"NEARHUB_DATA", "NEARHUB_MQTTS", "NEARHUB_LOG_LEVEL", "NEARHUB_CONFIG",
                             "NEARHUB_WELL_KNOWN_KEYS", "NEARHUB_C2D_HOLD_MS", "NEARHUB_MAX_BODY_BYTES",
                             "\n  host = [\"hub.local.test\", \"hub.lan\"]\n"}) {
      CAPTURE(part);
      CHECK(help.out.find(part) != std::string::npos);
    }
  }
}
