// Events in blocks, and as a person reads them.
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "hub/event.h"

using namespace nearhub;
using namespace nearhub::hub;

namespace {

// 2026-01-31T23:59:58.7654321Z
constexpr WallTime kTime{Ticks{17'699'039'987'654'321}};

Event event_of(std::string_view bag, std::string_view body) {
  Event event;
  event.enqueued = kTime;
  event.device = "d1";
  event.generation_id = "639028223987654321";
  event.bag = bag;
  event.body = body;
  return event;
}

std::string json_of(const Event& event) {
  JsonWriter json;
  write_json(json, event, 3, 42);
  return std::move(json).take();
}

// The part of the document that is about the body.
std::string body_of(std::string_view bag, std::string_view body) {
  const std::string json = json_of(event_of(bag, body));
  return json.substr(json.rfind("},\"body") + 2);
}

std::vector<Event> read_all(std::string_view bytes, bool& damaged) {
  EventReader reader(bytes);
  std::vector<Event> events;
  Event event;
  while (reader.next(event)) events.push_back(event);
  CHECK_FALSE(reader.next(event));  // the end stays the end
  damaged = reader.damaged();
  return events;
}

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("event block: events come out as they went in, in order") {
    EventBlock block;
    Event first = event_of("$.ct=text%2Fplain", "hello");
    Event second;
    second.enqueued = kTime + Ticks{1};
    second.retain = true;
    second.device = std::string_view("0123456789abcdef");
    second.module = "m1";
    second.auth_scope = auth::Admission::Scope::kHub;
    second.auth_type = auth::AuthenticationType::kCertificateAuthority;
    second.model_id = "dtmi:a;1";
    Event third;
    third.enqueued = WallTime{Ticks{-1}};
    third.will = true;
    third.auth_scope = auth::Admission::Scope::kModule;
    third.auth_type = auth::AuthenticationType::kSelfSigned;
    third.body = std::string_view("\0\xff\n", 3);
    block.append(first);
    block.append(second);
    block.append(third);
    CHECK(block.count == 3);
    CHECK(block.first_enqueued == kTime);
    CHECK(block.last_enqueued == WallTime{Ticks{-1}});

    bool damaged = true;
    const auto events = read_all(block.bytes, damaged);
    CHECK_FALSE(damaged);
    REQUIRE(events.size() == 3);
    CHECK(events[0].enqueued == kTime);
    CHECK(events[0].source == EventSource::kTelemetry);
    CHECK_FALSE(events[0].retain);
    CHECK_FALSE(events[0].will);
    CHECK(events[0].auth_scope == auth::Admission::Scope::kDevice);
    CHECK(events[0].auth_type == auth::AuthenticationType::kSas);
    CHECK(events[0].device == "d1");
    CHECK(events[0].module == "");
    CHECK(events[0].generation_id == "639028223987654321");
    CHECK(events[0].model_id == "");
    CHECK(events[0].bag == "$.ct=text%2Fplain");
    CHECK(events[0].body == "hello");
    CHECK(events[1].retain);
    CHECK(events[1].device == "0123456789abcdef");
    CHECK(events[1].module == "m1");
    CHECK(events[1].auth_scope == auth::Admission::Scope::kHub);
    CHECK(events[1].auth_type == auth::AuthenticationType::kCertificateAuthority);
    CHECK(events[1].model_id == "dtmi:a;1");
    CHECK(events[1].body == "");
    CHECK(events[2].enqueued == WallTime{Ticks{-1}});
    CHECK(events[2].will);
    CHECK_FALSE(events[2].retain);
    CHECK(events[2].auth_type == auth::AuthenticationType::kSelfSigned);
    CHECK(events[2].body == std::string_view("\0\xff\n", 3));
  }

  TEST_CASE("event block: its layout on disk stays as it is") {
    EventBlock block;
    Event event;
    event.enqueued = WallTime{Ticks{0x0102030405060708}};
    event.retain = true;
    event.auth_scope = auth::Admission::Scope::kModule;
    event.auth_type = auth::AuthenticationType::kSelfSigned;
    event.device = "dev";
    event.module = "m";
    event.generation_id = "77";
    event.model_id = "dt";
    event.bag = "a=b";
    event.body = "body";
    block.append(event);
    const std::string expected(
        "\x01\x00\x01\x11"                  // layout, source, flags, authentication
        "\x03\x01\x02\x00"                  // lengths of device, module, generation; reserved
        "\x02\x00\x03\x00"                  // of the model id and the bag
        "\x04\x00\x00\x00"                  // of the body
        "\x08\x07\x06\x05\x04\x03\x02\x01"  // enqueued
        "devm77dta=bbody",
        24 + 15);
    CHECK(block.bytes == expected);
  }

  TEST_CASE("event block: the longest parts that the hub takes fit") {
    const std::string id(128, 'i'), model(60'000, 'm'), bag(65'535, 'b'), body(262'144, 'x');
    EventBlock block;
    Event event;
    event.device = id;
    event.module = id;
    event.model_id = model;
    event.bag = bag;
    event.body = body;
    block.append(event);
    block.append(event);
    bool damaged = true;
    const auto events = read_all(block.bytes, damaged);
    CHECK_FALSE(damaged);
    REQUIRE(events.size() == 2);
    CHECK(events[1].device == id);
    CHECK(events[1].module == id);
    CHECK(events[1].model_id == model);
    CHECK(events[1].bag == bag);
    CHECK(events[1].body == body);
  }

  TEST_CASE("event block: cleared, it is empty and counts from the beginning") {
    EventBlock block;
    block.partition = 2;
    block.append(event_of("", "a"));
    block.first_sequence = 7;
    block.clear();
    CHECK(block.partition == 2);
    CHECK(block.count == 0);
    CHECK(block.first_sequence == 0);
    CHECK(block.bytes.empty());
    Event later = event_of("", "b");
    later.enqueued = kTime + std::chrono::seconds(5);
    block.append(later);
    CHECK(block.first_enqueued == later.enqueued);
  }

  TEST_CASE("event block: cut anywhere it gives the whole events before the cut and says that it is damaged") {
    EventBlock block;
    block.append(event_of("a=1", "first"));
    const std::size_t one = block.bytes.size();
    block.append(event_of("b=2", "second"));
    const std::size_t two = block.bytes.size();
    for (std::size_t size = 0; size <= two; ++size) {
      bool damaged = false;
      const auto events = read_all(std::string_view(block.bytes).substr(0, size), damaged);
      CHECK(events.size() == (size < one ? 0u : size < two ? 1u : 2u));
      CHECK(damaged == (size != 0 && size != one && size != two));
    }
  }

  TEST_CASE("event block: a layout of another version and lengths beyond the end are damage") {
    EventBlock block;
    block.append(event_of("a=1", "first"));
    bool damaged = false;
    std::string other = block.bytes;
    other[0] = 2;
    CHECK(read_all(other, damaged).empty());
    CHECK(damaged);
    for (const std::size_t at : {4u, 5u, 6u, 8u, 9u, 10u, 11u, 12u, 13u, 14u, 15u}) {
      std::string longer = block.bytes;
      longer[at] = '\xff';
      CHECK(read_all(longer, damaged).empty());
      CHECK(damaged);
    }
    CHECK(read_all("", damaged).empty());
    CHECK_FALSE(damaged);
  }

  // --- As JSON

  TEST_CASE("event JSON: every member, of a device") {
    CHECK(json_of(event_of("%24.mid=m1&temperatureAlert=true&%24.ct=text%2Fplain", "21.5")) ==
          R"({"partition":3,"sequenceNumber":42,"enqueuedTime":"2026-01-31T23:59:58.7654321Z","deviceId":"d1",)"
          R"("systemProperties":{"message-id":"m1","content-type":"text/plain"},"properties":{"temperatureAlert":"true"},)"
          R"("annotations":{"iothub-connection-device-id":"d1","iothub-connection-auth-generation-id":"639028223987654321",)"
          R"("iothub-connection-auth-method":)"
          R"("{\"scope\":\"device\",\"type\":\"sas\",\"issuer\":\"iothub\",\"acceptingIpFilterRule\":null}",)"
          R"("iothub-enqueuedtime":1769903998765,"iothub-message-source":"Telemetry"},"body":"21.5"})");
  }

  TEST_CASE("event JSON: of a module with a model, a component, a retained will") {
    Event event = event_of("$.sub=thermostat1", "");
    event.module = "m1";
    event.model_id = "dtmi:a;1";
    event.retain = true;
    event.will = true;
    event.auth_scope = auth::Admission::Scope::kHub;
    event.auth_type = auth::AuthenticationType::kSelfSigned;
    CHECK(json_of(event) ==
          R"({"partition":3,"sequenceNumber":42,"enqueuedTime":"2026-01-31T23:59:58.7654321Z","deviceId":"d1","moduleId":"m1",)"
          R"("systemProperties":{"dt-subject":"thermostat1"},"properties":{"mqtt-retain":"true","iothub-MessageType":"Will"},)"
          R"("annotations":{"iothub-connection-device-id":"d1","iothub-connection-module-id":"m1",)"
          R"("iothub-connection-auth-generation-id":"639028223987654321","iothub-connection-auth-method":)"
          R"("{\"scope\":\"hub\",\"type\":\"x509Certificate\",\"issuer\":\"external\",\"acceptingIpFilterRule\":null}",)"
          R"("iothub-enqueuedtime":1769903998765,"iothub-message-source":"Telemetry","dt-dataschema":"dtmi:a;1",)"
          R"("dt-subject":"thermostat1"},"body":""})");
  }

  TEST_CASE("event JSON: a property without a value is null, an empty one is empty") {
    CHECK(json_of(event_of("a&b=", "x")).find(R"("properties":{"a":null,"b":""})") != std::string::npos);
  }

  TEST_CASE("event JSON: a device cannot set what the hub stamps") {
    const std::string json = json_of(event_of("iothub-connection-device-id=other&mqtt-retain=true&iothub-MessageType=Will&ok=1", "x"));
    CHECK(json.find(R"("properties":{"ok":"1"})") != std::string::npos);
    CHECK(json.find(R"("iothub-connection-device-id":"d1")") != std::string::npos);
  }

  TEST_CASE("event JSON: a body is JSON when the content type says so and it is, else text, else base64") {
    CHECK(body_of("%24.ct=application%2Fjson", R"({"t": 21.50, "s":"ä"})") == R"("body":{"t": 21.50, "s":"ä"}})");
    CHECK(body_of("$.ct=application/json;charset=utf-8", "[1]") == R"("body":[1]})");
    CHECK(body_of("$.ct=Application/JSON", "\"text\"") == R"("body":"text"})");
    CHECK(body_of("$.ct=application/json", "{\"t\":") == R"("body":"{\"t\":"})");
    CHECK(body_of("$.ct=application/json", "") == R"("body":""})");
    CHECK(body_of("$.ct=text/plain", "[1]") == R"("body":"[1]"})");
    CHECK(body_of("", "{\"t\":1}") == R"("body":"{\"t\":1}"})");
    CHECK(body_of("", "line 1\nline 2\t\"q\"") == R"("body":"line 1\nline 2\t\"q\""})");
    CHECK(body_of("", "\xff\xfe") == R"("bodyBase64":"//4="})");
    CHECK(body_of("$.ct=application/json", "\xff") == R"("bodyBase64":"/w=="})");
  }

  TEST_CASE("event JSON: stays on one line whatever the body is") {
    // An event stream ends an event at a line break.
    for (const char* body : {"{\n\"a\": 1,\r\n\"b\":\n\"c\"}", "text\nof two lines\r\n", "[1,\n2]"}) {
      for (const char* bag : {"$.ct=application/json", ""}) {
        const std::string json = json_of(event_of(bag, body));
        CHECK(json.find('\n') == std::string::npos);
        CHECK(json.find('\r') == std::string::npos);
      }
    }
    CHECK(body_of("$.ct=application/json", "{\n\"a\": 1}") == R"("body":{ "a": 1}})");
  }

  TEST_CASE("event JSON: the form of the authentication method") {
    using Scope = auth::Admission::Scope;
    using Type = auth::AuthenticationType;
    CHECK(auth_method_text(Scope::kModule, Type::kSas) ==
          R"({"scope":"module","type":"sas","issuer":"iothub","acceptingIpFilterRule":null})");
    CHECK(auth_method_text(Scope::kDevice, Type::kCertificateAuthority) ==
          R"({"scope":"device","type":"x509Certificate","issuer":"external","acceptingIpFilterRule":null})");
  }
}
