// Any bytes, cut in any way.
//
// Input: one byte n (modulo 8), n bytes that say how the stream is cut (used in turn), the stream. Of a cut byte the low
// six bits are the chunk's size less one; the high two say when the reader pauses: 0 not before the chunk's end, 1 at once,
// 2 after one packet, 3 after two. A first byte '0' means no cut bytes (chunks of one byte), so that a seed is a digit and
// the packets.
//
// Checked: a packet that was decoded is encoded to the bytes that it came from, and decoded again it is the same; the
// stream gives the same packets and the same error whole as cut; the decoder reads nothing past a chunk and keeps no view
// of one.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/check.h"
#include "wire/mqtt/decoder.h"
#include "wire/mqtt/encoder.h"

using namespace nearhub;

namespace {

constexpr std::size_t kMaxPacketBytes = 2048;  // small enough that the limit is met

std::string encoded(const mqtt::Packet& packet) {
  std::string bytes;
  std::visit([&bytes](const auto& value) { mqtt::encode(bytes, value); }, packet);
  return bytes;
}

void check_round_trip(const mqtt::Packet& packet, const std::string& bytes) {
  mqtt::Decoder decoder(kMaxPacketBytes);
  decoder.feed(bytes);
  mqtt::Packet again;
  NEARHUB_CHECK(decoder.next(again) == mqtt::Decoder::kPacket);
  NEARHUB_CHECK(again == packet);
  NEARHUB_CHECK(decoder.buffered() == 0);
}

// `original` is what the decoder consumed. Only the remaining length may have been written in another way, with more
// bytes.
void check_bytes(const mqtt::Packet& packet, std::string_view original, std::string_view bytes) {
  const auto* connect = std::get_if<mqtt::Connect>(&packet);
  if (connect != nullptr && !connect->is_supported()) return;  // the rest of it was not read
  NEARHUB_CHECK(original.size() >= bytes.size() && original.size() - bytes.size() <= 3);
  if (original.size() == bytes.size()) NEARHUB_CHECK(original == bytes);
}

void check_lists(const mqtt::Packet& packet) {
  if (const auto* subscribe = std::get_if<mqtt::Subscribe>(&packet)) {
    mqtt::SubscriptionList list = subscribe->subscriptions;
    std::size_t left = list.count();
    NEARHUB_CHECK(left != 0);
    for (mqtt::Subscription subscription; list.next(subscription);) {
      NEARHUB_CHECK(!subscription.filter.empty() && subscription.qos <= 2);
      NEARHUB_CHECK(list.count() == --left);
    }
  } else if (const auto* unsubscribe = std::get_if<mqtt::Unsubscribe>(&packet)) {
    mqtt::FilterList list = unsubscribe->filters;
    std::size_t left = list.count();
    NEARHUB_CHECK(left != 0);
    for (std::string_view filter; list.next(filter);) {
      NEARHUB_CHECK(!filter.empty());
      NEARHUB_CHECK(list.count() == --left);
    }
  }
}

struct Decoded {
  std::vector<std::string> packets;  // encoded
  std::string error;
  bool too_large = false;
  std::size_t packet_bytes = 0;
  std::size_t buffered = 0;
};

// Takes up to `most` packets; false when none is left.
bool take(mqtt::Decoder& decoder, Decoded& decoded, std::size_t most) {
  mqtt::Packet packet;
  for (std::size_t i = 0; i < most; ++i) {
    if (decoder.next(packet) != mqtt::Decoder::kPacket) return false;
    decoded.packets.push_back(encoded(packet));
  }
  return true;
}

void finish(const mqtt::Decoder& decoder, Decoded& decoded) {
  decoded.error = decoder.error();
  decoded.too_large = decoder.too_large();
  decoded.packet_bytes = decoder.packet_bytes();
  decoded.buffered = decoder.buffered();
}

Decoded decode_whole(std::string_view stream) {
  Decoded decoded;
  mqtt::Decoder decoder(kMaxPacketBytes);
  decoder.feed(stream);
  mqtt::Packet packet;
  std::size_t before = decoder.buffered();
  while (decoder.next(packet) == mqtt::Decoder::kPacket) {
    const std::string_view original = stream.substr(stream.size() - before, before - decoder.buffered());
    before = decoder.buffered();
    const std::string bytes = encoded(packet);
    check_bytes(packet, original, bytes);
    check_lists(packet);
    check_round_trip(packet, bytes);
    decoded.packets.push_back(bytes);
  }
  finish(decoder, decoded);
  return decoded;
}

Decoded decode_cut(std::string_view stream, std::string_view cuts) {
  Decoded decoded;
  mqtt::Decoder decoder(kMaxPacketBytes);
  for (std::size_t i = 0; !stream.empty(); ++i) {
    const auto cut = static_cast<std::uint8_t>(cuts[i % cuts.size()]);
    const std::size_t size = std::min<std::size_t>((cut & 0x3F) + 1u, stream.size());
    // A copy of its own, gone after keep(): the address sanitizer sees a read past it or after it.
    const std::vector<char> chunk(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(size));
    stream.remove_prefix(size);
    decoder.feed({chunk.data(), chunk.size()});
    take(decoder, decoded, cut < 0x40 ? SIZE_MAX : (cut >> 6) - 1u);
    decoder.keep();
  }
  while (take(decoder, decoded, 1)) decoder.keep();
  finish(decoder, decoded);
  return decoded;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  const std::size_t cut_count = std::min<std::size_t>(static_cast<std::uint8_t>(input[0]) % 8, input.size() - 1);
  const std::string_view cuts = input.substr(1, cut_count), stream = input.substr(1 + cut_count);

  const Decoded whole = decode_whole(stream);
  const Decoded cut = decode_cut(stream, cuts.empty() ? std::string_view("\0", 1) : cuts);
  NEARHUB_CHECK(cut.packets == whole.packets);
  NEARHUB_CHECK(cut.error == whole.error);
  NEARHUB_CHECK(cut.too_large == whole.too_large);
  NEARHUB_CHECK(cut.packet_bytes == whole.packet_bytes);
  NEARHUB_CHECK(cut.buffered == whole.buffered);
  return 0;
}
