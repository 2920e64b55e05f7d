// The rows of one page of a query, gathered step by step on the store's thread.
//
// A row that needs what only the running hub knows (whether it is connected, ...) is held until the loop has asked for it between two steps, and
// judged at the beginning of the next one.
//
// THREAD: as TwinVisitor.
#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"
#include "hub/limits.h"
#include "hub/live_states.h"
#include "hub/twin_scan.h"
#include "twin/query.h"

namespace nearhub::hub {

// What becomes of the rows.
enum class QueryOutput : std::uint8_t { kJson, kIdentities, kCount };

class QueryPageVisitor final : public TwinVisitor {
 public:
  // `limit`: rows of the page. `is_all`: no row is looked for behind them.
  QueryPageVisitor(std::shared_ptr<const twin::query::Query> query, std::shared_ptr<const twin::query::Plan> plan, QueryOutput output, std::size_t limit,
                   bool is_all);

  // --- On the store's thread
  bool begin() override;
  bool visit(const TwinRow& row) override;

  // --- On the loop, between steps
  const Status& failure() const { return failure_; }
  // The page is complete, and there is at least one more row.
  bool more() const { return more_; }
  // Nothing more can come into the page.
  bool full() const { return more_ || (is_all_ && rows_ == limit_); }
  // Identities of the rows that are held; set_live() must come before the next step when there are any.
  std::vector<IdentityId> held() const;
  void set_live(LiveStates live) { live_ = std::move(live); }
  const IdentityId& last() const { return last_; }  // of the page's rows
  std::size_t rows() const { return rows_; }
  const twin::query::Aggregation* aggregation() const { return aggregation_.get(); }
  std::string take_json();
  std::vector<IdentityId> take_identities() { return std::move(identities_); }

 private:
  struct Held {
    registry::Identity identity;
    registry::Identity device;
    std::int64_t etag_counter;
    std::int64_t reported_version;
    std::int64_t queued_messages;
    bool has_tags;
    std::string model_id, tags, desired, reported, configurations;
  };
  void hold(const TwinRow& row);
  // False, like take(): the page is at its end.
  bool settle(const Held& held, const std::optional<LiveIdentity>& live);
  // Into the page. False when nothing can follow, or when the row had no room any more.
  bool take(const TwinDocument& row);
  bool has_room() const { return aggregation_ || rows_ + held_.size() < limit_; }

  const std::shared_ptr<const twin::query::Query> query_;
  const std::shared_ptr<const twin::query::Plan> plan_;
  const QueryOutput output_;
  const std::size_t limit_;
  const bool is_all_;
  std::unique_ptr<twin::query::Aggregation> aggregation_;  // of a query with aggregates
  JsonWriter json_;
  std::vector<IdentityId> identities_;
  std::size_t rows_ = 0;
  IdentityId last_;
  bool more_ = false;
  std::vector<Held> held_;
  std::size_t held_bytes_ = 0;
  LiveStates live_;
  Status failure_;
};

}  // namespace nearhub::hub
