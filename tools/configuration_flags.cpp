// The flags of `nearhub config`.
#include "tools/configuration.h"
#include "tools/flags.h"

namespace nearhub::tools {
namespace {

void add_configuration_id(CLI::App& command, std::string& id) {
  command.add_option("ID", id, "Its id: lower-case letters, digits and - + % _ * ! '")->required()->option_text("ID");
}

void add_change(CLI::App& command, ConfigurationChange& change) {
  add_configuration_id(command, change.id);
  command.add_option("--target", change.target, "Whom it is for: a condition as behind WHERE of a query; * for all")->type_name("CONDITION");
  command.add_option("--priority", change.priority, "Who wins where two say different things: the higher one")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{2147483647}))
      ->type_name("N");
  command.add_option("--label", change.labels, "NAME=TEXT, for yourself; may be repeated")->type_name("NAME=TEXT")->expected(1)->take_all();
  command.add_option("--metric", change.metrics, "NAME=QUERY: how many rows it has is counted; may be repeated")->type_name("NAME=QUERY")->expected(1)->take_all();
  add_json_flag(command, change.json);
}

void add_configuration_create(CLI::App& family, Invocation& invocation) {
  struct Create {
    ConfigurationChange change;
    std::string device, module, edge;
  };
  auto create = std::make_shared<Create>();
  CLI::App& command = add_client_command(family, "create", "Keep desired properties in all twins that meet a condition", invocation,
                                         [create](HubClient& hub, Console& console) -> Status {
                                           const std::pair<const std::string&, const char*> kinds[] = {
                                               {create->device, "deviceContent"}, {create->module, "moduleContent"}, {create->edge, "modulesContent"}};
                                           for (const auto& [given, kind] : kinds) {
                                             if (given.empty()) continue;
                                             const auto content = content_json(given, kind, console);
                                             if (!content.ok()) return content.error();
                                             return create_configuration(hub, create->change, *content, console);
                                           }
                                           return invalid_setting("a content is missing: give --device, --module or --edge");
                                         });
  add_change(command, create->change);
  CLI::Option* device = command.add_option("--device", create->device, "Content for devices: JSON, a file with it, or - for standard input")->type_name("CONTENT");
  CLI::Option* module =
      command.add_option("--module", create->module, "Content for modules; the target begins with FROM devices.modules WHERE")->type_name("CONTENT")->excludes(device);
  command.add_option("--edge", create->edge, "Content for the modules of edge devices")->type_name("CONTENT")->excludes(device)->excludes(module);
  command.footer(
      "Examples:\n"
      "  nearhub config create chiller --device '{\"properties.desired.chiller\":{\"temp\":66}}' --target 'tags.floor = 2'\n"
      "  nearhub config create base --edge deployment.json --target '*' --priority 1");
}

void add_configuration_update(CLI::App& family, Invocation& invocation) {
  auto change = std::make_shared<ConfigurationChange>();
  CLI::App& command = add_client_command(family, "update", "Change target, priority, labels or metrics; the content never changes", invocation,
                                         [change](HubClient& hub, Console& console) { return update_configuration(hub, *change, console); });
  add_change(command, *change);
  command.footer("What is not given stays.\nExample:\n  nearhub config update chiller --target 'tags.floor = 3' --priority 10");
}

struct OfConfiguration {
  std::string id;
  bool json = false;
};

void add_configuration_reads(CLI::App& family, Invocation& invocation) {
  auto list = std::make_shared<OfConfiguration>();
  CLI::App& list_command =
      add_client_command(family, "list", "List the configurations", invocation, [list](HubClient& hub, Console& console) { return list_configurations(hub, list->json, console); });
  add_json_flag(list_command, list->json);
  list_command.footer("Example:\n  nearhub config list");

  auto show = std::make_shared<OfConfiguration>();
  CLI::App& show_command = add_client_command(family, "show", "Show a configuration", invocation,
                                              [show](HubClient& hub, Console& console) { return show_configuration(hub, show->id, show->json, console); });
  add_configuration_id(show_command, show->id);
  add_json_flag(show_command, show->json);
  show_command.footer("Example:\n  nearhub config show chiller");

  auto metrics = std::make_shared<OfConfiguration>();
  CLI::App& metrics_command = add_client_command(family, "metrics", "Count how many twins it targets, how many it is applied to, and its own metrics", invocation,
                                                 [metrics](HubClient& hub, Console& console) { return show_metrics(hub, metrics->id, metrics->json, console); });
  add_configuration_id(metrics_command, metrics->id);
  add_json_flag(metrics_command, metrics->json);
  metrics_command.footer("Example:\n  nearhub config metrics chiller");
}

void add_configuration_delete(CLI::App& family, Invocation& invocation) {
  auto gone = std::make_shared<OfConfiguration>();
  CLI::App& command =
      add_client_command(family, "delete", "Delete a configuration", invocation, [gone](HubClient& hub, Console& console) { return delete_configuration(hub, gone->id, console); });
  add_configuration_id(command, gone->id);
  command.footer("What it wrote into twins stays there.\nExample:\n  nearhub config delete chiller");
}

void add_configuration_apply(CLI::App& family, Invocation& invocation) {
  struct Apply {
    IdentityId id;
    std::string content;
  };
  auto apply = std::make_shared<Apply>();
  CLI::App& command = add_client_command(family, "apply", "Write a deployment's content to one edge device, once", invocation, [apply](HubClient& hub, Console& console) -> Status {
    const auto content = content_json(apply->content, "modulesContent", console);
    if (!content.ok()) return content.error();
    return apply_configuration(hub, apply->id.device, *content, console);
  });
  add_identity(command, apply->id, IdentityKind::kDevice);
  command.add_option("CONTENT", apply->content, "JSON, a file with it, or - for standard input")->required()->option_text("CONTENT");
  command.footer("Example:\n  nearhub config apply my-gateway deployment.json");
}

}  // namespace

void add_configuration_commands(CLI::App& app, Invocation& invocation) {
  CLI::App& family = add_family(app, "config", "Settings for many devices at once, and deployments to edge devices");
  add_configuration_create(family, invocation);
  add_configuration_reads(family, invocation);
  add_configuration_update(family, invocation);
  add_configuration_delete(family, invocation);
  add_configuration_apply(family, invocation);
}

}  // namespace nearhub::tools
