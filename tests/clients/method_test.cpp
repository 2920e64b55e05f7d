// Direct methods, from the service's request to its answer, by way of a client library.
#include "tests/clients/libraries.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

const std::string kCall = R"({"methodName":"reboot","payload":{"delay":3},"responseTimeoutInSeconds":30})";

// Answers the one call that came with this status and payload.
template <typename Client>
void answer(Client& client, const ClientMessage& call, int status, const std::string& payload) {
  const std::string topic = call.topic, rid = topic.substr(topic.find("$rid="));
  publish_and_wait(client, "$iothub/methods/res/" + std::to_string(status) + "/?" + rid, payload, 0);
}

}  // namespace

TEST_SUITE("clients") {
  TEST_CASE_TEMPLATE("method: a call reaches the device, and its answer the caller", Client, PahoClient, MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    Client client(settings_of(hub, "d1"));
    connect_with_success(client);
    client.subscribe("$iothub/methods/POST/#", 0);
    HttpClient service(hub.tls(), hub.https());
    for (const int status : {200, 404}) {
      ask(hub, service, "POST", "/twins/d1/methods", kCall);
      const ClientMessage call = client.next();
      CHECK(call.topic.starts_with("$iothub/methods/POST/reboot/?$rid="));
      CHECK(call.payload == R"({"delay":3})");
      answer(client, call, status, R"({"done":true})");
      const HttpAnswer given = service.read_answer();
      CHECK(given.status == 200);
      CHECK(given.body == "{\"status\":" + std::to_string(status) + R"(,"payload":{"done":true}})");
    }
  }

  TEST_CASE_TEMPLATE("method: two calls at once are told apart by their request ids", Client, PahoClient, MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    Client client(settings_of(hub, "d1"));
    connect_with_success(client);
    client.subscribe("$iothub/methods/POST/#", 0);
    HttpClient one(hub.tls(), hub.https()), two(hub.tls(), hub.https());
    ask(hub, one, "POST", "/twins/d1/methods", R"({"methodName":"one"})");
    const ClientMessage first = client.next();
    ask(hub, two, "POST", "/twins/d1/methods", R"({"methodName":"two"})");
    const ClientMessage second = client.next();
    answer(client, second, 2, "2");
    answer(client, first, 1, "1");
    CHECK(two.read_answer().body == R"({"status":2,"payload":2})");
    CHECK(one.read_answer().body == R"({"status":1,"payload":1})");
  }

  TEST_CASE_TEMPLATE("method: a client that has disconnected is not online", Client, PahoClient, MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    Client client(settings_of(hub, "d1"));
    connect_with_success(client);
    client.subscribe("$iothub/methods/POST/#", 0);
    client.disconnect();
    hub.wait_until([&] { return contains(hub.api("GET", "/devices/d1").body, R"("connectionState":"Disconnected")"); }, "the end of the connection");
    const HttpAnswer answer = hub.api("POST", "/twins/d1/methods", kCall);
    CHECK(answer.status == 404);
    CHECK(answer.header("iothub-errorcode") == "DeviceNotOnline");
  }
}
