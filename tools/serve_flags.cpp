#include "tools/serve_flags.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <map>
#include <string>

#include "broker/data_folder.h"

namespace nearhub::tools {
namespace {

// "--max-connections" -> "NEARHUB_MAX_CONNECTIONS".
std::string environment_name(std::string flag) {
  flag.erase(0, flag.find_first_not_of('-'));
  std::replace(flag.begin(), flag.end(), '-', '_');
  for (char& c : flag) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return "NEARHUB_" + flag;
}

template <typename T>
CLI::Option* option(CLI::App& app, const std::string& flag, T& value, const std::string& help) {
  return app.add_option(flag, value, help)->envname(environment_name(flag))->capture_default_str();
}

CLI::Option* flag(CLI::App& app, const std::string& name, bool& value, const std::string& help) {
  return app.add_flag(name, value, help)->envname(environment_name(name));
}

// Durations are given in the unit that their flag names.
template <typename Duration>
void duration(CLI::App& app, const std::string& name, Duration& value, const std::string& help, const std::string& group) {
  app.add_option_function<std::int64_t>(name, [&value](const std::int64_t& given) { value = Duration(given); }, help)
      ->envname(environment_name(name))
      ->default_str(std::to_string(value.count()))
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{10} * 365 * 24 * 3600 * 1000))
      ->group(group);
}

}  // namespace

void add_serve(CLI::App& app, int& exit_code) {
  CLI::App& serve = *app.add_subcommand("serve", "Run a hub until it is stopped");
  // The values live as long as the command line's callbacks.
  auto options = std::make_shared<ServeOptions>();
  broker::Config& config = options->config;
  config.data_folder = broker::default_data_folder();

  option(serve, "--data", config.data_folder, "Folder of the hub's state, keys and certificates; made when missing");
  flag(serve, "--in-memory", config.in_memory, "Keep nothing: a hub that is gone when it stops");
  option(serve, "--host", config.hosts, "A further name of the hub, for instance hub.local.test; may be repeated. The first is the one it calls itself");
  option(serve, "--bind", config.bind, "Address to listen on, 0.0.0.0 for all; may be repeated (default: loopback)");
  const auto port = [&serve](const std::string& name, broker::PortSetting& setting, const std::string& help) {
    serve
        .add_option_function<std::string>(
            name,
            [&setting, name](const std::string& text) {
              auto parsed = broker::parse_port(text);
              if (!parsed.ok()) throw CLI::ValidationError(name, parsed.error().detail);
              setting = *parsed;
            },
            help)
        ->envname(environment_name(name))
        ->default_str(std::to_string(setting.port));
  };
  port("--mqtts", config.mqtts, "Port of MQTT over TLS; 0: any free one, off: none");
  port("--https", config.https, "Port of the HTTPS API; 0: any free one, off: none. Where 443 is not permitted, 8443 is taken by default");
  option(serve, "--loops", config.loops, "Event loops; 0: one per core");
  const std::map<std::string, store::Durability> durabilities = {{"full", store::Durability::kFull}, {"normal", store::Durability::kNormal}};
  option(serve, "--durability", config.store.durability, "full: an acknowledgement survives a power cut; normal: a crash of the process")
      ->transform(CLI::CheckedTransformer(durabilities, CLI::ignore_case))
      ->default_str("full");
  option(serve, "--seed", config.seed_file, "JSON file of identities to make sure of (docs/seed.md)")->check(CLI::ExistingFile);
  option(serve, "--device", config.devices, "A device to make sure of, with generated keys; may be repeated");
  option(serve, "--ready-file", config.ready_file, "File to write once everything listens: where, CA, connection strings");
  const std::map<std::string, log::Level> levels = {{"debug", log::Level::kDebug}, {"info", log::Level::kInfo}, {"warn", log::Level::kWarn},
                                                    {"error", log::Level::kError}, {"off", log::Level::kOff}};
  option(serve, "--log-level", options->log_level, "debug, info, warn, error or off")
      ->transform(CLI::CheckedTransformer(levels, CLI::ignore_case))
      ->default_str("info");
  serve.set_config("--config", "", "File with these settings, one `name = value` a line")->envname("NEARHUB_CONFIG");

  const std::string keys = "Keys and certificates";
  const std::map<std::string, broker::ServerKey> server_keys = {{"both", broker::ServerKey::kBoth}, {"rsa", broker::ServerKey::kRsa}, {"ec", broker::ServerKey::kEc}};
  option(serve, "--server-key", config.server_key, "Server certificates to show: both, rsa or ec")
      ->transform(CLI::CheckedTransformer(server_keys, CLI::ignore_case))
      ->default_str("both")
      ->group(keys);
  flag(serve, "--well-known-keys", config.well_known_keys, "Fixed, published keys and CA instead of random ones (docs/well-known-keys.md)")->group(keys);
  flag(serve, "--i-know-these-keys-are-public", config.i_know_these_keys_are_public, "Let a hub with well-known keys listen beyond loopback")->group(keys);

  const std::string behaviour = "Behaviour";
  flag(serve, "--strict", config.behaviour.strict, "The cloud's limits too: five subscriptions, api-version in user names")->group(behaviour);
  flag(serve, "--empty-method-payload", config.behaviour.empty_method_payload,
       "Deliver an absent method payload as an empty body, as the cloud does, and not as null")
      ->group(behaviour);
  flag(serve, "--test-clock", config.test_clock, "Let POST /_nearhub/clock move the hub's clock forward, for tests of expiry")->group(behaviour);

  const std::string times = "Times";
  const CLI::Range seconds_range(std::int64_t{0}, std::int64_t{10} * 365 * 24 * 3600);
  option(serve, "--sas-clock-skew-s", config.sas_times.skew_s, "A token is accepted until this long after its expiry")->check(seconds_range)->group(times);
  option(serve, "--sas-grace-s", config.sas_times.grace_s, "A connection ends this long after its token's expiry")->check(seconds_range)->group(times);
  duration(serve, "--handshake-time-s", config.mqtt.handshake_time, "For a TLS handshake", times);
  duration(serve, "--connect-time-s", config.mqtt.connect_time, "From the handshake to the CONNECT", times);
  duration(serve, "--keep-alive-cap-s", config.mqtt.keep_alive_cap, "The longest silence of a client", times);
  duration(serve, "--keep-alive-grace-s", config.mqtt.keep_alive_grace, "Added for clients that ask for more than the cap allows; 0 copies the cloud", times);
  duration(serve, "--output-stall-s", config.mqtt.output_stall, "A client that takes nothing for so long is dropped", times);
  duration(serve, "--c2d-hold-ms", config.limits.cloud_hold, "Queued messages wait so long for the client's subscription; 0 copies the cloud", times);
  duration(serve, "--c2d-default-ttl-s", config.limits.cloud_message_ttl, "Life of a cloud-to-device message that names no expiry", times);
  duration(serve, "--event-retention-s", config.store.event_retention, "How long telemetry is kept", times);

  const std::string bounds = "Bounds";
  option(serve, "--event-retention-bytes", config.store.event_bytes, "Telemetry kept at the most; the oldest goes first")->group(bounds);
  option(serve, "--max-connections", config.connections.connections, "Connections at a time, all doors")->group(bounds);
  option(serve, "--max-half-open", config.connections.half_open, "Connections before their CONNECT or first request, per loop and door")->group(bounds);
  option(serve, "--max-connect-bytes", config.mqtt.connect_bytes, "A CONNECT packet, its will included")->group(bounds);
  option(serve, "--max-output-bytes", config.mqtt.output_bytes, "Output waiting for one MQTT client")->group(bounds);
  option(serve, "--max-unacknowledged-publishes", config.mqtt.unacknowledged_publishes, "Of one client; then it is not read from until the store caught up")
      ->group(bounds);
  option(serve, "--max-subscriptions", config.mqtt.subscriptions, "Distinct filters of one client")->group(bounds);
  option(serve, "--c2d-queue-depth", config.limits.cloud_queue_messages, "Messages waiting for one identity")->group(bounds);
  option(serve, "--c2d-in-flight", config.limits.cloud_in_flight, "Messages sent to one client and not settled; 1 is the gentlest for small boards")->group(bounds);
  option(serve, "--methods-in-flight", config.limits.methods_in_flight, "Direct method calls of one identity under way")->group(bounds);
  option(serve, "--max-uncommitted-bytes", config.limits.uncommitted_bytes, "Telemetry waiting for the disk, per loop; then publishers are not read from")
      ->group(bounds);
  option(serve, "--cache-bytes", config.limits.cache_bytes, "Memory for devices that are not connected")->group(bounds);
  option(serve, "--max-body-bytes", config.http.body_bytes, "Body of an HTTPS request")->group(bounds);

  serve.callback([options, &exit_code] { exit_code = tools::serve(std::move(*options)); });
}

}  // namespace nearhub::tools
