// Who comes in, who is thrown out, and what a connection is subscribed to.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "hub/shard.h"
#include "hub/similar_ids.h"

namespace nearhub::hub {
namespace {

auth::Denial unknown_identity(const IdentityId& id, const std::vector<std::string>& similar) {
  std::string advice;
  for (const std::string& known : similar) advice += (advice.empty() ? "did you mean " : " or ") + known;
  if (!advice.empty()) {
    advice += "?";
  } else {
    advice = id.is_module() ? "create it: nearhub module create " + id.text() : "create it: nearhub device create " + id.text();
  }
  return {auth::Check::kIdentity, ErrorCode::kDeviceNotFound, id.is_module() ? "a registered module" : "a registered device",
          (id.is_module() ? "module " : "device ") + printable(id.text(), 260) + ", which does not exist", std::move(advice)};
}

}  // namespace

void Shard::judge(const IdentityId& id, std::optional<std::string> password, std::vector<std::string> certificates,
                  UniqueFunction<void(Verdict)> answer) {
  with_device(id.device, [this, id, password = std::move(password), certificates = std::move(certificates),
                          answer = std::move(answer)](Result<Device*> loaded) mutable {
    if (!loaded.ok()) {
      return answer(auth::Denial{auth::Check::kState, ErrorCode::kServiceUnavailable, "a store that answers", loaded.error().detail, {}});
    }
    Device& device = **loaded;
    IdentityState* state = device.exists ? &device.self : nullptr;
    if (state != nullptr && id.is_module()) {
      const auto module = device.modules.find(id.module.view());
      state = module == device.modules.end() ? nullptr : module->second.get();
      if (state == nullptr) {
        SimilarIds similar(id.module.view());
        for (const auto& [name, known] : device.modules) similar.look_at(name);
        std::vector<std::string> names = similar.nearest();
        for (std::string& name : names) name = device.id.str() + "/" + name;
        return answer(unknown_identity(id, names));
      }
    }
    if (state == nullptr) {
      // One look at a time: an unknown id must not cost the store more than the hub can bear.
      if (looking_for_similar_) return answer(unknown_identity(id, {}));
      looking_for_similar_ = true;
      shared_.store.find_similar(id.device, executor_, [this, id, answer = std::move(answer)](Result<std::vector<DeviceId>> similar) mutable {
        looking_for_similar_ = false;
        std::vector<std::string> names;
        if (similar.ok()) {
          for (const DeviceId& known : *similar) names.push_back(known.str());
        }
        answer(unknown_identity(id, names));
      });
      return;
    }
    if (!device.self.identity.enabled) {
      std::string received = "device " + device.id.str() + ", which is disabled";
      if (device.self.identity.status_reason) received += ": " + printable(*device.self.identity.status_reason, 200);
      return answer(auth::Denial{auth::Check::kStatus, ErrorCode::kDeviceDisabled, "an enabled device", std::move(received),
                                 "enable it: nearhub device enable " + device.id.str()});
    }
    const auth::PolicyTable::List policies = shared_.policies.current();
    auth::DeviceQuestion question{state->identity.id,
                                  state->identity.credentials,
                                  id.is_module() ? &device.self.identity.credentials : nullptr,
                                  {},
                                  shared_.hosts,
                                  *policies,
                                  shared_.clock.now(),
                                  shared_.sas_times};
    if (password) question.presented.password = *password;
    question.presented.certificates = &certificates;
    question.authorities = authorities_.get();
    if (question.credentials.type == auth::AuthenticationType::kSelfSigned && !certificates.empty() && !device.modules.empty()) {
      question.relatives.push_back({&device.self.identity.id, &device.self.identity.credentials});
      for (const auto& [name, module] : device.modules) question.relatives.push_back({&module->identity.id, &module->identity.credentials});
    }
    answer(auth::authenticate_device(question));
  });
}

Connection& Shard::attach(const IdentityId& id, Link& link, auth::Admission admission, AttachOptions options, bool& session_present) {
  IdentityState* found = find(id);
  NEARHUB_CHECK(found != nullptr);
  IdentityState& state = *found;
  touch(*state.device);

  if (state.connection != nullptr) {
    end_connection(state, {auth::Check::kState, ErrorCode::kConnectionForcefullyClosedOnNewConnection, "one connection per identity",
                           "a new connection of " + id.text() + " from " + link.peer(),
                           "if both are meant to live, give each its own device id"});
  }

  std::uint32_t slot;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(connections_.size());
    connections_.emplace_back();
    generations_.push_back(0);
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  connections_[slot] = std::make_unique<Connection>();
  ++connected_;
  if (!id.is_module()) ++connected_devices_;
  Connection& connection = *connections_[slot];
  connection.slot = slot;
  connection.generation = generations_[slot];
  connection.link = &link;
  connection.identity = &state;
  connection.admission = std::move(admission);
  connection.model_id = std::move(options.model_id);
  connection.persistent = !options.clean_session;
  state.connection = &connection;

  session_present = connection.persistent && state.stored_session.has_value();
  state.session = session_present ? *state.stored_session : Session();
  connection.wanted = state.session;
  if (!connection.persistent && state.stored_session) {
    state.stored_session.reset();
    write(state, DropSession{id}, nullptr);
  } else if (connection.persistent && !state.stored_session) {
    state.stored_session.emplace();
    write(state, PutSession{id, {}}, nullptr);
  }
  if (!connection.model_id.empty() && connection.model_id != state.model_id) {
    state.model_id = connection.model_id;
    write(state, PutModelId{id, state.model_id}, nullptr);
    reconfigure(state);
  }

  if (options.hold_cloud_messages && state.session.cloud_messages() && shared_.limits.cloud_hold.count() > 0) {
    connection.holding = true;
    connection.hold_end = std::make_unique<Timer>(timers_, [this, &connection] { release_cloud_messages(connection); });
    connection.hold_end->start_at(timers_.now() + shared_.limits.cloud_hold);
  }
  if (connection.admission.expiry) {
    const auto left = *connection.admission.expiry + std::chrono::seconds{shared_.sas_times.grace_s} - shared_.clock.now();
    connection.token_end = std::make_unique<Timer>(timers_, [this, &connection] { on_token_end(connection); });
    // A token may be valid for millennia; the deadline only has to be right within the process's life.
    constexpr std::chrono::hours kFar{24 * 365 * 10};
    const auto wait = left > kFar ? std::chrono::milliseconds(kFar) : std::chrono::duration_cast<std::chrono::milliseconds>(left);
    connection.token_end->start_at(timers_.now() + std::max(wait, std::chrono::milliseconds{0}));
  }
  state.identity.connection_state_updated = shared_.clock.now();
  mark_active(state);
  notify_connection(state, true);
  return connection;
}

void Shard::begin(Connection& connection) {
  const IdentityRef ref = ref_of(*connection.identity);
  if (!connection.identity->methods.empty()) start_waiting_methods(ref);
  if (IdentityState* state = find(ref)) pump(*state);
}

void Shard::detach(Connection& connection) {
  IdentityState& state = *connection.identity;
  const std::uint32_t slot = connection.slot;
  state.connection = nullptr;
  state.session = {};
  if (state.queue) {
    for (QueuedMessage& message : state.queue->messages) {
      if (message.locked) {
        message.locked = false;
        message.sent_before = true;
      }
      message.content.reset();
    }
  }
  if (state.device->exists) {
    state.identity.connection_state_updated = shared_.clock.now();
    mark_active(state);
    notify_connection(state, false);
  }
  // Its timers end now; its memory a moment later, because one of them may be what calls this.
  for (const auto* timer : {&connection.token_end, &connection.hold_end}) {
    if (*timer) (*timer)->cancel();
  }
  if (connection.waiting_for_store) std::erase(waiting_for_store_, slot);
  executor_.post([ended = std::move(connections_[slot])] {});
  ++generations_[slot];
  free_slots_.push_back(slot);
  --connected_;
  if (!state.identity.id.is_module()) --connected_devices_;
  forget_if_idle(*state.device);
}

void Shard::end_connection(IdentityState& identity, const auth::Denial& why) {
  if (identity.connection == nullptr) return;
  Link& link = *identity.connection->link;
  link.close(why);
  NEARHUB_CHECK(identity.connection == nullptr);
}

void Shard::end_connections(Device& device, const auth::Denial& why) {
  end_connection(device.self, why);
  for (auto& [name, module] : device.modules) end_connection(*module, why);
}

void Shard::end_connection_if_locked_out(IdentityState& identity) {
  if (identity.connection == nullptr) return;
  const auth::Admission& admission = identity.connection->admission;
  if (auth::still_valid(admission, identity.identity.credentials, *shared_.policies.current(), *authorities_)) return;
  const auth::AuthenticationType type = identity.identity.credentials.type;
  std::string received = "the credential that admitted this connection; it was changed or removed just now";
  std::string advice = "connect with the new one";
  if (admission.scope != auth::Admission::Scope::kHub && admission.type != type) {
    received = fmt::format("one of authentication type {}, which was changed to {} just now", auth::authentication_type_text(admission.type),
                           auth::authentication_type_text(type));
    advice = "connect as the identity is registered now";
  } else if (admission.type == auth::AuthenticationType::kSelfSigned) {
    received = "the certificate that admitted this connection; its thumbprint " + admission.credential + " was changed or removed just now";
    advice = "connect with the certificate that is registered; the two slots let a certificate be rolled without a break";
  } else if (admission.type == auth::AuthenticationType::kCertificateAuthority) {
    const auth::Authority* same_name = authorities_->find(admission.authority);
    received = fmt::format("a certificate of the CA {}, which {} just now", admission.authority,
                           same_name == nullptr    ? "was deleted"
                           : same_name->verified   ? "was replaced"
                                                   : "lost its verification");
    advice = "register the CA again, or connect with a certificate of another one: roll a CA by registering the new one beside the old";
  }
  end_connection(identity, {auth::Check::kCredential, ErrorCode::kIotHubUnauthorized, "a credential that is registered", std::move(received), std::move(advice)});
}

void Shard::set_authorities(auth::AuthoritiesPtr authorities) {
  NEARHUB_DCHECK(executor_.is_current());
  authorities_ = std::move(authorities);
  // By number: whoever is ended leaves its place empty, and nobody comes in meanwhile.
  for (std::size_t slot = 0; slot < connections_.size(); ++slot) {
    const Connection* connection = connections_[slot].get();
    if (connection == nullptr || connection->admission.type != auth::AuthenticationType::kCertificateAuthority) continue;
    end_connection_if_locked_out(*connection->identity);
  }
}

void Shard::on_token_end(Connection& connection) {
  // Renewal means a new connection in MQTT 3.1.1; an old token's end is the connection's end.
  const auth::Denial why{auth::Check::kSasExpiry, ErrorCode::kIotHubUnauthorized,
                         "a new token within " + std::to_string(shared_.sas_times.grace_s) + " s of the old one's expiry",
                         "none: the token of this connection has expired", "reconnect with a new token before the old one expires"};
  Link& link = *connection.link;
  // The timer that calls this lives in the connection, which close() destroys: leave its call first.
  executor_.post([this, slot = connection.slot, generation = connection.generation, why, &link] {
    if (generations_[slot] == generation && connections_[slot]) link.close(why);
  });
}

void Shard::subscribe(Connection& connection, Topic topic, int qos) { connection.wanted.add(topic, qos); }

void Shard::unsubscribe(Connection& connection, Topic topic) { connection.wanted.remove(topic); }

void Shard::subscribe_method(Connection& connection, std::string_view name) {
  auto& names = connection.wanted.method_names;
  if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
}

void Shard::unsubscribe_method(Connection& connection, std::string_view name) { std::erase(connection.wanted.method_names, name); }

void Shard::settle_subscriptions(Connection& connection, Task done) {
  IdentityState& state = *connection.identity;
  if (connection.persistent && state.stored_session != connection.wanted) {
    state.stored_session = connection.wanted;
    write(state, PutSession{state.identity.id, connection.wanted}, nullptr);
  }
  auto settled = [this, slot = connection.slot, generation = connection.generation, session = connection.wanted,
                  done = std::move(done)](const Status&) mutable {
    // A device that was lost has no connections any more.
    if (generations_[slot] != generation || !connections_[slot]) return;
    // From here on deliveries count on it; the acknowledgement goes out before the first of them.
    connections_[slot]->identity->session = std::move(session);
    done();
    if (generations_[slot] == generation && connections_[slot]) begin(*connections_[slot]);
  };
  if (connection.persistent) {
    after_writes(state, std::move(settled));
  } else {
    settled(Status());
  }
}

void Shard::release_cloud_messages(Connection& connection) {
  if (!connection.holding) return;
  connection.holding = false;
  if (connection.hold_end) connection.hold_end->cancel();
  pump(*connection.identity);
}

IdentityView Shard::view(IdentityState& identity) {
  return {identity.identity, {identity.connection != nullptr, static_cast<std::int64_t>(identity.queued())}};
}

}  // namespace nearhub::hub
