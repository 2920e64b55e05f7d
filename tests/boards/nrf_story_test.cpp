// Everything that the nRF libraries do with a hub.
#include "tests/boards/board_rig.h"

using namespace nearhub;
using namespace nearhub::test;
using std::chrono::seconds;

namespace {

const NrfLibrary kLibraries[] = {kNcs15, kNcs19, kNcs2};

std::string twin_of(TestHub& hub) { return call(hub, "GET", std::string("/twins/") + kBoardId).body; }

// The next event, and the telemetry in the hub's stream.
std::string latest_event(TestHub& hub) { return events_of(hub, kBoardId).back(); }

}  // namespace

TEST_SUITE("boards") {
  TEST_CASE("nRF: twin after the SUBACK, report, telemetry, desired, C2D, method, ping: every library on every modem") {
    for (const NrfLibrary& library : kLibraries) {
      for (const ModemFirmware& firmware : {kOldModem, kNewModem}) {
        CAPTURE(library.name);
        CAPTURE(firmware.ciphers);
        TestHub hub;
        create_board(hub);
        NrfSetup setup = board_setup(hub, library);
        setup.firmware = firmware;
        NrfBoard board(setup);
        bool session_present = true;
        REQUIRE(board.connect(&session_present) == 0);
        CHECK_FALSE(session_present);
        board.expect(NrfEvent::kReady);
        CHECK(board.expect(NrfEvent::kTwin).payload == R"({"desired":{"$version":1},"reported":{"$version":1}})");
        CHECK(board.modem().certificate_bytes() > 0);

        const std::string id = board.report(R"({"interval":20})");
        const NrfEvent accepted = board.expect(NrfEvent::kReportAccepted);
        CHECK(accepted.request_id == id);
        CHECK(accepted.status == 204);
        CHECK(accepted.payload == "");
        board.report("no JSON");
        CHECK(board.expect(NrfEvent::kReportFailed).status == 400);

        board.send(R"({"temp":21})", {{"pos", "left"}, {"n", ""}});
        board.expect_silence();
        CHECK(contains(latest_event(hub), R"("properties":{"pos":"left","n":""})"));

        set_desired(hub, R"({"interval":5})");
        CHECK(board.expect(NrfEvent::kDesired).payload == R"({"interval":5,"$version":2})");

        queue_message(hub, "open the window", {{"iothub-app-a", "1"}});
        const NrfEvent message = board.expect(NrfEvent::kCloudMessage);
        CHECK(message.payload == "open the window");
        // NCS 1.5 loses the properties behind the first long one, which %24.to is.
        CHECK((message.properties == NrfProperties{} || message.properties.back() == std::pair<std::string, std::string>{"a", "1"}));
        CHECK(message.properties.empty() == (library.element_bytes == 22));

        HttpClient service(hub.tls(), hub.https());
        ask(hub, service, "POST", std::string("/twins/") + kBoardId + "/methods", R"({"methodName":"led","payload":{"on":true}})");
        const NrfEvent method = board.expect(NrfEvent::kMethod);
        CHECK(method.name == "led");
        CHECK(method.payload == R"({"on":true})");
        board.respond(method, 200, R"({"ok":1})");
        CHECK(service.read_answer().body == R"({"status":200,"payload":{"ok":1}})");

        board.expect_silence();
        board.disconnect();
        CHECK(board.next().kind == NrfEvent::kDisconnected);
        CHECK(hub.refusals(kBoardId, 1).at(0).operation == "twin PATCH");
      }
    }
  }

  TEST_CASE("nRF: method request ids survive the sample's eight bytes, call after call") {
    TestHub hub;
    create_board(hub);
    NrfBoard board(board_setup(hub, kNcs15));
    board.start();
    HttpClient service(hub.tls(), hub.https());
    for (int i = 0; i < 20; ++i) {
      ask(hub, service, "POST", std::string("/twins/") + kBoardId + "/methods", R"({"methodName":"led"})");
      const NrfEvent method = board.expect(NrfEvent::kMethod);
      CHECK(method.payload == "null");
      board.respond(method, i, "{}");
      CHECK(service.read_answer().body == R"({"status":)" + std::to_string(i) + R"(,"payload":{}})");
    }
  }

  TEST_CASE("nRF: what was queued while it was away comes after it has subscribed again, once, in order") {
    TestHub hub([](broker::Config& config) { config.limits.cloud_hold = seconds(1000); });
    create_board(hub);
    for (const NrfLibrary& library : kLibraries) {
      CAPTURE(library.name);
      NrfBoard board(board_setup(hub, library));
      board.start();
      board.lose_power();
      hub.wait_until([&] { return contains(call(hub, "GET", std::string("/devices/") + kBoardId).body, R"("connectionState":"Disconnected")"); }, "the end");
      queue_message(hub, "one");
      queue_message(hub, "two");
      bool session_present = false;
      REQUIRE(board.connect(&session_present) == 0);
      CHECK(session_present);
      // Nothing before the SUBACK: the application is not ready. next() sees to that.
      board.expect(NrfEvent::kReady);
      // The twin that the library asks for at once, and the messages, in whatever order.
      std::string messages;
      for (int i = 0; i < 3; ++i) {
        const NrfEvent event = board.next();
        if (event.kind == NrfEvent::kCloudMessage) messages += event.payload + " ";
      }
      CHECK(messages == "one two ");
      board.expect_silence();
      // QoS 0: sent is settled.
      CHECK(contains(call(hub, "GET", std::string("/devices/") + kBoardId).body, R"("cloudToDeviceMessageCount":0)"));
    }
  }

  TEST_CASE("nRF: a keep-alive of 1767 s: it pings just then, day and night, and a silent one is gone after 1827 s") {
    TestHub hub;
    create_board(hub);
    for (const NrfLibrary& library : {kNcs15, kNcs2}) {
      NrfBoard board(board_setup(hub, library));
      board.start();
      for (int i = 0; i < 10; ++i) {
        hub.advance(seconds(1767));
        settle(hub);
        board.expect_silence();
      }
      hub.advance(seconds(1826));
      settle(hub);
      board.expect_silence();
      hub.advance(seconds(1828));
      CHECK(board.next().kind == NrfEvent::kDisconnected);
      CHECK(contains(last_refusal(hub, kBoardId), "expected a packet within 1827 s (keep-alive 1767 s)"));
    }
  }

  TEST_CASE("nRF: asleep for minutes with the socket open (PSM), it reads later, and nothing is lost") {
    TestHub hub;
    create_board(hub);
    NrfSetup setup = board_setup(hub, kNcs2);
    setup.receive_buffer = 4096;
    NrfBoard board(setup);
    board.start();
    for (int i = 0; i < 5; ++i) {
      queue_message(hub, "message " + std::to_string(i));
      set_desired(hub, R"({"n":)" + std::to_string(i) + "}");
    }
    hub.advance(seconds(590));
    settle(hub);
    for (int i = 0; i < 5; ++i) {
      CHECK(board.expect(NrfEvent::kCloudMessage).payload == "message " + std::to_string(i));
      CHECK(contains(board.expect(NrfEvent::kDesired).payload, R"("n":)" + std::to_string(i)));
    }
    board.expect_silence();
  }

  TEST_CASE("nRF: it comes back without having said goodbye, and the new connection is the one that counts") {
    TestHub hub;
    create_board(hub);
    for (const NrfLibrary& library : {kNcs19, kNcs2}) {
      NrfBoard first(board_setup(hub, library)), second(board_setup(hub, library));
      first.start();
      second.start();
      CHECK(first.next().kind == NrfEvent::kDisconnected);
      set_desired(hub, R"({"to":"second"})");
      CHECK(contains(second.expect(NrfEvent::kDesired).payload, "second"));
      second.disconnect();
    }
  }

  TEST_CASE("nRF: two requests under way with the same three digits, and both are answered") {
    TestHub hub;
    create_board(hub);
    NrfBoard board(board_setup(hub, kNcs2));
    board.start();
    board.request_twin();
    const std::string id = board.report(R"({"a":1})");
    CHECK(id.size() == 3);
    const NrfEvent one = board.next(), other = board.next();
    CHECK(one.request_id == id);
    CHECK(other.request_id == id);
    CHECK(one.kind != other.kind);
  }

  TEST_CASE("nRF: a wrong name is found out in TLS, a wrong credential is CONNACK 5") {
    TestHub hub;
    create_board(hub);
    NrfSetup setup = board_setup(hub, kNcs2);
    const ModemSocket elsewhere(setup.tag, kNewModem, "hub.example.com", setup.port);
    CHECK(elsewhere.fault() == "TLS handshake: certificate verify failed");
    for (const bool any_certificate : {false, true}) {
      setup.tag = any_certificate ? security_tag(hub, made(certs::make_client_leaf(kBoardId, board_terms()))) : SecurityTag{hub.tls().ca_pem, {}, {}};
      NrfBoard board(setup);
      CHECK(board.connect() == 5);
      CHECK(board.next().kind == NrfEvent::kDisconnected);
      CHECK(hub.refusals(kBoardId, 1).at(0).operation == "MQTT CONNECT");
    }
  }

  TEST_CASE("Azure FOTA: the job in the desired properties, the states in the reported ones, over a reboot") {
    TestHub hub;
    create_board(hub);
    for (const NrfLibrary& library : {kNcs19, kNcs2}) {
      CAPTURE(library.name);
      const std::string job =
          R"({"firmware":{"fwVersion":"v1.1.0","jobId":"ca186d4b-4171-4209-a49d-700c35567d1d","fwLocation":{"protocol":"https:","host":"files.example.lan","path":"fw/app_update.bin"},"fwFragmentSize":1800}})";
      const auto report = [](NrfBoard& board, const std::string& state, const std::string& version) {
        board.report(R"({"firmware":{"fwUpdateStatus":")" + state + R"(","currentFwVersion":")" + version +
                     R"(","pendingFwVersion":"v1.1.0","jobId":"ca186d4b-4171-4209-a49d-700c35567d1d"}})");
        board.expect(NrfEvent::kReportAccepted);
      };
      NrfBoard board(board_setup(hub, library));
      board.start();
      set_desired(hub, R"({"firmware":null})");
      board.expect(NrfEvent::kDesired);
      set_desired(hub, job);
      // The job as it was written, in the patch's own object.
      const NrfEvent desired = board.expect(NrfEvent::kDesired);
      CHECK(desired.payload.starts_with(job.substr(0, job.size() - 1)));
      report(board, "downloading", "v1.0.0");
      report(board, "applying", "v1.0.0");
      board.lose_power();
      REQUIRE(board.connect() == 0);
      board.expect(NrfEvent::kReady);
      const NrfEvent twin = board.expect(NrfEvent::kTwin);
      CHECK(contains(twin.payload, R"("fwLocation":{"protocol":"https:","host":"files.example.lan","path":"fw/app_update.bin"})"));
      CHECK(contains(twin.payload, R"("fwUpdateStatus":"applying")"));
      report(board, "current", "v1.1.0");
      CHECK(contains(twin_of(hub), R"("fwUpdateStatus":"current","currentFwVersion":"v1.1.0")"));
      board.disconnect();
    }
  }
}
