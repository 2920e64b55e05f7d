// docs/cli.md is about this command line, and not about one that once was.
#include <doctest/doctest.h>

#include <regex>
#include <sstream>

#include "tests/tools/command_runner.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

std::string document() {
  auto text = broker::read_file(NEARHUB_SOURCE_DIR "/docs/cli.md");
  REQUIRE(text.ok());
  return std::move(*text);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct Flag {
  std::string name;  // "--mqtts"
  std::string type;  // "PORT"; empty for a switch
  std::string text;  // what the help says, on one line
  std::string found(const char* pattern) const {
    std::smatch match;
    return std::regex_search(text, match, std::regex(pattern)) ? match[1].str() : std::string();
  }
};

// The flags of a command as its help shows them.
std::vector<Flag> flags_of(Arguments command) {
  command.push_back("--help");
  std::istringstream help(run(command).out);
  std::vector<Flag> flags;
  const std::regex first("  (?:-h,)?(--[a-z0-9-]+)(?: ([A-Za-z|=]+))?(?: {2,}(.*))?");
  bool open = false;
  for (std::string line; std::getline(help, line);) {
    if (std::smatch match; std::regex_match(line, match, first)) {
      flags.push_back({match[1], match[2], match[3]});
      open = true;
    } else if (open && line.starts_with("          ")) {
      flags.back().text += " " + line.substr(line.find_first_not_of(' '));
    } else {
      open = false;
    }
  }
  return flags;
}

// The commands below these words, or nothing where they are a command themselves.
std::vector<std::string> commands_of(Arguments family) {
  family.push_back("--help");
  std::istringstream help(run(family).out);
  std::vector<std::string> names;
  bool listed = false;
  for (std::string line; std::getline(help, line);) {
    if (line == "Subcommands:") {
      listed = true;
    } else if (line.empty()) {
      listed = false;
    } else if (listed && line.size() > 2 && line[2] != ' ') {
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
    }
  }
  return names;
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("docs/cli.md: shows every command as it is typed") {
    const std::string text = document();
    const auto commands = commands_of({});
    REQUIRE(commands.size() >= 13);
    for (const std::string& command : commands) {
      const auto below = commands_of({command});
      if (below.empty()) {
        CAPTURE(command);
        CHECK(contains(text, "\n$ nearhub " + command));
      }
      for (const std::string& name : below) {
        CAPTURE(command);
        CAPTURE(name);
        CHECK((contains(text, "$ nearhub " + command + " " + name) || contains(text, "(nearhub " + command + " " + name)));
      }
    }
  }

  TEST_CASE("docs/cli.md: names every flag of every command") {
    const std::string text = document();
    const auto check_flags = [&text](const Arguments& command) {
      for (const Flag& flag : flags_of(command)) {
        if (flag.name == "--help" || flag.name == "--version") continue;
        CAPTURE(command.front());
        CAPTURE(flag.name);
        CHECK(std::regex_search(text, std::regex("`" + flag.name + "[ `]")));
      }
    };
    for (const std::string& command : commands_of({})) {
      const auto below = commands_of({command});
      if (below.empty()) check_flags({command});
      for (const std::string& name : below) check_flags({command, name});
    }
  }

  TEST_CASE("docs/cli.md: has a row of every setting of the hub with its variable, config key and default") {
    const std::string text = document();
    const auto flags = flags_of({"serve"});
    REQUIRE(flags.size() > 40);
    for (const Flag& flag : flags) {
      if (flag.name == "--help") continue;
      CAPTURE(flag.name);
      CAPTURE(flag.text);
      const std::string variable = flag.found("\\[(NEARHUB_[A-Z0-9_]+)\\]");
      REQUIRE(variable != "");
      const std::string type = std::regex_replace(flag.type, std::regex("\\|"), "\\|");
      std::string preset = flag.found(" \\(default: ([^)]*)\\)");
      if (flag.name == "--data") preset = "~/.local/share/nearhub";  // HOME differs
      if (!preset.empty() && flag.name != "--bind") preset = "`" + preset + "`";
      const std::string key = flag.name == "--config" ? "" : "`" + flag.name.substr(2) + "`";
      const std::string row = "\n| `" + flag.name + (type.empty() ? "" : " " + type) + "` | `" + variable + "` | " + key +
                              " | " + preset + " |";
      CAPTURE(row);
      CHECK(contains(text, row));
    }
  }
}
