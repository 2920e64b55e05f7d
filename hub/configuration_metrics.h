// The numbers of configurations: how many rows the queries of their metrics have.
//
// They are counted when somebody asks, one query after the other. Who asks waits for his configurations, but not much longer than kMetricsWait: what was not
// counted until then keeps its last number, or has none.
//
// THREAD: the first shard's loop.
#pragma once
#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/executor.h"
#include "hub/configuration.h"
#include "hub/hub.h"

namespace nearhub::hub {

inline constexpr std::chrono::seconds kMetricsWait{5};
inline constexpr std::size_t kMaxWaitingMetrics = 32;  // further requests get the last numbers

class ConfigurationMetrics {
 public:
  ConfigurationMetrics(const Hub& hub, Executor& executor) : hub_(hub), executor_(executor) {}

  void count(std::vector<Configuration> which, Task done);
  // As they were counted last, of this version of the configuration.
  MetricResults results(const Configuration& configuration) const;
  void forget(const std::string& id) { known_.erase(id); }

 private:
  using Steady = std::chrono::steady_clock;
  struct Known {
    std::int64_t etag_counter = 0;
    WallTime created{};
    std::uint64_t counted = 0;  // when, as a number that rises
    std::map<std::string, std::uint64_t> system;
    std::map<std::string, std::uint64_t> custom;
  };
  struct Step {
    std::string id;
    std::int64_t etag_counter;
    WallTime created;
    bool custom;
    std::string name;
    std::string query;
  };
  struct Order {
    std::deque<Step> steps;
    Task done;
    Steady::time_point began;
  };
  void next();
  void keep(const Step& step, std::uint64_t rows);

  const Hub& hub_;
  Executor& executor_;
  std::map<std::string, Known, std::less<>> known_;
  std::uint64_t counts_ = 0;
  std::deque<Order> waiting_;  // the first is under way
};

}  // namespace nearhub::hub
