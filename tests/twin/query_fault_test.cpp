#include <memory>
#include <string>

#include "tests/twin/query_rows.h"

using namespace nearhub;
using namespace nearhub::twin::query;
using namespace nearhub::twin::query::test;

namespace {

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

TEST_SUITE("twin") {
  TEST_CASE("query faults: every one has a place and a sentence") {
    check_answers({
        {"", "at 0: the query ends here; expected SELECT"},
        {"   ", "at 3: the query ends here; expected SELECT"},
        {"DELETE FROM devices", "at 0: here stands DELETE; expected SELECT"},
        {"SELECT", "at 6: the query ends here; expected a member like deviceId, tags.floor or properties.reported.state"},
        {"SELECT FROM devices", "at 7: here stands FROM; expected a member like deviceId, tags.floor or properties.reported.state"},
        {"SELECT * devices", "at 9: here stands devices; expected FROM"},
        {"SELECT * FROM", "at 13: the query ends here; expected devices, devices.modules or devices.jobs behind FROM"},
        {"SELECT * FROM twins", "at 14: here stands twins; expected devices, devices.modules or devices.jobs behind FROM"},
        {"SELECT * FROM devices.twins", "at 22: here stands twins; expected modules or jobs behind devices."},
        {"SELECT * FROM devices d", "at 22: here stands d; expected the end of the query"},
        {"SELECT * FROM devices;", "at 21: a query is one statement without a ; at its end"},
        {"SELECT * FROM devices ORDER BY deviceId", "at 22: queries have no ORDER BY: rows come in the order of their ids"},
        {"SELECT * FROM devices LIMIT 5", "at 22: queries have no limit"},
        {"SELECT DISTINCT status FROM devices", "at 7: queries have no SELECT distinct"},
        {"SELECT *, deviceId FROM devices", "at 8: * is all there is; it stands alone"},
        {"SELECT deviceId, * FROM devices", "at 17: * is all there is; it stands alone"},
        {"SELECT deviceId status FROM devices", "at 16: here stands status; expected AS, a comma or FROM"},
        {"SELECT deviceId AS FROM devices", "at 24: here stands devices; expected AS, a comma or FROM"},
        {"SELECT deviceId AS 5 FROM devices", "at 19: here stands 5; expected a name behind AS"},
        {"SELECT tags.floor + 1 FROM devices", "at 18: here stands +; expected AS, a comma or FROM"},
        {"SELECT 'text' FROM devices", "at 7: here stands the text 'text'; expected a member like deviceId, tags.floor or properties.reported.state"},
        {"SELECT deviceId, DEVICEID FROM devices", "at 17: two columns have the name deviceId; give one another by AS"},
        {"SELECT UPPER(deviceId) FROM devices", "at 7: UPPER is no aggregate; a SELECT list has members and COUNT, SUM, AVG, MIN, MAX"},
        {"SELECT SUM() FROM devices", "at 11: here stands ); expected a member like deviceId, tags.floor or properties.reported.state"},
        {"SELECT TOP deviceId FROM devices", "at 11: here stands deviceId; expected a whole number behind TOP"},
        {"SELECT TOP 1.5 * FROM devices", "at 11: here stands 1.5; expected a whole number behind TOP"},
        {"SELECT TOP -1 * FROM devices", "at 11: here stands -; expected a whole number behind TOP"},
        {"SELECT status, COUNT() AS n FROM devices", "at 7: status is neither an aggregate nor in GROUP BY"},
        {"SELECT tags.floor, COUNT() AS n FROM devices GROUP BY tags.room", "at 7: floor is neither an aggregate nor in GROUP BY"},
        {"SELECT * FROM devices GROUP BY status", "at 31: SELECT * has no groups: name the member and an aggregate, SELECT status, COUNT() AS count"},
        {"SELECT status FROM devices GROUP status", "at 33: here stands status; expected BY behind GROUP"},
        {"SELECT status, COUNT() AS n FROM devices GROUP BY status WHERE status = 'x'", "at 57: WHERE stands before GROUP BY, and once"},
        {"SELECT deviceId FROM devices.jobs", "at 7: devices.jobs is read with SELECT * alone"},
        {"SELECT COUNT() FROM devices.jobs", "at 7: devices.jobs is read with SELECT * alone"},
        {"SELECT * FROM devices.jobs WHERE tags.floor = 1", "at 33: devices.jobs has no tags: a job's row has deviceId, jobId, jobType, status and times"},
        {"SELECT * FROM devices WHERE devices.modules.moduleId = 'x'", "at 28: the query reads devices, not devices.modules"},
        {"SELECT * FROM devices.modules WHERE devices.jobs.jobId = 'x'", "at 36: the query reads devices.modules, not devices.jobs"},
        {"SELECT * FROM devices WHERE devices = 1", "at 28: a member is missing behind devices"},
        {"SELECT * FROM devices WHERE", "at 27: the query ends here; expected a member, a constant, a function or ("},
        {"SELECT * FROM devices WHERE deviceId =", "at 38: the query ends here; expected a member, a constant, a function or ("},
        {"SELECT * FROM devices WHERE deviceId == 'd1'", "at 37: equality is written with one ="},
        {"SELECT * FROM devices WHERE deviceId = 'd1", "at 39: the string that begins here has no closing '"},
        {"SELECT * FROM devices WHERE deviceId = 'it''s'", "at 43: a ' inside of a string is written \\'"},
        {"SELECT * FROM devices WHERE deviceId = 'a\\q'", "at 41: a backslash escapes ' \" \\ / n r t b f or uXXXX"},
        {"SELECT * FROM devices WHERE deviceId = '\\u12'", "at 40: \\u is followed by four hexadecimal digits"},
        {"SELECT * FROM devices WHERE deviceId = '\\ud800'", "at 40: this \\u is one half of a surrogate pair without the other"},
        {"SELECT * FROM devices WHERE deviceId = d1 AND", "at 45: the query ends here; expected a member, a constant, a function or ("},
        {"SELECT * FROM devices WHERE a = 1 && b = 2", "at 34: conditions are joined with AND and OR"},
        {"SELECT * FROM devices WHERE !a", "at 28: ! stands in != alone; negation is written NOT"},
        {"SELECT * FROM devices WHERE a = 1 = 2", "at 34: comparisons cannot be chained; join them with AND"},
        {"SELECT * FROM devices WHERE (a = 1", "at 34: the query ends here; expected )"},
        {"SELECT * FROM devices WHERE a = 1)", "at 33: here stands ); expected the end of the query"},
        {"SELECT * FROM devices WHERE deviceId LIKE 'd%'", "at 37: queries have no LIKE; there are STARTSWITH(path, 'text') and ENDSWITH(path, 'text')"},
        {"SELECT * FROM devices WHERE tags.a IS NULL", "at 35: queries have no IS; there are IS_DEFINED(path) and IS_NULL(path)"},
        {"SELECT * FROM devices WHERE tags.a BETWEEN 1 AND 2", "at 35: queries have no BETWEEN; write path >= a AND path <= b"},
        {"SELECT * FROM devices WHERE deviceId NOT IN ['d1']", "at 37: \"not in\" is written NIN: deviceId NIN ['a', 'b']"},
        {"SELECT * FROM devices WHERE deviceId IN ('d1')", "at 40: here stands (; expected [ behind IN: IN ['a', 'b']"},
        {"SELECT * FROM devices WHERE deviceId IN ['d1' 'd2']", "at 46: here stands the text 'd2'; expected ,"},
        {"SELECT * FROM devices WHERE deviceId IN ['d1',]", "at 46: here stands ]; expected a constant: a number, 'text', true, false or null"},
        {"SELECT * FROM devices WHERE deviceId IN [tags.a]", "at 41: here stands tags; expected a constant: a number, 'text', true, false or null"},
        {"SELECT * FROM devices WHERE STARTS_WITH(deviceId, 'd')", "at 28: queries spell it STARTSWITH; STARTS_WITH belongs to message routes"},
        {"SELECT * FROM devices WHERE CONTAINS(deviceId, 'd')", "at 28: queries have no CONTAINS; there are STARTSWITH, ENDSWITH and, for arrays, ARRAY_CONTAINS"},
        {"SELECT * FROM devices WHERE LOWER(deviceId) = 'd'", "at 28: LOWER is a function of message routes; queries do not have it"},
        {"SELECT * FROM devices WHERE COUNT() > 1", "at 28: COUNT is an aggregate: it stands in the SELECT list, not in a condition"},
        {"SELECT * FROM devices WHERE STARTWITH(deviceId, 'd')", "at 28: queries have no function STARTWITH; did you mean STARTSWITH?"},
        {"SELECT * FROM devices WHERE frobnicate(deviceId)", "at 28: queries have no function frobnicate"},
        {"SELECT * FROM devices WHERE STARTSWITH(deviceId)", "at 28: STARTSWITH takes 2 arguments, not 1"},
        {"SELECT * FROM devices WHERE IS_DEFINED()", "at 28: IS_DEFINED takes 1 argument, not 0"},
        {"SELECT * FROM devices WHERE tags. = 1", "at 34: here stands =; expected a name behind the dot; one with other characters than letters, digits, _ and $ is written [[name]]"},
        {"SELECT * FROM devices WHERE tags.[[a = 1", "at 33: the name that begins here has no closing ]]"},
        {"SELECT * FROM devices WHERE tags.[[]] = 1", "at 33: the name between [[ and ]] is empty"},
        {"SELECT * FROM devices WHERE tags[-1] = 1", "at 33: here stands -; expected an index, 'name' or [name] between the brackets"},
        {"SELECT * FROM devices WHERE tags[0 = 1", "at 35: here stands =; expected ]"},
        {"SELECT * FROM devices WHERE group = 1", "at 28: here stands group; expected a member, a constant, a function or ("},
        {"SELECT * FROM devices WHERE tags.2nd = 1", "at 33: a number cannot go on with letters; a name that begins with a digit is written [[name]]"},
        {"SELECT * FROM devices WHERE a = 0x", "at 32: hexadecimal digits are missing behind 0x"},
        {"SELECT * FROM devices WHERE a = 1.", "at 32: digits are missing behind the decimal point"},
        {"SELECT * FROM devices WHERE a = 1e", "at 32: the exponent of the number has no digits"},
        {"SELECT * FROM devices WHERE a ? 1", "at 30: \"?\" has no meaning here"},
        {"SELECT * FROM devices WHERE a = \xFF", "at 32: the query is not text in UTF-8"},
    });
  }

  TEST_CASE("query faults: bounds hold at their edges") {
    const std::string query = "SELECT * FROM devices WHERE ";
    CHECK(answer(query + std::string(kMaxQueryBytes - query.size() - 6, ' ') + "status") == "[]");
    CHECK(answer(query + std::string(kMaxQueryBytes - query.size() - 5, ' ') + "status") == "at 8192: the query has 8193 bytes; at most 8192 are allowed");
    const auto nested = [&query](int levels) { return answer(query + repeated("(", levels) + "deviceId = 'd3'" + repeated(")", levels)); };
    CHECK(nested(kMaxNesting) == "[" + rows_of(Source::kDevices)[2] + "]");
    CHECK(nested(kMaxNesting + 1) == "at 92: the condition is nested deeper than 64 levels");
    CHECK(answer(query + repeated("NOT ", 64) + "deviceId = 'd3'") == "[" + rows_of(Source::kDevices)[2] + "]");
    CHECK(answer(query + repeated("NOT ", 65) + "deviceId = 'd3'").ends_with("nested deeper than 64 levels"));
    CHECK(answer(query + repeated("- ", 65) + "1 = 1").ends_with("nested deeper than 64 levels"));
    CHECK(answer(query + "deviceId IN [" + repeated("[", 64) + repeated("]", 64) + ", 'd3']") == "[" + rows_of(Source::kDevices)[2] + "]");
    CHECK(answer(query + "deviceId IN [" + repeated("[", 65) + repeated("]", 65) + ", 'd3']").ends_with("nested deeper than 64 levels"));
    CHECK(answer(query + "tags.floor IN [" + repeated("5,", 999) + "1]") == "[" + rows_of(Source::kDevices)[0] + "]");
    CHECK(answer(query + "tags.floor IN [" + repeated("5,", 1000) + "1]").ends_with("the list has more than 1000 items"));
    // Long, and not deep.
    CHECK(answer(query + "deviceId = 'd3' AND tags.floor = 1" + repeated(" OR a", 1500)) == "[]");
    CHECK(answer(query + "0" + repeated("+1", 3000) + " = 3000").size() > 1000);
    const auto columns = [](int count) {
      std::string list;
      for (int i = 0; i < count; ++i) list += (i == 0 ? "a" : ",a") + std::to_string(i);
      return answer("SELECT " + list + " FROM devices WHERE deviceId = 'd1'");
    };
    CHECK(columns(64) == "[{}]");
    CHECK(columns(65).ends_with("the query selects more than 64 columns"));
    CHECK(answer("SELECT COUNT() FROM devices GROUP BY a,b,c,d,e,f,g,h") == R"([{"$1":5}])");
    CHECK(answer("SELECT COUNT() FROM devices GROUP BY a,b,c,d,e,f,g,h,i").ends_with("the query groups by more than 8 members"));
  }

  TEST_CASE("query faults: people count lines and characters") {
    const std::string query = "SELECT *\nFROM devices\nWHERE caf\xC3\xA9 = \xC3\xA9t\xC3\xA9 x";
    const Parsed parsed = parse_query(query);
    REQUIRE(std::holds_alternative<Fault>(parsed));
    CHECK(fault_text(query, std::get<Fault>(parsed)) == "line 3, column 18: here stands x; expected the end of the query");
    CHECK(fault_text("SELECT", {6, "it ends"}) == "column 7: it ends");
  }

  TEST_CASE("query groups: too many, or too long ones, are refused") {
    const Parsed parsed = parse_query("SELECT COUNT() AS n FROM devices GROUP BY deviceId");
    Aggregation groups(std::get<Query>(parsed));
    const auto add = [&groups](const std::string& id) {
      const std::string row = "{\"deviceId\":\"" + id + "\"}";
      return groups.add(DocumentRow(Source::kDevices, row));
    };
    CHECK(add(std::string(kMaxGroupKeyBytes, 'x')).ok());
    CHECK(add(std::string(kMaxGroupKeyBytes + 1, 'x')).error().detail == "a value of GROUP BY has 1025 bytes; at most 1024 are allowed");
    for (std::size_t i = 1; i < kMaxGroups; ++i) REQUIRE(add(std::to_string(i)).ok());
    CHECK(add("one more").error().detail == "the query has more than 10000 groups; narrow it with WHERE");
    CHECK(add("1").ok());
  }

  TEST_CASE("query groups: a page goes on behind the key that it ended with, whatever came and went") {
    const Parsed parsed = parse_query("SELECT tags.x, COUNT() AS n FROM devices GROUP BY tags.x");
    const Query& query = std::get<Query>(parsed);
    const auto grouped = [&query](std::initializer_list<const char*> values) {
      auto groups = std::make_unique<Aggregation>(query);
      for (const char* value : values) REQUIRE(groups->add(DocumentRow(Source::kDevices, "{\"tags\":{\"x\":" + std::string(value) + "}}")).ok());
      REQUIRE(groups->add(DocumentRow(Source::kDevices, "{}")).ok());
      return groups;
    };
    const auto page = [](const Aggregation& groups, std::string& key, std::size_t limit) {
      JsonWriter json;
      json.array();
      key = groups.write(json, key, limit).value_or("");
      json.end_array();
      return std::move(json).take();
    };
    std::string key;
    CHECK(page(*grouped({"2", "1", "\"a\"", "[1]"}), key, 2) == R"([{"n":1},{"x":1,"n":1}])");
    CHECK(!key.empty());
    // 1.5 came, 2 went.
    CHECK(page(*grouped({"1", "1.5", "\"a\"", "[1]", "\"a\""}), key, 2) == R"([{"x":1.5,"n":1},{"x":"a","n":2}])");
    CHECK(!key.empty());
    CHECK(page(*grouped({"1", "\"a\"", "[1]"}), key, 2) == R"([{"x":[1],"n":1}])");
    CHECK(key.empty());
  }
}
