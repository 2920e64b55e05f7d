// The flags of `nearhub job twin`, `job method` and `job results`.
#include "tools/flags.h"
#include "tools/method.h"
#include "tools/scheduled_job.h"
#include "tools/twin.h"

namespace nearhub::tools {
namespace {

// Those of both kinds. `all` is looked at when the arguments are read.
void add_schedule_options(CLI::App& command, NewScheduledJob& job, bool& all) {
  CLI::Option* where = command.add_option("--where", job.condition, "Which devices: a condition of the query language, or a query from FROM on");
  where->type_name("CONDITION");
  CLI::Option* every = command.add_flag("--all", all, "Every device")->excludes(where);
  command.add_option("--id", job.id, "The job's id (default: made)")->type_name("JOB");
  command.add_option("--start", job.start, "When it begins: 10m, 2h, 1d from now, or a time like 2026-01-31T12:00:00Z (default: now)")->type_name("TIME");
  command.add_option("--max-time", job.max_time, "How long it may take, 10m, 2h, 1d (default: 1h); what is not done by then has failed")->type_name("TIME");
  command.add_flag("--no-wait", job.no_wait, "Print the job's id and do not wait for its end");
  add_json_flag(command, job.json);
  command.parse_complete_callback([where, every] {
    if (where->count() == 0 && every->count() == 0) {
      throw CLI::RequiredError("which devices: give --where CONDITION, or --all", CLI::ExitCodes::RequiredError);
    }
  });
}

void add_twin_job(CLI::App& family, Invocation& invocation) {
  struct Call {
    NewScheduledJob job;
    bool all = false;
    std::string argument, file, desired, tags;
  };
  auto call = std::make_shared<Call>();
  CLI::App& command = add_client_command(family, "twin", "Merge into the twins of many devices; null removes", invocation,
                                         [call](HubClient& hub, Console& console) -> Status {
    TwinUpdate update;
    auto body = read_content(call->argument, call->file, console);
    if (!body.ok()) return body.error();
    update.body = std::move(*body);
    if (!call->desired.empty()) update.desired = call->desired;
    if (!call->tags.empty()) update.tags = call->tags;
    auto what = twin_update_body(update);
    if (!what.ok()) return what.error();
    NewScheduledJob job = call->job;
    job.what = std::move(*what);
    if (call->all) job.condition = "*";
    return schedule_job(hub, job, console);
  });
  CLI::Option* argument = command.add_option("JSON", call->argument, "The whole update as JSON: {\"tags\":{},\"properties\":{\"desired\":{}}}; - for standard input");
  argument->option_text("[JSON]");
  CLI::Option* file = command.add_option("--file", call->file, "The whole update from a file")->type_name("FILE")->excludes(argument);
  for (CLI::Option* section : {command.add_option("--desired", call->desired, "JSON object of desired properties"), command.add_option("--tags", call->tags, "JSON object of tags")}) {
    section->type_name("JSON")->excludes(argument)->excludes(file);
  }
  add_schedule_options(command, call->job, call->all);
  command.footer(
      "Fails when an update failed at one device at least.\n"
      "Examples:\n"
      "  nearhub job twin --where \"tags.room = 'lab'\" --desired '{\"interval\":30}'\n"
      "  nearhub job twin --all --tags '{\"checked\":null}' --start 2h");
}

void add_method_job(CLI::App& family, Invocation& invocation) {
  struct Call {
    NewScheduledJob job;
    bool all = false;
    MethodCall method;
    std::string argument, file;
  };
  auto call = std::make_shared<Call>();
  CLI::App& command = add_client_command(family, "method", "Call a direct method on many devices", invocation,
                                         [call](HubClient& hub, Console& console) -> Status {
    MethodCall method = call->method;
    auto payload = read_content(call->argument, call->file, console);
    if (!payload.ok()) return payload.error();
    method.payload = std::move(*payload);
    auto what = method_body(method);
    if (!what.ok()) return what.error();
    NewScheduledJob job = call->job;
    job.method = true;
    job.what = std::move(*what);
    if (call->all) job.condition = "*";
    return schedule_job(hub, job, console);
  });
  command.add_option("NAME", call->method.name, "Name of the method")->required()->option_text("NAME");
  CLI::Option* argument = command.add_option("PAYLOAD", call->argument, "JSON (default: null); - for standard input");
  argument->option_text("[PAYLOAD]");
  command.add_option("--file", call->file, "The payload from a file")->type_name("FILE")->excludes(argument);
  command.add_option("--timeout", call->method.response_timeout_s, "Seconds that a device may take, 5 to 300 (default: 30, or the connect timeout)")
      ->check(CLI::Range(hub::kMinResponseTimeoutSeconds, hub::kMaxResponseTimeoutSeconds))
      ->each([call](const std::string&) { call->method.response_timeout_given = true; })
      ->type_name("S");
  command.add_option("--connect-timeout", call->method.connect_timeout_s, "Seconds to wait for one that is offline (default: 0)")
      ->check(CLI::Range(0, hub::kMaxConnectTimeoutSeconds))
      ->type_name("S");
  add_schedule_options(command, call->job, call->all);
  command.footer(
      "Fails when one device at least could not be called, or did not answer.\n"
      "Examples:\n"
      "  nearhub job method reboot '{\"delay\":5}' --where \"tags.floor = 2\"\n"
      "  nearhub job method ping --where \"FROM devices.modules WHERE moduleId = 'sensor'\" --no-wait");
}

}  // namespace

void add_scheduled_job_commands(CLI::App& job, Invocation& invocation) {
  add_twin_job(job, invocation);
  add_method_job(job, invocation);
  struct Results {
    std::string id;
    bool failed = false, json = false;
  };
  auto results = std::make_shared<Results>();
  CLI::App& command = add_client_command(job, "results", "Show what came of a scheduled job at each device", invocation, [results](HubClient& hub, Console& console) {
    return show_results(hub, results->id, results->failed, results->json, console);
  });
  command.add_option("JOB", results->id, "The job's id")->required()->option_text("JOB");
  command.add_flag("--failed", results->failed, "Only where it failed");
  command.add_flag("--json", results->json, "One JSON object a line, as the hub's query gives it");
  command.footer("Example:\n  nearhub job results nightly-reboot --failed");
}

}  // namespace nearhub::tools
