// The bounds of the hub core, each with its name, its default and where the default is from. Settings change those that a Limits field holds;
// the constants are the cloud's and fixed. docs/limits.md lists all of them for users.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace nearhub::hub {

// Fixed, as in the cloud.
inline constexpr std::size_t kMaxTelemetryBytes = 262'144;   // body + properties (device-mqtt.md 4.5)
inline constexpr std::size_t kMaxCloudMessageBytes = 65'536;  // body + properties (5.4)
inline constexpr std::size_t kMaxMethodBytes = 131'072;      // payload, each way (7.2)
inline constexpr std::size_t kMaxMethodNameBytes = 129;      // service-rest.md names none; component*command with two names of DTDL
inline constexpr std::size_t kMaxCloudMessageProperties = 100;
inline constexpr std::uint32_t kMaxDeliveryCount = 10;       // 5.3, 5.4: sent more often, a message is suspect
inline constexpr std::chrono::seconds kFeedbackTtl{3600};  // 5.4
inline constexpr std::size_t kMaxFeedback = 100'000;       // of the hub; the cloud names no number
// Queries (service-rest.md 5.6; the cloud's own figures are not known).
inline constexpr std::size_t kDefaultQueryPageRows = 100;
inline constexpr std::size_t kMaxQueryPageRows = 1000;
inline constexpr std::size_t kMaxQueryPageBytes = 4 * 1024 * 1024;  // a page ends with the row that reaches it
inline constexpr std::chrono::seconds kMaxQueryPageTime{15};  // then a page ends with what it has, and another one goes on; not of aggregates
inline constexpr std::uint32_t kMaxQueriesAtOnce = 32;        // of the hub
inline constexpr int kMinResponseTimeoutSeconds = 5;    // 7.2
inline constexpr int kMaxResponseTimeoutSeconds = 300;
inline constexpr int kDefaultResponseTimeoutSeconds = 30;
inline constexpr int kMaxConnectTimeoutSeconds = 300;

inline constexpr std::size_t kMaxPolicies = 64;  // shared access policies; a bound of our own

struct Limits {
  std::size_t cloud_queue_messages = 50;        // c2d_queue_depth: per identity (5.4)
  std::chrono::seconds cloud_message_ttl{3600};  // c2d_default_ttl_s (5.4)
  std::size_t cloud_in_flight = 10;             // c2d_in_flight: sent to one connection and not settled (5.2)
  std::chrono::milliseconds cloud_hold{1000};   // c2d_hold_ms: after a clean-session-0 connect, until the SUBACK (2.4)
  std::size_t methods_in_flight = 100;          // per identity (7.2, number unconfirmed)
  std::size_t uncommitted_bytes = 16 * 1024 * 1024;  // per shard: beyond it publishers are not read from until the store caught up
  std::size_t cache_bytes = 256 * 1024 * 1024;  // per hub: devices held in memory that are not connected
};

}  // namespace nearhub::hub
