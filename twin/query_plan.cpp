#include "twin/query_plan.h"

#include <algorithm>
#include <iterator>

#include "twin/twin_members.h"

namespace nearhub::twin::query {
namespace {

bool needs_hub(const Query& query, const Path& path) { return path.root && is_live(query.source, *path.root); }

bool needs_hub(const Query& query, const Expression& expression) {
  if (expression.kind == Expression::Kind::kPath) return needs_hub(query, expression.path);
  return std::any_of(expression.operands.begin(), expression.operands.end(), [&query](const Expression& operand) { return needs_hub(query, operand); });
}

bool is_member(const Expression& expression, std::uint8_t member) {
  return expression.kind == Expression::Kind::kPath && expression.path.root == member && expression.path.steps.empty();
}

bool is_string(const Expression& expression) {
  return expression.kind == Expression::Kind::kConstant && expression.constant.kind == JsonView::Kind::kString;
}

// The texts to which a condition that must be true restricts a member.
std::optional<std::vector<std::string>> texts_of(const Expression& condition, std::uint8_t member) {
  std::vector<std::string> ids;
  if (condition.kind == Expression::Kind::kCompare && condition.comparison == Comparison::kEqual) {
    for (const auto& [path, text] : {std::pair{0, 1}, std::pair{1, 0}}) {
      if (is_member(condition.operands[static_cast<std::size_t>(path)], member) && is_string(condition.operands[static_cast<std::size_t>(text)])) {
        return std::vector{condition.operands[static_cast<std::size_t>(text)].constant.text};
      }
    }
    return std::nullopt;
  }
  if (condition.kind == Expression::Kind::kIn && !condition.negated && is_member(condition.operands[0], member)) {
    for (const Constant& item : condition.list) {
      if (item.kind == JsonView::Kind::kString) ids.push_back(item.text);
    }
  } else if (condition.kind == Expression::Kind::kOr) {
    for (const Expression& operand : condition.operands) {
      auto some = texts_of(operand, member);
      if (!some) return std::nullopt;
      std::move(some->begin(), some->end(), std::back_inserter(ids));
    }
  } else {
    return std::nullopt;
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace

Plan make_plan(const Query& query) {
  Plan plan;
  const std::uint8_t device_id = *find_member(query.source, "deviceId");
  for (std::size_t i = 0; i < query.where.size(); ++i) {
    const Expression& condition = query.where[i];
    (needs_hub(query, condition) ? plan.live_conditions : plan.stored_conditions).push_back(i);
    if (query.source == Source::kJobs) {
      if (const auto jobs = texts_of(condition, *find_member(Source::kJobs, "jobId")); jobs && jobs->size() == 1) plan.job = jobs->front();
    }
    if (auto ids = texts_of(condition, device_id)) {
      if (plan.devices) {
        std::vector<std::string> both;
        std::set_intersection(plan.devices->begin(), plan.devices->end(), ids->begin(), ids->end(), std::back_inserter(both));
        ids = std::move(both);
      }
      plan.devices = std::move(ids);
    }
    if (condition.kind == Expression::Kind::kCall && condition.function == Function::kStartsWith && is_member(condition.operands[0], device_id) &&
        is_string(condition.operands[1]) && condition.operands[1].constant.text.size() > plan.device_prefix.size()) {
      plan.device_prefix = condition.operands[1].constant.text;
    }
  }
  const auto live_path = [&query](const Path& path) { return needs_hub(query, path); };
  plan.live_output = (query.selects_all() && query.source != Source::kJobs) ||
                     std::any_of(query.columns.begin(), query.columns.end(), [&](const Column& column) { return column.path && live_path(*column.path); }) ||
                     std::any_of(query.group_by.begin(), query.group_by.end(), live_path);
  return plan;
}

}  // namespace nearhub::twin::query
