// One device's MQTT 3.1.1 connection: from its CONNECT to its end. Without a socket; bytes come in by on_data() and go out by the transport.
//
// It begins on the loop that accepted the connection, reads the CONNECT there, and goes on at the home of the device that the CONNECT names
// (docs/adr/0002). The client's verdict falls there, and everything after it happens there.
//
//   await CONNECT -> on the way home -> judged -> connected -> ended
//
// Protocol violations end the connection, as on the hub (reference/device-mqtt.md 2.9); each leaves its reason in the refusal book.
//
// THREAD: the loop that it is on. LIFETIME: the transport owns it.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/lifetime.h"
#include "base/timer_queue.h"
#include "broker/board.h"
#include "broker/limits.h"
#include "broker/topics.h"
#include "broker/username.h"
#include "hub/shard.h"
#include "wire/mqtt/decoder.h"
#include "wire/mqtt/packet.h"

namespace nearhub::broker {

class MqttTransport {
 public:
  virtual ~MqttTransport() = default;
  virtual std::string& output() = 0;  // append to it; sent at the end of the turn
  virtual std::size_t queued_output() const = 0;
  virtual MonoTime last_progress() const = 0;  // of a peer that is slow to read
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;
  virtual void close() = 0;  // behind what is queued
  virtual void abort() = 0;
  virtual std::string peer() const = 0;
  virtual std::vector<std::string> take_client_certificates() = 0;
  // The client was refused: it must not come back with the same TLS session, which would show the same certificates again.
  virtual void forget_session() = 0;
  // The CONNECT is read: bring the session to the home loop of the device and call at_home() there. Nothing is read until then.
  virtual void go_home(const DeviceId& device) = 0;
};

struct MqttSettings {
  MqttLimits limits;
};

// The server's keep-alive deadline for a client's keep-alive (device-mqtt.md 2.5).
std::chrono::milliseconds keep_alive_deadline(std::uint16_t keep_alive_s, const MqttLimits& limits);

class MqttSession final : public hub::Link {
 public:
  MqttSession(const hub::Hub& hub, const MqttSettings& settings, MqttTransport& transport, TimerQueue& timers);
  ~MqttSession() override;

  // The transport is ready for data; the time for the CONNECT runs.
  void on_secured();
  void on_data(std::string_view bytes);
  // On the way to another loop nothing of the old one may be held.
  void leave_loop();
  void at_home(hub::Shard& shard, TimerQueue& timers);
  // The transport is gone. `reason`: for the log.
  void on_transport_closed(std::string_view reason);

  // The hub is stopping: no new publishes are taken; what is under way is answered.
  void stop_reading();
  // All of that is in the output: the session ends here, so that nothing more is delivered to a connection that is being closed.
  void shut_down();

  bool connected() const { return state_ == State::kConnected; }
  // Of a connected client: "d1" or "d1/m1"; empty before.
  std::string name() const { return connection_ != nullptr ? identity().text() : std::string(); }
  // Past CONNECT, or ended: no longer to be counted among the half-open.
  bool settled() const { return state_ != State::kAwaitConnect; }

  // hub::Link
  void on_event_stored(std::uint32_t token) override;
  void deliver(const hub::CloudMessage& message, bool redelivery) override;
  void notify_desired(std::string_view json, std::int64_t version) override;
  void invoke_method(std::string_view request_id, std::string_view name, std::string_view payload) override;
  void close(const auth::Denial& why) override;
  void on_store_ready() override;
  std::string peer() const override { return transport_.peer(); }

 private:
  enum class State : std::uint8_t { kAwaitConnect, kGoingHome, kJudging, kConnected, kEnded };

  struct Will {
    std::string bag;
    std::string body;
    bool retain = false;
  };
  // Kept from the CONNECT until the verdict.
  struct Request {
    UserName user;
    std::optional<std::string> password;
    bool clean_session = true;
    std::uint16_t keep_alive_s = 0;
  };
  struct InFlight {
    std::uint16_t packet_id;
    std::uint64_t sequence;
  };

  // mqtt_connect.cpp
  void handle_connect(const mqtt::Connect& connect);
  std::optional<auth::Denial> check_connect(const mqtt::Connect& connect, Request& request);
  std::optional<auth::Denial> check_will(const mqtt::Connect& connect, const IdentityId& identity);
  void on_verdict(hub::Shard::Verdict verdict);
  void refuse_connect(const std::string& identity, auth::Denial denial);
  void arm_deadline();
  void on_deadline();

  // mqtt_session.cpp
  void process();
  void handle(const mqtt::Packet& packet);
  // A line of the debug log; never a payload.
  void trace(std::string_view direction, const mqtt::Packet& packet) const;
  bool blocked() const { return waiting_for_store_ || waiting_for_answers_ || stopping_; }
  void unblock();
  // What the client waits for an answer to is counted, so that it cannot pile up work faster than the store does it.
  void begin_answer() { ++unanswered_; }
  void answered();
  void hold_back();
  void violation(std::string_view operation, auth::Check check, std::string expected, std::string received, std::string advice = {},
                 ErrorCode code = ErrorCode::kMalformed);
  void end(bool publish_will);
  // Puts a packet into the output. False: too much waits for this client already, and the session has ended.
  template <typename P>
  bool emit(const P& packet);
  // The same for a message, with a warning when the board at the other end cannot take it. `what`: "twin document".
  bool send(std::string_view what, const mqtt::Publish& publish);
  void warn_of_size(std::string_view what, const mqtt::Publish& publish);
  const IdentityId& identity() const;

  // mqtt_publish.cpp
  void handle_publish(const mqtt::Publish& publish);
  void handle_telemetry(const mqtt::Publish& publish, const PublishTopic& topic);
  void handle_twin_get(const mqtt::Publish& publish, const PublishTopic& topic);
  void handle_twin_report(const mqtt::Publish& publish, const PublishTopic& topic);
  void handle_method_response(const mqtt::Publish& publish, const PublishTopic& topic);
  void acknowledge(const mqtt::Publish& publish);
  void respond_twin(int status, std::string_view request_id, std::optional<std::int64_t> version, std::string_view body);
  void respond_twin_error(const std::string& operation, std::string_view request_id, bool respond, const Error& error);

  // mqtt_subscribe.cpp
  void handle_subscribe(const mqtt::Subscribe& subscribe);
  void handle_unsubscribe(const mqtt::Unsubscribe& unsubscribe);

  const hub::Hub& hub_;
  const MqttSettings& settings_;
  MqttTransport& transport_;
  TimerQueue* timers_;
  hub::Shard* shard_ = nullptr;
  hub::Connection* connection_ = nullptr;
  State state_ = State::kAwaitConnect;
  bool processing_ = false;
  bool waiting_for_store_ = false;
  bool waiting_for_answers_ = false;
  bool stopping_ = false;
  bool api_version_given_ = false;
  bool told_of_lost_response_ = false;
  bool may_be_board_ = false;
  std::uint16_t next_packet_id_ = 1;
  std::uint16_t keep_alive_s_ = 0;
  std::uint32_t unanswered_ = 0;  // acknowledgements, of subscriptions too, and twin responses that the client waits for
  MonoTime last_packet_{};
  const BoardLibrary* board_ = nullptr;  // known after its SUBSCRIBE; of most clients null
  mqtt::Decoder decoder_;
  std::unique_ptr<Timer> deadline_;
  std::unique_ptr<Request> request_;
  std::unique_ptr<Will> will_;
  std::vector<InFlight> in_flight_;  // cloud-to-device messages at QoS 1
  Lifetime lifetime_;
};

}  // namespace nearhub::broker
