// MQTT 3.1.1 bytes to packets, without a socket.
//
//   decoder.feed(chunk);
//   mqtt::Packet packet;
//   while (decoder.next(packet) == mqtt::Decoder::kPacket) handle(packet);   // may stop early, for instance to wait for a verdict
//   decoder.keep();                                                          // before `chunk` goes away
//
// A packet that lies whole in the chunk is decoded in place: its views point into the chunk and nothing is copied or allocated. Only
// what is left over is copied by keep(), as it arrived: an announced length allocates nothing.
//
// Strict on what the standard calls malformed (flags, lengths, UTF-8 with NUL or surrogates, packet id 0, QoS 3, empty lists, bytes left
// over in a packet). Deliberately lenient in two places:
// - Wildcard characters may stand anywhere in topics and filters, because device ids and raw property values may contain them
//   (reference/device-mqtt.md 2.1, 4.2); the session matches both literally.
// - A remaining length may be written with more bytes than it needs, four at most: 3.1.1 does not forbid it.
// Left to the session: what depends on more than one packet or on the identity, an empty client id included.
//
// THREAD: one thread at a time. ERRORS: after kError the decoder stays in error; error() says what was wrong, for the refusal log.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/mqtt/packet.h"

namespace nearhub::mqtt {

class Decoder {
 public:
  enum Outcome { kPacket, kNeedMore, kError };

  // `max_packet_bytes` bounds one packet, its fixed header included. A larger one is an error as soon as its length is known.
  explicit Decoder(std::size_t max_packet_bytes) : max_packet_bytes_(max_packet_bytes) {}

  void set_max_packet_bytes(std::size_t bytes) { max_packet_bytes_ = bytes; }

  // Borrows `bytes` until keep(). Only after keep() (or at the start) may feed() be called again. Ignored after an error.
  void feed(std::string_view bytes);

  // The next whole packet. Its views are valid until keep() or feed(). With another outcome `packet` is unspecified.
  Outcome next(Packet& packet);

  // Copies what has not been decoded yet, and frees the memory of what has. A connection with nothing left over holds no memory.
  void keep();

  // Bytes held back: a partial packet, or packets not yet asked for. 0 after an error.
  std::size_t buffered() const { return kept_.size() - kept_at_ + borrowed_.size(); }

  // True when the last error was a packet over max_packet_bytes; packet_bytes() is then its announced size.
  bool too_large() const { return too_large_; }
  std::size_t packet_bytes() const { return packet_bytes_; }
  // A sentence: "PUBLISH with QoS 3". Empty without an error.
  const std::string& error() const { return error_; }

 private:
  Outcome fail(std::string what);

  std::size_t max_packet_bytes_;
  std::string kept_;            // undecoded bytes of earlier chunks
  std::size_t kept_at_ = 0;     // how much of kept_ is decoded
  std::string_view borrowed_;   // undecoded bytes of this chunk; they follow those of kept_ and begin with a packet
  std::string error_;
  std::size_t packet_bytes_ = 0;
  bool too_large_ = false;
};

}  // namespace nearhub::mqtt
