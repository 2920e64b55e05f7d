// Which shard and which partition a device belongs to.
//
// Our own hash, never std::hash: a restart, a test and a replicated store must all agree, so these functions may not change once a
// data folder exists.
//
// THREAD: any thread.
#pragma once
#include <cstdint>
#include <string_view>

namespace nearhub {

// FNV-1a over the bytes, then a 64-bit finaliser so that low and high halves are independent.
std::uint64_t stable_hash(std::string_view text);

// The home shard of a device and its modules, 0..shards-1.
std::uint32_t shard_of(std::string_view device_id, std::uint32_t shards);

// The partition of a device's telemetry, 0..partitions-1; independent of shard_of.
std::uint32_t partition_of(std::string_view device_id, std::uint32_t partitions);

}  // namespace nearhub
