// May this identity come in, and why not.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/hub/shard_rig.h"

using namespace nearhub;
using namespace nearhub::hub;
using auth::Admission;
using auth::Check;
using auth::Denial;

namespace {

Denial denial_of(const Shard::Verdict& verdict) {
  REQUIRE(std::holds_alternative<Denial>(verdict));
  return std::get<Denial>(verdict);
}

Admission admission_of(const Shard::Verdict& verdict) {
  REQUIRE_MESSAGE(std::holds_alternative<Admission>(verdict), std::get<Denial>(verdict).sentence());
  return std::get<Admission>(verdict);
}

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("judge: a token by either key opens the identity, and the admission says which and until when") {
    ShardRig rig;
    rig.create("d1");
    rig.create("d1/m1");
    const Admission first = admission_of(rig.judge("d1", rig.token("d1")));
    CHECK(first.scope == Admission::Scope::kDevice);
    CHECK(first.credential == kPrimaryKey);
    CHECK(first.expiry == rig.clock.now() + 1h);
    const Admission second = admission_of(rig.judge("d1", rig.token("d1", kSecondaryKey)));
    CHECK(second.credential == kSecondaryKey);
    CHECK(admission_of(rig.judge("d1/m1", rig.token("d1/m1"))).scope == Admission::Scope::kModule);
  }

  TEST_CASE("judge: a device is loaded first") {
    ShardRig rig;
    rig.create("d1");
    rig.restart();
    CHECK(admission_of(rig.judge("d1", rig.token("d1"))).credential == kPrimaryKey);
  }

  TEST_CASE("judge: a wrong key and no token are denied with their check") {
    ShardRig rig;
    rig.create("d1");
    CHECK(denial_of(rig.judge("d1", rig.token("d1", kOtherKey))).check == Check::kSasSignature);
    CHECK(denial_of(rig.judge("d1", std::nullopt)).check == Check::kCredential);
    CHECK(denial_of(rig.judge("d1", rig.token("d2"))).check == Check::kSasResource);
  }

  TEST_CASE("judge: an unknown device is denied with the ids that look like it") {
    ShardRig rig;
    rig.create("sensor-01");
    rig.store.similar = {DeviceId("sensor-01"), DeviceId("sensor-02")};
    const Denial denial = denial_of(rig.judge("sensor-1", rig.token("sensor-1")));
    CHECK(denial.check == Check::kIdentity);
    CHECK(denial.code == ErrorCode::kDeviceNotFound);
    CHECK(denial.expected == "a registered device");
    CHECK(denial.received == "device sensor-1, which does not exist");
    CHECK(denial.advice == "did you mean sensor-01 or sensor-02?");
    CHECK(rig.store.reads.back() == "similar sensor-1");
  }

  TEST_CASE("judge: an unknown device that looks like no other is denied with the command that makes it") {
    ShardRig rig;
    CHECK(denial_of(rig.judge("d1", std::nullopt)).advice == "create it: nearhub device create d1");
    rig.create("d1");
    CHECK(denial_of(rig.judge("d1/m1", std::nullopt)).advice == "create it: nearhub module create d1/m1");
  }

  TEST_CASE("judge: of many unknown devices at a time the store is asked about one") {
    ShardRig rig;
    rig.store.similar = {DeviceId("d1")};
    std::vector<std::string> advice;
    for (int i = 0; i < 5; ++i) {
      rig.shard().judge(id_of("x" + std::to_string(i)), std::nullopt, {}, [&](Shard::Verdict verdict) {
        advice.push_back(denial_of(verdict).advice);
      });
    }
    rig.turn();
    rig.turn();
    CHECK(advice.size() == 5);
    CHECK(std::count(rig.store.reads.begin(), rig.store.reads.end(), "similar x0") == 1);
    CHECK(std::count_if(rig.store.reads.begin(), rig.store.reads.end(),
                        [](const std::string& read) { return read.starts_with("similar"); }) == 1);
    CHECK(std::count(advice.begin(), advice.end(), "did you mean d1?") == 1);
    // And about the next one again.
    CHECK(denial_of(rig.judge("x9", std::nullopt)).advice == "did you mean d1?");
  }

  TEST_CASE("judge: an unknown module is denied with the nearest three modules of its device") {
    ShardRig rig;
    rig.create("d1");
    for (const char* id : {"d1/thermometers", "d1/thermometer-2", "d1/thermostat", "d1/termometer", "d1/camera",
                           "d1/thermometer9"}) {
      rig.create(id);
    }
    const Denial denial = denial_of(rig.judge("d1/thermometer", rig.token("d1/thermometer")));
    CHECK(denial.check == Check::kIdentity);
    CHECK(denial.code == ErrorCode::kDeviceNotFound);
    CHECK(denial.received == "module d1/thermometer, which does not exist");
    CHECK(denial.advice == "did you mean d1/termometer or d1/thermometer9 or d1/thermometers?");
  }

  TEST_CASE("judge: an unknown module with a short id is not like every other short one") {
    ShardRig rig;
    rig.create("d1");
    rig.create("d1/ab");
    CHECK(denial_of(rig.judge("d1/xy", std::nullopt)).advice == "create it: nearhub module create d1/xy");
  }

  TEST_CASE("judge: an id from outside cannot write into a terminal") {
    ShardRig rig;
    CHECK(denial_of(rig.judge("a\x1b[2Jb", std::nullopt)).received == "device a\\x1B[2Jb, which does not exist");
  }

  TEST_CASE("judge: a disabled device and its modules are denied whatever they present") {
    ShardRig rig;
    auto request = with_keys();
    request.enabled = false;
    request.status_reason = "stolen\nfrom the lab";
    rig.create("d1", request);
    rig.create("d1/m1");
    for (const char* id : {"d1", "d1/m1"}) {
      const Denial denial = denial_of(rig.judge(id, rig.token(id)));
      CHECK(denial.check == Check::kStatus);
      CHECK(denial.code == ErrorCode::kDeviceDisabled);
      CHECK(denial.expected == "an enabled device");
      CHECK(denial.received == "device d1, which is disabled: stolen\\x0Afrom the lab");
      CHECK(denial.advice == "enable it: nearhub device enable d1");
    }
  }

  TEST_CASE("judge: a store that does not answer is no verdict about the device") {
    ShardRig rig;
    rig.create("d1");
    rig.restart();
    rig.store.break_reads();
    const Denial denial = denial_of(rig.judge("d1", rig.token("d1")));
    CHECK(denial.check == Check::kState);
    CHECK(denial.code == ErrorCode::kServiceUnavailable);
    CHECK(denial.received == "the disk is gone");
  }

  TEST_CASE("judge: a device is unknown from the moment of its deletion") {
    ShardRig rig;
    rig.create("d1");
    Reply<std::monostate> deleted;
    rig.shard().delete_identity(id_of("d1"), {}, deleted.answer());
    CHECK(denial_of(rig.judge("d1", rig.token("d1"))).check == Check::kIdentity);
    CHECK_FALSE(deleted.came());
  }
}
