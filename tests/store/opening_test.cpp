// Opening: a fresh file, one of before, and those that must be refused with a sentence that says what to do.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "store/migrations.h"
#include "store/sqlite.h"
#include "tests/store/store_rig.h"

using namespace nearhub;
using namespace nearhub::store;

namespace {

StoreSettings at(const std::string& path) {
  StoreSettings settings;
  settings.path = path;
  settings.durability = Durability::kNormal;
  return settings;
}

// Why the file is refused.
Error refusal_of(const std::string& path) {
  ManualClock clock;
  auto opened = SqliteStore::open(at(path), clock, [](const Error&) {});
  REQUIRE_FALSE(opened.ok());
  return opened.error();
}

void execute(const std::string& path, const char* sql) {
  auto database = Database::open(path, Database::Mode::kReadWrite);
  REQUIRE(database.ok());
  REQUIRE(database->execute(sql).ok());
}

// A file with a few dozen pages in use.
void make_file(const std::string& path) {
  StoreRig rig(at(path));
  for (int i = 0; i < 50; ++i) {
    const std::string id = "device-" + std::to_string(i);
    rig.apply({create(id), create(id + "/m"), enqueue(id, 1)});
    rig.append(static_cast<std::uint32_t>(i % 4), {std::string(2000, 'x')});
  }
}

void overwrite(const std::string& path, std::size_t offset, std::size_t size, char byte) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  const std::string bytes(size, byte);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(file.good());
}

void check_damaged(const std::string& path) {
  const Error error = refusal_of(path);
  CHECK(error.code == ErrorCode::kCorrupt);
  CHECK_MESSAGE(error.detail.starts_with(path + " is damaged"), error.detail);
  CHECK_MESSAGE(error.detail.ends_with("Restore it from a backup, or start with another --data folder"), error.detail);
}

}  // namespace

TEST_SUITE("store") {
  TEST_CASE("opening: a fresh file is made, marked as nearhub's and with its schema version") {
    const TemporaryFolder folder;
    const std::string path = folder.file("nearhub.db");
    { StoreRig rig(at(path)); }
    auto database = Database::open(path, Database::Mode::kReadOnly);
    REQUIRE(database.ok());
    CHECK(database->query_integer("PRAGMA application_id").value() == 0x6e687562);  // "nhub"
    CHECK(database->query_integer("PRAGMA user_version").value() == kSchemaVersion);
  }

  TEST_CASE("opening: a file is closed whole: no WAL is left beside it") {
    const TemporaryFolder folder;
    const std::string path = folder.file("nearhub.db");
    make_file(path);
    CHECK_FALSE(std::filesystem::exists(path + "-wal"));
    CHECK_FALSE(std::filesystem::exists(path + "-shm"));
  }

  TEST_CASE("opening: an empty file is a fresh one") {
    const TemporaryFolder folder;
    const std::string path = folder.file("nearhub.db");
    { std::ofstream empty(path); }
    StoreRig rig(at(path));
    CHECK(rig.write(create("d1")).ok());
  }

  TEST_CASE("opening: a file whose schema was not finished is begun anew") {
    const TemporaryFolder folder;
    const std::string path = folder.file("nearhub.db");
    execute(path, "PRAGMA application_id=1852339554");  // nearhub's; nothing else was written
    StoreRig rig(at(path));
    CHECK(rig.write(create("d1")).ok());
  }

  TEST_CASE("opening: a file of a newer nearhub is refused, and not touched") {
    const TemporaryFolder folder;
    const std::string path = folder.file("nearhub.db");
    make_file(path);
    execute(path, "PRAGMA user_version=1000");
    const Error error = refusal_of(path);
    CHECK(error.code == ErrorCode::kInvalidSetting);
    CHECK(error.detail == path + " was written by a newer nearhub (schema version 1000, this one knows up to " + std::to_string(kSchemaVersion) + "): use that one");
    execute(path, ("PRAGMA user_version=" + std::to_string(kSchemaVersion)).c_str());
    StoreRig rig(at(path));
    CHECK(rig.devices().size() == 50);
  }

  TEST_CASE("opening: a file of version 1 is brought up to date, with all that is in it") {
    const TemporaryFolder folder;
    const std::string path = folder.file("nearhub.db");
    make_file(path);
    execute(path,
            "DROP INDEX identity_disabled; DROP INDEX identity_of_module; DROP INDEX identity_edge; DROP TABLE transfer_job; ALTER TABLE identity DROP COLUMN iot_edge;"
            "ALTER TABLE identity DROP COLUMN device_scope; ALTER TABLE identity DROP COLUMN parent_scope; DROP TABLE certificate_authority;"
            "ALTER TABLE twin DROP COLUMN configurations; DROP TABLE configuration; DROP TABLE configuration_sweep;"
            "DROP TABLE scheduled_job; DROP TABLE scheduled_job_state; DROP TABLE device_job; PRAGMA user_version=1");
    {
      StoreRig rig(at(path));
      CHECK(rig.devices().size() == 50);
      const registry::Identity identity = rig.record(rig.devices().front()).identity;
      CHECK_FALSE(identity.iot_edge);
      CHECK(identity.parent_scope == "");
    }
    auto database = Database::open(path, Database::Mode::kReadOnly);
    REQUIRE(database.ok());
    CHECK(database->query_integer("PRAGMA user_version").value() == kSchemaVersion);
    for (const char* object : {"identity_disabled", "certificate_authority", "identity_of_module", "identity_edge", "transfer_job", "scheduled_job", "scheduled_job_state", "device_job", "configuration",
                               "configuration_sweep"}) {
      CHECK(database->query_integer("SELECT count(*) FROM sqlite_schema WHERE name='" + std::string(object) + "'").value() == 1);
    }
  }

  TEST_CASE("opening: nobody else on the machine may read the file, nor what stands beside it") {
    const TemporaryFolder folder;
    const std::string path = folder.file("nearhub.db");
    const auto mode_of = [](const std::string& file) { return std::filesystem::status(file).permissions() & std::filesystem::perms::all; };
    constexpr auto kOwnerOnly = std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;
    // The second time it is a file of an older version, which anybody could read.
    for (int i = 0; i < 2; ++i) {
      StoreRig rig(at(path));
      REQUIRE(rig.write(create("d" + std::to_string(i))).ok());
      for (const char* suffix : {"", "-wal", "-shm"}) {
        CAPTURE(suffix);
        CHECK(mode_of(path + suffix) == kOwnerOnly);
      }
      rig.close();
      std::filesystem::permissions(path, std::filesystem::perms::owner_all | std::filesystem::perms::others_read);
    }
  }

  TEST_CASE("opening: a database of another program is refused, and not touched") {
    const TemporaryFolder folder;
    const std::string path = folder.file("notes.db");
    execute(path, "CREATE TABLE note(text TEXT); INSERT INTO note VALUES('mine'); PRAGMA application_id=7;");
    const Error error = refusal_of(path);
    CHECK(error.code == ErrorCode::kCorrupt);
    CHECK(error.detail == path + " is a database of another program (application id 7, nearhub's is 1852339554)");
    auto database = Database::open(path, Database::Mode::kReadOnly);
    REQUIRE(database.ok());
    CHECK(database->query_integer("SELECT count(*) FROM sqlite_schema").value() == 1);
  }

  TEST_CASE("opening: a file of ours without a version is refused") {
    const TemporaryFolder folder;
    const std::string path = folder.file("nearhub.db");
    make_file(path);
    for (const char* version : {"PRAGMA user_version=0", "PRAGMA user_version=-3"}) {
      execute(path, version);
      check_damaged(path);
    }
  }

  TEST_CASE("opening: what is no database is refused") {
    const TemporaryFolder folder;
    const std::string text = folder.file("text.db"), zeros = folder.file("zeros.db");
    { std::ofstream(text) << std::string(10'000, 'x'); }
    { std::ofstream(zeros) << std::string(10'000, '\0'); }
    check_damaged(text);
    check_damaged(zeros);
  }

  TEST_CASE("opening: a truncated file is refused, wherever it was cut") {
    const TemporaryFolder folder;
    const std::string whole = folder.file("whole.db"), path = folder.file("nearhub.db");
    make_file(whole);
    const auto size = std::filesystem::file_size(whole);
    REQUIRE(size > 100'000);
    for (const auto length :
         {std::uintmax_t{50}, std::uintmax_t{100}, std::uintmax_t{1000}, std::uintmax_t{4096}, size / 2, size - 4096}) {
      CAPTURE(length);
      std::filesystem::copy_file(whole, path, std::filesystem::copy_options::overwrite_existing);
      std::filesystem::resize_file(path, length);
      check_damaged(path);
    }
  }

  TEST_CASE("opening: an overwritten page is refused") {
    const TemporaryFolder folder;
    const std::string whole = folder.file("whole.db"), path = folder.file("nearhub.db");
    make_file(whole);
    const std::size_t pages = static_cast<std::size_t>(std::filesystem::file_size(whole)) / 4096;
    REQUIRE(pages > 30);
    std::size_t refused = 0;
    for (std::size_t page = 0; page < pages; ++page) {
      CAPTURE(page);
      std::filesystem::copy_file(whole, path, std::filesystem::copy_options::overwrite_existing);
      // The first page keeps its file header, which is looked at in a test of its own.
      overwrite(path, page * 4096 + (page == 0 ? 100 : 0), page == 0 ? 3996 : 4096, '\xa5');
      ManualClock clock;
      auto opened = SqliteStore::open(at(path), clock, [](const Error&) {});
      if (opened.ok()) continue;  // a page that holds nothing
      ++refused;
      CHECK(opened.error().code == ErrorCode::kCorrupt);
      CHECK_MESSAGE(opened.error().detail.starts_with(path + " is damaged"), opened.error().detail);
    }
    CHECK(refused >= pages - 2);
  }

  TEST_CASE("opening: a damaged file header is refused") {
    const TemporaryFolder folder;
    const std::string path = folder.file("nearhub.db");
    make_file(path);
    overwrite(path, 0, 16, 'x');
    check_damaged(path);
  }

  TEST_CASE("opening: a path that cannot be opened is named") {
    const TemporaryFolder folder;
    const Error error = refusal_of(folder.file("missing/nearhub.db"));
    CHECK(error.code == ErrorCode::kIo);
    CHECK(error.detail == "cannot open " + folder.file("missing/nearhub.db") + ": unable to open database file");
    CHECK(refusal_of(folder.path()).code == ErrorCode::kIo);
  }

  TEST_CASE("opening: a refusal starts nothing: the same file opens when it is mended") {
    const TemporaryFolder folder;
    const std::string whole = folder.file("whole.db"), path = folder.file("nearhub.db");
    make_file(whole);
    std::filesystem::copy_file(whole, path);
    std::filesystem::resize_file(path, 10'000);
    check_damaged(path);
    std::filesystem::copy_file(whole, path, std::filesystem::copy_options::overwrite_existing);
    StoreRig rig(at(path));
    CHECK(rig.devices().size() == 50);
  }
}
