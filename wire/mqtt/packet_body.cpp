#include "wire/mqtt/packet_body.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "wire/mqtt/packet_type.h"
#include "wire/mqtt/text.h"

namespace nearhub::mqtt {
namespace {

// Takes the fields of a packet off its front. A field that is missing, cut short or not as the standard wants it leaves a
// sentence.
class Fields {
 public:
  Fields(std::string_view packet_name, std::string_view bytes, std::string& error)
      : packet_name_(packet_name), bytes_(bytes), error_(error) {}

  bool byte(std::string_view field, std::uint8_t& value) {
    if (bytes_.empty()) [[unlikely]] return too_short(field);
    value = static_cast<std::uint8_t>(bytes_[0]);
    bytes_.remove_prefix(1);
    return true;
  }

  bool number(std::string_view field, std::uint16_t& value) {
    if (bytes_.size() < 2) [[unlikely]] return too_short(field);
    value = number_at_front();
    bytes_.remove_prefix(2);
    return true;
  }

  // [MQTT-2.3.1-1], and no acknowledgement can answer an id that no packet may have.
  bool packet_id(std::uint16_t& value) {
    if (!number("packet id", value)) return false;
    return value != 0 || refuse(fmt::format("{} with packet id 0", packet_name_));
  }

  // Two bytes of length, then as many bytes.
  bool binary(std::string_view field, std::string_view& value) {
    if (bytes_.size() < 2) [[unlikely]] return too_short(field);
    const std::size_t size = number_at_front();
    if (bytes_.size() - 2 < size) [[unlikely]] return too_short(field);
    value = bytes_.substr(2, size);
    bytes_.remove_prefix(2 + size);
    return true;
  }

  bool text(std::string_view field, std::string_view& value) {
    if (!binary(field, value)) return false;
    return is_text(value) || refuse(fmt::format("{} whose {} {}", packet_name_, field, text_fault(value)));
  }

  // Topics and filters have at least one character ([MQTT-4.7.3-1]).
  bool topic(std::string_view field, std::string_view& value) {
    if (!text(field, value)) return false;
    return !value.empty() || refuse(fmt::format("{} with an empty {}", packet_name_, field));
  }

  bool end() {
    if (bytes_.empty()) return true;
    const std::string_view unit = bytes_.size() == 1 ? "byte" : "bytes";
    return refuse(fmt::format("{} with {} {} after its last field", packet_name_, bytes_.size(), unit));
  }

  std::string_view rest() const { return bytes_; }

  bool refuse(std::string what) {
    error_ = std::move(what);
    return false;
  }

 private:
  std::uint16_t number_at_front() const {
    return static_cast<std::uint16_t>(static_cast<std::uint8_t>(bytes_[0]) << 8 | static_cast<std::uint8_t>(bytes_[1]));
  }
  bool too_short(std::string_view field) {
    return refuse(fmt::format("{} is too short for its {}", packet_name_, field));
  }

  std::string_view packet_name_;
  std::string_view bytes_;
  std::string& error_;
};

struct ConnectFlags {
  bool reserved, clean_session, will, will_retain, password, username;
  std::uint8_t will_qos;

  explicit ConnectFlags(std::uint8_t byte)
      : reserved((byte & 0x01) != 0),
        clean_session((byte & 0x02) != 0),
        will((byte & 0x04) != 0),
        will_retain((byte & 0x20) != 0),
        password((byte & 0x40) != 0),
        username((byte & 0x80) != 0),
        will_qos(byte >> 3 & 3) {}
};

bool check_connect_flags(Fields& fields, const ConnectFlags& flags) {
  // [MQTT-3.1.2-3], [MQTT-3.1.2-14]
  if (flags.reserved) return fields.refuse("CONNECT with the reserved flag set");
  if (flags.will_qos == 3) return fields.refuse("CONNECT with will QoS 3");
  // [MQTT-3.1.2-13], [MQTT-3.1.2-15]
  if (!flags.will && flags.will_qos != 0) {
    return fields.refuse(fmt::format("CONNECT with will QoS {} and no will", flags.will_qos));
  }
  if (!flags.will && flags.will_retain) return fields.refuse("CONNECT with will retain and no will");
  // [MQTT-3.1.2-22]
  if (flags.password && !flags.username) return fields.refuse("CONNECT with a password and no user name");
  return true;
}

bool decode(Fields& fields, Connect& connect) {
  if (!fields.text("protocol name", connect.protocol_name)) return false;
  if (!fields.byte("protocol level", connect.protocol_level)) return false;
  if (!connect.is_supported()) return true;

  std::uint8_t flags_byte = 0;
  if (!fields.byte("connect flags", flags_byte)) return false;
  const ConnectFlags flags(flags_byte);
  if (!check_connect_flags(fields, flags)) return false;
  connect.clean_session = flags.clean_session;
  if (!fields.number("keep alive", connect.keep_alive_s)) return false;

  // An empty client id with clean session 0 is well-formed: the session answers it with a return code ([MQTT-3.1.3-8]).
  if (!fields.text("client id", connect.client_id)) return false;
  if (flags.will) {
    Will& will = connect.will.emplace();
    will.qos = flags.will_qos;
    will.retain = flags.will_retain;
    if (!fields.topic("will topic", will.topic)) return false;
    if (!fields.binary("will payload", will.payload)) return false;
  }
  if (flags.username && !fields.text("user name", connect.username.emplace())) return false;
  if (flags.password && !fields.binary("password", connect.password.emplace())) return false;
  return fields.end();
}

bool decode(Fields& fields, Connack& connack) {
  std::uint8_t flags = 0;
  if (!fields.byte("acknowledge flags", flags) || !fields.byte("return code", connack.return_code)) return false;
  if (flags > 1) return fields.refuse(fmt::format("CONNACK with acknowledge flags 0x{:02X}", flags));
  if (connack.return_code > 5) return fields.refuse(fmt::format("CONNACK with return code {}", connack.return_code));
  connack.session_present = flags == 1;
  if (connack.session_present && connack.return_code != 0) {  // [MQTT-3.2.2-4]
    return fields.refuse(fmt::format("CONNACK with session present and return code {}", connack.return_code));
  }
  return true;
}

bool decode(Fields& fields, Publish& publish, std::uint8_t first_byte) {
  publish.dup = (first_byte & kDupFlag) != 0;
  publish.retain = (first_byte & kRetainFlag) != 0;
  publish.qos = publish_qos(first_byte);
  if (!fields.topic("topic", publish.topic)) return false;
  if (publish.qos != 0 && !fields.packet_id(publish.packet_id)) return false;
  publish.payload = fields.rest();
  return true;
}

bool decode(Fields& fields, Subscribe& subscribe) {
  if (!fields.packet_id(subscribe.packet_id)) return false;
  if (fields.rest().empty()) return fields.refuse("SUBSCRIBE without a filter");  // [MQTT-3.8.3-3]
  subscribe.subscriptions = SubscriptionList(fields.rest());
  while (!fields.rest().empty()) {
    std::string_view filter;
    std::uint8_t options = 0;
    if (!fields.topic("filter", filter) || !fields.byte("requested QoS", options)) return false;
    // [MQTT-3-8.3-4]
    if (options == 3) return fields.refuse("SUBSCRIBE with QoS 3");
    if (options > 3) {
      return fields.refuse(fmt::format("SUBSCRIBE with reserved bits in the QoS byte 0x{:02X}", options));
    }
  }
  return true;
}

bool decode(Fields& fields, Suback& suback) {
  if (!fields.packet_id(suback.packet_id)) return false;
  if (fields.rest().empty()) return fields.refuse("SUBACK without a return code");
  for (const char c : fields.rest()) {
    const auto code = static_cast<std::uint8_t>(c);
    if (code > 2 && code != 0x80) {  // [MQTT-3.9.3-2]
      return fields.refuse(fmt::format("SUBACK with return code 0x{:02X}", code));
    }
  }
  suback.return_codes = fields.rest();
  return true;
}

bool decode(Fields& fields, Unsubscribe& unsubscribe) {
  if (!fields.packet_id(unsubscribe.packet_id)) return false;
  if (fields.rest().empty()) return fields.refuse("UNSUBSCRIBE without a filter");  // [MQTT-3.10.3-2]
  unsubscribe.filters = FilterList(fields.rest());
  while (!fields.rest().empty()) {
    std::string_view filter;
    if (!fields.topic("filter", filter)) return false;
  }
  return true;
}

}  // namespace

bool decode_body(std::uint8_t first_byte, std::string_view body, Packet& packet, std::string& error) {
  Fields fields(rules_of(first_byte).name, body, error);
  switch (type_of(first_byte)) {
    case PacketType::kConnect: return decode(fields, packet.emplace<Connect>());
    case PacketType::kConnack: return decode(fields, packet.emplace<Connack>());
    case PacketType::kPublish: return decode(fields, packet.emplace<Publish>(), first_byte);
    case PacketType::kPuback: return fields.packet_id(packet.emplace<Puback>().packet_id);
    case PacketType::kPubrec: return fields.packet_id(packet.emplace<Pubrec>().packet_id);
    case PacketType::kPubrel: return fields.packet_id(packet.emplace<Pubrel>().packet_id);
    case PacketType::kPubcomp: return fields.packet_id(packet.emplace<Pubcomp>().packet_id);
    case PacketType::kSubscribe: return decode(fields, packet.emplace<Subscribe>());
    case PacketType::kSuback: return decode(fields, packet.emplace<Suback>());
    case PacketType::kUnsubscribe: return decode(fields, packet.emplace<Unsubscribe>());
    case PacketType::kUnsuback: return fields.packet_id(packet.emplace<Unsuback>().packet_id);
    case PacketType::kPingreq: packet.emplace<Pingreq>(); return true;
    case PacketType::kPingresp: packet.emplace<Pingresp>(); return true;
    case PacketType::kDisconnect: packet.emplace<Disconnect>(); return true;
  }
  NEARHUB_CHECK(false);  // reserved types do not get past the fixed header
  return false;
}

}  // namespace nearhub::mqtt
