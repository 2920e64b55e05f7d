// What the API is to a connection: answers in order, kept open or closed as it was asked, and bounds.
#include <doctest/doctest.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <string>
#include <thread>

#include "tests/service/samples.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

std::string request(const TestHub& hub, std::string_view line, std::string_view headers = {}, std::string_view body = {}) {
  std::string text = std::string(line) + "\r\nHost: localhost\r\nAuthorization: " + hub.owner_token() + "\r\n" + std::string(headers);
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + std::string(body);
}

// Sends until the hub breaks the connection, or the test has ended.
class Sender {
 public:
  Sender(TlsClient& connection, std::string text) : socket_(connection.socket()), thread_([&connection, text = std::move(text)] {
    while (connection.try_send(text)) {
    }
  }) {}
  ~Sender() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
  }

 private:
  int socket_;
  std::thread thread_;
};

// What the client's system holds because the hub does not take it.
int unsent(HttpClient& client) {
  int bytes = 0;
  REQUIRE(ioctl(client.connection().socket(), TIOCOUTQ, &bytes) == 0);
  return bytes;
}

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("connection: is kept between requests, with any way of giving no body") {
    TestHub hub;
    hub.create("d1");
    HttpClient client(hub.tls(), hub.https());
    for (const char* headers : {"", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n", "Connection: keep-alive\r\n"}) {
      CAPTURE(headers);
      const bool chunked = std::string_view(headers).starts_with("Transfer");
      client.send_raw(request(hub, "GET /devices/d1?api-version=2021-04-12 HTTP/1.1", headers) + (chunked ? "0\r\n\r\n" : ""));
      const HttpAnswer answer = client.read_answer();
      CHECK(answer.status == 200);
      CHECK_FALSE(answer.has_header("Connection"));
    }
    CHECK_FALSE(client.connection().receive_within(std::chrono::milliseconds{1}).has_value());
  }

  TEST_CASE("connection: closes behind the answer when the client says so, and with HTTP/1.0") {
    TestHub hub;
    for (const char* text : {"GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "GET /health HTTP/1.0\r\n\r\n"}) {
      HttpClient client(hub.tls(), hub.https());
      client.send_raw(text);
      const HttpAnswer answer = client.read_answer();
      CHECK(answer.status == 200);
      CHECK(answer.header("Connection") == "close");
      CHECK(client.closed());
    }
    HttpClient client(hub.tls(), hub.https());
    client.send_raw("GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK_FALSE(client.read_answer().has_header("Connection"));
    client.send_raw("GET /health HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(client.read_answer().status == 200);
  }

  TEST_CASE("connection: requests sent in a row are answered in their order, wherever their devices live") {
    TestHub hub;
    std::string all;
    constexpr int kRequests = 100;
    for (int i = 0; i < kRequests; ++i) {
      const std::string id = "d" + std::to_string(i);
      all += request(hub, "PUT /devices/" + id + "?api-version=2021-04-12 HTTP/1.1", "", "{}");
      all += request(hub, "GET /devices/" + id + "?api-version=2021-04-12 HTTP/1.1");
      if (i % 10 == 0) all += request(hub, "GET /health HTTP/1.1");
    }
    HttpClient client(hub.tls(), hub.https());
    client.send_raw(all);
    for (int i = 0; i < kRequests; ++i) {
      const std::string expected = "\"d" + std::to_string(i) + "\"";
      const HttpAnswer made = client.read_answer(), got = client.read_answer();
      CHECK(made.status == 200);
      CHECK(member(json_of(made), "deviceId") == expected);
      CHECK(got.body == made.body);
      if (i % 10 == 0) CHECK(client.read_answer().body == R"({"status":"healthy"})");
    }
  }

  TEST_CASE("connection: who sends requests and reads no answers is not read from, and then let go with its reason") {
    TestHub hub([](broker::Config& config) { config.loops = 1; });
    HttpClient client(hub.tls(), hub.https());
    std::string requests;
    while (requests.size() < 60'000) requests += "GET /health HTTP/1.1\r\nHost: h\r\n\r\n";
    const Sender sender(client.connection(), requests);
    // Every round is a turn of the hub's only loop: one that reads takes something in it.
    int before = 0, rounds = 0;
    hub.wait_until(
        [&] {
          const int now = unsent(client);
          rounds = now > 0 && now == before ? rounds + 1 : 0;
          before = now;
          return rounds == 20;
        },
        "a hub that does not read");
    hub.wait_until([&] { return !hub.refusals({}, 1).empty() || (hub.advance(std::chrono::seconds{121}), false); }, "the refusal");
    const std::string refusal = newest_refusal(hub);
    const std::string_view start = "HTTP answers -> connection closed: expected a client that reads within 120 s; received ";
    REQUIRE(refusal.starts_with(start));
    CHECK(std::stoul(refusal.substr(start.size())) < 300'000);
  }

  TEST_CASE("connection: who reads late gets all answers") {
    TestHub hub;
    for (int i = 0; i < 100; ++i) hub.create("d" + std::to_string(i));
    const std::string devices = hub.api("GET", "/devices").body;
    constexpr int kRequests = 300;
    std::string requests;
    for (int i = 0; i < kRequests; ++i) requests += request(hub, "GET /devices?api-version=2021-04-12 HTTP/1.1");
    HttpClient client(hub.tls(), hub.https());
    client.send_raw(requests);
    int answered = 0;
    while (answered < kRequests && client.read_answer().body == devices) ++answered;
    CHECK(answered == kRequests);
  }

  // One loop, so that the hub operation and the connection that it answers share it. What went wrong: the next request ran inside the operation
  // that answered the one before, and deleted what that operation still used.
  TEST_CASE("connection: a request begins when the operation that answered the one before has ended") {
    TestHub hub([](broker::Config& config) { config.loops = 1; });
    hub.create("d1");
    HttpClient client(hub.tls(), hub.https());
    const std::string call = R"({"methodName":"m","connectTimeoutInSeconds":60,"responseTimeoutInSeconds":60})";
    client.send_raw(request(hub, "POST /twins/d1/methods?api-version=2021-04-12 HTTP/1.1", "", call) +
                    request(hub, "DELETE /devices/d1?api-version=2021-04-12 HTTP/1.1", "If-Match: *\r\n") +
                    request(hub, "PUT /devices/d1?api-version=2021-04-12 HTTP/1.1", "", "{}"));
    CHECK(hub.api("GET", "/devices/d1").status == 200);
    CHECK(hub.api("DELETE", "/devices/d1", {}, if_match("*")).status == 204);
    CHECK(e3(client.read_answer()).starts_with("404001 DeviceNotFound: "));
    CHECK(e1(client.read_answer()) == "404 DeviceNotFound: d1");
    CHECK(client.read_answer().status == 200);
    CHECK(hub.api("GET", "/devices/d1").status == 200);
  }

  TEST_CASE("connection: a body is waited for only when its header is in order") {
    TestHub hub;
    struct Case {
      const char* line;
      bool token;
      const char* answer;
    };
    for (const Case& c : {Case{"PUT /devices/d1?api-version=2021-04-12", false, "401 IotHubUnauthorizedAccess: Unauthorized"},
                          {"PUT /nowhere?api-version=2021-04-12", true, "404 GenericNotFound: expected a path of the hub's API"},
                          {"PATCH /devices/d1?api-version=2021-04-12", true, "405 GenericMethodNotAllowed: "},
                          {"PUT /devices/d1", true, "400 InvalidProtocolVersion: "},
                          {"PUT /devices//d1?api-version=2021-04-12", true, "400 ArgumentInvalid: the path has an empty segment"},
                          {"POST /devices/d1/messages/events?api-version=2021-04-12", false, "501 NotImplemented: "},
                          {"GET /health", false, "413 GenericRequestEntityTooLarge: "}}) {
      CAPTURE(c.line);
      for (const char* body : {"Content-Length: 4000000\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: 1\r\nExpect: 100-continue\r\n"}) {
        CAPTURE(body);
        HttpClient client(hub.tls(), hub.https());
        client.send_raw(c.token ? request(hub, std::string(c.line) + " HTTP/1.1", body) : std::string(c.line) + " HTTP/1.1\r\nHost: h\r\n" + body + "\r\n");
        const HttpAnswer answer = client.read_answer();
        CHECK(e1(answer).starts_with(c.answer));
        CHECK(answer.header("Connection") == "close");
        CHECK(client.closed());
      }
    }
    CHECK(newest_refusal(hub).starts_with("GET /health -> 413 GenericRequestEntityTooLarge: "));
    // A body that is here already costs nothing: the connection is kept.
    HttpClient client(hub.tls(), hub.https());
    client.send_raw("PUT /devices/d1?api-version=2021-04-12 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}");
    CHECK(client.read_answer().status == 401);
    client.send_raw(request(hub, "PUT /devices/d1?api-version=2021-04-12 HTTP/1.1", "", "{}"));
    CHECK(client.read_answer().status == 200);
  }

  TEST_CASE("connection: what stands behind a request that closes is not answered") {
    TestHub hub;
    HttpClient client(hub.tls(), hub.https());
    client.send_raw("GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /ready HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(client.read_answer().body == R"({"status":"healthy"})");
    CHECK(client.connection().receive() == "");
  }

  TEST_CASE("connection: who asks is told to go on") {
    TestHub hub;
    HttpClient client(hub.tls(), hub.https());
    client.send_raw(request(hub, "PUT /devices/d1?api-version=2021-04-12 HTTP/1.1", "Expect: 100-continue\r\nContent-Length: 2\r\n"));
    CHECK(client.read_answer().status == 100);
    client.send_raw("{}");
    CHECK(client.read_answer().status == 200);
  }

  TEST_CASE("connection: a body in chunks is a body") {
    TestHub hub;
    HttpClient client(hub.tls(), hub.https());
    client.send_raw(request(hub, "PUT /devices/d1?api-version=2021-04-12 HTTP/1.1", "Transfer-Encoding: chunked\r\n") + "1\r\n{\r\n1;x=y\r\n}\r\n0\r\nX: trailer\r\n\r\n");
    CHECK(client.read_answer().status == 200);
  }

  TEST_CASE("connection: headers, their number and bodies have their limits, and say so") {
    TestHub hub;
    {
      HttpClient client(hub.tls(), hub.https());
      client.send_raw("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x'));
      CHECK(e1(client.read_answer()) == "431 RequestHeaderFieldsTooLarge: the request line and headers exceed 16384 bytes");
      CHECK(client.closed());
    }
    {
      std::string many;
      for (int i = 0; i < 101; ++i) many += "X: y\r\n";
      HttpClient client(hub.tls(), hub.https());
      client.send_raw("GET / HTTP/1.1\r\nHost: h\r\n" + many + "\r\n");
      CHECK(e1(client.read_answer()) == "431 RequestHeaderFieldsTooLarge: the request has more than 100 headers");
    }
    HttpClient client(hub.tls(), hub.https());
    client.send_raw("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4194305\r\n\r\n");
    CHECK(e1(client.read_answer()) == "413 GenericRequestEntityTooLarge: the body exceeds 4194304 bytes");
    CHECK(newest_refusal(hub).starts_with("HTTP request -> 413 GenericRequestEntityTooLarge: "));
  }

  TEST_CASE("connection: MQTT on the HTTPS port is refused at once, with its reason") {
    TestHub hub;
    HttpClient client(hub.tls(), hub.https());
    client.send_raw(std::string("\x10\x0C\x00\x04MQTT\x04\x02\x00\x3C\x00\x00", 14));
    CHECK(e1(client.read_answer()) == "400 GenericBadRequest: not a valid HTTP/1.1 request: bad method");
    CHECK(client.closed());
  }

  TEST_CASE("connection: a client that leaves before its answer leaves nothing behind") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    device->subscribe(1, {{"$iothub/methods/POST/#", 0}});
    device->expect<mqtt::Suback>();
    {
      HttpClient client(hub.tls(), hub.https());
      client.send_raw(request(hub, "POST /twins/d1/methods?api-version=2021-04-12 HTTP/1.1", "", R"({"methodName":"m"})"));
      device->expect<mqtt::Publish>();
      client.connection().reset();
    }
    mqtt::Publish answer;
    answer.topic = "$iothub/methods/res/200/?$rid=1";
    device->send(answer);
    device->expect_silence();
    CHECK(hub.api("GET", "/devices/d1").status == 200);
  }

  TEST_CASE("connection: at a stop what is under way is answered") {
    TestHub hub;
    hub.create("d1");
    HttpClient client(hub.tls(), hub.https());
    client.send_raw(request(hub, "GET /devices/d1?api-version=2021-04-12 HTTP/1.1"));
    CHECK(client.read_answer().status == 200);
    CHECK(hub.stop() == 0);
    CHECK(client.closed());
  }
}
