// GET, PATCH /digitaltwins/{d}; POST /digitaltwins/{d}[/components/{c}]/commands/{name} (reference/service-rest.md 5.11).
#include <fmt/core.h>

#include "base/text.h"
#include "base/url.h"
#include "service/api.h"
#include "service/method_request.h"
#include "twin/digital_twin.h"
#include "twin/value.h"

namespace nearhub::service {
namespace {

constexpr Envelope kDigitalTwinEnvelope = Envelope::kE1;
constexpr Envelope kCommandEnvelope = Envelope::kE3;

std::string quoted(const ETag& etag) { return "\"" + etag.str() + "\""; }

void get_digital_twin(const Api& api, Request request, Responder responder) {
  const auto id = identity_of(request);
  if (!id.ok()) return responder.respond(api.error(id.error(), kDigitalTwinEnvelope));
  api.on_home(id->device, kDigitalTwinEnvelope, std::move(responder), [&api, id = *id](hub::Shard& shard, Responder answer) {
    shard.get_digital_twin(id, [&api, answer = std::move(answer)](Result<hub::TwinView> view) mutable {
      if (!view.ok()) return answer.respond(api.error(view.error(), kDigitalTwinEnvelope));
      http::Response response = json_response(std::move(view->json));
      response.set("ETag", quoted(view->etag));
      answer.respond(std::move(response));
    });
  });
}

void patch_digital_twin(const Api& api, Request request, Responder responder) {
  const auto id = identity_of(request);
  if (!id.ok()) return responder.respond(api.error(id.error(), kDigitalTwinEnvelope));
  auto patch = twin::parse_digital_twin_patch(request.http.body);
  if (!patch.ok()) return responder.respond(api.error(patch.error(), kDigitalTwinEnvelope));
  hub::Condition condition = parse_if_match(request.http);
  api.on_home(id->device, kDigitalTwinEnvelope, std::move(responder),
              [&api, id = *id, patch = std::move(*patch), condition = std::move(condition)](hub::Shard& shard, Responder answer) mutable {
    shard.patch_digital_twin(id, std::move(patch), condition, [&api, id, answer = std::move(answer)](Result<ETag> etag) mutable {
      if (!etag.ok()) return answer.respond(api.error(etag.error(), kDigitalTwinEnvelope));
      http::Response response;
      response.status = 202;
      response.set("ETag", quoted(*etag));
      response.set("Location", "/digitaltwins/" + percent_encode(id.device.view()));
      answer.respond(std::move(response));
    });
  });
}

// Seconds of the query; nullopt when they are not given.
Result<std::optional<int>> query_seconds(const Request& request, std::string_view name) {
  const std::string* text = request.parameter(name);
  if (text == nullptr) return std::optional<int>();
  const auto value = whole_number(*text);
  if (!value) return invalid_argument(fmt::format("{} is \"{}\"; expected a whole number of seconds", name, printable(*text, 40)));
  return value;
}

// digitaltwins/{d}/commands/{name}, digitaltwins/{d}/components/{c}/commands/{name}
Result<hub::MethodRequest> command_of(const Request& request) {
  hub::MethodRequest command;
  command.name = request.path.size() > 4 ? request.path[3] + "*" + request.path.back() : request.path.back();
  if (Status status = check_method_name("the command's name", command.name); !status.ok()) return status.error();
  const auto response = query_seconds(request, "responseTimeoutInSeconds"), connect = query_seconds(request, "connectTimeoutInSeconds");
  if (!response.ok()) return response.error();
  if (!connect.ok()) return connect.error();
  if (Status status = set_timeouts(command, *response, *connect); !status.ok()) return status.error();
  // The Java SDK sends no body where there is no argument.
  if (!request.http.body.empty()) {
    const auto payload = twin::parse_value(request.http.body, request.http.body.size());
    if (!payload.ok()) return payload.error();
    command.payload = payload->to_json();
  }
  if (Status status = check_payload(command.payload); !status.ok()) return status.error();
  return command;
}

void invoke_command(const Api& api, Request request, Responder responder) {
  const auto id = identity_of(request);
  if (!id.ok()) return responder.respond(api.error(id.error(), kCommandEnvelope));
  auto command = command_of(request);
  if (!command.ok()) return responder.respond(api.error(command.error(), kCommandEnvelope));
  api.on_home(id->device, kCommandEnvelope, std::move(responder), [&api, id = *id, command = std::move(*command)](hub::Shard& shard, Responder answer) mutable {
    shard.invoke_method(id, std::move(command), [&api, answer = std::move(answer)](Result<hub::MethodResult> result) mutable {
      if (!result.ok()) return answer.respond(api.error(result.error(), kCommandEnvelope));
      http::Response response = json_response(std::move(result->payload));
      response.set("x-ms-command-statuscode", std::to_string(result->status));
      response.set("x-ms-request-id", api.hub().shared().random.uuid());
      answer.respond(std::move(response));
    });
  });
}

}  // namespace

void add_digital_twin_routes(std::vector<Route>& routes) {
  const std::vector<auth::Rights> service = {auth::Right::kServiceConnect};
  routes.push_back({"GET", "digitaltwins/{}", service, kDigitalTwinEnvelope, get_digital_twin});
  routes.push_back({"PATCH", "digitaltwins/{}", service, kDigitalTwinEnvelope, patch_digital_twin});
  routes.push_back({"POST", "digitaltwins/{}/commands/{}", service, kCommandEnvelope, invoke_command});
  routes.push_back({"POST", "digitaltwins/{}/components/{}/commands/{}", service, kCommandEnvelope, invoke_command});
}

}  // namespace nearhub::service
