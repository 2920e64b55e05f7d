// Every line of the input is taken as a service's patch, as a replacement, as a device's report and as a patch of its digital twin, one after
// the other on one twin.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "twin/digital_twin.h"
#include "twin/twin.h"

using namespace nearhub;
using namespace nearhub::twin;

namespace {

void check_size(const Section& section, std::size_t limit) {
  NEARHUB_CHECK(section.size().counted >= 0);
  NEARHUB_CHECK(section.size().counted <= static_cast<std::int64_t>(limit));
  NEARHUB_CHECK(section.size().stored <= static_cast<std::int64_t>(limit * kMaxStoredPerByte));
}

void check_twin(const Twin& twin) {
  check_size(twin.tags(), kMaxTagsBytes);
  check_size(twin.desired(), kMaxPropertiesBytes);
  check_size(twin.reported(), kMaxPropertiesBytes);

  const StoredTwin stored = twin.stored();
  const Result<Twin> again = Twin::restore(stored);
  NEARHUB_CHECK(again.ok());
  NEARHUB_CHECK(again->stored() == stored);
  NEARHUB_CHECK(again->desired().size() == twin.desired().size());
  NEARHUB_CHECK(again->reported().size() == twin.reported().size());
  NEARHUB_CHECK(again->device_json() == twin.device_json());
  NEARHUB_CHECK(parse_value(twin.device_json(), SIZE_MAX).ok());
}

void check_change(const Result<Change>& change, const Twin& twin, const StoredTwin& before) {
  if (!change) {
    NEARHUB_CHECK(change.error().code == ErrorCode::kArgumentInvalid);
    NEARHUB_CHECK(!change.error().detail.empty());
    NEARHUB_CHECK(twin.stored() == before);
    return;
  }
  NEARHUB_CHECK(change->desired != change->desired_notification.empty());
  if (change->desired) NEARHUB_CHECK(parse_value(change->desired_notification, SIZE_MAX).ok());
  check_twin(twin);
}

// What a digital twin's patch means is a legal patch of desired properties but for the twin's limits, and what is shown is JSON.
void check_digital_twin(Twin& twin, std::string_view line, WallTime now) {
  NEARHUB_CHECK(parse_value(digital_twin_json("d", "", twin), SIZE_MAX).ok());
  const Result<DigitalTwinPatch> patch = parse_digital_twin_patch(line);
  if (!patch) return;
  const Result<Update> update = update_of(*patch, twin);
  if (!update) {
    NEARHUB_CHECK(!update.error().detail.empty());
    return;
  }
  NEARHUB_CHECK(!update->tags && (!update->desired || !update->desired->members().empty()));
  const StoredTwin before = twin.stored();
  check_change(twin.patch(*update, now), twin, before);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Twin twin = Twin::create(WallTime());
  std::int64_t ticks = 0;
  while (!rest.empty()) {
    const auto [line, others] = split_once(rest, '\n');
    rest = others.value_or(std::string_view());
    const WallTime now{Ticks{++ticks}};

    if (const Result<Update> update = parse_update(line)) {
      StoredTwin before = twin.stored();
      check_change(twin.patch(*update, now), twin, before);
      before = twin.stored();
      check_change(twin.replace(*update, now), twin, before);
    }
    if (const Result<Value> value = parse_value(line)) {
      NEARHUB_CHECK(parse_value(value->to_json(), SIZE_MAX).value() == *value);
      const StoredTwin before = twin.stored();
      check_change(twin.report(*value, now), twin, before);
    }
    check_digital_twin(twin, line, now);
  }
  return 0;
}
