#include "hub/hub.h"

#include "base/log.h"
#include "base/shard_hash.h"
#include "base/text.h"

namespace nearhub::hub {

Hub::Hub(Shared shared) : shared_(std::move(shared)) {}
Hub::~Hub() = default;

std::uint32_t Hub::home_of(const DeviceId& device) const { return shard_of(device.view(), shard_count()); }

void Hub::refuse(std::string identity, std::string peer, std::string operation, std::string answer, auth::Denial denial) const {
  record(auth::EntryKind::kRefusal, std::move(identity), std::move(peer), std::move(operation), std::move(answer), std::move(denial));
}

void Hub::warn(std::string identity, std::string peer, std::string operation, std::string outcome, auth::Denial reason) const {
  record(auth::EntryKind::kWarning, std::move(identity), std::move(peer), std::move(operation), std::move(outcome), std::move(reason));
}

void Hub::record(auth::EntryKind kind, std::string identity, std::string peer, std::string operation, std::string answer, auth::Denial denial) const {
  log::warn(kind == auth::EntryKind::kWarning ? "hub" : "refusal", "identity={} peer={} op=\"{}\" check=\"{}\" answer=\"{}\" reason=\"{}\"",
            printable(identity), peer, printable(operation), auth::check_text(denial.check), answer, printable(denial.sentence(), 1000));
  auth::Refusal refusal;
  refusal.kind = kind;
  refusal.at = shared_.clock.now();
  refusal.identity = std::move(identity);
  refusal.peer = std::move(peer);
  refusal.operation = std::move(operation);
  refusal.answer = std::move(answer);
  refusal.denial = std::move(denial);
  shared_.refusals.record(std::move(refusal));
}

}  // namespace nearhub::hub
