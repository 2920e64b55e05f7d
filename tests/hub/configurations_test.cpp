// Configurations at work on a shard: what is stored with what, sweeps, their marks, and starts in the middle.
#include "hub/configurations.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/hub/shard_rig.h"

using namespace nearhub;
using namespace nearhub::hub;

namespace {

Configuration configuration_of(const std::string& id, std::string_view body) { return parse_configuration(body, id).value(); }

Configuration floor_2(const std::string& id = "c") {
  return configuration_of(id, R"({"content":{"deviceContent":{"properties.desired.chiller":66}},"targetCondition":"tags.floor = 2"})");
}

struct ConfiguredRig : ShardRig {
  explicit ConfiguredRig(std::vector<Configuration> stored = {}, std::vector<std::pair<std::string, std::int64_t>> sweeps = {})
      : ConfiguredRig(make_list(std::move(stored)).value(), std::move(sweeps)) {}
  ConfiguredRig(const ConfigurationListPtr& list, std::vector<std::pair<std::string, std::int64_t>> sweeps)
      : ShardRig([&list](Hub::Shared& shared) { shared.configurations = list; }), configurations(hub(), executor, timers, list, std::move(sweeps)) {}

  Configuration put(Configuration wanted, Condition condition = {}) {
    Reply<Configurations::View> reply;
    configurations.put(std::move(wanted), condition, reply.answer());
    settle();
    return reply.value().configuration;
  }
  void patch(std::string_view id, std::string_view body) {
    Reply<TwinView> reply;
    auto update = twin::parse_update(body);
    REQUIRE(update.ok());
    shard().update_twin(id_of(id), std::move(*update), false, {}, reply.answer());
    settle();
    REQUIRE(reply.succeeded());
  }
  std::string states(const std::string& id) { return store.identities.at(id).twin.configurations; }
  bool has_chiller(const std::string& id) { return store.identities.at(id).twin.twin.desired.find("\"chiller\":66") != std::string::npos; }
  std::size_t count(std::string_view operation) {
    return static_cast<std::size_t>(std::count_if(store.operations.begin(), store.operations.end(), [&](const std::string& each) { return each == operation; }));
  }

  Configurations configurations;
};

constexpr std::string_view kTagged = R"({"tags":{"floor":2}})";

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("configurations: a change and what comes of it are one write") {
    ConfiguredRig rig;
    rig.create("d1");
    rig.put(floor_2());
    rig.store.operations.clear();
    Reply<TwinView> reply;
    rig.shard().update_twin(id_of("d1"), twin::parse_update(kTagged).value(), false, {}, reply.answer());
    rig.turn();
    REQUIRE(rig.store.waiting() == 1);
    CHECK(rig.store.oldest().operations.size() == 2);
    rig.settle();
    CHECK(rig.store.operations == std::vector<std::string>{"PutTwin d1", "PutTwin d1"});
    CHECK(rig.states("d1") == R"({"c":{"status":"Applied"}})");
    CHECK(rig.has_chiller("d1"));
    CHECK(reply.value().json.find("\"chiller\":66") != std::string::npos);
    // Nothing more to do: nothing is written, and no version moves.
    rig.store.operations.clear();
    const std::string twin = rig.twin_json("d1");
    Reply<std::monostate> again;
    rig.shard().configure(id_of("d1"), [] {});
    rig.settle();
    CHECK(rig.store.operations.empty());
    CHECK(rig.twin_json("d1") == twin);
  }

  TEST_CASE("configurations: a sweep finds what is stored, and what was under way when it began") {
    ConfiguredRig rig;
    for (int i = 0; i < 250; ++i) rig.create("d" + std::to_string(i));
    for (const char* id : {"d0", "d7", "d249"}) rig.patch(id, kTagged);
    // Judged by the old list, and not stored when the new one is published.
    Reply<TwinView> late;
    rig.shard().update_twin(id_of("d8"), twin::parse_update(kTagged).value(), false, {}, late.answer());
    rig.put(floor_2());
    for (const char* id : {"d0", "d7", "d8", "d249"}) CHECK(rig.has_chiller(id));
    CHECK(rig.states("d1") == "");
    CHECK(rig.count("EndConfigurationSweep") == 1);

    // The new condition takes from one and gives to another.
    rig.patch("d1", R"({"tags":{"floor":3}})");
    Configuration moved = floor_2();
    moved.target_condition = "tags.floor = 3";
    rig.put(moved, {Condition::kAny, {}});
    CHECK_FALSE(rig.has_chiller("d0"));
    CHECK(rig.states("d0") == "");
    CHECK(rig.has_chiller("d1"));
    Reply<std::monostate> gone;
    rig.configurations.remove("c", {}, gone.answer());
    rig.settle();
    CHECK(gone.succeeded());
    CHECK(rig.states("d1") == "");
    CHECK(rig.has_chiller("d1"));
  }

  TEST_CASE("configurations: a device that is made, reports, or leaves is judged at once, and hears of it") {
    ConfiguredRig rig;
    rig.put(configuration_of("c", R"({"content":{"deviceContent":{"properties.desired.update":"2.0"}},"targetCondition":"properties.reported.version = '1.0'"})"));
    rig.put(configuration_of("all", R"({"content":{"deviceContent":{"properties.desired.log":true}},"targetCondition":"*"})"));
    rig.create("d1");
    CHECK(rig.states("d1") == R"({"all":{"status":"Applied"}})");
    FakeLink link(rig.shard());
    rig.connect_subscribed("d1", link, {Topic::kDesired});
    Reply<std::int64_t> reported;
    rig.shard().report(*link.connection, R"({"version":"1.0"})", std::nullopt, reported.answer());
    rig.settle();
    CHECK(reported.value() == 2);
    CHECK(link.take() == Seen{R"(desired 3 {"update":"2.0","$version":3})"});
    Reply<std::int64_t> again;
    rig.shard().report(*link.connection, R"({"version":"2.0"})", std::nullopt, again.answer());
    rig.settle();
    CHECK(link.take() == Seen{R"(desired 4 {"update":null,"$version":4})"});
    CHECK(rig.states("d1") == R"({"all":{"status":"Applied"}})");
    link.detach();
    rig.restart();
    CHECK(rig.twin_json("d1").find(R"("configurations":{"all":{"status":"Applied"}})") != std::string::npos);
  }

  TEST_CASE("configurations: without any, a twin's change costs nothing more") {
    ConfiguredRig rig;
    rig.create("d1");
    rig.store.operations.clear();
    rig.patch("d1", kTagged);
    CHECK(rig.store.operations == std::vector<std::string>{"PutTwin d1"});
  }

  TEST_CASE("configurations: a sweep that was cut off is done by the next start, of a deletion too") {
    ConfiguredRig before;
    before.create("d1");
    before.create("d2");
    before.patch("d1", kTagged);
    ConfiguredRig rig({floor_2()}, {{"c", 4}, {"gone", 7}});
    rig.store.identities = before.store.identities;
    rig.store.identities.at("d2").twin.configurations = R"({"gone":{"status":"Applied"}})";
    rig.configurations.start();
    rig.settle();
    CHECK(rig.has_chiller("d1"));
    CHECK(rig.states("d1") == R"({"c":{"status":"Applied"}})");
    CHECK(rig.states("d2") == "");
    CHECK(rig.count("EndConfigurationSweep") == 2);
    // Its mark is behind those of the last run.
    Reply<Configurations::View> reply;
    rig.configurations.put(floor_2("next"), {}, reply.answer());
    rig.turn();
    REQUIRE(rig.store.waiting() == 1);
    CHECK(std::get<PutConfiguration>(rig.store.oldest().operations.front()).sweep == 8);
    rig.settle();
  }

  TEST_CASE("configurations: a change is answered behind a thousand twins, and the rest follows") {
    ConfiguredRig rig;
    for (int i = 0; i < 1300; ++i) rig.store.identities.emplace("d" + std::to_string(i), FakeStore::StoredIdentity());
    for (auto& [key, stored] : rig.store.identities) {
      stored.identity.id = id_of(key);
      stored.twin.twin = twin::Twin::create(rig.clock.now()).stored();
    }
    Reply<Configurations::View> reply;
    rig.configurations.put(configuration_of("all", R"({"content":{"deviceContent":{"properties.desired.chiller":66}},"targetCondition":"*"})"), {}, reply.answer());
    const auto done = [&rig] { return std::count_if(rig.store.identities.begin(), rig.store.identities.end(), [](const auto& each) { return !each.second.twin.configurations.empty(); }); };
    while (!reply.came()) {
      rig.turn();
      if (rig.store.waiting() > 0) rig.store.commit();
    }
    CHECK(done() >= 1000);
    CHECK(done() < 1300);
    // A stop ends it between two pages, without taking the mark away.
    rig.configurations.stop();
    rig.settle();
    CHECK(done() < 1300);
    CHECK(rig.count("EndConfigurationSweep") == 0);
  }

  TEST_CASE("configurations: a change behind another's sweep is answered when its own twins have it") {
    ConfiguredRig rig;
    for (int i = 0; i < 300; ++i) rig.store.identities.emplace("d" + std::to_string(i), FakeStore::StoredIdentity());
    for (auto& [key, stored] : rig.store.identities) {
      stored.identity.id = id_of(key);
      stored.twin.twin = twin::Twin::create(rig.clock.now()).stored();
    }
    Reply<Configurations::View> all, one;
    rig.configurations.put(configuration_of("all", R"({"content":{"deviceContent":{"properties.desired.chiller":66}},"targetCondition":"*"})"), {}, all.answer());
    rig.configurations.put(configuration_of("one", R"({"content":{"deviceContent":{"properties.desired.n":1}},"targetCondition":"deviceId = 'd99'","priority":1})"), {}, one.answer());
    while (!one.came()) {
      rig.turn();
      if (rig.store.waiting() > 0) rig.store.commit();
    }
    CHECK(all.succeeded());
    CHECK(one.succeeded());
    CHECK(rig.states("d99") == R"({"one":{"status":"Applied"},"all":{"status":"Applied"}})");
  }

  TEST_CASE("configurations: a sweep waits while too many queries are under way") {
    ConfiguredRig rig;
    rig.create("d1");
    rig.patch("d1", kTagged);
    rig.hub().queries() += kMaxQueriesAtOnce;
    Reply<Configurations::View> reply;
    rig.configurations.put(floor_2(), {}, reply.answer());
    rig.settle();
    CHECK_FALSE(reply.came());
    rig.hub().queries() -= kMaxQueriesAtOnce;
    rig.advance(std::chrono::seconds(1));
    rig.settle();
    CHECK(reply.succeeded());
    CHECK(rig.has_chiller("d1"));
  }

  TEST_CASE("configurations: what does not fit into a twin is not applied, and there is a warning") {
    ConfiguredRig rig;
    rig.create("d1");
    Reply<TwinView> full;
    rig.patch_desired("d1", R"({"a":")" + std::string(4000, 'x') + R"(","b":{"c":")" + std::string(4000, 'x') + R"(","d":")" + std::string(4000, 'x') + R"(","e":")" + std::string(4000, 'x') +
                                R"(","f":")" + std::string(4000, 'x') + "\"}}", full);
    rig.settle();
    REQUIRE(full.succeeded());
    std::string large = R"({"targetCondition":"*","content":{"deviceContent":{)";
    for (int i = 0; i < 4; ++i) large += (i > 0 ? ",\"" : "\"") + ("properties.desired.n" + std::to_string(i)) + "\":\"" + std::string(4000, 'y') + '"';
    rig.put(configuration_of("large", large + "}}}"));
    CHECK(rig.states("d1") == R"({"large":{"status":"Targeted"}})");
    const auto warnings = rig.refusals.recent("d1", 10, auth::EntryKind::kWarning);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].denial.received.find("at most 32768 are allowed") != std::string::npos);
    // Room is made, by a service: the hub tries again.
    rig.patch("d1", R"({"properties":{"desired":{"b":null}}})");
    CHECK(rig.states("d1") == R"({"large":{"status":"Applied"}})");
  }

  TEST_CASE("configurations: by rank as many as fit are applied, and one that does not takes nobody down") {
    ConfiguredRig rig;
    rig.create("d1");
    std::string own = R"({"properties":{"desired":{)";
    for (int i = 0; i < 5; ++i) own += (i > 0 ? ",\"" : "\"") + ("own" + std::to_string(i)) + "\":\"" + std::string(4000, 'x') + '"';
    rig.patch("d1", own + "}}}");
    rig.put(configuration_of("small", R"({"targetCondition":"*","priority":1,"content":{"deviceContent":{"properties.desired.small":1}}})"));
    CHECK(rig.states("d1") == R"({"small":{"status":"Applied"}})");
    std::string large = R"({"targetCondition":"*","priority":2,"content":{"deviceContent":{)";
    for (int i = 0; i < 4; ++i) large += (i > 0 ? ",\"" : "\"") + ("properties.desired.n" + std::to_string(i)) + "\":\"" + std::string(4000, 'y') + '"';
    rig.put(configuration_of("large", large + "}}}"));
    CHECK(rig.states("d1") == R"({"large":{"status":"Targeted"},"small":{"status":"Applied"}})");
    rig.put(configuration_of("urgent", R"({"targetCondition":"*","priority":3,"content":{"deviceContent":{"properties.desired.urgent":1}}})"));
    CHECK(rig.states("d1") == R"({"urgent":{"status":"Applied"},"large":{"status":"Targeted"},"small":{"status":"Applied"}})");
    // And who leaves meanwhile takes its values along.
    const std::string& desired = rig.store.identities.at("d1").twin.twin.desired;
    CHECK(desired.find("\"small\":1") != std::string::npos);
    rig.put(configuration_of("small", R"({"targetCondition":"","priority":1,"content":{"deviceContent":{"properties.desired.small":1}}})"), {Condition::kAny, {}});
    CHECK(rig.states("d1") == R"({"urgent":{"status":"Applied"},"large":{"status":"Targeted"}})");
    CHECK(desired.find("\"small\":1") == std::string::npos);
  }

  TEST_CASE("configurations: a refused change changes nothing, a failed write neither") {
    ConfiguredRig rig;
    rig.put(floor_2());
    Reply<Configurations::View> again, stale, failed;
    rig.configurations.put(floor_2(), {}, again.answer());
    rig.configurations.put(floor_2(), {Condition::kEtag, "other"}, stale.answer());
    rig.settle();
    CHECK(again.error().code == ErrorCode::kConfigurationAlreadyExists);
    CHECK(stale.error().code == ErrorCode::kPreconditionFailed);
    rig.store.fail_next("PutConfiguration", ErrorCode::kPreconditionFailed);
    rig.configurations.put(floor_2("other"), {}, failed.answer());
    rig.settle();
    CHECK(failed.error().code == ErrorCode::kPreconditionFailed);
    Reply<std::vector<Configurations::View>> listed;
    rig.configurations.list(listed.answer());
    rig.settle();
    CHECK(listed.value().size() == 1);
  }

  TEST_CASE("configurations: metrics are counted by their own queries when somebody asks") {
    ConfiguredRig rig;
    rig.create("d1");
    rig.create("d2");
    rig.patch("d1", kTagged);
    Configuration wanted = floor_2();
    wanted.metrics = R"({"all":"SELECT * FROM devices","statuses":"SELECT status, COUNT() AS n FROM devices GROUP BY status"})";
    rig.put(wanted);
    const auto numbers = [&rig] {
      Reply<Configurations::View> reply;
      rig.configurations.find("c", reply.answer());
      rig.settle();
      std::string text;
      for (const auto& [name, number] : reply.value().results.system) text += name + "=" + std::to_string(number) + " ";
      for (const auto& [name, number] : reply.value().results.custom) text += name + "=" + std::to_string(number) + " ";
      return text;
    };
    CHECK(numbers() == "targetedCount=1 appliedCount=1 all=2 statuses=1 ");
    rig.patch("d2", kTagged);
    CHECK(numbers() == "targetedCount=2 appliedCount=2 all=2 statuses=1 ");
    // While nothing can be counted the last numbers stand.
    rig.create("d3");
    rig.hub().queries() += kMaxQueriesAtOnce;
    CHECK(numbers() == "targetedCount=2 appliedCount=2 all=2 statuses=1 ");
    rig.hub().queries() -= kMaxQueriesAtOnce;
    CHECK(numbers() == "targetedCount=2 appliedCount=2 all=3 statuses=1 ");
  }
}
