// The way from a request to its operation: route, authorisation, api-version, handler.
//
// A request whose route exists in the cloud and not yet here is answered 501 NotImplemented, after its authorisation.
//
// THREAD: immutable; handle() on the loop of the request's connection.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/access_policy.h"
#include "hub/hub.h"
#include "jobs/transfer_jobs.h"
#include "service/errors.h"
#include "service/exchange.h"
#include "service/request.h"

namespace nearhub::service {

struct ApiSettings {
  // What GET /_nearhub/status says of the process: a JSON object, made by the broker once everything listens.
  std::function<std::string()> status_json;
  std::function<bool()> ready;
  // Moves the hub's clock, with --test-clock; empty otherwise.
  std::function<void(std::chrono::milliseconds)> advance_clock;
  // After a change of the shared access policies: brings what is kept outside the store up to date, then runs the task, on any thread. May be empty.
  std::function<void(Task)> policies_changed;
  // Import and export jobs; null: not implemented here.
  jobs::TransferJobs* transfer_jobs = nullptr;
};

struct Route;

class Api {
 public:
  Api(const hub::Hub& hub, ApiSettings settings);

  void handle(http::Request request, const std::string& peer, Responder responder) const;
  // The answer to a request that will be refused whatever its body is, by its header alone; nullopt when the body is worth waiting for.
  std::optional<http::Response> refusal_of(http::Request header, const std::string& peer) const;

  const hub::Hub& hub() const { return hub_; }
  const ApiSettings& settings() const { return settings_; }

  // Runs `operation` with the device's shard on its loop; answers 429 when that loop has too much waiting.
  template <typename Operation>
  void on_home(const DeviceId& device, Envelope envelope, Responder responder, Operation operation) const;

  // Runs `operation(keeper, responder)` where the keeper lives, on the first loop; answers 429 when that loop has too much waiting. A keeper is one
  // of what the hub holds once: authorities, configurations, scheduled jobs, feedback.
  template <typename Keeper, typename Operation>
  void on_keeper(Keeper& keeper, Envelope envelope, Responder responder, Operation operation) const;

  http::Response error(const Error& error, Envelope envelope) const;

 private:
  // Route, authorisation, api-version. Gives the answer that refuses, written into the book, or nullopt and the route, which has a handler,
  // and the grant in the request.
  std::optional<http::Response> judge(Request& request, const Route*& route) const;
  http::Response refuse(std::string identity, const std::string& peer, std::string operation, auth::Denial denial, Error shown, Envelope envelope) const;

  const hub::Hub& hub_;
  ApiSettings settings_;
};

using Handler = void (*)(const Api& api, Request request, Responder responder);

// A route: method, path with {} for an id ("devices/{}/modules/{}"), the rights of which one is enough, how errors look, the handler (null: not
// implemented yet).
struct Route {
  std::string_view method;
  std::string_view path;
  std::vector<auth::Rights> any_of;
  Envelope envelope;
  Handler handler;
  bool api_version = true;  // must be given
};

// Each family adds its routes. The first match wins: static paths stand before those with ids.
void add_device_routes(std::vector<Route>& routes);
void add_module_routes(std::vector<Route>& routes);
void add_bulk_routes(std::vector<Route>& routes);
void add_statistics_routes(std::vector<Route>& routes);
void add_twin_routes(std::vector<Route>& routes);
void add_digital_twin_routes(std::vector<Route>& routes);
void add_method_routes(std::vector<Route>& routes);
void add_cloud_message_routes(std::vector<Route>& routes);
void add_feedback_routes(std::vector<Route>& routes);
void add_query_routes(std::vector<Route>& routes);
void add_event_routes(std::vector<Route>& routes);
void add_policy_routes(std::vector<Route>& routes);
void add_configuration_routes(std::vector<Route>& routes);
void add_scheduled_job_routes(std::vector<Route>& routes);
void add_job_routes(std::vector<Route>& routes);
void add_refusal_routes(std::vector<Route>& routes);
void add_operation_routes(std::vector<Route>& routes);
void add_certificate_routes(std::vector<Route>& routes);
// The cloud's routes that this version lacks.
void add_missing_routes(std::vector<Route>& routes);

// The identity that a path like devices/{d}/modules/{m} (or twins/...) names; its ids are checked. Fails with kArgumentInvalid.
Result<IdentityId> identity_of(const Request& request);

}  // namespace nearhub::service

#include "service/api_inl.h"
