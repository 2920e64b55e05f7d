#include "tools/command_line.h"

#include <CLI/CLI.hpp>

#include "tools/serve_flags.h"

namespace nearhub::tools {

int run_command_line(int argc, char** argv) {
  CLI::App app("nearhub: an IoT hub on your desk that Azure IoT SDK clients talk to as if it were Azure IoT Hub");
  app.set_version_flag("--version", "nearhub " NEARHUB_VERSION);
  app.require_subcommand(1);
  int exit_code = 0;
  add_serve(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  return exit_code;
}

}  // namespace nearhub::tools
