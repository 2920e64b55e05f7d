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
// over in a packet). Deliberately lenient in one place: wildcard characters in the topic of a PUBLISH pass, because device ids and raw
// property values may contain them (reference/device-mqtt.md 2.1, 4.2); the session matches topics literally.
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

  // Borrows `bytes` until keep(). Only after keep() (or at the start) may feed() be called again.
  void feed(std::string_view bytes);

  // The next whole packet. Its views are valid until keep() or feed().
  Outcome next(Packet& packet);

  // Copies what has not been decoded yet, and frees the memory of what has.
  void keep();

  // Bytes held back: a partial packet, or packets not yet asked for.
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
  std::string_view borrowed_;   // undecoded bytes of this chunk; used only while kept_ holds none
  std::string error_;
  std::size_t packet_bytes_ = 0;
  bool too_large_ = false;
};

}  // namespace nearhub::mqtt
