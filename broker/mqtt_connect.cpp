// CONNECT: its checks, the verdict, CONNACK, and the deadlines of a connection.
#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "broker/mqtt_session.h"
#include "hub/limits.h"
#include "hub/property_bag.h"
#include "wire/mqtt/encoder.h"

namespace nearhub::broker {
namespace {

auth::Denial deny(auth::Check check, std::string expected, std::string received, std::string advice = {},
                  ErrorCode code = ErrorCode::kIotHubUnauthorized) {
  return {check, code, std::move(expected), std::move(received), std::move(advice)};
}

bool is_api_version(std::string_view text) {
  if (text.ends_with("-preview")) text.remove_suffix(8);
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  for (const std::size_t at : {0u, 1u, 2u, 3u, 5u, 6u, 8u, 9u}) {
    if (text[at] < '0' || text[at] > '9') return false;
  }
  return true;
}

auth::Denial wrong_protocol(const mqtt::Connect& connect) {
  std::string advice = "set the client to MQTT 3.1.1";
  if ((connect.protocol_level & 0x80) != 0) {
    advice = "a mosquitto bridge: set try_private false";
  } else if (connect.protocol_level == 5) {
    advice = "the hub has no MQTT 5: set the client to MQTT 3.1.1 (mosquitto_pub -V mqttv311)";
  }
  return deny(auth::Check::kProtocol, "protocol MQTT, level 4 (MQTT 3.1.1)",
              fmt::format("protocol {}, level {}", printable(connect.protocol_name, 20), connect.protocol_level), advice,
              ErrorCode::kInvalidProtocolVersion);
}

}  // namespace

std::chrono::milliseconds keep_alive_deadline(std::uint16_t keep_alive_s, const MqttLimits& limits) {
  const std::chrono::milliseconds asked{keep_alive_s * 1000}, cap{limits.keep_alive_cap}, grace{limits.keep_alive_grace};
  if (keep_alive_s == 0) return cap;
  // A client that pings just at the cap would race it.
  if (asked > cap - grace) return std::min(asked, cap) + grace;
  return std::min(asked * 3 / 2, cap);
}

void MqttSession::on_secured() {
  last_packet_ = timers_->now();
  deadline_ = std::make_unique<Timer>(*timers_, [this] { on_deadline(); });
  deadline_->start_at(last_packet_ + settings_.limits.connect_time);
}

void MqttSession::handle_connect(const mqtt::Connect& connect) {
  auto request = std::make_unique<Request>();
  if (auto denial = check_connect(connect, *request)) {
    // Who it says it is, as far as that can be read.
    const std::string claimed = request->user.identity.device.empty() ? std::string(connect.client_id) : request->user.identity.text();
    return refuse_connect(claimed, std::move(*denial));
  }
  request_ = std::move(request);
  state_ = State::kGoingHome;
  transport_.pause_reading();
  transport_.go_home(request_->user.identity.device);
}

std::optional<auth::Denial> MqttSession::check_connect(const mqtt::Connect& connect, Request& request) {
  const hub::Hub::Shared& shared = hub_.shared();
  if (!connect.is_supported()) return wrong_protocol(connect);
  if (!connect.username) {
    return deny(auth::Check::kUserName, "a user name {host}/{deviceId}/?api-version=2021-04-12", "none");
  }
  auto user = parse_username(*connect.username);
  if (!user.ok()) {
    return deny(auth::Check::kUserName, "a user name {host}/{deviceId}[/{moduleId}]/?api-version=2021-04-12",
                fmt::format("\"{}\": {}", printable(*connect.username, 200), user.error().detail));
  }
  request.user = std::move(*user);
  const IdentityId& identity = request.user.identity;
  if (!shared.hosts.contains(request.user.host)) {
    // {idScope}/registrations/{registrationId}/...
    const bool provisioning = identity.is_module() && identity.device.view() == "registrations";
    return deny(auth::Check::kHostName, fmt::format("a name of this hub as the first part of the user name ({})", shared.hosts.list()),
                printable(request.user.host, 100),
                provisioning ? "this is a provisioning client; this version has no DPS: give the device its connection string"
                             : fmt::format("use one of them, or start the hub with --host {}", printable(request.user.host, 100)));
  }
  if (!request.user.api_version.empty() && !is_api_version(request.user.api_version)) {
    return deny(auth::Check::kApiVersion, "api-version=YYYY-MM-DD in the user name", printable(request.user.api_version, 60));
  }
  if (shared.behaviour.strict && request.user.api_version.empty() && identity.is_module()) {
    return deny(auth::Check::kApiVersion, "api-version in the user name of a module (strict)", "none", "append /?api-version=2021-04-12");
  }
  if (connect.client_id != identity.text()) {
    return deny(auth::Check::kClientId, fmt::format("client id \"{}\", as the user name says", identity.text()),
                fmt::format("client id \"{}\"", printable(connect.client_id, 260)),
                equals_ignoring_case(connect.client_id, identity.text()) ? "ids are case-sensitive" : "client id and user name must name the same identity");
  }
  if (connect.will) {
    if (auto denial = check_will(connect, identity)) return denial;
  }
  if (connect.password) request.password = std::string(*connect.password);
  request.clean_session = connect.clean_session;
  request.keep_alive_s = connect.keep_alive_s;
  return std::nullopt;
}

std::optional<auth::Denial> MqttSession::check_will(const mqtt::Connect& connect, const IdentityId& identity) {
  const mqtt::Will& will = *connect.will;
  const PublishTopic topic = parse_publish_topic(will.topic, identity);
  if (topic.kind != PublishTopic::kTelemetry) {
    return deny(auth::Check::kTopic, fmt::format("a will topic {}", telemetry_topic(identity)), printable(will.topic, 200));
  }
  if (hub::count_items(topic.bag) > hub::kMaxBagItems) {
    return deny(auth::Check::kSize, fmt::format("at most {} properties in the will topic", hub::kMaxBagItems), fmt::format("{}", hub::count_items(topic.bag)));
  }
  will_ = std::make_unique<Will>(Will{std::string(topic.bag), std::string(will.payload), will.retain});
  return std::nullopt;
}

void MqttSession::leave_loop() {
  deadline_.reset();
  timers_ = nullptr;
}

void MqttSession::at_home(hub::Shard& shard, TimerQueue& timers) {
  shard_ = &shard;
  timers_ = &timers;
  // As long again for the verdict: the store may be slow, but a client must not wait for ever.
  deadline_ = std::make_unique<Timer>(timers, [this] { on_deadline(); });
  deadline_->start_at(timers.now() + settings_.limits.connect_time);
  state_ = State::kJudging;
  shard.judge(request_->user.identity, std::move(request_->password), transport_.take_client_certificates(),
              lifetime_.guard([this](hub::Shard::Verdict verdict) { on_verdict(std::move(verdict)); }));
}

void MqttSession::on_verdict(hub::Shard::Verdict verdict) {
  if (state_ != State::kJudging) return;
  const std::unique_ptr<Request> request = std::move(request_);
  const std::string name = request->user.identity.text();
  if (auto* denial = std::get_if<auth::Denial>(&verdict)) return refuse_connect(name, std::move(*denial));
  auto& admission = std::get<auth::Admission>(verdict);
  if (!admission.warning.empty()) {
    const auth::Check check = admission.type == auth::AuthenticationType::kSas ? auth::Check::kSasExpiry : auth::Check::kCertificate;
    hub_.warn(name, transport_.peer(), "MQTT CONNECT", "accepted", {check, {}, {}, admission.warning, {}});
  }

  bool session_present = false;
  hub::Shard::AttachOptions options;
  options.clean_session = request->clean_session;
  options.hold_cloud_messages = true;
  options.model_id = request->user.model_id;
  connection_ = &shard_->attach(request->user.identity, *this, std::move(admission), std::move(options), session_present);
  state_ = State::kConnected;
  api_version_given_ = !request->user.api_version.empty();
  may_be_board_ = may_be_board(request->user);
  keep_alive_s_ = request->keep_alive_s;
  decoder_.set_max_packet_bytes(settings_.limits.packet_bytes);
  log::info("mqtt", "connected device={} peer={} clean_session={} session_present={} keep_alive_s={} client=\"{}\"", name, transport_.peer(),
            request->clean_session ? 1 : 0, session_present ? 1 : 0, keep_alive_s_, printable(request->user.client_type, 120));
  if (keep_alive_s_ > settings_.limits.keep_alive_cap.count() - settings_.limits.keep_alive_grace.count()) {
    log::warn("mqtt", "device={} keep_alive_s={} the cloud would end the connection after {} s of silence", name, keep_alive_s_,
              settings_.limits.keep_alive_cap.count());
  }
  mqtt::encode(transport_.output(), mqtt::Connack{session_present, 0});
  last_packet_ = timers_->now();
  arm_deadline();
  shard_->begin(*connection_);
  // What came behind the CONNECT.
  unblock();
}

void MqttSession::refuse_connect(const std::string& identity, auth::Denial denial) {
  // A CONNECT of another protocol version is answered 1; all else that is the client's doing 5 (device-mqtt.md 2.7).
  const int code = connack_code(denial.code);
  if (denial.code != ErrorCode::kServiceUnavailable) transport_.forget_session();
  hub_.refuse(identity, transport_.peer(), "MQTT CONNECT", fmt::format("CONNACK {}", code), std::move(denial));
  end(false);
  mqtt::encode(transport_.output(), mqtt::Connack{false, static_cast<std::uint8_t>(code)});
  transport_.close();
}

void MqttSession::arm_deadline() {
  MonoTime next = last_packet_ + keep_alive_deadline(keep_alive_s_, settings_.limits);
  if (transport_.queued_output() > 0) next = std::min(next, transport_.last_progress() + std::chrono::milliseconds(settings_.limits.output_stall));
  if (!deadline_) deadline_ = std::make_unique<Timer>(*timers_, [this] { on_deadline(); });
  deadline_->start_at(next);
}

void MqttSession::on_deadline() {
  const auto expire = [this](std::string_view operation, std::string expected, std::string received, std::string advice) {
    violation(operation, auth::Check::kTimeLimit, std::move(expected), std::move(received), std::move(advice), ErrorCode::kDeviceConnectionClosedRemotely);
  };
  if (state_ == State::kJudging) {
    return refuse_connect(request_->user.identity.text(), deny(auth::Check::kTimeLimit, fmt::format("an answer of the store within {} s", settings_.limits.connect_time.count()),
                                                               "none", "the hub's disk is too slow or stuck", ErrorCode::kServiceUnavailable));
  }
  if (state_ != State::kConnected) {
    return expire("MQTT CONNECT", fmt::format("CONNECT within {} s", settings_.limits.connect_time.count()), "none", {});
  }
  const MonoTime now = timers_->now();
  // While the hub is behind and reads nothing, the silence is not the client's.
  if (blocked()) last_packet_ = now;
  const auto allowed = keep_alive_deadline(keep_alive_s_, settings_.limits);
  if (now >= last_packet_ + allowed) {
    return expire("MQTT keep-alive",
                  fmt::format("a packet within {} s (keep-alive {} s)", std::chrono::duration_cast<std::chrono::seconds>(allowed).count(), keep_alive_s_),
                  "none", "the client must send PINGREQ when it has nothing else to send");
  }
  if (transport_.queued_output() > 0 && now >= transport_.last_progress() + settings_.limits.output_stall) {
    return expire("MQTT delivery", fmt::format("a client that reads within {} s", settings_.limits.output_stall.count()),
                  fmt::format("{} bytes unread", transport_.queued_output()), "the client, or the network to it, has stalled");
  }
  arm_deadline();
}

}  // namespace nearhub::broker
