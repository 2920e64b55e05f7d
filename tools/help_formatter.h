// The text of --help: what CLI11 knows about a command, laid out for a terminal of a hundred columns.
//
// THREAD: the main thread.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

namespace nearhub::tools {

class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_usage(const CLI::Option* option) const override { return option->get_option_text(); }
};

}  // namespace nearhub::tools
