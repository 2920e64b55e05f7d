#include "hub/query_page.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace nearhub::hub {
namespace {

// What is held at once: each row costs its sections and some hundred bytes.
constexpr std::size_t kMaxHeldRows = 1000;
constexpr std::size_t kMaxHeldBytes = 1024 * 1024;

bool all_true(const twin::query::Query& query, const std::vector<std::size_t>& conditions, const TwinDocument& row) {
  return std::all_of(conditions.begin(), conditions.end(), [&](std::size_t i) { return twin::query::is_true(query.where[i], row); });
}

}  // namespace

QueryPageVisitor::QueryPageVisitor(std::shared_ptr<const twin::query::Query> query, std::shared_ptr<const twin::query::Plan> plan, QueryOutput output,
                                   std::size_t limit, bool is_all)
    : query_(std::move(query)), plan_(std::move(plan)), output_(output), limit_(limit), is_all_(is_all) {
  if (query_->aggregates && output_ == QueryOutput::kJson) aggregation_ = std::make_unique<twin::query::Aggregation>(*query_);
  json_.array();
}

bool QueryPageVisitor::begin() {
  NEARHUB_CHECK(live_.size() == held_.size());
  // They were held because the page had room for them; whether there is more behind them is known already, or not.
  for (std::size_t i = 0; i < held_.size() && settle(held_[i], live_[i]); ++i) {
  }
  held_.clear();
  held_bytes_ = 0;
  live_.clear();
  return !full() && failure_.ok();
}

bool QueryPageVisitor::visit(const TwinRow& row) {
  const TwinDocument document({row.identity, row.device, row.etag_counter, row.reported_version, row.model_id, {false, row.queued_messages},
                               row.identity.last_activity, row.configurations},
                              row.sections);
  if (!all_true(*query_, plan_->stored_conditions, document)) return true;
  const bool live_output = plan_->live_output && output_ == QueryOutput::kJson;
  if (plan_->live_conditions.empty() && !live_output) return take(document);
  // With its stored conditions it is a row of the answer already, unless there are others.
  if (plan_->live_conditions.empty() && !has_room()) {
    more_ = true;
    return false;
  }
  hold(row);
  if (plan_->live_conditions.empty() && is_all_ && !has_room()) return false;
  return held_.size() < kMaxHeldRows && held_bytes_ < kMaxHeldBytes;
}

void QueryPageVisitor::hold(const TwinRow& row) {
  const TwinSections& sections = row.sections;
  held_.push_back({row.identity, row.device, row.etag_counter, row.reported_version, row.queued_messages, sections.has_tags, std::string(row.model_id),
                   std::string(sections.tags), std::string(sections.desired), std::string(sections.reported), std::string(row.configurations)});
  held_bytes_ += sizeof(Held) + row.configurations.size() + sections.tags.size() + sections.desired.size() + sections.reported.size();
}

bool QueryPageVisitor::settle(const Held& held, const std::optional<LiveIdentity>& live) {
  // Deleted since the row was read, and made again: what lives now is another one, and the row is answered as it was read.
  const bool is_same = live && live->generation_id == held.identity.generation_id;
  const TwinDocument document({held.identity, held.device, held.etag_counter, held.reported_version, held.model_id,
                               is_same ? live->state : registry::LiveState{false, held.queued_messages},
                               is_same ? live->last_activity : held.identity.last_activity, held.configurations},
                              {held.has_tags, held.tags, held.desired, held.reported});
  return !all_true(*query_, plan_->live_conditions, document) || take(document);
}

bool QueryPageVisitor::take(const TwinDocument& row) {
  if (aggregation_) {
    failure_ = aggregation_->add(row);
    return failure_.ok();
  }
  // A page is full by rows or by bytes; one row always has room.
  if (rows_ == limit_ || (rows_ > 0 && json_.text().size() >= kMaxQueryPageBytes)) {
    more_ = true;
    return false;
  }
  const IdentityId& id = row.head().identity.id;
  if (output_ == QueryOutput::kIdentities) {
    identities_.push_back(id);
  } else if (output_ == QueryOutput::kJson) {
    twin::query::write_row(json_, *query_, row);
  }
  ++rows_;
  last_ = id;
  return !is_all_ || rows_ < limit_;
}

std::vector<IdentityId> QueryPageVisitor::held() const {
  std::vector<IdentityId> ids;
  ids.reserve(held_.size());
  for (const Held& held : held_) ids.push_back(held.identity.id);
  return ids;
}

std::string QueryPageVisitor::take_json() {
  json_.end_array();
  return std::move(json_).take();
}

}  // namespace nearhub::hub
