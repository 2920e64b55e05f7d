#include "hub/twin_document.h"

#include <fmt/format.h>

#include "base/time_format.h"
#include "twin/twin.h"

namespace nearhub::hub {

using twin::JsonView;
using twin::TwinMember;

JsonView TwinDocument::member(TwinMember which) const {
  const registry::Identity& identity = head_.identity;
  const bool module = identity.id.is_module();
  // Made once, and never empty: what a condition names twice must not move.
  std::string& space = space_[static_cast<std::size_t>(which)];
  const auto number = [&space](std::int64_t value) {
    if (space.empty()) space = fmt::format_int(value).c_str();
    return JsonView::number(space);
  };
  const auto text = [&space](std::string characters) {
    if (space.empty()) space = std::move(characters);
    return JsonView::string(space);
  };
  const auto object = [&space](JsonWriter&& json) {
    if (space.empty()) space = std::move(json).take();
    return JsonView::of(space);
  };
  switch (which) {
    case TwinMember::kDeviceId: return JsonView::string(identity.id.device.view());
    case TwinMember::kModuleId: return module ? JsonView::string(identity.id.module.view()) : JsonView();
    case TwinMember::kEtag: return text(twin::etag_of(head_.etag_counter).str());
    case TwinMember::kDeviceEtag: return text(identity.etag().str());
    case TwinMember::kStatus: return JsonView::string(head_.device.enabled ? "enabled" : "disabled");
    case TwinMember::kStatusReason:
      return !module && head_.device.status_reason ? JsonView::string(*head_.device.status_reason) : JsonView();
    case TwinMember::kStatusUpdateTime: return text(format_iso8601(head_.device.status_updated));
    case TwinMember::kConnectionState: return JsonView::string(head_.live.connected ? "Connected" : "Disconnected");
    case TwinMember::kLastActivityTime: return text(format_iso8601(head_.last_activity));
    case TwinMember::kCloudToDeviceMessageCount: return number(head_.live.queued_messages);
    case TwinMember::kAuthenticationType: return JsonView::string(auth::authentication_type_text(identity.credentials.type));
    case TwinMember::kX509Thumbprint: {
      JsonWriter json;
      json.object();
      for (const auto& [name, value] : {std::pair{"primaryThumbprint", &identity.credentials.primary_thumbprint},
                                        std::pair{"secondaryThumbprint", &identity.credentials.secondary_thumbprint}}) {
        json.member(name);
        value->empty() ? json.null() : json.string(*value);
      }
      json.end_object();
      return object(std::move(json));
    }
    case TwinMember::kModelId: return JsonView::string(head_.model_id);
    case TwinMember::kVersion: return number(head_.etag_counter + head_.reported_version);
    case TwinMember::kTags: return has_sections_ && sections_.has_tags ? JsonView::of(sections_.tags) : JsonView();
    case TwinMember::kProperties: {
      if (!has_sections_) return {};
      JsonWriter json;
      json.object().member("desired").raw(sections_.desired).member("reported").raw(sections_.reported).end_object();
      return object(std::move(json));
    }
    case TwinMember::kCapabilities: {
      if (module) return {};
      JsonWriter json;
      json.object().member("iotEdge", identity.iot_edge).end_object();
      return object(std::move(json));
    }
    case TwinMember::kConfigurations: return JsonView::of(head_.configurations);
    case TwinMember::kDeviceScope: {
      const std::string& scope = identity.iot_edge ? identity.device_scope : identity.parent_scope;
      return module || scope.empty() ? JsonView() : JsonView::string(scope);
    }
    case TwinMember::kParentScopes: {
      if (module || identity.parent_scope.empty()) return {};
      JsonWriter json;
      json.array().string(identity.parent_scope).end_array();
      return object(std::move(json));
    }
  }
  return {};
}

// The sections stand in the store as they are: the member properties need not be made around them.
JsonView TwinDocument::member_of(std::uint8_t outer, std::string_view name) const {
  if (static_cast<TwinMember>(outer) != TwinMember::kProperties) return member(outer).member(name);
  if (!has_sections_) return {};
  if (name == "desired") return JsonView::of(sections_.desired);
  return name == "reported" ? JsonView::of(sections_.reported) : JsonView();
}

void TwinDocument::write(JsonWriter& json) const {
  write(json, [this](JsonWriter& out) {
    if (sections_.has_tags) out.member(name_of(TwinMember::kTags)).raw(sections_.tags);
    out.member(name_of(TwinMember::kProperties)).object().member("desired").raw(sections_.desired).member("reported").raw(sections_.reported);
    out.end_object();
  });
}

void TwinDocument::write(JsonWriter& json, const std::function<void(JsonWriter&)>& write_sections) const {
  json.object();
  for (std::size_t i = 0; i < twin::kTwinMemberCount; ++i) {
    const auto each = static_cast<TwinMember>(i);
    if (each == TwinMember::kTags) continue;
    if (each == TwinMember::kProperties) {
      write_sections(json);
      continue;
    }
    const JsonView value = member(each);
    if (!value.is_defined()) continue;
    json.member(name_of(each));
    value.write(json);
  }
  json.end_object();
}

}  // namespace nearhub::hub
