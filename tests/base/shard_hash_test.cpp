#include "base/shard_hash.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

using namespace nearhub;

TEST_SUITE("base") {
  // These numbers are on users' disks. If this test fails, the function is wrong, not the test.
  TEST_CASE("shard hash: never changes") {
    CHECK(stable_hash("") == 0xefd01f60ba992926u);
    CHECK(stable_hash("a") == 0x82a2a958a9bece5bu);
    CHECK(stable_hash("device-1") == 0xe340ac1c4190ad44u);
    CHECK(stable_hash("sample-device-01") == 0xb26a808cb1c0b18au);
    CHECK(stable_hash("\xFF\x80") == 0x0c1fbda391c27e28u);  // bytes, not signed characters
    CHECK(stable_hash(std::string(128, 'x')) == 0xf49aa9bdd01bd993u);
  }

  TEST_CASE("shard of a device: never changes, below the number of shards") {
    CHECK(shard_of("device-1", 4) == 0);
    CHECK(shard_of("sample-device-01", 4) == 2);
    CHECK(shard_of("a", 4) == 3);
    CHECK(shard_of("a", 3) == 2);
    CHECK(shard_of("a", 1) == 0);
  }

  TEST_CASE("partition of a device: never changes, below the number of partitions") {
    CHECK(partition_of("device-1", 32) == 28);
    CHECK(partition_of("sample-device-01", 32) == 12);
    CHECK(partition_of("a", 32) == 24);
    CHECK(partition_of("a", 1) == 0);
  }

  TEST_CASE("shards: ten thousand like-named devices spread over four shards within a tenth") {
    std::array<int, 4> count{};
    for (int i = 0; i < 10'000; ++i) ++count.at(shard_of("device-" + std::to_string(i), 4));
    for (const int devices : count) {
      CHECK(devices >= 2250);
      CHECK(devices <= 2750);
    }
  }

  TEST_CASE("partitions: the devices of one shard spread over all partitions, so the two do not depend on each other") {
    std::array<std::array<int, 4>, 4> count{};
    for (int i = 0; i < 10'000; ++i) {
      const std::string id = "device-" + std::to_string(i);
      ++count.at(shard_of(id, 4)).at(partition_of(id, 4));
    }
    for (const auto& shard : count) {
      for (const int devices : shard) {
        CHECK(devices >= 500);  // 625 on average
        CHECK(devices <= 750);
      }
    }
  }
}
