#include "tests/boards/nrf_board.h"

#include <doctest/doctest.h>

#include <utility>

#include "tests/packets/wire.h"

namespace nearhub::test {
namespace {

constexpr unsigned char kConnect = 0x10, kConnack = 0x20, kPublish = 0x30, kPuback = 0x40, kSubscribe = 0x82, kSuback = 0x90, kPingreq = 0xc0, kPingresp = 0xd0,
                        kDisconnect = 0xe0;

}  // namespace

NrfBoard::NrfBoard(NrfSetup setup) : setup_(std::move(setup)) {
  // What the build of the firmware would have refused.
  REQUIRE(setup_.device.size() <= setup_.library.device_id_bytes);
  REQUIRE(setup_.host.size() <= setup_.library.host_bytes);
}

int NrfBoard::connect(bool* session_present) {
  buffer_.clear();
  fault_.clear();
  ready_ = false;
  modem_ = std::make_unique<ModemSocket>(setup_.tag, setup_.firmware, setup_.host, setup_.port, setup_.receive_buffer);
  REQUIRE(modem_->fault() == "");
  // User name, no password, clean session 0, no will.
  transmit(packet(kConnect, field("MQTT") + "\4\x80" + number(setup_.keep_alive_s) + field(setup_.device) + field(nrf_user_name(setup_.host, setup_.device))));
  const auto type = input();
  INFO("fault: ", fault_);
  REQUIRE(type == kConnack);
  REQUIRE(body_.size() == 2);
  if (session_present != nullptr) *session_present = body_[0] == 1;
  const int code = static_cast<unsigned char>(body_[1]);
  if (code == 0) subscribe();
  return code;
}

void NrfBoard::start() {
  REQUIRE(connect() == 0);
  expect(NrfEvent::kReady);
  expect(NrfEvent::kTwin);
}

void NrfBoard::subscribe() {
  std::string rest = number(static_cast<std::uint16_t>(uptime_ms_));
  for (const std::string& filter : nrf_filters(setup_.library, setup_.device)) rest += field(filter) + '\0';
  transmit(packet(kSubscribe, rest));
}

std::string NrfBoard::next_request_id() {
  uptime_ms_ += 20;
  // The second generation cuts its automatic ids to three digits, so they repeat.
  std::string id = std::to_string(uptime_ms_);
  return setup_.library.generation == Generation::kFirst ? id : id.substr(0, 3);
}

// Everything but a PUBLISH is written in one piece, out of the transmit buffer.
void NrfBoard::transmit(std::string_view bytes) {
  REQUIRE(bytes.size() <= setup_.library.buffer_bytes);
  REQUIRE(modem_->send(bytes));
}

// Header and payload are two writes, and so two records.
void NrfBoard::publish(const std::string& topic, std::string_view payload) {
  REQUIRE(topic.size() <= kTopicBytes);
  const std::string bytes = test::publish(topic, payload);
  const std::size_t header = bytes.size() - payload.size();
  REQUIRE(header <= setup_.library.buffer_bytes);
  REQUIRE(modem_->send(std::string_view(bytes).substr(0, header)));
  if (!payload.empty()) REQUIRE(modem_->send(payload));
}

void NrfBoard::send(std::string_view payload, const NrfProperties& properties) {
  const std::string topic = nrf_telemetry_topic(setup_.library, setup_.device, properties);
  if (setup_.library.generation == Generation::kSecond) {
    REQUIRE(properties.size() <= setup_.library.properties);
    REQUIRE(topic.size() - nrf_telemetry_topic(setup_.library, setup_.device, {}).size() <= kPropertyBufferBytes);
  }
  publish(topic, payload);
}

std::string NrfBoard::report(std::string_view json) {
  std::string id = next_request_id();
  publish("$iothub/twin/PATCH/properties/reported/?$rid=" + id, json);
  return id;
}

void NrfBoard::request_twin() { publish("$iothub/twin/GET/?$rid=" + next_request_id(), ""); }

void NrfBoard::respond(const NrfEvent& method, int status, std::string_view payload) {
  publish("$iothub/methods/res/" + std::to_string(status) + "/?$rid=" + method.request_id, payload);
}

void NrfBoard::ping() { transmit(packet(kPingreq, "")); }

void NrfBoard::disconnect() { transmit(packet(kDisconnect, "")); }

bool NrfBoard::fill() {
  const auto more = modem_->receive(kPatience);
  REQUIRE_MESSAGE(more.has_value(), "nothing came in time");
  if (!modem_->fault().empty()) break_down(modem_->fault(), false);
  buffer_ += *more;
  return !more->empty();
}

void NrfBoard::break_down(std::string why, bool keeps_link) {
  fault_ = std::move(why);
  if (!keeps_link) modem_->cut();
}

std::optional<std::uint8_t> NrfBoard::input() {
  if (!fault_.empty()) return std::nullopt;
  const auto need = [this](std::size_t bytes) {
    while (buffer_.size() < bytes) {
      if (!fill()) return false;
    }
    return true;
  };
  // The fixed header.
  std::size_t at = 1, length = 0;
  for (int shift = 0;; shift += 7, ++at) {
    if (!need(at + 1)) return std::nullopt;
    const auto byte = static_cast<unsigned char>(buffer_[at]);
    length |= static_cast<std::size_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  ++at;
  const auto type = static_cast<std::uint8_t>(buffer_[0]);
  std::size_t buffered = at + length;
  if ((type & 0xf0) == kPublish) {
    if (!need(at + 2)) return std::nullopt;
    const std::size_t topic = static_cast<std::size_t>(static_cast<unsigned char>(buffer_[at]) << 8 | static_cast<unsigned char>(buffer_[at + 1]));
    const std::size_t id = (type & 0x06) != 0 ? 2 : 0;
    buffered = at + 2 + topic + id;
    if (buffered > setup_.library.buffer_bytes) {
      break_down("a header of " + std::to_string(buffered) + " bytes", false);
      return std::nullopt;
    }
    const std::size_t payload = at + length - buffered;
    if (payload > setup_.library.payload_bytes) {
      // Left unread: every further read finds the library busy.
      break_down("a payload of " + std::to_string(payload) + " bytes", true);
      return std::nullopt;
    }
    if (!need(at + length)) return std::nullopt;
    topic_ = buffer_.substr(at + 2, topic);
    payload_ = buffer_.substr(buffered, payload);
    if (id != 0) transmit(packet(kPuback, buffer_.substr(buffered - 2, 2)));
  } else if (buffered > setup_.library.buffer_bytes) {
    break_down("a packet of " + std::to_string(buffered) + " bytes", false);
    return std::nullopt;
  }
  if (!need(at + length)) return std::nullopt;
  body_ = buffer_.substr(at, length);
  buffer_.erase(0, at + length);
  return type;
}

NrfEvent NrfBoard::next() {
  while (true) {
    const auto type = input();
    REQUIRE(fault_ == "");
    if (!type) return {};
    if (*type == kPingresp) continue;
    if (*type == kSuback) {
      // Four codes; the first generation does not look at them.
      REQUIRE(body_.size() == 6);
      if (setup_.library.generation == Generation::kSecond) REQUIRE(body_.substr(2) == std::string(4, '\0'));
      request_twin();
      ready_ = true;
      NrfEvent event;
      event.kind = NrfEvent::kReady;
      return event;
    }
    REQUIRE((*type & 0xf0) == kPublish);
    // The application does not expect anything before its READY.
    REQUIRE(ready_);
    const NrfTopic topic = nrf_parse_topic(setup_.library, topic_);
    INFO("topic: ", topic_);
    REQUIRE(topic.kind != NrfTopic::kUnknown);
    NrfEvent event;
    event.payload = payload_;
    event.properties = topic.properties;
    event.name = topic.name;
    event.request_id = topic.property("$rid");
    event.status = topic.status;
    switch (topic.kind) {
      case NrfTopic::kCloudMessage: event.kind = NrfEvent::kCloudMessage; break;
      case NrfTopic::kDesired: event.kind = NrfEvent::kDesired; break;
      case NrfTopic::kMethod:
        event.kind = NrfEvent::kMethod;
        if (setup_.library.generation == Generation::kFirst) event.request_id = event.request_id.substr(0, kSampleRequestIdCharacters);
        break;
      case NrfTopic::kTwinResponse:
        event.kind = topic.status == 200 ? NrfEvent::kTwin : topic.status == 204 || topic.status == 202 ? NrfEvent::kReportAccepted : NrfEvent::kReportFailed;
        break;
      case NrfTopic::kUnknown: break;
    }
    if (event.kind != NrfEvent::kCloudMessage && event.kind != NrfEvent::kDesired) REQUIRE(event.request_id != "");
    return event;
  }
}

NrfEvent NrfBoard::expect(NrfEvent::Kind kind) {
  NrfEvent event = next();
  REQUIRE(event.kind == kind);
  return event;
}

std::string NrfBoard::expect_fault() {
  while (const auto type = input()) REQUIRE(*type != kConnack);
  REQUIRE(fault_ != "");
  return fault_;
}

void NrfBoard::expect_silence() {
  ping();
  const auto type = input();
  REQUIRE(fault_ == "");
  REQUIRE(type == kPingresp);
}

}  // namespace nearhub::test
