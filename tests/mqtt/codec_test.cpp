#include <doctest/doctest.h>

#include <set>
#include <string>
#include <variant>
#include <vector>

#include "tests/mqtt/samples.h"
#include "wire/mqtt/decoder.h"
#include "wire/mqtt/encoder.h"

using namespace nearhub;
using namespace std::string_view_literals;

namespace {

constexpr std::size_t kAnySize = 1'000'000'000;

std::string encoded(const mqtt::Packet& packet) {
  std::string out;
  std::visit([&out](const auto& value) { mqtt::encode(out, value); }, packet);
  return out;
}

}  // namespace

TEST_SUITE("mqtt") {
  TEST_CASE("decoder: every packet of the standard, in both directions") {
    for (const mqtt::Sample& sample : mqtt::samples()) {
      CAPTURE(sample.name);
      mqtt::Decoder decoder(kAnySize);
      decoder.feed(sample.bytes);
      mqtt::Packet packet;
      CHECK(decoder.next(packet) == mqtt::Decoder::kPacket);
      CHECK(packet == sample.packet);
      CHECK(decoder.next(packet) == mqtt::Decoder::kNeedMore);
      CHECK(decoder.buffered() == 0);
      CHECK(decoder.error() == "");
    }
  }

  TEST_CASE("encoder: every packet byte for byte, behind what the buffer held before") {
    for (const mqtt::Sample& sample : mqtt::samples()) {
      CAPTURE(sample.name);
      CHECK(encoded(sample.packet) == sample.bytes);
      std::string out = "before";
      std::visit([&out](const auto& value) { mqtt::encode(out, value); }, sample.packet);
      CHECK(out == "before" + std::string(sample.bytes));
    }
  }

  TEST_CASE("samples: no kind of packet is missing") {
    std::set<std::string_view> names;
    for (const mqtt::Sample& sample : mqtt::samples()) {
      names.insert(mqtt::packet_name(sample.packet));
      CHECK(sample.name.starts_with(mqtt::packet_name(sample.packet)));
    }
    CHECK(names == std::set<std::string_view>{"CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
                                              "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP",
                                              "DISCONNECT"});
  }

  TEST_CASE("encoder: SUBSCRIBE and UNSUBSCRIBE are made from filters") {
    std::string out;
    mqtt::encode_subscribe(out, 0xABCD, {{"a", 0}, {"+b", 1}, {"c#", 2}});
    CHECK(out == "\x82\x10\xAB\xCD\x00\x01" "a\x00\x00\x02+b\x01\x00\x02" "c#\x02"sv);
    out.clear();
    mqtt::encode_unsubscribe(out, 2, {"ab", "c"});
    CHECK(out == "\xA2\x09\x00\x02\x00\x02" "ab\x00\x01" "c"sv);
  }

  TEST_CASE("decoder: the filters of a SUBSCRIBE and an UNSUBSCRIBE are read one after the other") {
    std::string bytes;
    mqtt::encode_subscribe(bytes, 1, {{"devices/+/messages/devicebound/#", 0}, {"$iothub/twin/res/#", 1}, {"x", 2}});
    mqtt::encode_unsubscribe(bytes, 2, {"x", "y/z"});
    mqtt::Decoder decoder(kAnySize);
    decoder.feed(bytes);
    mqtt::Packet packet;

    REQUIRE(decoder.next(packet) == mqtt::Decoder::kPacket);
    auto& subscriptions = std::get<mqtt::Subscribe>(packet).subscriptions;
    CHECK(subscriptions.count() == 3);
    mqtt::Subscription subscription;
    CHECK(subscriptions.next(subscription));
    CHECK(subscription == mqtt::Subscription{"devices/+/messages/devicebound/#", 0});
    CHECK(subscriptions.next(subscription));
    CHECK(subscription == mqtt::Subscription{"$iothub/twin/res/#", 1});
    CHECK(subscriptions.count() == 1);
    CHECK(subscriptions.next(subscription));
    CHECK(subscription == mqtt::Subscription{"x", 2});
    CHECK_FALSE(subscriptions.next(subscription));
    CHECK(subscriptions.count() == 0);

    REQUIRE(decoder.next(packet) == mqtt::Decoder::kPacket);
    auto& filters = std::get<mqtt::Unsubscribe>(packet).filters;
    CHECK(filters.count() == 2);
    std::string_view filter;
    CHECK(filters.next(filter));
    CHECK(filter == "x");
    CHECK(filters.next(filter));
    CHECK(filter == "y/z");
    CHECK_FALSE(filters.next(filter));
  }

  TEST_CASE("remaining length: one to four bytes, switched at 128, 16384 and 2097152") {
    struct Case {
      std::size_t remaining;
      std::string_view header;
    };
    const Case cases[] = {
        {127, "\x30\x7F"sv},           {128, "\x30\x80\x01"sv},
        {16'383, "\x30\xFF\x7F"sv},    {16'384, "\x30\x80\x80\x01"sv},
        {2'097'151, "\x30\xFF\xFF\x7F"sv}, {2'097'152, "\x30\x80\x80\x80\x01"sv},
    };
    for (const Case& c : cases) {
      CAPTURE(c.remaining);
      const std::string payload(c.remaining - 3, 'p');
      const mqtt::Publish publish{"t", payload, 0, false, false, 0};
      std::string bytes;
      mqtt::encode(bytes, publish);
      CHECK(bytes == std::string(c.header) + std::string("\x00\x01t", 3) + payload);
      CHECK(mqtt::encoded_size(publish) == bytes.size());

      mqtt::Decoder decoder(kAnySize);
      decoder.feed(bytes);
      mqtt::Packet packet;
      REQUIRE(decoder.next(packet) == mqtt::Decoder::kPacket);
      CHECK(packet == mqtt::Packet(publish));
    }
  }

  TEST_CASE("remaining length: written with more bytes than needed it is read all the same") {
    for (const std::string_view bytes : {"\x40\x82\x00\x00\x07"sv, "\x40\x82\x80\x00\x00\x07"sv, "\x40\x82\x80\x80\x00\x00\x07"sv}) {
      mqtt::Decoder decoder(kAnySize);
      decoder.feed(bytes);
      mqtt::Packet packet;
      REQUIRE(decoder.next(packet) == mqtt::Decoder::kPacket);
      CHECK(packet == mqtt::Packet(mqtt::Puback{7}));
      CHECK(decoder.buffered() == 0);
    }
  }

  TEST_CASE("fields: 65535 bytes are the most that a topic, a user name or a password can have") {
    const std::string longest(mqtt::kMaxFieldBytes, 'x');
    std::string bytes;
    mqtt::Connect connect;
    connect.client_id = "dev", connect.username = longest, connect.password = longest;
    mqtt::encode(bytes, connect);
    const mqtt::Publish publish{longest, "p", 1, false, false, 1};
    mqtt::encode(bytes, publish);
    mqtt::Decoder decoder(kAnySize);
    decoder.feed(bytes);
    mqtt::Packet packet;
    REQUIRE(decoder.next(packet) == mqtt::Decoder::kPacket);
    CHECK(packet == mqtt::Packet(connect));
    REQUIRE(decoder.next(packet) == mqtt::Decoder::kPacket);
    CHECK(packet == mqtt::Packet(publish));
  }
}
