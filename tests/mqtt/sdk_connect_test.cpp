// The CONNECT packets that real clients send (reference/sdk-clients.md 4.1 and 4.4, device-mqtt.md 2.2,
// x509-and-boards.md B.1, provisioning.md 2.1), byte for byte.
#include <doctest/doctest.h>

#include <string_view>

#include "wire/mqtt/decoder.h"

using namespace nearhub;
using namespace std::string_view_literals;

namespace {

// The bytes must be one CONNECT of MQTT 3.1.1 and nothing else. Its views point into `bytes`.
mqtt::Connect decode_connect(std::string_view bytes) {
  mqtt::Decoder decoder(4096);
  decoder.feed(bytes);
  mqtt::Packet packet;
  REQUIRE(decoder.next(packet) == mqtt::Decoder::kPacket);
  CHECK(decoder.buffered() == 0);
  REQUIRE(std::holds_alternative<mqtt::Connect>(packet));
  const auto connect = std::get<mqtt::Connect>(packet);
  CHECK(connect.protocol_name == "MQTT");
  CHECK(connect.protocol_level == 4);
  CHECK(connect.is_supported());
  return connect;
}

}  // namespace

TEST_SUITE("mqtt") {
  TEST_CASE("CONNECT of the Node SDK, device with a SAS token: clean session 0, keep alive 180") {
    const mqtt::Connect connect = decode_connect(
        "\x10\xE8\x01"  // 232 bytes follow
        "\x00\x04" "MQTT" "\x04\xC0"  // level 4, user name, password
        "\x00\xB4"  // keep alive 180 s
        "\x00\x03" "dev"
        "\x00\x7E" "localhost/dev/?api-version=2021-04-12&DeviceClientType=azure-iot-device%2F1.18.4%20(node%20v20.20."
                   "2%3B%20Debian%2012%3B%20x64)"
        "\x00\x57" "SharedAccessSignature sr=localhost%2Fdevices%2Fdev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000"sv);
    CHECK(connect.client_id == "dev");
    CHECK(connect.keep_alive_s == 180);
    CHECK(connect.clean_session == false);
    CHECK_FALSE(connect.will.has_value());
    CHECK(connect.username ==
          "localhost/dev/?api-version=2021-04-12&DeviceClientType=azure-iot-device%2F1.18.4%20(node%20v20.20.2%"
          "3B%20Debian%2012%3B%20x64)");
    CHECK(connect.password ==
          "SharedAccessSignature sr=localhost%2Fdevices%2Fdev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000");
  }

  TEST_CASE("CONNECT of the Node SDK, module with a SAS token: the client id is device/module") {
    const mqtt::Connect connect = decode_connect(
        "\x10\x80\x02"  // 256 bytes follow
        "\x00\x04" "MQTT" "\x04\xC0"  // level 4, user name, password
        "\x00\xB4"  // keep alive 180 s
        "\x00\x07" "dev/mod"
        "\x00\x82" "localhost/dev/mod/?api-version=2021-04-12&DeviceClientType=azure-iot-device%2F1.18.4%20(node%20v20"
                   ".20.2%3B%20Debian%2012%3B%20x64)"
        "\x00\x67" "SharedAccessSignature sr=localhost%2Fdevices%2Fdev%2Fmodules%2Fmod&sig=c2lnbmF0dXJl%2B%3D&se=17640"
                   "00000"sv);
    CHECK(connect.client_id == "dev/mod");
    CHECK(connect.keep_alive_s == 180);
    CHECK(connect.clean_session == false);
    CHECK_FALSE(connect.will.has_value());
    CHECK(connect.username ==
          "localhost/dev/mod/?api-version=2021-04-12&DeviceClientType=azure-iot-device%2F1.18.4%20(node%20v20.2"
          "0.2%3B%20Debian%2012%3B%20x64)");
    CHECK(connect.password ==
          "SharedAccessSignature sr=localhost%2Fdevices%2Fdev%2Fmodules%2Fmod&sig=c2lnbmF0dXJl%2B%3D&se=1764000"
          "000");
  }

  TEST_CASE("CONNECT of the Node SDK, device with a certificate: the password flag is not set") {
    const mqtt::Connect connect = decode_connect(
        "\x10\x8F\x01"  // 143 bytes follow
        "\x00\x04" "MQTT" "\x04\x80"  // level 4, user name
        "\x00\xB4"  // keep alive 180 s
        "\x00\x03" "dev"
        "\x00\x7E" "localhost/dev/?api-version=2021-04-12&DeviceClientType=azure-iot-device%2F1.18.4%20(node%20v20.20."
                   "2%3B%20Debian%2012%3B%20x64)"sv);
    CHECK(connect.client_id == "dev");
    CHECK(connect.keep_alive_s == 180);
    CHECK(connect.clean_session == false);
    CHECK_FALSE(connect.will.has_value());
    CHECK(connect.username ==
          "localhost/dev/?api-version=2021-04-12&DeviceClientType=azure-iot-device%2F1.18.4%20(node%20v20.20.2%"
          "3B%20Debian%2012%3B%20x64)");
    CHECK_FALSE(connect.password.has_value());
  }

  TEST_CASE("CONNECT of the Node SDK, plug and play device: the model id stands unescaped before the client type") {
    const mqtt::Connect connect = decode_connect(
        "\x10\x8F\x02"  // 271 bytes follow
        "\x00\x04" "MQTT" "\x04\xC0"  // level 4, user name, password
        "\x00\xB4"  // keep alive 180 s
        "\x00\x03" "dev"
        "\x00\xA5" "localhost/dev/?api-version=2021-04-12&model-id=dtmi:com:example:Thermostat;1&DeviceClientType=azur"
                   "e-iot-device%2F1.18.4%20(node%20v20.20.2%3B%20Debian%2012%3B%20x64)"
        "\x00\x57" "SharedAccessSignature sr=localhost%2Fdevices%2Fdev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000"sv);
    CHECK(connect.client_id == "dev");
    CHECK(connect.keep_alive_s == 180);
    CHECK(connect.clean_session == false);
    CHECK_FALSE(connect.will.has_value());
    CHECK(connect.username ==
          "localhost/dev/?api-version=2021-04-12&model-id=dtmi:com:example:Thermostat;1&DeviceClientType=azure-"
          "iot-device%2F1.18.4%20(node%20v20.20.2%3B%20Debian%2012%3B%20x64)");
    CHECK(connect.password ==
          "SharedAccessSignature sr=localhost%2Fdevices%2Fdev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000");
  }

  TEST_CASE("CONNECT of the Node provisioning SDK, symmetric key: clean session 1, sr not escaped") {
    const mqtt::Connect connect = decode_connect(
        "\x10\xE7\x01"  // 231 bytes follow
        "\x00\x04" "MQTT" "\x04\xC2"  // level 4, user name, password, clean session
        "\x00\xB4"  // keep alive 180 s
        "\x00\x03" "dev"
        "\x00\x68" "0ne00000001/registrations/dev/api-version=2019-03-31&ClientVersion=azure-iot-provisioning-device%2"
                   "F1.9.1"
        "\x00\x6C" "SharedAccessSignature sr=0ne00000001/registrations/dev&sig=c2lnbmF0dXJl%2B%3D&skn=registration&se="
                   "1764000000"sv);
    CHECK(connect.client_id == "dev");
    CHECK(connect.keep_alive_s == 180);
    CHECK(connect.clean_session == true);
    CHECK_FALSE(connect.will.has_value());
    CHECK(connect.username ==
          "0ne00000001/registrations/dev/api-version=2019-03-31&ClientVersion=azure-iot-provisioning-device%2F1"
          ".9.1");
    CHECK(connect.password ==
          "SharedAccessSignature sr=0ne00000001/registrations/dev&sig=c2lnbmF0dXJl%2B%3D&skn=registration&se=17"
          "64000000");
  }

  TEST_CASE("CONNECT of the Node provisioning SDK, certificate: clean session 1, no password") {
    const mqtt::Connect connect = decode_connect(
        "\x10\x79"  // 121 bytes follow
        "\x00\x04" "MQTT" "\x04\x82"  // level 4, user name, clean session
        "\x00\xB4"  // keep alive 180 s
        "\x00\x03" "dev"
        "\x00\x68" "0ne00000001/registrations/dev/api-version=2019-03-31&ClientVersion=azure-iot-provisioning-device%2"
                   "F1.9.1"sv);
    CHECK(connect.client_id == "dev");
    CHECK(connect.keep_alive_s == 180);
    CHECK(connect.clean_session == true);
    CHECK_FALSE(connect.will.has_value());
    CHECK(connect.username ==
          "0ne00000001/registrations/dev/api-version=2019-03-31&ClientVersion=azure-iot-provisioning-device%2F1"
          ".9.1");
    CHECK_FALSE(connect.password.has_value());
  }

  TEST_CASE("CONNECT of the Python SDK: keep alive 60, api-version 2019-10-01") {
    const mqtt::Connect connect = decode_connect(
        "\x10\xCE\x01"  // 206 bytes follow
        "\x00\x04" "MQTT" "\x04\xC0"  // level 4, user name, password
        "\x00\x3C"  // keep alive 60 s
        "\x00\x03" "dev"
        "\x00\x5F" "hub.local.test/dev/?api-version=2019-10-01&DeviceClientType=azure-iot-device-iothub-py%2F2.12.0"
        "\x00\x5C" "SharedAccessSignature sr=hub.local.test%2Fdevices%2Fdev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000"sv);
    CHECK(connect.client_id == "dev");
    CHECK(connect.keep_alive_s == 60);
    CHECK(connect.clean_session == false);
    CHECK_FALSE(connect.will.has_value());
    CHECK(connect.username ==
          "hub.local.test/dev/?api-version=2019-10-01&DeviceClientType=azure-iot-device-iothub-py%2F2.12.0");
    CHECK(connect.password ==
          "SharedAccessSignature sr=hub.local.test%2Fdevices%2Fdev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000");
  }

  TEST_CASE("CONNECT of the Python SDK, plug and play device: the model id stands last and escaped") {
    const mqtt::Connect connect = decode_connect(
        "\x10\xFD\x01"  // 253 bytes follow
        "\x00\x04" "MQTT" "\x04\xC0"  // level 4, user name, password
        "\x00\x3C"  // keep alive 60 s
        "\x00\x03" "dev"
        "\x00\x8E" "hub.local.test/dev/?api-version=2020-09-30&DeviceClientType=azure-iot-device-iothub-py%2F2.12.0&mo"
                   "del-id=dtmi%3Acom%3Aexample%3AThermostat%3B1"
        "\x00\x5C" "SharedAccessSignature sr=hub.local.test%2Fdevices%2Fdev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000"sv);
    CHECK(connect.client_id == "dev");
    CHECK(connect.keep_alive_s == 60);
    CHECK(connect.clean_session == false);
    CHECK_FALSE(connect.will.has_value());
    CHECK(connect.username ==
          "hub.local.test/dev/?api-version=2020-09-30&DeviceClientType=azure-iot-device-iothub-py%2F2.12.0&mode"
          "l-id=dtmi%3Acom%3Aexample%3AThermostat%3B1");
    CHECK(connect.password ==
          "SharedAccessSignature sr=hub.local.test%2Fdevices%2Fdev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000");
  }

  TEST_CASE("CONNECT of the Java SDK: keep alive 230, model id before the client type, token as sig, se, sr") {
    const mqtt::Connect connect = decode_connect(
        "\x10\x8B\x02"  // 267 bytes follow
        "\x00\x04" "MQTT" "\x04\xC0"  // level 4, user name, password
        "\x00\xE6"  // keep alive 230 s
        "\x00\x03" "dev"
        "\x00\xA0" "hub.local.test/dev/?api-version=2020-09-30&model-id=dtmi%3Acom%3Aexample%3AThermostat%3B1&DeviceCl"
                   "ientType=com.microsoft.azure.sdk.iot.iot-device-client%2F2.1.2"
        "\x00\x58" "SharedAccessSignature sig=c2lnbmF0dXJl%2B%3D&se=1764000000&sr=hub.local.test/devices/dev"sv);
    CHECK(connect.client_id == "dev");
    CHECK(connect.keep_alive_s == 230);
    CHECK(connect.clean_session == false);
    CHECK_FALSE(connect.will.has_value());
    CHECK(connect.username ==
          "hub.local.test/dev/?api-version=2020-09-30&model-id=dtmi%3Acom%3Aexample%3AThermostat%3B1&DeviceClie"
          "ntType=com.microsoft.azure.sdk.iot.iot-device-client%2F2.1.2");
    CHECK(connect.password ==
          "SharedAccessSignature sig=c2lnbmF0dXJl%2B%3D&se=1764000000&sr=hub.local.test/devices/dev");
  }

  TEST_CASE("CONNECT of the C SDK: keep alive 240, lower-case hex, raw parentheses, sr not escaped") {
    const mqtt::Connect connect = decode_connect(
        "\x10\x8D\x02"  // 269 bytes follow
        "\x00\x04" "MQTT" "\x04\xC0"  // level 4, user name, password
        "\x00\xF0"  // keep alive 240 s
        "\x00\x03" "dev"
        "\x00\xA2" "hub.local.test/dev/?api-version=2020-09-30&DeviceClientType=iothubclient%2f1.9.0%20(native%3b%20Li"
                   "nux%3b%20aarch64)&model-id=dtmi%3acom%3aexample%3aThermostat%3b1"
        "\x00\x58" "SharedAccessSignature sr=hub.local.test/devices/dev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000"sv);
    CHECK(connect.client_id == "dev");
    CHECK(connect.keep_alive_s == 240);
    CHECK(connect.clean_session == false);
    CHECK_FALSE(connect.will.has_value());
    CHECK(connect.username ==
          "hub.local.test/dev/?api-version=2020-09-30&DeviceClientType=iothubclient%2f1.9.0%20(native%3b%20Linu"
          "x%3b%20aarch64)&model-id=dtmi%3acom%3aexample%3aThermostat%3b1");
    CHECK(connect.password ==
          "SharedAccessSignature sr=hub.local.test/devices/dev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000");
  }

  TEST_CASE("CONNECT of the C# SDK: keep alive 300, auth-chain and model id behind the client type") {
    const mqtt::Connect connect = decode_connect(
        "\x10\xFD\x01"  // 253 bytes follow
        "\x00\x04" "MQTT" "\x04\xC0"  // level 4, user name, password
        "\x01\x2C"  // keep alive 300 s
        "\x00\x03" "dev"
        "\x00\x8E" "hub.local.test/dev/?api-version=2020-09-30&DeviceClientType=.NET%2F1.42.0&auth-chain=edge%3Bdev&mo"
                   "del-id=dtmi%3Acom%3Aexample%3AThermostat%3B1"
        "\x00\x5C" "SharedAccessSignature sr=hub.local.test%2Fdevices%2Fdev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000"sv);
    CHECK(connect.client_id == "dev");
    CHECK(connect.keep_alive_s == 300);
    CHECK(connect.clean_session == false);
    CHECK_FALSE(connect.will.has_value());
    CHECK(connect.username ==
          "hub.local.test/dev/?api-version=2020-09-30&DeviceClientType=.NET%2F1.42.0&auth-chain=edge%3Bdev&mode"
          "l-id=dtmi%3Acom%3Aexample%3AThermostat%3B1");
    CHECK(connect.password ==
          "SharedAccessSignature sr=hub.local.test%2Fdevices%2Fdev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000");
  }

  TEST_CASE("CONNECT of the Embedded C SDK: keep alive 240, the punctuation of the model id escaped") {
    const mqtt::Connect connect = decode_connect(
        "\x10\xE9\x01"  // 233 bytes follow
        "\x00\x04" "MQTT" "\x04\xC0"  // level 4, user name, password
        "\x00\xF0"  // keep alive 240 s
        "\x00\x03" "dev"
        "\x00\x7A" "hub.local.test/dev/?api-version=2020-09-30&DeviceClientType=azsdk-c%2F1.5.0&model-id=dtmi%3Acom%3A"
                   "example%3AThermostat%3B1"
        "\x00\x5C" "SharedAccessSignature sr=hub.local.test%2Fdevices%2Fdev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000"sv);
    CHECK(connect.client_id == "dev");
    CHECK(connect.keep_alive_s == 240);
    CHECK(connect.clean_session == false);
    CHECK_FALSE(connect.will.has_value());
    CHECK(connect.username ==
          "hub.local.test/dev/?api-version=2020-09-30&DeviceClientType=azsdk-c%2F1.5.0&model-id=dtmi%3Acom%3Aex"
          "ample%3AThermostat%3B1");
    CHECK(connect.password ==
          "SharedAccessSignature sr=hub.local.test%2Fdevices%2Fdev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000");
  }

  TEST_CASE("CONNECT of an ESP32 with the Embedded C SDK: keep alive 30, clean session 1") {
    const mqtt::Connect connect = decode_connect(
        "\x10\xBF\x01"  // 191 bytes follow
        "\x00\x04" "MQTT" "\x04\xC2"  // level 4, user name, password, clean session
        "\x00\x1E"  // keep alive 30 s
        "\x00\x03" "dev"
        "\x00\x50" "hub.local.test/dev/?api-version=2020-09-30&DeviceClientType=c%2F1.5.0(ard;esp32)"
        "\x00\x5C" "SharedAccessSignature sr=hub.local.test%2Fdevices%2Fdev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000"sv);
    CHECK(connect.client_id == "dev");
    CHECK(connect.keep_alive_s == 30);
    CHECK(connect.clean_session == true);
    CHECK_FALSE(connect.will.has_value());
    CHECK(connect.username ==
          "hub.local.test/dev/?api-version=2020-09-30&DeviceClientType=c%2F1.5.0(ard;esp32)");
    CHECK(connect.password ==
          "SharedAccessSignature sr=hub.local.test%2Fdevices%2Fdev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000");
  }

  TEST_CASE("CONNECT of the Go SDK: the query has no question mark") {
    const mqtt::Connect connect = decode_connect(
        "\x10\x98\x01"  // 152 bytes follow
        "\x00\x04" "MQTT" "\x04\xC0"  // level 4, user name, password
        "\x00\x1E"  // keep alive 30 s
        "\x00\x03" "dev"
        "\x00\x29" "hub.local.test/dev/api-version=2020-09-30"
        "\x00\x5C" "SharedAccessSignature sr=hub.local.test%2Fdevices%2Fdev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000"sv);
    CHECK(connect.client_id == "dev");
    CHECK(connect.keep_alive_s == 30);
    CHECK(connect.clean_session == false);
    CHECK_FALSE(connect.will.has_value());
    CHECK(connect.username ==
          "hub.local.test/dev/api-version=2020-09-30");
    CHECK(connect.password ==
          "SharedAccessSignature sr=hub.local.test%2Fdevices%2Fdev&sig=c2lnbmF0dXJl%2B%3D&se=1764000000");
  }

  TEST_CASE("CONNECT of the nRF library, both generations: keep alive 1767, no client type, no password") {
    const mqtt::Connect connect = decode_connect(
        "\x10\x5B"  // 91 bytes follow
        "\x00\x04" "MQTT" "\x04\x80"  // level 4, user name
        "\x06\xE7"  // keep alive 1767 s
        "\x00\x13" "nrf-352656100000001"
        "\x00\x3A" "hub.local.test/nrf-352656100000001/?api-version=2020-09-30"sv);
    CHECK(connect.client_id == "nrf-352656100000001");
    CHECK(connect.keep_alive_s == 1767);
    CHECK(connect.clean_session == false);
    CHECK_FALSE(connect.will.has_value());
    CHECK(connect.username ==
          "hub.local.test/nrf-352656100000001/?api-version=2020-09-30");
    CHECK_FALSE(connect.password.has_value());
  }

  TEST_CASE("CONNECT of the nRF library to DPS, first generation: clean session 0, no ClientVersion, no password") {
    const mqtt::Connect connect = decode_connect(
        "\x10\x65"  // 101 bytes follow
        "\x00\x04" "MQTT" "\x04\x80"  // level 4, user name
        "\x00\x3C"  // keep alive 60 s
        "\x00\x13" "nrf-352656100000001"
        "\x00\x44" "0ne00000001/registrations/nrf-352656100000001/api-version=2019-03-31"sv);
    CHECK(connect.client_id == "nrf-352656100000001");
    CHECK(connect.keep_alive_s == 60);
    CHECK(connect.clean_session == false);
    CHECK_FALSE(connect.will.has_value());
    CHECK(connect.username ==
          "0ne00000001/registrations/nrf-352656100000001/api-version=2019-03-31");
    CHECK_FALSE(connect.password.has_value());
  }

  TEST_CASE("CONNECT with a certificate and an empty password: the password is there and empty") {
    const mqtt::Connect connect = decode_connect(
        "\x10\x3D"  // 61 bytes follow
        "\x00\x04" "MQTT" "\x04\xC0"  // level 4, user name, password
        "\x00\xF0"  // keep alive 240 s
        "\x00\x03" "dev"
        "\x00\x2A" "hub.local.test/dev/?api-version=2020-09-30"
        "\x00\x00"sv);
    CHECK(connect.client_id == "dev");
    CHECK(connect.keep_alive_s == 240);
    CHECK(connect.clean_session == false);
    CHECK_FALSE(connect.will.has_value());
    CHECK(connect.username ==
          "hub.local.test/dev/?api-version=2020-09-30");
    CHECK(connect.password ==
          "");
  }

  TEST_CASE("CONNECT of another protocol: only its name and level are read, whatever follows") {
    struct Case {
      std::string_view bytes, protocol_name;
      int protocol_level;
    };
    const Case cases[] = {
        // MQTT 3.1
        {"\x10\x11" "\x00\x06" "MQIsdp" "\x03\x02" "\x00\x3C" "\x00\x03" "dev"sv, "MQIsdp", 3},
        // MQTT 5: one byte of properties stands before the client id
        {"\x10\x10" "\x00\x04" "MQTT" "\x05\x02" "\x00\x3C" "\x00" "\x00\x03" "dev"sv, "MQTT", 5},
        // the bridge bit of mosquitto
        {"\x10\x0F" "\x00\x04" "MQTT" "\x84\x02" "\x00\x3C" "\x00\x03" "dev"sv, "MQTT", 0x84},
        // the name of 3.1.1 in another case, and the level of 3.1 under the name of 3.1.1
        {"\x10\x07" "\x00\x04" "mqtt" "\x04"sv, "mqtt", 4},
        {"\x10\x07" "\x00\x04" "MQTT" "\x03"sv, "MQTT", 3},
        // 3.1.1 would call these flags malformed
        {"\x10\x08" "\x00\x04" "MQTT" "\x05\xFF"sv, "MQTT", 5},
    };
    for (const Case& c : cases) {
      CAPTURE(c.protocol_name);
      CAPTURE(c.protocol_level);
      mqtt::Decoder decoder(4096);
      decoder.feed(c.bytes);
      mqtt::Packet packet;
      REQUIRE(decoder.next(packet) == mqtt::Decoder::kPacket);
      CHECK(decoder.buffered() == 0);
      const auto& connect = std::get<mqtt::Connect>(packet);
      CHECK_FALSE(connect.is_supported());
      mqtt::Connect expected;
      expected.protocol_name = c.protocol_name;
      expected.protocol_level = static_cast<std::uint8_t>(c.protocol_level);
      CHECK(connect == expected);
    }
  }
}
