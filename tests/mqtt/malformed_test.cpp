#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/mqtt/samples.h"
#include "wire/mqtt/decoder.h"

using namespace nearhub;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

struct Malformed {
  std::string_view bytes;
  std::string_view error;
};

// Feeds the bytes in pieces of `size`, asking for packets after each; the error, or "" when none came.
std::string error_of(std::string_view bytes, std::size_t size) {
  mqtt::Decoder decoder(1000);
  mqtt::Packet packet;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    decoder.feed(bytes.substr(at, size));
    while (decoder.next(packet) == mqtt::Decoder::kPacket) {
    }
    decoder.keep();
  }
  return decoder.error();
}

void check_all(const std::vector<Malformed>& cases) {
  for (const Malformed& c : cases) {
    CAPTURE(c.error);
    CHECK(error_of(c.bytes, c.bytes.size()) == c.error);
    CHECK(error_of(c.bytes, 1) == c.error);
    // Behind a good packet as well.
    CHECK(error_of("\xC0\x00"s + std::string(c.bytes), c.bytes.size() + 2) == c.error);
  }
}

}  // namespace

TEST_SUITE("mqtt") {
  TEST_CASE("fixed header: reserved packet types are malformed, whatever their flags") {
    for (int flags = 0; flags < 16; ++flags) {
      check_all({{std::string{static_cast<char>(flags)}, "packet type 0 is reserved"},
                 {std::string{static_cast<char>(0xF0 | flags)}, "packet type 15 is reserved"}});
    }
  }

  TEST_CASE("fixed header: each type has its own flags and no others [MQTT-2.2.2-1, MQTT-2.2.2-2]") {
    struct Case {
      int type, flags;
      std::string_view name;
    };
    const Case cases[] = {{1, 0, "CONNECT"},  {2, 0, "CONNACK"},   {4, 0, "PUBACK"},  {5, 0, "PUBREC"},
                          {6, 2, "PUBREL"},   {7, 0, "PUBCOMP"},   {8, 2, "SUBSCRIBE"}, {9, 0, "SUBACK"},
                          {10, 2, "UNSUBSCRIBE"}, {11, 0, "UNSUBACK"}, {12, 0, "PINGREQ"}, {13, 0, "PINGRESP"},
                          {14, 0, "DISCONNECT"}};
    for (const Case& c : cases) {
      for (int flags = 0; flags < 16; ++flags) {
        CAPTURE(c.name);
        CAPTURE(flags);
        const std::string first_byte{static_cast<char>(c.type << 4 | flags)};
        const std::string wanted = std::string(c.name) + " with fixed-header flags 0x" + "0123456789ABCDEF"[flags] +
                                   (c.flags == 0 ? "; 0x0 is required" : "; 0x2 is required");
        CHECK(error_of(first_byte, 1) == (flags == c.flags ? "" : wanted));
      }
    }
  }

  TEST_CASE("fixed header: a PUBLISH has QoS 0, 1 or 2, and DUP only above 0 [MQTT-3.3.1-2, MQTT-3.3.1-4]") {
    check_all({{"\x36"sv, "PUBLISH with QoS 3"},
               {"\x37"sv, "PUBLISH with QoS 3"},
               {"\x3E"sv, "PUBLISH with QoS 3"},
               {"\x3F"sv, "PUBLISH with QoS 3"},
               {"\x38"sv, "PUBLISH with DUP and QoS 0"},
               {"\x39"sv, "PUBLISH with DUP and QoS 0"}});
    for (const char good : "\x30\x31\x32\x33\x34\x35\x3A\x3B\x3C\x3D"sv) {
      CHECK(error_of(std::string{good}, 1) == "");
    }
  }

  TEST_CASE("fixed header: the remaining length has at most four bytes") {
    check_all({{"\x30\x80\x80\x80\x80"sv, "PUBLISH with a remaining length of more than 4 bytes"},
               {"\x10\xFF\xFF\xFF\xFF\x00"sv, "CONNECT with a remaining length of more than 4 bytes"},
               {"\xC0\x80\x80\x80\x80\x00"sv, "PINGREQ with a remaining length of more than 4 bytes"}});
    CHECK(error_of("\x30\x80\x80\x80"sv, 4) == "");
  }

  TEST_CASE("fixed header: packets of one size have that size, and another one is seen before the rest has come") {
    check_all({{"\x20\x00"sv, "CONNACK with remaining length 0; 2 is required"},
               {"\x20\x01"sv, "CONNACK with remaining length 1; 2 is required"},
               {"\x20\x03"sv, "CONNACK with remaining length 3; 2 is required"},
               {"\x40\x01"sv, "PUBACK with remaining length 1; 2 is required"},
               {"\x40\x03"sv, "PUBACK with remaining length 3; 2 is required"},
               {"\x50\x00"sv, "PUBREC with remaining length 0; 2 is required"},
               {"\x62\x04"sv, "PUBREL with remaining length 4; 2 is required"},
               {"\x70\x81\x01"sv, "PUBCOMP with remaining length 129; 2 is required"},
               {"\xB0\x03"sv, "UNSUBACK with remaining length 3; 2 is required"},
               {"\xC0\x01"sv, "PINGREQ with remaining length 1; 0 is required"},
               {"\xD0\x02"sv, "PINGRESP with remaining length 2; 0 is required"},
               {"\xE0\x01"sv, "DISCONNECT with remaining length 1; 0 is required"}});
  }

  TEST_CASE("CONNECT: malformed flags [MQTT-3.1.2-3, 3.1.2-13, 3.1.2-14, 3.1.2-15, 3.1.2-22]") {
    check_all({{"\x10\x0C\x00\x04MQTT\x04\x03\x00\x00\x00\x00"sv, "CONNECT with the reserved flag set"},
               {"\x10\x0C\x00\x04MQTT\x04\x1E\x00\x00\x00\x00"sv, "CONNECT with will QoS 3"},
               {"\x10\x0C\x00\x04MQTT\x04\x1A\x00\x00\x00\x00"sv, "CONNECT with will QoS 3"},
               {"\x10\x0C\x00\x04MQTT\x04\x0A\x00\x00\x00\x00"sv, "CONNECT with will QoS 1 and no will"},
               {"\x10\x0C\x00\x04MQTT\x04\x12\x00\x00\x00\x00"sv, "CONNECT with will QoS 2 and no will"},
               {"\x10\x0C\x00\x04MQTT\x04\x22\x00\x00\x00\x00"sv, "CONNECT with will retain and no will"},
               {"\x10\x0F\x00\x04MQTT\x04\x42\x00\x00\x00\x00\x00\x01p"sv, "CONNECT with a password and no user name"}});
  }

  TEST_CASE("CONNECT: malformed fields") {
    check_all({{"\x10\x04\x00\x02\xC3\x28"sv, "CONNECT whose protocol name is not well-formed UTF-8"},
               {"\x10\x08\x00\x05MQTT\x00\x04"sv, "CONNECT whose protocol name has a NUL at position 5"},
               {"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04" "dev\x00"sv, "CONNECT whose client id has a NUL at position 4"},
               {"\x10\x0D\x00\x04MQTT\x04\x02\x00\x00\x00\x01\xFF"sv, "CONNECT whose client id is not well-formed UTF-8"},
               {"\x10\x0F\x00\x04MQTT\x04\x02\x00\x00\x00\x03\xED\xA0\x80"sv, "CONNECT whose client id is not well-formed UTF-8"},
               {"\x10\x10\x00\x04MQTT\x04\x06\x00\x00\x00\x00\x00\x00\x00\x00"sv, "CONNECT with an empty will topic"},
               {"\x10\x11\x00\x04MQTT\x04\x06\x00\x00\x00\x00\x00\x01\x80\x00\x00"sv,
                "CONNECT whose will topic is not well-formed UTF-8"},
               {"\x10\x0F\x00\x04MQTT\x04\x82\x00\x00\x00\x00\x00\x01\xC0"sv, "CONNECT whose user name is not well-formed UTF-8"},
               {"\x10\x10\x00\x04MQTT\x04\x82\x00\x00\x00\x00\x00\x02u\x00"sv, "CONNECT whose user name has a NUL at position 2"},
               {"\x10\x0D\x00\x04MQTT\x04\x02\x00\x00\x00\x00x"sv, "CONNECT with 1 byte after its last field"},
               {"\x10\x11\x00\x04MQTT\x04\x82\x00\x00\x00\x00\x00\x00xyz"sv, "CONNECT with 3 bytes after its last field"}});
  }

  TEST_CASE("CONNECT: cut short at any byte, the missing field is named") {
    // Everything but the fixed header: will, user name and password are announced.
    const std::string_view whole = "\x00\x04MQTT\x04\xEE\x00\xB4\x00\x03" "dev\x00\x03w/t\x00\x02pp\x00\x04user\x00\x02pw"sv;
    const auto field_at = [](std::size_t size) {
      if (size < 6) return "protocol name";
      if (size < 7) return "protocol level";
      if (size < 8) return "connect flags";
      if (size < 10) return "keep alive";
      if (size < 15) return "client id";
      if (size < 20) return "will topic";
      if (size < 24) return "will payload";
      if (size < 30) return "user name";
      return "password";
    };
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CAPTURE(size);
      const std::string bytes = "\x10"s + static_cast<char>(size) + std::string(whole.substr(0, size));
      CHECK(error_of(bytes, bytes.size()) == "CONNECT is too short for its "s + field_at(size));
      CHECK(error_of(bytes, 1) == "CONNECT is too short for its "s + field_at(size));
    }
  }

  TEST_CASE("CONNACK: malformed flags and codes [MQTT-3.2.2-4]") {
    check_all({{"\x20\x02\x02\x00"sv, "CONNACK with acknowledge flags 0x02"},
               {"\x20\x02\x81\x00"sv, "CONNACK with acknowledge flags 0x81"},
               {"\x20\x02\x00\x06"sv, "CONNACK with return code 6"},
               {"\x20\x02\x00\xFF"sv, "CONNACK with return code 255"},
               {"\x20\x02\x01\x05"sv, "CONNACK with session present and return code 5"}});
  }

  TEST_CASE("PUBLISH: malformed fields [MQTT-2.3.1-1, MQTT-3.3.2-1, MQTT-4.7.3-1, MQTT-4.7.3-2]") {
    check_all({{"\x30\x00"sv, "PUBLISH is too short for its topic"},
               {"\x30\x01\x00"sv, "PUBLISH is too short for its topic"},
               {"\x30\x03\x00\x02" "a"sv, "PUBLISH is too short for its topic"},
               {"\x30\x04\xFF\xFF" "ab"sv, "PUBLISH is too short for its topic"},
               {"\x30\x02\x00\x00"sv, "PUBLISH with an empty topic"},
               {"\x30\x05\x00\x00" "pay"sv, "PUBLISH with an empty topic"},
               {"\x30\x05\x00\x03" "a\x00z"sv, "PUBLISH whose topic has a NUL at position 2"},
               {"\x30\x04\x00\x02\xC0\x80"sv, "PUBLISH whose topic is not well-formed UTF-8"},
               {"\x32\x03\x00\x01" "a"sv, "PUBLISH is too short for its packet id"},
               {"\x32\x04\x00\x01" "a\x01"sv, "PUBLISH is too short for its packet id"},
               {"\x32\x05\x00\x01" "a\x00\x00"sv, "PUBLISH with packet id 0"},
               {"\x34\x05\x00\x01" "a\x00\x00"sv, "PUBLISH with packet id 0"}});
  }

  TEST_CASE("acknowledgements: packet id 0 answers no packet") {
    check_all({{"\x40\x02\x00\x00"sv, "PUBACK with packet id 0"},
               {"\x50\x02\x00\x00"sv, "PUBREC with packet id 0"},
               {"\x62\x02\x00\x00"sv, "PUBREL with packet id 0"},
               {"\x70\x02\x00\x00"sv, "PUBCOMP with packet id 0"},
               {"\x90\x03\x00\x00\x00"sv, "SUBACK with packet id 0"},
               {"\xB0\x02\x00\x00"sv, "UNSUBACK with packet id 0"}});
  }

  TEST_CASE("SUBSCRIBE: malformed fields [MQTT-2.3.1-1, MQTT-3.8.3-1, MQTT-3.8.3-3, MQTT-3-8.3-4]") {
    check_all({{"\x82\x00"sv, "SUBSCRIBE is too short for its packet id"},
               {"\x82\x01\x00"sv, "SUBSCRIBE is too short for its packet id"},
               {"\x82\x06\x00\x00\x00\x01" "a\x00"sv, "SUBSCRIBE with packet id 0"},
               {"\x82\x02\x00\x01"sv, "SUBSCRIBE without a filter"},
               {"\x82\x03\x00\x01\x00"sv, "SUBSCRIBE is too short for its filter"},
               {"\x82\x05\x00\x01\x00\x02" "a"sv, "SUBSCRIBE is too short for its filter"},
               {"\x82\x05\x00\x01\x00\x01" "a"sv, "SUBSCRIBE is too short for its requested QoS"},
               {"\x82\x09\x00\x01\x00\x01" "a\x00\x00\x01" "b"sv, "SUBSCRIBE is too short for its requested QoS"},
               {"\x82\x05\x00\x01\x00\x00\x00"sv, "SUBSCRIBE with an empty filter"},
               {"\x82\x07\x00\x01\x00\x02" "a\x00\x00"sv, "SUBSCRIBE whose filter has a NUL at position 2"},
               {"\x82\x06\x00\x01\x00\x01\xFF\x00"sv, "SUBSCRIBE whose filter is not well-formed UTF-8"},
               {"\x82\x06\x00\x01\x00\x01" "a\x03"sv, "SUBSCRIBE with QoS 3"},
               {"\x82\x06\x00\x01\x00\x01" "a\x04"sv, "SUBSCRIBE with reserved bits in the QoS byte 0x04"},
               {"\x82\x06\x00\x01\x00\x01" "a\x81"sv, "SUBSCRIBE with reserved bits in the QoS byte 0x81"},
               {"\x82\x0A\x00\x01\x00\x01" "a\x00\x00\x01" "b\x03"sv, "SUBSCRIBE with QoS 3"}});
  }

  TEST_CASE("SUBACK: malformed fields [MQTT-3.9.3-2]") {
    check_all({{"\x90\x00"sv, "SUBACK is too short for its packet id"},
               {"\x90\x01\x00"sv, "SUBACK is too short for its packet id"},
               {"\x90\x02\x00\x01"sv, "SUBACK without a return code"},
               {"\x90\x03\x00\x01\x03"sv, "SUBACK with return code 0x03"},
               {"\x90\x03\x00\x01\x7F"sv, "SUBACK with return code 0x7F"},
               {"\x90\x04\x00\x01\x00\x81"sv, "SUBACK with return code 0x81"}});
  }

  TEST_CASE("UNSUBSCRIBE: malformed fields [MQTT-2.3.1-1, MQTT-3.10.3-1, MQTT-3.10.3-2]") {
    check_all({{"\xA2\x00"sv, "UNSUBSCRIBE is too short for its packet id"},
               {"\xA2\x05\x00\x00\x00\x01" "a"sv, "UNSUBSCRIBE with packet id 0"},
               {"\xA2\x02\x00\x01"sv, "UNSUBSCRIBE without a filter"},
               {"\xA2\x03\x00\x01\x00"sv, "UNSUBSCRIBE is too short for its filter"},
               {"\xA2\x05\x00\x01\x00\x02" "a"sv, "UNSUBSCRIBE is too short for its filter"},
               {"\xA2\x04\x00\x01\x00\x00"sv, "UNSUBSCRIBE with an empty filter"},
               {"\xA2\x05\x00\x01\x00\x01\x80"sv, "UNSUBSCRIBE whose filter is not well-formed UTF-8"},
               {"\xA2\x06\x00\x01\x00\x02\x00" "a"sv, "UNSUBSCRIBE whose filter has a NUL at position 1"}});
  }

  TEST_CASE("malformed: a body cut short is refused or another packet, and nothing is read past its end") {
    for (const mqtt::Sample& sample : mqtt::samples()) {
      CAPTURE(sample.name);
      for (std::size_t size = 2; size < sample.bytes.size(); ++size) {
        CAPTURE(size);
        // An allocation of the exact size lets the address sanitizer see a read past the end.
        std::vector<char> bytes(sample.bytes.begin(), sample.bytes.begin() + static_cast<std::ptrdiff_t>(size));
        bytes[1] = static_cast<char>(size - 2);
        mqtt::Decoder decoder(1000);
        decoder.feed({bytes.data(), bytes.size()});
        mqtt::Packet packet;
        const auto outcome = decoder.next(packet);
        CHECK(outcome != mqtt::Decoder::kNeedMore);
        if (outcome == mqtt::Decoder::kPacket) CHECK_FALSE(packet == sample.packet);
      }
    }
  }

  TEST_CASE("malformed: after an error the decoder stays in error, holds nothing and ignores what comes") {
    mqtt::Decoder decoder(1000);
    mqtt::Packet packet;
    decoder.feed("\xC0\x00\xC1\x00\xC0\x00"sv);
    CHECK(decoder.next(packet) == mqtt::Decoder::kPacket);
    CHECK(decoder.error() == "");
    CHECK(decoder.next(packet) == mqtt::Decoder::kError);
    CHECK(decoder.error() == "PINGREQ with fixed-header flags 0x1; 0x0 is required");
    CHECK_FALSE(decoder.too_large());
    CHECK(decoder.buffered() == 0);
    CHECK(decoder.next(packet) == mqtt::Decoder::kError);
    decoder.keep();
    decoder.feed("\xC0\x00"sv);
    CHECK(decoder.next(packet) == mqtt::Decoder::kError);
    CHECK(decoder.buffered() == 0);
    CHECK(decoder.error() == "PINGREQ with fixed-header flags 0x1; 0x0 is required");
  }
}
