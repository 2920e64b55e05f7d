// A data folder, the hub that runs on it again and again, and devices and a service that know the well-known keys.
//
// THREAD: the test's. Failures stop the test case.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "tests/support/http_client.h"
#include "tests/support/hub_process.h"
#include "tests/support/mqtt_client.h"

namespace nearhub::test {

class Site {
 public:
  // Without a path the folder is a fresh one, removed at the end.
  explicit Site(std::vector<std::string> flags = {}, std::string data = {});

  const std::string& data() const { return data_; }
  HubProcess& hub() { return *hub_; }
  // Also after the hub has ended, in whichever way.
  void start();
  // SIGTERM; the exit code.
  int stop();

  // As the owner, each on a connection of its own.
  HttpAnswer api(std::string_view method, std::string_view path, std::string_view body = {});
  // The head and body of such a request, to be sent as they are.
  std::string request(std::string_view method, std::string_view path, std::string_view body = {}) const;
  void create(std::string_view device);
  // Connected, with a clean session.
  std::unique_ptr<MqttClient> connect(std::string_view device);
  // The bodies of a device's events, in the order of the stream.
  std::vector<std::string> bodies(std::string_view device);

 private:
  std::string owner_token() const;

  const std::vector<std::string> flags_;
  const TemporaryFolder folder_;
  const std::string data_;
  const SystemClock clock_;
  std::unique_ptr<HubProcess> hub_;
};

// Of a JSON document: member of member of ...; the test ends when there is none.
std::int64_t number_at(const std::string& json, std::initializer_list<std::string_view> path);

}  // namespace nearhub::test
