// What is asked of a server, and how the answers are timed.
//
// Every client keeps a fixed number of requests under way (a closed loop). A request has a slot, 1 to kMaxDepth, that its answer names;
// the slot's next request follows at once. Requests that come together leave together in one write.
//
// THREAD: one.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/client.h"
#include "tests/bench/server.h"
#include "wire/mqtt/decoder.h"
#include "wire/mqtt/packet.h"

namespace nearhub::bench {

using Slot = std::uint16_t;
inline constexpr Slot kMaxDepth = 16;

// One kind of round trip over MQTT.
class Exchange {
 public:
  virtual ~Exchange() = default;
  // A SUBSCRIBE filter that the answers need; empty: none.
  virtual std::string_view filter() const { return {}; }
  virtual void append_request(std::string& out, std::string_view device, Slot slot) = 0;
  // The slot that the packet answers; 0 when it answers none.
  virtual Slot slot_of(const mqtt::Packet& packet) const = 0;
  // An answered slot's next request follows at once; otherwise somebody else makes requests (Device::awaits()).
  virtual bool repeats() const { return true; }
};

// QoS 1, 100 bytes; the PUBACK is the answer.
class Telemetry final : public Exchange {
 public:
  void append_request(std::string& out, std::string_view device, Slot slot) override;
  Slot slot_of(const mqtt::Packet& packet) const override;

 private:
  std::string topic_;
};

class TwinGet final : public Exchange {
 public:
  std::string_view filter() const override;
  void append_request(std::string& out, std::string_view device, Slot slot) override;
  Slot slot_of(const mqtt::Packet& packet) const override;
};

// A reported property changes its value.
class TwinReport final : public Exchange {
 public:
  std::string_view filter() const override;
  void append_request(std::string& out, std::string_view device, Slot slot) override;
  Slot slot_of(const mqtt::Packet& packet) const override;

 private:
  std::uint64_t value_ = 0;
};

// A desired property that a service has changed; the notification is the answer.
class DesiredNotification final : public Exchange {
 public:
  std::string_view filter() const override;
  void append_request(std::string& out, std::string_view device, Slot slot) override;
  Slot slot_of(const mqtt::Packet& packet) const override;
  bool repeats() const override { return false; }
};

// The times of the round trips that end while it counts.
class Stopwatch {
 public:
  bool counting = false;
  bool sending = false;  // answered slots are used again
  std::size_t under_way = 0;
  std::vector<double> times_us;

  void started() { ++under_way; }
  void ended(Nanoseconds since) {
    --under_way;
    if (counting) times_us.push_back(static_cast<double>((now() - since).count()) / 1000);
  }
};

class Device final : public ClientConnection {
 public:
  // Sends its CONNECT when TLS is up.
  Device(ClientLoop& loop, const ClientTls& tls, std::uint16_t port, std::string id, std::string connect_packet, Stopwatch& stopwatch);

  bool connected() const { return connected_; }
  bool subscribed() const { return subscribed_; }
  const std::string& id() const { return id_; }

  void subscribe(std::string_view filter);
  // From here on answers to `exchange` are awaited in these slots; the first requests leave now. It must live until end().
  void begin(Exchange& exchange, Slot depth);
  void end() { exchange_ = nullptr; }
  // Something was done elsewhere that the exchange's answer in this slot is to follow.
  void awaits(Slot slot);
  // Answers every direct method call with 200.
  void answer_methods() { answers_methods_ = true; }
  void leave();

 private:
  void on_secured() override { send(connect_packet_); }
  void on_data(std::string_view bytes) override;
  void handle(const mqtt::Packet& packet);
  void request(Slot slot);

  Stopwatch& stopwatch_;
  std::string id_;
  std::string connect_packet_;
  std::string out_;  // what this read of the socket gave reason to send
  mqtt::Decoder decoder_;
  Exchange* exchange_ = nullptr;
  bool connected_ = false;
  bool subscribed_ = false;
  bool answers_methods_ = false;
  std::array<Nanoseconds, kMaxDepth + 1> sent_{};
};

// A service on a kept HTTPS connection, with one request under way.
class ServiceCaller : public ClientConnection {
 public:
  ServiceCaller(ClientLoop& loop, const ClientTls& tls, std::uint16_t port, std::string token)
      : ClientConnection(loop, tls, port), token_(std::move(token)) {}

  bool ready() const { return ready_; }
  virtual void begin() = 0;

 protected:
  std::string request(std::string_view method, std::string_view path, std::string_view body) const;
  virtual void on_answer() = 0;

 private:
  void on_secured() override { ready_ = true; }
  void on_data(std::string_view bytes) override;

  const std::string token_;
  std::string answer_;
  bool ready_ = false;
};

// Calls one device's direct method over and over.
class MethodCaller final : public ServiceCaller {
 public:
  MethodCaller(ClientLoop& loop, const ClientTls& tls, std::uint16_t port, std::string_view device, std::string token, Stopwatch& stopwatch);
  void begin() override;

 private:
  void on_answer() override;

  Stopwatch& stopwatch_;
  std::string request_;
  Nanoseconds sent_{};
};

// Changes a desired property of its devices, one after the other, over and over.
class DesiredPatcher final : public ServiceCaller {
 public:
  DesiredPatcher(ClientLoop& loop, const ClientTls& tls, std::uint16_t port, std::vector<Device*> devices, std::string token, Stopwatch& stopwatch)
      : ServiceCaller(loop, tls, port, std::move(token)), devices_(std::move(devices)), stopwatch_(stopwatch) {}
  void begin() override;

 private:
  void on_answer() override;

  const std::vector<Device*> devices_;
  Stopwatch& stopwatch_;
  std::size_t next_ = 0;
  std::uint64_t value_ = 0;
};

// What a stretch of load measured.
struct Measured {
  double per_second = 0;
  double server_cpu_us = 0;    // per round trip
  double server_busy = 0;      // of one core
  double generator_busy = 0;
  double p50_us = 0;
  double p99_us = 0;
};

struct Stretch {
  std::chrono::milliseconds warm_up{300};
  std::chrono::milliseconds time{2000};
};

class Load {
 public:
  Load(RunningServer& server, const ClientTls& any_key, const ClientTls& rsa_key)
      : server_(server), any_key_(any_key), rsa_key_(rsa_key) {}

  struct Connects {
    double per_second = 0;
    double server_cpu_us = 0;
    double generator_busy = 0;
    double bytes_each = 0;  // of the server's memory; with stay_connected()
  };
  // Connects devices [0; count), `parallel` at a time, and keeps them.
  Result<Connects> stay_connected(std::size_t count, std::size_t parallel);
  // Connects `count` further devices with the server's RSA key; each leaves when it is connected.
  Result<Connects> come_and_go(std::size_t count, std::size_t parallel);

  // The first `devices` of those connected.
  Result<Measured> measure(Exchange& exchange, std::size_t devices, Slot depth, Stretch stretch);
  // One caller per device.
  Result<Measured> measure_methods(std::size_t devices, Stretch stretch);
  // All that are connected are notified, by so many callers.
  Result<Measured> measure_desired(std::size_t callers, Stretch stretch);

  void disconnect() { devices_.clear(); }

 private:
  std::unique_ptr<Device> make_device(std::size_t number, const ClientTls& tls, std::uint16_t port);
  Status subscribe(std::size_t devices, std::string_view filter);
  std::string service_token() const;
  Result<Measured> measure_callers(const std::vector<std::unique_ptr<ServiceCaller>>& callers, Stretch stretch);
  Result<Measured> measure_begun(Stretch stretch);

  RunningServer& server_;
  const ClientTls& any_key_;
  const ClientTls& rsa_key_;
  ClientLoop loop_;
  Stopwatch stopwatch_;
  std::vector<std::unique_ptr<Device>> devices_;
};

}  // namespace nearhub::bench
