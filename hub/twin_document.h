// The twin document that a service sees, member by member: the one place that says what each of them is, for GET /twins and for queries.
//
// THREAD: a value type that borrows: what it is made of outlives it.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "registry/identity.h"
#include "registry/identity_json.h"
#include "twin/json_view.h"
#include "twin/query_row.h"
#include "twin/twin_members.h"

namespace nearhub::hub {

// What stands around the sections.
struct TwinHead {
  const registry::Identity& identity;
  const registry::Identity& device;  // the device that a module belongs to; a device itself
  std::int64_t etag_counter = 1;
  std::int64_t reported_version = 1;
  std::string_view model_id;
  registry::LiveState live;
  WallTime last_activity{};
  std::string_view configurations{};  // a JSON object (hub/configuration.h); empty: none
};

// The sections in their stored form; tags are looked at when `has_tags` only.
struct TwinSections {
  bool has_tags = false;
  std::string_view tags;
  std::string_view desired;
  std::string_view reported;
};

class TwinDocument final : public twin::query::Row {
 public:
  // Without sections, tags and properties are undefined.
  explicit TwinDocument(const TwinHead& head) : head_(head) {}
  TwinDocument(const TwinHead& head, const TwinSections& sections) : head_(head), sections_(sections), has_sections_(true) {}
  TwinDocument(const TwinDocument&) = delete;
  TwinDocument& operator=(const TwinDocument&) = delete;

  // Undefined when this twin has no such member. Valid as long as this is.
  twin::JsonView member(twin::TwinMember member) const;

  // As a row of a query.
  twin::JsonView member(std::uint8_t number) const override { return member(static_cast<twin::TwinMember>(number)); }
  twin::JsonView member_of(std::uint8_t outer, std::string_view name) const override;

  // The whole document as one object.
  void write(JsonWriter& json) const override;
  // The same with sections that somebody else has: `write_sections` writes the members tags and properties.
  void write(JsonWriter& json, const std::function<void(JsonWriter&)>& write_sections) const;

  const TwinHead& head() const { return head_; }

 private:
  const TwinHead head_;
  const TwinSections sections_;
  const bool has_sections_ = false;
  mutable std::array<std::string, twin::kTwinMemberCount> space_;  // of members that are made when they are asked for
};

}  // namespace nearhub::hub
