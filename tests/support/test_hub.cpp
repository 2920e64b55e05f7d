#include "tests/support/test_hub.h"

#include <doctest/doctest.h>

#include <future>

#include "base/text.h"
#include "base/url.h"
#include "broker/data_folder.h"
#include "broker/well_known.h"

namespace nearhub::test {
namespace {

std::string resource_path(std::string_view identity) {
  const auto [device, module] = split_once(identity, '/');
  std::string path = "/devices/" + percent_encode(device);
  if (module) path += "/modules/" + percent_encode(*module);
  return path;
}

}  // namespace

TestHub::TestHub(const std::function<void(broker::Config&)>& adjust) {
  broker::Config config;
  config.in_memory = true;
  config.well_known_keys = true;
  config.test_clock = true;
  config.loops = 2;
  config.bind = {"127.0.0.1"};
  config.mqtts = {false, 0, false};
  config.https = {false, 0, false};
  config.limits.cloud_hold = std::chrono::milliseconds{0};
  if (adjust) adjust(config);
  auto server = broker::Server::create(std::move(config), clock_, random_);
  REQUIRE_MESSAGE(server.ok(), (server.ok() ? std::string() : server.error().detail));
  server_ = std::move(*server);
  std::promise<void> ready;
  thread_ = std::thread([this, &ready] { code_ = server_->run([&ready] { ready.set_value(); }); });
  ready.get_future().wait();
  auto ca = broker::read_file(server_->ca_file());
  REQUIRE(ca.ok());
  ca_pem_ = std::move(*ca);
  http_ = std::make_unique<HttpClient>(tls(), https());
}

TestHub::~TestHub() {
  if (thread_.joinable()) stop();
}

int TestHub::stop() {
  http_->disconnect();
  server_->stop();
  thread_.join();
  return code_;
}

TlsOptions TestHub::tls() const {
  TlsOptions options;
  options.ca_pem = ca_pem_;
  return options;
}

void TestHub::advance(std::chrono::milliseconds by) {
  http_->disconnect();
  server_->advance_clock(by);
}

HttpAnswer TestHub::api(std::string_view method, std::string_view path, std::string_view body, const HttpClient::Headers& headers) {
  HttpClient::Headers all = headers;
  const bool own_token = std::any_of(headers.begin(), headers.end(), [](const auto& header) { return header.first == "Authorization"; });
  if (!own_token) all.emplace_back("Authorization", owner_token());
  std::string target(path);
  if (path.find("api-version") == std::string_view::npos && !path.starts_with("/_nearhub")) {
    target += (path.find('?') == std::string_view::npos ? "?" : "&") + std::string("api-version=2021-04-12");
  }
  return http_->request(method, target, all, body);
}

void TestHub::create(std::string_view identity, std::string_view body) {
  const HttpAnswer answer = api("PUT", resource_path(identity), body);
  INFO("body: ", answer.body);
  REQUIRE(answer.status == 200);
}

std::string TestHub::policy_token(std::string_view name) const {
  const auth::PolicyTable::List policies = server_->hub().shared().policies.current();
  const auth::AccessPolicy* policy = auth::find_policy(*policies, name);
  REQUIRE(policy != nullptr);
  auto token = auth::make_sas_token("localhost", policy->primary_key, unix_seconds(clock_.now()) + 3600, name);
  REQUIRE(token.ok());
  return *token;
}

std::string TestHub::owner_token() const { return policy_token("iothubowner"); }

std::string TestHub::token(std::string_view identity, std::int64_t lifetime_s) const {
  const auto [device, module] = split_once(identity, '/');
  std::string resource = "localhost/devices/" + std::string(device);
  if (module) resource += "/modules/" + std::string(*module);
  auto made = auth::make_sas_token(resource, broker::kWellKnownPrimaryKey, unix_seconds(clock_.now()) + lifetime_s);
  REQUIRE(made.ok());
  return *made;
}

std::string TestHub::username(std::string_view identity) const { return "localhost/" + std::string(identity) + "/?api-version=2021-04-12"; }

std::unique_ptr<MqttClient> TestHub::open() { return std::make_unique<MqttClient>(tls(), mqtts()); }

std::unique_ptr<MqttClient> TestHub::connect(std::string_view identity, const ConnectOptions& options, bool* session_present) {
  auto client = open();
  const std::string user = username(identity) + options.username_suffix, password = options.password.empty() ? token(identity, options.token_lifetime_s) : options.password;
  mqtt::Connect packet;
  packet.clean_session = options.clean_session;
  packet.keep_alive_s = options.keep_alive_s;
  packet.client_id = identity;
  packet.will = options.will;
  packet.username = user;
  packet.password = password;
  const mqtt::Connack answer = client->connect(packet);
  REQUIRE(answer.return_code == 0);
  if (session_present != nullptr) *session_present = answer.session_present;
  return client;
}

std::vector<auth::Refusal> TestHub::refusals(std::string_view identity, std::size_t limit) const {
  return server_->hub().shared().refusals.recent(identity, limit);
}

void TestHub::wait_until(const std::function<bool()>& condition, std::string_view what) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    INFO("waiting for: ", what);
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    // A request that every loop answers: whatever they had to do before is done after it.
    api("GET", "/health");
  }
}

}  // namespace nearhub::test
