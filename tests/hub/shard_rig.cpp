#include "tests/hub/shard_rig.h"

#include "auth/sas_token.h"

namespace nearhub::hub {

IdentityId id_of(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {DeviceId(text), {}};
  return {DeviceId(text.substr(0, slash)), ModuleId(text.substr(slash + 1))};
}

registry::IdentityRequest with_keys(std::string_view primary, std::string_view secondary) {
  registry::IdentityRequest request;
  request.credentials.primary_key = primary;
  request.credentials.secondary_key = secondary;
  return request;
}

// --- FakeLink

FakeLink::~FakeLink() {
  if (connection != nullptr) shard_->detach(*connection);
}

void FakeLink::detach() {
  REQUIRE(connection != nullptr);
  shard_->detach(*std::exchange(connection, nullptr));
}

void FakeLink::on_event_stored(std::uint32_t token) {
  seen_.push_back("ack " + std::to_string(token));
  if (on_ack) on_ack(token);
}

void FakeLink::deliver(const CloudMessage& message, bool redelivery) {
  seen_.push_back((redelivery ? "again " : "message ") + std::to_string(message.sequence) + " " + message.body);
  last_message_ = message;
  if (disconnects_on_delivery) return detach();
  if (settles_at_once) shard_->complete(*connection, message.sequence);
}

void FakeLink::notify_desired(std::string_view json, std::int64_t version) {
  seen_.push_back("desired " + std::to_string(version) + " " + std::string(json));
}

void FakeLink::invoke_method(std::string_view request_id, std::string_view name, std::string_view payload) {
  seen_.push_back("method " + std::string(request_id) + " " + std::string(name) + " " + std::string(payload));
  if (on_method) on_method(request_id);
}

void FakeLink::close(const auth::Denial& why) {
  seen_.push_back("closed " + std::string(error_name(why.code)));
  closed = why;
  detach();
}

void FakeLink::on_store_ready() {
  seen_.emplace_back("ready");
  if (on_ready) on_ready();
}

// --- ShardRig

ShardRig::ShardRig(const std::function<void(Hub::Shared&)>& adjust) {
  auth::Rights device = auth::Right::kDeviceConnect;
  Hub::Shared shared{clock,
                     random,
                     store,
                     refusals,
                     auth::HostNames({std::string(kHost)}),
                     std::vector<auth::AccessPolicy>{{"device", std::string(kPolicyKey), std::string(kOtherKey), device}},
                     {},
                     {},
                     {},
                     4,
                     {}};
  if (adjust) adjust(shared);
  hub_ = std::make_unique<Hub>(std::move(shared));
  shard_ = std::make_unique<Shard>(0, *hub_, executor, timers);
  hub_->set_shards({shard_.get()});
}

ShardRig::~ShardRig() { executor.run(); }

void ShardRig::turn() {
  executor.run();
  timers.run_due();
  executor.run();
  shard_->end_turn();
}

void ShardRig::settle() {
  for (;;) {
    const std::size_t ran = executor.run();
    turn();
    if (store.waiting() > 0) {
      store.commit_all();
    } else if (ran == 0) {
      return;
    }
  }
}

void ShardRig::advance(std::chrono::milliseconds by) {
  clock.advance(by);
  turn();
}

void ShardRig::restart() {
  settle();
  shard_ = std::make_unique<Shard>(0, *hub_, executor, timers);
  hub_->set_shards({shard_.get()});
  store.restart();
}

registry::Identity ShardRig::create(std::string_view id, registry::IdentityRequest request) {
  Reply<IdentityView> created;
  shard_->put_identity(id_of(id), std::move(request), {}, created.answer());
  settle();
  return created.value().identity;
}

std::string ShardRig::token(std::string_view id, std::string_view key, std::chrono::seconds lifetime) const {
  const IdentityId identity = id_of(id);
  std::string resource = std::string(kHost) + "/devices/" + identity.device.str();
  if (identity.is_module()) resource += "/modules/" + identity.module.str();
  return auth::make_sas_token(resource, key, unix_seconds(clock.now() + lifetime)).value();
}

std::optional<auth::Denial> ShardRig::connect(std::string_view id, FakeLink& link, ConnectOptions options) {
  if (options.token.empty()) options.token = token(id);
  std::optional<auth::Denial> denial;
  bool judged = false;
  shard_->judge(id_of(id), options.token, {}, [&](Shard::Verdict verdict) {
    judged = true;
    if (auto* denied = std::get_if<auth::Denial>(&verdict)) {
      denial = std::move(*denied);
      return;
    }
    Shard::AttachOptions attach{options.clean_session, options.hold, options.model_id};
    link.connection = &shard_->attach(id_of(id), link, std::move(std::get<auth::Admission>(verdict)), std::move(attach),
                                      link.session_present);
    shard_->begin(*link.connection);
  });
  if (!judged) turn();
  if (!judged) turn();
  REQUIRE(judged);
  return denial;
}

void ShardRig::connect_subscribed(std::string_view id, FakeLink& link, const std::vector<Topic>& topics) {
  REQUIRE_FALSE(connect(id, link).has_value());
  for (const Topic topic : topics) subscribe(link, topic);
  settle();
}

Shard::Verdict ShardRig::judge(std::string_view id, std::optional<std::string> token) {
  std::optional<Shard::Verdict> verdict;
  shard_->judge(id_of(id), std::move(token), {}, [&](Shard::Verdict given) { verdict = std::move(given); });
  for (int i = 0; i < 3 && !verdict; ++i) turn();
  REQUIRE(verdict.has_value());
  return std::move(*verdict);
}

void ShardRig::publish(FakeLink& link, std::string_view body, std::uint32_t token) {
  shard_->append_event(*link.connection, {"", body}, token != 0, token);
}

void ShardRig::subscribe(FakeLink& link, Topic topic, int qos) {
  shard_->subscribe(*link.connection, topic, qos);
  shard_->settle_subscriptions(*link.connection, [] {});
}

void ShardRig::send(std::string_view id, std::string_view body, Reply<std::uint64_t>& reply) {
  CloudMessage message;
  message.body = body;
  send(id, std::move(message), reply);
}

void ShardRig::send(std::string_view id, CloudMessage message, Reply<std::uint64_t>& reply) {
  shard_->send(id_of(id), std::move(message), reply.answer());
}

std::string ShardRig::twin_json(std::string_view id) {
  Reply<TwinView> reply;
  shard_->get_twin(id_of(id), reply.answer());
  for (int i = 0; i < 3 && !reply.came(); ++i) turn();
  return reply.value().json;
}

void ShardRig::patch_desired(std::string_view id, std::string_view desired, Reply<TwinView>& reply) {
  auto update = twin::parse_update(R"({"properties":{"desired":)" + std::string(desired) + "}}");
  REQUIRE(update.ok());
  shard_->update_twin(id_of(id), std::move(*update), false, {}, reply.answer());
}

}  // namespace nearhub::hub
