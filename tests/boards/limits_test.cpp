// What a board cannot take: it breaks as the real one does, and the hub has said so.
#include "tests/boards/board_rig.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

std::vector<auth::Refusal> warnings(TestHub& hub) {
  return hub.server().hub().shared().refusals.recent(kBoardId, 16, auth::EntryKind::kWarning);
}

std::string line(const auth::Refusal& warning) {
  return warning.operation + " | " + warning.answer + " | " + std::string(auth::check_text(warning.denial.check)) + " | " + warning.denial.expected + " | " +
         warning.denial.received;
}

// A desired patch whose message has exactly so many bytes: {"k":"...","$version":N} with N of one digit.
std::string desired_of(std::size_t bytes) { return R"({"k":")" + std::string(bytes - std::string_view(R"({"k":"","$version":2})").size(), 'x') + R"("})"; }

}  // namespace

TEST_SUITE("boards") {
  TEST_CASE("limits: a payload of just the library's buffer goes through without a warning, one byte more leaves the board deaf") {
    for (const NrfLibrary& library : {kNcs15, kNcs2}) {
      CAPTURE(library.name);
      TestHub hub;
      create_board(hub);
      NrfBoard board(board_setup(hub, library));
      board.start();
      set_desired(hub, desired_of(library.payload_bytes));
      CHECK(board.expect(NrfEvent::kDesired).payload.size() == library.payload_bytes);
      CHECK(warnings(hub).empty());
      set_desired(hub, desired_of(library.payload_bytes + 1));
      const std::string size = std::to_string(library.payload_bytes + 1);
      CHECK(board.expect_fault() == "a payload of " + size + " bytes");
      REQUIRE(warnings(hub).size() == 1);
      const std::string name = library.generation == Generation::kFirst ? "nRF Connect SDK 1.x" : "nRF Connect SDK 2.x";
      CHECK(line(warnings(hub)[0]) ==
            "desired properties | sent all the same | size | a payload of at most " + std::to_string(library.payload_bytes) + " bytes (" + name + ") | " + size + " bytes");
      CHECK(contains(warnings(hub)[0].denial.advice, "the board hears nothing more on this connection"));
    }
  }

  TEST_CASE("limits: between 1024 and 2304 bytes the first generation takes it or not, by its version") {
    TestHub hub;
    create_board(hub);
    NrfBoard board(board_setup(hub, kNcs19));
    board.start();
    set_desired(hub, desired_of(2304));
    CHECK(board.expect(NrfEvent::kDesired).payload.size() == 2304);
    CHECK(contains(line(warnings(hub).at(0)), "at most 1024 bytes"));
    CHECK(contains(warnings(hub)[0].denial.advice, "1024 in NCS 1.5, 2304 later"));
    set_desired(hub, desired_of(2305));
    CHECK(board.expect_fault() == "a payload of 2305 bytes");
    CHECK(contains(line(warnings(hub).at(0)), "at most 2304 bytes"));
  }

  TEST_CASE("limits: a C2D topic of 256 bytes with its header goes through, a longer one makes the board drop the connection") {
    for (const NrfLibrary& library : {kNcs19, kNcs2}) {
      CAPTURE(library.name);
      TestHub hub;
      create_board(hub);
      NrfBoard board(board_setup(hub, library));
      board.start();
      // devices/{id}/messages/devicebound/%24.to=...&p=...: what is left of 256 bytes for the value.
      const std::string fixed = std::string("devices/") + kBoardId + "/messages/devicebound/%24.to=%2Fdevices%2F" + kBoardId + "%2Fmessages%2FdeviceBound&p=";
      const std::size_t room = 256 - 5 - fixed.size();  // first byte, two of length, two of the topic's length
      queue_message(hub, "hi", {{"iothub-app-p", std::string(room, 'x')}});
      board.expect(NrfEvent::kCloudMessage);
      CHECK(warnings(hub).empty());
      queue_message(hub, "hi", {{"iothub-app-p", std::string(room + 1, 'x')}});
      CHECK(board.expect_fault() == "a header of 257 bytes");
      REQUIRE(warnings(hub).size() == 1);
      CHECK(contains(line(warnings(hub)[0]), "cloud-to-device message | sent all the same | size | at most 256 bytes in front of the payload ("));
      CHECK(contains(line(warnings(hub)[0]), "257 bytes, 252 of them topic"));
    }
  }

  TEST_CASE("limits: the twin that the library asks for by itself, and a method's payload, are looked at as well") {
    TestHub hub;
    create_board(hub);
    set_desired(hub, desired_of(2100));
    NrfBoard board(board_setup(hub, kNcs2));
    REQUIRE(board.connect() == 0);
    board.expect(NrfEvent::kReady);
    CHECK(contains(board.expect_fault(), "a payload of 2"));
    CHECK(contains(line(warnings(hub).at(0)), "twin document | sent all the same | size | a payload of at most 2048 bytes"));
    set_desired(hub, R"({"k":null})");
    board.start();
    HttpClient service(hub.tls(), hub.https());
    ask(hub, service, "POST", std::string("/twins/") + kBoardId + "/methods", R"({"methodName":"led","payload":")" + std::string(2047, 'x') + R"("})");
    CHECK(board.expect_fault() == "a payload of 2049 bytes");
    CHECK(contains(line(warnings(hub).at(0)), "direct method | sent all the same"));
  }

  TEST_CASE("limits: the same warning again is one entry with a count, and refusals are counted without it") {
    TestHub hub;
    create_board(hub);
    set_desired(hub, desired_of(2100));
    const auto refused = hub.server().hub().shared().refusals.total();
    for (int i = 0; i < 3; ++i) {
      NrfBoard board(board_setup(hub, kNcs2));
      REQUIRE(board.connect() == 0);
      board.expect(NrfEvent::kReady);
      board.expect_fault();
    }
    REQUIRE(warnings(hub).size() == 1);
    CHECK(warnings(hub)[0].count == 3);
    CHECK(hub.server().hub().shared().refusals.total() <= refused + 2);  // taken over by the next connection, at the most
  }

  TEST_CASE("limits: other clients of the same api-version, and those who name themselves, are not looked at") {
    TestHub hub;
    hub.create(kBoardId);
    struct Client {
      const char* user;
      std::vector<std::string> filters;
    };
    const std::string own = std::string("devices/") + kBoardId + "/messages/devicebound/#";
    const std::vector<std::string> first = nrf_filters(kNcs15, kBoardId);
    const Client clients[] = {
        {"?api-version=2021-04-12", first},
        {"?api-version=2020-09-30&DeviceClientType=azsdk-c%2F1.2.0", first},
        {"?api-version=2020-09-30&model-id=dtmi:a:b;1", first},
        {"?api-version=2020-09-30", {first[1], first[0], first[2], first[3]}},
        {"?api-version=2020-09-30", {first[0], first[1], first[2]}},
        {"?api-version=2020-09-30", {own, first[1], first[2], first[3], "$iothub/methods/POST/led/#"}},
    };
    for (const Client& client : clients) {
      auto board = hub.open();
      board->send_raw(packet(0x10, field("MQTT") + "\4\xc2" + number(60) + field(kBoardId) + field("localhost/" + std::string(kBoardId) + "/" + client.user) +
                                       field(hub.token(kBoardId))));
      expect_bytes(*board, connack(false, 0));
      std::string rest = number(1);
      for (const std::string& filter : client.filters) rest += field(filter) + '\0';
      board->send_raw(packet(0x82, rest));
      board->expect<mqtt::Suback>();
      set_desired(hub, desired_of(5000 - 1000));
      CHECK(board->expect<mqtt::Publish>().payload.size() == 4000);
    }
    CHECK(warnings(hub).empty());
  }

  TEST_CASE("limits: records stay below 2303 bytes and the certificate message below 4 kB, however much is sent at once") {
    TestHub hub([](broker::Config& config) { config.limits.cloud_hold = std::chrono::seconds(1000); });
    create_board(hub);
    for (const ModemFirmware& firmware : {kOldModem, kNewModem}) {
      for (const int message : {100, 2000, 2304}) {
        NrfSetup setup = board_setup(hub, kNcs19);
        setup.firmware = firmware;
        NrfBoard board(setup);
        for (int i = 0; i < 20; ++i) queue_message(hub, std::string(static_cast<std::size_t>(message), 'x'));
        REQUIRE(board.connect() == 0);
        board.expect(NrfEvent::kReady);
        int messages = 0;
        for (int i = 0; i < 21; ++i) messages += board.next().kind == NrfEvent::kCloudMessage ? 1 : 0;
        CHECK(messages == 20);
        CHECK(board.modem().largest_record() <= kModemRecordBytes);
        CHECK(board.modem().certificate_bytes() < 1500);
        board.disconnect();
        CHECK(board.next().kind == NrfEvent::kDisconnected);
      }
    }
  }
}
