#include "hub/configuration_sweeps.h"

#include <utility>

#include "base/log.h"
#include "hub/shard.h"

namespace nearhub::hub {

ConfigurationSweeps::ConfigurationSweeps(const Hub& hub, Executor& executor, TimerQueue& timers)
    : hub_(hub), executor_(executor), timers_(timers), retry_(timers, [this] { begin_page(); }) {}

void ConfigurationSweeps::add(std::string configuration, std::int64_t mark, std::vector<SharedQuery> queries, Task answered) {
  const bool first = waiting_.empty();
  waiting_.push_back({std::move(configuration), mark, std::move(queries), std::move(answered), {}, 0, 0});
  if (first || stopped_) begin_page();
}

void ConfigurationSweeps::begin_page() {
  if (stopped_) {
    std::vector<Task> due;
    for (Sweep& each : waiting_) {
      if (each.answered) due.push_back(std::exchange(each.answered, nullptr));
    }
    for (Task& answered : due) answered();
    return;
  }
  Sweep& sweep = waiting_.front();
  select_identities(hub_, executor_, sweep.queries.front(), sweep.after, kSweepPage, [this](Result<IdentityPage> page) {
    if (page.ok()) return judge(std::move(page->identities), page->more);
    if (page.error().code == ErrorCode::kThrottlingException) return retry_.start_at(timers_.now() + kSweepRetryTime);
    // The store stops, or has failed: the mark is there at the next start.
    log::warn("hub", "configuration={} the sweep over the twins broke off reason=\"{}\"", waiting_.front().configuration, page.error().detail);
    stopped_ = true;
    begin_page();
  });
}

void ConfigurationSweeps::judge(std::vector<IdentityId> identities, bool more) {
  if (identities.empty()) return on_judged(more);
  Sweep& sweep = waiting_.front();
  sweep.after = identities.back();
  sweep.judged += identities.size();
  std::vector<Task> due;  // whoever is answered may add a sweep
  for (auto behind = waiting_.begin() + 1; behind != waiting_.end(); ++behind) {
    behind->judged_in_front += identities.size();
    if (behind->judged_in_front >= kSweptInFrontBeforeAnswer && behind->answered) due.push_back(std::exchange(behind->answered, nullptr));
  }
  for (Task& answered : due) answered();
  const auto left = std::make_shared<std::size_t>(identities.size());
  for (IdentityId& id : identities) {
    Shard& home = hub_.shard(hub_.home_of(id.device));
    home.executor().post([this, &home, id = std::move(id), left, more]() mutable {
      home.configure(id, [this, left, more] {
        executor_.post([this, left, more] {
          if (--*left == 0) on_judged(more);
        });
      });
    });
  }
}

void ConfigurationSweeps::on_judged(bool more) {
  Sweep& sweep = waiting_.front();
  if (more) {
    if (sweep.judged >= kSweptBeforeAnswer) answer(sweep);
    return begin_page();
  }
  sweep.queries.erase(sweep.queries.begin());
  sweep.after = {};
  sweep.queries.empty() ? end() : begin_page();
}

void ConfigurationSweeps::answer(Sweep& sweep) {
  if (sweep.answered) std::exchange(sweep.answered, nullptr)();
}

void ConfigurationSweeps::end() {
  Sweep& sweep = waiting_.front();
  log::info("hub", "configuration={} judged={}", sweep.configuration, sweep.judged);
  auto batch = std::make_unique<WriteBatch>();
  batch->operations.push_back(EndConfigurationSweep{sweep.configuration, sweep.mark});
  batch->done.emplace_back();
  hub_.shared().store.submit(std::move(batch), executor_, [](std::unique_ptr<WriteBatch>) {});
  Task answered = std::move(sweep.answered);
  waiting_.pop_front();
  if (answered) answered();
  if (!waiting_.empty()) executor_.post([this] { begin_page(); });
}

}  // namespace nearhub::hub
