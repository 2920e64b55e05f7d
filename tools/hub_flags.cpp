// The flags of `nearhub sas`, `why`, `status`, `examples` and `clock`.
#include <cmath>
#include <cstdlib>

#include "base/text.h"
#include "tools/examples.h"
#include "tools/flags.h"
#include "tools/hub_status.h"
#include "tools/sas.h"
#include "tools/sas_explanation.h"
#include "tools/terminal_text.h"
#include "tools/time_text.h"
#include "tools/why.h"

namespace nearhub::tools {
namespace {

constexpr int kMostRefusals = 1000;  // by the API

void add_sas_make(CLI::App& family, Invocation& invocation) {
  struct Make {
    NewToken token;
    std::string device, module;
  };
  auto make = std::make_shared<Make>();
  CLI::App& command = add_free_command(
      family, "make", "Make a token: for a device, a module, or a service", invocation,
      [make, &clock = invocation.clock](const HubFlags& flags, Console& console) {
        NewToken token = make->token;
        if (!make->device.empty()) token.identity = IdentityId{DeviceId(make->device), ModuleId(make->module)};
        return print_token(flags, token, clock, console);
      });
  const auto check_id_text = CLI::Validator(
      [](const std::string& text) {
        const Status status = check_id(text, "an id");
        return status.ok() ? std::string() : status.error().detail;
      },
      "");
  CLI::Option* device = command.add_option("--device", make->device, "For this device, by its key from the hub")
                            ->check(check_id_text)
                            ->type_name("ID");
  command.add_option("--module", make->module, "For this module of the device")
      ->check(check_id_text)
      ->needs(device)
      ->type_name("ID");
  CLI::Option* login = command
                           .add_option("--connection-string", make->token.connection_string,
                                       "Sign with this one, of a device, module or policy; no hub is asked")
                           ->type_name("TEXT");
  CLI::Option* resource =
      command.add_option("--resource", make->token.resource, "What it is for, not encoded: hub.local.test/devices/d1")
          ->type_name("TEXT");
  CLI::Option* key =
      command.add_option("--key", make->token.key, "Sign with this key; no hub is asked")->type_name("BASE64");
  CLI::Option* policy =
      command.add_option("--policy", make->token.policy, "The policy that the key is of")->type_name("NAME");
  resource->needs(key)->excludes(device)->excludes(login);
  key->needs(resource);
  policy->needs(key);
  command
      .add_option_function<std::string>(
          "--lifetime",
          [make](const std::string& text) {
            const auto lifetime = parse_duration(text);
            if (!lifetime) {
              throw CLI::ValidationError("--lifetime", text + " is no duration: give seconds, or 10m, 2h, 1d");
            }
            make->token.lifetime_s = lifetime->count();
          },
          "Seconds, or 10m, 2h, 1d (default: 3600)")
      ->type_name("TIME");
  command.footer(
      "Without --device: a token of the login's policy for the whole hub.\n"
      "Examples:\n"
      "  nearhub sas make --device thermostat\n"
      "  nearhub sas make --connection-string 'HostName=...;DeviceId=...;SharedAccessKey=...'");
}

void add_sas_explain(CLI::App& family, Invocation& invocation) {
  struct Explain {
    std::string token, key;
    bool check = false;
  };
  auto explain = std::make_shared<Explain>();
  CLI::App& command = add_free_command(
      family, "explain", "Take a token apart: whom it is for, until when, what is wrong with it", invocation,
      [explain, &clock = invocation.clock](const HubFlags& flags, Console& console) -> Status {
        const auto text = read_content(explain->token, {}, console);
        if (!text.ok()) return text.error();
        return print_explanation(flags, *text, explain->key, explain->check, clock, console);
      });
  command.add_option("TOKEN", explain->token, "The token, in quotes; - for standard input")
      ->required()
      ->option_text("TOKEN");
  command.add_option("--key", explain->key, "Check the signature with this key, and find out what went wrong with it")
      ->type_name("BASE64");
  command.add_flag("--check", explain->check, "Have it checked by the rules and keys of the hub");
  command.footer(
      "Needs no hub, but for --check. Fails when a hub would refuse the token.\n"
      "Example:\n"
      "  nearhub sas explain 'SharedAccessSignature sr=...' --check");
}

void add_why(CLI::App& app, Invocation& invocation) {
  auto why = std::make_shared<WhyRequest>();
  CLI::App& command = add_client_command(
      app, "why", "Show what the hub refused, why, and how to mend it", invocation,
      [why](HubClient& hub, Console& console) { return show_refusals(hub, *why, console); });
  command.add_option("ID", why->id, "DEVICE, DEVICE/MODULE or policy:NAME, as the client claimed it (default: all)")
      ->option_text("[ID]");
  command.add_option("--limit", why->limit, "So many of the latest at the most (default: 10)")
      ->check(CLI::Range(1, kMostRefusals))
      ->type_name("N");
  command.add_option("--only", why->kind, "refusal, or warning: what was let through, and what may come of it (default: both)")
      ->check(CLI::IsMember({"refusal", "warning"}))
      ->type_name("KIND")
      ->option_text("KIND");
  add_json_flag(command, why->json);
  command.footer(
      "The latest stands last. The hub keeps the last 16 entries of every id until it stops.\n"
      "Examples:\n"
      "  nearhub why\n"
      "  nearhub why thermostat --only warning\n"
      "  nearhub why --json | jq -r '.[].check'");
}

void add_status(CLI::App& app, Invocation& invocation) {
  auto json = std::make_shared<bool>(false);
  CLI::App& command =
      add_client_command(app, "status", "Show where the hub listens and how it is", invocation,
                         [json](HubClient& hub, Console& console) { return show_status(hub, *json, console); });
  add_json_flag(command, *json);
  command.footer("Examples:\n  nearhub status\n  nearhub status --json | jq .endpoints");
}

void add_examples(CLI::App& app, Invocation& invocation) {
  auto device = std::make_shared<std::string>();
  CLI::App& command = add_client_command(
      app, "examples", "Print examples for this hub, ready to be pasted: Node, Python, mosquitto_pub, curl", invocation,
      [device](HubClient& hub, Console& console) { return show_examples(hub, *device, console); });
  command.add_option("DEVICE", *device, "Device id (default: the first)")->option_text("[DEVICE]");
  command.footer("Example:\n  nearhub examples thermostat");
}

// Seconds, also with a fraction, or a duration with a unit.
std::optional<double> seconds_of(const std::string& text) {
  if (const auto duration = parse_duration(text)) return static_cast<double>(duration->count());
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value) || value < 0) return std::nullopt;
  return value;
}

void add_clock(CLI::App& app, Invocation& invocation) {
  CLI::App& family = add_family(app, "clock", "Move the clock of a hub that runs with --test-clock");
  auto how_far = std::make_shared<std::string>();
  CLI::App& command =
      add_client_command(family, "advance", "Move the hub's clock forward, for tests of expiry", invocation,
                         [how_far](HubClient& hub, Console& console) { return advance_clock(hub, seconds_of(*how_far).value_or(0), console); });
  command.add_option("SECONDS", *how_far, "How far: seconds, or 10m, 2h, 1d")
      ->required()
      ->option_text("SECONDS")
      ->check(CLI::Validator(
          [](const std::string& text) {
            if (text.starts_with('-')) return std::string("a clock moves forward only");
            return seconds_of(text) ? std::string() : terminal_text(text) + " is no number of seconds, and no 10m, 2h or 1d";
          },
          ""));
  command.footer("Example:\n  nearhub clock advance 1h");
}

}  // namespace

void add_hub_commands(CLI::App& app, Invocation& invocation) {
  CLI::App& sas = add_family(app, "sas", "Make a SAS token, or take one apart");
  add_sas_make(sas, invocation);
  add_sas_explain(sas, invocation);
  add_why(app, invocation);
  add_status(app, invocation);
  add_examples(app, invocation);
  add_clock(app, invocation);
}

}  // namespace nearhub::tools
