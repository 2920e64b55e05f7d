// The command line: reads the arguments, the environment (NEARHUB_...) and, for `serve`, the config file, and runs the
// command.
//
// THREAD: the main thread.
#pragma once
#include <string>
#include <vector>

#include "tools/console.h"

namespace nearhub::tools {

// `arguments` without the program's name. Gives the process's exit code: 0 done, 1 the command failed, 2 the arguments
// were wrong.
int run_command_line(const std::vector<std::string>& arguments, Console& console);

}  // namespace nearhub::tools
