// Our own mistakes stop the process; a peer's mistakes are Results (see result.h) and never come here.
#pragma once
#include <cstdio>
#include <cstdlib>

namespace nearhub {
[[noreturn]] inline void check_failed(const char* what, const char* file, int line) {
  std::fprintf(stderr, "nearhub: internal error: %s (%s:%d)\n", what, file, line);
  std::abort();
}
}  // namespace nearhub

// Always on: for invariants whose breach would corrupt or lose data.
#define NEARHUB_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::nearhub::check_failed(#condition, __FILE__, __LINE__))

// Off in release builds: for "this runs on the owning loop" and the like on hot paths.
#ifdef NDEBUG
#define NEARHUB_DCHECK(condition) static_cast<void>(0)
#else
#define NEARHUB_DCHECK(condition) NEARHUB_CHECK(condition)
#endif
