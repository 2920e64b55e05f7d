#include "hub/query_run.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "base/shard_hash.h"
#include "hub/continuation.h"
#include "hub/query_page.h"

namespace nearhub::hub {
namespace {

using Steady = std::chrono::steady_clock;
constexpr std::size_t kJobRowsAtOnce = 200;

// A place among the queries under way; given back with the last reference.
class Place {
 public:
  explicit Place(const Hub& hub) : hub_(hub), taken_(hub.queries().fetch_add(1) < kMaxQueriesAtOnce) {}
  ~Place() { hub_.queries().fetch_sub(1); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  bool taken() const { return taken_; }

 private:
  const Hub& hub_;
  const bool taken_;
};

// Goes through the twins for one page. Kept alive by the answers that it waits for.
class Run : public std::enable_shared_from_this<Run> {
 public:
  struct Order {
    SharedQuery query;
    QueryOutput output = QueryOutput::kJson;
    IdentityId after;
    std::size_t limit = 1;
    bool is_all = false;
    bool may_end_early = true;  // after kMaxQueryPageTime
  };
  struct Outcome {
    std::unique_ptr<QueryPageVisitor> page;
    bool more = false;
    IdentityId next_after;  // where the next page begins
  };

  Run(const Hub& hub, Executor& loop, Order order, UniqueFunction<bool()> wanted, Answer<Outcome> answer)
      : hub_(hub), loop_(loop), order_(std::move(order)), wanted_(std::move(wanted)), answer_(std::move(answer)),
        plan_(std::make_shared<const twin::query::Plan>(twin::query::make_plan(*order_.query))) {}

  bool has_place() const { return place_.taken(); }

  void start() {
    if (order_.limit == 0) return finish(make_page(), order_.after, true);
    step(make_page(), order_.after, false);
  }

 private:
  std::unique_ptr<QueryPageVisitor> make_page() const {
    return std::make_unique<QueryPageVisitor>(order_.query, plan_, order_.output, order_.limit, order_.is_all);
  }

  // `settling`: no further rows are read, only those that are held are judged.
  void step(std::unique_ptr<QueryPageVisitor> page, const IdentityId& after, bool settling) {
    TwinScan scan;
    scan.modules = order_.query->source == twin::query::Source::kModules;
    scan.after = after;
    scan.among = plan_->devices;
    scan.prefix = plan_->device_prefix;
    if (settling) scan.max_rows = 0;
    hub_.shared().store.scan_twins(std::move(scan), std::move(page), loop_, [self = shared_from_this(), settling](Result<TwinScanStep> answered) {
      if (!answered.ok()) return self->answer_(answered.error());
      std::unique_ptr<QueryPageVisitor> came(static_cast<QueryPageVisitor*>(answered->visitor.release()));
      self->on_step(std::move(came), answered->last, answered->at_end || settling);
    });
  }

  void on_step(std::unique_ptr<QueryPageVisitor> page, IdentityId last, bool at_end) {
    if (!page->failure().ok()) return answer_(page->failure().error());
    if (wanted_ && !wanted_()) return;
    std::vector<IdentityId> held = page->held();
    if (held.empty()) {
      const bool late = order_.may_end_early && Steady::now() - began_ > kMaxQueryPageTime;
      if (at_end || page->full() || late) return finish(std::move(page), last, at_end);
      return step(std::move(page), last, false);
    }
    const bool settling = at_end || page->full();
    gather_live_states(hub_, loop_, held, [self = shared_from_this(), page = std::move(page), last = std::move(last), settling](LiveStates live) mutable {
      page->set_live(std::move(live));
      self->step(std::move(page), last, settling);
    });
  }

  void finish(std::unique_ptr<QueryPageVisitor> page, const IdentityId& last, bool at_end) {
    Outcome outcome;
    outcome.more = page->more() || (!at_end && !page->full());
    // A page that was ended by its size goes on behind its last row, one that was ended by time behind what was looked at.
    outcome.next_after = page->more() ? page->last() : last;
    outcome.page = std::move(page);
    answer_(std::move(outcome));
  }

  const Hub& hub_;
  Executor& loop_;
  const Order order_;
  UniqueFunction<bool()> wanted_;
  Answer<Outcome> answer_;
  const std::shared_ptr<const twin::query::Plan> plan_;
  const Place place_{hub_};
  const Steady::time_point began_ = Steady::now();
};

Error too_many() { return {ErrorCode::kThrottlingException, "too many queries are under way; try again"}; }

void start(const Hub& hub, Executor& loop, Run::Order order, UniqueFunction<bool()> wanted, Answer<Run::Outcome> answer) {
  auto refusal = std::make_shared<Answer<Run::Outcome>>(std::move(answer));
  const auto run = std::make_shared<Run>(hub, loop, std::move(order), std::move(wanted), [refusal](Result<Run::Outcome> outcome) { (*refusal)(std::move(outcome)); });
  if (!run->has_place()) return (*refusal)(too_many());
  run->start();
}

// --- Jobs ---------------------------------------------------------------------------------------------------------------------

// The rows of one page of devices.jobs, which are small: judged on the loop, some hundred at a time.
class JobRun : public std::enable_shared_from_this<JobRun> {
 public:
  JobRun(const Hub& hub, Executor& loop, SharedQuery query, Continuation from, std::size_t limit, UniqueFunction<bool()> wanted, Answer<QueryPage> answer)
      : source_(*hub.shared().job_rows), loop_(loop), query_(std::move(query)), at_(std::move(from)), limit_(limit), wanted_(std::move(wanted)),
        answer_(std::move(answer)), place_(hub) {
    const twin::query::Plan plan = twin::query::make_plan(*query_);
    filter_.job = plan.job;
    if (plan.devices && plan.devices->size() == 1) filter_.device = plan.devices->front();
    json_.array();
  }

  void start() {
    if (!place_.taken()) return answer_(too_many());
    step();
  }

 private:
  void step() {
    source_.read_job_rows(filter_, at_.key, kJobRowsAtOnce, loop_, [self = shared_from_this()](Result<JobRows::Chunk> chunk) { self->on_chunk(std::move(chunk)); });
  }

  void on_chunk(Result<JobRows::Chunk> chunk) {
    if (!chunk.ok()) return answer_(chunk.error());
    if (wanted_ && !wanted_()) return;
    for (auto& [key, text] : chunk->rows) {
      const twin::query::DocumentRow row(query_->source, text);
      if (twin::query::matches(*query_, row)) {
        if (at_.remaining == 0u) return finish(false);
        if (count_ == limit_ || (count_ > 0 && json_.text().size() >= kMaxQueryPageBytes)) return finish(true);
        twin::query::write_row(json_, *query_, row);
        ++count_;
        if (at_.remaining) --*at_.remaining;
      }
      at_.key = std::move(key);
    }
    if (chunk->at_end || chunk->rows.empty()) return finish(false);
    if (Steady::now() - began_ > kMaxQueryPageTime) return finish(true);
    step();
  }

  void finish(bool more) {
    json_.end_array();
    answer_(QueryPage{std::move(json_).take(), more ? encode(at_) : std::string()});
  }

  JobRows& source_;
  Executor& loop_;
  const SharedQuery query_;
  JobRowFilter filter_;
  Continuation at_;
  const std::size_t limit_;
  UniqueFunction<bool()> wanted_;
  Answer<QueryPage> answer_;
  JsonWriter json_;
  std::size_t count_ = 0;
  const Place place_;
  const Steady::time_point began_ = Steady::now();
};

}  // namespace

void run_query(const Hub& hub, Executor& loop, QueryRequest request, UniqueFunction<bool()> wanted, Answer<QueryPage> answer) {
  const twin::query::Query& query = *request.query;
  Continuation from{stable_hash(query.text), query.top, {}, {}};
  if (!request.continuation.empty()) {
    auto decoded = decode_continuation(request.continuation, query.text);
    if (!decoded.ok()) return answer(decoded.error());
    from = std::move(*decoded);
  }
  const std::size_t limit = std::clamp<std::size_t>(request.max_rows, 1, kMaxQueryPageRows);
  if (query.source == twin::query::Source::kJobs) {
    if (hub.shared().job_rows == nullptr) return answer(QueryPage{"[]", {}});
    return std::make_shared<JobRun>(hub, loop, request.query, std::move(from), limit, std::move(wanted), std::move(answer))->start();
  }
  const std::size_t rows = static_cast<std::size_t>(std::min<std::uint64_t>(limit, from.remaining.value_or(limit)));
  Run::Order order{request.query, QueryOutput::kJson, from.after, rows, from.remaining && *from.remaining <= limit, true};
  if (query.aggregates) {
    // All rows are looked at for every page of groups.
    order.after = {};
    order.limit = 1;
    order.is_all = false;
    order.may_end_early = false;
  }
  start(hub, loop, std::move(order), std::move(wanted), [from, rows, answer = std::move(answer)](Result<Run::Outcome> outcome) mutable {
    if (!outcome.ok()) return answer(outcome.error());
    QueryPageVisitor& page = *outcome->page;
    Continuation next = from;
    bool more = outcome->more;
    if (const twin::query::Aggregation* groups = page.aggregation()) {
      JsonWriter json;
      json.array();
      const auto key = groups->write(json, from.key, rows);
      json.end_array();
      more = key.has_value() && (!next.remaining || *next.remaining > rows);
      if (next.remaining) *next.remaining -= std::min<std::uint64_t>(*next.remaining, rows);
      if (more) next.key = *key;
      return answer(QueryPage{std::move(json).take(), more ? encode(next) : std::string()});
    }
    next.after = outcome->next_after;
    if (next.remaining) *next.remaining -= page.rows();
    more = more && next.remaining != 0u;
    answer(QueryPage{page.take_json(), more ? encode(next) : std::string()});
  });
}

void select_identities(const Hub& hub, Executor& loop, SharedQuery query, IdentityId after, std::size_t limit, Answer<IdentityPage> answer) {
  if (query->source == twin::query::Source::kJobs) return answer(Error{ErrorCode::kInvalidOperation, "devices.jobs has no identities"});
  start(hub, loop, {std::move(query), QueryOutput::kIdentities, std::move(after), limit, false, false}, nullptr,
        [answer = std::move(answer)](Result<Run::Outcome> outcome) mutable {
          if (!outcome.ok()) return answer(outcome.error());
          answer(IdentityPage{outcome->page->take_identities(), outcome->more});
        });
}

void count_rows(const Hub& hub, Executor& loop, SharedQuery query, Answer<std::uint64_t> answer) {
  if (query->source == twin::query::Source::kJobs) return answer(Error{ErrorCode::kInvalidOperation, "rows of devices.jobs are not counted"});
  const std::uint64_t top = query->top.value_or(std::numeric_limits<std::uint64_t>::max());
  const QueryOutput output = query->aggregates ? QueryOutput::kJson : QueryOutput::kCount;
  start(hub, loop, {std::move(query), output, {}, std::numeric_limits<std::size_t>::max(), false, false}, nullptr,
        [top, answer = std::move(answer)](Result<Run::Outcome> outcome) mutable {
          if (!outcome.ok()) return answer(outcome.error());
          const twin::query::Aggregation* groups = outcome->page->aggregation();
          answer(std::min<std::uint64_t>(top, groups != nullptr ? groups->rows({}) : outcome->page->rows()));
        });
}

}  // namespace nearhub::hub
