// Bytes as a test writes them down, and whole packets as they are expected.
//
// Independent of the hub's own codec: what a test expects is built from the standard, not by the encoder under test.
#pragma once
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "hub/shard.h"
#include "tests/support/http_client.h"
#include "tests/support/mqtt_client.h"
#include "tests/support/test_hub.h"

namespace nearhub::test {

// Writing to a connection that the hub has dropped is something that tests do.
inline const auto kBrokenPipesAreNoSignals = std::signal(SIGPIPE, SIG_IGN);

// "20 02 00 05"_hex. Spaces are for the reader.
inline std::string operator""_hex(const char* text, std::size_t size) {
  std::string bytes;
  int high = -1;
  for (const char c : std::string_view(text, size)) {
    if (c == ' ') continue;
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<char>(high << 4 | digit));
      high = -1;
    }
  }
  return bytes;
}

// A length of two bytes and the text.
inline std::string field(std::string_view text) {
  std::string bytes;
  bytes.push_back(static_cast<char>(text.size() >> 8));
  bytes.push_back(static_cast<char>(text.size()));
  return bytes.append(text);
}

inline std::string number(std::uint16_t value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }

// A first byte, the remaining length and what follows it.
inline std::string packet(unsigned char first_byte, std::string_view rest) {
  std::string bytes(1, static_cast<char>(first_byte));
  std::size_t length = rest.size();
  do {
    bytes.push_back(static_cast<char>((length & 0x7f) | (length > 0x7f ? 0x80 : 0)));
    length >>= 7;
  } while (length > 0);
  return bytes.append(rest);
}

// PUBLISH with QoS 0: how the hub sends everything but cloud-to-device messages.
inline std::string publish(std::string_view topic, std::string_view payload) { return packet(0x30, field(topic).append(payload)); }

inline std::string connack(bool session_present, int code) { return {0x20, 2, session_present ? '\1' : '\0', static_cast<char>(code)}; }

// One filter at a QoS.
inline std::string subscribe(std::uint16_t id, std::string_view filter, int qos) {
  return packet(0x82, number(id) + field(filter) + static_cast<char>(qos));
}

inline std::string unsubscribe(std::uint16_t id, std::string_view filter) { return packet(0xa2, number(id) + field(filter)); }

// Text stays text, the rest becomes \xNN: both sides of a failed comparison can be read.
inline std::string shown(std::string_view bytes) { return printable(bytes, 4 * bytes.size()); }

// The next packet is exactly this one.
inline void expect_bytes(MqttClient& client, std::string_view expected) {
  const auto received = client.next();
  INFO("expected: ", shown(expected));
  REQUIRE_MESSAGE(received != nullptr, "the hub closed the connection");
  REQUIRE(shown(received->bytes) == shown(expected));
}

// CONNECT of d1 or d1/m1 as bytes, with whatever a test wants to have different.
struct ConnectBytes {
  std::string client_id;
  std::string username;
  std::string password;
  std::uint16_t keep_alive_s = 60;
  bool clean_session = true;

  std::string bytes() const {
    const char flags = static_cast<char>(0x80 | (password.empty() ? 0 : 0x40) | (clean_session ? 2 : 0));
    std::string rest = field("MQTT") + '\4' + flags + number(keep_alive_s) + field(client_id) + field(username);
    if (!password.empty()) rest += field(password);
    return packet(0x10, rest);
  }
};
inline ConnectBytes connect_bytes(const TestHub& hub, std::string_view identity) {
  return {std::string(identity), hub.username(identity), hub.token(identity)};
}

// A client that is connected: CONNACK 0 came.
struct Join {
  bool clean_session = true;
  std::uint16_t keep_alive_s = 60;
  std::int64_t token_lifetime_s = 3600;
  std::optional<mqtt::Will> will = std::nullopt;
  std::string username_suffix = {};  // behind the api-version
};
inline std::unique_ptr<MqttClient> join(TestHub& hub, std::string_view identity, const Join& how = {}, bool* session_present = nullptr) {
  TestHub::ConnectOptions options;
  options.clean_session = how.clean_session;
  options.keep_alive_s = how.keep_alive_s;
  options.token_lifetime_s = how.token_lifetime_s;
  options.will = how.will;
  options.username_suffix = how.username_suffix;
  return hub.connect(identity, options, session_present);
}

// All events so far, as the event stream shows them: one JSON object each, in the order of the stream.
inline std::vector<std::string> events_of(const TlsOptions& tls, std::uint16_t https, const std::string& token, const std::string& query = {}) {
  HttpClient reader(tls, https);
  reader.send_raw("GET /_nearhub/events?since=start&follow=false" + query + " HTTP/1.1\r\nHost: x\r\nAuthorization: " + token + "\r\n\r\n");
  REQUIRE(reader.read_answer().status == 200);
  const std::string stream = reader.read_stream_until("the end, which never stands in a stream");
  std::vector<std::string> events;
  std::string_view rest = stream;
  while (!rest.empty()) {
    const auto [line, more] = split_once(rest, '\n');
    rest = more.value_or(std::string_view());
    if (line.starts_with("data: ")) events.emplace_back(line.substr(6));
  }
  return events;
}
inline std::vector<std::string> events_of(TestHub& hub, std::string_view device) {
  return events_of(hub.tls(), hub.https(), hub.owner_token(), "&device=" + std::string(device));
}

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// The newest refusal of an identity, in one line.
inline std::string last_refusal(TestHub& hub, std::string_view identity) {
  const auto refusals = hub.refusals(identity, 1);
  REQUIRE(refusals.size() == 1);
  const auth::Refusal& refusal = refusals[0];
  return refusal.operation + " | " + refusal.answer + " | " + std::string(auth::check_text(refusal.denial.check)) + " | " + refusal.denial.sentence();
}

// The hub has closed the connection, and says this of it.
inline void expect_closed_because(TestHub& hub, MqttClient& client, std::string_view identity, std::string_view reason) {
  client.expect_closed();
  CHECK(last_refusal(hub, identity) == reason);
}

// One request on a connection of its own: a kept one has ended for idleness when a test has moved the clock.
inline HttpAnswer call(TestHub& hub, std::string_view method, std::string_view path, std::string_view body = {}, HttpClient::Headers headers = {}) {
  HttpClient service(hub.tls(), hub.https());
  headers.emplace_back("Authorization", hub.owner_token());
  return service.request(method, std::string(path) + (contains(path, "?") ? "&" : "?") + "api-version=2021-04-12", headers, body);
}

// Waits until every loop has handled what had reached its sockets when this was called: two tasks through each mailbox, the second of which runs
// in a later turn than the first.
inline void settle(TestHub& hub) {
  const hub::Hub& core = hub.server().hub();
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t i = 0; i < core.shard_count(); ++i) {
      std::promise<void> done;
      core.shard(i).executor().post([&done] { done.set_value(); });
      REQUIRE(done.get_future().wait_for(kPatience) == std::future_status::ready);
    }
  }
}

// A request of a service whose answer is awaited later: read_answer().
inline void ask(TestHub& hub, HttpClient& service, std::string_view method, std::string_view path, std::string_view body) {
  service.send_raw(std::string(method) + " " + std::string(path) + "?api-version=2021-04-12 HTTP/1.1\r\nHost: x\r\nAuthorization: " + hub.owner_token() +
                   "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
}

// A socket without TLS, with the system's buffer for what comes.
inline int connect_plain(std::uint16_t port, int receive_buffer = 0) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer != 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}
inline void send_plain(int fd, std::string_view bytes) { REQUIRE(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size())); }

// What the hub counts, that of the caller's HTTPS client included.
inline std::int64_t open_connections(TestHub& hub) {
  const auto status = parse_json(hub.api("GET", "/_nearhub/status").body);
  REQUIRE(status.ok());
  return find_member(*status, "connections")->GetInt64();
}

}  // namespace nearhub::test
