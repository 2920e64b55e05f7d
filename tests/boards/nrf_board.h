// A board with an nRF9160: modem, MQTT library, hub library, and an application that looks on. It sends what they send, byte for byte, and fails where
// they fail.
//
// Whatever breaks it stops the test case, unless the test expects that: expect_fault().
//
// THREAD: one at a time.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tests/boards/modem.h"
#include "tests/boards/nrf_library.h"

namespace nearhub::test {

struct NrfSetup {
  NrfLibrary library = kNcs2;
  ModemFirmware firmware = kNewModem;
  SecurityTag tag;
  std::string device;
  std::string host = "localhost";
  std::uint16_t port = 0;
  std::uint16_t keep_alive_s = 1767;  // of the hub sample
  int receive_buffer = 0;
};

// What the application is told.
struct NrfEvent {
  enum Kind { kReady, kTwin, kReportAccepted, kReportFailed, kDesired, kCloudMessage, kMethod, kDisconnected };
  Kind kind = kDisconnected;
  std::string payload;
  NrfProperties properties;
  std::string name;        // of a method
  std::string request_id;  // of a method or an answer, as the application has it
  int status = 0;          // of an answer
};

class NrfBoard {
 public:
  explicit NrfBoard(NrfSetup setup);

  // azure_iot_hub_connect(): gives the CONNACK's code; 0 goes on with the subscription. A fault of the modem stops the test case.
  int connect(bool* session_present = nullptr);
  // connect(), subscribed and READY.
  void start();
  // What the application hears next. READY comes with the SUBACK, and behind it the library asks for the twin by itself.
  NrfEvent next();
  NrfEvent expect(NrfEvent::Kind kind);
  // The library breaks at what comes now; gives why.
  std::string expect_fault();
  // Nothing comes: a ping is answered at once.
  void expect_silence();

  void send(std::string_view payload, const NrfProperties& properties = {});
  std::string report(std::string_view json);  // gives the request id
  void request_twin();
  void respond(const NrfEvent& method, int status, std::string_view payload);
  void ping();
  void disconnect();
  void lose_power() { modem_->cut(); }

  const ModemSocket& modem() const { return *modem_; }

 private:
  std::string next_request_id();
  void transmit(std::string_view bytes);
  void publish(const std::string& topic, std::string_view payload);
  void subscribe();
  // The next packet's type, with `body_` and, of a PUBLISH, `topic_` and `payload_`. Nothing: the connection has ended, or the library is broken.
  std::optional<std::uint8_t> input();
  bool fill();
  void break_down(std::string why, bool keeps_link);

  NrfSetup setup_;
  std::unique_ptr<ModemSocket> modem_;
  std::string buffer_;
  std::string body_, topic_, payload_;
  std::string fault_;
  std::uint32_t uptime_ms_ = 11'000;
  bool ready_ = false;
};

}  // namespace nearhub::test
