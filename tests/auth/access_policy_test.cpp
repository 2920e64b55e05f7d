#include "auth/access_policy.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "base/base64.h"
#include "base/random.h"

using namespace nearhub;
using namespace nearhub::auth;

TEST_SUITE("auth") {
  TEST_CASE("rights: writing the registry includes reading it, and nothing else includes anything") {
    const Rights all[] = {Right::kRegistryRead, Right::kRegistryWrite, Right::kServiceConnect, Right::kDeviceConnect};
    for (const Rights held : all) {
      for (const Rights needed : all) {
        const bool implied = held == Rights(Right::kRegistryWrite) && needed == Rights(Right::kRegistryRead);
        CHECK(held.include(needed) == (held == needed || implied));
      }
    }
    const Rights both = Right::kServiceConnect | Right::kDeviceConnect;
    CHECK(both.include(Right::kServiceConnect));
    CHECK(both.include(both));
    CHECK_FALSE(both.include(both | Right::kRegistryRead));
    CHECK(Rights().include(Rights()));
    CHECK_FALSE(Rights().include(Right::kRegistryRead));
  }

  TEST_CASE("rights: the numbers are those of the cloud's enumeration, and stay as they are stored") {
    CHECK(Rights(Right::kRegistryRead).bits() == 1);
    CHECK(Rights(Right::kRegistryWrite).bits() == 3);
    CHECK(Rights(Right::kServiceConnect).bits() == 4);
    CHECK(Rights(Right::kDeviceConnect).bits() == 8);
    CHECK(Rights::from_bits(15) == (Right::kRegistryWrite | Right::kServiceConnect | Right::kDeviceConnect));
  }

  TEST_CASE("rights: as text, as the cloud's resource model writes them") {
    CHECK(Rights().text() == "no rights");
    CHECK(Rights(Right::kRegistryRead).text() == "RegistryRead");
    CHECK(Rights(Right::kRegistryWrite).text() == "RegistryWrite");
    CHECK((Right::kRegistryWrite | Right::kServiceConnect | Right::kDeviceConnect).text() == "RegistryWrite, ServiceConnect, DeviceConnect");
    CHECK((Right::kRegistryRead | Right::kDeviceConnect).text() == "RegistryRead, DeviceConnect");
  }

  TEST_CASE("policies: a new hub has the cloud's five, each with two keys of 32 bytes of its own") {
    SeededRandom random(1);
    const auto policies = make_default_policies(random);
    REQUIRE(policies.size() == 5);
    const std::pair<const char*, const char*> expected[] = {{"iothubowner", "RegistryWrite, ServiceConnect, DeviceConnect"},
                                                            {"service", "ServiceConnect"},
                                                            {"device", "DeviceConnect"},
                                                            {"registryRead", "RegistryRead"},
                                                            {"registryReadWrite", "RegistryWrite"}};
    std::set<std::string> keys;
    for (std::size_t i = 0; i < 5; ++i) {
      CHECK(policies[i].name == expected[i].first);
      CHECK(policies[i].rights.text() == expected[i].second);
      for (const std::string& key : {policies[i].primary_key, policies[i].secondary_key}) {
        const auto bytes = base64_decode(key);
        REQUIRE(bytes.has_value());
        CHECK(bytes->size() == 32);
        keys.insert(key);
      }
    }
    CHECK(keys.size() == 10);
  }

  TEST_CASE("policies: are found by their exact name") {
    SeededRandom random(1);
    const auto policies = make_default_policies(random);
    const AccessPolicy* service = find_policy(policies, "service");
    REQUIRE(service != nullptr);
    CHECK(service->name == "service");
    CHECK(find_policy(policies, "Service") == nullptr);
    CHECK(find_policy(policies, "") == nullptr);
  }
}
