// The flags of `nearhub serve`, each also an environment variable and a line of the config file. A flag wins over the
// environment, the environment over the file.
#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "broker/data_folder.h"
#include "hub/similar_ids.h"
#include "tools/flags.h"
#include "tools/serve.h"

namespace nearhub::tools {
namespace {

// "--max-connections" -> "NEARHUB_MAX_CONNECTIONS".
std::string environment_name(std::string flag) {
  flag.erase(0, flag.find_first_not_of('-'));
  std::replace(flag.begin(), flag.end(), '-', '_');
  for (char& c : flag) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return "NEARHUB_" + flag;
}

std::string quoted(const std::string& given) { return "\"" + printable(given, 40) + "\""; }

// Adds settings to one group of the help.
class Settings {
 public:
  Settings(CLI::App& app, std::string group) : app_(app), group_(std::move(group)) {}

  CLI::Option* text(const std::string& name, std::string& value, const char* type, const std::string& help) {
    return finish(single(app_.add_option(name, value, help)->capture_default_str()), type);
  }

  // Repeated as a flag, separated by commas in the environment, a list in the config file.
  void list(const std::string& name, std::vector<std::string>& values, const char* type, const std::string& help) {
    finish(app_.add_option(name, values, help)->delimiter(',')->allow_extra_args(false), type);
  }

  // `least` is 0 only where that means something.
  template <typename T>
  void number(const std::string& name, T& value, const char* type, const std::string& help, std::uint64_t least = 1,
              std::uint64_t most = std::uint64_t{1} << 40) {
    finish(single(app_.add_option(name, value, help)->capture_default_str()), type)->check(whole_number(least, most));
  }

  // In the unit that the flag names.
  template <typename Duration>
  void duration(const std::string& name, Duration& value, const std::string& help, std::uint64_t least = 1) {
    constexpr auto kMost = std::chrono::duration_cast<Duration>(std::chrono::hours{24 * 365 * 10}).count();
    const auto take = [&value](const std::int64_t& given) { value = Duration(given); };
    finish(single(app_.add_option_function<std::int64_t>(name, take, help)->default_str(std::to_string(value.count()))),
           name.ends_with("-ms") ? "MS" : "SECONDS")
        ->check(whole_number(least, static_cast<std::uint64_t>(kMost)));
  }

  template <typename T>
  void choice(const std::string& name, T& value, const std::vector<std::pair<std::string, T>>& choices,
              const char* type, const std::string& help) {
    std::string preset;
    for (const auto& [word, meaning] : choices) {
      if (meaning == value) preset = word;
    }
    const auto take = [&value, name, choices](const std::string& given) {
      std::string words;
      for (const auto& [word, meaning] : choices) {
        if (equals_ignoring_case(word, given)) {
          value = meaning;
          return;
        }
        words += (words.empty() ? "" : ", ") + word;
      }
      throw CLI::ValidationError(name, quoted(given) + " is none of " + words);
    };
    finish(single(app_.add_option_function<std::string>(name, take, help)->default_str(preset)), type);
  }

  // Words with commas between them, each of which switches something on; all or none of them.
  void words(const std::string& name, const std::vector<std::pair<std::string, bool*>>& switches, const std::string& help) {
    const auto take = [name, switches](const std::string& given) {
      for (const auto& [word, value] : switches) *value = false;
      for (std::string_view rest = given; !rest.empty();) {
        const auto [item, more] = split_once(rest, ',');
        rest = more.value_or(std::string_view());
        const std::string_view asked = trim(item);
        bool known = equals_ignoring_case(asked, "none");
        for (const auto& [word, value] : switches) {
          if (!equals_ignoring_case(asked, word) && !equals_ignoring_case(asked, "all")) continue;
          *value = known = true;
        }
        if (!known) throw CLI::ValidationError(name, quoted(std::string(asked)) + " is none of lifecycle, twin, connection, all, none");
      }
    };
    finish(single(app_.add_option_function<std::string>(name, take, help)), "LIST");
  }

  void port(const std::string& name, broker::PortSetting& value, const std::string& help) {
    const auto take = [&value, name](const std::string& given) {
      auto parsed = broker::parse_port(given);
      if (!parsed.ok()) throw CLI::ValidationError(name, parsed.error().detail);
      value = *parsed;
    };
    finish(single(app_.add_option_function<std::string>(name, take, help)->default_str(std::to_string(value.port))),
           "PORT");
  }

  void flag(const std::string& name, bool& value, const std::string& help) {
    app_.add_flag(name, value, help)->envname(environment_name(name))->group(group_)->check(truth());
  }

 private:
  // Of several the last one counts, so that a script's flags can be followed by its caller's.
  static CLI::Option* single(CLI::Option* option) {
    return option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }

  CLI::Option* finish(CLI::Option* option, const char* type) {
    return option->envname(environment_name(option->get_name()))->type_name(type)->group(group_);
  }

  // CLI11 itself would take "-1" for a very large number, "" for 0 and "010" for 8.
  static CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
    const auto check = [least, most](const std::string& given) {
      const auto number = parse_decimal(given);
      const bool octal = given.size() > 1 && given.front() == '0';
      if (number && !octal && *number >= least && *number <= most) return std::string();
      return fmt::format("{} is no whole number from {} to {}", quoted(given), least, most);
    };
    return {check, ""};
  }

  static CLI::Validator truth() {
    const auto check = [](const std::string& given) {
      for (const char* word : {"true", "false", "on", "off", "yes", "no", "1", "0"}) {
        if (equals_ignoring_case(given, word)) return std::string();
      }
      return quoted(given) + " is neither true nor false";
    };
    return {check, ""};
  }

  CLI::App& app_;
  const std::string group_;
};

// One setting of the config file, for which neither a flag nor the environment has a value.
void take_config_item(CLI::App& serve, const CLI::ConfigItem& item, const std::string& file) {
  const auto wrong = [&file](const std::string& text) { return CLI::ValidationError(printable(file, 400), text); };
  if (!item.parents.empty()) {
    throw wrong(fmt::format("sections like [{}] are not known; every setting is a line `name = value`",
                            printable(item.parents.front(), 60)));
  }
  if (item.name == "config") throw wrong("a config file cannot name another one");
  CLI::Option* option = item.name == "help" ? nullptr : serve.get_option_no_throw("--" + item.name);
  if (option == nullptr) {
    hub::SimilarIds similar(item.name);
    for (const CLI::Option* known : serve.get_options()) {
      const std::string name = known->get_name();
      if (!known->get_envname().empty()) similar.look_at(std::string_view(name).substr(2));
    }
    const auto nearest = similar.nearest();
    throw wrong("there is no setting " + printable(item.name, 60) +
                (nearest.empty() ? "" : "; did you mean " + nearest.front() + "?"));
  }
  if (option->count() > 0) return;
  if (option->get_expected_max() <= 1 && item.inputs.size() != 1) {
    throw wrong(option->get_name() + ": one value is expected");
  }
  try {
    option->add_result(item.inputs);
    option->run_callback();
  } catch (const CLI::ParseError& error) {
    throw wrong(error.what());
  }
}

// CLI11 itself reads a config file for the whole program only, not for one command, and lets it win over the
// environment.
void read_config_file(CLI::App& serve, const std::string& file) {
  const auto content = broker::read_file(file);
  if (!content.ok()) throw CLI::ValidationError("--config", "cannot read " + printable(file, 400));
  std::istringstream lines(*content);
  for (const CLI::ConfigItem& item : CLI::ConfigBase().from_config(lines)) take_config_item(serve, item, file);
}

void add_general_settings(Settings settings, ServeOptions& options, std::string& config_file) {
  broker::Config& config = options.config;
  settings.text("--data", config.data_folder, "DIR",
                "Folder of the hub's state, keys and certificates; made when missing");
  settings.flag("--in-memory", config.in_memory, "Keep nothing: a hub that is gone when it stops");
  settings.list("--host", config.hosts, "NAME",
                "A further name of the hub, for instance hub.local.test; may be repeated. The first is the one it "
                "calls itself");
  settings.list("--bind", config.bind, "ADDRESS",
                "Address to listen on, 0.0.0.0 for all; may be repeated (default: loopback)");
  settings.port("--mqtts", config.mqtts, "Port of MQTT over TLS; 0: any free one, off: none");
  settings.port("--https", config.https,
                "Port of the HTTPS API; 0: any free one, off: none. Where 443 is not permitted, 8443 is taken by "
                "default");
  settings.number("--loops", config.loops, "N", "Event loops; 0: one per core", 0, 256);
  settings.choice("--durability", config.store.durability,
                  {{"full", store::Durability::kFull}, {"normal", store::Durability::kNormal}}, "full|normal",
                  "full: an acknowledgement survives a power cut; normal: a crash of the process");
  settings.text("--seed", config.seed_file, "FILE", "JSON file of identities to make sure of (docs/seed.md)")
      ->check(CLI::Validator(
          [](const std::string& file) {
            return broker::read_file(file).ok() ? std::string() : "cannot read " + printable(file, 400);
          },
          ""));
  settings.words("--events",
                 {{"lifecycle", &config.behaviour.lifecycle_events},
                  {"twin", &config.behaviour.twin_events},
                  {"connection", &config.behaviour.connection_events}},
                 "What stands in the event stream beside telemetry: lifecycle, twin, connection, with commas between "
                 "them; all, none (default: none)");
  settings.text("--storage-ca", config.storage_ca_file, "FILE",
                "CA of the blob storage that import and export jobs reach by https; without it the system's");
  settings.list("--device", config.devices, "ID", "A device to make sure of, with generated keys; may be repeated");
  settings.text("--ready-file", config.ready_file, "FILE",
                "File to write once everything listens: where, CA, connection strings");
  settings.choice("--log-level", options.log_level,
                  {{"debug", log::Level::kDebug},
                   {"info", log::Level::kInfo},
                   {"warn", log::Level::kWarn},
                   {"error", log::Level::kError},
                   {"off", log::Level::kOff}},
                  "LEVEL", "debug, info, warn, error or off");
  settings.text("--config", config_file, "FILE", "File with these settings, one `name = value` a line");
}

void add_key_settings(Settings settings, broker::Config& config) {
  using broker::ServerKey;
  settings.choice("--server-key", config.server_key,
                  {{"both", ServerKey::kBoth}, {"rsa", ServerKey::kRsa}, {"ec", ServerKey::kEc}}, "KIND",
                  "Server certificates to show: both, rsa or ec");
  settings.choice("--tls-resumption", config.tls_resumption, {{"on", true}, {"off", false}}, "on|off",
                  "Let clients resume a TLS session of the last day in place of a full handshake (docs/tls.md)");
  settings.flag("--well-known-keys", config.well_known_keys,
                "Fixed, published keys and CA instead of random ones (docs/well-known-keys.md)");
  settings.flag("--i-know-these-keys-are-public", config.i_know_these_keys_are_public,
                "Let a hub with well-known keys listen beyond loopback");
}

void add_behaviour_settings(Settings settings, broker::Config& config) {
  settings.flag("--strict", config.behaviour.strict,
                "The cloud's limits too: five subscriptions, api-version in user names");
  settings.flag("--empty-method-payload", config.behaviour.empty_method_payload,
                "Deliver an absent method payload as an empty body, as the cloud does, and not as null");
  settings.flag("--test-clock", config.test_clock,
                "Let POST /_nearhub/clock move the hub's clock forward, for tests of expiry");
}

void add_times(Settings settings, broker::Config& config) {
  constexpr std::uint64_t kMostSeconds = std::uint64_t{10} * 365 * 24 * 3600;
  settings.number("--sas-clock-skew-s", config.sas_times.skew_s, "SECONDS",
                  "A token is accepted until this long after its expiry", 0, kMostSeconds);
  settings.number("--sas-grace-s", config.sas_times.grace_s, "SECONDS",
                  "A connection ends this long after its token's expiry", 0, kMostSeconds);
  settings.duration("--handshake-time-s", config.mqtt.handshake_time, "For a TLS handshake");
  settings.duration("--connect-time-s", config.mqtt.connect_time, "From the handshake to the CONNECT");
  settings.duration("--keep-alive-cap-s", config.mqtt.keep_alive_cap, "The longest silence of a client");
  settings.duration("--keep-alive-grace-s", config.mqtt.keep_alive_grace,
                    "Added for clients that ask for more than the cap allows; 0 copies the cloud", 0);
  settings.duration("--output-stall-s", config.mqtt.output_stall,
                    "A client that takes nothing for so long is dropped");
  settings.duration("--c2d-hold-ms", config.limits.cloud_hold,
                    "Queued messages wait so long for the client's subscription; 0 copies the cloud", 0);
  settings.duration("--c2d-default-ttl-s", config.limits.cloud_message_ttl,
                    "Life of a cloud-to-device message that names no expiry");
  settings.duration("--event-retention-s", config.store.event_retention, "How long telemetry is kept");
}

void add_bounds(Settings settings, broker::Config& config) {
  settings.number("--event-retention-bytes", config.store.event_bytes, "BYTES",
                  "Telemetry kept at the most; the oldest goes first");
  settings.number("--max-connections", config.connections.connections, "N", "Connections at a time, all doors");
  settings.number("--max-half-open", config.connections.half_open, "N",
                  "Connections before their CONNECT or first request, per loop and door");
  settings.number("--max-connect-bytes", config.mqtt.connect_bytes, "BYTES", "A CONNECT packet, its will included");
  settings.number("--max-output-bytes", config.mqtt.output_bytes, "BYTES", "Output waiting for one MQTT client");
  settings.number("--max-unacknowledged-publishes", config.mqtt.unacknowledged_publishes, "N",
                  "Of one client; then it is not read from until the store caught up");
  settings.number("--max-subscriptions", config.mqtt.subscriptions, "N", "Distinct filters of one client");
  settings.number("--c2d-queue-depth", config.limits.cloud_queue_messages, "N", "Messages waiting for one identity");
  settings.number("--c2d-in-flight", config.limits.cloud_in_flight, "N",
                  "Messages sent to one client and not settled; 1 is the gentlest for small boards");
  settings.number("--methods-in-flight", config.limits.methods_in_flight, "N",
                  "Direct method calls of one identity under way");
  settings.number("--max-uncommitted-bytes", config.limits.uncommitted_bytes, "BYTES",
                  "Telemetry waiting for the disk, per loop; then publishers are not read from");
  settings.number("--cache-bytes", config.limits.cache_bytes, "BYTES", "Memory for devices that are not connected", 0);
  settings.number("--max-body-bytes", config.http.body_bytes, "BYTES", "Body of an HTTPS request");
}

}  // namespace

void add_serve(CLI::App& app, Invocation& invocation) {
  CLI::App& serve = *app.add_subcommand("serve", "Run a hub until it is stopped");
  // The values live as long as the command line's callbacks.
  auto options = std::make_shared<ServeOptions>();
  auto config_file = std::make_shared<std::string>();
  broker::Config& config = options->config;
  config.data_folder = broker::default_data_folder();
  add_general_settings({serve, "Options"}, *options, *config_file);
  add_key_settings({serve, "Keys and certificates"}, config);
  add_behaviour_settings({serve, "Behaviour"}, config);
  add_times({serve, "Times"}, config);
  add_bounds({serve, "Bounds"}, config);
  serve.footer(
      "Each flag is also the environment variable that stands beside it, and a line of the config file.\n"
      "A flag wins over the environment, the environment over the file. A switch is true or false there;\n"
      "several values are separated by commas in the environment, and a list in the file:\n"
      "  # hub.conf\n"
      "  host = [\"hub.local.test\", \"hub.lan\"]\n"
      "  bind = 0.0.0.0\n"
      "  in-memory = true\n"
      "\n"
      "SIGTERM and Ctrl-C stop the hub in order, a second one stops it at once.\n"
      "\n"
      "Examples:\n"
      "  nearhub serve --device thermostat\n"
      "  nearhub serve --bind 0.0.0.0 --host hub.lan\n"
      "  nearhub serve --in-memory --mqtts 0 --https 0 --ready-file ready.json");
  serve.callback([options, config_file, &serve, &invocation] {
    if (!config_file->empty()) read_config_file(serve, *config_file);
    invocation.run = [options, &console = invocation.console] { return tools::serve(std::move(*options), console); };
  });
}

}  // namespace nearhub::tools
