#include "hub/configurations.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"

namespace nearhub::hub {

Result<ConfigurationListPtr> make_list(std::vector<Configuration> stored) {
  std::vector<std::shared_ptr<const TargetedConfiguration>> all;
  for (Configuration& each : stored) {
    auto made = make_targeted(std::move(each));
    if (!made.ok()) return std::move(made).error();
    all.push_back(std::move(*made));
  }
  return std::make_shared<const ConfigurationList>(std::move(all));
}

Configurations::Configurations(const Hub& hub, Executor& executor, TimerQueue& timers, ConfigurationListPtr list,
                               std::vector<std::pair<std::string, std::int64_t>> sweeps)
    : hub_(hub), executor_(executor), list_(std::move(list)), sweeps_(hub, executor, timers), metrics_(hub, executor), left_(std::move(sweeps)) {
  for (const auto& [id, mark] : left_) next_mark_ = std::max(next_mark_, mark + 1);
}

void Configurations::start() {
  NEARHUB_DCHECK(executor_.is_current());
  for (auto& [id, mark] : std::exchange(left_, {})) sweeps_.add(id, mark, swept(id), nullptr);
}

std::vector<SharedQuery> Configurations::swept(const std::string& id) const {
  using twin::query::Source;
  // Twins of the other kind may still show one of the same name that was deleted.
  if (const Targeted found = known(id)) return {found->swept(), swept_of_deleted(id, found->source() == Source::kDevices ? Source::kModules : Source::kDevices)};
  return {swept_of_deleted(id, twin::query::Source::kDevices), swept_of_deleted(id, twin::query::Source::kModules)};
}

Configurations::Targeted Configurations::known(const std::string& id) const {
  const auto& all = list_->ranked();
  const auto found = std::find_if(all.begin(), all.end(), [&id](const Targeted& each) { return each->configuration.id == id; });
  return found == all.end() ? nullptr : *found;
}

void Configurations::find(const std::string& id, Answer<View> answer) {
  NEARHUB_DCHECK(executor_.is_current());
  const Targeted found = known(id);
  if (!found) return answer(Error{ErrorCode::kConfigurationNotFound, printable(id, 128)});
  metrics_.count({found->configuration}, [this, found, answer = std::move(answer)]() mutable {
    answer(View{found->configuration, metrics_.results(found->configuration)});
  });
}

void Configurations::list(Answer<std::vector<View>> answer) {
  NEARHUB_DCHECK(executor_.is_current());
  std::vector<Configuration> all;
  for (const Targeted& each : list_->ranked()) all.push_back(each->configuration);
  std::sort(all.begin(), all.end(), [](const Configuration& a, const Configuration& b) { return a.id < b.id; });
  metrics_.count(all, [this, all, answer = std::move(answer)]() mutable {
    std::vector<View> views;
    for (Configuration& each : all) {
      MetricResults results = metrics_.results(each);
      views.push_back({std::move(each), std::move(results)});
    }
    answer(std::move(views));
  });
}

Result<Configurations::Targeted> Configurations::to_change(const std::string& id, const Condition& condition) const {
  Targeted found = known(id);
  if (!found) return Error{ErrorCode::kConfigurationNotFound, printable(id, 128)};
  const ETag etag = found->configuration.etag();
  if (!condition.matches(etag.view())) {
    return Error{ErrorCode::kPreconditionFailed,
                 fmt::format("PreconditionFailed, ETag may be invalid. Configuration {} has etag {}, If-Match says {}", id, etag.str(), printable(condition.etag, 80))};
  }
  return found;
}

template <typename T>
void Configurations::change(Answer<T> answer, UniqueFunction<void(Answer<T>, Task published)> operation) {
  NEARHUB_DCHECK(executor_.is_current());
  if (waiting_.size() >= kMaxWaitingConfigurationChanges) return answer(Error{ErrorCode::kThrottlingException, "too many changes of configurations wait; try again"});
  waiting_.push_back([this, operation = std::move(operation), answer = std::move(answer)]() mutable { operation(std::move(answer), [this] { finish(); }); });
  if (!busy_) finish();
}

void Configurations::finish() {
  busy_ = false;
  if (waiting_.empty()) return;
  busy_ = true;
  // In a later turn: an answer does not begin the next change on its own stack.
  executor_.post([next = std::move(waiting_.front())]() mutable { next(); });
  waiting_.pop_front();
}

void Configurations::put(Configuration wanted, const Condition& condition, Answer<View> answer) {
  change<View>(std::move(answer), [this, wanted = std::move(wanted), condition](Answer<View> done, Task published) mutable {
    const auto refuse = [&](Error error) {
      done(std::move(error));
      published();
    };
    const Targeted old = known(wanted.id);
    wanted.updated = hub_.shared().clock.now();
    if (condition.kind == Condition::kAbsent) {
      if (old) return refuse({ErrorCode::kConfigurationAlreadyExists, fmt::format("A configuration with ID '{}' already exists.", wanted.id)});
      if (list_->ranked().size() >= kMaxConfigurations) {
        return refuse({ErrorCode::kConfigurationCountLimitExceeded, fmt::format("Number of deployments exceed the maximum quota {} for this IotHub.", kMaxConfigurations)});
      }
      wanted.created = wanted.updated;
      return replace(nullptr, std::move(wanted), std::move(done), std::move(published));
    }
    const auto current = to_change(wanted.id, condition);
    if (!current.ok()) return refuse(current.error());
    // The condition must suit the content that stays.
    if (const auto target = parse_target((*current)->content.kind, wanted.target_condition); !target.ok()) return refuse(target.error());
    const Configuration& before = (*current)->configuration;
    wanted.content = before.content;
    wanted.kind = before.kind;
    wanted.created = before.created;
    wanted.etag_counter = before.etag_counter + 1;
    replace(&before, std::move(wanted), std::move(done), std::move(published));
  });
}

void Configurations::replace(const Configuration* old, Configuration made, Answer<View> answer, Task published) {
  auto targeted = make_targeted(std::move(made));
  NEARHUB_CHECK(targeted.ok());  // checked when it was parsed
  const std::int64_t mark = next_mark_++;
  PutConfiguration operation{(*targeted)->configuration, old == nullptr ? std::nullopt : std::optional(old->etag_counter), mark};
  store(std::move(operation), [this, made = std::move(*targeted), mark, answer = std::move(answer), published = std::move(published)](const Status& stored) mutable {
    if (!stored.ok()) {
      answer(stored.error());
      return published();
    }
    const std::string id = made->configuration.id;
    log::info("hub", "configuration={} priority={} target=\"{}\"", id, made->configuration.priority, printable(made->configuration.target_condition));
    std::vector<Targeted> all = list_->ranked();
    std::erase_if(all, [&id](const Targeted& each) { return each->configuration.id == id; });
    all.push_back(made);
    publish(std::move(all), [this, made, mark, answer = std::move(answer), published = std::move(published)]() mutable {
      sweeps_.add(made->configuration.id, mark, {made->swept()}, [made, answer = std::move(answer)]() mutable { answer(View{made->configuration, {}}); });
      published();
    });
  });
}

void Configurations::remove(const std::string& id, const Condition& condition, Answer<std::monostate> answer) {
  change<std::monostate>(std::move(answer), [this, id, condition](Answer<std::monostate> done, Task published) {
    const auto current = to_change(id, condition);
    if (!current.ok()) {
      done(current.error());
      return published();
    }
    const std::int64_t mark = next_mark_++;
    store(DeleteConfiguration{id, (*current)->configuration.etag_counter, mark},
          [this, id, mark, done = std::move(done), published = std::move(published)](const Status& stored) mutable {
      if (!stored.ok()) {
        done(stored.error());
        return published();
      }
      log::info("hub", "configuration={} deleted", id);
      metrics_.forget(id);
      std::vector<Targeted> all = list_->ranked();
      std::erase_if(all, [&id](const Targeted& each) { return each->configuration.id == id; });
      publish(std::move(all), [this, id, mark, done = std::move(done), published = std::move(published)]() mutable {
        sweeps_.add(id, mark, swept(id), [done = std::move(done)]() mutable { done(std::monostate()); });
        published();
      });
    });
  });
}

void Configurations::store(WriteOperation operation, UniqueFunction<void(const Status&)> done) {
  auto batch = std::make_unique<WriteBatch>();
  batch->operations.push_back(std::move(operation));
  batch->done.emplace_back();
  hub_.shared().store.submit(std::move(batch), executor_, [done = std::move(done)](std::unique_ptr<WriteBatch> answered) mutable { done(answered->results.front()); });
}

void Configurations::publish(std::vector<Targeted> all, Task told) {
  list_ = std::make_shared<const ConfigurationList>(std::move(all));
  // Shared by the shards' tasks; the last one's answer runs `told` on this loop.
  struct Round {
    Task told;
    std::uint32_t waiting;
  };
  auto round = std::make_shared<Round>(Round{std::move(told), hub_.shard_count()});
  for (std::uint32_t i = 0; i < hub_.shard_count(); ++i) {
    Shard& shard = hub_.shard(i);
    shard.executor().post([this, &shard, list = list_, round] {
      shard.set_configurations(list, [this, round] {
        executor_.post([round] {
          if (--round->waiting == 0) round->told();
        });
      });
    });
  }
}

}  // namespace nearhub::hub
