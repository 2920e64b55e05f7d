// Connections of client libraries: refusals, take-over, modules, wills.
#include "tests/clients/libraries.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

const std::string kEvents = "devices/d1/messages/events/";
// Of d1, with a key that is not its.
std::string wrong_token(TestHub& hub) {
  auto token = auth::make_sas_token("localhost/devices/d1", "d3Jvbmcta2V5LXdyb25nLWtleQ==", unix_seconds(hub.clock().now()) + 3600);
  REQUIRE(token.ok());
  return *token;
}

bool connected(TestHub& hub) { return contains(hub.api("GET", "/devices/d1").body, R"("connectionState":"Connected")"); }

}  // namespace

TEST_SUITE("clients") {
  TEST_CASE_TEMPLATE("connection: a wrong key is refused with CONNACK 5, and the refusal book says why", Client, PahoClient, MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    ClientSettings settings = settings_of(hub, "d1");
    settings.password = wrong_token(hub);
    Client client(settings);
    CHECK(client.connect().code == 5);
    const HttpAnswer refusals = hub.api("GET", "/_nearhub/refusals?id=d1");
    CHECK(refusals.status == 200);
    INFO(refusals.body);
    CHECK(contains(refusals.body, "CONNACK 5"));
    CHECK(contains(refusals.body, "signature"));
  }

  TEST_CASE_TEMPLATE("connection: an unknown device is refused with CONNACK 5, and the refusal book names the similar one", Client, PahoClient,
                     MosquittoClient) {
    TestHub hub;
    hub.create("thermostat");
    Client client(settings_of(hub, "thermostad"));
    CHECK(client.connect().code == 5);
    const std::string refusal = last_refusal(hub, "thermostad");
    INFO(refusal);
    CHECK(contains(refusal, "thermostat"));
  }

  TEST_CASE_TEMPLATE("connection: a second connection of a device takes over, and the first library says that its connection is lost", Client, PahoClient,
                     MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    Client first(settings_of(hub, "d1")), second(settings_of(hub, "d1"));
    connect_with_success(first);
    connect_with_success(second);
    first.wait_lost();
    publish_and_wait(second, kEvents, "still here");
    CHECK(events_of(hub, "d1").size() == 1);
    CHECK(connected(hub));
    CHECK(contains(last_refusal(hub, "d1"), "expected one connection per identity; received a new connection of d1"));
  }

  TEST_CASE_TEMPLATE("connection: a module is there beside its device, with topics of its own", Client, PahoClient, MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    Client device(settings_of(hub, "d1")), module(settings_of(hub, "d1/m1"));
    connect_with_success(device);
    connect_with_success(module);
    module.subscribe("$iothub/twin/res/#", 0);
    publish_and_wait(module, "devices/d1/modules/m1/messages/events/from=module", "m");
    publish_and_wait(device, kEvents + "from=device", "d");
    const auto events = events_of(hub, "d1");
    REQUIRE(events.size() == 2);
    CHECK(contains(events[0], R"("deviceId":"d1","moduleId":"m1",)"));
    CHECK(contains(events[0], R"("properties":{"from":"module"})"));
    CHECK_FALSE(contains(events[1], "moduleId"));
    publish_and_wait(module, "$iothub/twin/PATCH/properties/reported/?$rid=1", R"({"of":"m1"})", 0);
    CHECK(module.next().topic == "$iothub/twin/res/204/?$rid=1&$version=2");
    CHECK(contains(hub.api("GET", "/twins/d1/modules/m1").body, R"("of":"m1")"));
    CHECK_FALSE(contains(hub.api("GET", "/twins/d1").body, R"("of":"m1")"));
  }

  TEST_CASE_TEMPLATE("will: published when another connection takes over, with its mark", Client, PahoClient, MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    ClientSettings settings = settings_of(hub, "d1");
    settings.will = ClientMessage{kEvents + "why=will", "gone", 1, false};
    Client first(settings), second(settings_of(hub, "d1"));
    connect_with_success(first);
    connect_with_success(second);
    first.wait_lost();
    hub.wait_until([&] { return events_of(hub, "d1").size() == 1; }, "the will");
    const std::string event = events_of(hub, "d1")[0];
    CHECK(contains(event, R"("properties":{"why":"will","iothub-MessageType":"Will"})"));
    CHECK(contains(event, R"("body":"gone")"));
  }

  TEST_CASE_TEMPLATE("will: not published when the library disconnects", Client, PahoClient, MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    ClientSettings settings = settings_of(hub, "d1");
    settings.will = ClientMessage{kEvents, "gone", 1, false};
    {
      Client client(settings);
      connect_with_success(client);
      publish_and_wait(client, kEvents, "last words");
      client.disconnect();
    }
    hub.wait_until([&] { return !connected(hub); }, "the end of the connection");
    CHECK(events_of(hub, "d1").size() == 1);
  }
}
