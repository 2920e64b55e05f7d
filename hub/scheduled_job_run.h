// A scheduled job that runs: first all its identities are selected and written down as pending, then they are worked through, some at a time, each at its
// home shard. What the job shows is what the store has.
//
// A run can be taken up again by the next start of the hub, wherever it was: behind the last identity that was selected, then at the first that has
// not ended. A twin update whose end was not written down is made again, which changes nothing the second time. A method is called once at the
// most: that its call begins is written down before, and a call whose end is not known has failed. One that still waits for its device is taken back
// when the job's time ends, or the hub stops.
//
// In memory are one page of identities, those under way, and their outcomes until they are stored (docs/limits.md).
//
// THREAD: the first shard's loop. Kept alive by the answers that it waits for.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "hub/hub.h"
#include "hub/query_run.h"
#include "hub/scheduled_job.h"
#include "hub/shard.h"

namespace nearhub::hub {

inline constexpr std::size_t kJobPageRows = 1000;       // identities that are selected, or read, at a time
inline constexpr std::size_t kMaxUnderWayPerJob = 100;  // identities, their unstored outcomes included

class ScheduledJobRun : public std::enable_shared_from_this<ScheduledJobRun> {
 public:
  // `on_change` runs when has_ended(), is_quiet() or next_look() may have changed.
  ScheduledJobRun(const Hub& hub, Executor& loop, std::string id, Task on_change);
  ScheduledJobRun(const ScheduledJobRun&) = delete;
  ScheduledJobRun& operator=(const ScheduledJobRun&) = delete;

  // Reads the job from the store and begins, or goes on.
  void begin();
  // Does what is due: ends what took too long, tries again what could not be done.
  void look();
  WallTime next_look() const { return retry_ && *retry_ < deadline_ ? *retry_ : deadline_; }
  // Begins nothing new; what is under way is still written down.
  void stop();

  bool has_ended() const { return ended_; }
  // Stopped, and nothing is under way or unsaved. A page, or the job itself, may still be read: nothing comes of it then.
  bool is_quiet() const { return stopping_ && under_way_.empty() && !saving_ && unsaved_.empty(); }

 private:
  enum class Phase : std::uint8_t { kReading, kSelecting, kWorking, kEnding };

  // --- How far it is (scheduled_job_run.cpp)
  void on_read(Result<std::optional<ScheduledJob>> read);
  // Brings the run forward as far as it goes now.
  void step();
  void select_page();
  void on_selected(Result<IdentityPage> page);
  void save();
  void on_saved(const std::vector<IdentityId>& to_call);
  void end(ScheduledJobStatus status, std::string failure = {});
  void try_again();
  WallTime now() const { return hub_.shared().clock.now(); }
  bool is_method() const { return job_.kind == ScheduledJobKind::kDeviceMethod; }

  // --- One identity after the other (scheduled_job_work.cpp)
  void read_page();
  void on_page(Result<DeviceJobPage> page);
  void take_up();
  void take_up(DeviceJob row);
  // `perhaps_made`: a twin update that may have been under way when the hub stopped.
  void give_up(DeviceJob row, bool perhaps_made);
  bool is_done() const;

  void call(const IdentityId& id);
  void on_patched(const IdentityId& id, const Result<std::monostate>& result);
  void on_answered(const IdentityId& id, Result<MethodResult> result);
  void cut_off_calls();
  void settle(DeviceJob row, DeviceJobStatus status, const Error* error = nullptr);
  void put_back(DeviceJob row);
  void move(DeviceJob& row, DeviceJobStatus to);
  std::int64_t& count_of(DeviceJobStatus status);

  struct UnderWay {
    DeviceJob row;
    std::shared_ptr<MethodDispatch> dispatch;  // of a method; null for a twin update
  };

  const Hub& hub_;
  Executor& loop_;
  Task on_change_;
  ScheduledJob job_;
  std::shared_ptr<const twin::Update> update_;
  SharedQuery query_;

  Phase phase_ = Phase::kReading;
  WallTime deadline_ = WallTime::max();
  std::optional<WallTime> retry_;
  bool asking_ = false;  // for a page
  bool timed_out_ = false;
  bool stopping_ = false;
  bool ended_ = false;

  std::deque<DeviceJob> page_;  // to be taken up
  IdentityId page_end_;
  bool last_page_ = false;
  std::size_t perhaps_made_ = 0;  // so many of the next to be taken up
  std::map<IdentityId, UnderWay> under_way_;

  std::vector<DeviceJob> unsaved_;   // with the next save
  std::vector<IdentityId> to_call_;  // behind the next save
  bool state_changed_ = false;
  std::size_t saving_rows_ = 0;
  bool saving_ = false;
};

}  // namespace nearhub::hub
