#include "tests/system/site.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <utility>

#include "auth/sas_token.h"
#include "base/json.h"
#include "broker/well_known.h"
#include "tests/packets/wire.h"

namespace nearhub::test {

Site::Site(std::vector<std::string> flags, std::string data) : flags_(std::move(flags)), data_(data.empty() ? folder_.file("data") : std::move(data)) { start(); }

void Site::start() {
  std::vector<std::string> flags = {"--data", data(), "--loops", "2"};
  flags.insert(flags.end(), flags_.begin(), flags_.end());
  hub_.reset();
  hub_ = std::make_unique<HubProcess>(std::move(flags));
}

int Site::stop() {
  hub_->send_signal(SIGTERM);
  return hub_->wait();
}

std::string Site::owner_token() const {
  const auto policies = broker::well_known_policies();
  auto token = auth::make_sas_token("localhost", auth::find_policy(policies, "iothubowner")->primary_key, unix_seconds(clock_.now()) + 3600, "iothubowner");
  REQUIRE(token.ok());
  return *token;
}

std::string Site::request(std::string_view method, std::string_view path, std::string_view body) const {
  return std::string(method) + " " + std::string(path) + "?api-version=2021-04-12 HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + owner_token() +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

HttpAnswer Site::api(std::string_view method, std::string_view path, std::string_view body) {
  HttpClient client(hub_->tls(), hub_->https());
  client.send_raw(request(method, path, body));
  return client.read_answer();
}

void Site::create(std::string_view device) { REQUIRE(api("PUT", "/devices/" + std::string(device), "{}").status == 200); }

std::unique_ptr<MqttClient> Site::connect(std::string_view device) {
  auto client = std::make_unique<MqttClient>(hub_->tls(), hub_->mqtts());
  auto token = auth::make_sas_token("localhost/devices/" + std::string(device), broker::kWellKnownPrimaryKey, unix_seconds(clock_.now()) + 3600);
  REQUIRE(token.ok());
  const std::string username = "localhost/" + std::string(device) + "/?api-version=2021-04-12";
  mqtt::Connect packet;
  packet.clean_session = true;
  packet.keep_alive_s = 60;
  packet.client_id = device;
  packet.username = username;
  packet.password = *token;
  REQUIRE(client->connect(packet).return_code == 0);
  return client;
}

std::vector<std::string> Site::bodies(std::string_view device) {
  std::vector<std::string> bodies;
  for (const std::string& event : events_of(hub_->tls(), hub_->https(), owner_token(), "&device=" + std::string(device))) {
    const auto parsed = parse_json(event);
    REQUIRE(parsed.ok());
    bodies.emplace_back(string_of(*find_member(*parsed, "body")));
  }
  return bodies;
}

std::int64_t number_at(const std::string& json, std::initializer_list<std::string_view> path) {
  const auto parsed = parse_json(json);
  REQUIRE(parsed.ok());
  const JsonValue* at = &*parsed;
  for (const std::string_view name : path) {
    at = find_member(*at, name);
    INFO("no ", name, " in ", json);
    REQUIRE(at != nullptr);
  }
  return at->GetInt64();
}

}  // namespace nearhub::test
