// What a test asks of a client library, and where the library's callbacks leave what they bring.
//
// A derived class connects its library to it: PahoClient, MosquittoClient. Both have also
//   Connected connect();                                                            waits for the CONNACK
//   int subscribe(const std::string& filter, int qos);                              waits for the SUBACK; the granted QoS
//   void start_publish(const std::string& topic, const std::string& payload, int qos);
//   void wait_published();                                                          all that was begun; QoS 1: acknowledged
//   void disconnect();                                                              with a DISCONNECT
//
// THREAD: the test's; the callbacks' members on the library's thread. Failures stop the test case.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "tests/support/test_hub.h"

namespace nearhub::test {

struct ClientMessage {
  std::string topic;
  std::string payload;
  int qos = 0;
  bool retain = false;
};

struct ClientSettings {
  std::string client_id;
  std::string username;
  std::string password;  // empty: none
  std::string ca_file;
  std::string certificate_file = {};  // PEM, leaf first; empty: none
  std::string key_file = {};
  std::uint16_t port = 0;
  bool clean_session = true;
  bool reconnects = false;  // by itself, as often as it takes
  std::optional<ClientMessage> will = std::nullopt;
};

struct Connected {
  int code = 0;  // of the CONNACK
  bool session_present = false;
};

// For "d1" or "d1/m1", with a good token.
ClientSettings settings_of(TestHub& hub, std::string_view identity);

class DeviceClient {
 public:
  // What came next; waits for it.
  ClientMessage next();
  // The library has told the application that the connection is lost.
  void wait_lost();
  // The library has connected for the nth time.
  void wait_connected(int times);

 protected:
  ~DeviceClient() = default;

  void on_connected();
  void on_lost();
  void on_message(ClientMessage message);
  // Changes what a test waits for.
  void change(const std::function<void()>& task);
  void wait(const std::function<bool()>& condition, std::string_view what);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  // Protected by mutex_.
  std::deque<ClientMessage> messages_;
  int connected_ = 0;
  bool lost_ = false;
};

}  // namespace nearhub::test
