// A device on libmosquitto.
//
// THREAD: as DeviceClient.
#pragma once
#include <map>
#include <set>
#include <string>

#include "tests/clients/device_client.h"

struct mosquitto;

namespace nearhub::test {

class MosquittoClient final : public DeviceClient {
 public:
  explicit MosquittoClient(ClientSettings settings);
  ~MosquittoClient();
  MosquittoClient(const MosquittoClient&) = delete;
  MosquittoClient& operator=(const MosquittoClient&) = delete;

  Connected connect();
  int subscribe(const std::string& filter, int qos);
  void start_publish(const std::string& topic, const std::string& payload, int qos);
  void wait_published();
  void disconnect();

 private:
  struct Callbacks;
  void end_loop();

  const ClientSettings settings_;
  mosquitto* client_;
  bool looping_ = false;
  std::set<int> publishing_;  // message ids
  // Under change() and wait().
  std::optional<Connected> answer_;
  std::map<int, int> granted_;  // message id -> QoS
  std::set<int> published_;
  bool disconnected_ = false;
};

}  // namespace nearhub::test
