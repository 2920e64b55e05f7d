// Data folders that a hub starts with, and those that it refuses, unchanged.
#include <doctest/doctest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "broker/data_folder.h"
#include "tests/system/environment_variable.h"
#include "tests/system/site.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

const std::vector<std::string> kOther = {"--mqtts", "0", "--https", "0", "--well-known-keys"};

ProcessResult serve(const std::string& data) {
  std::vector<std::string> arguments = {"serve", "--data", data};
  arguments.insert(arguments.end(), kOther.begin(), kOther.end());
  return run_nearhub(arguments);
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// A database with a device in it; no hub runs on it.
std::string make_database(Site& site) {
  site.create("d1");
  REQUIRE(site.stop() == 0);
  return site.data() + "/nearhub.db";
}

void overwrite(const std::string& path, std::streamoff offset, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(offset);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(file.good());
}

// The start is refused with this, and the database stays as it is, with nothing beside it.
void check_refused(const std::string& database, const std::string& reason) {
  const std::string before = broker::read_file(database).value();
  const ProcessResult result = serve(std::filesystem::path(database).parent_path().string());
  CHECK(result.exit_code == 1);
  INFO(result.error);
  CHECK(contains(result.error, "nearhub: " + database + reason));
  CHECK_FALSE(contains(result.error, "hub: ready"));
  CHECK((broker::read_file(database).value() == before));
  CHECK_FALSE(std::filesystem::exists(database + "-wal"));
}

}  // namespace

TEST_SUITE("system") {
  TEST_CASE("data folder: what was created is there after a restart") {
    Site site;
    site.create("d1");
    REQUIRE(site.stop() == 0);
    site.start();
    CHECK(site.api("GET", "/devices/d1").status == 200);
  }

  TEST_CASE("data folder: one that another hub runs in is refused, and that hub goes on") {
    Site site;
    const ProcessResult result = serve(site.data());
    CHECK(result.exit_code == 1);
    CHECK(contains(result.error, "nearhub: another nearhub runs in " + site.data() + "; stop it, or give another --data folder\n"));
    site.create("d1");
    // The end of a hub, however sudden, frees the folder.
    site.hub().kill_hard();
    site.start();
    CHECK(site.api("GET", "/devices/d1").status == 200);
  }

  TEST_CASE("data folder: a damaged database is refused and left as it is") {
    Site site;
    const std::string database = make_database(site);
    std::filesystem::copy_file(database, database + ".whole");
    overwrite(database, 4096, std::string(4096, '\xa5'));
    check_refused(database, " is damaged");
    std::filesystem::copy_file(database + ".whole", database, std::filesystem::copy_options::overwrite_existing);
    site.start();
    CHECK(site.api("GET", "/devices/d1").status == 200);
  }

  TEST_CASE("data folder: the database of a newer nearhub is refused and left as it is") {
    Site site;
    const std::string database = make_database(site);
    // SQLite's user_version, big-endian, at offset 60 of the file.
    overwrite(database, 60, std::string("\0\0\3\xe7", 4));
    check_refused(database, " was written by a newer nearhub (schema version 999, ");
  }

  TEST_CASE("data folder: one that cannot be made or written to is refused with its name") {
    const TemporaryFolder folder;
    std::ofstream(folder.file("file")) << "x";
    const ProcessResult below_a_file = serve(folder.file("file/data"));
    CHECK(below_a_file.exit_code == 1);
    CHECK(contains(below_a_file.error, "nearhub: cannot make the data folder " + folder.file("file/data") + ": Not a directory\n"));

    // As good as a folder without the right to write, and one that root cannot write to either.
    std::filesystem::create_directories(folder.file("data/lock"));
    const ProcessResult no_lock = serve(folder.file("data"));
    CHECK(no_lock.exit_code == 1);
    CHECK(contains(no_lock.error, "nearhub: cannot open " + folder.file("data/lock") + ": Is a directory\n"));
  }

  TEST_CASE("data folder: made with well-known keys, it is not run without them, nor the other way round") {
    Site site;
    make_database(site);
    const ProcessResult without = run_nearhub({"serve", "--data", site.data(), "--mqtts", "0", "--https", "0"});
    CHECK(without.exit_code == 1);
    CHECK(contains(without.error, "nearhub: " + site.data() + " was made with --well-known-keys: start it the same way, or give another --data folder\n"));

    const TemporaryFolder folder;
    {
      HubProcess hub({"--data", folder.file("own"), "--mqtts", "0", "--https", "0", "--server-key", "ec"}, HubProcess::Flags::kExact);
      hub.send_signal(SIGTERM);
      CHECK(hub.wait() == 0);
    }
    const ProcessResult with = serve(folder.file("own"));
    CHECK(with.exit_code == 1);
    CHECK(contains(with.error, "nearhub: " + folder.file("own") + " was made without --well-known-keys: "));
  }

  TEST_CASE("data folder: in memory, nothing is left behind") {
    const TemporaryFolder folder;
    const EnvironmentVariable temporary("TMPDIR", folder.path());
    {
      HubProcess hub({"--in-memory", "--device", "d1"});
      // HubProcess has a folder of its own there, too.
      CHECK(contains(hub.ready_json(), "\"caFile\":\"" + folder.path() + "/nearhub-"));
      hub.send_signal(SIGTERM);
      CHECK(hub.wait() == 0);
    }
    CHECK(std::filesystem::is_empty(folder.path()));
  }
}
