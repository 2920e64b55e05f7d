// MQTT 3.1.1 packets to bytes, appended to the caller's buffer.
//
// Both directions: the hub sends CONNACK, SUBACK, PUBLISH...; the tests, the benchmark and the simulators send the rest. Writing a
// PUBLISH costs one append of its exact size.
//
// The caller keeps to the standard: text is valid UTF-8 of at most kMaxFieldBytes bytes, packet ids are not 0, lists are not empty.
// Breaches are our own mistakes and stop the process; UTF-8 is checked in debug builds alone, because it costs a pass over the text. So
// what a peer can make too long (a topic with a property bag) is measured before it comes here.
//
// THREAD: any thread, one buffer at a time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "wire/mqtt/packet.h"

namespace nearhub::mqtt {

void encode(std::string& out, const Connect& packet);
void encode(std::string& out, const Connack& packet);
void encode(std::string& out, const Publish& packet);
void encode(std::string& out, const Puback& packet);
void encode(std::string& out, const Pubrec& packet);
void encode(std::string& out, const Pubrel& packet);
void encode(std::string& out, const Pubcomp& packet);
void encode(std::string& out, const Subscribe& packet);  // with a decoded list; encode_subscribe() makes one
void encode(std::string& out, const Suback& packet);
void encode(std::string& out, const Unsubscribe& packet);  // with a decoded list; encode_unsubscribe() makes one
void encode(std::string& out, const Unsuback& packet);
void encode(std::string& out, const Pingreq& packet);
void encode(std::string& out, const Pingresp& packet);
void encode(std::string& out, const Disconnect& packet);
void encode_subscribe(std::string& out, std::uint16_t packet_id, std::initializer_list<Subscription> subscriptions);
void encode_unsubscribe(std::string& out, std::uint16_t packet_id, std::initializer_list<std::string_view> filters);

// The size that encode() will append for a PUBLISH.
std::size_t encoded_size(const Publish& packet);

}  // namespace nearhub::mqtt
