#include "tools/query.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/tools/command_runner.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

void fill(TestHub& hub) {
  for (const char* id : {"d1", "d2", "d3"}) hub.create(id);
  hub.create("d1/m1");
  REQUIRE(hub.api("PATCH", "/twins/d1", R"({"tags":{"floor":1.50,"room":"hall"}})").status == 200);
  REQUIRE(hub.api("PATCH", "/twins/d2", R"({"tags":{"floor":2}})").status == 200);
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("query: a table with the columns that were asked for, numbers as they are spelled") {
    TestHub hub;
    fill(hub);
    const Outcome shown = run(hub, {"query", "SELECT deviceId, tags.floor AS floor, tags.room FROM devices"});
    CHECK(shown.exit_code == 0);
    CHECK(shown.out == "deviceId  floor  room\nd1        1.50   hall\nd2        2\nd3\n");
    CHECK(run(hub, {"query", "SELECT COUNT() AS n FROM devices"}).out == "n\n3\n");
    CHECK(run(hub, {"query", "SELECT * FROM devices WHERE deviceId = 'none'"}).error == "nearhub: no rows\n");
  }

  TEST_CASE("query: SELECT * shows what people look for first") {
    TestHub hub;
    fill(hub);
    CHECK(run(hub, {"query", "SELECT * FROM devices WHERE tags.floor > 1"}).out ==
          "DEVICE  STATUS   CONNECTION    LAST ACTIVITY  VERSION  TAGS\n"
          "d1      enabled  Disconnected  never          3        {\"floor\":1.50,\"room\":\"hall\"}\n"
          "d2      enabled  Disconnected  never          3        {\"floor\":2}\n");
    CHECK(run(hub, {"query", "SELECT * FROM devices.modules"}).out ==
          "DEVICE  MODULE  STATUS   CONNECTION    LAST ACTIVITY  VERSION  TAGS\n"
          "d1      m1      enabled  Disconnected  never          2\n");
  }

  TEST_CASE("query: --json gives a row a line, as the hub spells it, and --top ends it, over pages, too") {
    TestHub hub;
    fill(hub);
    CHECK(run(hub, {"query", "--json", "SELECT deviceId, tags.floor FROM devices"}).out ==
          "{\"deviceId\":\"d1\",\"floor\":1.50}\n{\"deviceId\":\"d2\",\"floor\":2}\n{\"deviceId\":\"d3\"}\n");
    CHECK(run(hub, {"query", "--json", "--top", "2", "SELECT deviceId FROM devices"}).out == "{\"deviceId\":\"d1\"}\n{\"deviceId\":\"d2\"}\n");
    CHECK(run(hub, {"query", "--json", "SELECT * FROM devices WHERE deviceId = 'd1'"}).out == hub.api("GET", "/twins/d1").body + "\n");
    CHECK(run(hub, {"query", "--json", "-"}, "SELECT deviceId FROM devices.modules\n").out == "{\"deviceId\":\"d1\"}\n");
    CHECK(run(hub, {"query", "--json", "SELECT * FROM devices.jobs"}).out == "");
  }

  TEST_CASE("query: a wrong one is shown with a mark at the place") {
    TestHub hub;
    const Outcome wrong = run(hub, {"query", "SELECT * FROM devices\nWHERE deviceId LIKE 'd%'"});
    CHECK(wrong.exit_code == 2);
    CHECK(wrong.out == "");
    CHECK(wrong.error ==
          "nearhub: the query is wrong\n"
          "  WHERE deviceId LIKE 'd%'\n"
          "                 ^ queries have no LIKE; there are STARTSWITH(path, 'text') and ENDSWITH(path, 'text')\n");
  }

  TEST_CASE("query: the mark stands below the place, in long lines, behind letters of several bytes, at the end") {
    CHECK(fault_picture("SELECT", 6, "it ends") == "  SELECT\n        ^ it ends");
    CHECK(fault_picture("", 0, "it is empty") == "  \n  ^ it is empty");
    CHECK(fault_picture("\xC3\xA9\xC3\xA9 x", 5, "here") == "  \xC3\xA9\xC3\xA9 x\n     ^ here");
    const std::string word(200, 'a');
    CHECK(fault_picture(word, 100, "here") == "  ..." + std::string(100, 'a') + "...\n  " + std::string(53, ' ') + "^ here");
  }
}
