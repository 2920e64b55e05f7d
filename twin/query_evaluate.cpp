#include "twin/query_evaluate.h"

#include <algorithm>
#include <cmath>

namespace nearhub::twin::query {
namespace {

using Kind = JsonView::Kind;

// What an expression gives.
struct Operand {
  Kind kind = Kind::kUndefined;
  double number = 0;       // of a number
  JsonView view;           // of a string, array or object, in the row or in the query
  const std::vector<Constant>* list = nullptr;  // of an array that stands in the query

  bool is_boolean() const { return kind == Kind::kTrue || kind == Kind::kFalse; }
};

Operand undefined() { return {}; }
Operand truth(bool value) { return {value ? Kind::kTrue : Kind::kFalse, 0, {}, nullptr}; }
// No number that JSON could not write.
Operand number(double value) { return std::isfinite(value) ? Operand{Kind::kNumber, value, {}, nullptr} : undefined(); }

Operand operand_of(const JsonView& view) { return {view.kind(), view.is_number() ? view.to_double() : 0, view, nullptr}; }
Operand operand_of(const Constant& constant) { return {constant.kind, constant.number, JsonView::string(constant.text), nullptr}; }

// Less, equal, greater; nothing for what has no order between it.
std::optional<int> compare(const Operand& a, const Operand& b) {
  const auto order = [](auto x, auto y) { return x < y ? -1 : (y < x ? 1 : 0); };
  if (a.is_boolean() && b.is_boolean()) return order(a.kind == Kind::kTrue, b.kind == Kind::kTrue);
  if (a.kind != b.kind) return std::nullopt;
  switch (a.kind) {
    case Kind::kNull: return 0;
    case Kind::kNumber: return order(a.number, b.number);
    case Kind::kString: {
      std::string space_a, space_b;
      return order(a.view.characters(space_a).compare(b.view.characters(space_b)), 0);
    }
    default: return std::nullopt;
  }
}

Operand compared(Comparison how, const Operand& a, const Operand& b) {
  const std::optional<int> order = compare(a, b);
  if (!order) return undefined();
  switch (how) {
    case Comparison::kEqual: return truth(*order == 0);
    case Comparison::kNotEqual: return truth(*order != 0);
    case Comparison::kLess: return truth(*order < 0);
    case Comparison::kLessOrEqual: return truth(*order <= 0);
    case Comparison::kGreater: return truth(*order > 0);
    case Comparison::kGreaterOrEqual: return truth(*order >= 0);
  }
  return undefined();
}

Operand calculated(char how, const Operand& a, const Operand& b) {
  if (a.kind != Kind::kNumber || b.kind != Kind::kNumber) return undefined();
  switch (how) {
    case '+': return number(a.number + b.number);
    case '-': return number(a.number - b.number);
    case '*': return number(a.number * b.number);
    case '/': return b.number == 0 ? undefined() : number(a.number / b.number);
    default: return b.number == 0 ? undefined() : number(std::fmod(a.number, b.number));
  }
}

Operand has_affix(const Operand& text, const Operand& affix, bool at_end) {
  if (text.kind != Kind::kString || affix.kind != Kind::kString) return undefined();
  std::string space_text, space_affix;
  const std::string_view whole = text.view.characters(space_text), part = affix.view.characters(space_affix);
  return truth(at_end ? whole.ends_with(part) : whole.starts_with(part));
}

Operand contains(const Operand& array, const Operand& wanted) {
  if (array.kind != Kind::kArray || wanted.kind == Kind::kUndefined) return undefined();
  const auto is_wanted = [&wanted](const Operand& element) { return compare(element, wanted) == 0; };
  if (array.list != nullptr) {
    return truth(std::any_of(array.list->begin(), array.list->end(), [&](const Constant& item) { return is_wanted(operand_of(item)); }));
  }
  for (JsonView::Elements rest = array.view.elements(); const auto element = rest.next();) {
    if (is_wanted(operand_of(*element))) return truth(true);
  }
  return truth(false);
}

Operand evaluate(const Expression& expression, const Row& row);

Operand called(const Expression& call, const Row& row) {
  const Operand first = evaluate(call.operands[0], row);
  switch (call.function) {
    case Function::kIsDefined: return truth(first.kind != Kind::kUndefined);
    case Function::kIsNull: return truth(first.kind == Kind::kNull);
    case Function::kIsBool: return truth(first.is_boolean());
    case Function::kIsNumber: return truth(first.kind == Kind::kNumber);
    case Function::kIsString: return truth(first.kind == Kind::kString);
    case Function::kIsArray: return truth(first.kind == Kind::kArray);
    case Function::kIsObject: return truth(first.kind == Kind::kObject);
    case Function::kIsPrimitive:
      return truth(first.kind != Kind::kUndefined && first.kind != Kind::kArray && first.kind != Kind::kObject);
    case Function::kStartsWith: return has_affix(first, evaluate(call.operands[1], row), false);
    case Function::kEndsWith: return has_affix(first, evaluate(call.operands[1], row), true);
    case Function::kArrayContains: return contains(first, evaluate(call.operands[1], row));
  }
  return undefined();
}

// The operand that decides ends the search: false for AND, true for OR.
Operand joined(const Expression& expression, const Row& row, Kind decisive) {
  bool all_known = true;
  for (const Expression& operand : expression.operands) {
    const Operand value = evaluate(operand, row);
    if (value.kind == decisive) return truth(decisive == Kind::kTrue);
    all_known &= value.is_boolean();
  }
  return all_known ? truth(decisive == Kind::kFalse) : undefined();
}

Operand evaluate(const Expression& expression, const Row& row) {
  switch (expression.kind) {
    case Expression::Kind::kConstant: return operand_of(expression.constant);
    case Expression::Kind::kList: return {Kind::kArray, 0, {}, &expression.list};
    case Expression::Kind::kPath: return operand_of(find(expression.path, row));
    case Expression::Kind::kAnd: return joined(expression, row, Kind::kFalse);
    case Expression::Kind::kOr: return joined(expression, row, Kind::kTrue);
    case Expression::Kind::kNot: {
      const Operand inner = evaluate(expression.operands[0], row);
      return inner.is_boolean() ? truth(inner.kind == Kind::kFalse) : undefined();
    }
    case Expression::Kind::kCompare:
      return compared(expression.comparison, evaluate(expression.operands[0], row), evaluate(expression.operands[1], row));
    case Expression::Kind::kIn: {
      const Operand wanted = evaluate(expression.operands[0], row);
      if (wanted.kind == Kind::kUndefined) return undefined();
      const bool found = std::any_of(expression.list.begin(), expression.list.end(),
                                     [&wanted](const Constant& item) { return compare(wanted, operand_of(item)) == 0; });
      return truth(found != expression.negated);
    }
    case Expression::Kind::kArithmetic: {
      Operand result = evaluate(expression.operands[0], row);
      for (std::size_t i = 0; i < expression.operators.size(); ++i) {
        result = calculated(expression.operators[i], result, evaluate(expression.operands[i + 1], row));
      }
      return result;
    }
    case Expression::Kind::kNegate: {
      const Operand inner = evaluate(expression.operands[0], row);
      return inner.kind == Kind::kNumber ? number(-inner.number) : undefined();
    }
    case Expression::Kind::kCall: return called(expression, row);
  }
  return undefined();
}

}  // namespace

JsonView find(const Path& path, const Row& row) {
  if (!path.root) return {};
  std::size_t next = 0;
  JsonView view;
  if (!path.steps.empty() && !path.steps[0].is_index) {
    view = row.member_of(*path.root, path.steps[0].name);
    next = 1;
  } else {
    view = row.member(*path.root);
  }
  for (; next < path.steps.size() && view.is_defined(); ++next) {
    const Step& step = path.steps[next];
    view = step.is_index ? view.element(step.index) : view.member(step.name);
  }
  return view;
}

bool is_true(const Expression& condition, const Row& row) { return evaluate(condition, row).kind == Kind::kTrue; }

bool matches(const Query& query, const Row& row) {
  return std::all_of(query.where.begin(), query.where.end(), [&row](const Expression& condition) { return is_true(condition, row); });
}

}  // namespace nearhub::twin::query
