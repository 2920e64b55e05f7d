#include "tests/system/load.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "base/text.h"

namespace nearhub::test {
namespace {

std::string device_name(std::size_t index) { return "d" + std::to_string(index); }

// One of each device in turn, as long as there are any.
template <typename Devices, typename ReadOne>
void read_in_turn(Devices& devices, std::size_t count, ReadOne read_one) {
  std::size_t read = 0;
  while (read < count) {
    const std::size_t before = read;
    for (auto& device : devices) {
      if (read < count && read_one(device)) ++read;
    }
    REQUIRE(read > before);
  }
}

}  // namespace

// --- Telemetry

TelemetryLoad::TelemetryLoad(Site& site, std::size_t devices) : site_(site), devices_(devices) {
  for (std::size_t i = 0; i < devices; ++i) {
    devices_[i].id = device_name(i);
    site_.create(devices_[i].id);
  }
}

void TelemetryLoad::begin(int messages) {
  for (Device& device : devices_) {
    device.client = site_.connect(device.id);
    device.under_way.clear();
    std::string bytes;
    std::uint16_t packet_id = 0;
    const auto send = [&](int number) {
      const std::string topic = "devices/" + device.id + "/messages/events/", body = std::to_string(number);
      mqtt::Publish packet;
      packet.topic = topic;
      packet.qos = 1;
      packet.dup = ++device.sent[number] > 1;
      packet.packet_id = ++packet_id;
      packet.payload = body;
      mqtt::encode(bytes, packet);
      device.under_way[packet_id] = number;
    };
    for (int number = 0; number < device.next; ++number) {
      if (device.acknowledged.count(number) == 0) send(number);
    }
    for (int i = 0; i < messages; ++i) send(device.next++);
    device.client->send_raw(bytes);
  }
}

bool TelemetryLoad::read_one(Device& device) {
  if (device.under_way.empty()) return false;
  const auto received = device.client->next();
  if (received == nullptr) return false;
  const auto* answer = std::get_if<mqtt::Puback>(&received->packet);
  REQUIRE(answer != nullptr);
  const auto message = device.under_way.find(answer->packet_id);
  REQUIRE(message != device.under_way.end());
  device.acknowledged.insert(message->second);
  device.under_way.erase(message);
  return true;
}

void TelemetryLoad::await(std::size_t acknowledgements) {
  read_in_turn(devices_, acknowledgements, [this](Device& device) { return read_one(device); });
}

void TelemetryLoad::read_to_end() {
  for (Device& device : devices_) {
    while (read_one(device)) {
    }
    device.client.reset();
  }
}

void TelemetryLoad::check() {
  for (const Device& device : devices_) {
    CAPTURE(device.id);
    std::map<int, int> stored;
    int latest = -1;
    for (const std::string& body : site_.bodies(device.id)) {
      const int number = std::atoi(body.c_str());
      if (++stored[number] > 1) continue;
      CHECK(number > latest);
      latest = number;
    }
    for (const int number : device.acknowledged) CHECK(stored.count(number) == 1);
    for (const auto& [number, times] : stored) CHECK(times <= device.sent.at(number));
  }
}

void TelemetryLoad::check_nothing_else() {
  for (const Device& device : devices_) {
    CAPTURE(device.id);
    const auto bodies = site_.bodies(device.id);
    CHECK(bodies.size() == device.acknowledged.size());
    for (const std::string& body : bodies) CHECK(device.acknowledged.count(std::atoi(body.c_str())) == 1);
  }
}

// --- Reports

ReportLoad::ReportLoad(Site& site, std::size_t devices) : site_(site), devices_(devices) {
  for (std::size_t i = 0; i < devices; ++i) {
    devices_[i].id = device_name(i);
    site_.create(devices_[i].id);
  }
}

void ReportLoad::begin(int patches) {
  for (Device& device : devices_) {
    device.client = site_.connect(device.id);
    device.client->subscribe(1, {{"$iothub/twin/res/#", 0}});
    device.client->expect<mqtt::Suback>();
    std::string bytes;
    for (int i = 0; i < patches; ++i) {
      const std::string number = std::to_string(++device.sent);
      const std::string topic = "$iothub/twin/PATCH/properties/reported/?$rid=" + number, body = "{\"n\":" + number + "}";
      mqtt::Publish packet;
      packet.topic = topic;
      packet.payload = body;
      mqtt::encode(bytes, packet);
    }
    device.client->send_raw(bytes);
  }
}

bool ReportLoad::read_one(Device& device) {
  if (device.answered == device.sent) return false;
  const auto received = device.client->next();
  if (received == nullptr) return false;
  const auto* answer = std::get_if<mqtt::Publish>(&received->packet);
  REQUIRE(answer != nullptr);
  const int number = ++device.answered;
  REQUIRE(answer->topic == "$iothub/twin/res/204/?$rid=" + std::to_string(number) + "&$version=" + std::to_string(number + 1));
  return true;
}

void ReportLoad::await(std::size_t answers) {
  read_in_turn(devices_, answers, [this](Device& device) { return read_one(device); });
}

void ReportLoad::read_to_end() {
  for (Device& device : devices_) {
    while (read_one(device)) {
    }
    device.client.reset();
  }
}

void ReportLoad::check() {
  for (Device& device : devices_) {
    CAPTURE(device.id);
    const std::string twin = site_.api("GET", "/twins/" + device.id).body;
    const std::int64_t version = number_at(twin, {"properties", "reported", "$version"});
    CHECK(version >= device.answered + 1);
    CHECK(version <= device.sent + 1);
    if (version > 1) CHECK(number_at(twin, {"properties", "reported", "n"}) == version - 1);
    // Those behind it are lost: the device goes on from what the twin says.
    device.sent = device.answered = static_cast<int>(version - 1);
  }
}

// --- Requests

void RequestLoad::begin(const std::vector<std::string>& requests) {
  connection_ = std::make_unique<TlsClient>(site_.hub().tls(), site_.hub().https());
  REQUIRE(connection_->error() == "");
  bytes_.clear();
  statuses_.clear();
  bodies_.clear();
  std::string bytes;
  for (const std::string& request : requests) bytes += request;
  connection_->send(bytes);
}

bool RequestLoad::read_one() {
  for (;;) {
    if (const std::size_t end = bytes_.find("\r\n\r\n"); end != std::string::npos) {
      const std::string_view head = std::string_view(bytes_).substr(0, end);
      const std::size_t length_at = head.find("Content-Length: ");
      const std::size_t length = length_at == std::string_view::npos ? 0 : std::strtoul(std::string(head.substr(length_at + 16)).c_str(), nullptr, 10);
      if (bytes_.size() >= end + 4 + length) {
        statuses_.push_back(std::atoi(std::string(head.substr(9, 3)).c_str()));
        bodies_.push_back(bytes_.substr(end + 4, length));
        bytes_.erase(0, end + 4 + length);
        return true;
      }
    }
    const std::string more = connection_->receive();
    if (more.empty()) return false;
    bytes_ += more;
  }
}

void RequestLoad::await(std::size_t answers) {
  while (statuses_.size() < answers) REQUIRE(read_one());
}

void RequestLoad::read_to_end() {
  while (read_one()) {
  }
}

}  // namespace nearhub::test
