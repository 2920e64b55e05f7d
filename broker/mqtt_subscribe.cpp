// SUBSCRIBE and UNSUBSCRIBE.
#include <fmt/core.h>

#include <algorithm>
#include <bit>

#include "base/log.h"
#include "base/text.h"
#include "broker/mqtt_session.h"
#include "wire/mqtt/encoder.h"

namespace nearhub::broker {

void MqttSession::handle_subscribe(const mqtt::Subscribe& subscribe) {
  // All filters are looked at before one counts: a refused one ends the connection, never a SUBACK 0x80 (device-mqtt.md 3.1).
  mqtt::SubscriptionList list = subscribe.subscriptions;
  mqtt::Subscription subscription;
  while (list.next(subscription)) {
    if (parse_filter(subscription.filter, identity()).acceptable) continue;
    return violation("MQTT SUBSCRIBE", auth::Check::kFilter,
                     "a filter for cloud-to-device messages, twin responses, desired properties or methods of this identity", printable(subscription.filter, 300),
                     filter_advice(subscription.filter, identity()));
  }

  const MqttLimits& limits = settings_.limits;
  const std::size_t allowed = hub_.shared().behaviour.strict ? std::min(limits.subscriptions, limits.recommended_subscriptions) : limits.subscriptions;
  const hub::Session& wanted = connection_->wanted;
  std::size_t distinct = 0;
  std::string codes;
  bool cloud_messages = false;
  list = subscribe.subscriptions;
  while (list.next(subscription)) {
    const Filter filter = parse_filter(subscription.filter, identity());
    const std::uint8_t granted = std::min<std::uint8_t>(subscription.qos, 1);
    if (!filter.method.empty()) {
      shard_->subscribe_method(*connection_, filter.method);
    } else {
      shard_->subscribe(*connection_, filter.topic, granted);
      cloud_messages |= filter.topic == hub::Topic::kCloudMessages || filter.topic == hub::Topic::kCloudMessagesWildcard;
    }
    codes.push_back(static_cast<char>(granted));
    distinct = static_cast<std::size_t>(std::popcount(wanted.subscribed)) + wanted.method_names.size();
    // At once: a packet has room for thousands of names.
    if (distinct > allowed) {
      return violation("MQTT SUBSCRIBE", auth::Check::kLimit, fmt::format("at most {} subscriptions", allowed), fmt::format("{}", distinct));
    }
  }
  if (distinct > limits.recommended_subscriptions) {
    log::warn("mqtt", "device={} subscriptions={} the cloud allows {}", identity().text(), distinct, limits.recommended_subscriptions);
  }

  if (may_be_board_ && board_ == nullptr) {
    board_ = recognise_board(subscribe.subscriptions, identity());
    if (board_ != nullptr) log::info("mqtt", "device={} library=\"{}\"", identity().text(), board_->name);
  }

  begin_answer();
  shard_->settle_subscriptions(*connection_, lifetime_.guard([this, id = subscribe.packet_id, codes = std::move(codes), cloud_messages] {
    if (state_ != State::kConnected || !emit(mqtt::Suback{id, codes})) return;
    if (cloud_messages) shard_->release_cloud_messages(*connection_);
    answered();
  }));
}

void MqttSession::handle_unsubscribe(const mqtt::Unsubscribe& unsubscribe) {
  mqtt::FilterList list = unsubscribe.filters;
  std::string_view text;
  while (list.next(text)) {
    const Filter filter = parse_filter(text, identity());
    // What was never subscribed is acknowledged all the same; what no device may name ends the connection (3.4).
    if (!filter.acceptable) {
      return violation("MQTT UNSUBSCRIBE", auth::Check::kFilter, "a filter that this identity may subscribe to", printable(text, 300));
    }
    if (!filter.method.empty()) {
      shard_->unsubscribe_method(*connection_, filter.method);
    } else {
      shard_->unsubscribe(*connection_, filter.topic);
    }
  }
  begin_answer();
  shard_->settle_subscriptions(*connection_, lifetime_.guard([this, id = unsubscribe.packet_id] {
    if (state_ == State::kConnected && emit(mqtt::Unsuback{id})) answered();
  }));
}

}  // namespace nearhub::broker
