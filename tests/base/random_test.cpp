#include "base/random.h"

#include <doctest/doctest.h>

#include <set>

#include "base/base64.h"

using namespace nearhub;

namespace {

// Every byte the same.
class ConstantRandom final : public Random {
 public:
  explicit ConstantRandom(unsigned char byte) : byte_(byte) {}
  void fill(void* bytes, std::size_t size) override {
    for (std::size_t i = 0; i < size; ++i) static_cast<unsigned char*>(bytes)[i] = byte_;
  }

 private:
  unsigned char byte_;
};

}  // namespace

TEST_SUITE("base") {
  TEST_CASE("random: a UUID is of version 4 and the RFC's variant, whatever the bytes") {
    CHECK(ConstantRandom(0x00).uuid() == "00000000-0000-4000-8000-000000000000");
    CHECK(ConstantRandom(0xFF).uuid() == "ffffffff-ffff-4fff-bfff-ffffffffffff");
    SeededRandom random(1);
    for (int i = 0; i < 100; ++i) {
      const std::string uuid = random.uuid();
      REQUIRE(uuid.size() == 36);
      for (std::size_t at = 0; at < 36; ++at) {
        const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
        CHECK((dash ? uuid[at] == '-' : std::string_view("0123456789abcdef").find(uuid[at]) != std::string_view::npos));
      }
      CHECK(uuid[14] == '4');
      CHECK(std::string_view("89ab").find(uuid[19]) != std::string_view::npos);
    }
  }

  TEST_CASE("random: a symmetric key is 32 bytes in base64") {
    SeededRandom random(1);
    const std::string key = random.symmetric_key();
    CHECK(key.size() == 44);
    REQUIRE(base64_decode(key).has_value());
    CHECK(base64_decode(key)->size() == 32);
    CHECK(key != random.symmetric_key());
    CHECK(ConstantRandom(0x00).symmetric_key() == "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  }

  TEST_CASE("random: bytes and hex digits in the number that was asked for") {
    CHECK(ConstantRandom(0x0A).bytes(3) == "\n\n\n");
    CHECK(ConstantRandom(0x0A).hex(3) == "0a0a0a");
    CHECK(ConstantRandom(0xFF).next() == UINT64_MAX);
    CHECK(SystemRandom().bytes(0).empty());
    CHECK(SystemRandom().hex(0).empty());
  }

  TEST_CASE("random: the same seed repeats a run, another does not") {
    SeededRandom first(7), again(7), other(8);
    const std::string bytes = first.bytes(32);
    CHECK(bytes == again.bytes(32));
    CHECK(bytes != other.bytes(32));
    CHECK(first.uuid() == again.uuid());
    CHECK(first.next() == again.next());
    CHECK(first.bytes(32) != bytes);
    // In two pieces or in one.
    SeededRandom pieces(7);
    const std::string head = pieces.bytes(5), tail = pieces.bytes(27);
    CHECK(head + tail == bytes);
  }

  TEST_CASE("random: the system's generator does not repeat itself") {
    SystemRandom random;
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(random.bytes(16));
    CHECK(seen.size() == 1000);
  }
}
