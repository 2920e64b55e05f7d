#include "tests/mqtt/allocations.h"

#include <cstdlib>
#include <new>

namespace {

nearhub::mqtt::Allocations counted;  // the tests run on one thread

constexpr std::size_t kHeader = alignof(std::max_align_t);

void* allocate(std::size_t size) noexcept {
  void* const block = std::malloc(kHeader + size);
  if (block == nullptr) return nullptr;
  *static_cast<std::size_t*>(block) = size;
  ++counted.count;
  counted.bytes += size;
  counted.held_bytes += size;
  return static_cast<char*>(block) + kHeader;
}

void release(void* memory) noexcept {
  if (memory == nullptr) return;
  void* const block = static_cast<char*>(memory) - kHeader;
  counted.held_bytes -= *static_cast<std::size_t*>(block);
  std::free(block);
}

}  // namespace

nearhub::mqtt::Allocations nearhub::mqtt::allocations() { return counted; }

void* operator new(std::size_t size) {
  void* const memory = allocate(size);
  if (memory == nullptr) std::abort();
  return memory;
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
