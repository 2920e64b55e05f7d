// What the files that declare flags share. They alone include CLI11, which is slow to compile; the commands themselves
// do not.
//
// THREAD: the main thread.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"

namespace nearhub::tools {

// The command that the arguments asked for. Callbacks of CLI11 set `run`; it runs when all arguments are read.
struct Invocation {
  Console& console;
  const Clock& clock;
  std::function<int()> run;
};

// 0, or the error's line and 1; 2 for an error that the arguments could have avoided.
int exit_code(const Status& status, Console& console);

// A command that talks to a hub. The hub is looked for and the body called after the arguments were read; the body
// lives until then.
using ClientBody = std::function<Status(HubClient& hub, Console& console)>;

// Adds a subcommand with the flags that say where the hub is.
CLI::App& add_client_command(CLI::App& parent, const std::string& name, const std::string& help, Invocation& invocation,
                             ClientBody body);

// The same for a command that may do without: `body` gets the flags of the hub.
using FreeBody = std::function<Status(const HubFlags& hub, Console& console)>;
CLI::App& add_free_command(CLI::App& parent, const std::string& name, const std::string& help, Invocation& invocation,
                           FreeBody body);

// A command that only holds others.
CLI::App& add_family(CLI::App& parent, const std::string& name, const std::string& help);

// Required positional arguments.
enum class IdentityKind { kDevice, kModule, kEither };
void add_identity(CLI::App& command, IdentityId& id, IdentityKind kind);

// What making a certificate takes besides its authority; only together with the flag `needed`.
struct IdentityCertificate;
void add_certificate_options(CLI::App& command, IdentityCertificate& certificate, CLI::Option& needed);

void add_json_flag(CLI::App& command, bool& json);

// The families, one function per file.
void add_serve(CLI::App& app, Invocation& invocation);
void add_identity_commands(CLI::App& app, Invocation& invocation);  // device, module
void add_authority_commands(CLI::App& app, Invocation& invocation);  // ca
void add_certificate_commands(CLI::App& app, Invocation& invocation);  // cert
void add_board_commands(CLI::App& app, Invocation& invocation);  // board
void add_configuration_commands(CLI::App& app, Invocation& invocation);  // config
void add_registry_commands(CLI::App& app, Invocation& invocation);  // policy, job
void add_message_commands(CLI::App& app, Invocation& invocation);   // monitor, twin, method, send, purge
void add_scheduled_job_commands(CLI::App& job, Invocation& invocation);  // below job
void add_query_command(CLI::App& app, Invocation& invocation);
void add_hub_commands(CLI::App& app, Invocation& invocation);       // sas, why, status, examples, clock

}  // namespace nearhub::tools
