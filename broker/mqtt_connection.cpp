#include "broker/mqtt_connection.h"

#include <fmt/core.h>

#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace nearhub::broker {

MqttConnection::MqttConnection(MqttFront& front, int socket, std::string peer)
    : HalfOpen(front.half_opens_),
      front_(&front),
      handshake_(std::make_unique<Timer>(front.loop_.timers(),
                                         [this] {
                                           front_->hub_.refuse({}, tls_.peer(), "TLS handshake", "connection closed",
                                                               {auth::Check::kTimeLimit, ErrorCode::kMalformed,
                                                                fmt::format("a TLS handshake within {} s", front_->settings_.limits.handshake_time.count()),
                                                                "none", "is the client set to TLS?"});
                                           tls_.abort();
                                         })),
      tls_(front.loop_, front.tls_, socket, std::move(peer), *this),
      session_(front.hub_, front.settings_, *this, front.loop_.timers()) {
  handshake_->start_at(front.loop_.timers().now() + front.settings_.limits.handshake_time);
}

MqttConnection::~MqttConnection() = default;

std::string& MqttConnection::output() {
  if (tls_.queued_output() == 0) output_began_ = front_->loop_.timers().now();
  return tls_.output();
}

void MqttConnection::on_secured() {
  handshake_->cancel();
  session_.on_secured();
}

void MqttConnection::go_home(const DeviceId& device) {
  // At the end of the turn: the bytes behind the CONNECT are kept by then, and nothing of this loop is on the stack.
  front_->loop_.defer(lifetime_.guard([this, home = front_->hub_.home_of(device)] { move_to(home); }));
}

void MqttConnection::move_to(std::uint32_t home) {
  leave();
  if (tls_.closing()) return;  // the peer has left meanwhile
  if (tls_.queued_output() > 0) {
    // Of the handshake: the hub itself has said nothing yet.
    front_->hub_.refuse({}, peer(), "MQTT CONNECT", "connection closed",
                        {auth::Check::kTls, ErrorCode::kMalformed, "a client that has read the TLS handshake before its CONNECT",
                         fmt::format("{} bytes of it unread", tls_.queued_output()), {}});
    return abort();
  }
  handshake_.reset();
  MqttFront& target = *front_->fronts_[home];
  if (&target == front_) {
    session_.at_home(front_->shard_, front_->loop_.timers());
    return;
  }
  session_.leave_loop();
  tls_.detach();
  std::unique_ptr<MqttConnection> self = front_->release(*this);
  // The socket and its OpenSSL state go along; after this line the connection belongs to the other loop.
  target.loop_.post([&target, self = std::move(self)]() mutable { target.adopt(std::move(self)); });
}

void MqttConnection::give_way() {
  // One that was refused already, and lingers, has its reason.
  if (!session_.settled()) {
    front_->hub_.refuse({}, peer(), "MQTT CONNECT", "connection closed",
                        {auth::Check::kLimit, ErrorCode::kGenericTooManyRequests,
                         fmt::format("at most {} connections before their CONNECT", front_->half_opens_.bound()), "one more; this was the oldest", {}});
  }
  abort();
}

void MqttConnection::on_closed(const net::CloseReason& reason) {
  record_tls_failure(front_->hub_, session_.name(), tls_.peer(), reason);
  session_.on_transport_closed(reason.detail);
  leave();
  front_->count_.leave();
  const std::unique_ptr<MqttConnection> self = front_->release(*this);
}

MqttFront::MqttFront(net::Loop& loop, hub::Shard& shard, const hub::Hub& hub, const net::TlsContext& tls, const MqttSettings& settings,
                     ConnectionCount& count)
    : loop_(loop), shard_(shard), hub_(hub), tls_(tls), settings_(settings), count_(count), half_opens_(count.limits().half_open) {}

MqttFront::~MqttFront() = default;

void MqttFront::accept(int socket, std::string peer) {
  if (!count_.admit(hub_, socket, peer)) return;
  half_opens_.make_room();
  auto connection = std::make_unique<MqttConnection>(*this, socket, std::move(peer));
  MqttConnection* key = connection.get();
  connections_.emplace(key, std::move(connection));
}

void MqttFront::adopt(std::unique_ptr<MqttConnection> connection) {
  MqttConnection* key = connection.get();
  key->front_ = this;
  connections_.emplace(key, std::move(connection));
  key->tls_.attach(loop_);
  if (stopping_) {
    key->shut_down();
    return;
  }
  key->session_.at_home(shard_, loop_.timers());
}

std::unique_ptr<MqttConnection> MqttFront::release(MqttConnection& connection) {
  auto node = connections_.extract(&connection);
  NEARHUB_CHECK(!node.empty());
  return std::move(node.mapped());
}

void MqttFront::stop_reading() {
  stopping_ = true;
  for (auto& [key, connection] : connections_) connection->stop_reading();
}

void MqttFront::shut_down() {
  for (auto& [key, connection] : connections_) connection->shut_down();
}

}  // namespace nearhub::broker
