// A whole hub in this process, in memory, on free loopback ports, with the well-known keys, two loops and a clock that the test moves.
//
// THREAD: the test's; the hub runs on threads of its own.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "auth/refusal.h"
#include "broker/server.h"
#include "tests/support/http_client.h"
#include "tests/support/mqtt_client.h"

namespace nearhub::test {

class TestHub {
 public:
  explicit TestHub(const std::function<void(broker::Config&)>& adjust = {});
  ~TestHub();

  broker::Server& server() { return *server_; }
  SystemClock& clock() { return clock_; }
  // The connection of `api` does not outlive it: the hub may close one that idles.
  void advance(std::chrono::milliseconds by);
  std::uint16_t mqtts() const { return server_->mqtts_port(); }
  std::uint16_t https() const { return server_->https_port(); }
  TlsOptions tls() const;
  // Stops gracefully; gives run()'s code.
  int stop();

  // Through the HTTPS API, as the owner. `body` is merged as it is: {"deviceId":...} is enough.
  void create(std::string_view identity, std::string_view body = "{}");  // "d1" or "d1/m1"
  HttpAnswer api(std::string_view method, std::string_view path, std::string_view body = {}, const HttpClient::Headers& headers = {});
  std::string owner_token() const;
  std::string policy_token(std::string_view policy) const;

  // A token of the well-known primary key for "d1" or "d1/m1".
  std::string token(std::string_view identity, std::int64_t lifetime_s = 3600) const;
  std::string username(std::string_view identity) const;

  // A client that is connected: CONNACK 0 came.
  struct ConnectOptions {
    bool clean_session = true;
    std::uint16_t keep_alive_s = 60;
    std::int64_t token_lifetime_s = 3600;
    std::optional<mqtt::Will> will;
    std::string username_suffix;  // behind the api-version
    std::string password;         // empty: a token of the identity's own key
  };
  std::unique_ptr<MqttClient> connect(std::string_view identity) { return connect(identity, ConnectOptions()); }
  std::unique_ptr<MqttClient> connect(std::string_view identity, const ConnectOptions& options, bool* session_present = nullptr);
  // TLS is up, nothing sent yet.
  std::unique_ptr<MqttClient> open();

  std::vector<auth::Refusal> refusals(std::string_view identity = {}, std::size_t limit = 20) const;
  // Waits (with a deadline) until the condition holds, on news from the hub and not on a clock.
  void wait_until(const std::function<bool()>& condition, std::string_view what);

 private:
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<broker::Server> server_;
  std::thread thread_;
  int code_ = -1;
  std::string ca_pem_;
  std::unique_ptr<HttpClient> http_;
};

}  // namespace nearhub::test
