#include "tools/help_formatter.h"

#include <string_view>

namespace nearhub::tools {
namespace {

constexpr std::size_t kTextColumn = 34, kColumns = 100;

// A line of two columns. The text of the second is broken between words.
std::string two_columns(const std::string& name, std::string_view text) {
  std::string out = "  " + name;
  std::size_t column = out.size();
  if (column + 1 >= kTextColumn) {
    out += "\n";
    column = 0;
  }
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!first && column + 1 + word.size() > kColumns) {
      out += "\n";
      column = 0;
      first = true;
    }
    const std::size_t gap = first ? kTextColumn - column : 1;
    out.append(gap, ' ').append(word);
    column += gap + word.size();
    first = false;
  }
  return out + "\n";
}

std::string exit_codes(const CLI::App& app) {
  if (app.get_name() == "serve") return "Exit codes: 0 stopped in order, 1 could not start or go on, 2 wrong arguments.\n";
  return "Exit codes: 0 done, 1 the hub refused or could not be reached, 2 wrong arguments.\n";
}

// CLI11 leaves empty lines between some parts, and not between others.
std::string without_gaps(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c != '\n' || !out.ends_with("\n\n")) out += c;
  }
  return out;
}

}  // namespace

std::string HelpFormatter::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  return without_gaps(CLI::Formatter::make_help(app, std::move(name), mode) + "\n" + exit_codes(*app));
}

std::string HelpFormatter::make_group(std::string group, bool is_positional,
                                      std::vector<const CLI::Option*> options) const {
  return CLI::Formatter::make_group(is_positional ? "Arguments" : std::move(group), is_positional, std::move(options));
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return two_columns(command->get_name(), command->get_description());
}

// CLI11's own shows conditions between flags, ranges and enumerators by their numbers, all of which the parser explains
// when it matters.
std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string name = option->get_option_text();
  if (!is_positional) {
    name = option->get_name(false, true);
    name = name.substr(0, name.find('{'));  // what a negative flag sets
    const std::string type = option->get_type_name().substr(0, option->get_type_name().find(':'));
    if (option->get_type_size() != 0 && !type.empty()) name += " " + type;
  }
  std::string text = option->get_description();
  if (const std::string preset = option->get_default_str(); !preset.empty() && preset != "[]") {
    text += " (default: " + preset + ")";
  }
  if (!option->get_envname().empty()) text += " [" + option->get_envname() + "]";
  return two_columns(name, text);
}

}  // namespace nearhub::tools
