// What a configuration may say, and what the hub makes of it.
#include "hub/configuration.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "hub/configuration_target.h"

using namespace nearhub;
using namespace nearhub::hub;

namespace {

// "ok", or "InvalidConfigurationContent: ..." without what all contents share.
std::string verdict(std::string_view body, const std::string& id = "c") {
  const auto made = parse_configuration(body, id);
  if (made.ok()) return "ok";
  std::string detail = made.error().detail;
  constexpr std::string_view kShared = "The content provided for configuration is invalid. Please check and try again: ";
  if (detail.starts_with(kShared)) detail.erase(0, kShared.size());
  return std::string(error_name(made.error().code)) + ": " + detail;
}
std::string content(std::string_view json) { return verdict(R"({"content":)" + std::string(json) + "}"); }
std::string with(std::string_view more, std::string_view kind = "deviceContent") {
  return verdict(R"({"content":{")" + std::string(kind) + R"(":{}},)" + std::string(more) + "}");
}
std::string target(std::string_view condition) { return with(R"("targetCondition":")" + std::string(condition) + '"'); }

std::string desired_of(std::string_view json) {
  const auto parsed = parse_content(json);
  REQUIRE(parsed.ok());
  std::string text;
  for (const TwinContent& each : parsed->twins) text += each.module + (each.whole ? "=" : ":") + each.desired.to_json() + " ";
  return text;
}

Configuration configuration_of(std::string_view body, const std::string& id) { return parse_configuration(body, id).value(); }

std::string queries(std::string_view kind, std::string_view condition) {
  std::string text;
  const std::string inside = kind == "modulesContent" ? R"({"$edgeAgent":{}})" : "{}";
  for (const auto& [name, query] : system_queries(configuration_of(R"({"content":{")" + std::string(kind) + R"(":)" + inside + R"(},"targetCondition":")" + std::string(condition) + "\"}", "c"))) {
    text += name + "=" + query + "; ";
  }
  return text;
}

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("configurations: ids are lower case") {
    CHECK(check_configuration_id("az09-+%_*!'").ok());
    CHECK(check_configuration_id(std::string(128, 'a')).ok());
    CHECK(check_configuration_id("").error().detail == "the id of a configuration has 1 to 128 characters, not 0");
    CHECK(check_configuration_id(std::string(129, 'a')).error().detail == "the id of a configuration has 1 to 128 characters, not 129");
    CHECK(check_configuration_id("aB").error().detail ==
          "the id of a configuration contains 'B' at position 2; lower-case letters, digits and - + % _ * ! ' are allowed");
    for (const char* id : {"a.b", "a/b", "a b", "\xc3\xa4", "a:b"}) CHECK_FALSE(check_configuration_id(id).ok());
    CHECK(verdict(R"({"id":"other","content":{"deviceContent":{}}})") == R"(ArgumentInvalid: the body is of configuration "other", the path of "c")");
    CHECK(verdict(R"({"id":"c","content":{"deviceContent":{}}})") == "ok");
  }

  TEST_CASE("configurations: members of the wrong kind are refused with their names") {
    CHECK(verdict("[]") == "ArgumentInvalid: the body is an array; expected an object");
    CHECK(with(R"("schemaVersion":2)") == "ArgumentInvalid: schemaVersion is a number; expected a string");
    CHECK(with(R"("labels":[])") == "ArgumentInvalid: labels is an array; expected an object");
    CHECK(with(R"("labels":{"a":1})") == "ArgumentInvalid: labels.a is a number; expected a string");
    CHECK(with(R"("labels":null,"schemaVersion":null,"priority":null,"metrics":null,"targetCondition":null,"id":null,"contentType":null)") == "ok");
    for (const char* priority : {"-1", "1.5", "2147483648", "\"1\"", "true"}) CHECK(with(R"("priority":)" + std::string(priority)).starts_with("ArgumentInvalid: priority is "));
    CHECK(with(R"("priority":2147483647)") == "ok");
    CHECK(with(R"("targetCondition":1)") == "ArgumentInvalid: targetCondition is a number; expected a string");
    CHECK(with(R"("metrics":{"queries":{"m":1}})") == "ArgumentInvalid: queries.m is a number; expected a string");
    CHECK(with(R"("metrics":{"queries":{"m":"SELECT * FROM nothing"}})") ==
          "InvalidConfigurationCustomMetricsQuery: metrics.queries.m: column 15: here stands nothing; expected devices, devices.modules or devices.jobs behind FROM");
    CHECK(with(R"("metrics":{"queries":{"m":"SELECT * FROM devices.jobs"}})").starts_with("InvalidConfigurationCustomMetricsQuery: "));
    CHECK(with(R"("metrics":{"results":{"m":3},"queries":{}},"systemMetrics":{"queries":{"x":"nonsense"}})") == "ok");
    std::string many = R"("labels":{)";
    for (int i = 0; i < 21; ++i) many += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":\"\"";
    CHECK(with(many + "}") == "ArgumentInvalid: labels has 21 members; at most 20 are allowed");
  }

  TEST_CASE("configurations: the content is one of three, with paths of desired properties as keys") {
    CHECK(verdict("{}") == "InvalidConfigurationContent: content is missing");
    CHECK(content("null") == "InvalidConfigurationContent: content is missing");
    CHECK(content("5") == "InvalidConfigurationContent: content is a number; expected an object");
    CHECK(content("{}") == "InvalidConfigurationContent: it has neither deviceContent nor moduleContent nor modulesContent");
    CHECK(content(R"({"deviceContent":{},"moduleContent":{}})") == "InvalidConfigurationContent: it has deviceContent and moduleContent; one of them is allowed");
    CHECK(content(R"({"deviceContent":{},"moduleContent":null,"modulesContent":null})") == "ok");
    CHECK(content(R"({"deviceContent":[]})") == "InvalidConfigurationContent: deviceContent is an array; expected an object");
    CHECK(content(R"({"deviceContent":{"properties.reported.a":1}})") ==
          R"(InvalidConfigurationContent: deviceContent has the key "properties.reported.a"; keys are properties.desired and paths below it)");
    CHECK(content(R"({"deviceContent":{"properties.desiredx":1}})").starts_with("InvalidConfigurationContent: deviceContent has the key"));
    CHECK(content(R"({"deviceContent":{"properties.desired":1}})") == "InvalidConfigurationContent: deviceContent.properties.desired is a number; expected an object");
    CHECK(content(R"({"deviceContent":{"properties.desired.a..b":1}})") == R"(InvalidConfigurationContent: deviceContent: the key "properties.desired.a..b" has an empty name in it)");
    CHECK(content(R"({"deviceContent":{"properties.desired.":1}})").ends_with("has an empty name in it"));
    CHECK(content(R"({"deviceContent":{"properties.desired.a":1,"properties.desired.a.b":1}})") ==
          R"(InvalidConfigurationContent: deviceContent: "properties.desired.a.b" contradicts another key)");
    CHECK(content(R"({"deviceContent":{"properties.desired":{"a":1},"properties.desired.a":2}})").ends_with("contradicts another key"));
    CHECK(content(R"({"deviceContent":{"properties.desired.a":{"$b":1}}})").starts_with("InvalidConfigurationContent: deviceContent: properties.desired"));
    CHECK(content(R"({"deviceContent":{"properties.desired.a":"()" + std::string(4097, 'x') + "\"}}").starts_with("InvalidConfigurationContent: "));
    CHECK(content(R"({"modulesContent":{"m":{"properties.desired":{}}}})") == "InvalidConfigurationContent: modulesContent has no $edgeAgent");
    CHECK(content(R"({"modulesContent":{"$edgeAgent":{},"a b":{}}})").starts_with("InvalidConfigurationContent: modulesContent: a module's id"));
    CHECK(content(R"({"modulesContent":{"$edgeAgent":{"x":1}}})").starts_with("InvalidConfigurationContent: modulesContent.$edgeAgent has the key"));

    CHECK(desired_of(R"({"deviceContent":{"properties.desired.a.b":1,"properties.desired.a.c":{"d":null,"e":[1]},"properties.desired":{"f":1.50}}})") ==
          R"(:{"a":{"b":1,"c":{"e":[1]}},"f":1.50} )");
    CHECK(desired_of(R"({"modulesContent":{"$edgeAgent":{"properties.desired":{"m":{}}},"x":{"properties.desired.y":1}}})") == R"($edgeAgent={"m":{}} x:{"y":1} )");
    CHECK(parse_content(R"({"modulesContent":{"$edgeAgent":{"properties.desired":{}}}})")->is_base());
    CHECK_FALSE(parse_content(R"({"modulesContent":{"$edgeAgent":{"properties.desired.modules.a":1}}})")->is_base());
  }

  TEST_CASE("configurations: a target is chosen by what neither moves by itself nor is written by configurations") {
    for (const char* condition : {"", "  ", "*", "tags.a = 1 AND NOT deviceId IN ['a']", "properties.reported.fw >= '2' OR id = 'x'", "tags.[[a b]] = 'x'", "status = 'enabled'",
                                  "capabilities.iotEdge = true", "modelId = 'dtmi:a;1'", "nothing.like.it = 1"}) {
      CAPTURE(condition);
      CHECK(target(condition) == "ok");
    }
    for (const char* condition : {"connectionState = 'Connected'", "lastActivityTime > '2026'", "tags.a = 1 AND properties.desired.x = 1", "is_defined(configurations.a)", "version > 3",
                                  "is_defined(properties)", "etag = 'x'", "NOT (tags.a = 1 OR cloudToDeviceMessageCount > 1)"}) {
      CAPTURE(condition);
      CHECK(target(condition).starts_with("InvalidConfigurationTargetCondition: targetCondition: it looks at "));
    }
    CHECK(target("tags.a =") == "InvalidConfigurationTargetCondition: targetCondition: column 9: the query ends here; expected a member, a constant, a function or (");
    CHECK(target("tags.a = 1) OR (tags.b = 1").starts_with("InvalidConfigurationTargetCondition"));
    CHECK(target("FROM devices.modules WHERE tags.a = 1") == "InvalidConfigurationTargetCondition: targetCondition: FROM devices.modules goes with moduleContent alone");
    CHECK(target(std::string(7681, ' ')) == "InvalidConfigurationTargetCondition: targetCondition: it has 7681 bytes; at most 7680 are allowed");
    // Brackets that have room by themselves, and not within what the hub puts around them.
    CHECK(target(std::string(64, '(') + "tags.a = 1" + std::string(64, ')')).starts_with("InvalidConfigurationTargetCondition"));
    CHECK(target(std::string(60, '(') + "tags.a = 1" + std::string(60, ')')) == "ok");

    const auto of_modules = [](std::string_view condition) { return with(R"("targetCondition":")" + std::string(condition) + '"', "moduleContent"); };
    for (const char* condition : {"", "FROM devices.modules WHERE tags.a = 1", "  from   DEVICES.MODULES\\nwhere(moduleId = 'm')", "from devices.modules where *"}) {
      CAPTURE(condition);
      CHECK(of_modules(condition) == "ok");
    }
    for (const char* condition : {"*", "tags.a = 1", "FROM devices.modules", "FROM devices.modulesx WHERE a = 1", "FROM devices WHERE a = 1", "FROM devices.modules WHERE"}) {
      CAPTURE(condition);
      CHECK(of_modules(condition).starts_with("InvalidConfigurationTargetCondition"));
    }
  }

  TEST_CASE("configurations: the queries of their system metrics") {
    CHECK(queries("deviceContent", "tags.a = 1") ==
          "targetedCount=select deviceId from devices where tags.a = 1; appliedCount=select deviceId from devices where configurations.[[c]].status = 'Applied'; ");
    CHECK(queries("deviceContent", "*").starts_with("targetedCount=select deviceId from devices; "));
    CHECK(queries("deviceContent", "").starts_with("targetedCount=; "));
    CHECK(queries("moduleContent", "FROM devices.modules WHERE a = 1").starts_with("targetedCount=select deviceId from devices.modules where a = 1; appliedCount=select deviceId from devices.modules where "));
    CHECK(queries("modulesContent", "a = 1 or b = 2") ==
          "targetedCount=select deviceId from devices where capabilities.iotEdge = true and (a = 1 or b = 2); "
          "appliedCount=select deviceId from devices where configurations.[[c]].status = 'Applied'; "
          "reportedSuccessfulCount=select deviceId from devices.modules where moduleId = '$edgeAgent' and configurations.[[c]].status = 'Applied' and "
          "properties.desired.$version = properties.reported.lastDesiredVersion and properties.reported.lastDesiredStatus.code = 200; "
          "reportedFailedCount=select deviceId from devices.modules where moduleId = '$edgeAgent' and configurations.[[c]].status = 'Applied' and "
          "properties.desired.$version = properties.reported.lastDesiredVersion and properties.reported.lastDesiredStatus.code != 200; ");
  }

  TEST_CASE("configurations: the rank is the priority, then the youth, then the id") {
    std::vector<std::shared_ptr<const TargetedConfiguration>> all;
    const auto add = [&all](const std::string& id, std::int64_t priority, int created) {
      Configuration made = configuration_of(R"({"content":{"deviceContent":{}},"targetCondition":"properties.reported.a = 1"})", id);
      made.priority = priority;
      made.created = WallTime{Ticks{created}};
      all.push_back(make_targeted(std::move(made)).value());
    };
    add("b", 1, 5);
    add("a", 1, 5);
    add("old", 9, 1);
    add("new", 9, 2);
    add("zero", 0, 9);
    const ConfigurationList list(all);
    std::string order;
    for (const auto& each : list.ranked()) order += each->configuration.id + " ";
    CHECK(order == "new old a b zero ");
    CHECK(list.find("old")->configuration.priority == 9);
    CHECK(list.find("none") == nullptr);
    CHECK(list.has(ConfigurationKind::kDevice));
    CHECK(list.sees_reported(ConfigurationKind::kDevice));
    CHECK_FALSE(list.has(ConfigurationKind::kEdge));
  }
}
