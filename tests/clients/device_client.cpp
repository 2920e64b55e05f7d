#include "tests/clients/device_client.h"

#include <doctest/doctest.h>

#include <utility>

namespace nearhub::test {

ClientSettings settings_of(TestHub& hub, std::string_view identity) {
  ClientSettings settings;
  settings.client_id = identity;
  settings.username = hub.username(identity);
  settings.password = hub.token(identity);
  settings.ca_file = hub.server().ca_file();
  settings.port = hub.mqtts();
  return settings;
}

ClientMessage DeviceClient::next() {
  ClientMessage message;
  wait([&] { return !messages_.empty(); }, "a message");
  change([&] {
    message = std::move(messages_.front());
    messages_.pop_front();
  });
  return message;
}

void DeviceClient::wait_lost() {
  wait([&] { return lost_; }, "the loss of the connection");
}

void DeviceClient::wait_connected(int times) {
  wait([&] { return connected_ >= times; }, "a connection");
}

void DeviceClient::on_connected() {
  change([&] { ++connected_; });
}

void DeviceClient::on_lost() {
  change([&] { lost_ = true; });
}

void DeviceClient::on_message(ClientMessage message) {
  change([&] { messages_.push_back(std::move(message)); });
}

void DeviceClient::change(const std::function<void()>& task) {
  const std::lock_guard lock(mutex_);
  task();
  changed_.notify_all();
}

void DeviceClient::wait(const std::function<bool()>& condition, std::string_view what) {
  INFO("waiting for: ", what);
  std::unique_lock lock(mutex_);
  REQUIRE(changed_.wait_for(lock, kPatience, condition));
}

}  // namespace nearhub::test
