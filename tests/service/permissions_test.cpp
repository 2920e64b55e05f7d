// Which policy may do what [service-rest.md 2.4]. A missing right is 401, never 403.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "tests/service/samples.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

struct Route {
  const char* method;
  const char* path;
  // Who may: o iothubowner, s service, d device, r registryRead, w registryReadWrite.
  const char* allowed;
};

const Route kRoutes[] = {
    {"GET", "/devices", "orw"},
    {"GET", "/devices/d1", "orw"},
    {"PUT", "/devices/d1", "ow"},
    {"DELETE", "/devices/d1", "ow"},
    {"GET", "/devices/d1/modules", "orw"},
    {"GET", "/devices/d1/modules/m1", "orw"},
    {"PUT", "/devices/d1/modules/m1", "ow"},
    {"DELETE", "/devices/d1/modules/m1", "ow"},
    {"GET", "/twins/d1", "os"},
    {"PATCH", "/twins/d1", "os"},
    {"PUT", "/twins/d1", "os"},
    {"GET", "/twins/d1/modules/m1", "os"},
    {"PATCH", "/twins/d1/modules/m1", "os"},
    {"PUT", "/twins/d1/modules/m1", "os"},
    {"POST", "/twins/d1/methods", "os"},
    {"POST", "/twins/d1/modules/m1/methods", "os"},
    {"POST", "/devices/d1/messages/deviceBound", "os"},
    {"POST", "/devices/d1/modules/m1/messages/deviceBound", "os"},
    {"DELETE", "/devices/d1/commands", "os"},
    {"DELETE", "/devices/d1/modules/m1/commands", "os"},
    {"POST", "/devices", "ow"},
    {"POST", "/devices/query", "os"},
    {"POST", "/devices/keys/regenerate", "ow"},
    {"GET", "/statistics/devices", "orw"},
    {"GET", "/statistics/service", "osrw"},
    {"POST", "/jobs/create", "ow"},
    {"GET", "/jobs", "ow"},
    {"GET", "/jobs/j", "ow"},
    {"DELETE", "/jobs/j", "ow"},
    {"GET", "/jobs/v2/query", "osw"},
    {"PUT", "/jobs/v2/j", "osw"},
    {"GET", "/jobs/v2/j", "osw"},
    {"POST", "/jobs/v2/j/cancel", "osw"},
    {"GET", "/configurations", "osrw"},
    {"GET", "/configurations/c", "osrw"},
    {"PUT", "/configurations/c", "osw"},
    {"DELETE", "/configurations/c", "osw"},
    {"POST", "/configurations/testQueries", "osw"},
    {"POST", "/devices/d1/applyConfigurationContent", "osw"},
    {"GET", "/digitaltwins/d1", "os"},
    {"PATCH", "/digitaltwins/d1", "os"},
    {"POST", "/digitaltwins/d1/commands/c", "os"},
    {"POST", "/digitaltwins/d1/components/c/commands/c", "os"},
    {"GET", "/messages/serviceBound/feedback", "os"},
    {"GET", "/_nearhub/certificates", "orw"},
    {"GET", "/_nearhub/certificates/c", "orw"},
    {"PUT", "/_nearhub/certificates/c", "ow"},
    {"DELETE", "/_nearhub/certificates/c", "ow"},
    {"POST", "/_nearhub/certificates/c/verify", "ow"},
    {"POST", "/_nearhub/certificates/c/generateVerificationCode", "ow"},
    {"GET", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/IotHubs/h/certificates", "orw"},
    {"GET", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/IotHubs/h/certificates/c", "orw"},
    {"PUT", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/IotHubs/h/certificates/c", "ow"},
    {"DELETE", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/IotHubs/h/certificates/c", "ow"},
    {"POST", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/IotHubs/h/certificates/c/verify", "ow"},
    {"POST", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/IotHubs/h/certificates/c/generateVerificationCode", "ow"},
    {"GET", "/_nearhub/refusals", "osrw"},
    {"GET", "/_nearhub/status", "osrw"},
    {"POST", "/_nearhub/clock", "os"},
    {"GET", "/_nearhub/events?follow=false", "os"},
};

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("permissions: every route and every policy") {
    TestHub hub;
    for (const Route& route : kRoutes) {
      std::string allowed;
      for (const auto& [letter, policy] : {std::pair{'o', "iothubowner"}, {'s', "service"}, {'d', "device"}, {'r', "registryRead"}, {'w', "registryReadWrite"}}) {
        // Requests that fail for another reason are allowed ones: there is nothing in this hub.
        HttpClient client(hub.tls(), hub.https());
        std::string target = route.path;
        if (target.find("_nearhub") == std::string::npos) target += "?api-version=2021-04-12";
        const HttpAnswer answer = client.request(route.method, target, {{"Authorization", hub.policy_token(policy)}});
        CHECK(answer.status != 403);
        if (answer.status != 401) {
          allowed += letter;
        } else {
          CHECK(answer.header("iothub-errorcode") == "IotHubUnauthorizedAccess");
        }
      }
      INFO(route.method, " ", route.path);
      CHECK(allowed == route.allowed);
    }
  }

  TEST_CASE("permissions: without credentials nothing but the health is told, not even what exists") {
    TestHub hub;
    hub.create("d1");
    HttpClient client(hub.tls(), hub.https());
    for (const Route& route : kRoutes) {
      INFO(route.method, " ", route.path);
      const HttpAnswer answer = client.request(route.method, route.path);
      CHECK(answer.status == 401);
      CHECK(answer.body.find("Unauthorized") != std::string::npos);
    }
  }

  TEST_CASE("permissions: the wire says Unauthorized and no more, the book says why") {
    TestHub hub;
    HttpClient client(hub.tls(), hub.https());
    CHECK(e1(client.request("GET", "/devices/d1?api-version=2021-04-12", {{"Authorization", hub.policy_token("service")}})) ==
          "401 IotHubUnauthorizedAccess: Unauthorized");
    CHECK(newest_refusal(hub, "policy:service") ==
          "GET /devices/d1 -> 401 IotHubUnauthorizedAccess: expected a policy with RegistryRead; received policy service with ServiceConnect; use a policy that has "
          "the right, for instance iothubowner");
    CHECK(e3(client.request("GET", "/twins/d1?api-version=2021-04-12")) == "401002 IotHubUnauthorizedAccess: Unauthorized");
    CHECK(newest_refusal(hub) ==
          "GET /twins/d1 -> 401 IotHubUnauthorizedAccess: expected an Authorization header with a SAS token of a shared access policy; received none; make one with "
          "`nearhub sas make`");
    CHECK(client.request("GET", "/devices/d1?api-version=2021-04-12", {{"Authorization", "Bearer eyJ0eXAi"}}).status == 401);
    CHECK(newest_refusal(hub).find("received a bearer token") != std::string::npos);
    CHECK(client.request("GET", "/devices/d1?api-version=2021-04-12", {{"Authorization", hub.token("d1")}}).status == 401);
    CHECK(newest_refusal(hub, "d1").find("a token without skn for sr=localhost/devices/d1") != std::string::npos);
  }

  TEST_CASE("permissions: a token that is scoped to a device opens what is below it") {
    TestHub hub;
    hub.create("d1");
    hub.create("d10");
    hub.create("d1/m1");
    const auto policies = *hub.server().hub().shared().policies.current();
    const auth::AccessPolicy* owner = auth::find_policy(policies, "iothubowner");
    REQUIRE(owner != nullptr);
    const auto token = auth::make_sas_token("localhost/devices/d1", owner->primary_key, unix_seconds(hub.clock().now()) + 3600, "iothubowner");
    REQUIRE(token.ok());
    HttpClient client(hub.tls(), hub.https());
    const auto status = [&](const char* path) { return client.request("GET", std::string(path) + "?api-version=2021-04-12", {{"Authorization", *token}}).status; };
    CHECK(status("/devices/d1") == 200);
    CHECK(status("/devices/d1/modules") == 200);
    CHECK(status("/devices/d1/modules/m1") == 200);
    CHECK(status("/devices/d10") == 401);
    CHECK(status("/devices") == 401);
    CHECK(status("/twins/d1") == 401);
  }

  TEST_CASE("permissions: a token that has expired opens nothing once the skew is over") {
    TestHub hub;
    hub.create("d1");
    const std::string token = hub.owner_token();
    const auto status = [&] {
      // A connection of its own: a kept one ends when it idles.
      HttpClient client(hub.tls(), hub.https());
      return client.request("GET", "/devices/d1?api-version=2021-04-12", {{"Authorization", token}}).status;
    };
    CHECK(status() == 200);
    hub.advance(std::chrono::seconds{3600 + 290});
    CHECK(status() == 200);
    hub.advance(std::chrono::seconds{20});
    CHECK(status() == 401);
    CHECK(newest_refusal(hub, "policy:iothubowner").find("expired 5 min") != std::string::npos);
  }
}
