// Twins: the service updates, the device reports and reads.
#include <algorithm>
#include <utility>

#include "tests/model/world.h"
#include "twin/twin.h"

namespace nearhub::hub {

ModelSection World::section(Dice& dice) {
  ModelSection made;
  for (const char* name : {"a", "b", "c"}) {
    const std::size_t value = dice.roll(5);
    if (value > 1) made.values.emplace_back(name, static_cast<int>(value));
    if (value == 1) made.values.emplace_back(name, std::nullopt);
  }
  return made;
}

void World::update_twin(const std::string& id, Dice& dice) {
  const std::string what = "twin " + id;
  const bool replaces = dice.roll(3) == 2, with_tags = dice.roll(2) == 1, with_desired = dice.roll(4) != 3;
  const std::size_t kind = dice.roll(3);
  const ModelSection tags = section(dice), desired = section(dice);
  std::string body = "{";
  if (with_tags) body += "\"tags\":" + tags.json();
  if (with_desired) body += std::string(with_tags ? "," : "") + "\"properties\":{\"desired\":" + desired.json() + "}";
  body += "}";
  ModelIdentity* identity = model_.find(id);
  twin::Twin etags = twin::Twin::create({});
  Condition wanted{Condition::kAny, {}};
  Answer<TwinView> answer;
  if (identity != nullptr && kind != 0) {
    twin::StoredTwin stored = etags.stored();
    stored.etag_counter = identity->twin_etag + (kind == 1 ? 0 : 1);
    wanted = {Condition::kEtag, twin::Twin::restore(stored).value().etag().str()};
  }
  if (identity == nullptr) {
    answer = expect_error<TwinView>(what, ErrorCode::kDeviceNotFound);
  } else if (kind == 2) {
    answer = expect_error<TwinView>(what, ErrorCode::kPreconditionFailed);
  } else {
    if (with_tags) identity->has_tags = true;
    if (replaces || with_tags) {
      replaces ? identity->tags.replace(with_tags ? tags : ModelSection()) : identity->tags.merge(tags);
    }
    std::string notification;
    if (replaces || with_desired) {
      ModelSection told = desired;
      if (replaces) {
        // The replacement, and null for what vanished.
        ModelSection after;
        after.replace(with_desired ? desired : ModelSection());
        told = after;
        for (const auto& [name, value] : identity->desired.values) {
          const bool stays = std::any_of(after.values.begin(), after.values.end(), [&](const auto& v) { return v.first == name; });
          if (!stays) told.values.emplace_back(name, std::nullopt);
        }
        identity->desired.values = after.values;
      } else {
        identity->desired.merge(desired);
      }
      told.version = ++identity->desired.version;
      notification = "desired " + std::to_string(told.version) + " " + told.with_version();
    }
    if (replaces || with_tags || with_desired) ++identity->twin_etag;
    // Told when it is durable, if the device is there and subscribed then; neither changes before the next rest but by
    // the end of the identity.
    if (!notification.empty() && identity->connected && identity->session.has(Topic::kDesired)) {
      expected_[id].push_back(notification);
    }
    answer = expect_success<TwinView>(what, [what, version = identity->twin_etag + identity->reported.version](const TwinView& view) {
      const std::string member = "\"version\":" + std::to_string(version) + ",";
      if (view.json.find(member) == std::string::npos) RC_FAIL(what + ": not " + member + " in " + view.json);
    });
  }
  shard_->update_twin(id_of(id), twin::parse_update(body).value(), replaces, wanted, std::move(answer));
}

void World::report(const std::string& id, Dice& dice) {
  ModelIdentity* identity = model_.find(id);
  if (identity == nullptr || !identity->connected) return;
  if (link_of(id)->connection == nullptr) rest();
  const std::string what = "report " + id;
  const std::size_t kind = dice.roll(3);
  const ModelSection patch = section(dice);
  std::optional<std::int64_t> if_version;
  if (kind == 1) if_version = identity->reported.version;
  if (kind == 2) if_version = identity->reported.version - 1;
  Answer<std::int64_t> answer;
  if (kind == 2) {
    answer = expect_error<std::int64_t>(what, ErrorCode::kPreconditionFailed);
  } else {
    identity->reported.merge(patch);
    const std::int64_t version = ++identity->reported.version;
    answer = expect_success<std::int64_t>(what, [what, version](const std::int64_t& got) { expect_equal(got, version, what); });
  }
  shard_->report(*link_of(id)->connection, patch.json(), if_version, std::move(answer));
}

void World::look_from_device(const std::string& id) {
  const ModelIdentity* identity = model_.find(id);
  if (identity == nullptr || !identity->connected) return;
  if (link_of(id)->connection == nullptr) rest();
  const std::string what = "device twin " + id;
  const std::string json =
      "{\"desired\":" + identity->desired.with_version() + ",\"reported\":" + identity->reported.with_version() + "}";
  shard_->get_device_twin(*link_of(id)->connection,
                          expect_success<std::string>(what, [what, json](const std::string& got) { expect_equal(got, json, what); }));
}

}  // namespace nearhub::hub
