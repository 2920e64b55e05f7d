// What a query reads: rows with members, whatever they are made of.
//
// THREAD: a row belongs to one thread at a time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "twin/json_view.h"

namespace nearhub::twin::query {

enum class Source : std::uint8_t { kDevices, kModules, kJobs };
std::string_view source_name(Source source);  // "devices.modules"

// The root members of a source's rows are known by their numbers: those of TwinMember (twin/twin_members.h) for devices and modules, those of
// this list for jobs (reference/service-rest.md 5.9).
inline constexpr std::string_view kJobMembers[] = {"deviceId",   "moduleId",          "jobId",                  "jobType", "status", "startTimeUtc",
                                                   "endTimeUtc", "createdDateTimeUtc", "lastUpdatedDateTimeUtc", "outcome", "error"};

// The number of a member that a query names in any case, by an alias too (`id`). nullopt: the rows have no such member.
std::optional<std::uint8_t> find_member(Source source, std::string_view name);
// Its name as documents spell it.
std::string_view member_name(Source source, std::uint8_t member);
// A member of a built-in object in its own spelling: "iotEdge" for capabilities and "IOTEDGE"; the name as it is when it is the user's.
std::string_view canonical_name(Source source, std::uint8_t member, std::string_view name);
// Whether only the running hub knows the member (connectionState, lastActivityTime, cloudToDeviceMessageCount): a stored row may be out of date.
bool is_live(Source source, std::uint8_t member);

class Row {
 public:
  virtual ~Row() = default;
  // Undefined when this row has no such member. Valid as long as the row is: a condition may ask for a member twice and compare the two.
  virtual JsonView member(std::uint8_t member) const = 0;
  // A member of that member, for rows that need not make the whole of it.
  virtual JsonView member_of(std::uint8_t outer, std::string_view name) const { return member(outer).member(name); }
  // The whole row: what SELECT * gives.
  virtual void write(JsonWriter& json) const = 0;
};

// A row that is a JSON object already. `json` outlives it.
class DocumentRow final : public Row {
 public:
  DocumentRow(Source source, std::string_view json) : source_(source), json_(json) {}
  JsonView member(std::uint8_t member) const override { return JsonView::of(json_).member(member_name(source_, member)); }
  void write(JsonWriter& json) const override { json.raw(json_); }

 private:
  Source source_;
  std::string_view json_;
};

}  // namespace nearhub::twin::query
