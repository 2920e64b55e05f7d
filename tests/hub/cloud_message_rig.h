// What the tests of cloud-to-device messages share: messages, and what became of them.
//
// THREAD: one.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/hub/shard_rig.h"

namespace nearhub::hub {

inline CloudMessage message(std::string body, Ack ack = Ack::kNone) {
  CloudMessage message;
  message.message_id = "id-" + body;
  message.body = std::move(body);
  message.ack = ack;
  return message;
}

inline CloudMessage expiring(ShardRig& rig, std::chrono::seconds lifetime, std::string body = "x", Ack ack = Ack::kFull) {
  CloudMessage made = message(std::move(body), ack);
  made.expiry = rig.clock.now() + lifetime;
  made.expiry_from_sender = true;
  return made;
}

inline Result<std::uint64_t> send(ShardRig& rig, std::string_view id, CloudMessage message) {
  std::optional<Result<std::uint64_t>> answer;
  rig.shard().send(id_of(id), std::move(message), [&](Result<std::uint64_t> sent) { answer.emplace(sent); });
  rig.settle();
  REQUIRE(answer.has_value());
  return *answer;
}

inline std::int64_t purge(ShardRig& rig, std::string_view id) {
  Reply<std::int64_t> reply;
  rig.shard().purge(id_of(id), reply.answer());
  rig.settle();
  return reply.value();
}

inline std::int64_t queued(ShardRig& rig, std::string_view id) {
  Reply<IdentityView> view;
  rig.shard().get_identity(id_of(id), view.answer());
  rig.settle();
  return view.value().live.queued_messages;
}

inline std::vector<std::string> outcomes(const FakeStore& store) {
  std::vector<std::string> texts;
  for (const Feedback& feedback : store.feedback) {
    texts.push_back(feedback.original_message_id + " " + std::string(outcome_text(feedback.outcome)));
  }
  return texts;
}

}  // namespace nearhub::hub
