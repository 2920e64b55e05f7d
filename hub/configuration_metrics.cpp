#include "hub/configuration_metrics.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "hub/query_run.h"
#include "twin/query_parser.h"

namespace nearhub::hub {

void ConfigurationMetrics::count(std::vector<Configuration> which, Task done) {
  if (waiting_.size() >= kMaxWaitingMetrics) return done();
  Order order;
  order.done = std::move(done);
  order.began = Steady::now();
  // Those that the last request had no time for come first.
  const auto counted = [this](const Configuration& each) {
    const auto found = known_.find(each.id);
    return found == known_.end() ? 0 : found->second.counted;
  };
  std::stable_sort(which.begin(), which.end(), [&](const Configuration& a, const Configuration& b) { return counted(a) < counted(b); });
  for (const Configuration& each : which) {
    for (const bool custom : {false, true}) {
      for (auto& [name, text] : custom ? custom_queries(each) : system_queries(each)) order.steps.push_back({each.id, each.etag_counter, each.created, custom, name, text});
    }
  }
  waiting_.push_back(std::move(order));
  if (waiting_.size() == 1) next();
}

void ConfigurationMetrics::next() {
  while (!waiting_.empty()) {
    Order& order = waiting_.front();
    if (order.steps.empty() || Steady::now() - order.began > kMetricsWait) {
      Task done = std::move(order.done);
      waiting_.pop_front();
      done();
      continue;
    }
    const auto step = std::make_shared<const Step>(std::move(order.steps.front()));
    order.steps.pop_front();
    auto parsed = twin::query::parse_query(step->query);
    auto* query = std::get_if<twin::query::Query>(&parsed);
    if (query == nullptr) {
      keep(*step, 0);  // without a target condition nothing is targeted
      continue;
    }
    count_rows(hub_, executor_, std::make_shared<const twin::query::Query>(std::move(*query)), [this, step](const Result<std::uint64_t>& rows) {
      if (rows.ok()) keep(*step, *rows);
      // In a later turn: an answer may come before the call returns.
      executor_.post([this] { next(); });
    });
    return;
  }
}

void ConfigurationMetrics::keep(const Step& step, std::uint64_t rows) {
  Known& known = known_[step.id];
  if (known.etag_counter != step.etag_counter || known.created != step.created) known = {step.etag_counter, step.created, 0, {}, {}};
  known.counted = ++counts_;
  (step.custom ? known.custom : known.system)[step.name] = rows;
}

MetricResults ConfigurationMetrics::results(const Configuration& configuration) const {
  MetricResults results;
  const auto found = known_.find(configuration.id);
  if (found == known_.end() || found->second.etag_counter != configuration.etag_counter || found->second.created != configuration.created) return results;
  const auto take = [](const MetricQueries& queries, const std::map<std::string, std::uint64_t>& counted, auto& into) {
    for (const auto& [name, text] : queries) {
      if (const auto number = counted.find(name); number != counted.end()) into.emplace_back(name, number->second);
    }
  };
  take(system_queries(configuration), found->second.system, results.system);
  take(custom_queries(configuration), found->second.custom, results.custom);
  return results;
}

}  // namespace nearhub::hub
