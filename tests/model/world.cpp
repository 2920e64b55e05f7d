// The world at rest and between rests: what is compared when.
#include "tests/model/world.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace nearhub::hub {

using namespace std::chrono_literals;

World::World(std::string path) : path_(std::move(path)) {
  open();
  Hub::Shared shared{clock_, random_, counting_, refusals_, auth::HostNames({"h"}), {}, {}, {}, {}, 4, {}};
  shared.limits.cloud_in_flight = kInFlight;
  shared.limits.cloud_queue_messages = kQueueDepth;
  hub_ = std::make_unique<Hub>(std::move(shared));
  start();
}

World::~World() {
  links_.clear();
  executor_.run();
  store_.reset();
  executor_.run();
}

void World::step(Dice& dice) {
  switch (dice.roll(20)) {
    case 0: return rest();
    case 1: return shard_->end_turn();
    case 2: return create(dice.id());
    case 3: return replace(dice.id(), dice);
    case 4: return remove(dice.id(), dice);
    case 5:
    case 6: return update_twin(dice.id(), dice);
    case 7:
    case 8: return report(dice.id(), dice);
    case 9:
    case 10:
    case 11: return send(dice.id(), dice);
    case 12: return purge(dice.id());
    case 13: return connect(dice.id(), dice.roll(2) == 1, dice);
    case 14: return disconnect(dice.id());
    case 15: return subscribe(dice.id(), dice);
    case 16: return complete(dice.id(), dice);
    case 17: return look(dice.id());
    case 18: return look_from_device(dice.id());
    case 19: return dice.roll(4) == 0 ? restart() : rest();
  }
}

void World::rest() {
  settle();
  for (auto& [id, identity] : model_.identities) deliver(id, identity);
  compare_deliveries();
  for (const auto& check : checks_) check();
  checks_.clear();
  clock_.advance(15s);
  settle();
  for (auto& [id, identity] : model_.identities) {
    std::erase_if(identity.queue, [&, &id = id](const ModelMessage& message) {
      const bool expired = message.expiry <= clock_.now() && !message.in_flight;
      if (expired) model_.settle_message(id, message, Outcome::kExpired);
      return expired;
    });
  }
  compare_deliveries();
}

void World::restart() {
  rest();
  links_.clear();
  for (auto& [id, identity] : model_.identities) {
    model_.disconnect(identity);
    identity.next_sequence = identity.queue.empty() ? 1 : identity.queue.back().sequence + 1;
    for (ModelMessage& message : identity.queue) message.sent_before = false;
  }
  bool drained = false;
  shard_->drain([&] { drained = true; });
  settle();
  RC_ASSERT(drained);
  shard_.reset();
  if (!path_.empty()) {
    store_.reset();
    executor_.run();
    open();
  }
  start();
  compare_state();
}

void World::open() {
  store::StoreSettings settings;
  settings.path = path_;
  settings.durability = store::Durability::kNormal;
  auto opened = store::SqliteStore::open(settings, clock_, [](const Error&) {});
  RC_ASSERT(opened.ok());
  store_ = std::move(*opened);
  counting_.set_target(store_.get());
}

void World::start() {
  shard_ = std::make_unique<Shard>(0, *hub_, executor_, timers_);
  hub_->set_shards({shard_.get()});
}

void World::settle() {
  const bool quiet = executor_.run_until([&] { return counting_.under_way() == 0; }, [&] {
    timers_.run_due();
    executor_.run();
    shard_->end_turn();
  });
  RC_ASSERT(quiet);
}

RecordingLink* World::link_of(const std::string& id) {
  const auto found = links_.find(id);
  return found == links_.end() ? nullptr : found->second.get();
}

void World::deliver(const std::string& id, ModelIdentity& identity) {
  if (!identity.connected || !identity.session.cloud_messages()) return;
  for (ModelMessage& message : identity.queue) {
    if (message.in_flight) continue;
    if (identity.in_flight() >= kInFlight) break;
    message.in_flight = true;
    expected_[id].push_back((message.sent_before ? "again " : "message ") + std::to_string(message.sequence) + " " + message.body);
  }
}

void World::compare_connections() {
  for (const std::string& id : kIds) {
    const ModelIdentity* identity = model_.find(id);
    const RecordingLink* link = link_of(id);
    expect_equal(link != nullptr && link->connection != nullptr, identity != nullptr && identity->connected, id + " connected");
  }
}

void World::compare_deliveries() {
  compare_connections();
  for (auto& [id, link] : links_) {
    // Between rests notifications and messages come in the order of their commits, which the maps do not know.
    std::vector<std::string> hub = std::exchange(link->seen, {}), model = std::exchange(expected_[id], {});
    if (link->connection == nullptr) continue;
    for (const char* kind : {"desired", "message", "again"}) {
      const auto of_kind = [kind](const std::vector<std::string>& texts) {
        std::vector<std::string> chosen;
        for (const std::string& text : texts) {
          if (text.starts_with(kind)) chosen.push_back(text);
        }
        return joined(chosen);
      };
      expect_equal(of_kind(hub), of_kind(model), "deliveries to " + id);
    }
  }
}

void World::compare_state() {
  for (const std::string& device : {std::string("d0"), std::string("d1")}) {
    std::optional<std::optional<DeviceRecord>> loaded;
    counting_.load_device(DeviceId(device), executor_, [&](Result<std::optional<DeviceRecord>> record) {
      RC_ASSERT(record.ok());
      loaded = std::move(*record);
    });
    settle();
    RC_ASSERT(loaded.has_value());
    std::map<std::string, const IdentityRecord*> stored;
    if (*loaded) {
      stored[device] = &(**loaded).device;
      for (const IdentityRecord& module : (**loaded).modules) stored[module.identity.id.text()] = &module;
    }
    for (const std::string& id : kIds) {
      if (MapModel::device_of(id) != device) continue;
      const ModelIdentity* identity = model_.find(id);
      expect_equal(stored.count(id) == 1, identity != nullptr, id + " is stored");
      if (identity != nullptr) compare_record(id, *stored[id], *identity);
    }
  }
  std::optional<std::vector<Feedback>> feedback;
  counting_.read_feedback(100'000, executor_, [&](Result<std::vector<Feedback>> records) {
    RC_ASSERT(records.ok());
    feedback = std::move(*records);
  });
  settle();
  std::vector<std::string> hub, model;
  for (const Feedback& each : *feedback) {
    hub.push_back(each.identity.text() + " " + each.original_message_id + " " + std::string(outcome_text(each.outcome)));
  }
  for (const ModelFeedback& each : model_.feedback) model.push_back(each.text);
  std::sort(hub.begin(), hub.end());
  std::sort(model.begin(), model.end());
  expect_equal(joined(hub), joined(model), "feedback");
}

void World::compare_record(const std::string& id, const IdentityRecord& record, const ModelIdentity& model) {
  expect_equal(record.identity.etag_counter, model.etag_counter, id + " etag");
  expect_equal(record.identity.enabled, model.enabled, id + " enabled");
  expect_equal(record.identity.credentials.primary_key, kKeys[static_cast<std::size_t>(model.key)], id + " key");
  const auto twin = twin::Twin::restore(record.twin.twin);
  if (!twin.ok()) RC_FAIL(id + ": " + twin.error().detail + " in " + record.twin.twin.reported);
  expect_equal(twin->etag_counter(), model.twin_etag, id + " twin etag");
  expect_equal(twin->has_tags(), model.has_tags, id + " has tags");
  expect_equal(twin->tags().root().to_value().to_json(), model.tags.json(), id + " tags");
  expect_equal(twin->device_json(),
               "{\"desired\":" + model.desired.with_version() + ",\"reported\":" + model.reported.with_version() + "}", id + " twin");
  expect_equal(record.session.has_value(), model.stored_session.has_value(), id + " has a session");
  expect_equal(record.session == model.stored_session, true, id + " session");
  std::vector<std::string> hub, queue;
  for (const CloudMessageHead& head : record.queue) hub.push_back(std::to_string(head.sequence) + " " + head.message_id);
  for (const ModelMessage& message : model.queue) queue.push_back(std::to_string(message.sequence) + " " + message.body);
  expect_equal(joined(hub), joined(queue), id + " queue");
}

}  // namespace nearhub::hub
