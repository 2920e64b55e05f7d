// The bounds of the front doors, each with its name, its default and where the default is from. docs/limits.md lists all of them for users.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace nearhub::broker {

struct MqttLimits {
  std::size_t connect_bytes = 16 * 1024;              // the first packet, a will included
  std::size_t packet_bytes = 262'144 + 64 * 1024 + 8;  // so that the message size decides, not the parser (device-mqtt.md 4.5)
  std::chrono::seconds handshake_time{60};            // NB-IoT is slow (1.4)
  std::chrono::seconds connect_time{60};              // from the handshake to the CONNECT (1.4)
  std::chrono::seconds keep_alive_cap{1767};          // keep_alive_cap_s (2.5)
  std::chrono::seconds keep_alive_grace{60};          // keep_alive_grace_s: for those who ask for more than the cap allows; 0 copies the cloud
  std::size_t unacknowledged_publishes = 64;          // of one client, twin requests included: beyond it nothing is read from it (PG: 16, 4.4)
  std::size_t output_bytes = 2 * 1024 * 1024;         // queued for one client that does not read
  std::chrono::seconds output_stall{600};             // without progress: boards in power saving read late (x509-and-boards.md B.1)
  std::size_t subscriptions = 50;                     // distinct filters (3.1)
  std::size_t recommended_subscriptions = 5;          // the cloud's: a warning beyond it, with strict the end
};

struct HttpLimits {
  std::size_t header_bytes = 16 * 1024;
  std::size_t headers = 100;
  std::size_t body_bytes = 4 * 1024 * 1024;
  std::chrono::seconds request_time{60};  // for a whole request to arrive
  std::chrono::seconds idle_time{120};    // between requests of a kept connection; without progress of a reader that lags
  std::size_t output_bytes = 256 * 1024;  // answers that the client has not read: beyond it no further request is taken
  std::chrono::seconds stream_silence{30};  // then a stream says something, so that both sides notice when the other is gone
};

struct ConnectionLimits {
  std::size_t connections = 100'000;  // of the process, all doors
  std::size_t half_open = 2'000;      // per loop and door: not yet past their CONNECT or first request; the oldest gives way
};

}  // namespace nearhub::broker
