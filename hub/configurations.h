// The configurations of the hub: one list, changed in one place, applied everywhere.
//
// A change is stored first, with a mark that its sweep is to be done. Then every shard is handed the new list and judges by it; when all have done so, a sweep
// goes over the twins that the change may be about (hub/configuration_sweeps.h). The change is answered behind its sweep, of a large hub behind the first
// thousand twins. Changes follow each other, the next begins when the one before is published.
//
// THREAD: the first shard's loop; post() from any thread leads there.
#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/executor.h"
#include "base/timer_queue.h"
#include "hub/configuration.h"
#include "hub/configuration_metrics.h"
#include "hub/configuration_sweeps.h"
#include "hub/configuration_target.h"
#include "hub/hub.h"
#include "hub/shard.h"

namespace nearhub::hub {

inline constexpr std::size_t kMaxWaitingConfigurationChanges = 100;

// The list as shards judge by it. Fails with kCorrupt and the name of the one that cannot be read.
Result<ConfigurationListPtr> make_list(std::vector<Configuration> stored);

class Configurations {
 public:
  struct View {
    Configuration configuration;
    MetricResults results;
  };

  // `list`: the one that the shards begin with, too. `sweeps`: those that the last run has left. `executor` and `timers` are those of the first shard.
  Configurations(const Hub& hub, Executor& executor, TimerQueue& timers, ConfigurationListPtr list, std::vector<std::pair<std::string, std::int64_t>> sweeps);
  Configurations(const Configurations&) = delete;
  Configurations& operator=(const Configurations&) = delete;

  bool try_post(Task task) { return executor_.try_post(std::move(task)); }
  void post(Task task) { executor_.post(std::move(task)); }

  // Goes on with the sweeps that are left; once, when the shards' loops run.
  void start();
  // No further twin is swept.
  void stop() { sweeps_.stop(); }

  // With its metrics counted. Fails with kConfigurationNotFound.
  void find(const std::string& id, Answer<View> answer);
  // In the order of their ids.
  void list(Answer<std::vector<View>> answer);
  // Without a condition it creates; kConfigurationAlreadyExists, kConfigurationNotFound, kPreconditionFailed, kConfigurationCountLimitExceeded. The content of
  // one that is there stays, whatever the request says (reference/service-rest.md 12, trap 29).
  void put(Configuration wanted, const Condition& condition, Answer<View> answer);
  // Without a condition: whatever its etag is.
  void remove(const std::string& id, const Condition& condition, Answer<std::monostate> answer);

 private:
  using Targeted = std::shared_ptr<const TargetedConfiguration>;
  template <typename T>
  void change(Answer<T> answer, UniqueFunction<void(Answer<T>, Task published)> operation);
  void finish();
  Result<Targeted> to_change(const std::string& id, const Condition& condition) const;
  Targeted known(const std::string& id) const;
  void store(WriteOperation operation, UniqueFunction<void(const Status&)> done);
  void replace(const Configuration* old, Configuration made, Answer<View> answer, Task published);
  // Hands the list to all shards; `told` runs when each of them judges by it and all that it judged before is durable.
  void publish(std::vector<Targeted> all, Task told);
  std::vector<SharedQuery> swept(const std::string& id) const;

  const Hub& hub_;
  Executor& executor_;
  ConfigurationListPtr list_;
  ConfigurationSweeps sweeps_;
  ConfigurationMetrics metrics_;
  std::vector<std::pair<std::string, std::int64_t>> left_;
  std::int64_t next_mark_ = 1;
  std::deque<Task> waiting_;
  bool busy_ = false;
};

}  // namespace nearhub::hub
