#include "wire/mqtt/encoder.h"

#include <cstring>

#include "base/check.h"
#include "wire/mqtt/packet_type.h"
#include "wire/mqtt/text.h"

namespace nearhub::mqtt {
namespace {

constexpr std::size_t length_bytes(std::size_t remaining) {
  return remaining < 128 ? 1 : remaining < 16'384 ? 2 : remaining < 2'097'152 ? 3 : 4;
}

// Makes room for one packet of exactly known size at the end of the caller's buffer, then fills it.
class PacketWriter {
 public:
  PacketWriter(std::string& out, std::uint8_t first_byte, std::size_t remaining) : out_(out) {
    NEARHUB_CHECK(remaining <= kMaxRemainingBytes);
    const std::size_t begin = out.size();
    out.resize(begin + 1 + length_bytes(remaining) + remaining);
    at_ = out.data() + begin;
    byte(first_byte);
    while (remaining >= 128) {
      byte(static_cast<std::uint8_t>(0x80 | (remaining & 0x7F)));
      remaining >>= 7;
    }
    byte(static_cast<std::uint8_t>(remaining));
  }
  ~PacketWriter() { NEARHUB_CHECK(at_ == out_.data() + out_.size()); }
  PacketWriter(const PacketWriter&) = delete;
  PacketWriter& operator=(const PacketWriter&) = delete;

  void byte(std::uint8_t value) { *at_++ = static_cast<char>(value); }
  void number(std::uint16_t value) {
    byte(static_cast<std::uint8_t>(value >> 8));
    byte(static_cast<std::uint8_t>(value));
  }
  void packet_id(std::uint16_t value) {
    NEARHUB_CHECK(value != 0);
    number(value);
  }
  void bytes(std::string_view value) {
    if (!value.empty()) std::memcpy(at_, value.data(), value.size());
    at_ += value.size();
  }
  void binary(std::string_view value) {
    NEARHUB_CHECK(value.size() <= kMaxFieldBytes);
    number(static_cast<std::uint16_t>(value.size()));
    bytes(value);
  }
  void text(std::string_view value) {
    NEARHUB_DCHECK(is_text(value));
    binary(value);
  }
  void topic(std::string_view value) {
    NEARHUB_CHECK(!value.empty());
    text(value);
  }

 private:
  std::string& out_;
  char* at_;
};

// The packets that consist of a packet id.
void encode_packet_id(std::string& out, PacketType type, std::uint16_t packet_id) {
  NEARHUB_CHECK(packet_id != 0);
  const char bytes[4] = {static_cast<char>(first_byte_of(type)), 2, static_cast<char>(packet_id >> 8),
                         static_cast<char>(packet_id)};
  out.append(bytes, sizeof bytes);
}

// The packets that consist of nothing.
void encode_empty(std::string& out, PacketType type) {
  const char bytes[2] = {static_cast<char>(first_byte_of(type)), 0};
  out.append(bytes, sizeof bytes);
}

// The packets that consist of a packet id and a list that is encoded already.
void encode_list(std::string& out, PacketType type, std::uint16_t packet_id, std::string_view list) {
  NEARHUB_CHECK(!list.empty());
  PacketWriter writer(out, first_byte_of(type), 2 + list.size());
  writer.packet_id(packet_id);
  writer.bytes(list);
}

std::size_t field_bytes(std::string_view field) { return 2 + field.size(); }

std::size_t remaining_bytes(const Publish& packet) {
  return field_bytes(packet.topic) + (packet.qos != 0 ? 2 : 0) + packet.payload.size();
}

}  // namespace

std::size_t encoded_size(const Publish& packet) {
  const std::size_t remaining = remaining_bytes(packet);
  return 1 + length_bytes(remaining) + remaining;
}

void encode(std::string& out, const Connect& packet) {
  NEARHUB_CHECK(packet.username || !packet.password);
  std::size_t remaining = field_bytes(packet.protocol_name) + 4 + field_bytes(packet.client_id);
  unsigned flags = packet.clean_session ? 0x02 : 0;
  if (packet.will) {
    NEARHUB_CHECK(packet.will->qos <= 2);
    remaining += field_bytes(packet.will->topic) + field_bytes(packet.will->payload);
    flags |= 0x04u | static_cast<unsigned>(packet.will->qos) << 3 | (packet.will->retain ? 0x20u : 0);
  }
  if (packet.username) {
    remaining += field_bytes(*packet.username);
    flags |= 0x80;
  }
  if (packet.password) {
    remaining += field_bytes(*packet.password);
    flags |= 0x40;
  }

  PacketWriter writer(out, first_byte_of(PacketType::kConnect), remaining);
  writer.text(packet.protocol_name);
  writer.byte(packet.protocol_level);
  writer.byte(static_cast<std::uint8_t>(flags));
  writer.number(packet.keep_alive_s);
  writer.text(packet.client_id);
  if (packet.will) {
    writer.topic(packet.will->topic);
    writer.binary(packet.will->payload);
  }
  if (packet.username) writer.text(*packet.username);
  if (packet.password) writer.binary(*packet.password);
}

void encode(std::string& out, const Connack& packet) {
  NEARHUB_CHECK(packet.return_code <= 5);
  NEARHUB_CHECK(packet.return_code == 0 || !packet.session_present);  // [MQTT-3.2.2-4]
  const char bytes[4] = {static_cast<char>(first_byte_of(PacketType::kConnack)), 2,
                         static_cast<char>(packet.session_present ? 1 : 0), static_cast<char>(packet.return_code)};
  out.append(bytes, sizeof bytes);
}

void encode(std::string& out, const Publish& packet) {
  NEARHUB_CHECK(packet.qos <= 2);
  NEARHUB_CHECK(packet.qos != 0 || !packet.dup);  // [MQTT-3.3.1-2]
  const int flags = (packet.dup ? kDupFlag : 0) | packet.qos << 1 | (packet.retain ? kRetainFlag : 0);
  const auto first_byte = static_cast<std::uint8_t>(first_byte_of(PacketType::kPublish) | flags);
  PacketWriter writer(out, first_byte, remaining_bytes(packet));
  writer.topic(packet.topic);
  if (packet.qos != 0) writer.packet_id(packet.packet_id);
  writer.bytes(packet.payload);
}

void encode(std::string& out, const Puback& packet) { encode_packet_id(out, PacketType::kPuback, packet.packet_id); }
void encode(std::string& out, const Pubrec& packet) { encode_packet_id(out, PacketType::kPubrec, packet.packet_id); }
void encode(std::string& out, const Pubrel& packet) { encode_packet_id(out, PacketType::kPubrel, packet.packet_id); }
void encode(std::string& out, const Pubcomp& packet) { encode_packet_id(out, PacketType::kPubcomp, packet.packet_id); }

void encode(std::string& out, const Subscribe& packet) {
  encode_list(out, PacketType::kSubscribe, packet.packet_id, packet.subscriptions.bytes());
}

void encode_subscribe(std::string& out, std::uint16_t packet_id, std::initializer_list<Subscription> subscriptions) {
  NEARHUB_CHECK(subscriptions.size() != 0);
  std::size_t remaining = 2;
  for (const Subscription& subscription : subscriptions) remaining += field_bytes(subscription.filter) + 1;
  PacketWriter writer(out, first_byte_of(PacketType::kSubscribe), remaining);
  writer.packet_id(packet_id);
  for (const Subscription& subscription : subscriptions) {
    NEARHUB_CHECK(subscription.qos <= 2);
    writer.topic(subscription.filter);
    writer.byte(subscription.qos);
  }
}

void encode(std::string& out, const Suback& packet) {
  encode_list(out, PacketType::kSuback, packet.packet_id, packet.return_codes);
}

void encode(std::string& out, const Unsubscribe& packet) {
  encode_list(out, PacketType::kUnsubscribe, packet.packet_id, packet.filters.bytes());
}

void encode_unsubscribe(std::string& out, std::uint16_t packet_id, std::initializer_list<std::string_view> filters) {
  NEARHUB_CHECK(filters.size() != 0);
  std::size_t remaining = 2;
  for (const std::string_view filter : filters) remaining += field_bytes(filter);
  PacketWriter writer(out, first_byte_of(PacketType::kUnsubscribe), remaining);
  writer.packet_id(packet_id);
  for (const std::string_view filter : filters) writer.topic(filter);
}

void encode(std::string& out, const Unsuback& packet) { encode_packet_id(out, PacketType::kUnsuback, packet.packet_id); }
void encode(std::string& out, const Pingreq&) { encode_empty(out, PacketType::kPingreq); }
void encode(std::string& out, const Pingresp&) { encode_empty(out, PacketType::kPingresp); }
void encode(std::string& out, const Disconnect&) { encode_empty(out, PacketType::kDisconnect); }

}  // namespace nearhub::mqtt
