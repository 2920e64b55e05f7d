#include "wire/mqtt/decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "wire/mqtt/packet_body.h"
#include "wire/mqtt/packet_type.h"

namespace nearhub::mqtt {

void Decoder::feed(std::string_view bytes) {
  NEARHUB_CHECK(borrowed_.empty());
  if (!error_.empty()) return;

  // A packet that began in an earlier chunk is completed in kept_, and not a byte more is copied: what follows is decoded
  // in place.
  while (kept_at_ < kept_.size() && !bytes.empty()) {
    const std::string_view kept = std::string_view(kept_).substr(kept_at_);
    const FixedHeader header = read_fixed_header(kept);
    if (header.state == FixedHeader::kMalformed) break;
    std::size_t wanted = 1;
    if (header.state == FixedHeader::kComplete) {
      if (kept.size() == header.packet_bytes()) break;
      // Packets that nobody asked for yet: the chunk queues behind them.
      wanted = kept.size() < header.packet_bytes() ? header.packet_bytes() - kept.size() : bytes.size();
    }
    kept_.append(bytes.substr(0, wanted));
    bytes.remove_prefix(std::min(wanted, bytes.size()));
  }
  borrowed_ = bytes;
}

Decoder::Outcome Decoder::next(Packet& packet) {
  if (!error_.empty()) [[unlikely]] return kError;
  const bool from_kept = kept_at_ < kept_.size();
  const std::string_view bytes = from_kept ? std::string_view(kept_).substr(kept_at_) : borrowed_;

  const FixedHeader header = read_fixed_header(bytes);
  if (header.state == FixedHeader::kPartial) return kNeedMore;
  if (header.state == FixedHeader::kMalformed) [[unlikely]] return fail(fixed_header_fault(header.first_byte));

  const PacketRules& rules = rules_of(header.first_byte);
  if (header.packet_bytes() > max_packet_bytes_) [[unlikely]] {
    too_large_ = true;
    packet_bytes_ = header.packet_bytes();
    return fail(fmt::format("{} of {} bytes; at most {} are allowed", rules.name, packet_bytes_, max_packet_bytes_));
  }
  if (!rules.allow(header.remaining_bytes)) [[unlikely]] {
    return fail(fmt::format("{} with remaining length {}; {} is required", rules.name, header.remaining_bytes,
                            rules.remaining_bytes));
  }
  if (bytes.size() < header.packet_bytes()) return kNeedMore;

  const std::string_view body = bytes.substr(header.header_bytes, header.remaining_bytes);
  if (!decode_body(header.first_byte, body, packet, error_)) [[unlikely]] {
    return fail(std::move(error_));
  }
  if (from_kept) {
    kept_at_ += header.packet_bytes();
  } else {
    borrowed_.remove_prefix(header.packet_bytes());
  }
  return kPacket;
}

void Decoder::keep() {
  const std::size_t kept = kept_.size() - kept_at_;
  if (kept == 0) {
    // Swapped, because an assignment of little or nothing would hold on to the old memory.
    if (!kept_.empty() || !borrowed_.empty()) std::string(borrowed_).swap(kept_);
    kept_at_ = 0;
  } else {
    // Moving the rest only when at least as much is decoded keeps a slowly drained backlog linear: each move is paid for
    // by as many bytes that went before it.
    if (kept_at_ >= kept) {
      std::string(kept_, kept_at_).swap(kept_);
      kept_at_ = 0;
    }
    kept_.append(borrowed_);
  }
  borrowed_ = {};
}

Decoder::Outcome Decoder::fail(std::string what) {
  error_ = std::move(what);
  // Nothing of what is left will be read. Its memory stays until keep(): earlier packets may still be looked at.
  kept_at_ = kept_.size();
  borrowed_ = {};
  return kError;
}

}  // namespace nearhub::mqtt
