// The flags of `nearhub monitor`, `twin`, `method`, `send`, `feedback` and `purge`.
#include "tools/cloud_message.h"
#include "tools/feedback.h"
#include "tools/flags.h"
#include "tools/identity.h"
#include "tools/method.h"
#include "tools/monitor.h"
#include "tools/twin.h"
#include "tools/twin_watch.h"

namespace nearhub::tools {
namespace {

void add_monitor(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<MonitorOptions>();
  CLI::App& command = add_client_command(app, "monitor", "Show telemetry as it arrives", invocation,
                                         [options](HubClient& hub, Console& console) {
                                           Interrupt interrupt;
                                           const InterruptOnSignals on_signals(interrupt);
                                           interrupt.watch_reader(console.output_fd());
                                           return monitor(hub, *options, interrupt, console);
                                         });
  command
      .add_option_function<std::string>(
          "ID",
          [options](const std::string& text) {
            auto parsed = parse_identity(text);
            if (!parsed.ok()) throw CLI::ValidationError("ID", parsed.error().detail);
            options->identity = std::move(*parsed);
          },
          "DEVICE, or DEVICE/MODULE (default: all)")
      ->option_text("[ID]");
  command
      .add_option("--since", options->since,
                  "From then on: 10m, 2h, 1d ago, start, or a time like 2026-01-31T12:00:00Z (default: now)")
      ->type_name("TIME");
  command.add_flag("--no-follow{false}", options->follow, "End when all that is there was shown");
  CLI::Option* pretty = command.add_flag("--pretty", options->pretty,
                                         "Every message in lines, its body laid out, with the hub's annotations");
  command.add_flag("--json", options->json, "One JSON object a line, for scripts")->excludes(pretty);
  command.footer("Examples:\n  nearhub monitor thermostat\n  nearhub monitor --since 1h --no-follow --json | jq .body");
}

void add_twin_change(CLI::App& family, Invocation& invocation, bool replace) {
  struct Change {
    TwinUpdate update;
    std::string argument, file, desired, tags;
  };
  auto change = std::make_shared<Change>();
  change->update.replace = replace;
  CLI::App& command = add_client_command(family, replace ? "replace" : "patch",
                                         replace ? "Set tags and desired properties; what is not given is emptied"
                                                 : "Merge into tags and desired properties; null removes",
                                         invocation, [change](HubClient& hub, Console& console) -> Status {
                                           TwinUpdate update = change->update;
                                           auto body = read_content(change->argument, change->file, console);
                                           if (!body.ok()) return body.error();
                                           update.body = std::move(*body);
                                           if (!change->desired.empty()) update.desired = change->desired;
                                           if (!change->tags.empty()) update.tags = change->tags;
                                           return update_twin(hub, update, console);
                                         });
  add_identity(command, change->update.id, IdentityKind::kEither);
  CLI::Option* argument = command.add_option(
      "JSON", change->argument,
      "The whole update as JSON: {\"tags\":{},\"properties\":{\"desired\":{}}}; - for standard input");
  argument->option_text("[JSON]");
  CLI::Option* file =
      command.add_option("--file", change->file, "The whole update from a file")->type_name("FILE")->excludes(argument);
  for (CLI::Option* section : {command.add_option("--desired", change->desired, "JSON object of desired properties"),
                               command.add_option("--tags", change->tags, "JSON object of tags")}) {
    section->type_name("JSON")->excludes(argument)->excludes(file);
  }
  command.add_option("--etag", change->update.etag, "Only if the twin still has this etag")->type_name("TEXT");
  add_json_flag(command, change->update.json);
  command.footer(
      replace ? "Example:\n  nearhub twin replace thermostat --desired '{\"interval\":10}' --tags '{\"room\":\"hall\"}'"
              : "Example:\n  nearhub twin patch thermostat --desired '{\"interval\":10,\"mode\":null}'");
}

void add_twin_watch(CLI::App& family, Invocation& invocation) {
  struct Watched {
    IdentityId id;
    bool json = false;
  };
  auto watched = std::make_shared<Watched>();
  CLI::App& command = add_client_command(family, "watch", "Show what changes in a twin, as it changes", invocation,
                                         [watched](HubClient& hub, Console& console) {
                                           Interrupt interrupt;
                                           const InterruptOnSignals on_signals(interrupt);
                                           interrupt.watch_reader(console.output_fd());
                                           return watch_twin(hub, watched->id, watched->json, interrupt, console);
                                         });
  add_identity(command, watched->id, IdentityKind::kEither);
  command.add_flag("--json", watched->json, "One JSON object a line, for scripts");
  command.footer("Examples:\n  nearhub twin watch thermostat\n  nearhub twin watch board/firmware --json | jq .properties.reported");
}

void add_twin(CLI::App& app, Invocation& invocation) {
  CLI::App& family = add_family(app, "twin", "Show and change the twin of a device or module");
  struct Show {
    IdentityId id;
    bool json = false;
  };
  auto show = std::make_shared<Show>();
  CLI::App& command = add_client_command(
      family, "show", "Show a twin", invocation,
      [show](HubClient& hub, Console& console) { return show_twin(hub, show->id, show->json, console); });
  add_identity(command, show->id, IdentityKind::kEither);
  add_json_flag(command, show->json);
  command.footer("Examples:\n  nearhub twin show thermostat\n  nearhub twin show thermostat --json | jq .properties.reported");
  add_twin_change(family, invocation, false);
  add_twin_change(family, invocation, true);
  add_twin_watch(family, invocation);
}

void add_method(CLI::App& app, Invocation& invocation) {
  struct Call {
    MethodCall method;
    std::string argument, file;
  };
  auto call = std::make_shared<Call>();
  CLI::App& command = add_client_command(app, "method", "Call a direct method and show the device's answer", invocation,
                                         [call](HubClient& hub, Console& console) -> Status {
                                           MethodCall method = call->method;
                                           auto payload = read_content(call->argument, call->file, console);
                                           if (!payload.ok()) return payload.error();
                                           method.payload = std::move(*payload);
                                           return invoke_method(hub, method, console);
                                         });
  add_identity(command, call->method.id, IdentityKind::kEither);
  command.add_option("NAME", call->method.name, "Name of the method")->required()->option_text("NAME");
  CLI::Option* argument = command.add_option("PAYLOAD", call->argument, "JSON (default: null); - for standard input");
  argument->option_text("[PAYLOAD]");
  command.add_option("--file", call->file, "The payload from a file")->type_name("FILE")->excludes(argument);
  command
      .add_option("--timeout", call->method.response_timeout_s,
                  "Seconds that the device may take, 5 to 300 (default: 30, or the connect timeout)")
      ->check(CLI::Range(hub::kMinResponseTimeoutSeconds, hub::kMaxResponseTimeoutSeconds))
      ->each([call](const std::string&) { call->method.response_timeout_given = true; })
      ->type_name("S");
  command
      .add_option("--connect-timeout", call->method.connect_timeout_s,
                  "Seconds to wait for a device that is offline (default: 0)")
      ->check(CLI::Range(0, hub::kMaxConnectTimeoutSeconds))
      ->type_name("S");
  add_json_flag(command, call->method.json);
  command.footer(
      "Succeeds when the device answered, whatever status it gave.\n"
      "Example:\n"
      "  nearhub method thermostat reboot '{\"delay\":5}' --timeout 60");
}

void add_send(CLI::App& app, Invocation& invocation) {
  struct Send {
    NewCloudMessage message;
    std::string argument, file;
  };
  auto send = std::make_shared<Send>();
  CLI::App& command = add_client_command(app, "send", "Send a cloud-to-device message", invocation,
                                         [send](HubClient& hub, Console& console) -> Status {
                                           NewCloudMessage message = send->message;
                                           auto body = read_content(send->argument, send->file, console);
                                           if (!body.ok()) return body.error();
                                           message.body = std::move(*body);
                                           return send_cloud_message(hub, message, console);
                                         });
  NewCloudMessage& message = send->message;
  add_identity(command, message.id, IdentityKind::kEither);
  CLI::Option* argument = command.add_option("BODY", send->argument, "The message; - for standard input");
  argument->option_text("[BODY]");
  CLI::Option* file = command.add_option("--file", send->file, "The message from a file");
  file->type_name("FILE")->excludes(argument);
  command.add_option("--prop", message.properties, "An application property; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  command.add_option("--ack", message.ack, "Feedback wanted: none, positive, negative or full (default: none)")
      ->check(CLI::IsMember({"none", "positive", "negative", "full"}))
      ->type_name("KIND");
  command.add_option("--message-id", message.message_id, "Made when feedback is wanted and none is given")
      ->type_name("TEXT");
  command.add_option("--correlation-id", message.correlation_id, "Of a message that this one answers")
      ->type_name("TEXT");
  command.add_option("--user-id", message.user_id, "Who sends it")->type_name("TEXT");
  command.add_option("--content-type", message.content_type, "For instance application/json")->type_name("TEXT");
  command.add_option("--content-encoding", message.content_encoding, "For instance utf-8")->type_name("TEXT");
  command.add_option("--expiry", message.expiry, "10m, 2h, 1d from now, or a time like 2026-01-31T12:00:00Z")
      ->type_name("TIME");
  command.parse_complete_callback([argument, file] {
    // An empty message must be asked for: ''.
    if (argument->count() == 0 && file->count() == 0) {
      throw CLI::RequiredError("nothing to send: give BODY, - for standard input, or --file FILE",
                               CLI::ExitCodes::RequiredError);
    }
  });
  command.footer(
      "Examples:\n"
      "  nearhub send thermostat 'hello' --prop level=3 --ack full\n"
      "  nearhub send thermostat --file firmware.json --content-type application/json --expiry 10m");
}

void add_feedback(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<FeedbackOptions>();
  CLI::App& command = add_client_command(app, "feedback", "Show what became of messages that were sent with --ack", invocation,
                                         [options](HubClient& hub, Console& console) {
                                           Interrupt interrupt;
                                           const InterruptOnSignals on_signals(interrupt);
                                           interrupt.watch_reader(console.output_fd());
                                           return show_feedback(hub, *options, interrupt, console);
                                         });
  CLI::Option* follow = command.add_flag("--follow", options->follow, "Go on as feedback comes, until Ctrl-C");
  command.add_flag("--keep", options->keep, "Leave at the hub what is shown, 1000 records at most (default: each is shown once)")->excludes(follow);
  command.add_flag("--json", options->json, "One JSON object a line, for scripts");
  command.footer("Example:\n  nearhub send thermostat hello --ack full\n  nearhub feedback");
}

void add_purge(CLI::App& app, Invocation& invocation) {
  struct Purge {
    IdentityId id;
    bool json = false;
  };
  auto purge = std::make_shared<Purge>();
  CLI::App& command = add_client_command(
      app, "purge", "Throw the queued cloud-to-device messages away", invocation,
      [purge](HubClient& hub, Console& console) { return purge_cloud_messages(hub, purge->id, purge->json, console); });
  add_identity(command, purge->id, IdentityKind::kEither);
  add_json_flag(command, purge->json);
  command.footer("Example:\n  nearhub purge thermostat");
}

}  // namespace

void add_message_commands(CLI::App& app, Invocation& invocation) {
  add_monitor(app, invocation);
  add_twin(app, invocation);
  add_method(app, invocation);
  add_send(app, invocation);
  add_feedback(app, invocation);
  add_purge(app, invocation);
}

}  // namespace nearhub::tools
