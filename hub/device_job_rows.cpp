#include "hub/device_job_rows.h"

#include <fmt/core.h>

#include <utility>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time_format.h"

namespace nearhub::hub {
namespace {

// "12/device" or "12/device/module": no id has a slash.
std::string key_of(const DeviceJobRecord& record) { return fmt::format("{}/{}", record.sequence, record.row.id.text()); }

bool parse_key(std::string_view key, DeviceJobQuery& query) {
  const auto [sequence, id] = split_once(key, '/');
  const auto number = parse_decimal(sequence);
  if (!number || !id) return false;
  const auto [device, module] = split_once(*id, '/');
  query.after_job = *number;
  query.after = {DeviceId(device), ModuleId(module.value_or(std::string_view()))};
  return true;
}

void write_time(JsonWriter& json, std::string_view name, WallTime time) {
  if (time != kNever) json.member(name, format_iso8601(time));
}

}  // namespace

// What is not there is left out: the Java SDK fails on an outcome that is null.
std::string device_job_json(const DeviceJobRecord& record) {
  const DeviceJob& row = record.row;
  JsonWriter json;
  json.object().member("deviceId", row.id.device.view());
  if (row.id.is_module()) json.member("moduleId", row.id.module.view());
  json.member("jobId", record.job).member("jobType", job_kind_text(record.kind)).member("status", device_job_status_text(row.status));
  write_time(json, "startTimeUtc", row.started);
  write_time(json, "endTimeUtc", row.ended);
  write_time(json, "createdDateTimeUtc", row.created);
  write_time(json, "lastUpdatedDateTimeUtc", row.updated);
  if (row.outcome) {
    json.member("outcome").object().member("deviceMethodResponse").object();
    json.member("status", row.outcome->status).member("payload").raw(row.outcome->payload).end_object().end_object();
  }
  if (!row.error_code.empty()) json.member("error").object().member("code", row.error_code).member("description", row.error).end_object();
  json.end_object();
  return std::move(json).take();
}

void DeviceJobRows::read_job_rows(JobRowFilter filter, std::string after, std::size_t limit, Executor& executor, Answer<Chunk> answer) {
  DeviceJobQuery query;
  query.job = std::move(filter.job);
  query.device = std::move(filter.device);
  query.limit = limit;
  if (!after.empty() && !parse_key(after, query)) return answer(invalid_argument("x-ms-continuation names no row of devices.jobs"));
  store_.read_device_jobs(std::move(query), executor, [answer = std::move(answer)](Result<DeviceJobPage> page) mutable {
    if (!page.ok()) return answer(std::move(page).error());
    Chunk chunk;
    chunk.at_end = !page->more;
    for (const DeviceJobRecord& record : page->rows) chunk.rows.emplace_back(key_of(record), device_job_json(record));
    answer(std::move(chunk));
  });
}

}  // namespace nearhub::hub
