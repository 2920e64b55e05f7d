#include "base/clock.h"

namespace nearhub {

WallTime SystemClock::now() const {
  return std::chrono::time_point_cast<Ticks>(std::chrono::system_clock::now()) + offset();
}

MonoTime SystemClock::mono() const {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return MonoTime{std::chrono::duration_cast<std::chrono::milliseconds>(since)} + offset();
}

}  // namespace nearhub
