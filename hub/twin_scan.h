// Going through all stored twins, in steps that are bounded so that others may read in between.
//
// A step is one state of the database. Between steps the database may change: a scan sees each identity that is there all the time once, in the
// order of its id (device, then module), as it is when it is come to.
//
// THREAD: a visitor travels to the store's thread and back; it belongs to one of them at a time.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "hub/twin_document.h"
#include "registry/identity.h"

namespace nearhub::hub {

// Borrowed: valid during TwinVisitor::visit().
struct TwinRow {
  const registry::Identity& identity;
  const registry::Identity& device;  // the device that a module belongs to; a device itself
  std::int64_t etag_counter;
  std::int64_t reported_version;
  std::string_view model_id;
  TwinSections sections;
  std::int64_t queued_messages;
  std::string_view configurations;
};

class TwinVisitor {
 public:
  virtual ~TwinVisitor() = default;
  // At the beginning of a step. False: no row is wanted in this one.
  virtual bool begin() { return true; }
  // False ends the step; the row counts as come to.
  virtual bool visit(const TwinRow& row) = 0;
};

// How much one step may do: about 2 ms of work, looked at between rows.
inline constexpr std::size_t kMaxScanStepRows = 2000;
inline constexpr std::chrono::milliseconds kMaxScanStepTime{5};

struct TwinScan {
  bool modules = false;                          // modules in the place of devices
  IdentityId after;                              // rows behind it
  std::optional<std::vector<std::string>> among;  // of these devices only: in order, none twice
  std::string prefix;                            // of devices whose ids begin with it only
  std::size_t max_rows = kMaxScanStepRows;
};

struct TwinScanStep {
  std::unique_ptr<TwinVisitor> visitor;
  IdentityId last;      // the row that was come to last; `after` when there was none
  bool at_end = false;  // there are no further rows
};

}  // namespace nearhub::hub
