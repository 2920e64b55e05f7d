// The stand-in's own rules: what it is worth depends on them.
#include <doctest/doctest.h>

#include "tests/boards/nrf_library.h"

using namespace nearhub::test;

TEST_SUITE("boards") {
  TEST_CASE("stand-in: filters and names as the libraries write them") {
    CHECK(nrf_user_name("hub.lab", "d1") == "hub.lab/d1/?api-version=2020-09-30");
    CHECK(nrf_filters(kNcs15, "d1") == std::vector<std::string>{"devices/d1/messages/devicebound/#", "$iothub/twin/PATCH/properties/desired/#", "$iothub/twin/res/#",
                                                                "$iothub/methods/POST/#"});
    CHECK(nrf_filters(kNcs2, "d1") == std::vector<std::string>{"devices/+/messages/devicebound/#", "$iothub/methods/POST/#",
                                                               "$iothub/twin/PATCH/properties/desired/#", "$iothub/twin/res/#"});
    CHECK(nrf_telemetry_topic(kNcs19, "d1", {{"a", "1"}, {"b", ""}}) == "devices/d1/messages/events/?a=1&b=");
    CHECK(nrf_telemetry_topic(kNcs2, "d1", {{"a", "1"}}) == "devices/d1/messages/events/a=1");
    CHECK(nrf_telemetry_topic(kNcs2, "d1", {}) == "devices/d1/messages/events/");
  }

  TEST_CASE("stand-in: topics are taken apart within the libraries' bounds") {
    const NrfTopic response = nrf_parse_topic(kNcs15, "$iothub/twin/res/204/?$rid=11023&$version=2");
    CHECK(response.kind == NrfTopic::kTwinResponse);
    CHECK(response.status == 204);
    CHECK(response.property("$rid") == "11023");
    const NrfTopic method = nrf_parse_topic(kNcs2, "$iothub/methods/POST/led/?$rid=1f");
    CHECK(method.kind == NrfTopic::kMethod);
    CHECK(method.name == "led");
    CHECK(method.property("$rid") == "1f");
    CHECK(nrf_parse_topic(kNcs15, "$iothub/methods/POST/" + std::string(22, 'm') + "/?$rid=1").kind == NrfTopic::kMethod);
    CHECK(nrf_parse_topic(kNcs15, "$iothub/methods/POST/" + std::string(23, 'm') + "/?$rid=1").kind == NrfTopic::kUnknown);
    CHECK(nrf_parse_topic(kNcs15, "$iothub/twin/PATCH/properties/desired/?$version=3").property("$version") == "3");
    // Two properties, of 22 characters at most; the second generation keeps three of any length.
    const std::string c2d = "devices/d1/messages/devicebound/a=1&b=2&c=3&d=4";
    CHECK(nrf_parse_topic(kNcs15, c2d).properties == NrfProperties{{"a", "1"}, {"b", "2"}});
    CHECK(nrf_parse_topic(kNcs2, c2d).properties == NrfProperties{{"a", "1"}, {"b", "2"}, {"c", "3"}});
    CHECK(nrf_parse_topic(kNcs15, "devices/d1/messages/devicebound/a=1&b=" + std::string(23, 'x')).properties == NrfProperties{{"a", "1"}});
    CHECK(nrf_parse_topic(kNcs2, "$iothub/other").kind == NrfTopic::kUnknown);
  }
}
