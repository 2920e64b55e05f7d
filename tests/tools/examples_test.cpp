#include "tools/examples.h"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/json.h"
#include "base/text.h"
#include "broker/well_known.h"
#include "tests/tools/command_runner.h"
#include "tools/json_text.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

ExampleFacts facts() {
  ExampleFacts made;
  made.device = DeviceId("d1");
  made.host = "hub.local.test";
  made.mqtts_port = 8883;
  made.https_port = 443;
  made.ca_file = "/home/a b/ca.pem";
  made.device_connection_string = "HostName=hub.local.test;DeviceId=d1;SharedAccessKey=AAAA";
  made.service_connection_string = "HostName=hub.local.test;SharedAccessKeyName=p;SharedAccessKey=BBBB";
  made.device_token = "SharedAccessSignature sr=x&sig=y&se=1";
  made.service_token = "SharedAccessSignature sr=z&sig=y&se=1&skn=p";
  made.tokens_until = "2026-01-31T12:00:00.000Z";
  return made;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// From the heading that begins with this to the next one.
std::string section(const std::string& text, const std::string& title) {
  const std::size_t from = text.find("# --- " + title);
  REQUIRE(from != std::string::npos);
  return text.substr(from, text.find("\n# --- ", from) - from);
}

struct ShellResult {
  int exit_code;
  std::string out;
};

ShellResult shell(const std::string& script) {
  const TemporaryFolder folder;
  REQUIRE(broker::write_file(folder.file("script"), script, 0600).ok());
  FILE* pipe = popen(("sh " + folder.file("script") + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  ShellResult result{-1, {}};
  std::array<char, 4096> buffer;
  for (std::size_t n; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) result.out.append(buffer.data(), n);
  const int status = pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

bool installed(const std::string& program) { return shell("command -v " + program).exit_code == 0; }

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("examples: one each for the Node SDK, the Python SDK, mosquitto_pub and curl, filled in") {
    const std::string text = examples_text(facts());
    CHECK(contains(text,
                   "# MQTT     hub.local.test:8883\n# HTTPS    hub.local.test:443\n# CA file  /home/a b/ca.pem\n"
                   "# device   HostName=hub.local.test;DeviceId=d1;SharedAccessKey=AAAA\n"
                   "# service  HostName=hub.local.test;SharedAccessKeyName=p;SharedAccessKey=BBBB\n"));
    const std::string node = section(text, "Node SDK");
    CHECK(contains(node, " || npm install azure-iot-device azure-iot-device-mqtt\nnode <<'EOF'\n"));
    CHECK(contains(node,
                   "Client.fromConnectionString(\"HostName=hub.local.test;DeviceId=d1;SharedAccessKey=AAAA\", Mqtt)"));
    CHECK(contains(node, "readFileSync(\"/home/a b/ca.pem\", 'utf8')"));
    CHECK(node.ends_with("\nEOF\n"));
    const std::string python = section(text, "Python SDK");
    CHECK(contains(python, "pip install -q azure-iot-device; }\npython3 <<'EOF'\n"));
    CHECK(contains(python, "\"HostName=hub.local.test;DeviceId=d1;SharedAccessKey=AAAA\""));
    CHECK(contains(python, "server_verification_cert=ca"));
    CHECK_FALSE(contains(python, "8883"));
    CHECK(section(text, "mosquitto_pub") ==
          "# --- mosquitto_pub: sends one message --------------------------------------\n"
          "# (in Debian's package mosquitto-clients)\n"
          "mosquitto_pub -V mqttv311 --cafile '/home/a b/ca.pem' -h 'hub.local.test' -p 8883 \\\n"
          "  -i 'd1' \\\n"
          "  -u 'hub.local.test/d1/?api-version=2021-04-12' \\\n"
          "  -P 'SharedAccessSignature sr=x&sig=y&se=1' \\\n"
          "  -t 'devices/d1/messages/events/from=mosquitto' -m '{\"temperature\":21.5}' -q 1\n");
    CHECK(section(text, "curl") == "# --- curl: reads the device's twin as a service ----------------------------\n"
                                   "curl -sS -w '\\n' --cacert '/home/a b/ca.pem' -H 'Authorization: "
                                   "SharedAccessSignature sr=z&sig=y&se=1&skn=p' \\\n"
                                   "  'https://hub.local.test:443/twins/d1?api-version=2021-04-12'\n");
  }

  TEST_CASE("examples: another MQTT port is a problem of the Python SDK alone, and said") {
    ExampleFacts other = facts();
    other.mqtts_port = 18883;
    other.device_connection_string = "HostName=hub.local.test:18883;DeviceId=d1;SharedAccessKey=AAAA";
    const std::string text = examples_text(other);
    CHECK(
        contains(section(text, "Python SDK"),
                 "# The Python SDK knows port 8883 only, and this hub has MQTT on 18883: start it with --mqtts 8883"));
    CHECK(contains(section(text, "Python SDK"), "\"HostName=hub.local.test;DeviceId=d1;SharedAccessKey=AAAA\""));
    CHECK(contains(section(text, "Node SDK"), "\"HostName=hub.local.test:18883;DeviceId=d1;SharedAccessKey=AAAA\""));
    CHECK(contains(section(text, "mosquitto_pub"), " -p 18883 "));
  }

  TEST_CASE("examples: a name that this machine does not know is remarked upon, without MQTT curl is left") {
    ExampleFacts other = facts();
    other.host_is_known = false;
    CHECK(contains(examples_text(other), "# echo '127.0.0.1 hub.local.test' | sudo tee -a /etc/hosts\n"));
    other.mqtts_port = 0;
    CHECK_FALSE(contains(examples_text(other), "mosquitto_pub"));
    CHECK(contains(examples_text(other), "curl -sS"));
  }

  TEST_CASE("examples: whatever an id contains, the shell gets it as it is") {
    CHECK(shell_quoted("it's $HOME") == "'it'\\''s $HOME'");
    const std::string odd = "a'b$c!d;e(f)";
    CHECK(shell("printf %s " + shell_quoted(odd)).out == odd);
  }

  TEST_CASE("examples: every line is a command or a comment, so that the whole can be pasted") {
    const ShellResult parsed =
        shell("node() { [ $# -gt 0 ] || cat > /dev/null; }; python3() { [ $# -gt 0 ] || cat > /dev/null; }; mosquitto_pub() { :; }; curl() { :; }\n" +
              examples_text(facts()));
    CHECK(parsed.out == "");
    CHECK(parsed.exit_code == 0);
  }

  TEST_CASE("examples: for the device that is named, else for the first, they work as they are printed") {
    TestHub hub;
    CHECK(run(hub, {"examples"}).error ==
          "nearhub: there is no device yet; make one with `nearhub device create ID`\n");
    hub.create("a-device");
    hub.create("d1");
    CHECK(run(hub, {"examples"}).out.find("# Device a-device at localhost; the tokens are good until ") == 0);
    CHECK(run(hub, {"examples", "nobody"}).exit_code == 1);
    const Outcome examples = run(hub, {"examples", "d1"});
    CHECK(examples.exit_code == 0);
    CHECK(contains(examples.out, "\"HostName=localhost:" + std::to_string(hub.mqtts()) +
                                     ";DeviceId=d1;SharedAccessKey=" + broker::kWellKnownPrimaryKey + "\""));

    if (installed("curl")) {
      const ShellResult curl = shell(section(examples.out, "curl"));
      CAPTURE(curl.out);
      CHECK(curl.exit_code == 0);
      const auto twin = parse_json(trim(curl.out));
      REQUIRE(twin.ok());
      CHECK(text_at(*twin, {"deviceId"}) == "d1");
    }
    if (installed("mosquitto_pub")) {
      const ShellResult mosquitto = shell(section(examples.out, "mosquitto_pub"));
      CHECK(mosquitto.out == "");
      CHECK(mosquitto.exit_code == 0);
      CHECK(contains(run(hub, {"monitor", "--since", "start", "--no-follow"}).out,
                     "  d1  from=mosquitto  {\"temperature\":21.5}\n"));
    }
  }

  TEST_CASE("examples: the first device is the one that the hub's start made, while it exists, a device without a key "
            "has none") {
    TestHub hub([](broker::Config& config) { config.devices = {"the-first"}; });
    hub.create(
        "a-device",
        R"({"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"AABBCCDDEEFF00112233445566778899AABBCCDD"}}})");
    CHECK(run(hub, {"examples"}).out.find("# Device the-first at localhost") == 0);
    REQUIRE(run(hub, {"device", "delete", "the-first"}).exit_code == 0);
    const Outcome none = run(hub, {"examples"});
    CHECK(none.exit_code == 1);
    CHECK(none.error == "nearhub: device a-device has no key: its authentication type is selfSigned, and the examples "
                        "sign in with a key\n");
  }
}
