// The flags of `nearhub serve`. Included by command_line.cpp alone.
#pragma once
#include <CLI/CLI.hpp>
#include <memory>

#include "tools/serve.h"

namespace nearhub::tools {

// Adds the subcommand; `exit_code` is set when it has run.
void add_serve(CLI::App& app, int& exit_code);

}  // namespace nearhub::tools
