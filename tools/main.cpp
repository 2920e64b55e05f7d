#include <csignal>

#include "tools/command_line.h"

int main(int argc, char** argv) {
  // A reader that went away shows itself as a failed write, on sockets and on standard output.
  std::signal(SIGPIPE, SIG_IGN);
  nearhub::tools::StandardConsole console;
  const int code = nearhub::tools::run_command_line({argv + (argc > 0 ? 1 : 0), argv + argc}, console);
  return code == 0 && console.output_lost() ? 1 : code;
}
