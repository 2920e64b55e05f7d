// Randomness is handed in, so that a test can repeat a run.
//
// THREAD: SystemRandom any thread; SeededRandom one thread at a time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

namespace nearhub {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(void* bytes, std::size_t size) = 0;

  std::uint64_t next();
  std::string bytes(std::size_t size);
  std::string hex(std::size_t size);   // 2 x size lower-case digits
  std::string uuid();                  // version 4, "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx"
  std::string symmetric_key();         // 32 random bytes in base64: what the hub generates (reference/service-rest.md 4.1)
};

// OpenSSL's generator, fit for keys.
class SystemRandom final : public Random {
 public:
  void fill(void* bytes, std::size_t size) override;
};

// For tests only.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(void* bytes, std::size_t size) override;

 private:
  std::mt19937_64 engine_;
};

}  // namespace nearhub
