// Identities are made, changed, deleted and looked at.
#include <chrono>
#include <utility>

#include "tests/model/world.h"

namespace nearhub::hub {

using namespace std::chrono_literals;

ErrorCode World::missing_now(const std::string& id) {
  return model_.find(MapModel::device_of(id)) == nullptr ? ErrorCode::kDeviceNotFound : missing(id);
}

registry::IdentityRequest World::request(int key, bool enabled) {
  registry::IdentityRequest request;
  request.credentials.primary_key = kKeys[static_cast<std::size_t>(key)];
  request.credentials.secondary_key = kKeys[static_cast<std::size_t>(key)];
  request.enabled = enabled;
  return request;
}

void World::create(const std::string& id) {
  const std::string what = "create " + id;
  Answer<IdentityView> answer;
  if (is_module(id) && model_.find(MapModel::device_of(id)) == nullptr) {
    answer = expect_error<IdentityView>(what, ErrorCode::kDeviceNotFound);
  } else if (model_.find(id) != nullptr) {
    answer = expect_error<IdentityView>(what, is_module(id) ? ErrorCode::kModuleAlreadyExistsOnDevice : ErrorCode::kDeviceAlreadyExists);
  } else {
    // One behind the one that a fresh identity would get by chance, so that a deletion in between is noticed.
    model_.identities[id].etag_counter = 0;
    const int birth = ++births_;
    born_[id] = birth;
    answer = expect_success<IdentityView>(what, [this, id, birth](const IdentityView& view) {
      if (born_[id] != birth) return;
      ModelIdentity* identity = model_.find(id);
      if (identity != nullptr) identity->etag_counter = view.identity.etag_counter;
    });
  }
  shard_->put_identity(id_of(id), request(0, true), {}, std::move(answer));
}

Condition World::condition(std::size_t kind, const ModelIdentity* identity) {
  if (kind == 0) return {Condition::kAny, {}};
  registry::Identity right;
  right.etag_counter = (identity == nullptr ? 0 : identity->etag_counter) + (kind == 1 ? 0 : 1);
  return {Condition::kEtag, right.etag().str()};
}

void World::replace(const std::string& id, Dice& dice) {
  rest();
  const std::string what = "replace " + id;
  const std::size_t kind = dice.roll(3);
  const int key = static_cast<int>(dice.roll(2));
  const bool enabled = is_module(id) || dice.roll(3) != 2;
  ModelIdentity* identity = model_.find(id);
  const Condition wanted = condition(kind, identity);
  Answer<IdentityView> answer;
  if (identity == nullptr) {
    answer = expect_error<IdentityView>(what, missing_now(id));
  } else if (kind == 2) {
    answer = expect_error<IdentityView>(what, ErrorCode::kPreconditionFailed);
  } else {
    const bool locked_out = identity->key != key;
    ++identity->etag_counter;
    identity->key = key;
    identity->enabled = enabled;
    answer = expect_success<IdentityView>(what, [what, etag = identity->etag_counter](const IdentityView& view) {
      expect_equal(view.identity.etag_counter, etag, what);
    });
    for (auto& [other, each] : model_.identities) {
      const bool disabled = !enabled && MapModel::device_of(other) == id;
      if (each.connected && (disabled || (other == id && locked_out))) model_.disconnect(each);
    }
  }
  shard_->put_identity(id_of(id), request(key, enabled), wanted, std::move(answer));
  compare_connections();
  rest();
}

void World::remove(const std::string& id, Dice& dice) {
  const std::string what = "delete " + id;
  const std::size_t kind = dice.roll(3);
  if (kind != 0) rest();  // the etag must be known
  ModelIdentity* identity = model_.find(id);
  const Condition wanted = condition(kind, identity);
  Answer<std::monostate> answer;
  if (identity == nullptr) {
    answer = expect_error<std::monostate>(what, missing_now(id));
  } else if (kind == 2) {
    answer = expect_error<std::monostate>(what, ErrorCode::kPreconditionFailed);
  } else {
    model_.erase(id);
    answer = expect_success<std::monostate>(what);
  }
  shard_->delete_identity(id_of(id), wanted, std::move(answer));
  clock_.advance(1ms);  // another generation
}

void World::look(const std::string& id) {
  const ModelIdentity* identity = model_.find(id);
  const std::string what = "look " + id;
  Answer<IdentityView> view;
  Answer<TwinView> twin;
  if (identity == nullptr) {
    view = expect_error<IdentityView>(what, missing_now(id));
    twin = expect_error<TwinView>(what, ErrorCode::kDeviceNotFound);
  } else {
    const ModelIdentity then = *identity;
    view = expect_success<IdentityView>(what, [what, then](const IdentityView& got) {
      expect_equal(got.identity.enabled, then.enabled, what + " enabled");
      expect_equal(got.live.connected, then.connected, what + " connected");
      expect_equal(got.live.queued_messages, static_cast<std::int64_t>(then.queue.size()), what + " queued");
      expect_equal(got.identity.credentials.primary_key, kKeys[static_cast<std::size_t>(then.key)], what + " key");
    });
    twin = expect_success<TwinView>(what, [what, then](const TwinView& got) {
      const std::string version = "\"version\":" + std::to_string(then.twin_etag + then.reported.version) + ",";
      const std::string tags = "\"tags\":" + then.tags.json();
      if (got.json.find(version) == std::string::npos) RC_FAIL(what + ": not " + version + " in " + got.json);
      expect_equal(got.json.find("\"tags\"") != std::string::npos, then.has_tags, what + " has tags");
      if (then.has_tags && got.json.find(tags) == std::string::npos) RC_FAIL(what + ": not " + tags + " in " + got.json);
    });
  }
  shard_->get_identity(id_of(id), std::move(view));
  shard_->get_twin(id_of(id), std::move(twin));
  if (is_module(id)) return;
  Answer<std::vector<IdentityView>> modules;
  if (identity == nullptr) {
    modules = expect_error<std::vector<IdentityView>>(what, ErrorCode::kDeviceNotFound);
  } else {
    std::vector<std::string> names;
    for (const auto& [other, each] : model_.identities) {
      if (is_module(other) && MapModel::device_of(other) == id) names.push_back(other);
    }
    modules = expect_success<std::vector<IdentityView>>(what, [what, names](const std::vector<IdentityView>& got) {
      std::vector<std::string> listed;
      for (const IdentityView& each : got) listed.push_back(each.identity.id.text());
      expect_equal(joined(listed), joined(names), what + " modules");
    });
  }
  shard_->list_modules(DeviceId(id), std::move(modules));
}

}  // namespace nearhub::hub
