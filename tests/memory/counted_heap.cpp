#include "tests/memory/counted_heap.h"

#include <openssl/crypto.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

std::atomic<std::int64_t> held{0};
thread_local bool left_out = false;

// In front of every block.
struct alignas(std::max_align_t) Header {
  std::size_t size;
  bool counted;
};

void* allocate(std::size_t size) noexcept {
  auto* header = static_cast<Header*>(std::malloc(sizeof(Header) + size));
  if (header == nullptr) return nullptr;
  *header = {size, !left_out};
  if (header->counted) held.fetch_add(static_cast<std::int64_t>(size), std::memory_order_relaxed);
  return header + 1;
}

void release(void* memory) noexcept {
  if (memory == nullptr) return;
  auto* header = static_cast<Header*>(memory) - 1;
  if (header->counted) held.fetch_sub(static_cast<std::int64_t>(header->size), std::memory_order_relaxed);
  std::free(header);
}

void* crypto_allocate(std::size_t size, const char*, int) { return size == 0 ? nullptr : allocate(size); }
void crypto_release(void* memory, const char*, int) { release(memory); }
void* crypto_resize(void* memory, std::size_t size, const char*, int) {
  if (size == 0) {
    release(memory);
    return nullptr;
  }
  void* moved = allocate(size);
  if (moved == nullptr || memory == nullptr) return moved;
  const std::size_t old_size = (static_cast<Header*>(memory) - 1)->size;
  std::memcpy(moved, memory, old_size < size ? old_size : size);
  release(memory);
  return moved;
}

// Before OpenSSL takes its first block.
const bool counts_openssl = CRYPTO_set_mem_functions(crypto_allocate, crypto_resize, crypto_release) == 1;

}  // namespace

std::int64_t nearhub::test::held_bytes() { return counts_openssl ? held.load(std::memory_order_relaxed) : -1; }

void nearhub::test::leave_this_thread_out() { left_out = true; }

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
