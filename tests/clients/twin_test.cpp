// Twins from client libraries.
#include "tests/clients/libraries.h"

using namespace nearhub;
using namespace nearhub::test;

TEST_SUITE("clients") {
  TEST_CASE_TEMPLATE("twin: GET answers with both sections", Client, PahoClient, MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    REQUIRE(hub.api("PATCH", "/twins/d1", R"({"properties":{"desired":{"interval":5}}})").status == 200);
    Client client(settings_of(hub, "d1"));
    connect_with_success(client);
    CHECK(client.subscribe("$iothub/twin/res/#", 0) == 0);
    publish_and_wait(client, "$iothub/twin/GET/?$rid=17", "", 0);
    const ClientMessage answer = client.next();
    CHECK(answer.topic == "$iothub/twin/res/200/?$rid=17");
    CHECK(answer.payload == R"({"desired":{"interval":5,"$version":2},"reported":{"$version":1}})");
    CHECK_FALSE(answer.retain);
  }

  TEST_CASE_TEMPLATE("twin: what a device reports is what the service reads when the answer has come", Client, PahoClient, MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    Client client(settings_of(hub, "d1"));
    connect_with_success(client);
    client.subscribe("$iothub/twin/res/#", 0);
    publish_and_wait(client, "$iothub/twin/PATCH/properties/reported/?$rid=a", R"({"firmware":{"version":"1.2"},"old":1})", 0);
    const ClientMessage first = client.next();
    CHECK(first.topic == "$iothub/twin/res/204/?$rid=a&$version=2");
    CHECK(first.payload == "");
    publish_and_wait(client, "$iothub/twin/PATCH/properties/reported/?$rid=b", R"({"old":null})", 1);
    CHECK(client.next().topic == "$iothub/twin/res/204/?$rid=b&$version=3");
    const auto twin = parse_json(hub.api("GET", "/twins/d1").body);
    REQUIRE(twin.ok());
    const JsonValue* reported = find_member(*find_member(*twin, "properties"), "reported");
    CHECK(to_json(*find_member(*reported, "firmware")) == R"({"version":"1.2"})");
    CHECK(find_member(*reported, "old") == nullptr);
    CHECK(find_member(*reported, "$version")->GetInt() == 3);
  }

  TEST_CASE_TEMPLATE("twin: a desired change of the service is told to the device", Client, PahoClient, MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    Client client(settings_of(hub, "d1"));
    connect_with_success(client);
    CHECK(client.subscribe("$iothub/twin/PATCH/properties/desired/#", 1) == 1);
    REQUIRE(hub.api("PATCH", "/twins/d1", R"({"properties":{"desired":{"interval":5,"gone":null}}})").status == 200);
    const ClientMessage change = client.next();
    CHECK(change.topic == "$iothub/twin/PATCH/properties/desired/?$version=2");
    CHECK(change.payload == R"({"interval":5,"gone":null,"$version":2})");
  }
}
