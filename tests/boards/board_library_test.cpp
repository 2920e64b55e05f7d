// How the hub tells boards' libraries from other clients.
#include "broker/board.h"

#include <doctest/doctest.h>

#include "tests/boards/nrf_library.h"
#include "wire/mqtt/decoder.h"
#include "wire/mqtt/encoder.h"

using namespace nearhub;
using namespace nearhub::broker;
using namespace nearhub::test;

namespace {

const IdentityId kSelf{DeviceId("d1"), {}};

const BoardLibrary* recognised(const std::vector<std::string>& filters, std::uint8_t qos = 0) {
  std::string body{'\0', '\1'};
  for (const std::string& filter : filters) {
    body += {'\0', static_cast<char>(filter.size())};
    body += filter;
    body += static_cast<char>(qos);
  }
  REQUIRE(body.size() < 16384);
  const std::string bytes = std::string{static_cast<char>(0x82), static_cast<char>(body.size() % 128 | 0x80), static_cast<char>(body.size() / 128)} + body;
  mqtt::Decoder decoder(bytes.size());
  decoder.feed(bytes);
  mqtt::Packet packet;
  REQUIRE(decoder.next(packet) == mqtt::Decoder::kPacket);
  return recognise_board(std::get<mqtt::Subscribe>(packet).subscriptions, kSelf);
}

bool may_be(const char* user_name) {
  const auto user = parse_username(user_name);
  REQUIRE(user.ok());
  return may_be_board(*user);
}

}  // namespace

TEST_SUITE("boards") {
  TEST_CASE("board library: told by its four filters in its own order, at QoS 0") {
    const BoardLibrary* first = recognised(nrf_filters(kNcs15, "d1"));
    const BoardLibrary* second = recognised(nrf_filters(kNcs2, "d1"));
    REQUIRE(first != nullptr);
    REQUIRE(second != nullptr);
    CHECK(first->name == "nRF Connect SDK 1.x");
    CHECK(second->name == "nRF Connect SDK 2.x");
    CHECK(first->payload_bytes == kNcs15.payload_bytes);
    CHECK(first->most_payload_bytes == kNcs19.payload_bytes);
    CHECK(second->payload_bytes == kNcs2.payload_bytes);
    CHECK(recognised(nrf_filters(kNcs2, "d1"), 1) == nullptr);
    auto shorter = nrf_filters(kNcs2, "d1");
    shorter.pop_back();
    CHECK(recognised(shorter) == nullptr);
    auto longer = nrf_filters(kNcs2, "d1");
    longer.push_back(longer.front());
    CHECK(recognised(longer) == nullptr);
    CHECK(recognised({"no", "such", "filters", "here"}) == nullptr);
  }

  TEST_CASE("board library: the user name of an nRF board has the api-version and nothing else") {
    CHECK(may_be("hub/d1/?api-version=2020-09-30"));
    CHECK_FALSE(may_be("hub/d1/?api-version=2021-04-12"));
    CHECK_FALSE(may_be("hub/d1/m1/?api-version=2020-09-30"));
    CHECK_FALSE(may_be("hub/d1/?api-version=2020-09-30&DeviceClientType=azsdk-c%2F1.2.0"));
    CHECK_FALSE(may_be("hub/d1/?api-version=2020-09-30&model-id=dtmi:a:b;1"));
    CHECK_FALSE(may_be("hub/d1"));
  }

  TEST_CASE("board library: header and payload are measured to the byte") {
    const BoardLibrary& library = *recognised(nrf_filters(kNcs2, "d1"));
    // First byte, one or two bytes of length, two bytes of the topic's length, the topic.
    const std::string topic(251, 't'), longer(252, 't'), payload(2048, 'p');
    CHECK_FALSE(board_warning(library, {.topic = topic, .payload = "x"}).has_value());
    CHECK(board_warning(library, {.topic = longer, .payload = "x"}).has_value());
    CHECK_FALSE(board_warning(library, {.topic = "t", .payload = payload}).has_value());
    CHECK(board_warning(library, {.topic = "t", .payload = payload + "p"}).has_value());
    CHECK(board_warning(library, {.topic = topic, .payload = "x", .qos = 1, .packet_id = 1}).has_value());
  }
}
