// Azure RTOS with NetX Duo, and the nRF sample on QEMU: RSA alone, one of two suites, C2D at QoS 1 (reference/x509-and-boards.md D, F.2).
#include "tests/boards/board_rig.h"

using namespace nearhub;
using namespace nearhub::test;

TEST_SUITE("boards") {
  TEST_CASE("NetX: ECDHE-RSA or plain RSA key exchange with CBC and SHA-256, an RSA server certificate, a client certificate, C2D acknowledged") {
    for (const char* suite : {"ECDHE-RSA-AES128-SHA256", "AES128-SHA256"}) {
      CAPTURE(suite);
      TestHub hub;
      const certs::Credential credential = made(certs::make_client_leaf(kBoardId, board_terms(certs::KeyType::kRsa2048)));
      create_board(hub, credential);
      TlsOptions options = hub.tls();
      options.ciphers = suite;
      options.certificate_pem = credential.pair.certificate_pem;
      options.key_pem = credential.pair.key_pem;
      MqttClient board(options, hub.mqtts());
      CHECK(board.connection().cipher() == suite);
      CHECK(board.connection().server_key_type() == "RSA");
      board.send_raw(packet(0x10, field("MQTT") + "\4\x80" + number(240) + field(kBoardId) +
                                      field("localhost/" + std::string(kBoardId) + "/?api-version=2020-09-30&DeviceClientType=c%2F1.0.0")));
      expect_bytes(board, connack(false, 0));
      board.send_raw(subscribe(1, "devices/" + std::string(kBoardId) + "/messages/devicebound/#", 1));
      expect_bytes(board, "90 03 0001 01"_hex);
      board.send_raw(subscribe(2, "$iothub/twin/res/#", 0));
      expect_bytes(board, "90 03 0002 00"_hex);
      board.send_raw(publish("$iothub/twin/GET/?$rid=1", ""));
      expect_bytes(board, publish("$iothub/twin/res/200/?$rid=1", R"({"desired":{"$version":1},"reported":{"$version":1}})"));
      queue_message(hub, "hi");
      const mqtt::Publish message = board.expect<mqtt::Publish>();
      CHECK(message.qos == 1);
      CHECK(message.payload == "hi");
      board.send(mqtt::Puback{message.packet_id});
      board.expect_silence();
      CHECK(contains(call(hub, "GET", std::string("/devices/") + kBoardId).body, R"("cloudToDeviceMessageCount":0)"));
    }
  }
}
