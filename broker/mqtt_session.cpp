// The session's loop over packets, its deliveries and its end. CONNECT, PUBLISH and SUBSCRIBE have files of their own.
#include "broker/mqtt_session.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "wire/mqtt/encoder.h"

namespace nearhub::broker {
namespace {

// The range that the C# client takes (device-mqtt.md 5.2).
constexpr std::uint16_t kMaxPacketId = 0x7fff;

}  // namespace

MqttSession::MqttSession(const hub::Hub& hub, const MqttSettings& settings, MqttTransport& transport, TimerQueue& timers)
    : hub_(hub), settings_(settings), transport_(transport), timers_(&timers), decoder_(settings.limits.connect_bytes) {}

MqttSession::~MqttSession() {
  if (connection_ != nullptr) end(true);
}

const IdentityId& MqttSession::identity() const { return connection_->identity->identity.id; }

void MqttSession::on_data(std::string_view bytes) {
  if (state_ == State::kEnded) return;
  decoder_.feed(bytes);
  process();
  decoder_.keep();
}

void MqttSession::process() {
  // Answers that come while a packet is handled must not start a second loop over the same bytes.
  if (processing_) return;
  processing_ = true;
  while (state_ == State::kAwaitConnect || (state_ == State::kConnected && !blocked())) {
    mqtt::Packet packet;
    const mqtt::Decoder::Outcome outcome = decoder_.next(packet);
    if (outcome == mqtt::Decoder::kNeedMore) break;
    if (outcome == mqtt::Decoder::kError) {
      const bool large = decoder_.too_large();
      const std::size_t bound = state_ == State::kAwaitConnect ? settings_.limits.connect_bytes : settings_.limits.packet_bytes;
      violation(state_ == State::kAwaitConnect ? "MQTT CONNECT" : "MQTT packet", large ? auth::Check::kSize : auth::Check::kProtocol,
                large ? fmt::format("a packet of at most {} bytes", bound) : "a well-formed MQTT 3.1.1 packet",
                large ? fmt::format("a packet of {} bytes", decoder_.packet_bytes()) : decoder_.error(), {},
                large ? ErrorCode::kMessageTooLarge : ErrorCode::kMalformed);
      break;
    }
    last_packet_ = timers_->now();
    if (log::enabled(log::Level::kDebug)) trace("<", packet);
    handle(packet);
  }
  processing_ = false;
}

void MqttSession::trace(std::string_view direction, const mqtt::Packet& packet) const {
  const std::string who = connection_ != nullptr ? identity().text() : transport_.peer();
  std::string detail;
  if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) {
    detail = fmt::format(" topic=\"{}\" qos={} id={} bytes={}", printable(publish->topic), publish->qos, publish->packet_id, publish->payload.size());
  } else if (const auto* puback = std::get_if<mqtt::Puback>(&packet)) {
    detail = fmt::format(" id={}", puback->packet_id);
  }
  log::debug("mqtt", "device={} {} {}{}", who, direction, mqtt::packet_name(packet), detail);
}

void MqttSession::handle(const mqtt::Packet& packet) {
  if (state_ == State::kAwaitConnect) {
    if (const auto* connect = std::get_if<mqtt::Connect>(&packet)) return handle_connect(*connect);
    return violation("MQTT CONNECT", auth::Check::kProtocol, "CONNECT as the first packet", std::string(mqtt::packet_name(packet)));
  }
  if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) return handle_publish(*publish);
  if (const auto* puback = std::get_if<mqtt::Puback>(&packet)) {
    // Out of order is fine, and an unknown id is of no consequence: reconnects produce both (device-mqtt.md 2.9).
    const auto found = std::find_if(in_flight_.begin(), in_flight_.end(), [&](const InFlight& sent) { return sent.packet_id == puback->packet_id; });
    if (found == in_flight_.end()) return;
    const std::uint64_t sequence = found->sequence;
    in_flight_.erase(found);
    return shard_->complete(*connection_, sequence);
  }
  if (std::holds_alternative<mqtt::Pingreq>(packet)) {
    emit(mqtt::Pingresp{});
    return;
  }
  if (const auto* subscribe = std::get_if<mqtt::Subscribe>(&packet)) {
    handle_subscribe(*subscribe);
    return hold_back();
  }
  if (const auto* unsubscribe = std::get_if<mqtt::Unsubscribe>(&packet)) {
    handle_unsubscribe(*unsubscribe);
    return hold_back();
  }
  if (std::holds_alternative<mqtt::Disconnect>(packet)) {
    log::info("mqtt", "disconnected device={} peer={} reason=\"DISCONNECT\"", identity().text(), transport_.peer());
    end(false);
    return transport_.close();
  }
  violation(fmt::format("MQTT {}", mqtt::packet_name(packet)), auth::Check::kProtocol, "a packet that a connected client may send",
            std::string(mqtt::packet_name(packet)), std::holds_alternative<mqtt::Connect>(packet) ? "one CONNECT per connection" : "");
}

void MqttSession::unblock() {
  if (state_ != State::kConnected || blocked() || processing_) return;
  process();
  decoder_.keep();
  if (state_ == State::kConnected && !blocked()) transport_.resume_reading();
}

void MqttSession::answered() {
  --unanswered_;
  if (!waiting_for_answers_ || unanswered_ > settings_.limits.unacknowledged_publishes / 2) return;
  waiting_for_answers_ = false;
  unblock();
}

void MqttSession::hold_back() {
  if (state_ != State::kConnected || unanswered_ < settings_.limits.unacknowledged_publishes) return;
  waiting_for_answers_ = true;
  transport_.pause_reading();
}

void MqttSession::stop_reading() {
  stopping_ = true;
  transport_.pause_reading();
}

void MqttSession::shut_down() {
  if (state_ == State::kConnected) log::info("mqtt", "disconnected device={} peer={} reason=\"the hub stops\"", identity().text(), transport_.peer());
  end(true);
  transport_.close();
}

void MqttSession::violation(std::string_view operation, auth::Check check, std::string expected, std::string received, std::string advice,
                            ErrorCode code) {
  const std::string who = connection_ != nullptr ? identity().text() : std::string();
  hub_.refuse(who, transport_.peer(), std::string(operation), "connection closed",
              {check, code, std::move(expected), std::move(received), std::move(advice)});
  end(true);
  transport_.close();
}

void MqttSession::end(bool publish_will) {
  // Not destroyed: it may be what calls this.
  if (deadline_) deadline_->cancel();
  if (state_ == State::kEnded) return;
  state_ = State::kEnded;
  if (connection_ == nullptr) return;
  if (publish_will && will_) shard_->append_event(*connection_, {will_->bag, will_->body, will_->retain, true}, false, 0);
  will_.reset();
  shard_->detach(*connection_);
  connection_ = nullptr;
}

void MqttSession::on_transport_closed(std::string_view reason) {
  if (state_ == State::kConnected) {
    log::info("mqtt", "disconnected device={} peer={} reason=\"{}\"", identity().text(), transport_.peer(), printable(reason));
  }
  end(true);
}

template <typename P>
bool MqttSession::emit(const P& packet) {
  if (log::enabled(log::Level::kDebug)) trace(">", packet);
  mqtt::encode(transport_.output(), packet);
  const std::size_t queued = transport_.queued_output();
  if (queued <= settings_.limits.output_bytes) {
    // Something may be waiting for a reader that never comes back: look at it in time.
    if (queued > 0 && deadline_ && deadline_->deadline() > timers_->now() + settings_.limits.output_stall) {
      deadline_->start_at(timers_->now() + settings_.limits.output_stall);
    }
    return true;
  }
  hub_.refuse(identity().text(), transport_.peer(), "MQTT delivery", "connection closed",
              {auth::Check::kLimit, ErrorCode::kGenericTooManyRequests, fmt::format("a client that reads: at most {} bytes wait for it", settings_.limits.output_bytes),
               fmt::format("{} bytes unread", queued), "the client reads too slowly, or not at all"});
  end(true);
  transport_.abort();
  return false;
}
bool MqttSession::send(std::string_view what, const mqtt::Publish& publish) {
  if (board_ != nullptr) warn_of_size(what, publish);
  return emit(publish);
}

void MqttSession::warn_of_size(std::string_view what, const mqtt::Publish& publish) {
  if (auto reason = board_warning(*board_, publish)) hub_.warn(identity().text(), transport_.peer(), std::string(what), "sent all the same", std::move(*reason));
}

template bool MqttSession::emit(const mqtt::Suback&);
template bool MqttSession::emit(const mqtt::Unsuback&);

void MqttSession::on_event_stored(std::uint32_t token) {
  if (emit(mqtt::Puback{static_cast<std::uint16_t>(token)})) answered();
}

void MqttSession::on_store_ready() {
  waiting_for_store_ = false;
  unblock();
}

void MqttSession::deliver(const hub::CloudMessage& message, bool redelivery) {
  const std::string topic = cloud_message_topic(identity(), hub::device_topic_bag(message, identity()));
  mqtt::Publish publish{.topic = topic, .payload = message.body};
  constexpr std::string_view kWhat = "cloud-to-device message";
  if (connection_->identity->session.cloud_message_qos() == 0) {
    // Nobody will acknowledge it: sent is settled.
    const std::uint64_t sequence = message.sequence;
    if (send(kWhat, publish)) shard_->complete(*connection_, sequence);
    return;
  }
  const auto taken = [this](std::uint16_t id) {
    return std::any_of(in_flight_.begin(), in_flight_.end(), [id](const InFlight& sent) { return sent.packet_id == id; });
  };
  while (taken(next_packet_id_)) next_packet_id_ = static_cast<std::uint16_t>(next_packet_id_ % kMaxPacketId + 1);
  publish.qos = 1;
  publish.dup = redelivery;
  publish.packet_id = next_packet_id_;
  in_flight_.push_back({next_packet_id_, message.sequence});
  next_packet_id_ = static_cast<std::uint16_t>(next_packet_id_ % kMaxPacketId + 1);
  send(kWhat, publish);
}

void MqttSession::notify_desired(std::string_view json, std::int64_t version) {
  const std::string topic = desired_topic(version);
  send("desired properties", mqtt::Publish{.topic = topic, .payload = json});
}

void MqttSession::invoke_method(std::string_view request_id, std::string_view name, std::string_view payload) {
  const std::string topic = method_topic(name, request_id);
  send("direct method", mqtt::Publish{.topic = topic, .payload = payload});
}

void MqttSession::close(const auth::Denial& why) {
  hub_.refuse(identity().text(), transport_.peer(), "MQTT connection", "connection closed", why);
  end(true);
  transport_.abort();
}

}  // namespace nearhub::broker
