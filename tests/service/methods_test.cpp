#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "tests/service/method_calls.h"

using namespace nearhub;
using namespace nearhub::test;

TEST_SUITE("service") {
  TEST_CASE("methods: a device's answer is the answer, whatever its status") {
    TestHub hub;
    hub.create("d1");
    auto device = subscribed(hub, "d1");
    const Call good = call(hub, *device, "/twins/d1/methods", R"({"methodName":"reboot","payload":{"in":[1,"x"]}})", "200", R"({"ok":true})");
    CHECK(good.topic == "$iothub/methods/POST/reboot/?$rid=1");
    CHECK(good.payload == R"({"in":[1,"x"]})");
    CHECK(good.answer.status == 200);
    CHECK(good.answer.header("Content-Type") == "application/json; charset=utf-8");
    CHECK(good.answer.body == R"({"status":200,"payload":{"ok":true}})");
    const Call bad = call(hub, *device, "/twins/d1/methods", R"({"methodName":"reboot"})", "500", "");
    CHECK(bad.topic == "$iothub/methods/POST/reboot/?$rid=2");
    CHECK(bad.payload == "null");
    CHECK(bad.answer.status == 200);
    CHECK(bad.answer.body == R"({"status":500,"payload":null})");
  }

  TEST_CASE("methods: payloads of every kind") {
    TestHub hub;
    hub.create("d1");
    auto device = subscribed(hub, "d1");
    for (const char* payload : {"null", "\"\"", "0", "-1.5", "true", "\"text\"", "[]", "{}", "[1,{\"a\":null}]", "\"\\u00e4\"", "12345678901234567890", "1e3", "2.50", "12345678901234567890123",
                                "1E-400", "-0.0", "[1.0,{\"b\":100,\"a\":1e+2}]"}) {
      CAPTURE(payload);
      const Call made = call(hub, *device, "/twins/d1/methods", R"({"methodName":"m","payload":)" + std::string(payload) + "}", "200", payload);
      CHECK(made.payload == (std::string_view(payload) == "\"\\u00e4\"" ? "\"\xC3\xA4\"" : payload));
      CHECK(made.answer.body == R"({"status":200,"payload":)" + std::string(payload) + "}");
    }
  }

  TEST_CASE("methods: a payload is compacted, and its names and strings come through") {
    TestHub hub;
    hub.create("d1");
    auto device = subscribed(hub, "d1");
    const Call made = call(hub, *device, "/twins/d1/methods", R"({ "methodName" : "two words", "payload" : { "b" : [ 1.10 , "a \" b" ] , "a" : { } } })", "200", "");
    CHECK(made.topic == "$iothub/methods/POST/two words/?$rid=1");
    CHECK(made.payload == R"({"b":[1.10,"a \" b"],"a":{}})");
  }

  TEST_CASE("methods: of a module") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    auto module = subscribed(hub, "d1/m1");
    const Call made = call(hub, *module, "/twins/d1/modules/m1/methods", R"({"methodName":"m","payload":1})", "200", "2");
    CHECK(made.answer.body == R"({"status":200,"payload":2})");
    CHECK(e3(hub.api("POST", "/twins/d1/methods", R"({"methodName":"m"})")).starts_with("404103 DeviceNotOnline: "));
    CHECK(e3(hub.api("POST", "/twins/d1/modules/m2/methods", R"({"methodName":"m"})")).starts_with("404001 DeviceNotFound: "));
  }

  TEST_CASE("methods: nobody there, nobody registered, nobody listening") {
    TestHub hub;
    CHECK(e3(hub.api("POST", "/twins/d1/methods", R"({"methodName":"m"})")).starts_with("404001 DeviceNotFound: "));
    hub.create("d1");
    const std::string offline =
        "404103 DeviceNotOnline: The operation failed because the requested device isn't online or hasn't registered the direct method callback. To learn more, see "
        "https://aka.ms/iothub404103";
    CHECK(e3(hub.api("POST", "/twins/d1/methods", R"({"methodName":"m"})")) == offline);
    auto device = hub.connect("d1");
    CHECK(e3(hub.api("POST", "/twins/d1/methods", R"({"methodName":"m"})")) == offline);
    CHECK(newest_refusal(hub, "d1").starts_with("POST /twins/d1/methods -> 404 DeviceNotOnline: "));
  }

  TEST_CASE("methods: no answer in time") {
    TestHub hub;
    hub.create("d1");
    auto device = subscribed(hub, "d1");
    HttpClient service(hub.tls(), hub.https());
    post(hub, service, "/twins/d1/methods", R"({"methodName":"m","responseTimeoutInSeconds":5})");
    device->expect<mqtt::Publish>();
    hub.advance(std::chrono::milliseconds{5'100});
    CHECK(e3(service.read_answer()) == "504101 GatewayTimeout: Timed out waiting for the response from device.");
  }

  TEST_CASE("methods: an answer that is no JSON is a bad gateway") {
    TestHub hub;
    hub.create("d1");
    auto device = subscribed(hub, "d1");
    const Call made = call(hub, *device, "/twins/d1/methods", R"({"methodName":"m"})", "200", "not json");
    CHECK(e3(made.answer).starts_with("502000 GenericBadGateway: the device's answer is not valid JSON at byte "));
  }

  TEST_CASE("methods: requests that cannot be used, each with its reason") {
    TestHub hub;
    hub.create("d1");
    struct Case {
      const char* body;
      const char* refusal;
    };
    const Case cases[] = {
        {"", "not valid JSON at byte 0: The document is empty."},
        {"[]", "the body is an array; expected an object"},
        {"{}", "methodName is missing; expected a string"},
        {R"({"methodName":""})", "methodName is missing; expected a string"},
        {R"({"methodName":1})", "methodName is missing; expected a string"},
        {R"({"methodName":null})", "methodName is missing; expected a string"},
        {R"({"methodName":"a/b"})", "methodName contains '/'; not allowed are / ? # + % and control characters"},
        {R"({"methodName":"a?b"})", "methodName contains '?'; not allowed are / ? # + % and control characters"},
        {R"({"methodName":"a#"})", "methodName contains '#'; not allowed are / ? # + % and control characters"},
        {R"({"methodName":"+"})", "methodName contains '+'; not allowed are / ? # + % and control characters"},
        {R"({"methodName":"50%"})", "methodName contains '%'; not allowed are / ? # + % and control characters"},
        {R"({"methodName":"a\u0000b"})", "methodName contains '\\x00'; not allowed are / ? # + % and control characters"},
        {R"({"methodName":"m","responseTimeoutInSeconds":4})", "responseTimeoutInSeconds must be within [5; 300]."},
        {R"({"methodName":"m","responseTimeoutInSeconds":301})", "responseTimeoutInSeconds must be within [5; 300]."},
        {R"({"methodName":"m","timeoutInSeconds":4})", "timeoutInSeconds must be within [5; 300]."},
        {R"({"methodName":"m","responseTimeoutInSeconds":5.5})", "responseTimeoutInSeconds is a number; expected a whole number of seconds"},
        {R"({"methodName":"m","responseTimeoutInSeconds":"30"})", "responseTimeoutInSeconds is a string; expected a whole number of seconds"},
        {R"({"methodName":"m","responseTimeoutInSeconds":99999999999})", "responseTimeoutInSeconds is a number; expected a whole number of seconds"},
        {R"({"methodName":"m","connectTimeoutInSeconds":-1})", "connectTimeoutInSeconds must be within [0; 300]."},
        {R"({"methodName":"m","connectTimeoutInSeconds":301})", "connectTimeoutInSeconds must be within [0; 300]."},
        {R"({"methodName":"m","connectTimeoutInSeconds":60})", "Device connection timeout 60 s cannot be longer than an overall call timeout 30 s"},
        {R"({"methodName":"m","connectTimeoutInSeconds":6,"responseTimeoutInSeconds":5})", "Device connection timeout 6 s cannot be longer than an overall call timeout 5 s"},
    };
    for (const Case& c : cases) {
      CAPTURE(c.body);
      CHECK(e3(hub.api("POST", "/twins/d1/methods", c.body)) == "400004 ArgumentInvalid: " + std::string(c.refusal));
    }
    CHECK(e3(hub.api("POST", "/twins/d1/methods", R"({"methodName":")" + std::string(130, 'm') + "\"}")) ==
          "400004 ArgumentInvalid: methodName has 130 bytes; at most 129 are allowed");
    const std::string big = "\"" + std::string(131'071, 'x') + "\"";
    CHECK(e3(hub.api("POST", "/twins/d1/methods", R"({"methodName":"m","payload":)" + big + "}")) ==
          "413001 MessageTooLarge: payload has 131073 bytes; at most 131072 are allowed");
    // Refused for their content, and not because nobody is there.
    for (const char* good : {R"({"methodName":"m","responseTimeoutInSeconds":5,"connectTimeoutInSeconds":0})", R"({"methodName":"a.b*c-d_e$"})", R"({"methodName":"a b"})",
                             R"({"methodName":"m","responseTimeoutInSeconds":null,"connectTimeoutInSeconds":null,"unknown":1})", R"({"methodName":"m","timeoutInSeconds":300})",
                             R"({"methodName":"m","responseTimeoutInSeconds":null,"timeoutInSeconds":5})"}) {
      CAPTURE(good);
      CHECK(e3(hub.api("POST", "/twins/d1/methods", good)).starts_with("404103 DeviceNotOnline: "));
    }
  }

  TEST_CASE("methods: a call waits for a device that comes within connectTimeoutInSeconds") {
    TestHub hub;
    hub.create("d1");
    HttpClient service(hub.tls(), hub.https());
    post(hub, service, "/twins/d1/methods", R"({"methodName":"m","connectTimeoutInSeconds":10})");
    auto device = hub.connect("d1");
    device->subscribe(1, {{"$iothub/methods/POST/#", 0}});
    device->expect<mqtt::Suback>();
    const auto request = device->expect<mqtt::Publish>();
    answer(*device, request, "200", "");
    CHECK(service.read_answer().body == R"({"status":200,"payload":null})");
  }

  TEST_CASE("methods: old clients say timeoutInSeconds") {
    TestHub hub;
    hub.create("d1");
    auto device = subscribed(hub, "d1");
    HttpClient service(hub.tls(), hub.https());
    post(hub, service, "/twins/d1/methods", R"({"methodName":"m","timeoutInSeconds":7,"responseTimeoutInSeconds":null})");
    device->expect<mqtt::Publish>();
    hub.advance(std::chrono::milliseconds{7'100});
    CHECK(service.read_answer().status == 504);
  }

  TEST_CASE("methods: a device that leaves in between has until the response timeout to come back") {
    TestHub hub;
    hub.create("d1");
    HttpClient service(hub.tls(), hub.https());
    auto device = subscribed(hub, "d1");
    post(hub, service, "/twins/d1/methods", R"({"methodName":"m","responseTimeoutInSeconds":10})");
    device->expect<mqtt::Publish>();
    device->send(mqtt::Disconnect{});
    device->expect_closed();
    hub.wait_until([&] { return member(json_of(hub.api("GET", "/twins/d1")), "connectionState") == "\"Disconnected\""; }, "the disconnect");
    CHECK(e3(hub.api("POST", "/twins/d1/methods", R"({"methodName":"m"})")).starts_with("404103 DeviceNotOnline: "));
    hub.advance(std::chrono::milliseconds{10'100});
    CHECK(e3(service.read_answer()).starts_with("504101 GatewayTimeout: "));
  }

  TEST_CASE("methods: a connection that is taken over leaves its calls to the next, which are told apart from new ones") {
    TestHub hub;
    hub.create("d1");
    HttpClient first_caller(hub.tls(), hub.https()), second_caller(hub.tls(), hub.https());
    auto first = subscribed(hub, "d1");
    post(hub, first_caller, "/twins/d1/methods", R"({"methodName":"before","payload":1})");
    CHECK(first->expect<mqtt::Publish>().topic == "$iothub/methods/POST/before/?$rid=1");
    auto second = subscribed(hub, "d1");
    first->expect_closed();
    post(hub, second_caller, "/twins/d1/methods", R"({"methodName":"after","payload":2})");
    const auto request = second->expect<mqtt::Publish>();
    CHECK(request.topic == "$iothub/methods/POST/after/?$rid=2");
    answer(*second, request, "200", "\"after\"");
    CHECK(second_caller.read_answer().body == R"({"status":200,"payload":"after"})");
    mqtt::Publish late;
    late.topic = "$iothub/methods/res/200/?$rid=1";
    late.payload = "\"before\"";
    second->send(late);
    CHECK(first_caller.read_answer().body == R"({"status":200,"payload":"before"})");
  }

  TEST_CASE("methods: an answer that is late or comes twice is of no consequence to the next call") {
    TestHub hub;
    hub.create("d1");
    HttpClient service(hub.tls(), hub.https());
    auto device = subscribed(hub, "d1");
    post(hub, service, "/twins/d1/methods", R"({"methodName":"m","responseTimeoutInSeconds":5})");
    device->expect<mqtt::Publish>();
    hub.advance(std::chrono::milliseconds{5'100});
    CHECK(service.read_answer().status == 504);
    mqtt::Publish late;
    late.topic = "$iothub/methods/res/200/?$rid=1";
    late.payload = "\"late\"";
    for (int i = 0; i < 2; ++i) device->send(late);
    device->expect_silence();
    const Call next = call(hub, *device, "/twins/d1/methods", R"({"methodName":"m"})", "200", "\"in time\"");
    CHECK(next.topic == "$iothub/methods/POST/m/?$rid=2");
    CHECK(next.answer.body == R"({"status":200,"payload":"in time"})");
    CHECK(newest_refusal(hub, "d1").find("the answer came too late, or twice") != std::string::npos);
  }
}
