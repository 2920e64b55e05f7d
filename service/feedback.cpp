// Receiving feedback on cloud-to-device messages over HTTPS (reference/service-rest.md 5.12).
//
// The lock token stands in the ETag header, as it does for a device's own messages over HTTPS; where the cloud puts it here is not known.
#include <utility>

#include "hub/feedback_queue.h"
#include "service/api.h"

namespace nearhub::service {
namespace {

constexpr Envelope kFeedbackEnvelope = Envelope::kE1;

template <typename Operation>
void on_feedback(const Api& api, Responder responder, Operation operation) {
  api.on_keeper(api.hub().feedback(), kFeedbackEnvelope, std::move(responder), std::move(operation));
}

// The last part of the path, or the one before "abandon"; as it was given in the ETag, or without its quotes.
std::string token_of(const Request& request) {
  std::string token = request.path.at(3);
  if (token.size() >= 2 && token.front() == '"' && token.back() == '"') token = token.substr(1, token.size() - 2);
  return token;
}

void receive_feedback(const Api& api, Request /*request*/, Responder responder) {
  on_feedback(api, std::move(responder), [&api](hub::FeedbackQueue& feedback, Responder answer) {
    feedback.receive([&api, answer = std::move(answer)](Result<hub::FeedbackQueue::Batch> batch) mutable {
      if (!batch.ok()) return answer.respond(api.error(batch.error(), kFeedbackEnvelope));
      if (batch->records.empty()) return answer.respond(no_content());
      JsonWriter json;
      json.array();
      for (const hub::Feedback& each : batch->records) hub::write_json(json, each);
      json.end_array();
      http::Response response = json_response(std::move(json).take());
      response.set("ETag", "\"" + batch->lock_token + "\"");
      answer.respond(std::move(response));
    });
  });
}

void complete_feedback(const Api& api, Request request, Responder responder) {
  on_feedback(api, std::move(responder), [&api, token = token_of(request)](hub::FeedbackQueue& feedback, Responder answer) {
    feedback.complete(token, [&api, answer = std::move(answer)](Result<std::monostate> completed) mutable {
      answer.respond(completed.ok() ? no_content() : api.error(completed.error(), kFeedbackEnvelope));
    });
  });
}

void abandon_feedback(const Api& api, Request request, Responder responder) {
  on_feedback(api, std::move(responder), [&api, token = token_of(request)](hub::FeedbackQueue& feedback, Responder answer) {
    const Status abandoned = feedback.abandon(token);
    answer.respond(abandoned.ok() ? no_content() : api.error(abandoned.error(), kFeedbackEnvelope));
  });
}

}  // namespace

void add_feedback_routes(std::vector<Route>& routes) {
  using auth::Right;
  routes.insert(routes.end(), {
      {"GET", "messages/serviceBound/feedback", {Right::kServiceConnect}, kFeedbackEnvelope, receive_feedback},
      {"DELETE", "messages/serviceBound/feedback/{}", {Right::kServiceConnect}, kFeedbackEnvelope, complete_feedback},
      {"POST", "messages/serviceBound/feedback/{}/abandon", {Right::kServiceConnect}, kFeedbackEnvelope, abandon_feedback},
  });
}

}  // namespace nearhub::service
