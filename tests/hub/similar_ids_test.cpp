#include "hub/similar_ids.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace nearhub::hub;

namespace {

std::vector<std::string> nearest(std::string_view wanted, const std::vector<std::string>& known) {
  SimilarIds similar(wanted);
  for (const std::string& id : known) similar.look_at(id);
  return similar.nearest();
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("similar ids: within two edits, the nearest first, then by id, at most three") {
    CHECK(nearest("sensor-01", {"sensor-99", "sensor-02", "sensor-1", "sensor-001", "gateway"}) ==
          Ids{"sensor-001", "sensor-02", "sensor-1"});
    CHECK(nearest("sensor-01", {"sensor-99"}) == Ids{"sensor-99"});
    CHECK(nearest("sensor-01", {"sensor-999", "x"}).empty());
    CHECK(nearest("sensor-01", {}).empty());
  }

  TEST_CASE("similar ids: another case is one edit, however many letters it is") {
    CHECK(nearest("THERMOSTAT", {"thermostat", "THERMOSTAT-"}) == Ids{"THERMOSTAT-", "thermostat"});
    CHECK(nearest("D1", {"d1", "d2"}) == Ids{"d1"});
    CHECK(nearest("A", {"a", "b"}) == Ids{"a"});
  }

  TEST_CASE("similar ids: neighbours that changed places are one edit") {
    CHECK(nearest("esnsor", {"sensor"}) == Ids{"sensor"});
  }

  TEST_CASE("similar ids: a short id is like fewer others") {
    CHECK(nearest("ab", {"ac", "abc"}).empty());
    CHECK(nearest("abc", {"abd", "axy"}) == Ids{"abd"});
    CHECK(nearest("abcde", {"abcxy"}).empty());
    CHECK(nearest("abcdef", {"abcdxy"}) == Ids{"abcdxy"});
  }
}
