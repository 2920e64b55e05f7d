// The Azure IoT Hub library of the nRF Connect SDK, both generations: its names, its topics and its buffers (reference/x509-and-boards.md B.1 to B.4).
// Written from those facts, independent of the hub's own code.
//
// THREAD: any thread; value types.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nearhub::test {

enum class Generation : std::uint8_t { kFirst, kSecond };

struct NrfLibrary {
  const char* name;
  Generation generation;
  std::size_t device_id_bytes;  // at most
  std::size_t host_bytes;
  std::size_t buffer_bytes;     // of the MQTT library, each way: whole packets, of a PUBLISH what stands in front of the payload
  std::size_t payload_bytes;
  std::size_t element_bytes;    // of a key or value in a topic; 0: as long as it likes
  std::size_t properties;       // that are kept
};
inline constexpr NrfLibrary kNcs15 = {"NCS 1.5", Generation::kFirst, 30, 48, 256, 1024, 22, 2};
inline constexpr NrfLibrary kNcs19 = {"NCS 1.9", Generation::kFirst, 30, 48, 256, 2304, 64, 2};
inline constexpr NrfLibrary kNcs2 = {"NCS 2.x", Generation::kSecond, 128, 64, 256, 2048, 0, 3};

// Of what the library builds itself (CONFIG_AZURE_IOT_HUB_TOPIC_MAX_LEN), and the second generation's buffer for properties that it sends.
inline constexpr std::size_t kTopicBytes = 100;
inline constexpr std::size_t kPropertyBufferBytes = 128;
// The first generation's sample copies a method's request id into eight bytes, the end of the string included.
inline constexpr std::size_t kSampleRequestIdCharacters = 7;

using NrfProperties = std::vector<std::pair<std::string, std::string>>;

std::string nrf_user_name(std::string_view host, std::string_view device);
std::vector<std::string> nrf_filters(const NrfLibrary& library, std::string_view device);
std::string nrf_telemetry_topic(const NrfLibrary& library, std::string_view device, const NrfProperties& properties);

// What the library makes of a topic that came.
struct NrfTopic {
  enum Kind { kCloudMessage, kDesired, kTwinResponse, kMethod, kUnknown };
  Kind kind = kUnknown;
  std::string name;           // of a method
  int status = 0;             // of a twin response
  NrfProperties properties;   // as many as it keeps; a key or value that is too long ends the list
  std::string property(std::string_view key) const;
};
NrfTopic nrf_parse_topic(const NrfLibrary& library, std::string_view topic);

}  // namespace nearhub::test
