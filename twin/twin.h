// The twin of a device or module: tags, desired and reported properties, their versions and metadata.
//
// Pure state and rules, without storage, network or clock. Reference: device-mqtt.md section 6, service-rest.md 4.4 and 5.5.
//
// An update either happens as a whole or leaves the twin as it was.
//
// THREAD: a value type; the hub keeps each twin on its device's home loop.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "base/json_writer.h"
#include "base/result.h"
#include "twin/section.h"
#include "twin/value.h"

namespace nearhub::twin {

// What a service asks for. An absent part is left alone by a patch and emptied by a replacement; a null part is emptied by both.
struct Update {
  std::optional<Value> tags;     // object or null
  std::optional<Value> desired;  // object or null; without $metadata and $version
};

// base64 of the counter as 8 bytes, big-endian.
ETag etag_of(std::int64_t etag_counter);

// Reads the body of PATCH or PUT /twins/...: takes `tags` and `properties.desired`, ignores every other member (clients send whole
// twins back: etag, version, reported, $metadata, $version and more). Fails when the body, tags, properties or desired is not an
// object (all but the body may be null; null properties are absent ones).
Result<Update> parse_update(std::string_view body);

// The twin of an entry of a bulk request or import file: tags, properties.desired and properties.reported, whose names count in any case there. All else
// is ignored, and so are empty objects, $metadata and $version. Fails as parse_update() does.
struct ImportedTwin {
  Update update;
  std::optional<Value> reported;  // an object
};
Result<ImportedTwin> parse_import(std::string_view entry);

// What an accepted update changed. `desired_notification` is the JSON for the device: the patch as sent, nulls included, without the
// members that are ignored, plus "$version" last; for a replacement the whole new section plus null for every member that vanished, at
// every level where both sides are objects (device-mqtt.md 6.4).
struct Change {
  bool tags = false;
  bool desired = false;
  bool reported = false;
  std::string desired_notification;  // empty unless desired
};

// The form in which a twin is stored: each section as the service shows it, $metadata and $version included.
struct StoredTwin {
  std::int64_t etag_counter = 1;
  bool has_tags = false;  // tags are absent from a twin until a service sends an object once; emptied later, they stay as {}
  std::string tags;
  std::string desired;
  std::string reported;

  friend bool operator==(const StoredTwin&, const StoredTwin&) = default;
};

// The etag of a twin: base64 of the counter as 8 bytes, big-endian.
ETag etag_of(std::int64_t etag_counter);

class Twin {
 public:
  // A fresh twin: both $versions 1, etag counter 1, root metadata stamped `now`.
  static Twin create(WallTime now);
  // Fails with kCorrupt when the text is not what stored() wrote.
  static Result<Twin> restore(const StoredTwin& stored);
  StoredTwin stored() const;

  // Service side. Tags and desired in one request are one step of the etag, and desired counts one version when it is part of the update,
  // even when no value changes. A patch without either changes nothing; a replacement always replaces both. Nulls in a replacement mean
  // what the absence of the member would mean.
  Result<Change> patch(const Update& update, WallTime now);
  Result<Change> replace(const Update& update, WallTime now);

  // Device side: a merge patch of the reported properties. Must be an object without members that begin with '$'. Counts one version even
  // when it changes nothing; the etag stays.
  Result<Change> report(const Value& patch, WallTime now);

  std::int64_t etag_counter() const { return etag_counter_; }
  std::int64_t desired_version() const { return desired_.version(); }
  std::int64_t reported_version() const { return reported_.version(); }
  // The root "version": etag counter + reported $version.
  std::int64_t version() const { return etag_counter_ + reported_.version(); }
  ETag etag() const { return etag_of(etag_counter_); }

  const Section& tags() const { return tags_; }
  const Section& desired() const { return desired_; }
  const Section& reported() const { return reported_; }
  bool has_tags() const { return has_tags_; }

  // The answer to a device's GET: {"desired":{...,"$version":n},"reported":{...,"$version":n}}; no metadata, no tags.
  std::string device_json() const;

  // Writes the members "tags" (when set once) and "properties" of the service view into an open object.
  void write_service_members(JsonWriter& json) const;

 private:
  explicit Twin(WallTime now);
  Result<Change> apply(const Update& update, bool replace, WallTime now);

  std::int64_t etag_counter_ = 1;
  bool has_tags_ = false;
  Section tags_;
  Section desired_;
  Section reported_;
};

}  // namespace nearhub::twin
