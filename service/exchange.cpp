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

}  // namespace

Responder::~Responder() {
  if (!slot_) return;
  http::Response gone;
  gone.status = 503;
  respond(std::move(gone));
}

void Responder::respond(http::Response response) {
  std::shared_ptr<ExchangeSlot> slot = std::move(slot_);
  if (!slot) return;
  if (context_ && is_refusal(response)) {
    context_->hub->refuse(std::move(context_->identity), std::move(context_->peer), std::move(context_->operation),
                          std::to_string(response.status) + " " + std::string(error_name(response.code)),
                          {auth::Check::kBody, response.code, {}, response.reason, {}});
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
