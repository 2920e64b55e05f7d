#include "base/log.h"

#include <doctest/doctest.h>

using namespace nearhub;
using log::Level;

namespace {

constexpr Level kLevels[] = {Level::kDebug, Level::kInfo, Level::kWarn, Level::kError};

}  // namespace

TEST_SUITE("base") {
  TEST_CASE("log levels: known by their lower-case names") {
    CHECK(log::parse_level("debug") == Level::kDebug);
    CHECK(log::parse_level("info") == Level::kInfo);
    CHECK(log::parse_level("warn") == Level::kWarn);
    CHECK(log::parse_level("error") == Level::kError);
    CHECK(log::parse_level("off") == Level::kOff);
    for (const char* name : {"", "INFO", "warning", "trace", "info ", "0"}) {
      CAPTURE(std::string(name));
      CHECK_FALSE(log::parse_level(name).has_value());
    }
  }

  TEST_CASE("log: nothing is enabled before the start and after the end") {
    for (const Level level : kLevels) CHECK_FALSE(log::enabled(level));
    log::start(Level::kDebug);
    for (const Level level : kLevels) CHECK(log::enabled(level));
    log::stop();
    for (const Level level : kLevels) CHECK_FALSE(log::enabled(level));
  }

  TEST_CASE("log: a threshold lets its own level and those above pass, off lets none") {
    for (const Level threshold : kLevels) {
      log::start(threshold);
      for (const Level level : kLevels) CHECK(log::enabled(level) == (level >= threshold));
      CHECK_FALSE(log::enabled(Level::kOff));
      log::stop();
    }
    log::start(Level::kOff);
    for (const Level level : kLevels) CHECK_FALSE(log::enabled(level));
    CHECK_FALSE(log::enabled(Level::kOff));
    log::stop();
  }
}
