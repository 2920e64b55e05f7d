// Devices come, subscribe and go.
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "auth/sas_token.h"
#include "tests/model/world.h"

namespace nearhub::hub {

void World::connect(const std::string& id, bool clean, Dice& dice) {
  rest();
  const std::size_t key = dice.roll(4) == 3 ? 1 : 0;
  ModelIdentity* identity = model_.find(id);
  ModelIdentity* device = model_.find(MapModel::device_of(id));
  const bool admitted = identity != nullptr && device->enabled && identity->key == static_cast<int>(key);
  if (identity != nullptr && admitted) {
    if (identity->connected) model_.disconnect(*identity);
    identity->connected = true;
    identity->persistent = !clean;
    identity->session = !clean && identity->stored_session ? *identity->stored_session : Session();
  }
  const bool present = admitted && !clean && identity->stored_session.has_value();
  if (admitted) identity->stored_session = clean ? std::nullopt : std::optional(identity->session);

  // A failed attempt must not touch the link that lives.
  auto link = std::make_shared<std::unique_ptr<RecordingLink>>(std::make_unique<RecordingLink>(*shard_));
  auto verdict = std::make_shared<std::optional<bool>>();
  const IdentityId identity_id = id_of(id);
  std::string resource = "h/devices/" + identity_id.device.str();
  if (identity_id.is_module()) resource += "/modules/" + identity_id.module.str();
  const std::string token = auth::make_sas_token(resource, kKeys[key], unix_seconds(clock_.now()) + 1'000'000).value();
  shard_->judge(identity_id, token, {}, [this, id, identity_id, clean, link, verdict](Shard::Verdict given) {
    *verdict = std::holds_alternative<auth::Admission>(given);
    if (!**verdict) return;
    RecordingLink& attached = **link;
    Shard::AttachOptions options;
    options.clean_session = clean;
    attached.connection = &shard_->attach(identity_id, attached, std::move(std::get<auth::Admission>(given)), options, attached.session_present);
    links_[id] = std::move(*link);
    expected_[id].clear();
    shard_->begin(*attached.connection);
  });
  settle();
  const std::string what = "connect " + id;
  if (!verdict->has_value()) RC_FAIL(what + ": no verdict");
  expect_equal(**verdict, admitted, what + " admitted");
  if (admitted) expect_equal(link_of(id)->session_present, present, what + " session present");
  rest();
}

void World::disconnect(const std::string& id) {
  rest();
  ModelIdentity* identity = model_.find(id);
  if (identity == nullptr || !identity->connected) return;
  model_.disconnect(*identity);
  link_of(id)->detach();
  rest();
}

void World::subscribe(const std::string& id, Dice& dice) {
  rest();
  ModelIdentity* identity = model_.find(id);
  if (identity == nullptr || !identity->connected) return;
  Connection& connection = *link_of(id)->connection;
  for (const Topic topic : {Topic::kCloudMessages, Topic::kDesired}) {
    const std::size_t choice = dice.roll(3);
    if (choice == 1) {
      shard_->unsubscribe(connection, topic);
      identity->session.remove(topic);
    } else if (choice == 2) {
      shard_->subscribe(connection, topic, 1);
      identity->session.add(topic, 1);
    }
  }
  if (identity->persistent) identity->stored_session = identity->session;
  bool settled = false;
  shard_->settle_subscriptions(connection, [&settled] { settled = true; });
  settle();
  RC_ASSERT(settled);
  rest();
}

}  // namespace nearhub::hub
