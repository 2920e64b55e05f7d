// A query as a tree, as the parser makes it and the evaluator reads it.
//
// THREAD: immutable once parsed; any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "twin/json_view.h"
#include "twin/query_row.h"

namespace nearhub::twin::query {

// What is wrong with a query, and where: a byte position in its text.
struct Fault {
  std::size_t at = 0;
  std::string sentence;
};

// "line 2, column 5: ...": the position as people count, in characters.
std::string fault_text(std::string_view query, const Fault& fault);

struct Constant {
  JsonView::Kind kind = JsonView::Kind::kUndefined;
  std::string text;  // the characters of a string
  double number = 0;
};

// One step down from a member: a name, or the index of an array's element.
struct Step {
  std::string name;
  std::size_t index = 0;
  bool is_index = false;

  friend bool operator==(const Step&, const Step&) = default;
};

struct Path {
  std::optional<std::uint8_t> root;  // the member's number; nullopt: the rows have none of that name, and the path is undefined
  std::vector<Step> steps;
  std::string name;  // of a column without an alias: the last name, in the documents' spelling
  std::size_t at = 0;

  bool same_as(const Path& other) const { return root == other.root && steps == other.steps && (root || name == other.name); }
};

enum class Comparison : std::uint8_t { kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

enum class Function : std::uint8_t {
  kIsDefined, kIsNull, kIsBool, kIsNumber, kIsString, kIsArray, kIsObject, kIsPrimitive, kStartsWith, kEndsWith, kArrayContains,
};

struct Expression {
  enum class Kind : std::uint8_t {
    kConstant,
    kList,        // [constants]: an array
    kPath,
    kAnd, kOr,    // of all operands
    kNot,
    kCompare,     // two operands
    kIn,          // one operand, `list`; `negated`: NIN
    kArithmetic,  // operands with `operators` between them, from the left
    kNegate,
    kCall,
  };
  Kind kind = Kind::kConstant;
  Comparison comparison = Comparison::kEqual;
  Function function = Function::kIsDefined;
  bool negated = false;
  std::size_t at = 0;
  Constant constant;
  Path path;
  std::vector<Constant> list;
  std::vector<char> operators;
  std::vector<Expression> operands;
};

enum class Aggregate : std::uint8_t { kNone, kCount, kSum, kAverage, kMin, kMax };

struct Column {
  std::string name;
  Aggregate aggregate = Aggregate::kNone;
  std::optional<Path> path;  // COUNT() has none
  std::size_t at = 0;
};

struct Query {
  std::string text;
  Source source = Source::kDevices;
  std::optional<std::uint64_t> top;
  std::vector<Column> columns;      // empty: SELECT *
  std::vector<Expression> where;    // all must be true
  std::vector<Path> group_by;
  bool aggregates = false;          // rows are groups

  bool selects_all() const { return columns.empty(); }
};

}  // namespace nearhub::twin::query
