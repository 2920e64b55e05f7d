// The libraries' own automatic reconnect: when the network breaks, and when the hub restarts.
#include <functional>

#include "tests/clients/libraries.h"
#include "tests/clients/tcp_relay.h"
#include "tests/support/hub_process.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

const std::string kEvents = "devices/d1/messages/events/";
const std::string kFilter = "devices/d1/messages/devicebound/#";

// A client that comes back by itself, with a stored session.
ClientSettings lasting_settings(TestHub& hub, const TcpRelay& relay) {
  ClientSettings settings = settings_of(hub, "d1");
  settings.port = relay.port();
  settings.clean_session = false;
  settings.reconnects = true;
  return settings;
}

}  // namespace

TEST_SUITE("clients") {
  TEST_CASE_TEMPLATE("reconnect: after the hub has restarted the library comes back by itself and finds its session", Client, PahoClient, MosquittoClient) {
    const TemporaryFolder folder;
    TcpRelay relay;
    const auto start = [&folder] {
      return std::make_unique<TestHub>([&folder](broker::Config& config) {
        config.in_memory = false;
        config.data_folder = folder.file("data");
      });
    };
    auto hub = start();
    relay.set_target(hub->mqtts());
    hub->create("d1");
    Client client(lasting_settings(*hub, relay));
    connect_with_success(client);
    client.subscribe(kFilter, 1);
    publish_and_wait(client, kEvents, "before");

    relay.set_target(0);
    CHECK(hub->stop() == 0);
    client.wait_lost();
    client.start_publish(kEvents, "meanwhile", 1);
    hub.reset();
    hub = start();
    relay.set_target(hub->mqtts());
    client.wait_connected(2);
    client.wait_published();
    const auto events = events_of(*hub, "d1");
    REQUIRE(events.size() == 2);
    CHECK(contains(events[0], R"("body":"before")"));
    CHECK(contains(events[1], R"("body":"meanwhile")"));
    // The subscription is the session's: nobody subscribed again.
    send_cloud_message(*hub, "welcome back");
    CHECK(client.next().payload == "welcome back");
  }

  TEST_CASE_TEMPLATE("reconnect: when the network breaks the will is published, and the library comes back by itself", Client, PahoClient, MosquittoClient) {
    TestHub hub;
    TcpRelay relay;
    relay.set_target(hub.mqtts());
    hub.create("d1");
    ClientSettings settings = lasting_settings(hub, relay);
    settings.will = ClientMessage{kEvents, "gone", 1, false};
    Client client(settings);
    connect_with_success(client);
    client.subscribe(kFilter, 1);
    relay.cut();
    client.wait_lost();
    client.wait_connected(2);
    publish_and_wait(client, kEvents, "back");
    const auto events = events_of(hub, "d1");
    REQUIRE(events.size() == 2);
    CHECK(contains(events[0], R"("body":"gone")"));
    CHECK(contains(events[1], R"("body":"back")"));
    send_cloud_message(hub, "welcome back");
    CHECK(client.next().payload == "welcome back");
  }
}
