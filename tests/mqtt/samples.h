// One packet of every kind and of every layout, as bytes and as a value.
#pragma once
#include <string_view>
#include <vector>

#include "wire/mqtt/packet.h"

namespace nearhub::mqtt {

struct Sample {
  std::string_view name;
  std::string_view bytes;
  Packet packet;
};

inline std::vector<Sample> samples() {
  using namespace std::string_view_literals;
  const auto connect = [](auto change) {
    Connect packet;
    change(packet);
    return Packet(packet);
  };
  return {
      {"CONNECT with nothing but a client id",
       "\x10\x0F\x00\x04MQTT\x04\x02\x00\x3C\x00\x03" "dev"sv,
       connect([](Connect& p) { p.client_id = "dev", p.keep_alive_s = 60; })},
      {"CONNECT without a client id, for a new session",
       "\x10\x0C\x00\x04MQTT\x04\x02\x00\x00\x00\x00"sv, connect([](Connect&) {})},
      {"CONNECT without a client id, for a stored session: the session above refuses it",
       "\x10\x0C\x00\x04MQTT\x04\x00\x00\x00\x00\x00"sv, connect([](Connect& p) { p.clean_session = false; })},
      {"CONNECT with everything; will payload and password are binary",
       "\x10\x1F\x00\x04MQTT\x04\xEE\x00\xB4\x00\x03" "dev\x00\x03w/t\x00\x02\x00\xFF\x00\x01u\x00\x02\xFF\x00"sv,
       connect([](Connect& p) {
         p.client_id = "dev", p.keep_alive_s = 180;
         p.will = Will{"w/t", "\x00\xFF"sv, 1, true};
         p.username = "u", p.password = "\xFF\x00"sv;
       })},
      {"CONNECT with an empty will payload, an empty user name and an empty password",
       "\x10\x18\x00\x04MQTT\x04\xD4\xFF\xFF\x00\x03" "dev\x00\x01w\x00\x00\x00\x00\x00\x00"sv,
       connect([](Connect& p) {
         p.client_id = "dev", p.keep_alive_s = 65535, p.clean_session = false;
         p.will = Will{"w", "", 2, false};
         p.username = "", p.password = "";
       })},
      {"CONNACK, new session", "\x20\x02\x00\x00"sv, Connack{false, 0}},
      {"CONNACK, stored session", "\x20\x02\x01\x00"sv, Connack{true, 0}},
      {"CONNACK, not authorised", "\x20\x02\x00\x05"sv, Connack{false, 5}},
      {"PUBLISH QoS 0", "\x30\x08\x00\x03" "a/bxyz"sv, Publish{"a/b", "xyz", 0, false, false, 0}},
      {"PUBLISH QoS 0 with retain and an empty payload", "\x31\x03\x00\x01" "a"sv, Publish{"a", "", 0, false, true, 0}},
      {"PUBLISH QoS 1 with a binary payload", "\x32\x08\x00\x01" "a\x00\x0A\x00\xFF\x80"sv,
       Publish{"a", "\x00\xFF\x80"sv, 1, false, false, 10}},
      {"PUBLISH QoS 1, sent again", "\x3A\x05\x00\x01" "a\xFF\xFF"sv, Publish{"a", "", 1, true, false, 65535}},
      {"PUBLISH QoS 2 with every flag", "\x3D\x06\x00\x01" "a\x01\x00z"sv, Publish{"a", "z", 2, true, true, 256}},
      {"PUBLISH with wildcards in the topic, which device ids and property values may contain", "\x30\x0A\x00\x08" "a+b/#/+c"sv,
       Publish{"a+b/#/+c", "", 0, false, false, 0}},
      {"PUBLISH with UTF-8 in the topic", "\x30\x0B\x00\x09\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"sv,
       Publish{"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", "", 0, false, false, 0}},
      {"PUBACK", "\x40\x02\x12\x34"sv, Puback{0x1234}},
      {"PUBREC", "\x50\x02\x00\x01"sv, Pubrec{1}},
      {"PUBREL", "\x62\x02\xFF\xFF"sv, Pubrel{65535}},
      {"PUBCOMP", "\x70\x02\x01\x00"sv, Pubcomp{256}},
      {"SUBSCRIBE to one filter", "\x82\x08\x00\x01\x00\x03" "a/#\x01"sv, Subscribe{1, SubscriptionList("\x00\x03" "a/#\x01"sv)}},
      {"SUBSCRIBE to three filters", "\x82\x10\xAB\xCD\x00\x01" "a\x00\x00\x02+b\x01\x00\x02" "c#\x02"sv,
       Subscribe{0xABCD, SubscriptionList("\x00\x01" "a\x00\x00\x02+b\x01\x00\x02" "c#\x02"sv)}},
      {"SUBACK with every code", "\x90\x06\x00\x07\x00\x01\x02\x80"sv, Suback{7, "\x00\x01\x02\x80"sv}},
      {"UNSUBSCRIBE from one filter", "\xA2\x05\x00\x02\x00\x01" "a"sv, Unsubscribe{2, FilterList("\x00\x01" "a"sv)}},
      {"UNSUBSCRIBE from two filters", "\xA2\x09\x00\x02\x00\x02" "ab\x00\x01" "c"sv,
       Unsubscribe{2, FilterList("\x00\x02" "ab\x00\x01" "c"sv)}},
      {"UNSUBACK", "\xB0\x02\x00\x02"sv, Unsuback{2}},
      {"PINGREQ", "\xC0\x00"sv, Pingreq{}},
      {"PINGRESP", "\xD0\x00"sv, Pingresp{}},
      {"DISCONNECT", "\xE0\x00"sv, Disconnect{}},
  };
}

}  // namespace nearhub::mqtt
