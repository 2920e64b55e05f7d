// The input is a query, a zero byte, and rows as JSON, one a line. The query is parsed, planned and answered over the rows and over a fixed twin.
//
// Whatever it is: a fault has a place inside of the text and a sentence; rows that are written are JSON as long as the rows that are read are; and a
// plan that restricts a query to some devices leaves out no row that matches.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "twin/query.h"
#include "twin/value.h"

using namespace nearhub;
using namespace nearhub::twin;
using namespace nearhub::twin::query;

namespace {

constexpr std::string_view kTwin =
    R"({"deviceId":"d1","status":"enabled","connectionState":"Connected","cloudToDeviceMessageCount":0,"version":2,"tags":{"a":1,"b":"x\u00e9\"","c":[1,"x",null,{"d":2}]},)"
    R"("properties":{"desired":{"$metadata":{},"$version":1},"reported":{"t":21.50,"$version":3}},"capabilities":{"iotEdge":false}})";

bool is_json(std::string_view text) { return parse_value(text, SIZE_MAX).ok(); }

void answer(const Query& query, const Plan& plan, std::string_view text, bool sound) {
  const DocumentRow row(query.source, text);
  const bool selected = matches(query, row);
  const auto all = [&](const std::vector<std::size_t>& conditions) {
    return std::all_of(conditions.begin(), conditions.end(), [&](std::size_t i) { return is_true(query.where[i], row); });
  };
  NEARHUB_CHECK(selected == (all(plan.stored_conditions) && all(plan.live_conditions)));
  std::string space;
  const JsonView id = row.member(*find_member(query.source, "deviceId"));
  if (selected && id.is_string()) {
    const std::string device(id.characters(space));
    NEARHUB_CHECK(!plan.devices || std::binary_search(plan.devices->begin(), plan.devices->end(), device));
    NEARHUB_CHECK(device.starts_with(plan.device_prefix));
  }
  if (!sound) return;
  if (!query.aggregates) {
    JsonWriter json;
    write_row(json, query, row);
    NEARHUB_CHECK(is_json(json.text()));
    return;
  }
  Aggregation groups(query);
  if (!groups.add(row).ok() || !groups.add(DocumentRow(query.source, kTwin)).ok()) return;
  // Group by group, the way pages go.
  std::size_t pages = 0;
  for (std::string key;; ++pages) {
    JsonWriter json;
    json.array();
    const auto next = groups.write(json, key, 1);
    json.end_array();
    NEARHUB_CHECK(is_json(json.text()));
    if (!next) break;
    key = *next;
    NEARHUB_CHECK(pages < 3);
  }
  NEARHUB_CHECK(pages + 1 == groups.rows({}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [text, documents] = split_once(std::string_view(reinterpret_cast<const char*>(data), size), '\0');
  for (const Parsed& parsed : {parse_query(text), parse_condition(Source::kDevices, text), parse_condition(Source::kModules, text)}) {
    if (const auto* fault = std::get_if<Fault>(&parsed)) {
      NEARHUB_CHECK(fault->at <= text.size());
      NEARHUB_CHECK(!fault->sentence.empty());
      NEARHUB_CHECK(!fault_text(text, *fault).empty());
      continue;
    }
    const Query& query = std::get<Query>(parsed);
    const Plan plan = make_plan(query);
    answer(query, plan, kTwin, true);
    std::string_view rest = documents.value_or(std::string_view());
    while (!rest.empty()) {
      const auto [line, others] = split_once(rest, '\n');
      rest = others.value_or(std::string_view());
      answer(query, plan, line, is_json(line));
    }
  }
  return 0;
}
