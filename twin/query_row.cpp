#include "twin/query_row.h"

#include <iterator>
#include <utility>

#include "base/text.h"
#include "twin/twin_members.h"

namespace nearhub::twin::query {
namespace {

struct Alias {
  std::string_view name;
  TwinMember member;
};
// `id` is what queries of the C# samples call deviceId; Azure IoT Explorer asks for the identity's name of the twin's statusUpdateTime
// (reference/service-rest.md 6.3).
constexpr Alias kAliases[] = {{"id", TwinMember::kDeviceId}, {"statusUpdatedTime", TwinMember::kStatusUpdateTime}};

struct InnerName {
  TwinMember member;
  std::string_view name;
};
constexpr InnerName kInnerNames[] = {{TwinMember::kProperties, "desired"},
                                     {TwinMember::kProperties, "reported"},
                                     {TwinMember::kCapabilities, "iotEdge"},
                                     {TwinMember::kX509Thumbprint, "primaryThumbprint"},
                                     {TwinMember::kX509Thumbprint, "secondaryThumbprint"}};

}  // namespace

std::string_view source_name(Source source) {
  switch (source) {
    case Source::kDevices: return "devices";
    case Source::kModules: return "devices.modules";
    case Source::kJobs: return "devices.jobs";
  }
  return "devices";
}

std::optional<std::uint8_t> find_member(Source source, std::string_view name) {
  const auto search = [](const auto& names, std::string_view wanted) -> std::optional<std::uint8_t> {
    for (std::size_t i = 0; i < std::size(names); ++i) {
      if (equals_ignoring_case(names[i], wanted)) return static_cast<std::uint8_t>(i);
    }
    return std::nullopt;
  };
  // The cloud's documentation asks for jobs by createdTimeUtc, which their rows call createdDateTimeUtc.
  if (source == Source::kJobs) return search(kJobMembers, equals_ignoring_case(name, "createdTimeUtc") ? "createdDateTimeUtc" : name);
  for (const Alias& alias : kAliases) {
    if (equals_ignoring_case(alias.name, name)) return static_cast<std::uint8_t>(alias.member);
  }
  return search(kTwinMemberNames, name);
}

std::string_view member_name(Source source, std::uint8_t member) {
  return source == Source::kJobs ? kJobMembers[member] : kTwinMemberNames[member];
}

std::string_view canonical_name(Source source, std::uint8_t member, std::string_view name) {
  if (source == Source::kJobs) return name;
  for (const InnerName& inner : kInnerNames) {
    if (static_cast<std::uint8_t>(inner.member) == member && equals_ignoring_case(inner.name, name)) return inner.name;
  }
  return name;
}

bool is_live(Source source, std::uint8_t member) {
  if (source == Source::kJobs) return false;
  const auto which = static_cast<TwinMember>(member);
  return which == TwinMember::kConnectionState || which == TwinMember::kLastActivityTime || which == TwinMember::kCloudToDeviceMessageCount;
}

}  // namespace nearhub::twin::query
