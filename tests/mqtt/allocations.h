// What the test program takes from the heap, counted by its own operator new.
#pragma once
#include <cstddef>

namespace nearhub::mqtt {

struct Allocations {
  std::size_t count = 0;        // since the start
  std::size_t bytes = 0;        // since the start
  std::size_t held_bytes = 0;   // now
};

Allocations allocations();

}  // namespace nearhub::mqtt
