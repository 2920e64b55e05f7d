#include "tests/bench/load.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <variant>

#include "auth/sas_token.h"
#include "base/check.h"
#include "base/text.h"
#include "tests/bench/figures.h"
#include "wire/mqtt/encoder.h"

namespace nearhub::bench {
namespace {

constexpr std::string_view kTwinAnswers = "$iothub/twin/res/#";
constexpr std::string_view kDesiredNotifications = "$iothub/twin/PATCH/properties/desired/#";
constexpr std::string_view kMethodCalls = "$iothub/methods/POST/#";
constexpr std::uint16_t kKeepAliveSeconds = 240;
constexpr std::uint16_t kSubscribePacketId = 100;  // beyond the slots

// How long a server may settle before its memory is read.
constexpr std::chrono::milliseconds kSettleTime{500};

const std::string& payload() {
  static const std::string text = [] {
    std::string made = R"({"temperature":21.53,"humidity":48.2,"battery_mv":3712,"note":")";
    made.resize(98, 'x');
    return made.append(R"("})");
  }();
  return text;
}

std::int64_t token_expiry() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since_1970).count() + 24 * 3600;
}

// The number behind "$rid=" in the topic of an answer with this prefix; 0 when it is another packet.
Slot answered_request(const mqtt::Packet& packet, std::string_view prefix) {
  const auto* publish = std::get_if<mqtt::Publish>(&packet);
  if (publish == nullptr || !publish->topic.starts_with(prefix)) return 0;
  const std::string_view rest = publish->topic.substr(prefix.size());
  return static_cast<Slot>(parse_decimal(rest.substr(0, rest.find('&'))).value_or(0));
}

double per_second(std::size_t count, Nanoseconds time) { return static_cast<double>(count) * 1e9 / static_cast<double>(time.count()); }
double share(Nanoseconds part, Nanoseconds whole) { return static_cast<double>(part.count()) / static_cast<double>(whole.count()); }
double us_each(Nanoseconds time, std::size_t count) {
  return count == 0 ? 0 : static_cast<double>(time.count()) / 1000 / static_cast<double>(count);
}

}  // namespace

// --- Exchanges ------------------------------------------------------------------------------------------------------

void Telemetry::append_request(std::string& out, std::string_view device, Slot slot) {
  topic_.assign("devices/").append(device).append("/messages/events/");
  mqtt::encode(out, mqtt::Publish{.topic = topic_, .payload = payload(), .qos = 1, .packet_id = slot});
}

Slot Telemetry::slot_of(const mqtt::Packet& packet) const {
  const auto* puback = std::get_if<mqtt::Puback>(&packet);
  return puback != nullptr ? puback->packet_id : Slot{0};
}

std::string_view TwinGet::filter() const { return kTwinAnswers; }

void TwinGet::append_request(std::string& out, std::string_view /*device*/, Slot slot) {
  mqtt::encode(out, mqtt::Publish{.topic = fmt::format("$iothub/twin/GET/?$rid={}", slot), .payload = {}});
}

Slot TwinGet::slot_of(const mqtt::Packet& packet) const { return answered_request(packet, "$iothub/twin/res/200/?$rid="); }

std::string_view TwinReport::filter() const { return kTwinAnswers; }

void TwinReport::append_request(std::string& out, std::string_view /*device*/, Slot slot) {
  const std::string topic = fmt::format("$iothub/twin/PATCH/properties/reported/?$rid={}", slot);
  mqtt::encode(out, mqtt::Publish{.topic = topic, .payload = fmt::format(R"({{"firmware":{{"progress":{}}}}})", ++value_)});
}

Slot TwinReport::slot_of(const mqtt::Packet& packet) const { return answered_request(packet, "$iothub/twin/res/204/?$rid="); }

std::string_view DesiredNotification::filter() const { return kDesiredNotifications; }

void DesiredNotification::append_request(std::string& /*out*/, std::string_view /*device*/, Slot /*slot*/) {}

Slot DesiredNotification::slot_of(const mqtt::Packet& packet) const {
  const auto* publish = std::get_if<mqtt::Publish>(&packet);
  return publish != nullptr && publish->topic.starts_with("$iothub/twin/PATCH/properties/desired/") ? Slot{1} : Slot{0};
}

// --- Clients --------------------------------------------------------------------------------------------------------

Device::Device(ClientLoop& loop, const ClientTls& tls, std::uint16_t port, std::string id, std::string connect_packet, Stopwatch& stopwatch)
    : ClientConnection(loop, tls, port),
      stopwatch_(stopwatch),
      id_(std::move(id)),
      connect_packet_(std::move(connect_packet)),
      decoder_(1024 * 1024) {}

void Device::subscribe(std::string_view filter) {
  subscribed_ = false;
  std::string packet;
  mqtt::encode_subscribe(packet, kSubscribePacketId, {{filter, 0}});
  send(packet);
}

void Device::begin(Exchange& exchange, Slot depth) {
  NEARHUB_CHECK(depth <= kMaxDepth);
  exchange_ = &exchange;
  for (Slot slot = 1; slot <= depth; ++slot) request(slot);
  send(out_);
  out_.clear();
}

void Device::request(Slot slot) {
  exchange_->append_request(out_, id_, slot);
  sent_[slot] = now();
  stopwatch_.started();
}

void Device::awaits(Slot slot) {
  sent_[slot] = now();
  stopwatch_.started();
}

void Device::leave() {
  std::string packet;
  mqtt::encode(packet, mqtt::Disconnect{});
  send(packet);
  close();
}

void Device::on_data(std::string_view bytes) {
  decoder_.feed(bytes);
  mqtt::Packet packet;
  mqtt::Decoder::Outcome outcome;
  while ((outcome = decoder_.next(packet)) == mqtt::Decoder::kPacket) handle(packet);
  decoder_.keep();
  if (outcome == mqtt::Decoder::kError) return fail("the server sent no MQTT: " + decoder_.error());
  if (out_.empty()) return;
  send(out_);
  out_.clear();
}

void Device::handle(const mqtt::Packet& packet) {
  if (const auto* connack = std::get_if<mqtt::Connack>(&packet)) {
    if (connack->return_code != 0) return fail(fmt::format("CONNACK {}", connack->return_code));
    connected_ = true;
    return;
  }
  if (std::holds_alternative<mqtt::Suback>(packet)) {
    subscribed_ = true;
    return;
  }
  if (exchange_ != nullptr) {
    if (const Slot slot = exchange_->slot_of(packet); slot >= 1 && slot <= kMaxDepth) {
      stopwatch_.ended(sent_[slot]);
      if (stopwatch_.sending && exchange_->repeats()) request(slot);
      return;
    }
  }
  const auto* publish = std::get_if<mqtt::Publish>(&packet);
  const std::size_t rid = publish != nullptr && answers_methods_ ? publish->topic.find("/?$rid=") : std::string_view::npos;
  if (rid == std::string_view::npos) {
    return fail(fmt::format("an unexpected {} {}", mqtt::packet_name(packet), publish != nullptr ? printable(publish->topic) + " " + printable(publish->payload) : std::string()));
  }
  const std::string topic = fmt::format("$iothub/methods/res/200{}", publish->topic.substr(rid));
  mqtt::encode(out_, mqtt::Publish{.topic = topic, .payload = R"({"done":true})"});
}

std::string ServiceCaller::request(std::string_view method, std::string_view path, std::string_view body) const {
  return fmt::format(
      "{} {}?api-version=2021-04-12 HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      method, path, token_, body.size(), body);
}

void ServiceCaller::on_data(std::string_view bytes) {
  answer_ += bytes;
  constexpr std::string_view kLength = "Content-Length: ";
  const std::size_t head = answer_.find("\r\n\r\n"), length = answer_.find(kLength);
  if (head == std::string::npos) return;
  if (!answer_.starts_with("HTTP/1.1 200") || length > head) return fail("a request failed: " + printable(answer_));
  const std::string_view digits = std::string_view(answer_).substr(length + kLength.size());
  const auto body = parse_decimal(digits.substr(0, digits.find('\r')));
  if (!body) return fail("an answer has no length");
  if (answer_.size() < head + 4 + *body) return;
  answer_.clear();
  on_answer();
}

MethodCaller::MethodCaller(ClientLoop& loop, const ClientTls& tls, std::uint16_t port, std::string_view device, std::string token, Stopwatch& stopwatch)
    : ServiceCaller(loop, tls, port, std::move(token)), stopwatch_(stopwatch) {
  request_ = request("POST", fmt::format("/twins/{}/methods", device), R"({"methodName":"reboot","responseTimeoutInSeconds":30,"payload":{"delay":5}})");
}

void MethodCaller::begin() {
  sent_ = now();
  stopwatch_.started();
  send(request_);
}

void MethodCaller::on_answer() {
  stopwatch_.ended(sent_);
  if (stopwatch_.sending) begin();
}

void DesiredPatcher::begin() {
  Device& device = *devices_[next_];
  next_ = (next_ + 1) % devices_.size();
  device.awaits(1);
  send(request("PATCH", "/twins/" + device.id(), fmt::format(R"({{"properties":{{"desired":{{"interval":{}}}}}}})", ++value_)));
}

void DesiredPatcher::on_answer() {
  if (stopwatch_.sending) begin();
}

// --- Load -----------------------------------------------------------------------------------------------------------

std::unique_ptr<Device> Load::make_device(std::size_t number, const ClientTls& tls, std::uint16_t port) {
  const std::string id = device_id(number);
  const std::string user = fmt::format("localhost/{}/?api-version=2021-04-12", id);
  const std::string token = auth::make_sas_token("localhost/devices/" + id, kDeviceKey, token_expiry()).value();
  std::string packet;
  mqtt::Connect connect;
  connect.keep_alive_s = kKeepAliveSeconds;
  connect.client_id = id;
  connect.username = user;
  connect.password = token;
  mqtt::encode(packet, connect);
  return std::make_unique<Device>(loop_, tls, port, id, std::move(packet), stopwatch_);
}

Result<Load::Connects> Load::stay_connected(std::size_t count, std::size_t parallel) {
  if (Status settled = loop_.run_for(kSettleTime); !settled.ok()) return settled.error();
  const std::size_t memory = server_.process.resident_bytes();
  const Nanoseconds begin = now(), server = server_.process.cpu_time(), generator = thread_cpu_time();
  std::size_t connected = 0;  // the oldest ones, without a gap
  const auto step = [&] {
    while (connected < devices_.size() && devices_[connected]->connected()) ++connected;
    while (devices_.size() < count && devices_.size() - connected < parallel) {
      devices_.push_back(make_device(devices_.size(), any_key_, server_.mqtts));
    }
    return connected == count;
  };
  if (Status all = loop_.run_until(step); !all.ok()) return all.error();
  Connects connects;
  const Nanoseconds time = now() - begin;
  connects.per_second = per_second(count, time);
  connects.generator_busy = share(thread_cpu_time() - generator, time);
  if (Status settled = loop_.run_for(kSettleTime); !settled.ok()) return settled.error();
  connects.server_cpu_us = us_each(server_.process.cpu_time() - server, count);
  const auto grown = static_cast<double>(server_.process.resident_bytes()) - static_cast<double>(memory);
  connects.bytes_each = grown / static_cast<double>(count);
  return connects;
}

Result<Load::Connects> Load::come_and_go(std::size_t count, std::size_t parallel) {
  const std::size_t first = devices_.size();
  const Nanoseconds begin = now(), server = server_.process.cpu_time(), generator = thread_cpu_time();
  std::vector<std::unique_ptr<Device>> under_way;
  std::size_t begun = 0, done = 0;
  const auto step = [&] {
    for (std::size_t i = 0; i < under_way.size();) {
      if (!under_way[i]->connected()) {
        ++i;
        continue;
      }
      under_way[i]->leave();
      std::swap(under_way[i], under_way.back());
      under_way.pop_back();
      ++done;
    }
    while (begun < count && under_way.size() < parallel) {
      under_way.push_back(make_device(first + begun++, rsa_key_, server_.mqtts_rsa));
    }
    return done == count;
  };
  if (Status all = loop_.run_until(step); !all.ok()) return all.error();
  const Nanoseconds time = now() - begin;
  Connects connects;
  connects.per_second = per_second(count, time);
  connects.server_cpu_us = us_each(server_.process.cpu_time() - server, count);
  connects.generator_busy = share(thread_cpu_time() - generator, time);
  return connects;
}

Status Load::subscribe(std::size_t devices, std::string_view filter) {
  for (std::size_t i = 0; i < devices; ++i) devices_[i]->subscribe(filter);
  return loop_.run_until([&] {
    return std::all_of(devices_.begin(), devices_.begin() + static_cast<std::ptrdiff_t>(devices),
                       [](const auto& device) { return device->subscribed(); });
  });
}

Result<Measured> Load::measure(Exchange& exchange, std::size_t devices, Slot depth, Stretch stretch) {
  devices = std::min(devices, devices_.size());
  if (!exchange.filter().empty()) {
    if (Status subscribed = subscribe(devices, exchange.filter()); !subscribed.ok()) return subscribed.error();
  }
  stopwatch_.sending = true;
  for (std::size_t i = 0; i < devices; ++i) devices_[i]->begin(exchange, depth);
  auto measured = measure_begun(stretch);
  for (std::size_t i = 0; i < devices; ++i) devices_[i]->end();
  return measured;
}

std::string Load::service_token() const { return auth::make_sas_token("localhost", server_.service_key, token_expiry(), "iothubowner").value(); }

Result<Measured> Load::measure_methods(std::size_t devices, Stretch stretch) {
  devices = std::min(devices, devices_.size());
  if (Status subscribed = subscribe(devices, kMethodCalls); !subscribed.ok()) return subscribed.error();
  const std::string token = service_token();
  std::vector<std::unique_ptr<ServiceCaller>> callers;
  for (std::size_t i = 0; i < devices; ++i) {
    devices_[i]->answer_methods();
    callers.push_back(std::make_unique<MethodCaller>(loop_, any_key_, server_.https, devices_[i]->id(), token, stopwatch_));
  }
  return measure_callers(callers, stretch);
}

Result<Measured> Load::measure_desired(std::size_t count, Stretch stretch) {
  DesiredNotification notification;
  if (Status subscribed = subscribe(devices_.size(), notification.filter()); !subscribed.ok()) return subscribed.error();
  for (auto& device : devices_) device->begin(notification, 0);
  const std::string token = service_token();
  std::vector<std::unique_ptr<ServiceCaller>> callers;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<Device*> devices;
    for (std::size_t j = i; j < devices_.size(); j += count) devices.push_back(devices_[j].get());
    if (!devices.empty()) callers.push_back(std::make_unique<DesiredPatcher>(loop_, any_key_, server_.https, std::move(devices), token, stopwatch_));
  }
  auto measured = measure_callers(callers, stretch);
  for (auto& device : devices_) device->end();
  return measured;
}

Result<Measured> Load::measure_callers(const std::vector<std::unique_ptr<ServiceCaller>>& callers, Stretch stretch) {
  const auto ready = [&] { return std::all_of(callers.begin(), callers.end(), [](const auto& caller) { return caller->ready(); }); };
  if (Status all = loop_.run_until(ready); !all.ok()) return all.error();
  stopwatch_.sending = true;
  for (const auto& caller : callers) caller->begin();
  return measure_begun(stretch);
}

Result<Measured> Load::measure_begun(Stretch stretch) {
  stopwatch_.times_us.clear();
  if (Status warm = loop_.run_for(stretch.warm_up); !warm.ok()) return warm.error();
  const Nanoseconds begin = now(), server = server_.process.cpu_time(), generator = thread_cpu_time();
  stopwatch_.counting = true;
  Status ran = loop_.run_for(stretch.time);
  // On a slow machine a short stretch may see no answer at all; it goes on until there is one.
  if (ran.ok()) ran = loop_.run_until([this] { return !stopwatch_.times_us.empty(); });
  stopwatch_.counting = false;
  if (!ran.ok()) return ran.error();
  const Nanoseconds time = now() - begin, server_time = server_.process.cpu_time() - server;
  Measured measured;
  std::vector<double>& times = stopwatch_.times_us;
  measured.per_second = per_second(times.size(), time);
  measured.server_cpu_us = us_each(server_time, times.size());
  measured.server_busy = share(server_time, time);
  measured.generator_busy = share(thread_cpu_time() - generator, time);
  measured.p50_us = quantile(times, 0.5);
  measured.p99_us = quantile(times, 0.99);
  stopwatch_.sending = false;
  if (Status quiet = loop_.run_until([this] { return stopwatch_.under_way == 0; }); !quiet.ok()) return quiet.error();
  return measured;
}

}  // namespace nearhub::bench
