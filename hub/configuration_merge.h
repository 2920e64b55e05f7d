// What configurations do to one twin: their contents merged by rank, what differs from the twin, and how each of them fares.
//
// Per path the highest rank wins. A configuration is Applied when at least one of its values is in effect, Targeted when it is overridden in all of them. A
// twin that leaves a configuration loses what it put there, unless somebody has written something else in its place.
//
// THREAD: pure functions.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "twin/section.h"
#include "twin/value.h"

namespace nearhub::hub {

// A configuration that targets the twin.
struct Contribution {
  std::string_view id;
  const twin::Value* desired = nullptr;  // null: it has nothing for this twin itself, and is applied by being there
  bool takes_part = true;                // false: Targeted whatever it says
  bool whole = false;                    // the twin is to hold nothing else
};

struct ConfigurationState {
  std::string id;
  bool applied = false;
};

struct MergedContent {
  twin::Value desired = twin::Value::object();
  std::vector<ConfigurationState> states;  // of all contributions, in their order
};
MergedContent merge_contents(std::span<const Contribution> ranked);

// Merges into `into` what `lower` has and it has not. Whether anything was; also when there was nothing to be merged.
bool merge_below(twin::Value& into, const twin::Value& lower);

// The patch that makes `current` hold all of `wanted`; with `whole` nothing else, either. An object without members when it does already.
twin::Value difference(const twin::SectionNode& current, const twin::Value& wanted, bool whole);

// Adds to `patch` the removal of what `content` had put into `current` and `wanted` does not have.
void add_removal(twin::Value& patch, const twin::SectionNode& current, const twin::Value& content, const twin::Value& wanted);

// {"id":{"status":"Applied"},...}: the twin's member `configurations`, as it is stored; empty for no states.
std::string states_text(const std::vector<ConfigurationState>& states);
std::vector<ConfigurationState> parse_states(std::string_view text);

}  // namespace nearhub::hub
