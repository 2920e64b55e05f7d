// A TLS connection with an MQTT session on it, and the set of them that one loop holds.
//
// THREAD: the loop that holds it. A connection moves to another loop once, after its CONNECT.
#pragma once
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/connection_count.h"
#include "broker/half_open.h"
#include "broker/limits.h"
#include "broker/mqtt_session.h"
#include "hub/hub.h"
#include "wire/net/tls_connection.h"

namespace nearhub::broker {

class MqttFront;

class MqttConnection final : public net::TlsConnection::Handler, public MqttTransport, private HalfOpen {
 public:
  MqttConnection(MqttFront& front, int socket, std::string peer);
  ~MqttConnection() override;

  void stop_reading() { session_.stop_reading(); }
  void shut_down() { session_.shut_down(); }
  bool connected() const { return session_.connected(); }

  // MqttTransport
  std::string& output() override;
  std::size_t queued_output() const override { return tls_.queued_output(); }
  MonoTime last_progress() const override { return std::max(tls_.last_progress(), output_began_); }
  void pause_reading() override { tls_.pause_reading(); }
  void resume_reading() override { tls_.resume_reading(); }
  void close() override { tls_.close(); }
  void abort() override { tls_.abort(); }
  std::string peer() const override { return tls_.peer(); }
  std::vector<std::string> take_client_certificates() override { return tls_.take_client_certificates(); }
  void forget_session() override { tls_.forget_session(); }
  void go_home(const DeviceId& device) override;

  // net::TlsConnection::Handler
  void on_secured() override;
  void on_data(std::string_view bytes) override { session_.on_data(bytes); }
  void on_closed(const net::CloseReason& reason) override;

 private:
  friend class MqttFront;
  void move_to(std::uint32_t home);
  void give_way() override;

  MqttFront* front_;
  std::unique_ptr<Timer> handshake_;  // until the handshake is done
  net::TlsConnection tls_;
  MqttSession session_;
  MonoTime output_began_{};  // when the first of the bytes that wait now was put there: the system has not been asked to take them before the turn's end
  Lifetime lifetime_;
};

class MqttFront {
 public:
  MqttFront(net::Loop& loop, hub::Shard& shard, const hub::Hub& hub, const net::TlsContext& tls, const MqttSettings& settings, ConnectionCount& count);
  ~MqttFront();
  // One front per loop, in the order of the shards.
  void set_fronts(std::vector<MqttFront*> fronts) { fronts_ = std::move(fronts); }

  void accept(int socket, std::string peer);

  // Reads nothing more from anybody, so that what is under way can be answered.
  void stop_reading();
  // Closes all connections behind what they have been sent.
  void shut_down();
  std::size_t size() const { return connections_.size(); }

 private:
  friend class MqttConnection;
  void adopt(std::unique_ptr<MqttConnection> connection);
  std::unique_ptr<MqttConnection> release(MqttConnection& connection);

  net::Loop& loop_;
  hub::Shard& shard_;
  const hub::Hub& hub_;
  const net::TlsContext& tls_;
  const MqttSettings& settings_;
  ConnectionCount& count_;
  std::vector<MqttFront*> fronts_;
  HalfOpens half_opens_;  // declared before the connections, which leave it when they are destroyed
  std::unordered_map<MqttConnection*, std::unique_ptr<MqttConnection>> connections_;
  bool stopping_ = false;
};

}  // namespace nearhub::broker
