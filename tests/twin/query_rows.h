// The twins, modules and jobs that the tests of queries ask for, and the words to ask.
#pragma once
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "twin/query.h"

namespace nearhub::twin::query::test {

// In the order of their ids.
inline const std::vector<std::string>& rows_of(Source source) {
  static const std::vector<std::string> kDevices = {
      R"({"deviceId":"d1","etag":"AAAAAAAAAAE=","status":"enabled","connectionState":"Connected","lastActivityTime":"2026-01-02T00:00:00.0000000Z","cloudToDeviceMessageCount":2,"authenticationType":"sas","x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"modelId":"dtmi:a:b;1","version":5,"tags":{"floor":1,"room":"kitchen","place":{"city":"Bern","at":[46.95,7.45]},"labels":["a","b",3,true,null],"active":true,"odd name":"x","when":"2026-01-01"},"properties":{"desired":{"interval":10,"mode":"auto","$metadata":{"$lastUpdated":"2026-01-01T00:00:00.0000000Z","interval":{"$lastUpdated":"2026-01-01T00:00:00.0000000Z","$lastUpdatedVersion":2}},"$version":2},"reported":{"temperature":21.50,"battery":80,"firmware":{"version":"1.2.0","state":"ok"},"$metadata":{},"$version":7}},"capabilities":{"iotEdge":false}})",
      R"({"deviceId":"d2","etag":"AAAAAAAAAAE=","status":"disabled","statusReason":"lost","connectionState":"Disconnected","lastActivityTime":"2026-01-01T00:00:00.0000000Z","cloudToDeviceMessageCount":0,"authenticationType":"selfSigned","modelId":"","version":3,"tags":{"floor":2,"room":"Kitchen","place":{"city":"Basel"},"labels":[],"active":false,"nothing":null},"properties":{"desired":{"interval":20,"$metadata":{},"$version":3},"reported":{"temperature":19,"battery":15,"$metadata":{},"$version":1}},"capabilities":{"iotEdge":true}})",
      R"({"deviceId":"d3","etag":"AAAAAAAAAAE=","status":"enabled","connectionState":"Disconnected","lastActivityTime":"0001-01-01T00:00:00Z","cloudToDeviceMessageCount":0,"authenticationType":"sas","modelId":"","version":2,"properties":{"desired":{"$metadata":{},"$version":1},"reported":{"$metadata":{},"$version":1}},"capabilities":{"iotEdge":false}})",
      R"({"deviceId":"d4","etag":"AAAAAAAAAAE=","status":"enabled","connectionState":"Connected","lastActivityTime":"2026-01-03T00:00:00.0000000Z","cloudToDeviceMessageCount":0,"authenticationType":"certificateAuthority","modelId":"","version":4,"tags":{"floor":"2","room":"caf\u00e9","quote":"it's \"so\"","path":"a\\b","empty":"","big":4503599627370495,"small":-1.5e3},"properties":{"desired":{"interval":20,"mode":null,"$metadata":{},"$version":1},"reported":{"battery":15,"firmware":"old","$metadata":{},"$version":1}},"capabilities":{"iotEdge":false},"configurations":{"roll-out 1":{"status":"Applied"}}})",
      R"({"deviceId":"e5","etag":"AAAAAAAAAAE=","status":"enabled","connectionState":"Disconnected","lastActivityTime":"2026-01-02T12:00:00.0000000Z","cloudToDeviceMessageCount":1,"authenticationType":"sas","modelId":"","version":2,"tags":{"floor":10,"room":"attic","group":"g","from":"f"},"properties":{"desired":{"interval":30,"$metadata":{},"$version":1},"reported":{"temperature":-4,"battery":100,"firmware":{"version":"1.10.0","state":"pending"},"$metadata":{},"$version":1}},"capabilities":{"iotEdge":false}})",
  };
  static const std::vector<std::string> kModules = {
      R"({"deviceId":"d1","moduleId":"camera","status":"enabled","connectionState":"Connected","version":2,"tags":{"lens":"wide"},"properties":{"desired":{"$version":1},"reported":{"$version":1}}})",
      R"({"deviceId":"d1","moduleId":"radio","status":"enabled","connectionState":"Disconnected","version":2,"properties":{"desired":{"$version":4},"reported":{"lastDesiredVersion":4,"lastDesiredStatus":{"code":200},"$version":1}}})",
      R"({"deviceId":"d2","moduleId":"camera","status":"disabled","connectionState":"Disconnected","version":2,"properties":{"desired":{"$version":4},"reported":{"lastDesiredVersion":3,"lastDesiredStatus":{"code":500},"$version":1}}})",
  };
  static const std::vector<std::string> kJobs = {
      R"({"deviceId":"d1","jobId":"j1","jobType":"scheduleUpdateTwin","status":"completed","startTimeUtc":"2026-01-01T00:00:00Z","createdDateTimeUtc":"2025-12-31T23:59:59Z"})",
      R"({"deviceId":"d2","jobId":"j1","jobType":"scheduleUpdateTwin","status":"failed","startTimeUtc":"2026-01-01T00:00:01Z","error":{"code":"404103","description":"offline"}})",
      R"({"deviceId":"d1","jobId":"j2","jobType":"scheduleDeviceMethod","status":"running","startTimeUtc":"2026-01-02T00:00:00Z"})",
  };
  return source == Source::kDevices ? kDevices : source == Source::kModules ? kModules : kJobs;
}

// The rows of a query as a JSON array; its fault as "at 12: sentence".
inline std::string answer(std::string_view text) {
  const Parsed parsed = parse_query(text);
  if (const auto* fault = std::get_if<Fault>(&parsed)) return "at " + std::to_string(fault->at) + ": " + fault->sentence;
  const Query& query = std::get<Query>(parsed);
  JsonWriter json;
  json.array();
  Aggregation groups(query);
  std::uint64_t left = query.top.value_or(1000);
  for (const std::string& document : rows_of(query.source)) {
    const DocumentRow row(query.source, document);
    if (!matches(query, row)) continue;
    if (query.aggregates) {
      REQUIRE(groups.add(row).ok());
    } else if (left > 0) {
      --left;
      write_row(json, query, row);
    }
  }
  if (query.aggregates) CHECK((!groups.write(json, {}, left) || query.top));  // all groups were written
  json.end_array();
  return std::move(json).take();
}

struct QueryCase {
  const char* query;
  const char* answer;  // rows, or a fault
};

template <std::size_t n>
void check_answers(const QueryCase (&cases)[n]) {
  for (const QueryCase& each : cases) {
    CAPTURE(each.query);
    CHECK(answer(each.query) == each.answer);
  }
}

}  // namespace nearhub::twin::query::test
