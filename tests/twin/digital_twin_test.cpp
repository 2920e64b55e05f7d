// What a digital twin shows of a device twin (reference/service-rest.md 5.11).
#include "twin/digital_twin.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/twin/twin_samples.h"

using namespace nearhub;
using namespace nearhub::twin;

namespace {

// Of a device "d1" without a model.
std::string shown(const Twin& twin) { return digital_twin_json("d1", "", twin); }

Twin reporting(std::string_view properties) {
  Twin twin = Twin::create(at(0));
  REQUIRE(twin.report(json(properties), at(1)).ok());
  return twin;
}

}  // namespace

TEST_SUITE("twin") {
  TEST_CASE("digital twin: of a fresh device it is an id and a model") {
    const Twin twin = Twin::create(at(0));
    CHECK(digital_twin_json("d1", "dtmi:com:example:Thermostat;1", twin) == R"({"$dtId":"d1","$metadata":{"$model":"dtmi:com:example:Thermostat;1"}})");
    CHECK(digital_twin_json("d \"1\"", "", twin) == R"({"$dtId":"d \"1\"","$metadata":{"$model":""}})");
  }

  TEST_CASE("digital twin: a reported property has its value as it was spelled and the time of the report") {
    const Twin twin = reporting(R"({"serial":"a-1","level":1.50,"on":true,"place":{"room":"b","floor":2}})");
    CHECK(shown(twin) ==
          R"({"$dtId":"d1","serial":"a-1","level":1.50,"on":true,"place":{"room":"b","floor":2},"$metadata":{"$model":"",)"
          R"("serial":{"lastUpdateTime":"2026-01-01T00:00:01.0000000Z"},"level":{"lastUpdateTime":"2026-01-01T00:00:01.0000000Z"},)"
          R"("on":{"lastUpdateTime":"2026-01-01T00:00:01.0000000Z"},"place":{"lastUpdateTime":"2026-01-01T00:00:01.0000000Z"}}})");
  }

  TEST_CASE("digital twin: a property that is only desired has no value yet") {
    const Twin twin = twin_with_desired(R"({"target":21.80,"limits":{"low":1}})");
    CHECK(shown(twin) == R"({"$dtId":"d1","$metadata":{"$model":"","target":{"desiredValue":21.80,"desiredVersion":2},)"
                         R"("limits":{"desiredValue":{"low":1},"desiredVersion":2}}})");
  }

  TEST_CASE("digital twin: an acknowledgement is taken apart into value and what is known about it") {
    Twin twin = twin_with_desired(R"({"target":21.8})");
    REQUIRE(twin.report(json(R"({"target":{"value":20.0,"ac":202,"av":2,"ad":"warming up"}})"), at(3)).ok());
    CHECK(shown(twin) == R"({"$dtId":"d1","target":20.0,"$metadata":{"$model":"","target":{"desiredValue":21.8,"desiredVersion":2,)"
                         R"("ackVersion":2,"ackCode":202,"ackDescription":"warming up","lastUpdateTime":"2026-01-01T00:00:03.0000000Z"}}})");
    // The desired value moves on; what was acknowledged stays.
    REQUIRE(twin.patch(desired(R"({"target":23})"), at(4)).ok());
    CHECK(shown(twin) == R"({"$dtId":"d1","target":20.0,"$metadata":{"$model":"","target":{"desiredValue":23,"desiredVersion":3,)"
                         R"("ackVersion":2,"ackCode":202,"ackDescription":"warming up","lastUpdateTime":"2026-01-01T00:00:03.0000000Z"}}})");
  }

  TEST_CASE("digital twin: what an acknowledgement leaves out is left out, and other objects are values") {
    const auto property = [](std::string_view reported) {
      std::string text = shown(reporting(R"({"p":)" + std::string(reported) + "}"));
      const std::string time = R"("lastUpdateTime":"2026-01-01T00:00:01.0000000Z")", head = R"({"$dtId":"d1",)";
      REQUIRE(text.starts_with(head));
      text.erase(0, head.size());
      const auto found = text.find(time);
      REQUIRE(found != std::string::npos);
      return text.replace(found, time.size(), "TIME");
    };
    CHECK(property(R"({"value":1,"ac":200})") == R"("p":1,"$metadata":{"$model":"","p":{"ackCode":200,TIME}}})");
    CHECK(property(R"({"value":{"x":1},"ac":200,"av":3})") == R"("p":{"x":1},"$metadata":{"$model":"","p":{"ackVersion":3,"ackCode":200,TIME}}})");
    // A property that the device gives up.
    CHECK(property(R"({"value":null,"ac":200,"av":3})") == R"("$metadata":{"$model":"","p":{"ackVersion":3,"ackCode":200,TIME}}})");
    for (const char* value : {R"({"value":1})", R"({"value":1,"av":1})", R"({"ac":200})", R"({"value":1,"ac":"200"})", R"({"value":1,"ac":200,"unit":"C"})", "[]", "{}"}) {
      CAPTURE(value);
      CHECK(property(value) == R"("p":)" + std::string(value) + R"(,"$metadata":{"$model":"","p":{TIME}}})");
    }
  }

  TEST_CASE("digital twin: a component has its properties and metadata of its own, and no marker") {
    Twin twin = twin_with_desired(R"({"thermostat1":{"__t":"c","target":22},"interval":5})");
    REQUIRE(twin.report(json(R"({"serial":"a-1","thermostat1":{"__t":"c","max":25.3,"target":{"value":22,"ac":200,"av":2,"ad":"ok"}},"thermostat2":{"__t":"c"}})"), at(2)).ok());
    CHECK(digital_twin_json("d1", "dtmi:a;1", twin) ==
          R"({"$dtId":"d1","serial":"a-1",)"
          R"("thermostat1":{"max":25.3,"target":22,"$metadata":{"max":{"lastUpdateTime":"2026-01-01T00:00:02.0000000Z"},)"
          R"("target":{"desiredValue":22,"desiredVersion":2,"ackVersion":2,"ackCode":200,"ackDescription":"ok","lastUpdateTime":"2026-01-01T00:00:02.0000000Z"}}},)"
          R"("thermostat2":{"$metadata":{}},)"
          R"("$metadata":{"$model":"dtmi:a;1","serial":{"lastUpdateTime":"2026-01-01T00:00:02.0000000Z"},"interval":{"desiredValue":5,"desiredVersion":2}}})");
  }

  TEST_CASE("digital twin: the marker on one side makes a component of both, and what is no object there is left out") {
    Twin twin = twin_with_desired(R"({"a":{"x":1},"b":{"__t":"c","y":2},"c":3})");
    REQUIRE(twin.report(json(R"({"a":{"__t":"c"},"b":5,"c":{"__t":"c"}})"), at(1)).ok());
    CHECK(shown(twin) == R"({"$dtId":"d1","a":{"$metadata":{"x":{"desiredValue":1,"desiredVersion":2}}},)"
                         R"("b":{"$metadata":{"y":{"desiredValue":2,"desiredVersion":2}}},"c":{"$metadata":{}},"$metadata":{"$model":""}})");
  }

  TEST_CASE("digital twin: an object without the marker, or with another one, is a property") {
    Twin twin = Twin::create(at(0));
    REQUIRE(twin.report(json(R"({"a":{"__t":"x","v":1},"b":{"__t":1}})"), at(1)).ok());
    CHECK(shown(twin).find(R"("a":{"__t":"x","v":1},"b":{"__t":1},"$metadata")") != std::string::npos);
  }
}
