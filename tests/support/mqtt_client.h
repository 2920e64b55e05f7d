// An MQTT client that sends exactly what a test says and shows what came, packet by packet.
//
// THREAD: one at a time. Failures stop the test case.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/tls_client.h"
#include "wire/mqtt/decoder.h"
#include "wire/mqtt/encoder.h"
#include "wire/mqtt/packet.h"

namespace nearhub::test {

// A packet that came, with its bytes; the views of `packet` are into `bytes`.
struct Received {
  std::string bytes;
  mqtt::Packet packet;
};

class MqttClient {
 public:
  MqttClient(const TlsOptions& options, std::uint16_t port);

  TlsClient& connection() { return connection_; }
  void send_raw(std::string_view bytes) { connection_.send(bytes); }
  template <typename P>
  void send(const P& packet) {
    std::string bytes;
    mqtt::encode(bytes, packet);
    connection_.send(bytes);
  }
  void subscribe(std::uint16_t id, std::initializer_list<mqtt::Subscription> subscriptions);

  // The next packet; nullptr at the end of the connection.
  std::unique_ptr<Received> next(std::chrono::milliseconds patience = kPatience);
  // The next packet must be of this kind.
  template <typename P>
  P expect() {
    last_ = next();
    require_kind(last_ != nullptr && std::holds_alternative<P>(last_->packet), last_.get());
    return std::get<P>(last_->packet);  // its views live until the next expect()
  }
  // The hub closes, with nothing more sent.
  void expect_closed();
  // Nothing comes. Proof is a PINGREQ answered at once: what the hub had to send before would have come first.
  void expect_silence();

  // CONNECT with these; gives the CONNACK.
  mqtt::Connack connect(const mqtt::Connect& packet);

 private:
  static void require_kind(bool right, const Received* received);

  TlsClient connection_;
  std::string buffer_;
  std::unique_ptr<Received> last_;
};

}  // namespace nearhub::test
