#include "tools/table.h"

#include <doctest/doctest.h>

using namespace nearhub::tools;

TEST_SUITE("tools") {
  TEST_CASE("table: columns are as wide as their widest cell, and nothing trails") {
    Table table({"ID", "STATE", "NOTE"});
    table.add({"sensor-1", "on", ""});
    table.add({"ü", "disconnected", "x"});
    CHECK(table.text() == "ID        STATE         NOTE\n"
                          "sensor-1  on\n"
                          "ü         disconnected  x\n");
  }

  TEST_CASE("table: a cell cannot break out of its line") {
    Table table({"A", "B"});
    table.add({"x\ny", "\x1B[2J"});
    CHECK(table.text() == "A     B\nx\\ny  \\u001b[2J\n");
  }

  TEST_CASE("fields: values stand below each other, empty ones are left out") {
    Fields fields(2);
    fields.add("name", "value");
    fields.add("much longer", "x\ty");
    fields.add("nothing", "");
    CHECK(fields.text() == "  name         value\n  much longer  x\\ty\n");
  }
}
