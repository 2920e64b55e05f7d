#include "base/random.h"

#include <openssl/rand.h>

#include "base/base64.h"
#include "base/check.h"
#include "base/text.h"

namespace nearhub {

std::uint64_t Random::next() {
  std::uint64_t value;
  fill(&value, sizeof value);
  return value;
}

std::string Random::bytes(std::size_t size) {
  std::string result(size, '\0');
  fill(result.data(), size);
  return result;
}

std::string Random::hex(std::size_t size) { return to_hex(bytes(size)); }

std::string Random::uuid() {
  std::string raw = bytes(16);
  raw[6] = static_cast<char>((static_cast<unsigned char>(raw[6]) & 0x0F) | 0x40);
  raw[8] = static_cast<char>((static_cast<unsigned char>(raw[8]) & 0x3F) | 0x80);
  std::string text = to_hex(raw);
  for (const std::size_t at : {8u, 13u, 18u, 23u}) text.insert(at, 1, '-');
  return text;
}

std::string Random::symmetric_key() { return base64_encode(bytes(32)); }

void SystemRandom::fill(void* bytes, std::size_t size) {
  NEARHUB_CHECK(RAND_bytes(static_cast<unsigned char*>(bytes), static_cast<int>(size)) == 1);
}

void SeededRandom::fill(void* bytes, std::size_t size) {
  auto* out = static_cast<unsigned char*>(bytes);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<unsigned char>(engine_());
}

}  // namespace nearhub
