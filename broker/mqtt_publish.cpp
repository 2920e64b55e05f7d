// PUBLISH: telemetry, twin requests and method responses.
#include <fmt/core.h>

#include <utility>

#include "base/json_writer.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time_format.h"
#include "broker/mqtt_session.h"
#include "hub/limits.h"
#include "hub/property_bag.h"

namespace nearhub::broker {
namespace {

// -2147483648..2147483647.
std::optional<int> parse_status(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto number = parse_decimal(text);
  if (!number || *number > (negative ? 2147483648u : 2147483647u)) return std::nullopt;
  return static_cast<int>(negative ? -static_cast<std::int64_t>(*number) : static_cast<std::int64_t>(*number));
}

}  // namespace

void MqttSession::handle_publish(const mqtt::Publish& publish) {
  const PublishTopic topic = parse_publish_topic(publish.topic, identity());
  if (publish.qos == 2) {
    return violation("MQTT PUBLISH", auth::Check::kQos, "QoS 0 or 1", fmt::format("QoS 2 to {}", printable(publish.topic, 120)), "the hub has no QoS 2");
  }
  if (topic.request_id.size() > kMaxRequestIdBytes) {
    return violation("MQTT PUBLISH", auth::Check::kSize, fmt::format("a $rid of at most {} bytes", kMaxRequestIdBytes),
                     fmt::format("{} bytes", topic.request_id.size()), "number the requests");
  }
  switch (topic.kind) {
    case PublishTopic::kTelemetry: handle_telemetry(publish, topic); return hold_back();
    case PublishTopic::kTwinGet: handle_twin_get(publish, topic); return hold_back();
    case PublishTopic::kTwinReport: handle_twin_report(publish, topic); return hold_back();
    case PublishTopic::kMethodResponse: handle_method_response(publish, topic); return hold_back();
    case PublishTopic::kUnknown: break;
  }
  violation("MQTT PUBLISH", auth::Check::kTopic,
            fmt::format("a topic of the hub: {}, or the twin and method topics", telemetry_topic(identity())), printable(publish.topic, 300),
            publish_advice(publish.topic, identity()));
}

// Nothing is stored for these, but their PUBACK must not overtake that of telemetry sent before (device-mqtt.md 4.4).
void MqttSession::acknowledge(const mqtt::Publish& publish) {
  if (publish.qos == 0) return;
  begin_answer();
  shard_->acknowledge_in_order(*connection_, publish.packet_id);
}

void MqttSession::handle_telemetry(const mqtt::Publish& publish, const PublishTopic& topic) {
  // The bag as sent is at least as long as what counts of it, so most messages need no second look.
  if (publish.payload.size() + topic.bag.size() > hub::kMaxTelemetryBytes) {
    const std::size_t bytes = publish.payload.size() + hub::property_bytes(topic.bag);
    if (bytes > hub::kMaxTelemetryBytes) {
      return violation("MQTT PUBLISH", auth::Check::kSize, fmt::format("a message of at most {} bytes, body and properties", hub::kMaxTelemetryBytes),
                       fmt::format("{} bytes", bytes), "send less, or upload a file", ErrorCode::kMessageTooLarge);
    }
  }
  if (const std::size_t items = topic.bag.size() < hub::kMaxBagItems ? 0 : hub::count_items(topic.bag); items > hub::kMaxBagItems) {
    return violation("MQTT PUBLISH", auth::Check::kSize, fmt::format("at most {} properties", hub::kMaxBagItems), fmt::format("{}", items), {},
                     ErrorCode::kMessageTooLarge);
  }
  const bool acknowledged = publish.qos == 1;
  if (acknowledged) begin_answer();
  shard_->append_event(*connection_, {topic.bag, publish.payload, publish.retain, false}, acknowledged, publish.packet_id);
  if (shard_->congested(*connection_)) {
    waiting_for_store_ = true;
    transport_.pause_reading();
  }
}

void MqttSession::handle_twin_get(const mqtt::Publish& publish, const PublishTopic& topic) {
  if (!topic.has_request_id) {
    return violation("twin GET", auth::Check::kTopic, "$rid in the topic: .../twin/GET/?$rid=1", printable(publish.topic, 200));
  }
  acknowledge(publish);
  if (state_ != State::kConnected) return;
  begin_answer();
  shard_->get_device_twin(*connection_, lifetime_.guard([this, rid = std::string(topic.request_id)](Result<std::string> twin) {
    if (state_ != State::kConnected) return;
    if (twin.ok()) {
      respond_twin(200, rid, std::nullopt, *twin);
    } else {
      respond_twin_error("twin GET", rid, true, twin.error());
    }
    answered();
  }));
}

void MqttSession::handle_twin_report(const mqtt::Publish& publish, const PublishTopic& topic) {
  acknowledge(publish);
  if (state_ != State::kConnected) return;
  // Without $rid the patch counts and nobody is answered (device-mqtt.md 6.1).
  const bool respond = topic.has_request_id;
  const std::string rid(topic.request_id);
  if (topic.version_given && !topic.version) {
    return respond_twin_error("twin PATCH", rid, respond, {ErrorCode::kArgumentInvalid, "$version in the topic is not a number"});
  }
  if (hub_.shared().behaviour.strict && !api_version_given_) {
    return respond_twin_error("twin PATCH", rid, respond, {ErrorCode::kArgumentInvalid, "the user name has no api-version (strict)"});
  }
  begin_answer();
  shard_->report(*connection_, publish.payload, topic.version, lifetime_.guard([this, rid, respond](Result<std::int64_t> version) {
    if (state_ != State::kConnected) return;
    if (!version.ok()) {
      respond_twin_error("twin PATCH", rid, respond, version.error());
    } else if (respond) {
      respond_twin(204, rid, *version, {});
    }
    answered();
  }));
}

void MqttSession::respond_twin(int status, std::string_view request_id, std::optional<std::int64_t> version, std::string_view body) {
  if (!connection_->identity->session.has(hub::Topic::kTwinResponses)) {
    log::debug("mqtt", "device={} twin response dropped: not subscribed status={}", identity().text(), status);
    if (std::exchange(told_of_lost_response_, true)) return;
    hub_.refuse(identity().text(), transport_.peer(), "twin response", "dropped",
                {auth::Check::kState, ErrorCode::kOperationNotAllowedInCurrentState, fmt::format("a subscription to {}", twin_response_filter()),
                 fmt::format("a twin request with $rid={} and no such subscription", printable(request_id, 60)),
                 "subscribe, wait for the SUBACK, then send twin requests"});
    return;
  }
  const std::string topic = twin_response_topic(status, request_id, version);
  send(status == 200 ? "twin document" : "twin response", mqtt::Publish{.topic = topic, .payload = body});
}

void MqttSession::respond_twin_error(const std::string& operation, std::string_view request_id, bool respond, const Error& error) {
  const hub::Hub::Shared& shared = hub_.shared();
  const WallTime now = shared.clock.now();
  hub_.refuse(identity().text(), transport_.peer(), operation, fmt::format("{} {}", http_status(error.code), error_name(error.code)),
              {auth::Check::kBody, error.code, {}, error.detail, {}});
  if (!respond) return;
  // Never empty: the Node client takes an answer without errorCode for success, whatever the topic says (6.5).
  JsonWriter json;
  json.object()
      .member("errorCode", static_cast<std::int64_t>(error_number(error.code)))
      .member("trackingId", shared.random.hex(16) + "-G:0-TimeStamp:" + format_tracking_time(now))
      .member("message", error.detail)
      .member("timestampUtc", format_iso8601(now))
      .end_object();
  respond_twin(http_status(error.code), request_id, std::nullopt, json.text());
}

void MqttSession::handle_method_response(const mqtt::Publish& publish, const PublishTopic& topic) {
  acknowledge(publish);
  if (state_ != State::kConnected) return;
  const auto status = parse_status(topic.status);
  if (!status || !topic.has_request_id) {
    // Dropped, as the edge hub's 400 has no way back to the device; the caller runs into its timeout (7.2).
    hub_.refuse(identity().text(), transport_.peer(), "method response", "dropped",
                {auth::Check::kTopic, ErrorCode::kArgumentInvalid, ".../methods/res/{status}/?$rid={rid} with a whole number as status",
                 printable(publish.topic, 200), {}});
    return;
  }
  shard_->answer_method(*connection_, topic.request_id, *status, publish.payload);
}

}  // namespace nearhub::broker
