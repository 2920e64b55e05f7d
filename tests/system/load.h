// Work for a hub that is about to end: much is under way at once, and what was acknowledged is counted, not timed.
//
//   TelemetryLoad load(site, 4);
//   load.begin(200);            each of four devices sends 200 messages without waiting
//   load.await(90);             until 90 of the 800 are acknowledged
//   (the hub ends)
//   load.read_to_end();         what had been acknowledged before
//   site.start();
//   load.check();               all that was acknowledged is there
//
// begin() may follow check(): each round goes on where the last one ended.
//
// THREAD: the test's. Failures stop the test case.
#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/system/site.h"

namespace nearhub::test {

// Telemetry with QoS 1; a message's body is its number.
class TelemetryLoad {
 public:
  TelemetryLoad(Site& site, std::size_t devices);
  // Each device connects, sends again what was not acknowledged, with DUP, and then so many new ones.
  void begin(int messages);
  void await(std::size_t acknowledgements);
  void read_to_end();
  // Acknowledged: in the stream, and not more often than it was sent. In order.
  void check();
  // And the other way round: what is in the stream was acknowledged, once each. True when nothing was sent twice.
  void check_nothing_else();

 private:
  struct Device {
    std::string id;
    std::unique_ptr<MqttClient> client;
    int next = 0;
    std::map<int, int> sent;             // number -> how often
    std::set<int> acknowledged;
    std::map<std::uint16_t, int> under_way;  // packet id -> number
  };
  bool read_one(Device& device);

  Site& site_;
  std::vector<Device> devices_;
};

// Reported properties, one patch after the other without waiting: {"n":1}, {"n":2}, ...
class ReportLoad {
 public:
  ReportLoad(Site& site, std::size_t devices);
  void begin(int patches);
  void await(std::size_t answers);
  void read_to_end();
  // The twin holds the last patch that was answered 204, or a later one, and each patch up to there was applied once.
  void check();

 private:
  struct Device {
    std::string id;
    std::unique_ptr<MqttClient> client;
    int sent = 0;
    int answered = 0;
  };
  bool read_one(Device& device);

  Site& site_;
  std::vector<Device> devices_;
};

// Requests of one service, one behind the other on one connection.
class RequestLoad {
 public:
  explicit RequestLoad(Site& site) : site_(site) {}
  void begin(const std::vector<std::string>& requests);
  void await(std::size_t answers);
  void read_to_end();
  // In the order of the requests; those without an answer are missing at the end.
  const std::vector<int>& statuses() const { return statuses_; }
  const std::vector<std::string>& bodies() const { return bodies_; }

 private:
  bool read_one();

  Site& site_;
  std::unique_ptr<TlsClient> connection_;
  std::string bytes_;
  std::vector<int> statuses_;
  std::vector<std::string> bodies_;
};

}  // namespace nearhub::test
