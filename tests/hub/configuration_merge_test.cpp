// Contents merged by rank, what differs from a twin, and what is removed from one.
#include "hub/configuration_merge.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace nearhub;
using namespace nearhub::hub;

namespace {

twin::Value value_of(std::string_view json) { return twin::parse_value(json).value(); }

// The highest rank first; those that begin with '-' take no part.
std::string merged(const std::vector<std::string>& contents) {
  std::vector<twin::Value> values;
  for (const std::string& text : contents) values.push_back(value_of(text.starts_with('-') ? text.substr(1) : text));
  std::vector<Contribution> ranked;
  static const std::string kNames = "abcdef";
  for (std::size_t i = 0; i < values.size(); ++i) ranked.push_back({std::string_view(kNames).substr(i, 1), &values[i], !contents[i].starts_with('-')});
  const MergedContent made = merge_contents(ranked);
  std::string text = made.desired.to_json() + " ";
  for (const ConfigurationState& state : made.states) text += state.applied ? state.id : "";
  return text;
}

twin::Section section_of(std::string_view json) {
  twin::Section section(twin::SectionKind::kDesired);
  const twin::Value value = value_of(json);
  section.apply_replacement(value, section.check_replacement(value).value(), WallTime{});
  return section;
}

std::string differs(std::string_view current, std::string_view wanted, bool whole = false) {
  return difference(section_of(current).root(), value_of(wanted), whole).to_json();
}

std::string removed(std::string_view current, std::string_view content, std::string_view wanted = "{}", std::string_view patch = "{}") {
  twin::Value made = value_of(patch);
  add_removal(made, section_of(current).root(), value_of(content), value_of(wanted));
  return made.to_json();
}

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("configurations: contents are merged path by path, and the highest rank wins at each") {
    CHECK(merged({}) == "{} ");
    CHECK(merged({R"({"x":1})"}) == R"({"x":1} a)");
    CHECK(merged({R"({"x":1})", R"({"x":2,"y":2})"}) == R"({"x":1,"y":2} ab)");
    CHECK(merged({R"({"x":1})", R"({"x":2})"}) == R"({"x":1} a)");
    CHECK(merged({R"({"o":{"x":1}})", R"({"o":{"x":2,"y":2}})", R"({"o":{"y":3}})"}) == R"({"o":{"x":1,"y":2}} ab)");
    // A value hides all below it, and an object a value.
    CHECK(merged({R"({"o":1})", R"({"o":{"x":2}})"}) == R"({"o":1} a)");
    CHECK(merged({R"({"o":{"x":1}})", R"({"o":2})"}) == R"({"o":{"x":1}} a)");
    // An object without members says that it is one.
    CHECK(merged({R"({"o":{}})", R"({"o":{"x":2}})"}) == R"({"o":{"x":2}} ab)");
    CHECK(merged({R"({"o":{"x":2}})", R"({"o":{}})"}) == R"({"o":{"x":2}} ab)");
    CHECK(merged({R"({"o":5})", R"({"o":{}})"}) == R"({"o":5} a)");
    // Who says the same has its value in effect.
    CHECK(merged({R"({"x":1,"l":[1]})", R"({"x":1})", R"({"l":[1]})", R"({"x":1.0})"}) == R"({"x":1,"l":[1]} abc)");
    CHECK(merged({R"({"l":[1,2]})", R"({"l":[3]})"}) == R"({"l":[1,2]} a)");
    // Who says nothing has all that it says in effect.
    CHECK(merged({"{}", R"({"x":1})", "{}"}) == R"({"x":1} abc)");
    CHECK(merged({R"({"x":1})", R"(-{"y":2})", R"({"x":3})"}) == R"({"x":1} a)");
  }

  TEST_CASE("configurations: only what differs is written") {
    CHECK(differs("{}", "{}") == "{}");
    CHECK(differs(R"({"a":1,"o":{"x":"s","y":[1,{"z":true}]},"own":5})", R"({"o":{"y":[1,{"z":true}],"x":"s"},"a":1})") == "{}");
    CHECK(differs(R"({"a":1})", R"({"a":1.0,"b":{}})") == R"({"a":1.0,"b":{}})");
    CHECK(differs(R"({"o":{"x":1,"y":2}})", R"({"o":{"x":1,"y":3,"z":{"w":1}}})") == R"({"o":{"y":3,"z":{"w":1}}})");
    CHECK(differs(R"({"o":1,"p":{"q":1}})", R"({"o":{"x":1},"p":true})") == R"({"o":{"x":1},"p":true})");
    CHECK(differs(R"({"a":1,"o":{"x":1,"y":2},"own":5})", R"({"o":{"x":1}})", true) == R"({"o":{"y":null},"a":null,"own":null})");
    CHECK(differs(R"({"o":{"x":1}})", R"({"o":{"x":1}})", true) == "{}");
  }

  TEST_CASE("configurations: what one has put there is removed, unless it is wanted, or another's by now") {
    CHECK(removed(R"({"a":1,"b":2})", R"({"a":1})") == R"({"a":null})");
    CHECK(removed(R"({"a":2})", R"({"a":1})") == "{}");
    CHECK(removed(R"({})", R"({"a":1})") == "{}");
    CHECK(removed(R"({"a":1})", R"({"a":1})", R"({"a":1})") == "{}");
    CHECK(removed(R"({"o":{"x":1,"y":2}})", R"({"o":{"y":2,"x":1}})") == R"({"o":null})");
    CHECK(removed(R"({"o":{"x":1,"y":2,"own":3}})", R"({"o":{"y":2,"x":1}})") == R"({"o":{"y":null,"x":null}})");
    CHECK(removed(R"({"o":{"x":1,"y":2}})", R"({"o":{"x":1,"y":2,"z":3}})") == R"({"o":null})");
    CHECK(removed(R"({"o":{"x":1,"y":2}})", R"({"o":{"x":1,"y":2}})", R"({"o":{"x":1}})") == R"({"o":{"y":null}})");
    CHECK(removed(R"({"o":{"x":1}})", R"({"o":{"x":1}})", R"({"o":5})", R"({"o":5})") == R"({"o":5})");
    CHECK(removed(R"({"o":{"x":1}})", R"({"o":{"x":1}})", R"({"o":{"y":2}})", R"({"o":{"y":2}})") == R"({"o":{"y":2,"x":null}})");
  }

  TEST_CASE("configurations: a twin's states are text and back") {
    CHECK(states_text({}) == "");
    const std::string text = R"({"a":{"status":"Applied"},"b'%":{"status":"Targeted"}})";
    const auto states = parse_states(text);
    REQUIRE(states.size() == 2);
    CHECK(states[0].applied);
    CHECK(states[1].id == "b'%");
    CHECK_FALSE(states[1].applied);
    CHECK(states_text(states) == text);
    CHECK(parse_states("").empty());
    CHECK(parse_states("{").empty());
  }
}
