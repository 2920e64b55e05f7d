#include "tools/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "hub/similar_ids.h"
#include "tools/flags.h"
#include "tools/help_formatter.h"
#include "tools/identity.h"
#include "tools/terminal_text.h"

namespace nearhub::tools {
namespace {

constexpr int kFailed = 1, kWrongArguments = 2;

// The command that the arguments reached.
const CLI::App& reached_command(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return *at;
}

// "nearhub device create".
std::string typed_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : typed_name(*parent) + " " + command.get_name();
}

// "device create"; empty for nearhub itself.
std::string short_name(const CLI::App& command) {
  const std::string name = typed_name(command);
  return name.substr(std::min(name.find(' '), name.size() - 1) + 1);
}

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

// In place of CLI11's "A subcommand is required".
std::string missing_command_text(const CLI::App& family) {
  const std::vector<std::string> known = subcommand_names(family), rest = family.remaining();
  const std::string prefix = family.get_parent() == nullptr ? "" : short_name(family) + " ";
  const auto given = std::find_if(rest.begin(), rest.end(), [](const auto& word) { return !word.starts_with('-'); });
  if (given == rest.end()) {
    return fmt::format("which command{}? There are {}", prefix.empty() ? "" : " of " + short_name(family),
                       fmt::join(known, ", "));
  }
  hub::SimilarIds similar(*given);
  for (const std::string& name : known) similar.look_at(name);
  const auto nearest = similar.nearest();
  return fmt::format("there is no command {}{}{}", prefix, terminal_text(*given),
                     nearest.empty() ? "" : fmt::format("; did you mean {}{}?", prefix, nearest.front()));
}

// Where a wrong value came from, when no flag has it.
std::string origin(const CLI::App& command, const std::string& complaint, const std::vector<std::string>& arguments) {
  const std::string flag = complaint.substr(0, complaint.find(':'));
  const CLI::Option* option = flag.starts_with("--") ? command.get_option_no_throw(flag) : nullptr;
  if (option == nullptr || option->get_envname().empty() || std::getenv(option->get_envname().c_str()) == nullptr) {
    return {};
  }
  const bool given = std::any_of(arguments.begin(), arguments.end(), [&flag](const std::string& argument) {
    return argument == flag || argument.starts_with(flag + "=");
  });
  return given ? std::string() : " (from " + option->get_envname() + ")";
}

// CLI11 would list what stood before the command, backwards.
std::string misplaced_flag_text(const CLI::App& app, const CLI::App& command) {
  const std::vector<std::string> rest = app.remaining();
  const auto flag = std::find_if(rest.begin(), rest.end(), [](const auto& word) { return word.starts_with('-'); });
  if (flag == rest.end() || &app == &command || command.get_option_no_throw(*flag) == nullptr) return {};
  return fmt::format("{0} stands behind the command: {1} {0} ...", terminal_text(*flag), typed_name(command));
}

std::string failure_text(const CLI::App& app, const CLI::Error& error, const std::vector<std::string>& arguments) {
  const CLI::App& command = reached_command(app);
  std::string complaint = error.what();
  if (!subcommand_names(command).empty()) {
    complaint = missing_command_text(command);
  } else {
    const std::string misplaced = misplaced_flag_text(app, command);
    complaint = misplaced.empty() ? terminal_text(complaint) + origin(command, complaint, arguments) : misplaced;
  }
  return fmt::format("nearhub: {}\nTry `{} --help`.\n", complaint, typed_name(command));
}

}  // namespace

int exit_code(const Status& status, Console& console) {
  if (status.ok()) return 0;
  console.say(status.error().detail);
  return status.error().code == ErrorCode::kInvalidSetting ? kWrongArguments : kFailed;
}

CLI::App& add_free_command(CLI::App& parent, const std::string& name, const std::string& help, Invocation& invocation,
                           FreeBody body) {
  CLI::App& command = *parent.add_subcommand(name, help);
  // Shared with the callback, which CLI11 copies.
  auto hub = std::make_shared<HubFlags>();
  const std::string group = "Where the hub is (default: the hub of this machine)";
  command
      .add_option("--login", hub->login, "Connection string of a shared access policy; else NEARHUB_CONNECTION_STRING")
      ->type_name("TEXT")
      ->group(group);
  command.add_option("--data", hub->data_folder, "Data folder of a hub on this machine; else NEARHUB_DATA")
      ->type_name("DIR")
      ->group(group);
  command
      .add_option("--ca", hub->ca_file,
                  "File with the CA to trust; else NEARHUB_CA_FILE, the data folder's, the system's")
      ->type_name("FILE")
      ->group(group);
  command.callback([hub, &invocation, body = std::move(body)] {
    invocation.run = [hub, &console = invocation.console, body] {
      return exit_code(body(*hub, console), console);
    };
  });
  return command;
}

CLI::App& add_client_command(CLI::App& parent, const std::string& name, const std::string& help, Invocation& invocation,
                             ClientBody body) {
  return add_free_command(
      parent, name, help, invocation,
      [&clock = invocation.clock, body = std::move(body)](const HubFlags& flags, Console& console) -> Status {
        auto hub = HubClient::open(flags, clock);
        if (!hub.ok()) return hub.error();
        return body(**hub, console);
      });
}

CLI::App& add_family(CLI::App& parent, const std::string& name, const std::string& help) {
  CLI::App& family = *parent.add_subcommand(name, help);
  family.require_subcommand(1);
  return family;
}

void add_identity(CLI::App& command, IdentityId& id, IdentityKind kind) {
  const std::string name = kind == IdentityKind::kDevice   ? "DEVICE"
                           : kind == IdentityKind::kModule ? "DEVICE/MODULE"
                                                           : "ID";
  const std::string help = kind == IdentityKind::kDevice   ? "Device id"
                           : kind == IdentityKind::kModule ? "Device id, a slash, module id"
                                                           : "DEVICE, or DEVICE/MODULE";
  command
      .add_option_function<std::string>(
          name,
          [&id, name, kind](const std::string& text) {
            auto parsed = parse_identity(text);
            if (!parsed.ok()) throw CLI::ValidationError(name, parsed.error().detail);
            if (kind == IdentityKind::kDevice && parsed->is_module()) {
              throw CLI::ValidationError(name, text + " names a module; give a device id");
            }
            if (kind == IdentityKind::kModule && !parsed->is_module()) {
              throw CLI::ValidationError(name, text + " names no module; give DEVICE/MODULE");
            }
            id = std::move(*parsed);
          },
          help)
      ->required()
      ->option_text(name);
}

void add_json_flag(CLI::App& command, bool& json) {
  command.add_flag("--json", json, "JSON as the hub's API gives it, for scripts");
}

int run_command_line(const std::vector<std::string>& arguments, Console& console) {
  CLI::App app("nearhub: an IoT hub on your desk that Azure IoT SDK clients talk to as if it were Azure IoT Hub",
               "nearhub");
  app.set_help_flag("-h,--help", "Print this help");
  app.set_version_flag("--version", "nearhub " NEARHUB_VERSION, "Print the version");
  app.require_subcommand(1);
  app.formatter(std::make_shared<HelpFormatter>());
  app.footer(
      "First steps:\n"
      "  nearhub serve                     a hub on this machine; leave it running\n"
      "  nearhub device create thermostat  prints the connection string for its firmware or SDK\n"
      "  nearhub examples thermostat       what to paste: Node, Python, mosquitto_pub, curl\n"
      "  nearhub monitor                   telemetry as it arrives\n"
      "  nearhub why                       what was refused, and how to mend it\n"
      "\n"
      "Environment of the client commands, which else find the hub of this machine by themselves:\n"
      "  NEARHUB_CONNECTION_STRING         where the hub is, and a shared access policy with its key\n"
      "  NEARHUB_CA_FILE                   the CA to trust\n"
      "  NEARHUB_DATA                      the data folder of a hub on this machine\n"
      "Settings of the hub itself: nearhub serve --help");
  const SystemClock clock;
  Invocation invocation{console, clock, {}};
  add_serve(app, invocation);
  add_identity_commands(app, invocation);
  add_authority_commands(app, invocation);
  add_certificate_commands(app, invocation);
  add_board_commands(app, invocation);
  add_registry_commands(app, invocation);
  add_configuration_commands(app, invocation);
  add_message_commands(app, invocation);
  add_query_command(app, invocation);
  add_hub_commands(app, invocation);
  try {
    // CLI11 takes them from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      console.complain(failure_text(app, error, arguments));
      return kWrongArguments;
    }
    // Help or version.
    std::ostringstream out, nothing;
    app.exit(error, out, nothing);
    console.print(out.str());
    return 0;
  }
  return invocation.run();
}

}  // namespace nearhub::tools
