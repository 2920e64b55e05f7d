// Configurations: automatic device management and deployments for IoT Edge (reference/service-rest.md 5.10).
//
//   /configurations                            GET
//   /configurations/{id}                       GET, PUT, DELETE
//   /configurations/testQueries                POST
//   /devices/{id}/applyConfigurationContent    POST
#include "hub/configurations.h"

#include <fmt/core.h>

#include <memory>
#include <utility>

#include "base/text.h"
#include "hub/configuration_target.h"
#include "service/api.h"

namespace nearhub::service {
namespace {

constexpr Envelope kConfigurationEnvelope = Envelope::kE1;

template <typename Operation>
void on_configurations(const Api& api, Responder responder, Operation operation) {
  api.on_keeper(api.hub().configurations(), kConfigurationEnvelope, std::move(responder), std::move(operation));
}

// As everywhere, but for one thing: an etag counts in quotes alone, as in the cloud. Without them the header says nothing (4.1).
struct IfMatch {
  hub::Condition condition;
  bool unquoted = false;
};
IfMatch if_match_of(const http::Request& request) {
  IfMatch match{parse_if_match(request)};
  const std::string* header = request.header("If-Match");
  if (match.condition.kind != hub::Condition::kEtag || header == nullptr || trim(*header).ends_with('"')) return match;
  return {{}, true};
}

http::Response answer_of(const Api& api, const Result<hub::Configurations::View>& view) {
  if (!view.ok()) return api.error(view.error(), kConfigurationEnvelope);
  JsonWriter json;
  hub::write_json(json, view->configuration, view->results);
  http::Response response = json_response(std::move(json).take());
  response.set("ETag", "\"" + view->configuration.etag().str() + "\"");
  return response;
}

void list_configurations(const Api& api, Request /*request*/, Responder responder) {
  // `top` is not looked at, as in the cloud: there are never many.
  on_configurations(api, std::move(responder), [&api](hub::Configurations& configurations, Responder answer) {
    configurations.list([&api, answer = std::move(answer)](const Result<std::vector<hub::Configurations::View>>& views) mutable {
      if (!views.ok()) return answer.respond(api.error(views.error(), kConfigurationEnvelope));
      JsonWriter json;
      json.array();
      for (const auto& view : *views) hub::write_json(json, view.configuration, view.results);
      json.end_array();
      answer.respond(json_response(std::move(json).take()));
    });
  });
}

void get_configuration(const Api& api, Request request, Responder responder) {
  on_configurations(api, std::move(responder), [&api, id = request.path[1]](hub::Configurations& configurations, Responder answer) {
    configurations.find(id, [&api, answer = std::move(answer)](const Result<hub::Configurations::View>& view) mutable { answer.respond(answer_of(api, view)); });
  });
}

void put_configuration(const Api& api, Request request, Responder responder) {
  auto wanted = hub::parse_configuration(request.http.body, request.path[1]);
  if (!wanted.ok()) return responder.respond(api.error(wanted.error(), kConfigurationEnvelope));
  on_configurations(api, std::move(responder), [&api, wanted = std::move(*wanted), match = if_match_of(request.http)](hub::Configurations& configurations,
                                                                                                                  Responder answer) mutable {
    configurations.put(std::move(wanted), match.condition,
                       [&api, unquoted = match.unquoted, answer = std::move(answer)](Result<hub::Configurations::View> view) mutable {
      if (!view.ok() && unquoted && view.error().code == ErrorCode::kConfigurationAlreadyExists) {
        view = Error{view.error().code, view.error().detail + " The etag in If-Match has no quotes around it, and counts only with them."};
      }
      answer.respond(answer_of(api, view));
    });
  });
}

void delete_configuration(const Api& api, Request request, Responder responder) {
  on_configurations(api, std::move(responder), [&api, id = request.path[1], match = if_match_of(request.http)](hub::Configurations& configurations, Responder answer) {
    configurations.remove(id, match.condition, [&api, answer = std::move(answer)](const Result<std::monostate>& removed) mutable {
      answer.respond(removed.ok() ? no_content() : api.error(removed.error(), kConfigurationEnvelope));
    });
  });
}

void test_queries(const Api& api, Request request, Responder responder) {
  auto verdict = hub::test_configuration_queries(request.http.body);
  responder.respond(verdict.ok() ? json_response(std::move(*verdict)) : api.error(verdict.error(), kConfigurationEnvelope));
}

void apply_content(const Api& api, Request request, Responder responder) {
  const auto id = identity_of(request);
  if (!id.ok()) return responder.respond(api.error(id.error(), kConfigurationEnvelope));
  auto content = hub::parse_content(request.http.body);
  if (content.ok() && content->kind != hub::ConfigurationKind::kEdge) {
    content = Error{ErrorCode::kInvalidConfigurationContent, "The content provided for configuration is invalid. Please check and try again: an edge device takes modulesContent"};
  }
  if (!content.ok()) return responder.respond(api.error(content.error(), kConfigurationEnvelope));
  api.on_home(id->device, kConfigurationEnvelope, std::move(responder),
              [&api, id = id->device, content = std::make_shared<const hub::ConfigurationContent>(std::move(*content))](hub::Shard& shard, Responder answer) {
    shard.apply_content(id, content, [&api, answer = std::move(answer)](const Result<std::monostate>& applied) mutable {
      answer.respond(applied.ok() ? no_content() : api.error(applied.error(), kConfigurationEnvelope));
    });
  });
}

}  // namespace

void add_configuration_routes(std::vector<Route>& routes) {
  using auth::Right;
  // The cloud does not document the rights (2.4).
  const std::vector<auth::Rights> read = {Right::kRegistryRead, Right::kServiceConnect}, write = {Right::kRegistryWrite, Right::kServiceConnect};
  routes.push_back({"POST", "configurations/testQueries", write, kConfigurationEnvelope, test_queries});
  routes.push_back({"GET", "configurations", read, kConfigurationEnvelope, list_configurations});
  routes.push_back({"GET", "configurations/{}", read, kConfigurationEnvelope, get_configuration});
  routes.push_back({"PUT", "configurations/{}", write, kConfigurationEnvelope, put_configuration});
  routes.push_back({"DELETE", "configurations/{}", write, kConfigurationEnvelope, delete_configuration});
  routes.push_back({"POST", "devices/{}/applyConfigurationContent", write, kConfigurationEnvelope, apply_content});
}

}  // namespace nearhub::service
