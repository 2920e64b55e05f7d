// POST /devices/query (reference/service-rest.md 5.6 and 6).
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "hub/query_run.h"
#include "service/api.h"
#include "service/page_size.h"

namespace nearhub::service {
namespace {

using twin::query::Fault;
using twin::query::Query;
using twin::query::Source;

constexpr Envelope kQueryEnvelope = Envelope::kE1;

Result<std::string> query_text(std::string_view body) {
  const auto document = parse_json(body);
  if (!document.ok()) return document.error();
  const JsonValue* query = document->IsObject() ? find_member(*document, "query") : nullptr;
  if (query == nullptr || !query->IsString()) return Error{ErrorCode::kArgumentInvalid, "the body must be {\"query\":\"SELECT ...\"}"};
  return std::string(string_of(*query));
}

std::string_view item_type(const Query& query) {
  if (query.source == Source::kJobs) return "DeviceJob";
  return query.selects_all() ? "Twin" : "Raw";
}

// The wire shows what the cloud shows; where and why stands in the log and in the refusal book.
http::Response fault_response(const Api& api, std::string_view text, const Fault& fault) {
  http::Response response = api.error({ErrorCode::kArgumentInvalid, "BadRequest"}, kQueryEnvelope);
  const std::string_view around = text.substr(0, fault.at).size() > 40 ? text.substr(fault.at - 40, 80) : text.substr(0, fault.at + 40);
  response.reason = fault_text(text, fault) + " (the query: " + printable(around) + ")";
  return response;
}

void run_query(const Api& api, Request request, Responder responder) {
  const auto text = query_text(request.http.body);
  if (!text.ok()) return responder.respond(api.error(text.error(), kQueryEnvelope));
  auto parsed = twin::query::parse_query(*text);
  if (const auto* fault = std::get_if<Fault>(&parsed)) return responder.respond(fault_response(api, *text, *fault));
  const auto query = std::make_shared<const Query>(std::get<Query>(std::move(parsed)));
  hub::QueryRequest order{query, page_rows(request.http), {}};
  if (const std::string* token = request.http.header("x-ms-continuation")) order.continuation = *token;
  Executor& loop = responder.loop();
  auto answer = std::make_shared<Responder>(std::move(responder));
  hub::run_query(api.hub(), loop, std::move(order), [answer] { return answer->is_wanted(); },
                 [&api, query, answer](Result<hub::QueryPage> page) {
    if (!page.ok()) return answer->respond(api.error(page.error(), kQueryEnvelope));
    http::Response response = json_response(std::move(page->json));
    response.set("x-ms-item-type", std::string(item_type(*query)));
    // Never an empty one: the Node SDK would ask for ever.
    if (!page->continuation.empty()) response.set("x-ms-continuation", std::move(page->continuation));
    answer->respond(std::move(response));
  });
}

}  // namespace

void add_query_routes(std::vector<Route>& routes) {
  routes.push_back({"POST", "devices/query", {auth::Right::kServiceConnect}, kQueryEnvelope, run_query});
}

}  // namespace nearhub::service
