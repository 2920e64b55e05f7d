// The catalogue of hub errors: one number, one name, one HTTP status each.
//
// A number is HTTP status x 1000 + n, as the cloud counts them (reference/device-mqtt.md section 9, service-rest.md 3.3). Fronts
// derive what they show from it: http_status() for HTTPS and twin responses, error_name() for the iothub-errorcode header,
// connack_code() for MQTT. Numbers below 1000 are our own and never leave the process as such.
//
// THREAD: any thread.
#pragma once
#include <cstdint>
#include <string_view>

namespace nearhub {

#define NEARHUB_HUB_ERRORS(X)                 \
  X(400000, GenericBadRequest)                \
  X(400001, InvalidProtocolVersion)           \
  X(400003, InvalidOperation)                 \
  X(400004, ArgumentInvalid)                  \
  X(400005, ArgumentNull)                     \
  X(400006, IotHubFormatError)                \
  X(400008, BlobContainerValidationError)     \
  X(400011, DeviceDefinedMultipleTimes)       \
  X(400012, DeserializationError)             \
  X(400013, BulkRegistryOperationFailure)     \
  X(400023, EtagDoesNotMatch)                 \
  X(400027, ConnectionForcefullyClosedOnNewConnection) \
  X(400028, InvalidDeviceScope)               \
  X(400036, BulkRegenerateDeviceKeyOperationFailure) \
  X(400301, CannotRegisterModuleToModule)     \
  X(400401, InvalidConfigurationTargetCondition) \
  X(400402, InvalidConfigurationContent)      \
  X(400404, InvalidConfigurationCustomMetricsQuery) \
  X(400505, InvalidDigitalTwinJsonPatch)      \
  X(400506, InvalidDigitalTwinPayload)        \
  X(400507, InvalidDigitalTwinPatch)          \
  X(400508, InvalidDigitalTwinPatchPath)      \
  X(401000, GenericUnauthorized)              \
  X(401001, IotHubNotFound)                   \
  X(401002, IotHubUnauthorizedAccess)         \
  X(401003, IotHubUnauthorized)               \
  X(401100, SystemModuleModifyUnauthorizedAccess) \
  X(403000, GenericForbidden)                 \
  X(403002, IotHubQuotaExceeded)              \
  X(403003, JobQuotaExceeded)                 \
  X(403004, DeviceMaximumQueueDepthExceeded)  \
  X(403006, DeviceMaximumActiveFileUploadLimitExceeded) \
  X(403009, InvalidMessageExpiryTime)         \
  X(403012, DeviceDisabled)                   \
  X(403800, DeviceMaximumInflightMethodExceeded) \
  X(404000, GenericNotFound)                  \
  X(404001, DeviceNotFound)                   \
  X(404002, JobNotFound)                      \
  X(404008, CertificateNotFound)              \
  X(404010, ModuleNotFound)                   \
  X(404013, FeatureNotSupported)              \
  X(404103, DeviceNotOnline)                  \
  X(404104, DeviceConnectionClosedRemotely)   \
  X(404301, ConfigurationNotFound)            \
  X(405000, GenericMethodNotAllowed)          \
  X(405102, OperationNotAllowedInCurrentState) \
  X(408000, GenericRequestTimeout)            \
  X(409000, GenericConflict)                  \
  X(409001, DeviceAlreadyExists)              \
  X(409002, LinkCreationConflict)             \
  X(409104, JobAlreadyExists)                 \
  X(409301, ModuleAlreadyExistsOnDevice)      \
  X(409401, ConfigurationAlreadyExists)       \
  X(412000, GenericPreconditionFailed)        \
  X(412001, PreconditionFailed)               \
  X(412002, DeviceMessageLockLost)            \
  X(412003, JobRunPreconditionFailed)         \
  X(413000, GenericRequestEntityTooLarge)     \
  X(413001, MessageTooLarge)                  \
  X(413002, TooManyDevices)                   \
  X(413003, TooManyModulesOnDevice)           \
  X(413101, ConfigurationCountLimitExceeded)  \
  X(415000, GenericUnsupportedMediaType)      \
  X(429000, GenericTooManyRequests)           \
  X(429001, ThrottlingException)              \
  X(429004, ThrottlingMaxActiveJobCountExceeded) \
  X(431000, RequestHeaderFieldsTooLarge)      \
  X(500001, ServerError)                      \
  X(501000, NotImplemented)                   \
  X(502000, GenericBadGateway)                \
  X(503001, ServiceUnavailable)               \
  X(504101, GatewayTimeout)

enum class ErrorCode : std::int32_t {
  kInvalidSetting = 1,  // a flag, file or environment value that cannot be used; stops the start
  kIo = 2,              // a file, socket or library call failed
  kCorrupt = 3,         // stored data cannot be trusted
  kMalformed = 4,       // bytes from a peer that break their protocol
  kCancelled = 5,       // the hub is stopping
#define NEARHUB_ENUMERATOR(number, name) k##name = number,
  NEARHUB_HUB_ERRORS(NEARHUB_ENUMERATOR)
#undef NEARHUB_ENUMERATOR
};

// "DeviceNotFound"; the text of the iothub-errorcode header.
std::string_view error_name(ErrorCode code);

// The hub error's number; internal codes are reported as 500001 (ServerError), so that no caller sees a number of ours.
std::int32_t error_number(ErrorCode code);

// 400..504. Also the status of a twin response over MQTT.
int http_status(ErrorCode code);

// The MQTT 3.1.1 CONNACK return code (reference/device-mqtt.md 2.7): 5 for every authentication and authorisation failure, 3 when
// the hub is throttled, out of quota or broken, 1 for an unsupported protocol level (kInvalidProtocolVersion).
int connack_code(ErrorCode code);

}  // namespace nearhub
