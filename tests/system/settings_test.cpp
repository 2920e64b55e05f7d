// Settings of every kind make the same hub by flags, by environment and by a file. Who wins and what is refused: tests/tools.
#include <doctest/doctest.h>

#include <cctype>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "broker/data_folder.h"
#include "tests/support/hub_process.h"
#include "tests/system/environment_variable.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

struct Setting {
  std::string flag, value;
  std::string in_file;  // how it stands in a file
};
// Of each kind: flags, texts, numbers, words of a list, ports, repeated ones, durations.
const std::vector<Setting> kSettings = {
    {"in-memory", "true", "true"},      {"well-known-keys", "true", "true"},       {"host", "one.hub.test", "\"one.hub.test\""}, {"device", "d1", "\"d1\""},
    {"mqtts", "off", "off"},            {"https", "0", "0"},                       {"loops", "3", "3"},                          {"log-level", "error", "\"error\""},
    {"connect-time-s", "7", "7"},       {"max-body-bytes", "100000", "100000"},
};

std::string upper(std::string text) {
  for (char& c : text) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// What a hub shows of those settings.
std::string shown(const HubProcess& hub) {
  const auto ready = parse_json(hub.ready_json());
  REQUIRE(ready.ok());
  std::string text = std::string(string_of(*find_member(*ready, "hostName"))) + ", devices";
  for (const JsonValue& device : find_member(*ready, "devices")->GetArray()) text += " " + std::string(string_of(*find_member(device, "deviceId")));
  text += hub.mqtts() == 0 ? ", no MQTT" : ", MQTT";
  text += hub.https() == 0 ? ", no HTTPS" : ", HTTPS";
  text += hub.log().empty() ? ", silent" : ", logging";
  return text;
}

const std::string kExpected = "one.hub.test, devices d1, no MQTT, HTTPS, silent";

}  // namespace

TEST_SUITE("system") {
  TEST_CASE("settings: by flags") {
    std::vector<std::string> flags;
    for (const Setting& setting : kSettings) {
      flags.push_back("--" + setting.flag);
      if (setting.value != "true") flags.push_back(setting.value);
    }
    CHECK(shown(HubProcess(flags, HubProcess::Flags::kExact)) == kExpected);
  }

  TEST_CASE("settings: by environment") {
    std::vector<std::unique_ptr<EnvironmentVariable>> variables;
    for (const Setting& setting : kSettings) variables.push_back(std::make_unique<EnvironmentVariable>("NEARHUB_" + upper(setting.flag), setting.value));
    CHECK(shown(HubProcess({}, HubProcess::Flags::kExact)) == kExpected);
  }

  TEST_CASE("settings: by a file, named by a flag or by the environment") {
    const TemporaryFolder folder;
    std::string text = "# A hub for the tests.\n";
    for (const Setting& setting : kSettings) text += setting.flag + " = " + setting.in_file + "\n";
    const std::string file = folder.file("nearhub.conf");
    REQUIRE(broker::write_file(file, text, 0600).ok());
    CHECK(shown(HubProcess({"--config", file}, HubProcess::Flags::kExact)) == kExpected);
    const EnvironmentVariable variable("NEARHUB_CONFIG", file);
    CHECK(shown(HubProcess({}, HubProcess::Flags::kExact)) == kExpected);
  }
}
