// kill -9 at random moments: what was acknowledged is there, whole, and what was not is whole or not there.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/store/store_rig.h"

using namespace nearhub;
using namespace nearhub::store;

namespace {

// Each batch: a device, a message in its queue and an event, all of the same number.
std::unique_ptr<hub::WriteBatch> numbered(StoreRig& rig, std::uint32_t number) {
  const std::string name = "d" + std::to_string(number);
  auto batch = rig.batch({create(name), enqueue(name, 1)});
  batch->events.push_back(block_of(number % 4, {name + std::string(number % 50 * 20, ' ')}, rig.clock.now()));
  return batch;
}

// The child: writes from `next` on, some batches at a time, and reports each acknowledged number, until it is killed.
[[noreturn]] void write_until_killed(const StoreSettings& settings, std::uint32_t next, int pipe) {
  StoreRig rig(settings);
  std::uint32_t in_flight = 0;
  for (;;) {
    while (in_flight < 20) {
      const std::uint32_t number = next++;
      ++in_flight;
      rig.submit(numbered(rig, number), [&in_flight, number, pipe](const hub::WriteBatch&) {
        --in_flight;
        if (::write(pipe, &number, sizeof number) != sizeof number) _exit(1);
      });
    }
    if (!rig.executor.run_until([&] { return in_flight < 20; })) _exit(2);
  }
}

bool read_number(int pipe, std::uint32_t& number) {
  std::size_t got = 0;
  while (got < sizeof number) {
    const ssize_t size = ::read(pipe, reinterpret_cast<char*>(&number) + got, sizeof number - got);
    if (size <= 0) return false;
    got += static_cast<std::size_t>(size);
  }
  return true;
}

void kill_and_look(Durability durability) {
  const TemporaryFolder folder;
  StoreSettings settings;
  settings.path = folder.file("nearhub.db");
  settings.durability = durability;
  std::mt19937 random(20260101);
  std::set<std::uint32_t> acknowledged;
  std::uint32_t next = 0;
  for (int round = 0; round < 20; ++round) {
    CAPTURE(round);
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(ends[0]);
      write_until_killed(settings, next, ends[1]);
    }
    ::close(ends[1]);
    const auto wanted = static_cast<std::uint32_t>(random() % 200);
    std::uint32_t number = 0, count = 0;
    while (count < wanted && read_number(ends[0], number)) {
      acknowledged.insert(number);
      ++count;
    }
    CHECK(count == wanted);
    REQUIRE(::kill(child, SIGKILL) == 0);
    // What it had reported before it died.
    while (read_number(ends[0], number)) acknowledged.insert(number);
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));

    StoreRig rig(settings);
    std::set<std::uint32_t> devices;
    for (const std::string& id : rig.devices(1'000'000)) devices.insert(static_cast<std::uint32_t>(std::stoul(id.substr(1))));
    std::set<std::uint32_t> events;
    for (std::uint32_t partition = 0; partition < 4; ++partition) {
      std::uint32_t last = 0;
      for (const std::string& body : rig.bodies(partition)) {
        const auto stored = static_cast<std::uint32_t>(std::stoul(body.substr(1)));
        CHECK(stored % 4 == partition);
        CHECK((events.empty() || stored >= last));  // in order
        CHECK(events.insert(stored).second);        // once
        last = stored;
      }
    }
    for (const std::uint32_t each : acknowledged) {
      CHECK(devices.count(each) == 1);
      CHECK(events.count(each) == 1);
    }
    CHECK(devices == events);  // whole batches
    // A batch is there only with all before it.
    if (!devices.empty()) CHECK(devices.size() == *devices.rbegin() + 1);
    for (const std::uint32_t each : devices) {
      if (each >= next) CHECK(rig.record("d" + std::to_string(each)).queue.size() == 1);
    }
    next = static_cast<std::uint32_t>(devices.size());
  }
  CHECK(acknowledged.size() > 500);
}

}  // namespace

TEST_SUITE("store") {
  TEST_CASE("kill: every acknowledged batch is there, with full durability") { kill_and_look(Durability::kFull); }
  TEST_CASE("kill: every acknowledged batch is there, with normal durability") { kill_and_look(Durability::kNormal); }
}
