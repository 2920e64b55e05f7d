#include "tools/why.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time_format.h"
#include "tests/tools/command_runner.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

void refused_connect(TestHub& hub, std::string_view identity, std::string_view password) {
  auto client = hub.open();
  const std::string user = hub.username(identity);
  mqtt::Connect packet;
  packet.client_id = identity;
  packet.username = user;
  packet.password = password;
  REQUIRE(client->connect(packet).return_code == 5);
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("why: a refused connect is shown with what was expected, what came, and how to mend it") {
    TestHub hub;
    hub.create("d1");
    hub.create("d2");
    CHECK(run(hub, {"why"}).out ==
          "the hub has refused nothing since its start; a client that fails all the same has not reached it: `nearhub "
          "status` shows where it listens\n");
    refused_connect(hub, "d1", hub.token("d2"));
    refused_connect(hub, "d1", hub.token("d2"));
    const Outcome shown = run(hub, {"why", "d1"});
    CHECK(shown.exit_code == 0);
    CAPTURE(shown.out);
    CHECK(shown.out.find("d1  MQTT CONNECT\n  when       ") == 0);
    CHECK(shown.out.find("\n  how often  2 times in a row, the first ") != std::string::npos);
    CHECK(shown.out.find("\n  from       127.0.0.1:") != std::string::npos);
    CHECK(shown.out.find("\n  check      SAS resource\n  expected   sr=localhost/devices/d1\n  received   "
                         "sr=localhost/devices/d2\n") != std::string::npos);
    CHECK(shown.out.find("\n  mend it    the token is for device d2\n  answered   CONNACK 5, not authorized "
                         "(401003 IotHubUnauthorized)\n") != std::string::npos);
  }

  TEST_CASE("why: a method for a device that is offline is a matter of its state, with the way out") {
    TestHub hub;
    hub.create("d1");
    REQUIRE(run(hub, {"method", "d1", "reboot"}).exit_code == 1);
    const Outcome shown = run(hub, {"why", "d1"});
    CAPTURE(shown.out);
    CHECK(shown.out.find("d1  POST /twins/d1/methods\n") == 0);
    CHECK(shown.out.find("\n  check     state\n  expected  a device that is online and listens for methods\n") !=
          std::string::npos);
    CHECK(shown.out.find("\n  mend it   let the device connect and subscribe to methods first, or wait for it with "
                         "connectTimeoutInSeconds (`nearhub method --connect-timeout`)\n") != std::string::npos);
    CHECK(shown.out.find("\n  answered  404 DeviceNotOnline (404103)\n") != std::string::npos);
  }

  TEST_CASE("why: by identity, the latest last, limited, --json is the hub's answer") {
    TestHub hub;
    hub.create("d1");
    refused_connect(hub, "d1", "x");
    refused_connect(hub, "d7", hub.token("d7"));
    const Outcome all = run(hub, {"why"});
    CHECK(all.out.find("d1  MQTT CONNECT\n") == 0);
    CHECK(all.out.find("\n\nd7  MQTT CONNECT\n") != std::string::npos);
    CHECK(all.error == "");
    const Outcome one = run(hub, {"why", "--limit", "1"});
    CHECK(one.out.find("d7  MQTT CONNECT\n") == 0);
    CHECK(one.error == "nearhub: these are the latest 1; --limit shows more\n");
    CHECK(run(hub, {"why", "d1"}).out.find("d7  MQTT") == std::string::npos);
    CHECK(run(hub, {"why", "d2"}).out == "the hub has refused nothing of d2 since its start; `nearhub why` also shows "
                                         "what came without an id, or with another one\n");
    CHECK(run(hub, {"why", "d7", "--json"}).out == hub.api("GET", "/_nearhub/refusals?id=d7").body + "\n");
    CHECK(run(hub, {"why", "--limit", "0"}).exit_code == 2);
  }

  TEST_CASE("why: a refusal as text, whatever its parts contain") {
    const WallTime now = *parse_iso8601("2026-01-31T12:05:00Z");
    CHECK(
        refusal_text(
            *parse_json(
                R"({"time":"2026-01-31T12:00:00Z","firstTime":"2026-01-31T12:00:00Z","count":1,"identity":"","peer":"192.0.2.7:5",)"
                R"("operation":"TLS \u001b[2J","check":"TLS","errorCode":500001,"error":"ServerError","expected":"a","received":"b","advice":"",)"
                R"("answer":"closed"})"),
            now) == "(no id)  TLS \\u001b[2J\n"
                    "  when      2026-01-31T12:00:00.000Z (5 min 0 s ago)\n"
                    "  from      192.0.2.7:5\n"
                    "  check     TLS\n"
                    "  expected  a\n"
                    "  received  b\n"
                    "  answered  closed\n");
  }

  TEST_CASE("why: a warning says that it is one, and what happened all the same") {
    TestHub hub;
    hub.server().hub().warn("d1", "192.0.2.7:5", "twin document", "sent all the same",
                            {auth::Check::kSize, {}, "a payload of at most 2048 bytes (nRF Connect SDK 2.x)", "3000 bytes", "send less"});
    refused_connect(hub, "d1", "no token");
    const std::string both = run(hub, {"why", "d1"}).out;
    CAPTURE(both);
    CHECK(both.find("d1  warning: twin document\n  when      ") == 0);
    CHECK(both.find("\n  check     size\n  expected  a payload of at most 2048 bytes (nRF Connect SDK 2.x)\n  received  3000 bytes\n  mend it   send less\n"
                    "  outcome   sent all the same\n") != std::string::npos);
    CHECK(both.find("d1  MQTT CONNECT") != std::string::npos);
    CHECK(run(hub, {"why", "d1", "--only", "refusal"}).out.find("warning") == std::string::npos);
    CHECK(run(hub, {"why", "--only", "warning"}).out.find("MQTT CONNECT") == std::string::npos);
    CHECK(run(hub, {"why", "d2", "--only", "warning"}).out == "the hub has no warnings since its start\n");
    CHECK(run(hub, {"why", "--only", "x"}).exit_code == 2);
    CHECK(run(hub, {"status"}).out.find("refusals     1, see") != std::string::npos);
  }

  TEST_CASE("why: where nothing was expected, what came is the reason") {
    const WallTime now = *parse_iso8601("2026-01-31T12:00:00Z");
    CHECK(
        refusal_text(
            *parse_json(
                R"({"time":"2026-01-31T12:00:00Z","count":1,"identity":"d1","peer":"","operation":"PATCH /twins/d1","check":"body",)"
                R"("errorCode":400004,"error":"ArgumentInvalid","expected":"","received":"a name contains '.'","advice":"","answer":"400 ArgumentInvalid"})"),
            now) == "d1  PATCH /twins/d1\n"
                    "  when      2026-01-31T12:00:00.000Z (just now)\n"
                    "  check     body\n"
                    "  reason    a name contains '.'\n"
                    "  answered  400 ArgumentInvalid (400004)\n");
  }

  TEST_CASE("why: the answer says what the client saw, in words") {
    const auto answered = [](const char* answer, int code, const char* error) {
      const std::string text = refusal_text(*parse_json(fmt::format(
                                                R"({{"answer":"{}","errorCode":{},"error":"{}"}})", answer, code, error)),
                                            kNever);
      return text.substr(text.find("answered  ") + 10);
    };
    CHECK(answered("CONNACK 1", 400001, "InvalidProtocolVersion") ==
          "CONNACK 1, unacceptable protocol version (400001 InvalidProtocolVersion)\n");
    CHECK(answered("CONNACK 2", 500001, "ServerError") == "CONNACK 2, client id rejected\n");
    CHECK(answered("CONNACK 9", 401003, "IotHubUnauthorized") == "CONNACK 9 (401003 IotHubUnauthorized)\n");
    CHECK(answered("connection closed", 403012, "DeviceDisabled") == "connection closed (403012 DeviceDisabled)\n");
    CHECK(answered("connection closed", 500001, "ServerError") == "connection closed\n");
    CHECK(answered("500 ServerError", 500001, "ServerError") == "500 ServerError (500001)\n");
  }
}
