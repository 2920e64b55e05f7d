// The packets of MQTT 3.1.1 (OASIS standard, 29 October 2014) as values.
//
// Text and payloads are views: into the bytes given to the decoder when a packet was decoded, into the caller's memory when one is
// encoded.
//
// THREAD: value types; any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace nearhub::mqtt {

inline constexpr std::uint8_t kProtocolLevel = 4;  // MQTT 3.1.1
// Topics, filters, client ids, user names, and also passwords and will payloads: their length is written in two bytes.
inline constexpr std::size_t kMaxFieldBytes = 65535;

struct Will {
  std::string_view topic;
  std::string_view payload;
  std::uint8_t qos = 0;
  bool retain = false;

  friend bool operator==(const Will&, const Will&) = default;
};

// With a protocol name or level other than "MQTT" and 4 only those two are set: what follows has another layout there.
struct Connect {
  std::string_view protocol_name = "MQTT";
  std::uint8_t protocol_level = kProtocolLevel;
  bool clean_session = true;
  std::uint16_t keep_alive_s = 0;
  std::string_view client_id;
  std::optional<Will> will;
  std::optional<std::string_view> username;
  std::optional<std::string_view> password;

  bool is_supported() const { return protocol_name == "MQTT" && protocol_level == kProtocolLevel; }

  friend bool operator==(const Connect&, const Connect&) = default;
};

struct Connack {
  bool session_present = false;
  std::uint8_t return_code = 0;

  friend bool operator==(const Connack&, const Connack&) = default;
};

struct Publish {
  std::string_view topic;
  std::string_view payload;
  std::uint8_t qos = 0;
  bool dup = false;
  bool retain = false;
  std::uint16_t packet_id = 0;  // 0 with QoS 0

  friend bool operator==(const Publish&, const Publish&) = default;
};

struct Puback {
  std::uint16_t packet_id = 0;

  friend bool operator==(const Puback&, const Puback&) = default;
};
struct Pubrec {
  std::uint16_t packet_id = 0;

  friend bool operator==(const Pubrec&, const Pubrec&) = default;
};
struct Pubrel {
  std::uint16_t packet_id = 0;

  friend bool operator==(const Pubrel&, const Pubrel&) = default;
};
struct Pubcomp {
  std::uint16_t packet_id = 0;

  friend bool operator==(const Pubcomp&, const Pubcomp&) = default;
};

struct Subscription {
  std::string_view filter;
  std::uint8_t qos = 0;

  friend bool operator==(const Subscription&, const Subscription&) = default;
};

// The filters of a SUBSCRIBE, checked by the decoder and read one after the other without an allocation.
class SubscriptionList {
 public:
  SubscriptionList() = default;
  explicit SubscriptionList(std::string_view checked_bytes) : bytes_(checked_bytes) {}
  std::size_t count() const;
  // Takes the first filter off the list; false when none is left.
  bool next(Subscription& subscription);
  // What is left of the list, as it stands in the packet.
  std::string_view bytes() const { return bytes_; }

  friend bool operator==(const SubscriptionList&, const SubscriptionList&) = default;

 private:
  std::string_view bytes_;
};

// The same for the filters of an UNSUBSCRIBE.
class FilterList {
 public:
  FilterList() = default;
  explicit FilterList(std::string_view checked_bytes) : bytes_(checked_bytes) {}
  std::size_t count() const;
  bool next(std::string_view& filter);
  // What is left of the list, as it stands in the packet.
  std::string_view bytes() const { return bytes_; }

  friend bool operator==(const FilterList&, const FilterList&) = default;

 private:
  std::string_view bytes_;
};

struct Subscribe {
  std::uint16_t packet_id = 0;
  SubscriptionList subscriptions;  // at least one

  friend bool operator==(const Subscribe&, const Subscribe&) = default;
};

struct Suback {
  std::uint16_t packet_id = 0;
  std::string_view return_codes;  // one byte per filter: 0, 1, 2 or 0x80

  friend bool operator==(const Suback&, const Suback&) = default;
};

struct Unsubscribe {
  std::uint16_t packet_id = 0;
  FilterList filters;  // at least one

  friend bool operator==(const Unsubscribe&, const Unsubscribe&) = default;
};

struct Unsuback {
  std::uint16_t packet_id = 0;

  friend bool operator==(const Unsuback&, const Unsuback&) = default;
};
struct Pingreq {
  friend bool operator==(const Pingreq&, const Pingreq&) = default;
};
struct Pingresp {
  friend bool operator==(const Pingresp&, const Pingresp&) = default;
};
struct Disconnect {
  friend bool operator==(const Disconnect&, const Disconnect&) = default;
};

using Packet = std::variant<Connect, Connack, Publish, Puback, Pubrec, Pubrel, Pubcomp, Subscribe, Suback, Unsubscribe, Unsuback,
                            Pingreq, Pingresp, Disconnect>;

// "PUBLISH", "SUBSCRIBE": for logs and reasons.
std::string_view packet_name(const Packet& packet);

}  // namespace nearhub::mqtt
