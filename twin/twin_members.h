// The members of the twin document that a service sees, in its order (reference/service-rest.md 4.4).
//
// THREAD: constants.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nearhub::twin {

#define NEARHUB_TWIN_MEMBERS(X)                       \
  X(DeviceId, "deviceId")                             \
  X(ModuleId, "moduleId")                             \
  X(Etag, "etag")                                     \
  X(DeviceEtag, "deviceEtag")                         \
  X(Status, "status")                                 \
  X(StatusReason, "statusReason")                     \
  X(StatusUpdateTime, "statusUpdateTime")             \
  X(ConnectionState, "connectionState")               \
  X(LastActivityTime, "lastActivityTime")             \
  X(CloudToDeviceMessageCount, "cloudToDeviceMessageCount") \
  X(AuthenticationType, "authenticationType")         \
  X(X509Thumbprint, "x509Thumbprint")                 \
  X(ModelId, "modelId")                               \
  X(Version, "version")                               \
  X(Tags, "tags")                                     \
  X(Properties, "properties")                         \
  X(Capabilities, "capabilities")                     \
  X(Configurations, "configurations")                 \
  X(DeviceScope, "deviceScope")                       \
  X(ParentScopes, "parentScopes")

enum class TwinMember : std::uint8_t {
#define NEARHUB_ENUMERATOR(member, name) k##member,
  NEARHUB_TWIN_MEMBERS(NEARHUB_ENUMERATOR)
#undef NEARHUB_ENUMERATOR
};

inline constexpr std::array kTwinMemberNames = {
#define NEARHUB_NAME(member, name) std::string_view(name),
    NEARHUB_TWIN_MEMBERS(NEARHUB_NAME)
#undef NEARHUB_NAME
};
inline constexpr std::size_t kTwinMemberCount = kTwinMemberNames.size();

constexpr std::string_view name_of(TwinMember member) { return kTwinMemberNames[static_cast<std::size_t>(member)]; }

}  // namespace nearhub::twin
