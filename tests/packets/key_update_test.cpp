// A peer that makes TLS itself talk: before its CONNECT, so that nobody knows yet who it is.
#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include "tests/packets/wire.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

// A TLS 1.3 client whose system has little room for what the hub sends, and which never reads it.
class DeafClient {
 public:
  explicit DeafClient(std::uint16_t port) : context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_)), socket_(connect_plain(port, 2048)) {
    SSL_set_fd(ssl_, socket_);
    REQUIRE(SSL_connect(ssl_) == 1);
  }
  ~DeafClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    ::close(socket_);
  }
  DeafClient(const DeafClient&) = delete;
  DeafClient& operator=(const DeafClient&) = delete;

  // False when the hub has dropped the connection.
  bool ask_for_key_update() { return SSL_key_update(ssl_, SSL_KEY_UPDATE_REQUESTED) == 1 && SSL_do_handshake(ssl_) == 1; }

 private:
  SSL_CTX* context_;
  SSL* ssl_;
  int socket_;
};

}  // namespace

TEST_SUITE("packets") {
  TEST_CASE("bounds: a peer that asks for key updates and reads none of the answers is dropped, and the hub goes on") {
    // It says nothing but key updates, which takes a slow machine longer than a client has for its CONNECT.
    TestHub hub([](broker::Config& config) { config.mqtt.connect_time = std::chrono::hours{1}; });
    hub.create("d1");
    DeafClient deaf(hub.mqtts());
    int asked = 0;
    // The system's own buffers take some megabytes of answers.
    while (asked < 1'000'000 && deaf.ask_for_key_update()) ++asked;
    CHECK(asked < 1'000'000);
    hub.wait_until([&] { return !hub.refusals().empty(); }, "the refusal");
    CHECK(last_refusal(hub, "") ==
          "TLS | connection closed | TLS | expected a peer that keeps to TLS; received the peer asks for key updates and does not read the answers");
    hub.connect("d1")->expect_silence();
  }
}
