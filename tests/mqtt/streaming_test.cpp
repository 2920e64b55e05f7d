#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/mqtt/allocations.h"
#include "tests/mqtt/samples.h"
#include "wire/mqtt/decoder.h"
#include "wire/mqtt/encoder.h"

using namespace nearhub;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

constexpr std::size_t kNoLimit = 1'000'000'000;

std::string all_samples() {
  std::string stream;
  for (const mqtt::Sample& sample : mqtt::samples()) stream += sample.bytes;
  return stream;
}

// Compares each packet with its sample while its views are valid.
class Expectation {
 public:
  // Takes at most `most` packets; false on an error or a wrong packet.
  bool take(mqtt::Decoder& decoder, std::size_t most = kNoLimit) {
    mqtt::Packet packet;
    for (std::size_t i = 0; i < most; ++i) {
      const auto outcome = decoder.next(packet);
      if (outcome == mqtt::Decoder::kNeedMore) return true;
      if (outcome == mqtt::Decoder::kError || complete() || packet != samples_[seen_].packet) return false;
      ++seen_;
    }
    return true;
  }
  bool complete() const { return seen_ == samples_.size(); }
  void restart() { seen_ = 0; }

 private:
  std::vector<mqtt::Sample> samples_ = mqtt::samples();
  std::size_t seen_ = 0;
};

// A chunk in memory of its own that is overwritten before it goes: a view that outlives it shows.
class Chunk {
 public:
  explicit Chunk(std::string_view bytes) : bytes_(bytes) {}
  ~Chunk() { std::fill(bytes_.begin(), bytes_.end(), '\xEE'); }
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;
  std::string_view view() const { return bytes_; }

 private:
  std::string bytes_;
};

mqtt::Publish telemetry(std::string_view payload) {
  return {"devices/dev/messages/events/", payload, 1, false, false, 1};
}

}  // namespace

TEST_SUITE("mqtt") {
  TEST_CASE("streaming: all packets in one chunk") {
    const std::string stream = all_samples();
    mqtt::Decoder decoder(kNoLimit);
    Expectation expectation;
    decoder.feed(stream);
    CHECK(expectation.take(decoder));
    CHECK(expectation.complete());
    CHECK(decoder.buffered() == 0);
  }

  TEST_CASE("streaming: chunks of one size, from single bytes on, give the same packets") {
    const std::string stream = all_samples();
    for (std::size_t size = 1; size <= stream.size(); ++size) {
      CAPTURE(size);
      mqtt::Decoder decoder(kNoLimit);
      Expectation expectation;
      for (std::size_t at = 0; at < stream.size(); at += size) {
        const Chunk chunk(std::string_view(stream).substr(at, size));
        decoder.feed(chunk.view());
        REQUIRE(expectation.take(decoder));
        decoder.keep();
      }
      CHECK(expectation.complete());
      CHECK(decoder.buffered() == 0);
    }
  }

  TEST_CASE("streaming: every cut of the stream into three chunks gives the same packets") {
    const std::string stream = all_samples();
    const std::string_view view = stream;
    Expectation expectation;
    for (std::size_t first = 0; first <= stream.size(); ++first) {
      for (std::size_t second = first; second <= stream.size(); ++second) {
        mqtt::Decoder decoder(kNoLimit);
        expectation.restart();
        bool as_expected = true;
        for (const std::string_view part : {view.substr(0, first), view.substr(first, second - first), view.substr(second)}) {
          const Chunk chunk(part);
          decoder.feed(chunk.view());
          as_expected = as_expected && expectation.take(decoder);
          decoder.keep();
        }
        if (!as_expected || !expectation.complete() || decoder.buffered() != 0) FAIL("cut at ", first, " and ", second);
      }
    }
  }

  TEST_CASE("streaming: random chunks, with the reader pausing anywhere and going on with or without a new chunk") {
    const std::string stream = all_samples();
    std::mt19937 random(20141029);
    for (int round = 0; round < 5000; ++round) {
      CAPTURE(round);
      mqtt::Decoder decoder(kNoLimit);
      Expectation expectation;
      const std::size_t largest = 1 + random() % 80;
      std::size_t fed = 0;
      bool as_expected = true;
      while (fed < stream.size()) {
        const std::size_t size = std::min<std::size_t>(random() % (largest + 1), stream.size() - fed);
        const Chunk chunk(std::string_view(stream).substr(fed, size));
        decoder.feed(chunk.view());
        fed += size;
        for (int pauses = static_cast<int>(random() % 3); pauses >= 0; --pauses) {
          as_expected = as_expected && expectation.take(decoder, random() % 4);
          decoder.keep();
        }
      }
      as_expected = as_expected && expectation.take(decoder);
      REQUIRE(as_expected);
      REQUIRE(expectation.complete());
      REQUIRE(decoder.buffered() == 0);
    }
  }

  TEST_CASE("streaming: packets behind a CONNECT wait, and are decoded later without another chunk") {
    mqtt::Decoder decoder(kNoLimit);
    mqtt::Packet packet;
    {
      const Chunk chunk("\x10\x0F\x00\x04MQTT\x04\x02\x00\x3C\x00\x03" "dev\xC0\x00\x32\x06\x00\x01" "a\x00\x07p\x30\x05\x00"sv);
      decoder.feed(chunk.view());
      REQUIRE(decoder.next(packet) == mqtt::Decoder::kPacket);
      CHECK(std::holds_alternative<mqtt::Connect>(packet));
      CHECK(decoder.buffered() == 13);
      decoder.keep();
    }
    CHECK(decoder.buffered() == 13);
    {
      const Chunk chunk("\x01" "bq"sv);
      decoder.feed(chunk.view());
      decoder.keep();  // still waiting for the verdict
    }
    CHECK(decoder.buffered() == 16);
    REQUIRE(decoder.next(packet) == mqtt::Decoder::kPacket);
    CHECK(packet == mqtt::Packet(mqtt::Pingreq{}));
    REQUIRE(decoder.next(packet) == mqtt::Decoder::kPacket);
    CHECK(packet == mqtt::Packet(mqtt::Publish{"a", "p", 1, false, false, 7}));
    CHECK(decoder.next(packet) == mqtt::Decoder::kNeedMore);
    decoder.keep();
    decoder.feed("r"sv);
    REQUIRE(decoder.next(packet) == mqtt::Decoder::kPacket);
    CHECK(packet == mqtt::Packet(mqtt::Publish{"b", "qr", 0, false, false, 0}));
    decoder.keep();
    CHECK(decoder.buffered() == 0);
  }

  TEST_CASE("streaming: the views of earlier packets stay valid until keep(), also those of a packet that spans chunks") {
    std::string first, second, third;
    mqtt::encode(first, telemetry("one"));
    mqtt::encode(second, telemetry("two"));
    mqtt::encode(third, telemetry("three"));
    mqtt::Decoder decoder(kNoLimit);
    mqtt::Packet a, b, c;
    decoder.feed(std::string_view(first).substr(0, 10));
    CHECK(decoder.next(a) == mqtt::Decoder::kNeedMore);
    decoder.keep();
    const std::string chunk = first.substr(10) + second + third.substr(0, 5);
    decoder.feed(chunk);
    REQUIRE(decoder.next(a) == mqtt::Decoder::kPacket);
    REQUIRE(decoder.next(b) == mqtt::Decoder::kPacket);
    CHECK(decoder.next(c) == mqtt::Decoder::kNeedMore);
    CHECK(a == mqtt::Packet(telemetry("one")));
    CHECK(b == mqtt::Packet(telemetry("two")));
    decoder.keep();
    decoder.feed(std::string_view(third).substr(5));
    REQUIRE(decoder.next(c) == mqtt::Decoder::kPacket);
    CHECK(c == mqtt::Packet(telemetry("three")));
  }

  TEST_CASE("memory: a packet that lies whole in the chunk is decoded in place, without an allocation") {
    std::string stream;
    const std::string payload(120, 'p');
    for (int i = 0; i < 10; ++i) mqtt::encode(stream, telemetry(payload));
    mqtt::encode_subscribe(stream, 1, {{"a/#", 1}, {"b/#", 0}});
    mqtt::Decoder decoder(kNoLimit);
    mqtt::Packet packet;
    const auto before = mqtt::allocations();
    decoder.feed(stream);
    int packets = 0;
    bool in_place = true;
    while (decoder.next(packet) == mqtt::Decoder::kPacket) {
      ++packets;
      if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) {
        in_place = in_place && publish->topic.data() > stream.data() &&
                   publish->payload.data() < stream.data() + stream.size();
      }
    }
    decoder.keep();
    const auto after = mqtt::allocations();
    CHECK(packets == 11);
    CHECK(in_place);
    CHECK(after.count == before.count);
  }

  TEST_CASE("memory: of a chunk that ends a packet only that packet is copied, the others are decoded in place") {
    std::string stream;
    const std::string payload(100, 'p');
    for (int i = 0; i < 1000; ++i) mqtt::encode(stream, telemetry(payload));
    mqtt::Decoder decoder(kNoLimit);
    mqtt::Packet packet;
    const std::string_view view = stream;
    decoder.feed(view.substr(0, 50));
    CHECK(decoder.next(packet) == mqtt::Decoder::kNeedMore);
    decoder.keep();
    const auto before = mqtt::allocations();
    decoder.feed(view.substr(50));
    int packets = 0;
    while (decoder.next(packet) == mqtt::Decoder::kPacket) ++packets;
    const auto after = mqtt::allocations();
    CHECK(packets == 1000);
    CHECK(after.bytes - before.bytes < 1000);
  }

  TEST_CASE("memory: an announced length allocates nothing") {
    mqtt::Decoder decoder(kNoLimit);
    mqtt::Packet packet;
    const auto before = mqtt::allocations();
    decoder.feed("\x30\xFF\xFF\xFF\x7F\x00\x01" "a"sv);  // 256 MB
    CHECK(decoder.next(packet) == mqtt::Decoder::kNeedMore);
    decoder.keep();
    decoder.feed("b"sv);
    CHECK(decoder.next(packet) == mqtt::Decoder::kNeedMore);
    decoder.keep();
    CHECK(mqtt::allocations().bytes - before.bytes < 100);
    CHECK(decoder.buffered() == 9);
  }

  TEST_CASE("memory: a connection with nothing left over holds none, however much was buffered before") {
    std::string bytes;
    const std::string payload(100'000, 'p');
    mqtt::encode(bytes, telemetry(payload));
    const std::string_view view = bytes;
    const std::string end_and_next = std::string(view.substr(99'000)) + "\x30\x50";
    mqtt::Decoder decoder(kNoLimit);
    mqtt::Packet packet;
    const std::size_t before = mqtt::allocations().held_bytes;
    decoder.feed(view.substr(0, 99'000));
    CHECK(decoder.next(packet) == mqtt::Decoder::kNeedMore);
    decoder.keep();
    CHECK(mqtt::allocations().held_bytes - before >= 99'000);
    decoder.feed(view.substr(99'000));
    CHECK(decoder.next(packet) == mqtt::Decoder::kPacket);
    CHECK(decoder.next(packet) == mqtt::Decoder::kNeedMore);
    decoder.keep();
    CHECK(mqtt::allocations().held_bytes == before);

    // And with a few bytes of the next packet it holds hardly more than those.
    decoder.feed(view.substr(0, 99'000));
    decoder.keep();
    decoder.feed(end_and_next);
    CHECK(decoder.next(packet) == mqtt::Decoder::kPacket);
    decoder.keep();
    CHECK(decoder.buffered() == 2);
    CHECK(mqtt::allocations().held_bytes - before < 100);
  }

  TEST_CASE("memory: a backlog that is drained slowly gives back what was decoded") {
    std::string stream;
    for (int i = 0; i < 10'000; ++i) mqtt::encode(stream, mqtt::Puback{1});
    const std::size_t before = mqtt::allocations().held_bytes;
    mqtt::Decoder decoder(kNoLimit);
    mqtt::Packet packet;
    decoder.feed(stream);
    decoder.keep();
    bool bounded = true;
    int packets = 0;
    while (decoder.next(packet) == mqtt::Decoder::kPacket) {
      ++packets;
      decoder.keep();
      bounded = bounded && mqtt::allocations().held_bytes - before <= 2 * decoder.buffered() + 100;
    }
    CHECK(packets == 10'000);
    CHECK(bounded);
    CHECK(mqtt::allocations().held_bytes == before);
  }

  TEST_CASE("memory: a large packet in many small chunks is put together with a linear amount of copying") {
    std::string bytes;
    const std::string payload(1'000'000, 'p');
    mqtt::encode(bytes, telemetry(payload));
    mqtt::Decoder decoder(kNoLimit);
    mqtt::Packet packet;
    const auto before = mqtt::allocations();
    std::size_t at = 0;
    for (; at + 8 < bytes.size(); at += 8) {
      decoder.feed(std::string_view(bytes).substr(at, 8));
      if (decoder.next(packet) != mqtt::Decoder::kNeedMore) FAIL("at ", at);
      decoder.keep();
    }
    decoder.feed(std::string_view(bytes).substr(at));
    REQUIRE(decoder.next(packet) == mqtt::Decoder::kPacket);
    CHECK(packet == mqtt::Packet(telemetry(payload)));
    CHECK(mqtt::allocations().bytes - before.bytes < 5 * bytes.size());
  }

  // Quadratic work here would move terabytes, and the test would run into its time limit.
  TEST_CASE("memory: two million packets in a backlog are drained one by one in linear time, with new ones coming") {
    const std::string ping = "\xC0\x00"s;
    std::string stream;
    for (int i = 0; i < 2'000'000; ++i) stream += ping;
    mqtt::Decoder decoder(kNoLimit);
    mqtt::Packet packet;
    decoder.feed(stream);
    decoder.keep();
    int packets = 0;
    for (int i = 0; i < 2'000'000; ++i) {
      if (decoder.next(packet) == mqtt::Decoder::kPacket) ++packets;
      decoder.keep();
      if (i % 2 == 0) {
        decoder.feed(ping);
        decoder.keep();
      }
    }
    CHECK(packets == 2'000'000);
    CHECK(decoder.buffered() == 2'000'000);
    while (decoder.next(packet) == mqtt::Decoder::kPacket) ++packets;
    CHECK(packets == 3'000'000);
  }

  TEST_CASE("limit: it counts the fixed header, and a larger packet is refused as soon as its length is known") {
    std::string bytes;
    const std::string payload(267, 'p');
    mqtt::encode(bytes, mqtt::Publish{"t/u", payload, 0, false, false, 0});
    REQUIRE(bytes.size() == 275);
    mqtt::Decoder enough(275), too_small(274);
    mqtt::Packet packet;
    enough.feed(bytes);
    CHECK(enough.next(packet) == mqtt::Decoder::kPacket);
    CHECK_FALSE(enough.too_large());

    too_small.feed(std::string_view(bytes).substr(0, 2));
    CHECK(too_small.next(packet) == mqtt::Decoder::kNeedMore);
    too_small.keep();
    too_small.feed(std::string_view(bytes).substr(2, 1));
    CHECK(too_small.next(packet) == mqtt::Decoder::kError);
    CHECK(too_small.too_large());
    CHECK(too_small.packet_bytes() == 275);
    CHECK(too_small.error() == "PUBLISH of 275 bytes; at most 274 are allowed");
  }

  TEST_CASE("limit: the largest length that can be announced") {
    mqtt::Decoder decoder(262'144);
    mqtt::Packet packet;
    decoder.feed("\x10\xFF\xFF\xFF\x7F"sv);
    CHECK(decoder.next(packet) == mqtt::Decoder::kError);
    CHECK(decoder.too_large());
    CHECK(decoder.packet_bytes() == 268'435'460);
    CHECK(decoder.error() == "CONNECT of 268435460 bytes; at most 262144 are allowed");
  }

  TEST_CASE("limit: it may be raised between packets, as after a CONNECT") {
    std::string bytes;
    mqtt::Connect connect;
    connect.client_id = "dev";
    mqtt::encode(bytes, connect);
    const std::string payload(1000, 'p');
    mqtt::encode(bytes, telemetry(payload));
    mqtt::Decoder decoder(100);
    mqtt::Packet packet;
    decoder.feed(bytes);
    REQUIRE(decoder.next(packet) == mqtt::Decoder::kPacket);
    decoder.set_max_packet_bytes(2000);
    REQUIRE(decoder.next(packet) == mqtt::Decoder::kPacket);
    CHECK(packet == mqtt::Packet(telemetry(payload)));
  }
}
