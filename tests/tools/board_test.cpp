#include "tools/board.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/json.h"
#include "tests/tools/command_runner.h"
#include "tools/json_text.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

constexpr const char* kBoard = "nrf-352656100000001";

BoardFacts facts() { return {"d1", "hub.example.com", 8883, 42, "-----BEGIN A-----\nca\n-----END A-----\n", "-----BEGIN A-----\nclient\n-----END A-----\n", "-----BEGIN K-----\nkey\n-----END K-----\n"}; }

std::string text_of(const std::string& path) {
  auto text = broker::read_file(path);
  REQUIRE_MESSAGE(text.ok(), (text.ok() ? std::string() : text.error().detail));
  return std::move(*text);
}

unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777u;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("board: the AT commands take the modem off the network, write the three credentials and list them") {
    CHECK(modem_commands(facts()) ==
          "AT+CFUN=4\n"
          "AT%CMNG=0,42,0,\"-----BEGIN A-----\nca\n-----END A-----\"\n"
          "AT%CMNG=0,42,1,\"-----BEGIN A-----\nclient\n-----END A-----\"\n"
          "AT%CMNG=0,42,2,\"-----BEGIN K-----\nkey\n-----END K-----\"\n"
          "AT%CMNG=1,42\n"
          "AT+CFUN=1\n");
  }

  TEST_CASE("board: Kconfig lines of both generations, quotes and backslashes kept in their strings") {
    CHECK(first_generation_config(facts()) ==
          "# nRF Connect SDK 1.3 to 1.9\n"
          "CONFIG_AZURE_IOT_HUB=y\n"
          "CONFIG_AZURE_IOT_HUB_HOSTNAME=\"hub.example.com\"\n"
          "CONFIG_AZURE_IOT_HUB_PORT=8883\n"
          "CONFIG_AZURE_IOT_HUB_DEVICE_ID=\"d1\"\n"
          "CONFIG_AZURE_IOT_HUB_SEC_TAG=42\n");
    CHECK(second_generation_config(facts()) ==
          "# nRF Connect SDK 2.x\n"
          "CONFIG_AZURE_IOT_HUB=y\n"
          "CONFIG_AZURE_IOT_HUB_HOSTNAME=\"hub.example.com\"\n"
          "CONFIG_AZURE_IOT_HUB_DEVICE_ID=\"d1\"\n"
          "CONFIG_MQTT_HELPER_PORT=8883\n"
          "CONFIG_MQTT_HELPER_SEC_TAG=42\n");
    BoardFacts address = facts();
    address.host = "198.51.100.7";
    CHECK(second_generation_config(address).ends_with("CONFIG_MQTT_HELPER_STATIC_IP_ADDRESS=\"198.51.100.7\"\n"));
    BoardFacts odd = facts();
    odd.device = "a\"\\";
    CHECK(second_generation_config(odd).find("DEVICE_ID=\"a\\\"\\\\\"") != std::string::npos);
  }

  TEST_CASE("board: warns of hosts that it cannot reach or will not believe, and of ids that are too long for the first generation") {
    BoardFacts board = facts();
    CHECK(board_warnings(board, {"localhost", "HUB.example.com"}).empty());
    CHECK(joined(board_warnings(board, {"localhost"})).find("start the hub with --host hub.example.com") != std::string::npos);
    for (const char* host : {"localhost", "127.0.0.1"}) {
      board.host = host;
      CHECK(joined(board_warnings(board, {host})).find("is the board itself, seen from the board") != std::string::npos);
    }
    for (const char* host : {"10.0.0.1", "172.16.0.1", "172.31.255.1", "192.168.1.20", "169.254.1.1"}) {
      CAPTURE(host);
      board.host = host;
      CHECK(joined(board_warnings(board, {host})).find("is a private address") != std::string::npos);
    }
    for (const char* host : {"172.32.0.1", "11.0.0.1", "198.51.100.7"}) {
      CAPTURE(host);
      board.host = host;
      CHECK(board_warnings(board, {host}).empty());
    }
    board.device = std::string(31, 'x');
    CHECK(joined(board_warnings(board, {board.host})).find("takes 30: this board needs 2.x") != std::string::npos);
  }

  TEST_CASE("board: a credential of 4 kB is more than the modem takes") {
    BoardFacts board = facts();
    board.client_pem = std::string(4095, 'x');
    CHECK(check_modem_credentials(board).ok());
    board.client_pem += 'x';
    const Status status = check_modem_credentials(board);
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().detail ==
          "the client certificate with its chain has 4096 bytes, and the modem takes less than 4096: use EC keys (the default), and fewer authorities above the device");
  }

  TEST_CASE("board nrf9160: makes the device and everything to paste, and the same again for a board that exists") {
    TestHub hub;
    const TemporaryFolder folder;
    const Arguments command = {"board", "nrf9160", kBoard, "--out", folder.path(), "--sec-tag", "7"};
    const Outcome made = run(hub, command);
    CAPTURE(made.error);
    REQUIRE(made.exit_code == 0);
    CHECK(made.error.find(std::string("nearhub: created the device ") + kBoard + "\n") == 0);
    CHECK(made.error.find("nearhub: warning: localhost is the board itself") != std::string::npos);
    CHECK(made.out.find("AT commands         " + folder.file("modem.at") + "\n") != std::string::npos);
    CHECK(made.out.find("connects to         localhost:" + std::to_string(hub.mqtts()) + ", security tag 7\n") != std::string::npos);

    const auto device = parse_json(hub.api("GET", std::string("/devices/") + kBoard).body);
    REQUIRE(device.ok());
    CHECK(text_at(*device, {"authentication", "type"}) == "selfSigned");
    const auto info = certs::read_certificate(text_of(folder.file("client_cert.pem")));
    REQUIRE(info.ok());
    CHECK(text_at(*device, {"authentication", "x509Thumbprint", "primaryThumbprint"}) == info->sha256_thumbprint);
    CHECK(info->common_name == kBoard);
    CHECK(text_of(folder.file("ca.pem")) == hub.tls().ca_pem);
    CHECK(text_of(folder.file("client_key.pem")) == text_of(folder.file(std::string(kBoard) + "_key.pem")));
    CHECK(mode_of(folder.file("client_key.pem")) == 0600);
    CHECK(mode_of(folder.file("modem.at")) == 0600);
    for (const char* name : {"ca.pem", "client_cert.pem", "client_key.pem"}) {
      const std::string pem = text_of(folder.file(name));
      CHECK(pem.size() < 4096);
      CHECK(pem.starts_with("-----BEGIN "));
      CHECK(pem.find('\r') == std::string::npos);
    }
    CHECK(text_of(folder.file("modem.at")).find("AT%CMNG=0,7,2,\"-----BEGIN PRIVATE KEY-----\n") != std::string::npos);
    CHECK(text_of(folder.file("ncs1.conf")).find("CONFIG_AZURE_IOT_HUB_PORT=" + std::to_string(hub.mqtts()) + "\n") != std::string::npos);
    CHECK(text_of(folder.file("ncs2.conf")).find("CONFIG_MQTT_HELPER_SEC_TAG=7\n") != std::string::npos);

    const std::string key = text_of(folder.file("client_key.pem"));
    Arguments again = command;
    again.insert(again.end(), {"--hub-host", "hub.example.com"});
    const Outcome renamed = run(hub, again);
    CAPTURE(renamed.error);
    REQUIRE(renamed.exit_code == 0);
    CHECK(renamed.error.find("hub.example.com is no name of the hub") != std::string::npos);
    CHECK(text_of(folder.file("client_key.pem")) == key);
    CHECK(text_of(folder.file("ncs2.conf")).find("HOSTNAME=\"hub.example.com\"") != std::string::npos);
  }

  TEST_CASE("board nrf9160: a device with keys, one whose files are elsewhere, and one with another certificate are refused, with the way out") {
    TestHub hub;
    const TemporaryFolder folder;
    hub.create("keys");
    CHECK(run(hub, {"board", "nrf9160", "keys", "--out", folder.path()}).error.find("the board's library knows certificates only") != std::string::npos);
    hub.create("other", R"({"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":")" + std::string(40, 'a') + R"("}}})");
    CHECK(run(hub, {"board", "nrf9160", "other", "--out", folder.path()}).error.find("its certificate and key are not here") != std::string::npos);
    REQUIRE(run({"cert", "device", "other", "--out", folder.path()}).exit_code == 0);
    const Outcome refused = run(hub, {"board", "nrf9160", "other", "--out", folder.path()});
    CHECK(refused.exit_code == 2);
    CHECK(refused.error.find("is not the certificate that device other is registered with") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(folder.file("modem.at")));
  }

  TEST_CASE("board nrf9160: an id of more than 30 characters gets no file for the first generation, a host of more than 64 none at all") {
    TestHub hub;
    const TemporaryFolder folder;
    const std::string id(40, 'x');
    REQUIRE(run(hub, {"board", "nrf9160", id, "--out", folder.path()}).exit_code == 0);
    CHECK(std::filesystem::exists(folder.file("ncs2.conf")));
    CHECK_FALSE(std::filesystem::exists(folder.file("ncs1.conf")));
    const Outcome refused = run(hub, {"board", "nrf9160", "b", "--out", folder.path(), "--hub-host", std::string(65, 'h')});
    CHECK(refused.exit_code == 2);
    CHECK(refused.error.find("the host name has 65 characters, and the library takes 64") != std::string::npos);
    CHECK(hub.api("GET", "/devices/b").status == 404);
  }
}
