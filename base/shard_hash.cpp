#include "base/shard_hash.h"

namespace nearhub {

std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a offset basis and prime
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3u;
  }
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdu;  // MurmurHash3's 64-bit finaliser
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53u;
  hash ^= hash >> 33;
  return hash;
}

std::uint32_t shard_of(std::string_view device_id, std::uint32_t shards) {
  return static_cast<std::uint32_t>((stable_hash(device_id) & 0xffffffffu) % shards);
}

std::uint32_t partition_of(std::string_view device_id, std::uint32_t partitions) {
  return static_cast<std::uint32_t>((stable_hash(device_id) >> 32) % partitions);
}

}  // namespace nearhub
