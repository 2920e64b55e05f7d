#include <doctest/doctest.h>

#include <string>

#include "tests/service/samples.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

const std::string kNotImplemented = "501 NotImplemented: ";

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("routing: a path that the API does not have") {
    TestHub hub;
    for (const char* path : {"/", "/device/d1", "/devices/d1/modules/m1/x", "/twins", "/twins/d1/modules", "/$admin/exportRegistry", "/favicon.ico",
                             "/_nearhub", "/_nearhub/unknown", "/devices/d1/messages"}) {
      CAPTURE(path);
      const HttpAnswer answer = hub.api("GET", path);
      CHECK(e1(answer) == "404 GenericNotFound: expected a path of the hub's API, received GET " + std::string(path));
    }
    CHECK(newest_refusal(hub) ==
          "GET /devices/d1/messages -> 404 GenericNotFound: expected a path of the hub's API; received GET /devices/d1/messages");
  }

  TEST_CASE("routing: a path that the API has, with a method that it lacks") {
    TestHub hub;
    for (const auto& [method, path] : {std::pair{"POST", "/devices/d1"}, {"PATCH", "/devices/d1"}, {"DELETE", "/devices"}, {"DELETE", "/twins/d1"},
                                       {"POST", "/twins/d1"}, {"GET", "/twins/d1/methods"}, {"POST", "/health"}, {"GET", "/devices/d1/commands"},
                                       {"OPTIONS", "/devices"}, {"get", "/devices"}, {"DELETE", "/_nearhub/events"}}) {
      CAPTURE(method);
      CAPTURE(path);
      CHECK(e1(hub.api(method, path)) == "405 GenericMethodNotAllowed: expected a method that this resource has, received " + std::string(method));
    }
  }

  TEST_CASE("routing: trailing slashes, words in any case and a path that is encoded whole lead to the same place") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    for (const char* path : {"/devices/d1", "/devices/d1/", "/Devices/d1", "/DEVICES/d1", "/devices%2Fd1", "/devices%2fd1%2F", "/%64evices/d1"}) {
      CAPTURE(path);
      CHECK(hub.api("GET", path).status == 200);
    }
    for (const char* path : {"/twins/d1/modules/m1", "/Twins/d1/Modules/m1/", "/twins%2Fd1%2Fmodules%2Fm1"}) {
      CAPTURE(path);
      CHECK(hub.api("GET", path).status == 200);
    }
    CHECK(hub.api("GET", "/devices/").status == 200);
    // Ids are not words.
    CHECK(e1(hub.api("GET", "/devices/D1")) == "404 DeviceNotFound: D1");
  }

  TEST_CASE("routing: ids with characters that mean something elsewhere") {
    TestHub hub;
    for (const char* id : {"a%23b", "a%3Fb", "a%25b", "a+b", "a:b;c=d", "(a)*!'$@,_.-#"}) {
      CAPTURE(id);
      std::string encoded;
      for (const char* c = id; *c != '\0'; ++c) encoded += *c == '#' ? std::string("%23") : std::string(1, *c);
      const HttpAnswer made = hub.api("PUT", "/devices/" + encoded, "{}");
      CHECK(made.status == 200);
      CHECK(hub.api("GET", "/devices/" + encoded).body == made.body);
    }
    // %252F is a percent sign and "2F".
    CHECK(hub.api("PUT", "/devices/a%252Fb", "{}").status == 200);
    // A slash is in no id: there is no such path.
    CHECK(hub.api("PUT", "/devices/invalid%2Fname", "{}").status == 404);
    CHECK(e1(hub.api("PUT", "/devices/a%20b", "{}")) == "400 ArgumentInvalid: deviceId contains byte 0x20 at position 2, allowed are letters, digits, the semicolon and - : . + % _ # * ? ! ( ) , = @ $ '");
    CHECK(e1(hub.api("GET", "/devices/" + std::string(129, 'x'))).starts_with("400 ArgumentInvalid: deviceId has 129 characters"));
    CHECK(hub.api("PUT", "/devices/" + std::string(128, 'x'), "{}").status == 200);
  }

  TEST_CASE("routing: paths that cannot be read are refused, and written down") {
    TestHub hub;
    CHECK(e1(hub.api("GET", "/devices/%zz")) == "400 ArgumentInvalid: path: invalid percent-encoding at position 10");
    CHECK(newest_refusal(hub) ==
          "GET /devices/%zz -> 400 ArgumentInvalid: path: invalid percent-encoding at position 10");
    CHECK(e1(hub.api("GET", "/devices//d1")) == "400 ArgumentInvalid: the path has an empty segment");
    CHECK(e1(hub.api("OPTIONS", "*")) == "400 ArgumentInvalid: the request target is not a path");
  }

  TEST_CASE("routing: api-version is any date, and is asked for after the credentials") {
    TestHub hub;
    hub.create("d1");
    for (const char* version : {"2021-04-12", "2016-11-14", "2024-03-31", "2020-05-31-preview"}) {
      CHECK(hub.api("GET", "/devices/d1?api-version=" + std::string(version)).status == 200);
    }
    CHECK(hub.api("GET", "/devices/d1?API-VERSION=2021-04-12&api-version-not=1").status == 200);
    HttpClient client(hub.tls(), hub.https());
    const HttpClient::Headers owner = {{"Authorization", hub.owner_token()}};
    CHECK(e1(client.request("GET", "/devices/d1", owner)) ==
          "400 InvalidProtocolVersion: expected api-version=YYYY-MM-DD in the query, received none, add ?api-version=2021-04-12");
    CHECK(e1(client.request("GET", "/devices/d1?api-version=latest", owner)) ==
          "400 InvalidProtocolVersion: expected api-version=YYYY-MM-DD in the query, received latest, add ?api-version=2021-04-12");
    CHECK(e1(client.request("GET", "/devices/d1?api-version=", owner)).starts_with("400 InvalidProtocolVersion"));
    CHECK(e3(client.request("GET", "/twins/d1", owner)).starts_with("400001 InvalidProtocolVersion"));
    CHECK(client.request("GET", "/devices/d1").status == 401);
    CHECK(newest_refusal(hub, "policy:iothubowner") ==
          "GET /twins/d1 -> 400 InvalidProtocolVersion: expected api-version=YYYY-MM-DD in the query; received none; add ?api-version=2021-04-12");
  }

  TEST_CASE("routing: a device's own requests over HTTPS are not implemented, whoever asks") {
    TestHub hub;
    hub.create("d1");
    HttpClient device(hub.tls(), hub.https());
    const HttpClient::Headers headers = {{"Authorization", hub.token("d1")}};
    for (const auto& [method, path] : {std::pair{"POST", "/devices/d1/messages/events"}, {"GET", "/devices/d1/messages/devicebound"},
                                       {"DELETE", "/devices/d1/messages/devicebound/lock"}, {"POST", "/devices/d1/messages/devicebound/lock/abandon"},
                                       {"POST", "/devices/d1/files"}, {"POST", "/devices/d1/files/notifications"}, {"POST", "/devices/d1/files/notifications/c"}}) {
      CAPTURE(path);
      CHECK(e1(device.request(method, path, headers)).starts_with(kNotImplemented + method + " /devices/{}/"));
    }
  }

  TEST_CASE("routing: a WebSocket is not implemented, and says which way there is") {
    TestHub hub;
    HttpClient client(hub.tls(), hub.https());
    for (const char* path : {"/$iothub/websocket", "/$iothub/websocket?iothub-no-client-cert=true", "/$servicebus/websocket"}) {
      const HttpAnswer answer = client.request(
          "GET", path, {{"Connection", "Upgrade"}, {"Upgrade", "WebSocket"}, {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}, {"Sec-WebSocket-Version", "13"}});
      CHECK(e1(answer) == kNotImplemented + "MQTT and AMQP over WebSocket are not implemented in this version: use MQTT over TLS");
    }
    CHECK(newest_refusal(hub) ==
          "WebSocket upgrade -> 501 NotImplemented: MQTT and AMQP over WebSocket are not implemented in "
          "this version: use MQTT over TLS");
  }

  TEST_CASE("routing: the Java client's PATCH comes as POST") {
    TestHub hub;
    hub.create("d1");
    const HttpAnswer patched = hub.api("POST", "/twins/d1", R"({"properties":{"desired":{"a":1}}})", {{"X-HTTP-Method-Override", "PATCH"}});
    CHECK(patched.status == 200);
    CHECK(member(json_of(patched), "properties/desired/a") == "1");
    CHECK(hub.api("POST", "/twins/d1", "{}", {{"X-HTTP-Method-Override", "DELETE"}}).status == 405);
    CHECK(hub.api("PUT", "/devices/d2", "{}", {{"X-HTTP-Method-Override", "PATCH"}}).status == 200);
  }

  TEST_CASE("routing: HEAD is GET without the body") {
    TestHub hub;
    hub.create("d1");
    const HttpAnswer get = hub.api("GET", "/devices/d1"), head = hub.api("HEAD", "/devices/d1");
    CHECK(head.status == 200);
    CHECK(head.body == "");
    CHECK(head.header("Content-Length") == std::to_string(get.body.size()));
    CHECK(head.header("ETag") == get.header("ETag"));
    CHECK(hub.api("HEAD", "/devices/nobody").status == 404);
    CHECK(hub.api("HEAD", "/twins/d1/methods").status == 405);
    // A stream has no end to be measured, and nothing of it is sent.
    const HttpAnswer events = hub.api("HEAD", "/_nearhub/events");
    CHECK(events.status == 200);
    CHECK(events.header("Content-Type") == "text/event-stream");
    CHECK(hub.api("GET", "/devices/d1").status == 200);
  }

  TEST_CASE("health: without credentials") {
    TestHub hub;
    HttpClient client(hub.tls(), hub.https());
    CHECK(client.request("GET", "/health").status == 200);
    CHECK(client.request("GET", "/health").body == R"({"status":"healthy"})");
    CHECK(client.request("GET", "/ready").status == 200);
    CHECK(client.request("GET", "/ready/").body == R"({"status":"ready"})");
    CHECK(client.request("GET", "/Health?x=1", {{"Authorization", "nonsense"}}).status == 200);
    CHECK(client.request("HEAD", "/health").header("Content-Length") == "20");
  }

  TEST_CASE("status: what the process is, for those with a right to read") {
    TestHub hub;
    hub.create("d1");
    const JsonDocument status = json_of(hub.api("GET", "/_nearhub/status"));
    CHECK(status.IsObject());
    HttpClient client(hub.tls(), hub.https());
    CHECK(e1(client.request("GET", "/_nearhub/status")) == "401 IotHubUnauthorizedAccess: Unauthorized");
  }

  TEST_CASE("test clock: moves the hub's time forward, and never back") {
    TestHub hub;
    const WallTime before = hub.clock().now();
    CHECK(hub.api("POST", "/_nearhub/clock", R"({"advanceSeconds":3600.5})").status == 204);
    CHECK(hub.clock().now() - before >= std::chrono::milliseconds{3'600'500});
    CHECK(hub.clock().now() - before < std::chrono::hours{2});
    for (const char* body : {"", "{}", "[]", R"({"advanceSeconds":"1"})", R"({"advanceSeconds":-1})", R"({"advanceSeconds":315360001})", R"({"advanceSeconds":null})"}) {
      CAPTURE(body);
      CHECK(e1(hub.api("POST", "/_nearhub/clock", body)).starts_with("400 ArgumentInvalid: "));
    }
    CHECK(hub.api("POST", "/_nearhub/clock", R"({"advanceSeconds":0})").status == 204);
  }

  TEST_CASE("test clock: only where it was asked for") {
    TestHub hub([](broker::Config& config) { config.test_clock = false; });
    CHECK(e1(hub.api("POST", "/_nearhub/clock", R"({"advanceSeconds":1})")) == "405 OperationNotAllowedInCurrentState: the hub runs without --test-clock");
  }
}
