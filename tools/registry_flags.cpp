// The flags of `nearhub policy` and `nearhub job`.
#include "tools/flags.h"
#include "tools/job.h"
#include "tools/policy.h"

namespace nearhub::tools {
namespace {

void add_name(CLI::App& command, std::string& name) { command.add_option("NAME", name, "The policy")->required()->option_text("NAME"); }

struct PolicyCall {
  std::string name, rights, which = "both";
  bool keys = false, secondary = false, json = false;
};

void add_policy_writes(CLI::App& family, Invocation& invocation) {
  for (const bool replace : {false, true}) {
    auto call = std::make_shared<PolicyCall>();
    CLI::App& command = add_client_command(
        family, replace ? "update" : "create", replace ? "Change what a policy may" : "Create a policy; prints its connection string", invocation,
        [call, replace](HubClient& hub, Console& console) { return put_policy(hub, call->name, call->rights, replace, call->json, console); });
    add_name(command, call->name);
    command.add_option("--rights", call->rights, "RegistryRead, RegistryWrite, ServiceConnect, DeviceConnect, with commas between them")
        ->required()
        ->type_name("RIGHTS");
    add_json_flag(command, call->json);
    command.footer(replace ? "Connections that it admitted and no longer may are closed.\nExample:\n  nearhub policy update dashboard --rights RegistryRead"
                           : "Example:\n  nearhub policy create dashboard --rights RegistryRead,ServiceConnect");
  }
  auto call = std::make_shared<PolicyCall>();
  CLI::App& command = add_client_command(
      family, "regenerate", "Make a policy's keys anew; prints its connection string", invocation,
      [call](HubClient& hub, Console& console) {
        return regenerate_policy(hub, call->name, call->which == "both" ? "both" : call->which + "Key", call->json, console);
      });
  add_name(command, call->name);
  command.add_option("--key", call->which, "primary, secondary or both")->check(CLI::IsMember({"primary", "secondary", "both"}))->capture_default_str()->type_name("WHICH");
  add_json_flag(command, call->json);
  command.footer("Tokens of the old key are refused from now on, connections that one admitted are closed.\nExample:\n  nearhub policy regenerate device --key secondary");
}

void add_policy_reads(CLI::App& family, Invocation& invocation) {
  auto list = std::make_shared<PolicyCall>();
  CLI::App& list_command = add_client_command(family, "list", "List the policies", invocation,
                                              [list](HubClient& hub, Console& console) { return list_policies(hub, list->keys, list->json, console); });
  list_command.add_flag("--keys", list->keys, "With their keys");
  add_json_flag(list_command, list->json);
  list_command.footer("Example:\n  nearhub policy list");

  auto show = std::make_shared<PolicyCall>();
  CLI::App& show_command = add_client_command(family, "show", "Show a policy", invocation,
                                              [show](HubClient& hub, Console& console) { return show_policy(hub, show->name, show->keys, show->json, console); });
  add_name(show_command, show->name);
  show_command.add_flag("--keys", show->keys, "With its keys; without this they are left out, and are \"***\" in JSON");
  add_json_flag(show_command, show->json);
  show_command.footer("Example:\n  nearhub policy show service");

  auto text = std::make_shared<PolicyCall>();
  CLI::App& text_command = add_client_command(
      family, "connection-string", "Print what a client of the policy connects with", invocation,
      [text](HubClient& hub, Console& console) { return print_policy_connection_string(hub, text->name, text->secondary, console); });
  add_name(text_command, text->name);
  text_command.add_flag("--secondary", text->secondary, "With the secondary key");
  text_command.footer("Example:\n  nearhub policy connection-string service");

  auto gone = std::make_shared<PolicyCall>();
  CLI::App& gone_command = add_client_command(family, "delete", "Delete a policy and close the connections that it admitted", invocation,
                                              [gone](HubClient& hub, Console& console) { return delete_policy(hub, gone->name, console); });
  add_name(gone_command, gone->name);
  gone_command.footer("Example:\n  nearhub policy delete dashboard");
}

void add_transfer(CLI::App& family, Invocation& invocation, bool import) {
  auto job = std::make_shared<NewJob>();
  job->import = import;
  CLI::App& command = add_client_command(family, import ? "import" : "export",
                                         import ? "Create, update or delete identities as a file says" : "Write all identities and twins into a file", invocation,
                                         [job](HubClient& hub, Console& console) { return start_job(hub, *job, console); });
  command.add_option("CONTAINER", job->container, "file:///NAME, a folder below `blobs` in the hub's data folder; or the SAS URI of a blob container")
      ->required()
      ->option_text("CONTAINER");
  command.add_option("--blob", job->blob, "Name of the file in it (default: devices.txt)")->type_name("NAME");
  if (import) {
    command.add_option("--errors", job->output_container, "Where importErrors.log goes (default: CONTAINER)")->type_name("CONTAINER");
  } else {
    command.add_flag("--exclude-keys", job->exclude_keys, "Leave the keys out");
  }
  command.add_flag("--no-wait", job->no_wait, "Print the job's id and do not wait for its end");
  add_json_flag(command, job->json);
  command.footer(import ? "Example:\n  nearhub job import file:///backup" : "Example:\n  nearhub job export file:///backup");
}

void add_job_reads(CLI::App& family, Invocation& invocation) {
  auto list_json = std::make_shared<bool>(false);
  CLI::App& list = add_client_command(family, "list", "List the jobs of the last 30 days", invocation,
                                      [list_json](HubClient& hub, Console& console) { return list_jobs(hub, *list_json, console); });
  add_json_flag(list, *list_json);
  list.footer("Example:\n  nearhub job list");
  struct Show {
    std::string id;
    bool json = false;
  };
  auto show = std::make_shared<Show>();
  CLI::App& command = add_client_command(family, "show", "Show a job", invocation,
                                         [show](HubClient& hub, Console& console) { return show_job(hub, show->id, show->json, console); });
  command.add_option("JOB", show->id, "The job's id")->required()->option_text("JOB");
  add_json_flag(command, show->json);
  command.footer("Example:\n  nearhub job show \"$(nearhub job export file:///backup --no-wait)\"");
  auto cancel = std::make_shared<Show>();
  CLI::App& cancel_command = add_client_command(family, "cancel", "Cancel a job", invocation,
                                                [cancel](HubClient& hub, Console& console) { return cancel_job(hub, cancel->id, console); });
  cancel_command.add_option("JOB", cancel->id, "The job's id")->required()->option_text("JOB");
  cancel_command.footer("Import and export jobs while they run: what an import has done by then stays. Scheduled jobs until they run.\nExample:\n  nearhub job cancel 5a9c6c1e-0b7e-4d0a-9a35-0f6f3a7c0c55");
}

}  // namespace

void add_registry_commands(CLI::App& app, Invocation& invocation) {
  CLI::App& policy = add_family(app, "policy", "Create, list, show, change and delete shared access policies");
  add_policy_writes(policy, invocation);
  add_policy_reads(policy, invocation);
  CLI::App& job = add_family(app, "job", "Update or call many devices; import and export identities");
  add_scheduled_job_commands(job, invocation);
  add_transfer(job, invocation, true);
  add_transfer(job, invocation, false);
  add_job_reads(job, invocation);
}

}  // namespace nearhub::tools
