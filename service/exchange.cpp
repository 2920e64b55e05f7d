#include "service/exchange.h"

#include "base/error_code.h"
#include "service/errors.h"

namespace nearhub::service {
namespace {

// Answers that tell a client it did something wrong. What merely is not there, or is there already, is an answer like any other; 401 is written
// down where it is decided.
bool is_refusal(const http::Response& response) {
  if (response.reason.empty() || response.status < 400) return false;
  if (response.status == 404) return response.code == ErrorCode::kDeviceNotOnline;
  return response.status != 401 && response.status != 409 && response.status != 412;
}

auth::Denial denial_of(const http::Response& response) {
  if (response.code == ErrorCode::kDeviceNotOnline) {
    return {auth::Check::kState, response.code, "a device that is online and listens for methods", response.reason,
            "let the device connect and subscribe to methods first, or wait for it with connectTimeoutInSeconds (`nearhub method --connect-timeout`)"};
  }
  if (response.code == ErrorCode::kOperationNotAllowedInCurrentState) return {auth::Check::kState, response.code, {}, response.reason, {}};
  return {auth::Check::kBody, response.code, {}, response.reason, {}};
}

}  // namespace

Responder::~Responder() {
  if (!slot_) return;
  http::Response gone;
  gone.status = 503;
  if (context_) {
    const hub::Hub::Shared& shared = context_->hub->shared();
    gone = error_response({ErrorCode::kServiceUnavailable, "the hub stopped before it had an answer"}, Envelope::kE1, shared.clock.now(), shared.random);
    gone.reason.clear();  // the hub's doing, and no refusal
  }
  respond(std::move(gone));
}

void Responder::respond(http::Response response) {
  std::shared_ptr<ExchangeSlot> slot = std::move(slot_);
  if (!slot) return;
  if (context_ && is_refusal(response)) {
    context_->hub->refuse(std::move(context_->identity), std::move(context_->peer), std::move(context_->operation),
                          std::to_string(response.status) + " " + std::string(error_name(response.code)),
                          denial_of(response));
  }
  if (loop_->is_current()) {
    if (slot->exchange != nullptr) slot->exchange->respond(std::move(response));
    return;
  }
  loop_->post([slot = std::move(slot), response = std::move(response)]() mutable {
    if (slot->exchange != nullptr) slot->exchange->respond(std::move(response));
  });
}

void Responder::stream(http::Response head, std::unique_ptr<StreamSource> source) {
  const std::shared_ptr<ExchangeSlot> slot = std::move(slot_);
  if (slot && slot->exchange != nullptr) slot->exchange->stream(std::move(head), std::move(source));
}

}  // namespace nearhub::service
