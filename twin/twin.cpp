#include "twin/twin.h"

#include <fmt/core.h>

#include <utility>

#include "base/base64.h"
#include "base/text.h"

namespace nearhub::twin {
namespace {

constexpr std::string_view kVersionName = "$version";

// What one request does to one section.
struct Step {
  const Value* value = nullptr;  // null: the section is left alone
  bool replace = false;
  SectionSize size = {};  // afterwards; from the check

  bool applies() const { return value != nullptr; }
};

// An absent part is left alone by a patch and emptied by a replacement; a null part is emptied by both.
Step step_for(const std::optional<Value>& part, bool replace) {
  static const Value kEmpty = Value::object();
  if (!part) return replace ? Step{&kEmpty, true} : Step{};
  if (part->is_null()) return {&kEmpty, true};
  return {&*part, replace};
}

Status check(const Section& section, Step& step) {
  if (!step.applies()) return {};
  Result<SectionSize> size = step.replace ? section.check_replacement(*step.value) : section.check_patch(*step.value);
  if (!size) return size.error();
  step.size = *size;
  return {};
}

void apply_to(Section& section, const Step& step, WallTime now) {
  if (step.replace) {
    section.apply_replacement(*step.value, step.size, now);
  } else {
    section.apply_patch(*step.value, step.size, now);
  }
}

// What the device is told about a change of its desired properties that is about to happen.
std::string notification(const Section& desired, const Step& step) {
  JsonWriter json;
  json.object();
  if (step.replace) {
    desired.write_replacement_patch(json, *step.value);
  } else {
    for (const auto& [name, value] : step.value->members()) {
      json.member(name);
      value.write(json);
    }
  }
  json.member(kVersionName, desired.version() + 1);
  json.end_object();
  return std::move(json).take();
}

Error not_object(std::string_view what, const Value& value, std::string_view expected) {
  return {ErrorCode::kArgumentInvalid, fmt::format("{} is {}; expected {}", what, kind_name(value.kind()), expected)};
}

Status check_part(std::string_view what, const std::optional<Value>& part) {
  if (!part || part->is_object() || part->is_null()) return {};
  return not_object(what, *part, "an object or null");
}

Status check_parts(const Update& update) {
  if (Status tags = check_part("tags", update.tags); !tags) return tags;
  return check_part("properties.desired", update.desired);
}

std::optional<Value> take_member(Value& object, std::string_view name) {
  Value* member = object.find(name);
  if (member == nullptr) return std::nullopt;
  return std::move(*member);
}

}  // namespace

Result<Update> parse_update(std::string_view body) {
  Result<Value> parsed = parse_value(body);
  if (!parsed) return parsed.error();
  if (!parsed->is_object()) return not_object("the body", *parsed, "an object");
  Update update;
  update.tags = take_member(*parsed, "tags");
  if (Value* properties = parsed->find("properties")) {
    if (!properties->is_object() && !properties->is_null()) return not_object("properties", *properties, "an object or null");
    update.desired = take_member(*properties, "desired");
  }
  if (Status checked = check_parts(update); !checked) return checked.error();
  if (update.desired) {
    // Tools send back what they were shown.
    update.desired->erase("$metadata");
    update.desired->erase(kVersionName);
  }
  return update;
}

Result<ImportedTwin> parse_import(std::string_view entry) {
  Result<Value> parsed = parse_value(entry);
  if (!parsed) return parsed.error();
  if (!parsed->is_object()) return not_object("the entry", *parsed, "an object");
  const auto take = [](Value& object, std::string_view name) -> std::optional<Value> {
    for (auto& [key, value] : object.members()) {
      // Null is as good as absent: writers of such files spell everything that an identity could have.
      if (equals_ignoring_case(key, name) && !value.is_null()) return std::move(value);
    }
    return std::nullopt;
  };
  ImportedTwin twin;
  twin.update.tags = take(*parsed, "tags");
  if (std::optional<Value> properties = take(*parsed, "properties")) {
    if (!properties->is_object()) return not_object("properties", *properties, "an object or null");
    twin.update.desired = take(*properties, "desired");
    twin.reported = take(*properties, "reported");
  }
  if (Status checked = check_parts(twin.update); !checked) return checked.error();
  if (Status checked = check_part("properties.reported", twin.reported); !checked) return checked.error();
  for (std::optional<Value>* section : {&twin.update.desired, &twin.reported}) {
    if (!*section) continue;
    (*section)->erase("$metadata");
    (*section)->erase(kVersionName);
  }
  // An exported file has all sections of every identity: an empty one must not count a version when it is brought back.
  for (std::optional<Value>* section : {&twin.update.tags, &twin.update.desired, &twin.reported}) {
    if (*section && (*section)->members().empty()) section->reset();
  }
  return twin;
}

Twin::Twin(WallTime now)
    : tags_(SectionKind::kTags), desired_(SectionKind::kDesired, now), reported_(SectionKind::kReported, now) {}

Twin Twin::create(WallTime now) { return Twin(now); }

Result<Twin> Twin::restore(const StoredTwin& stored) {
  if (stored.etag_counter < 1) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("stored twin: the etag counter is {}; it starts at 1", stored.etag_counter)};
  }
  Result<Section> tags = Section::restore(SectionKind::kTags, stored.tags);
  if (!tags) return tags.error();
  if (!stored.has_tags && !tags->root().members().empty()) {
    return Error{ErrorCode::kCorrupt, "stored twin: has tags that were never set"};
  }
  Result<Section> desired = Section::restore(SectionKind::kDesired, stored.desired);
  if (!desired) return desired.error();
  Result<Section> reported = Section::restore(SectionKind::kReported, stored.reported);
  if (!reported) return reported.error();

  Twin twin{WallTime()};
  twin.etag_counter_ = stored.etag_counter;
  twin.has_tags_ = stored.has_tags;
  twin.tags_ = std::move(tags).value();
  twin.desired_ = std::move(desired).value();
  twin.reported_ = std::move(reported).value();
  return twin;
}

StoredTwin Twin::stored() const {
  return {etag_counter_, has_tags_, tags_.stored(), desired_.stored(), reported_.stored()};
}

Result<Change> Twin::patch(const Update& update, WallTime now) { return apply(update, false, now); }
Result<Change> Twin::replace(const Update& update, WallTime now) { return apply(update, true, now); }

Result<Change> Twin::apply(const Update& update, bool replace, WallTime now) {
  if (Status checked = check_parts(update); !checked) return checked.error();
  Step tags = step_for(update.tags, replace), desired = step_for(update.desired, replace);
  if (Status checked = check(tags_, tags); !checked) return checked.error();
  if (Status checked = check(desired_, desired); !checked) return checked.error();

  // Nothing can fail from here on.
  Change change;
  if (tags.applies()) {
    apply_to(tags_, tags, now);
    // The twin document has no tags "when never set" (reference/service-rest.md 4.4): an object sets them, an empty one
    // too. What is set stays visible; emptied by null or by a replacement it is {}.
    has_tags_ = has_tags_ || (update.tags && update.tags->is_object());
    change.tags = true;
  }
  if (desired.applies()) {
    change.desired_notification = notification(desired_, desired);
    apply_to(desired_, desired, now);
    change.desired = true;
  }
  if (change.tags || change.desired) ++etag_counter_;
  return change;
}

Result<Change> Twin::report(const Value& patch, WallTime now) {
  Result<SectionSize> size = reported_.check_patch(patch);
  if (!size) return size.error();
  reported_.apply_patch(patch, *size, now);
  Change change;
  change.reported = true;
  return change;
}

ETag etag_of(std::int64_t etag_counter) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(static_cast<std::uint64_t>(etag_counter) >> (8 * (bytes.size() - 1 - i)) & 0xFF);
  }
  return ETag(base64_encode(bytes));
}

std::string Twin::device_json() const {
  JsonWriter json;
  json.object().member("desired");
  desired_.write_device_view(json);
  json.member("reported");
  reported_.write_device_view(json);
  json.end_object();
  return std::move(json).take();
}

void Twin::write_service_members(JsonWriter& json) const {
  if (has_tags_) {
    json.member("tags");
    tags_.write_service_view(json);
  }
  json.member("properties").object().member("desired");
  desired_.write_service_view(json);
  json.member("reported");
  reported_.write_service_view(json);
  json.end_object();
}

}  // namespace nearhub::twin
