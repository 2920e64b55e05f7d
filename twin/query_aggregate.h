// COUNT, SUM, AVG, MIN, MAX over all rows or over groups.
//
// COUNT counts rows, or those where its path is defined. SUM and AVG are over the numbers among the values; MIN and MAX over null, booleans,
// numbers and strings, in this order. What has nothing to be made of is left out of its row. Without GROUP BY there is one row, for no rows, too.
//
// Groups come in the order of their keys, so that a page can go on behind the last one that was seen.
//
// THREAD: one at a time.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"
#include "twin/query_ast.h"

namespace nearhub::twin::query {

// Bounds of our own on what an aggregate keeps in memory.
inline constexpr std::size_t kMaxGroups = 10'000;
inline constexpr std::size_t kMaxGroupKeyBytes = 1024;  // of one group; a continuation token carries it

class Aggregation {
 public:
  // `query` outlives this.
  explicit Aggregation(const Query& query) : query_(query) {}

  // Fails with kArgumentInvalid when there would be too many groups, or one with too long a key.
  Status add(const Row& row);

  // Writes the rows of the groups behind `after` (a key; empty: from the first), at most `limit`. Gives the key of the last one when there are
  // more.
  std::optional<std::string> write(JsonWriter& json, std::string_view after, std::size_t limit) const;
  // How many rows there are behind `after`.
  std::size_t rows(std::string_view after) const;

 private:
  // A value of a group or of MIN and MAX, ordered by kind first.
  struct Value {
    JsonView::Kind kind = JsonView::Kind::kUndefined;
    double number = 0;
    std::string text;  // a number's literal, a string's characters, the JSON of an array or object

    static Value of(const JsonView& view);
    JsonView view() const;
    bool operator<(const Value& other) const;
  };
  using Key = std::vector<Value>;
  struct Tally {  // of one column
    std::uint64_t count = 0;
    std::uint64_t numbers = 0;
    double sum = 0;
    std::int64_t whole_sum = 0;
    bool whole = true;  // all numbers are integers, and whole_sum is exact
    Value best;         // MIN, MAX
  };
  using Groups = std::map<Key, std::vector<Tally>>;

  static std::string key_text(const Key& key);
  Groups::const_iterator behind(std::string_view after) const;
  static void count_in(Tally& tally, Aggregate aggregate, const JsonView& value);
  void write_group(JsonWriter& json, const Key& key, const std::vector<Tally>& tallies) const;

  const Query& query_;
  Groups groups_;
  std::vector<Tally> all_{query_.columns.size()};  // without GROUP BY
};

}  // namespace nearhub::twin::query
