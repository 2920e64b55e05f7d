#include "tests/support/mqtt_client.h"

#include <doctest/doctest.h>

#include "base/text.h"

namespace nearhub::test {
namespace {

constexpr std::size_t kMaxPacket = 1024 * 1024;

// The whole size of the packet that the bytes begin with; 0 when that cannot be told yet.
std::size_t packet_size(std::string_view bytes) {
  std::size_t length = 0;
  for (std::size_t i = 1; i < bytes.size() && i <= 4; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    length |= static_cast<std::size_t>(byte & 0x7f) << (7 * (i - 1));
    if ((byte & 0x80) == 0) return 1 + i + length;
  }
  return 0;
}

}  // namespace

MqttClient::MqttClient(const TlsOptions& options, std::uint16_t port) : connection_(options, port) { REQUIRE(connection_.error() == ""); }

void MqttClient::subscribe(std::uint16_t id, std::initializer_list<mqtt::Subscription> subscriptions) {
  std::string bytes;
  mqtt::encode_subscribe(bytes, id, subscriptions);
  connection_.send(bytes);
}

std::unique_ptr<Received> MqttClient::next(std::chrono::milliseconds patience) {
  std::size_t size;
  while ((size = packet_size(buffer_)) == 0 || buffer_.size() < size) {
    const std::string more = connection_.receive(patience);
    if (more.empty()) {
      REQUIRE_MESSAGE(buffer_.empty(), "the connection ended inside a packet");
      return nullptr;
    }
    buffer_ += more;
  }
  auto received = std::make_unique<Received>();
  received->bytes = buffer_.substr(0, size);
  buffer_.erase(0, size);
  // Fed whole, so the packet's views are into these bytes.
  mqtt::Decoder decoder(kMaxPacket);
  decoder.feed(received->bytes);
  REQUIRE_MESSAGE(decoder.next(received->packet) == mqtt::Decoder::kPacket, decoder.error());
  return received;
}

void MqttClient::require_kind(bool right, const Received* received) {
  INFO("received: ", received == nullptr ? std::string("end of the connection") : to_hex(received->bytes));
  REQUIRE(right);
}

void MqttClient::expect_closed() {
  const auto received = next();
  INFO("received: ", received == nullptr ? std::string("end of the connection") : to_hex(received->bytes));
  REQUIRE(received == nullptr);
}

void MqttClient::expect_silence() {
  send(mqtt::Pingreq{});
  expect<mqtt::Pingresp>();
}

mqtt::Connack MqttClient::connect(const mqtt::Connect& packet) {
  send(packet);
  return expect<mqtt::Connack>();
}

}  // namespace nearhub::test
