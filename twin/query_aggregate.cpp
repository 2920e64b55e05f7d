#include "twin/query_aggregate.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "twin/query_evaluate.h"

namespace nearhub::twin::query {

using Kind = JsonView::Kind;

// --- Values -------------------------------------------------------------------------------------------------------------------

Aggregation::Value Aggregation::Value::of(const JsonView& view) {
  Value value;
  value.kind = view.kind();
  if (view.is_number()) value.number = view.to_double();
  std::string space;
  value.text = view.is_string() ? view.characters(space) : view.text();
  return value;
}

JsonView Aggregation::Value::view() const {
  switch (kind) {
    case Kind::kUndefined: return {};
    case Kind::kNull: return JsonView::null();
    case Kind::kFalse:
    case Kind::kTrue: return JsonView::boolean(kind == Kind::kTrue);
    case Kind::kNumber: return JsonView::number(text);
    case Kind::kString: return JsonView::string(text);
    case Kind::kArray:
    case Kind::kObject: return JsonView::of(text);
  }
  return {};
}

bool Aggregation::Value::operator<(const Value& other) const {
  if (kind != other.kind) return kind < other.kind;
  return kind == Kind::kNumber ? number < other.number : text < other.text;
}

// The values as a JSON array; an empty array inside of it stands for undefined.
std::string Aggregation::key_text(const Key& key) {
  JsonWriter json;
  json.array();
  for (const Value& value : key) {
    json.array();
    value.view().write(json);
    json.end_array();
  }
  json.end_array();
  return std::move(json).take();
}

// --- Rows in ------------------------------------------------------------------------------------------------------------------

Status Aggregation::add(const Row& row) {
  std::vector<Tally>* tallies = &all_;
  if (!query_.group_by.empty()) {
    Key key;
    key.reserve(query_.group_by.size());
    std::size_t bytes = 0;
    for (const Path& path : query_.group_by) bytes += key.emplace_back(Value::of(find(path, row))).text.size();
    auto group = groups_.find(key);
    if (group == groups_.end()) {
      if (bytes > kMaxGroupKeyBytes) {
        return Error{ErrorCode::kArgumentInvalid, fmt::format("a value of GROUP BY has {} bytes; at most {} are allowed", bytes, kMaxGroupKeyBytes)};
      }
      if (groups_.size() == kMaxGroups) {
        return Error{ErrorCode::kArgumentInvalid, fmt::format("the query has more than {} groups; narrow it with WHERE", kMaxGroups)};
      }
      group = groups_.emplace(std::move(key), std::vector<Tally>(query_.columns.size())).first;
    }
    tallies = &group->second;
  }
  for (std::size_t i = 0; i < query_.columns.size(); ++i) {
    const Column& column = query_.columns[i];
    if (column.aggregate == Aggregate::kNone) continue;
    count_in((*tallies)[i], column.aggregate, column.path ? find(*column.path, row) : JsonView::null());
  }
  return {};
}

void Aggregation::count_in(Tally& tally, Aggregate aggregate, const JsonView& value) {
  if (!value.is_defined()) return;
  ++tally.count;
  if (aggregate == Aggregate::kSum || aggregate == Aggregate::kAverage) {
    if (!value.is_number()) return;
    ++tally.numbers;
    tally.sum += value.to_double();
    std::int64_t whole = 0;
    const std::string_view literal = value.text();
    const auto [end, error] = std::from_chars(literal.data(), literal.data() + literal.size(), whole);
    tally.whole = tally.whole && error == std::errc() && end == literal.data() + literal.size() &&
                  !__builtin_add_overflow(tally.whole_sum, whole, &tally.whole_sum);
  } else if (aggregate == Aggregate::kMin || aggregate == Aggregate::kMax) {
    if (value.is_array() || value.is_object()) return;
    Value candidate = Value::of(value);
    const bool better = tally.best.kind == Kind::kUndefined || (aggregate == Aggregate::kMin ? candidate < tally.best : tally.best < candidate);
    if (better) tally.best = std::move(candidate);
  }
}

// --- Rows out -----------------------------------------------------------------------------------------------------------------

Aggregation::Groups::const_iterator Aggregation::behind(std::string_view after) const {
  if (after.empty()) return groups_.begin();
  Key key;
  for (JsonView::Elements rest = JsonView::of(after).elements(); const auto each = rest.next();) key.push_back(Value::of(each->element(0)));
  return groups_.upper_bound(key);
}

std::size_t Aggregation::rows(std::string_view after) const {
  if (query_.group_by.empty()) return after.empty() ? 1 : 0;
  return static_cast<std::size_t>(std::distance(behind(after), groups_.end()));
}

std::optional<std::string> Aggregation::write(JsonWriter& json, std::string_view after, std::size_t limit) const {
  if (query_.group_by.empty()) {
    if (after.empty() && limit > 0) write_group(json, {}, all_);
    return std::nullopt;
  }
  auto group = behind(after);
  const Key* last = nullptr;
  for (; group != groups_.end() && limit > 0; ++group, --limit) {
    write_group(json, group->first, group->second);
    last = &group->first;
  }
  if (group == groups_.end()) return std::nullopt;
  return last == nullptr ? std::string(after) : key_text(*last);
}

void Aggregation::write_group(JsonWriter& json, const Key& key, const std::vector<Tally>& tallies) const {
  json.object();
  for (std::size_t i = 0; i < query_.columns.size(); ++i) {
    const Column& column = query_.columns[i];
    const Tally& tally = tallies[i];
    switch (column.aggregate) {
      case Aggregate::kNone: {
        const auto path = std::find_if(query_.group_by.begin(), query_.group_by.end(), [&column](const Path& each) { return each.same_as(*column.path); });
        const Value& value = key[static_cast<std::size_t>(path - query_.group_by.begin())];
        if (value.kind != Kind::kUndefined) value.view().write(json.member(column.name));
        break;
      }
      case Aggregate::kCount: json.member(column.name).unsigned_integer(tally.count); break;
      case Aggregate::kSum:
        if (tally.numbers == 0) break;
        if (tally.whole) {
          json.member(column.name).integer(tally.whole_sum);
        } else if (std::isfinite(tally.sum)) {
          json.member(column.name).number(tally.sum);
        }
        break;
      case Aggregate::kAverage: {
        const double average = tally.sum / static_cast<double>(tally.numbers);
        if (tally.numbers > 0 && std::isfinite(average)) json.member(column.name).number(average);
        break;
      }
      case Aggregate::kMin:
      case Aggregate::kMax:
        if (tally.best.kind != Kind::kUndefined) tally.best.view().write(json.member(column.name));
        break;
    }
  }
  json.end_object();
}

}  // namespace nearhub::twin::query
