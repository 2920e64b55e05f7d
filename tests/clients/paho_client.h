// A device on Eclipse Paho MQTT C++.
//
// THREAD: as DeviceClient.
#pragma once
#include <mqtt/async_client.h>

#include <string>
#include <vector>

#include "tests/clients/device_client.h"

namespace nearhub::test {

class PahoClient final : public DeviceClient, private ::mqtt::callback {
 public:
  explicit PahoClient(ClientSettings settings);
  ~PahoClient() override;

  Connected connect();
  int subscribe(const std::string& filter, int qos);
  void start_publish(const std::string& topic, const std::string& payload, int qos);
  void wait_published();
  void disconnect();

 private:
  void connected(const std::string& cause) override;
  void connection_lost(const std::string& cause) override;
  void message_arrived(::mqtt::const_message_ptr message) override;

  const ClientSettings settings_;
  ::mqtt::async_client client_;
  std::vector<::mqtt::delivery_token_ptr> publishing_;
};

}  // namespace nearhub::test
