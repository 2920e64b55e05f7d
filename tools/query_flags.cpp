// The flags of `nearhub query`.
#include "tools/flags.h"
#include "tools/query.h"

namespace nearhub::tools {

void add_query_command(CLI::App& app, Invocation& invocation) {
  struct Flags {
    QueryCommand command;
    std::string text, file;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App& command = add_client_command(app, "query", "Ask for twins, modules and jobs with the hub's query language", invocation,
                                         [flags](HubClient& hub, Console& console) -> Status {
                                           auto text = read_content(flags->text, flags->file, console);
                                           if (!text.ok()) return text.error();
                                           QueryCommand query = flags->command;
                                           query.text = std::move(*text);
                                           return run_query(hub, query, console);
                                         });
  CLI::Option* text = command.add_option("QUERY", flags->text, "SELECT ... FROM devices, devices.modules or devices.jobs; - for standard input");
  text->option_text("QUERY");
  command.add_option("--file", flags->file, "The query from a file")->type_name("FILE")->excludes(text);
  command.add_option("--top", flags->command.top, "At most so many rows (default: all)")->type_name("N");
  command.add_flag("--json", flags->command.json, "One row a line as JSON, for scripts");
  command.footer(
      "Examples:\n"
      "  nearhub query \"SELECT * FROM devices WHERE tags.floor = 3\"\n"
      "  nearhub query \"SELECT status, COUNT() AS n FROM devices GROUP BY status\"\n"
      "  nearhub query \"SELECT deviceId FROM devices WHERE connectionState = 'Connected'\" --json | jq -r .deviceId");
}

}  // namespace nearhub::tools
