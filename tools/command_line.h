// The flags of every command, in one place: declared once, they serve the command line, the environment (NEARHUB_...) and the config file.
//
// THREAD: the main thread.
#pragma once

namespace nearhub::tools {

// Reads the arguments, runs the command, and gives the process's exit code: 0 done, 1 the command failed, 2 the arguments were wrong.
int run_command_line(int argc, char** argv);

}  // namespace nearhub::tools
