#include <algorithm>
#include <string>

#include "tests/twin/query_rows.h"

using namespace nearhub;
using namespace nearhub::twin::query;
using namespace nearhub::twin::query::test;

namespace {

struct Case {
  const char* condition;
  const char* ids;  // of the rows that it selects
};

std::string selected(std::string_view condition) {
  const Parsed parsed = parse_condition(Source::kDevices, condition);
  if (const auto* fault = std::get_if<Fault>(&parsed)) return "at " + std::to_string(fault->at) + ": " + fault->sentence;
  std::string ids;
  for (const std::string& document : rows_of(Source::kDevices)) {
    const DocumentRow row(Source::kDevices, document);
    if (!matches(std::get<Query>(parsed), row)) continue;
    std::string space;
    ids += (ids.empty() ? "" : " ") + std::string(row.member(0).characters(space));
  }
  return ids;
}

template <std::size_t n>
void check(const Case (&cases)[n]) {
  for (const Case& each : cases) {
    CAPTURE(each.condition);
    const std::string ids = selected(each.condition);
    CHECK(ids == each.ids);
    // A condition is the same behind WHERE.
    const auto rows = ids.empty() ? 0 : std::count(ids.begin(), ids.end(), ' ') + 1;
    CHECK(answer(std::string("SELECT COUNT() AS n FROM devices WHERE ") + each.condition) == "[{\"n\":" + std::to_string(rows) + "}]");
  }
}

}  // namespace

TEST_SUITE("twin") {
  TEST_CASE("query conditions: values of one kind are compared, strings byte by byte") {
    check({
        {"tags.floor = 1", "d1"},
        {"tags.floor = 1.0", "d1"},
        {"tags.floor = 0x1", "d1"},
        {"tags.floor = 0xA", "e5"},
        {"tags.floor = 1e1", "e5"},
        {"1 = tags.floor", "d1"},
        {"tags.floor != 1", "d2 e5"},
        {"tags.floor <> 1", "d2 e5"},
        {"tags.floor < 2", "d1"},
        {"tags.floor <= 2", "d1 d2"},
        {"tags.floor > 2", "e5"},
        {"tags.floor >= 2", "d2 e5"},
        {"tags.floor = '2'", "d4"},
        {"tags.floor = \"2\"", "d4"},
        {"tags.room = 'kitchen'", "d1"},
        {"tags.room = 'Kitchen'", "d2"},
        {"tags.room < 'b'", "d2 e5"},
        {"tags.room >= 'c'", "d1 d4"},
        {"tags.active = true", "d1"},
        {"tags.active = FALSE", "d2"},
        {"tags.active != true", "d2"},
        {"tags.active < true", "d2"},
        {"tags.nothing = null", "d2"},
        {"properties.desired.mode = null", "d4"},
        {"properties.desired.mode != null", ""},
        {"tags.big = 4503599627370495", "d4"},
        {"tags.big = 4503599627370494", ""},
        {"tags.small = -1500", "d4"},
        {"tags.small < -1.4e3", "d4"},
        {"tags.empty = ''", "d4"},
        {"lastActivityTime > '2026-01-02'", "d1 d4 e5"},
        {"lastActivityTime >= '2026-01-02T12:00:00.0000000Z'", "d4 e5"},
        {"properties.reported.temperature = 21.5", "d1"},
        {"tags.when >= '2025-12-31' AND tags.when < '2026-02-01'", "d1"},
    });
  }

  TEST_CASE("query conditions: what is not there, or of another kind, is undefined and selects nothing, negated or not") {
    check({
        {"tags.missing = 1", ""},
        {"tags.missing != 1", ""},
        {"NOT tags.missing = 1", ""},
        {"NOT (tags.missing = 1)", ""},
        {"tags.missing = undefined", ""},
        {"tags.missing = tags.missing", ""},
        {"missing = 1", ""},
        {"missing.further[3].down = 1", ""},
        {"tags.room = 1", ""},
        {"tags.room != 1", ""},
        {"NOT tags.room != 1", ""},
        {"tags.floor > 'a'", ""},
        {"tags.active = 1", ""},
        {"tags.place = tags.place", ""},
        {"tags.labels = tags.labels", ""},
        {"tags.labels = ['a', 'b']", ""},
        {"deviceId[0] = 'd'", ""},
        {"deviceId.x = 'd'", ""},
        {"tags.missing = 1 OR deviceId = 'd3'", "d3"},
        {"deviceId = 'd3' OR tags.missing = 1", "d3"},
        {"tags.missing = 1 AND deviceId = 'd3'", ""},
        {"NOT (tags.missing = 1 AND deviceId = 'x')", "d1 d2 d3 d4 e5"},
        {"NOT (tags.missing = 1 AND deviceId = 'd3')", "d1 d2 d4 e5"},
        {"NOT (tags.missing = 1 OR deviceId = 'x')", ""},
        {"null = null", "d1 d2 d3 d4 e5"},
        {"undefined", ""},
        {"NOT undefined", ""},
        {"'text'", ""},
        {"NOT 'text'", ""},
        {"1", ""},
        {"null", ""},
        {"NOT null", ""},
        {"true", "d1 d2 d3 d4 e5"},
        {"false", ""},
        {"NOT false", "d1 d2 d3 d4 e5"},
    });
  }

  TEST_CASE("query conditions: AND before OR, NOT before both, brackets before all") {
    check({
        {"deviceId = 'd1' OR deviceId = 'd2' AND status = 'enabled'", "d1"},
        {"(deviceId = 'd1' OR deviceId = 'd2') AND status = 'enabled'", "d1"},
        {"status = 'enabled' AND deviceId = 'd1' OR deviceId = 'd2'", "d1 d2"},
        {"NOT deviceId = 'd1' AND NOT deviceId = 'd2'", "d3 d4 e5"},
        {"NOT (deviceId = 'd1' OR deviceId = 'd2')", "d3 d4 e5"},
        {"NOT NOT deviceId = 'd1'", "d1"},
        {"((((deviceId = 'd1'))))", "d1"},
        {"status = 'enabled' and (connectionState = 'Connected' Or tags.floor = 10)", "d1 d4 e5"},
        {"capabilities.iotEdge", "d2"},
        {"NOT capabilities.iotEdge", "d1 d3 d4 e5"},
        {"capabilities.iotEdge = true", "d2"},
        {"(capabilities.iotEdge=true AND status='disabled')", "d2"},
        {"tags.active", "d1"},
        {"tags.active OR capabilities.iotEdge", "d1 d2"},
        {"(tags.floor = 1) = true", "d1"},
        {"(tags.floor = 1) = (tags.room = 'kitchen')", "d1 d2 e5"},
    });
  }

  TEST_CASE("query conditions: IN and NIN ask for membership, for which an item of another kind is another item") {
    check({
        {"deviceId IN ['d1', 'd3', 'zz']", "d1 d3"},
        {"deviceId in ['d1']", "d1"},
        {"deviceId IN []", ""},
        {"deviceId NIN []", "d1 d2 d3 d4 e5"},
        {"deviceId NIN ['d1', 'd3']", "d2 d4 e5"},
        {"tags.floor IN [1, '2']", "d1 d4"},
        {"tags.floor NIN [1, '2']", "d2 e5"},
        {"tags.floor IN [-1, 1e1, 0x2]", "d2 e5"},
        {"tags.active IN [true]", "d1"},
        {"tags.nothing IN [null]", "d2"},
        {"tags.missing IN [undefined]", ""},
        {"tags.missing NIN ['x']", ""},
        {"NOT deviceId IN ['d1', 'd2']", "d3 d4 e5"},
        {"tags.floor + 1 IN [2, 3]", "d1 d2"},
        {"'d1' IN ['d1']", "d1 d2 d3 d4 e5"},
        {"deviceId IN ['d1', ['d2', ['d3']]]", "d1"},
        {"deviceId NIN [['d1'], ['d2'], 'e5']", "d1 d2 d3 d4"},
        {"tags.labels IN [[], ['a']]", ""},
    });
  }

  TEST_CASE("query conditions: functions, in any case") {
    check({
        {"IS_DEFINED(tags)", "d1 d2 d4 e5"},
        {"is_defined(properties.reported.temperature)", "d1 d2 e5"},
        {"NOT is_defined(properties.reported.temperature)", "d3 d4"},
        {"IS_DEFINED(tags.nothing)", "d2"},
        {"IS_NULL(tags.nothing)", "d2"},
        {"IS_NULL(tags.missing)", ""},
        {"NOT IS_NULL(tags.missing)", "d1 d2 d3 d4 e5"},
        {"IS_BOOL(tags.active)", "d1 d2"},
        {"IS_NUMBER(tags.floor)", "d1 d2 e5"},
        {"IS_STRING(tags.floor)", "d4"},
        {"IS_ARRAY(tags.labels)", "d1 d2"},
        {"IS_OBJECT(properties.reported.firmware)", "d1 e5"},
        {"IS_PRIMITIVE(properties.reported.firmware)", "d4"},
        {"IS_PRIMITIVE(tags.nothing)", "d2"},
        {"IS_NUMBER(tags.floor + 1)", "d1 d2 e5"},
        {"STARTSWITH(deviceId, 'd')", "d1 d2 d3 d4"},
        {"startswith(devices.deviceId, 'e')", "e5"},
        {"STARTSWITH(id, 'd')", "d1 d2 d3 d4"},
        {"STARTSWITH(tags.room, '')", "d1 d2 d4 e5"},
        {"STARTSWITH(tags.floor, '2')", "d4"},
        {"NOT STARTSWITH(tags.floor, '2')", ""},
        {"STARTSWITH(tags.room, tags.room)", "d1 d2 d4 e5"},
        {"ENDSWITH(tags.room, 'itchen')", "d1 d2"},
        {"ENDSWITH(tags.room, '\\u00e9')", "d4"},
        {"ARRAY_CONTAINS(tags.labels, 'b')", "d1"},
        {"array_contains(tags.labels, 3)", "d1"},
        {"ARRAY_CONTAINS(tags.labels, true)", "d1"},
        {"ARRAY_CONTAINS(tags.labels, null)", "d1"},
        {"ARRAY_CONTAINS(tags.labels, 'z')", ""},
        {"NOT ARRAY_CONTAINS(tags.labels, 'z')", "d1 d2"},
        {"ARRAY_CONTAINS(tags.room, 'k')", ""},
        {"ARRAY_CONTAINS(['kitchen', 'attic'], tags.room)", "d1 e5"},
        {"IS_DEFINED(tags.floor) = true", "d1 d2 d4 e5"},
    });
  }

  TEST_CASE("query conditions: paths go through brackets, quotes, indexes and metadata") {
    check({
        {"tags.place.city = 'Bern'", "d1"},
        {"tags['place']['city'] = 'Bern'", "d1"},
        {"tags[\"place\"].city = 'Bern'", "d1"},
        {"tags.[[place]].[[city]] = 'Bern'", "d1"},
        {"tags[[place]].city = 'Bern'", "d1"},
        {"[[tags]].place.city = 'Bern'", "d1"},
        {"tags.[[odd name]] = 'x'", "d1"},
        {"tags['odd name'] = 'x'", "d1"},
        {"tags['odd\\u0020name'] = 'x'", "d1"},
        {"tags.place.at[0] > 46.9", "d1"},
        {"tags.place.at[1] = 7.45", "d1"},
        {"tags.place.at[2] = 7.45", ""},
        {"tags.labels[0] = 'a'", "d1"},
        {"tags.group = 'g' AND tags.from = 'f'", "e5"},
        {"properties.desired.$version = 2", "d1"},
        {"properties.reported.$version > 1", "d1"},
        {"properties.desired.$metadata.$lastUpdated >= '2026'", "d1"},
        {"properties.desired.$metadata.interval.$lastUpdatedVersion = 2", "d1"},
        {"devices.tags.place.city = 'Basel'", "d2"},
        {"DEVICES.Tags.place.city = 'Basel'", "d2"},
        {"tags.Place.city = 'Basel'", ""},
        {"DEVICEID = 'd1'", "d1"},
        {"Properties.Reported.battery = 80", "d1"},
        {"properties.reported.Battery = 80", ""},
        {"Capabilities.IOTEDGE", "d2"},
        {"id = 'd2'", "d2"},
        {"authenticationType = 'certificateAuthority'", "d4"},
        {"x509thumbprint.PRIMARYTHUMBPRINT = null", "d1"},
        {"statusReason = 'lost'", "d2"},
        {"modelId = 'dtmi:a:b;1'", "d1"},
        {"cloudToDeviceMessageCount > 0", "d1 e5"},
        {"version % 2 = 1", "d1 d2"},
        {"properties.reported.firmware.state='pending'", "e5"},
        {"tags.quote = 'it\\'s \"so\"'", "d4"},
        {"tags.quote = \"it's \\\"so\\\"\"", "d4"},
        {"tags.path = 'a\\\\b'", "d4"},
        {"tags.room = 'caf\\u00e9'", "d4"},
        {"tags.room = 'caf\xC3\xA9'", "d4"},
        {"connectionState='Connected'\n\tAND\r\n status\n=\n'enabled'", "d1 d4"},
    });
  }

  TEST_CASE("query conditions: arithmetic is of numbers, and what has no result is undefined") {
    check({
        {"tags.floor + 1 = 2", "d1"},
        {"tags.floor - 1 > 5", "e5"},
        {"tags.floor * 2 + 1 = 5", "d2"},
        {"1 + tags.floor * 2 = 5", "d2"},
        {"(1 + tags.floor) * 2 = 6", "d2"},
        {"tags.floor / 4 = 2.5", "e5"},
        {"10 - 5 - 4 = tags.floor", "d1"},
        {"tags.floor % 3 = 1", "d1 e5"},
        {"-tags.floor = -1", "d1"},
        {"- - tags.floor = 1", "d1"},
        {"+tags.floor = 1", "d1"},
        {"-(tags.floor + 1) < -10", "e5"},
        {"tags.floor / 0 = 1", ""},
        {"tags.floor % 0 = 1", ""},
        {"NOT tags.floor / 0 = 1", ""},
        {"tags.room + 'x' = 'kitchenx'", ""},
        {"1e308 * 10 = 1", ""},
        {"IS_DEFINED(1e308 * 10)", ""},
        {"properties.reported.battery - properties.desired.interval >= 70", "d1 e5"},
    });
  }

  TEST_CASE("query conditions: by themselves, for configurations and jobs") {
    CHECK(selected("*") == "d1 d2 d3 d4 e5");
    CHECK(selected("  ") == "d1 d2 d3 d4 e5");
    CHECK(selected(" tags.floor = 1 ") == "d1");
    CHECK(selected("SELECT * FROM devices") == "at 0: here stands SELECT; expected a member, a constant, a function or (");
    CHECK(selected("tags.floor = 1 GROUP BY status") == "at 15: here stands GROUP; expected AND, OR or the end of the condition");
  }
}
