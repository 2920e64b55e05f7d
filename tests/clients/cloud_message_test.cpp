// Cloud-to-device messages to client libraries, with clean and stored sessions.
#include "tests/clients/libraries.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

const std::string kFilter = "devices/d1/messages/devicebound/#";

std::int64_t queued(TestHub& hub) {
  const auto device = parse_json(hub.api("GET", "/devices/d1").body);
  REQUIRE(device.ok());
  return find_member(*device, "cloudToDeviceMessageCount")->GetInt64();
}

// Its answer is the proof that nothing else came before it.
template <typename Client>
void expect_nothing_but_a_twin_answer(Client& client) {
  client.subscribe("$iothub/twin/res/#", 0);
  publish_and_wait(client, "$iothub/twin/GET/?$rid=proof", "", 0);
  CHECK(client.next().topic == "$iothub/twin/res/200/?$rid=proof");
}

}  // namespace

TEST_SUITE("clients") {
  TEST_CASE_TEMPLATE("C2D: a message is delivered with its properties, and the library's acknowledgement takes it out of the queue", Client, PahoClient,
                     MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    Client client(settings_of(hub, "d1"));
    connect_with_success(client);
    CHECK(client.subscribe(kFilter, 1) == 1);
    send_cloud_message(hub, "hello", {{"iothub-messageid", "m1"}, {"iothub-app-room", "lab 2"}});
    const ClientMessage message = client.next();
    CHECK(message.topic == "devices/d1/messages/devicebound/%24.mid=m1&%24.to=%2Fdevices%2Fd1%2Fmessages%2FdeviceBound&room=lab%202");
    CHECK(message.payload == "hello");
    CHECK(message.qos == 1);
    hub.wait_until([&] { return queued(hub) == 0; }, "an empty queue");
  }

  TEST_CASE_TEMPLATE("C2D: with a stored session what was queued while offline comes on reconnect, without a new subscription", Client, PahoClient,
                     MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    ClientSettings settings = settings_of(hub, "d1");
    settings.clean_session = false;
    {
      Client client(settings);
      const Connected first = client.connect();
      CHECK(first.code == 0);
      CHECK_FALSE(first.session_present);
      client.subscribe(kFilter, 1);
      client.disconnect();
    }
    for (const char* body : {"one", "two", "three"}) send_cloud_message(hub, body);
    Client client(settings);
    const Connected second = client.connect();
    CHECK(second.code == 0);
    CHECK(second.session_present);
    for (const char* body : {"one", "two", "three"}) CHECK(client.next().payload == body);
    hub.wait_until([&] { return queued(hub) == 0; }, "an empty queue");
  }

  TEST_CASE_TEMPLATE("C2D: with a clean session what was queued while offline waits for the new subscription", Client, PahoClient, MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    {
      Client client(settings_of(hub, "d1"));
      connect_with_success(client);
      client.subscribe(kFilter, 1);
      client.disconnect();
    }
    for (const char* body : {"one", "two"}) send_cloud_message(hub, body);
    Client client(settings_of(hub, "d1"));
    const Connected second = client.connect();
    CHECK(second.code == 0);
    CHECK_FALSE(second.session_present);
    expect_nothing_but_a_twin_answer(client);
    CHECK(queued(hub) == 2);
    client.subscribe(kFilter, 1);
    for (const char* body : {"one", "two"}) CHECK(client.next().payload == body);
  }

  TEST_CASE_TEMPLATE("C2D: a clean session ends a stored one", Client, PahoClient, MosquittoClient) {
    TestHub hub;
    hub.create("d1");
    ClientSettings stored = settings_of(hub, "d1");
    stored.clean_session = false;
    {
      Client client(stored);
      connect_with_success(client);
      client.subscribe(kFilter, 1);
      client.disconnect();
    }
    {
      Client client(settings_of(hub, "d1"));
      connect_with_success(client);
      client.disconnect();
    }
    send_cloud_message(hub, "one");
    Client client(stored);
    CHECK_FALSE(client.connect().session_present);
    expect_nothing_but_a_twin_answer(client);
  }
}
