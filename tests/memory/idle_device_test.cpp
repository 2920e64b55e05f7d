// What an idle connected device costs: TLS, MQTT session, identity and twin. docs/benchmarks.md has the figure as resident memory.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/memory/counted_heap.h"
#include "tests/support/certificate_maker.h"
#include "tests/support/test_hub.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

// The target is 18 KB of resident memory; the allocator's own share comes on top of what is counted here.
constexpr std::int64_t kMaxBytes = 17 * 1000;
constexpr int kDevices = 32;

// Certificates of a device that comes in by a thumbprint: its own, and one behind it.
struct Presented {
  TestCertificate authority = make_certificate(valid_now({.common_names = {"authority"}, .ca = true}));
  TestCertificate leaf = make_certificate(valid_now({.common_names = {"device"}, .issuer = &authority}));

  std::string registration() const {
    return R"({"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":")" + leaf.sha256() + R"(","secondaryThumbprint":null}}})";
  }
};

std::int64_t bytes_per_device(const TlsOptions& adjusted, bool resumption, const Presented* presented = nullptr) {
  leave_this_thread_out();
  TestHub hub([resumption](broker::Config& config) {
    config.loops = 1;
    config.tls_resumption = resumption;
  });
  TlsOptions options = hub.tls();
  options.ciphers = adjusted.ciphers;
  options.groups = adjusted.groups;
  if (presented != nullptr) {
    options.certificate_pem = presented->leaf.pem() + presented->authority.pem();
    options.key_pem = presented->leaf.key_pem();
  }
  std::vector<std::unique_ptr<MqttClient>> clients;
  const auto add = [&](int number) {
    const std::string id = "device-" + std::to_string(number);
    hub.create(id, presented != nullptr ? presented->registration() : "{}");
    const std::string user = hub.username(id), password = hub.token(id);
    mqtt::Connect packet;
    packet.client_id = id;
    packet.username = user;
    if (presented == nullptr) packet.password = password;
    clients.push_back(std::make_unique<MqttClient>(options, hub.mqtts()));
    REQUIRE(clients.back()->connect(packet).return_code == 0);
    clients.back()->send(mqtt::Pingreq{});
    clients.back()->expect<mqtt::Pingresp>();
  };
  // Tables and buffers of the hub itself have grown by then.
  for (int i = 0; i < kDevices; ++i) add(i);
  hub.wait_until([] { return true; }, "all that was to be done");
  const std::int64_t before = held_bytes();
  REQUIRE(before > 0);
  for (int i = kDevices; i < 2 * kDevices; ++i) add(i);
  hub.wait_until([] { return true; }, "all that was to be done");
  return (held_bytes() - before) / kDevices;
}

}  // namespace

TEST_SUITE("memory") {
  TEST_CASE("an idle connected device stays within its bound, with every TLS version and curve, resumption or not") {
    TlsOptions tls13_p256, tls13_any, tls12;
    tls13_p256.groups = "P-256";
    tls12.ciphers = "ECDHE+AESGCM";
    for (const bool resumption : {false, true}) {
      for (const TlsOptions& options : {tls13_p256, tls13_any, tls12}) {
        CAPTURE(options.groups);
        CAPTURE(options.ciphers);
        CAPTURE(resumption);
        const std::int64_t bytes = bytes_per_device(options, resumption);
        MESSAGE(bytes);
        CHECK(bytes > 8 * 1024);  // something was counted
        CHECK(bytes <= kMaxBytes);
      }
    }
  }

  TEST_CASE("an idle device that showed certificates costs no more: what is left of them is small") {
    const Presented presented;
    TlsOptions tls13, tls12;
    tls12.ciphers = "ECDHE+AESGCM";
    for (const bool resumption : {false, true}) {
      for (const TlsOptions& options : {tls13, tls12}) {
        CAPTURE(options.ciphers);
        CAPTURE(resumption);
        const std::int64_t bytes = bytes_per_device(options, resumption, &presented);
        MESSAGE(bytes);
        CHECK(bytes > 8 * 1024);
        CHECK(bytes <= kMaxBytes + 1000);
      }
    }
  }
}
