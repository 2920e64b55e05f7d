// Random operations against a shard over the real store, and against maps: the same answers, the same deliveries, the
// same state in the file. RC_PARAMS="seed=... max_success=..." in the environment looks elsewhere, or longer.
#include <doctest/doctest.h>
#include <rapidcheck.h>
#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/model/world.h"

using namespace nearhub;
using namespace nearhub::hub;

namespace {

// Like rc::check, but as a check of doctest.
template <typename Testable>
void check_property(Testable&& testable) {
  // The same stories on every machine and in every run, unless the environment says otherwise.
  setenv("RC_PARAMS", "seed=20260101 max_success=200 max_size=300", /*overwrite=*/0);
  const auto result = rc::detail::checkTestable(std::forward<Testable>(testable));
  std::ostringstream report;
  rc::detail::printResultMessage(result, report);
  INFO(report.str());
  CHECK(result.template is<rc::detail::SuccessResult>());
}

void run(const std::vector<std::uint8_t>& bytes, const std::string& path) {
  World world(path);
  Dice dice(bytes);
  while (!dice.done()) world.step(dice);
  world.restart();
}

}  // namespace

TEST_SUITE("model") {
  TEST_CASE("model: the hub over a store in memory answers and delivers like maps") {
    check_property([](const std::vector<std::uint8_t>& bytes) {
      // Without a file a restart keeps the store and forgets the shard.
      run(bytes, {});
    });
  }

  TEST_CASE("model: the hub over a file that is closed and opened again answers and delivers like maps") {
    std::string pattern = (std::filesystem::temp_directory_path() / "nearhub-model-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    const std::string folder = pattern;
    int runs = 0;
    check_property([&](const std::vector<std::uint8_t>& bytes) {
      const std::string path = folder + "/" + std::to_string(runs++) + ".db";
      run(bytes, path);
      std::filesystem::remove(path);
    });
    std::filesystem::remove_all(folder);
  }
}
