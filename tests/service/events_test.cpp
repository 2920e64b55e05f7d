// GET /_nearhub/events: the event stream as server-sent events.
#include <doctest/doctest.h>
#include <poll.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/time_format.h"
#include "base/url.h"
#include "tests/service/samples.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

struct Stream {
  std::unique_ptr<HttpClient> client;
  HttpAnswer head;
};

Stream open(TestHub& hub, std::string_view query) {
  Stream stream{std::make_unique<HttpClient>(hub.tls(), hub.https()), {}};
  stream.client->send_raw("GET /_nearhub/events" + std::string(query) + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + hub.owner_token() + "\r\n\r\n");
  stream.head = stream.client->read_answer();
  return stream;
}

// The bodies of the events in a text, in their order.
std::vector<std::string> bodies(std::string_view text) {
  std::vector<std::string> found;
  while (!text.empty()) {
    const auto end = text.find("\n\n");
    const std::string_view item = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    const auto at = item.find("data: ");
    if (at == std::string_view::npos) continue;
    const auto event = parse_json(item.substr(at + 6));
    REQUIRE(event.ok());
    found.push_back(string_member(*event, "body"));
  }
  return found;
}
std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += part + " ";
  return text;
}

// All that is there now.
std::string past(TestHub& hub, std::string_view query) {
  Stream stream = open(hub, "?follow=false" + (query.empty() ? std::string() : "&" + std::string(query)));
  CHECK(stream.head.status == 200);
  const std::string text = stream.client->read_stream_until("there is no such text");
  CHECK(stream.client->closed());
  return text;
}

void publish(MqttClient& device, std::string_view id, std::string_view body, std::string_view bag = {}) {
  const std::string topic = "devices/" + std::string(id) + "/messages/events/" + std::string(bag);
  mqtt::Publish publish;
  publish.topic = topic;
  publish.qos = 1;
  publish.packet_id = 1;
  publish.payload = body;
  device.send(publish);
  device.expect<mqtt::Puback>();
}

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("events: live, from the moment of the request on") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    publish(*device, "d1", "before");
    Stream stream = open(hub, "");
    CHECK(stream.head.status == 200);
    CHECK(stream.head.header("Content-Type") == "text/event-stream");
    CHECK(stream.head.header("Cache-Control") == "no-store");
    CHECK(stream.client->read_stream_until("\n\n") == ": nearhub events\n\n");
    // The stream looks for its place behind its first words: what is published until it has found it may be past.
    int published = 0;
    hub.wait_until(
        [&] {
          publish(*device, "d1", "n" + std::to_string(published++));
          pollfd readable{stream.client->connection().socket(), POLLIN, 0};
          return poll(&readable, 1, 1) == 1;
        },
        "an event");
    const std::string last = "n" + std::to_string(published - 1);
    const auto seen = bodies(stream.client->read_stream_until("\"body\":\"" + last + "\"}\n\n"));
    REQUIRE(!seen.empty());
    // A row without gaps that ends with the last.
    for (std::size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == "n" + std::to_string(static_cast<std::size_t>(published) - seen.size() + i));
  }

  TEST_CASE("events: an event is one JSON line with its place as id") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    publish(*device, "d1", R"({"a":)" "\n" R"(1})", "%24.ct=application%2Fjson&%24.ce=utf-8&colour=red&%24.mid=m1");
    const std::string text = past(hub, "since=start");
    const auto id = text.find("id: ");
    REQUIRE(id != std::string::npos);
    CHECK(text.starts_with(": nearhub events\n\n"));
    CHECK(text.ends_with("\n\n"));
    const auto data = text.find("\ndata: ");
    REQUIRE(data != std::string::npos);
    const std::string line = text.substr(data + 7, text.find('\n', data + 1) - data - 7);
    const auto event = parse_json(line);
    REQUIRE(event.ok());
    CHECK(text.substr(id + 4, data - id - 4) == member(*event, "partition") + ":" + member(*event, "sequenceNumber"));
    CHECK(member(*event, "deviceId") == "\"d1\"");
    CHECK(member(*event, "body") == R"({"a":1})");
    CHECK(member(*event, "properties") == R"({"colour":"red"})");
    CHECK(member(*event, "systemProperties/message-id") == "\"m1\"");
    CHECK(member(*event, "annotations/iothub-connection-device-id") == "\"d1\"");
  }

  TEST_CASE("events: from the start, from a time, and from now") {
    TestHub hub;
    hub.create("d1");
    publish(*hub.connect("d1"), "d1", "one");
    hub.advance(std::chrono::hours{1});
    const WallTime between = hub.clock().now();
    hub.advance(std::chrono::hours{1});
    publish(*hub.connect("d1"), "d1", "two");
    CHECK(joined(bodies(past(hub, "since=start"))) == "one two ");
    CHECK(joined(bodies(past(hub, "since=" + percent_encode(format_iso8601(between))))) == "two ");
    CHECK(joined(bodies(past(hub, "since=" + format_iso8601(between - std::chrono::hours{2})))) == "one two ");
    CHECK(joined(bodies(past(hub, "since=" + format_iso8601(hub.clock().now() + std::chrono::hours{1})))) == "");
    CHECK(joined(bodies(past(hub, "since=now"))) == "");
    CHECK(joined(bodies(past(hub, ""))) == "");
  }

  TEST_CASE("events: of one device, its modules included, or of all") {
    TestHub hub;
    for (const char* id : {"d1", "d2", "d1/m1"}) hub.create(id);
    auto first = hub.connect("d1"), second = hub.connect("d2"), module = hub.connect("d1/m1");
    publish(*first, "d1", "of-d1");
    publish(*second, "d2", "of-d2");
    publish(*module, "d1/modules/m1", "of-m1");
    auto all = bodies(past(hub, "since=start"));
    std::sort(all.begin(), all.end());
    CHECK(joined(all) == "of-d1 of-d2 of-m1 ");
    auto of_d1 = bodies(past(hub, "since=start&device=d1"));
    std::sort(of_d1.begin(), of_d1.end());
    CHECK(joined(of_d1) == "of-d1 of-m1 ");
    CHECK(joined(bodies(past(hub, "since=start&device=d2"))) == "of-d2 ");
    CHECK(joined(bodies(past(hub, "since=start&device=D1"))) == "");
    CHECK(joined(bodies(past(hub, "since=start&device="))).size() == 18);
  }

  TEST_CASE("events: each device's in its order, none twice, past and live together") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    for (int i = 0; i < 50; ++i) publish(*device, "d1", "n" + std::to_string(i));
    Stream stream = open(hub, "?since=start");
    for (int i = 50; i < 100; ++i) publish(*device, "d1", "n" + std::to_string(i));
    const auto seen = bodies(stream.client->read_stream_until("\"body\":\"n99\"}\n\n"));
    REQUIRE(seen.size() == 100);
    for (int i = 0; i < 100; ++i) CHECK(seen[static_cast<std::size_t>(i)] == "n" + std::to_string(i));
  }

  TEST_CASE("events: two readers both see everything") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    Stream one = open(hub, "?since=start"), two = open(hub, "?since=start&device=d1");
    for (int i = 0; i < 20; ++i) publish(*device, "d1", "n" + std::to_string(i));
    CHECK(bodies(one.client->read_stream_until("\"body\":\"n19\"}\n\n")).size() == 20);
    CHECK(bodies(two.client->read_stream_until("\"body\":\"n19\"}\n\n")).size() == 20);
    // One leaves, the other goes on.
    one.client->disconnect();
    publish(*device, "d1", "last");
    CHECK(bodies(two.client->read_stream_until("\"body\":\"last\"}\n\n")).size() == 21);
  }

  TEST_CASE("events: a reader that stops reading holds up nobody, and catches up") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    Stream slow = open(hub, "?since=start"), quick = open(hub, "?since=start");
    const std::string filler(100'000, 'f');
    constexpr int kEvents = 120;
    for (int i = 0; i < kEvents; ++i) publish(*device, "d1", "n" + std::to_string(i) + filler);
    CHECK(bodies(quick.client->read_stream_until("n119" + filler + "\"}\n\n")).size() == kEvents);
    CHECK(hub.api("GET", "/devices/d1").status == 200);
    const auto seen = bodies(slow.client->read_stream_until("n119" + filler + "\"}\n\n"));
    REQUIRE(seen.size() == kEvents);
    for (int i = 0; i < kEvents; ++i) CHECK(seen[static_cast<std::size_t>(i)] == "n" + std::to_string(i) + filler);
  }

  TEST_CASE("events: a reader that never reads again is let go, with its reason") {
    TestHub hub;
    hub.create("d1");
    auto device = hub.connect("d1");
    Stream slow = open(hub, "?since=start");
    const std::string filler(200'000, 'f');
    for (int i = 0; i < 60; ++i) publish(*device, "d1", filler);
    // The device, whose keep-alive runs out as well, may be in the book before or after it.
    const auto let_go = [&hub] {
      for (const auto& refusal : hub.refusals()) {
        if (refusal.operation == "event stream") return refusal.answer + ": " + refusal.denial.sentence();
      }
      return std::string();
    };
    // Two idle times: the first finds that something is unread, the second that it still is.
    hub.advance(std::chrono::seconds{121});
    hub.wait_until([&] { return !let_go().empty() || (hub.advance(std::chrono::seconds{121}), false); }, "the refusal");
    CHECK(let_go().starts_with("connection closed: expected a client that reads within 120 s; received "));
    CHECK(let_go().ends_with(" bytes unread"));
    publish(*hub.connect("d1"), "d1", "still here");
  }

  TEST_CASE("events: an idle reader stays") {
    TestHub hub;
    hub.create("d1");
    Stream stream = open(hub, "?since=start");
    for (int i = 0; i < 5; ++i) {
      hub.advance(std::chrono::seconds{50});
      CHECK(hub.api("GET", "/devices/d1").status == 200);
    }
    auto device = hub.connect("d1");
    publish(*device, "d1", "after a while");
    CHECK(bodies(stream.client->read_stream_until("after a while\"}\n\n")).size() == 1);
    CHECK(hub.refusals().empty());
  }

  TEST_CASE("events: in silence the hub says something now and then, so that both sides notice when the other is gone") {
    TestHub hub;
    Stream stream = open(hub, "");
    CHECK(stream.client->read_stream_until("\n\n") == ": nearhub events\n\n");
    for (int i = 0; i < 3; ++i) {
      hub.advance(std::chrono::seconds{31});
      std::string expected = ": nearhub events\n\n";
      for (int k = 0; k <= i; ++k) expected += ": ping\n\n";
      CHECK(stream.client->read_stream_until(expected) == expected);
    }
    hub.create("d1");
    publish(*hub.connect("d1"), "d1", "still here");
    CHECK(bodies(stream.client->read_stream_until("still here\"}\n\n")).size() == 1);
  }

  TEST_CASE("events: parameters that cannot be read") {
    TestHub hub;
    CHECK(e1(hub.api("GET", "/_nearhub/events?since=yesterday")) ==
          "400 ArgumentInvalid: since is \"yesterday\", expected now, start, or a time like 2026-01-31T12:00:00Z");
    CHECK(e1(hub.api("GET", "/_nearhub/events?since=")).starts_with("400 ArgumentInvalid: since is \"\""));
    CHECK(e1(hub.api("GET", "/_nearhub/events?follow=maybe")) == "400 ArgumentInvalid: follow must be true or false");
    CHECK(e1(hub.api("GET", "/_nearhub/events?follow=")) == "400 ArgumentInvalid: follow must be true or false");
  }

  TEST_CASE("events: at a stop the stream ends as it should") {
    TestHub hub;
    hub.create("d1");
    Stream stream = open(hub, "?since=start");
    CHECK(stream.client->read_stream_until("\n\n") == ": nearhub events\n\n");
    CHECK(hub.stop() == 0);
    CHECK(stream.client->read_stream_until("there is no such text") == ": nearhub events\n\n");
    CHECK(stream.client->closed());
  }
}
