#include "store/scan.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "store/reads.h"

namespace nearhub::store {
namespace {

using Steady = std::chrono::steady_clock;

// The time is looked at so often.
constexpr std::size_t kRowsPerLook = 16;

// One step on its way through the rows.
class Scan {
 public:
  Scan(Database& database, const hub::TwinScan& scan, hub::TwinVisitor& visitor, hub::TwinScanStep& step)
      : database_(database), scan_(scan), visitor_(visitor), step_(step) {}

  Status run() { return scan_.among ? run_among() : run_all(); }

 private:
  std::string select(std::string_view condition) const {
    return "SELECT " + std::string(kIdentityColumns) +
           ", t.etag_counter, t.reported_version, t.model_id, t.tags, t.desired, t.reported, t.configurations,"
           " (SELECT count(*) FROM cloud_message m WHERE m.identity=i.id)"
           " FROM identity i CROSS JOIN twin t ON t.identity=i.id WHERE " +
           std::string(condition) + " ORDER BY i.device, i.module";
  }

  Status run_all() {
    // From the first that is wanted; the row that the scan stands on is met again and left out.
    const bool before_prefix = scan_.after.device.view() < scan_.prefix;
    const std::string_view device = before_prefix ? std::string_view(scan_.prefix) : scan_.after.device.view();
    const std::string_view module = before_prefix ? std::string_view() : scan_.after.module.view();
    auto rows = database_.cached(scan_.modules ? select("(i.device, i.module)>=(?1, ?2) AND i.module<>''") : select("i.device>=?1 AND i.module=''"));
    if (!rows.ok()) return rows.error();
    (*rows)->bind(1, device);
    if (scan_.modules) (*rows)->bind(2, module);
    return take(**rows, true);
  }

  Status run_among() {
    auto rows = database_.cached(scan_.modules ? select("i.device=?1 AND i.module>?2 AND i.module<>''") : select("i.device=?1 AND i.module=''"));
    if (!rows.ok()) return rows.error();
    const std::vector<std::string>& devices = *scan_.among;
    // Devices behind the one that the scan stands on; of that one there may be further modules.
    auto at = std::lower_bound(devices.begin(), devices.end(), scan_.after.device.str());
    for (; at != devices.end(); ++at) {
      if (!at->starts_with(scan_.prefix)) continue;
      const bool here = *at == scan_.after.device.view();
      if (here && !scan_.modules) continue;
      (*rows)->bind(1, std::string_view(*at));
      if (scan_.modules) (*rows)->bind(2, here ? scan_.after.module.view() : std::string_view());
      if (Status taken = take(**rows, at + 1 == devices.end()); !taken.ok()) return taken;
      (*rows)->reset();
      if (stopped_) return {};
      // The one that the scan stood on: a step that ended here would stand where it began.
      if (here) continue;
      // One that is not there cost a look-up, too, and is behind us.
      if (*at > step_.last.device.view()) step_.last = {DeviceId(*at), ModuleId()};
      if (is_used_up()) return {};
    }
    step_.at_end = true;
    return {};
  }

  bool is_used_up() {
    if (++looked_ >= scan_.max_rows) return true;
    return looked_ % kRowsPerLook == 0 && Steady::now() - began_ > hub::kMaxScanStepTime;
  }

  // The rows of one statement. `last`: the scan ends with them.
  Status take(Statement& rows, bool last) {
    while (rows.step()) {
      const registry::Identity identity = read_identity(rows);
      if (identity.id <= scan_.after) continue;
      if (!identity.id.device.view().starts_with(scan_.prefix)) {
        step_.at_end = true;
        rows.reset();
        return {};
      }
      if (identity.id.is_module() && device_.id.device != identity.id.device) {
        if (Status loaded = load_device_of(identity.id.device); !loaded.ok()) return loaded;
      }
      int column = kIdentityColumnCount;
      const std::int64_t etag_counter = rows.integer(column++);
      const std::int64_t reported_version = rows.integer(column++);
      const std::string_view model_id = rows.text_view(column++);
      const std::string_view tags = rows.text_view(column);
      // Tags that were never set are NULL.
      const bool has_tags = tags.data() != nullptr;
      ++column;
      const std::string_view desired = rows.text_view(column++);
      const std::string_view reported = rows.text_view(column++);
      const std::string_view configurations = rows.text_view(column++);
      const hub::TwinRow row{identity,    identity.id.is_module() ? device_ : identity, etag_counter, reported_version, model_id,
                             {has_tags, tags, desired, reported}, rows.integer(column), configurations};
      const bool go_on = visitor_.visit(row);
      step_.last = identity.id;
      if (!go_on || is_used_up()) {
        stopped_ = true;
        rows.reset();
        return {};
      }
    }
    if (!rows.ok()) return database_.error("scanning twins");
    if (last && !scan_.among) step_.at_end = true;
    return {};
  }

  Status load_device_of(const DeviceId& id) {
    auto rows = database_.cached("SELECT " + std::string(kIdentityColumns) + " FROM identity i WHERE i.device=?1 AND i.module=''");
    if (!rows.ok()) return rows.error();
    (*rows)->bind(1, id.view());
    if (!(*rows)->step()) return database_.error("reading a module's device");
    device_ = read_identity(**rows);
    (*rows)->reset();
    return {};
  }

  Database& database_;
  const hub::TwinScan& scan_;
  hub::TwinVisitor& visitor_;
  hub::TwinScanStep& step_;
  registry::Identity device_;  // of the module that was come to last
  std::size_t looked_ = 0;
  const Steady::time_point began_ = Steady::now();
  bool stopped_ = false;
};

}  // namespace

Result<hub::TwinScanStep> scan_twins(Database& database, const hub::TwinScan& scan, std::unique_ptr<hub::TwinVisitor> visitor) {
  hub::TwinScanStep step;
  step.last = scan.after;
  if (visitor->begin() && scan.max_rows > 0) {
    // One state of the database for all statements of the step.
    if (Status begun = database.execute("BEGIN"); !begun.ok()) return begun.error();
    const Status run = Scan(database, scan, *visitor, step).run();
    const Status ended = database.execute("COMMIT");
    if (!run.ok()) return run.error();
    if (!ended.ok()) return ended.error();
  }
  step.visitor = std::move(visitor);
  return step;
}

}  // namespace nearhub::store
