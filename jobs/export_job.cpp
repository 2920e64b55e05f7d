// Export: pages of the store into a blob. Each identity is written as it is when its page is read, so what changes meanwhile may be in it or not.
#include <string>

#include "jobs/export_line.h"
#include "jobs/job_context.h"
#include "jobs/waiting.h"

namespace nearhub::jobs {
namespace {

// Readers know by the first character that it is no identity.
constexpr std::string_view kWithoutKeys =
    "Keys were left out of this file: every authentication.symmetricKey is null. Importing it gives its devices new keys.\n";

}  // namespace

Status run_export(const JobContext& context, blob::Container& output) {
  hub::Store& store = context.hub.shared().store;
  InPlace& in_place = InPlace::instance();
  Waiting<hub::DeviceCounts> counting;
  store.count_devices(in_place, counting.answer());
  const auto counts = counting.wait(context.cut_off);
  if (!counts.ok()) return counts.error();

  auto writer = output.create(context.request.output_blob);
  if (!writer.ok()) return writer.error();
  std::string lines;
  if (context.request.exclude_keys) lines = kWithoutKeys;
  std::uint64_t devices = 0;
  // Parents first, so that an import finds them.
  for (const bool edge : {true, false}) {
    hub::IdentityQuery query;
    query.edge = edge;
    for (;;) {
      Waiting<std::vector<hub::IdentityRecord>> reading;
      store.read_identities(query, in_place, reading.answer());
      const auto page = reading.wait(context.cut_off);
      if (!page.ok()) return page.error();
      if (page->empty()) break;
      for (const hub::IdentityRecord& record : *page) {
        append_export_line(lines, record, context.request.exclude_keys);
        if (!record.identity.id.is_module()) ++devices;
      }
      query.after = page->back().identity.id;
      if (Status written = (*writer)->write(lines); !written.ok()) return written;
      lines.clear();
      context.progress(devices, static_cast<std::uint64_t>(counts->total));
    }
  }
  if (Status written = (*writer)->write(lines); !written.ok()) return written;
  if (context.cut_off) return Error{ErrorCode::kCancelled, "cut off"};
  return (*writer)->finish();
}

}  // namespace nearhub::jobs
