#include "tools/examples.h"

#include <fmt/core.h>
#include <netdb.h>

#include "auth/connection_string.h"
#include "auth/sas_token.h"
#include "base/json_writer.h"
#include "base/url.h"
#include "broker/config.h"
#include "tools/identity.h"
#include "tools/json_text.h"
#include "tools/time_text.h"
#include "wire/net/address.h"

namespace nearhub::tools {
namespace {

// Long enough for an afternoon with them.
constexpr std::int64_t kExampleTokenSeconds = 24 * 3600;
// Above a hundred columns a line of this would be no ornament any more.
constexpr std::size_t kRuleWidth = 78;

// A literal of JavaScript and of Python.
std::string literal(std::string_view text) {
  std::string quoted;
  append_json_string(quoted, text);
  return quoted;
}

std::string heading(std::string_view title) {
  std::string line = fmt::format("\n# --- {} ", title);
  line.append(line.size() < kRuleWidth ? kRuleWidth - line.size() : 0, '-');
  return line + "\n";
}

std::string node_example(const ExampleFacts& facts) {
  return heading("Node SDK: sends one message") +
         "node -e 'require(\"azure-iot-device-mqtt\")' 2>/dev/null || npm install azure-iot-device azure-iot-device-mqtt\n"
         "node <<'EOF'\n" +
         fmt::format("const {{ Client, Message }} = require('azure-iot-device');\n"
                     "const {{ Mqtt }} = require('azure-iot-device-mqtt');\n"
                     "const client = Client.fromConnectionString({}, Mqtt);\n",
                     literal(facts.device_connection_string)) +
         "(async () => {\n" +
         (facts.ca_file.empty()
              ? ""
              : fmt::format("  await client.setOptions({{ ca: require('fs').readFileSync({}, 'utf8') }});\n",
                            literal(facts.ca_file))) +
         "  await client.open();\n"
         "  const message = new Message(JSON.stringify({ temperature: 21.5 }));\n"
         "  message.contentType = 'application/json';\n"
         "  message.contentEncoding = 'utf-8';\n"
         "  message.properties.add('from', 'node');\n"
         "  await client.sendEvent(message);\n"
         "  console.log('sent');\n"
         "  await client.close();\n"
         "})().catch((error) => { console.error(error); process.exit(1); });\n"
         "EOF\n";
}

std::string python_example(const ExampleFacts& facts) {
  std::string text = heading("Python SDK: sends one message");
  if (facts.mqtts_port != broker::kDefaultMqttsPort) {
    text += fmt::format("# The Python SDK knows port {} only, and this hub has MQTT on {}: start it with --mqtts {} "
                        "for this example.\n",
                        broker::kDefaultMqttsPort, facts.mqtts_port, broker::kDefaultMqttsPort);
  }
  // Its parser would take a port for a part of the name.
  std::string connection_string = facts.device_connection_string;
  if (auto parsed = auth::parse_connection_string(connection_string); parsed.ok()) {
    parsed->host_name = facts.host;
    connection_string = parsed->text();
  }
  text +=
      "python3 -c 'import azure.iot.device' 2>/dev/null ||\n"
      "  { python3 -m venv venv && . venv/bin/activate && pip install -q azure-iot-device; }\n"
      "python3 <<'EOF'\n"
      "from azure.iot.device import IoTHubDeviceClient, Message\n";
  if (facts.ca_file.empty()) {
    text += fmt::format("client = IoTHubDeviceClient.create_from_connection_string({})\n", literal(connection_string));
  } else {
    text += fmt::format(
        "with open({}) as file:\n"
        "    ca = file.read()\n"
        "client = IoTHubDeviceClient.create_from_connection_string(\n"
        "    {},\n"
        "    server_verification_cert=ca)\n",
        literal(facts.ca_file), literal(connection_string));
  }
  return text +
         "client.connect()\n"
         "message = Message('{\"temperature\": 21.5}', content_type='application/json', content_encoding='utf-8')\n"
         "message.custom_properties['from'] = 'python'\n"
         "client.send_message(message)\n"
         "print('sent')\n"
         "client.shutdown()\n"
         "EOF\n";
}

std::string mosquitto_example(const ExampleFacts& facts) {
  const std::string ca = facts.ca_file.empty() ? "--capath /etc/ssl/certs" : "--cafile " + shell_quoted(facts.ca_file);
  return heading("mosquitto_pub: sends one message") +
         fmt::format(
             "# (in Debian's package mosquitto-clients)\nmosquitto_pub -V mqttv311 {} -h {} -p {} \\\n  -i {} \\\n  -u {} \\\n  -P {} \\\n  -t {} -m {} -q 1\n",
             ca, shell_quoted(facts.host), facts.mqtts_port, shell_quoted(facts.device.view()),
             shell_quoted(fmt::format("{}/{}/?api-version=2021-04-12", facts.host, facts.device.str())),
             shell_quoted(facts.device_token),
             shell_quoted(fmt::format("devices/{}/messages/events/from=mosquitto", facts.device.str())),
             shell_quoted("{\"temperature\":21.5}"));
}

std::string curl_example(const ExampleFacts& facts) {
  const std::string ca = facts.ca_file.empty() ? "" : "--cacert " + shell_quoted(facts.ca_file) + " ";
  return heading("curl: reads the device's twin as a service") +
         fmt::format("curl -sS -w '\\n' {}-H {} \\\n  {}\n", ca, shell_quoted("Authorization: " + facts.service_token),
                     shell_quoted(fmt::format("https://{}/twins/{}?api-version=2021-04-12",
                                              net::host_and_port(facts.host, facts.https_port),
                                              percent_encode(facts.device.view()))));
}

bool is_known(const std::string& host) {
  addrinfo* found = nullptr;
  const bool known = getaddrinfo(host.c_str(), nullptr, nullptr, &found) == 0;
  if (known) freeaddrinfo(found);
  return known;
}

Result<DeviceId> choose_device(HubClient& hub, const std::string& wanted) {
  if (!wanted.empty()) return DeviceId(wanted);
  for (const std::string& device : hub.address().devices) {
    // It may have been deleted since the start.
    if (get_identity(hub, {DeviceId(device), {}}).ok()) return DeviceId(device);
  }
  const auto body = hub.get("/devices", "top=1");
  if (!body.ok()) return body.error();
  const auto devices = parse_array(*body);
  if (!devices.ok()) return devices.error();
  if (devices->Empty()) {
    return Error{ErrorCode::kDeviceNotFound, "there is no device yet; make one with `nearhub device create ID`"};
  }
  return DeviceId(text_at((*devices)[0], {"deviceId"}));
}

}  // namespace

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:@%+=,";
  return !text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos ? std::string(text) : shell_quoted(text);
}

std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string examples_text(const ExampleFacts& facts) {
  std::string text =
      fmt::format("# Device {} at {}; the tokens are good until {}.\n# What arrives is shown by: nearhub monitor {}\n",
                  facts.device.str(), facts.host, facts.tokens_until, facts.device.str());
  text += fmt::format("#\n# MQTT     {}\n# HTTPS    {}\n", 
                      facts.mqtts_port == 0 ? "off" : net::host_and_port(facts.host, facts.mqtts_port),
                      net::host_and_port(facts.host, facts.https_port));
  text += fmt::format("# CA file  {}\n# device   {}\n# service  {}\n",
                      facts.ca_file.empty() ? "none: the system's certificates" : facts.ca_file,
                      facts.device_connection_string, facts.service_connection_string);
  if (!facts.host_is_known) {
    text += fmt::format(
        "# The name {0} is not known on this machine; to make it known:\n"
        "# echo '127.0.0.1 {0}' | sudo tee -a /etc/hosts\n",
        facts.host);
  }
  if (facts.mqtts_port == 0) {
    text += "# This hub runs with --mqtts off: there is nothing to show for devices.\n";
  } else {
    text += node_example(facts) + python_example(facts) + mosquitto_example(facts);
  }
  return text + curl_example(facts);
}

Status show_examples(HubClient& hub, const std::string& device, Console& console) {
  const auto chosen = choose_device(hub, device);
  if (!chosen.ok()) return chosen.error();
  const IdentityId id{*chosen, {}};
  const auto identity = get_identity(hub, id);
  if (!identity.ok()) return identity.error();
  const std::string key = text_at(*identity, {"authentication", "symmetricKey", kPrimaryKey});
  if (key.empty()) {
    return Error{ErrorCode::kOperationNotAllowedInCurrentState,
                 fmt::format("{} has no key: its authentication type is {}, and the examples sign in with a key",
                             describe(id), authentication_cell(*identity))};
  }
  const auto endpoint = device_endpoint(hub);
  if (!endpoint.ok()) return endpoint.error();

  ExampleFacts facts;
  facts.device = *chosen;
  facts.host = endpoint->host;
  facts.mqtts_port = endpoint->mqtts_port;
  facts.https_port = hub.address().port;
  facts.ca_file = hub.address().ca_file;
  facts.device_connection_string = connection_string(*identity, endpoint->host_name());
  const WallTime until = hub.now() + std::chrono::seconds{kExampleTokenSeconds};
  facts.tokens_until = show_time(until);
  auto device_token = auth::make_sas_token(facts.host + "/devices/" + chosen->str(), key, unix_seconds(until));
  if (!device_token.ok()) return device_token.error();
  facts.device_token = std::move(*device_token);
  const auth::ConnectionString& login = hub.address().login;
  facts.service_connection_string = login.text();
  facts.service_token = login.signature;
  if (login.signature.empty()) {
    auto service_token = auth::make_sas_token(facts.host, login.key, unix_seconds(until), login.policy_name);
    if (!service_token.ok()) return service_token.error();
    facts.service_token = std::move(*service_token);
  }
  facts.host_is_known = is_known(facts.host);
  console.print(examples_text(facts));
  return {};
}

}  // namespace nearhub::tools
