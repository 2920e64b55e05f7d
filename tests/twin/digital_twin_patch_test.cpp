// What a JSON Patch of a digital twin does to the desired properties (reference/service-rest.md 5.11, RFC 6902).
#include <doctest/doctest.h>

#include <string>

#include "tests/twin/twin_samples.h"
#include "twin/digital_twin.h"

using namespace nearhub;
using namespace nearhub::twin;

namespace {

// One thermostat that reports and is set, another that only reports, and properties of the device.
Twin controller() {
  Twin twin = twin_with_desired(R"({"interval":5,"place":{"room":"a","floor":1},"thermostat1":{"__t":"c","target":20,"mode":"eco"}})");
  REQUIRE(twin.report(json(R"({"serial":"a-1","thermostat1":{"__t":"c","max":25.3},"thermostat2":{"__t":"c","max":1}})"), at(1)).ok());
  return twin;
}

Result<Update> update(std::string_view patch, const Twin& twin) {
  const auto parsed = parse_digital_twin_patch(patch);
  if (!parsed.ok()) return parsed.error();
  return update_of(*parsed, twin);
}

// The merge patch that the device is told; "nothing" when nothing is set or cleared.
std::string told(std::string_view patch, const Twin& twin = controller()) {
  const auto made = update(patch, twin);
  REQUIRE_MESSAGE(made.ok(), patch);
  CHECK_FALSE(made->tags.has_value());
  return made->desired ? made->desired->to_json() : "nothing";
}

// The desired properties afterwards.
std::string after(std::string_view patch) {
  Twin twin = controller();
  const auto made = update(patch, twin);
  REQUIRE_MESSAGE(made.ok(), patch);
  REQUIRE(twin.patch(*made, at(9)).ok());
  return values(twin.desired());
}

// "400508: sentence"
std::string refused(std::string_view patch) {
  const auto made = update(patch, controller());
  REQUIRE_MESSAGE(!made.ok(), patch);
  return std::to_string(error_number(made.error().code)) + ": " + made.error().detail;
}

}  // namespace

TEST_SUITE("twin") {
  TEST_CASE("digital twin patch: a property of the device is set, set anew and cleared") {
    CHECK(told(R"([{"op":"add","path":"/fan","value":2.50}])") == R"({"fan":2.50})");
    CHECK(told(R"([{"op":"add","path":"/interval","value":7}])") == R"({"interval":7})");
    CHECK(told(R"([{"op":"replace","path":"/interval","value":"x"}])") == R"({"interval":"x"})");
    CHECK(told(R"([{"op":"replace","path":"/serial","value":"b-2"}])") == R"({"serial":"b-2"})");  // reported is there, too
    CHECK(told(R"([{"op":"remove","path":"/interval"}])") == R"({"interval":null})");
    CHECK(told(R"([{"op":"remove","path":"/interval","value":null}])") == R"({"interval":null})");  // as the Java SDK sends it
    CHECK(after(R"([{"op":"add","path":"/fan","value":{"a":{"b":true}}},{"op":"remove","path":"/interval"}])") ==
          R"({"place":{"room":"a","floor":1},"thermostat1":{"__t":"c","target":20,"mode":"eco"},"fan":{"a":{"b":true}}})");
  }

  TEST_CASE("digital twin patch: a value replaces the one before, members that it does not have included") {
    CHECK(told(R"([{"op":"replace","path":"/place","value":{"room":"b"}}])") == R"({"place":{"room":"b","floor":null}})");
    CHECK(told(R"([{"op":"replace","path":"/place","value":5}])") == R"({"place":5})");
    CHECK(after(R"([{"op":"replace","path":"/place","value":{"room":{"x":1}}}])") ==
          R"({"interval":5,"place":{"room":{"x":1}},"thermostat1":{"__t":"c","target":20,"mode":"eco"}})");
  }

  TEST_CASE("digital twin patch: a property of a component comes with the component's marker") {
    CHECK(told(R"([{"op":"add","path":"/thermostat1/target","value":21.4}])") == R"({"thermostat1":{"__t":"c","target":21.4}})");
    CHECK(told(R"([{"op":"replace","path":"/thermostat2/max","value":3}])") == R"({"thermostat2":{"__t":"c","max":3}})");
    CHECK(told(R"([{"op":"add","path":"/thermostat1/a","value":1},{"op":"add","path":"/thermostat1/b","value":2},{"op":"remove","path":"/thermostat1/mode"}])") ==
          R"({"thermostat1":{"__t":"c","a":1,"b":2,"mode":null}})");
    CHECK(after(R"([{"op":"add","path":"/thermostat2/target","value":21}])").ends_with(R"("thermostat2":{"__t":"c","target":21}})"));
  }

  TEST_CASE("digital twin patch: the marker is set where the desired properties lacked it") {
    Twin twin = twin_with_desired(R"({"thermostat2":{"target":1}})");
    REQUIRE(twin.report(json(R"({"thermostat2":{"__t":"c"}})"), at(1)).ok());
    CHECK(told(R"([{"op":"replace","path":"/thermostat2/target","value":2}])", twin) == R"({"thermostat2":{"__t":"c","target":2}})");
    CHECK(told(R"([{"op":"remove","path":"/thermostat2/target"}])", twin) == R"({"thermostat2":null})");
  }

  TEST_CASE("digital twin patch: a component is added and replaced as a whole, and what it does not name is cleared") {
    CHECK(told(R"([{"op":"add","path":"/thermostat3","value":{"target":50,"$metadata":{}}}])") == R"({"thermostat3":{"__t":"c","target":50}})");
    CHECK(told(R"([{"op":"replace","path":"/thermostat1","value":{"$metadata":{},"target":50}}])") == R"({"thermostat1":{"__t":"c","target":50,"mode":null}})");
    CHECK(told(R"([{"op":"replace","path":"/thermostat2","value":{"$metadata":{}}}])") == R"({"thermostat2":{"__t":"c"}})");
    CHECK(told(R"([{"op":"remove","path":"/thermostat1"}])") == R"({"thermostat1":null})");
    CHECK(told(R"([{"op":"remove","path":"/thermostat2"}])") == "nothing");  // reported only: the device is who gives it up
  }

  TEST_CASE("digital twin patch: a component that loses its last property goes with it") {
    CHECK(told(R"([{"op":"remove","path":"/thermostat1/target"}])") == R"({"thermostat1":{"__t":"c","target":null}})");
    CHECK(told(R"([{"op":"remove","path":"/thermostat1/target"},{"op":"remove","path":"/thermostat1/mode"}])") == R"({"thermostat1":null})");
    CHECK(told(R"([{"op":"remove","path":"/thermostat1/max"}])") == "nothing");
    // At the end of the patch, not between two operations of it.
    CHECK(told(R"([{"op":"remove","path":"/thermostat1/target"},{"op":"remove","path":"/thermostat1/mode"},{"op":"add","path":"/thermostat1/speed","value":2}])") ==
          R"({"thermostat1":{"__t":"c","target":null,"mode":null,"speed":2}})");
  }

  TEST_CASE("digital twin patch: operations follow each other") {
    CHECK(told("[]") == "nothing");
    CHECK(told(R"([{"op":"add","path":"/t","value":{"$metadata":{},"a":1}},{"op":"replace","path":"/t/a","value":2},{"op":"add","path":"/t/b","value":3}])") ==
          R"({"t":{"__t":"c","a":2,"b":3}})");
    CHECK(told(R"([{"op":"add","path":"/t/a","value":1},{"op":"remove","path":"/t"}])", [] {
            Twin twin = Twin::create(at(0));
            REQUIRE(twin.report(json(R"({"t":{"__t":"c"}})"), at(1)).ok());
            return twin;
          }()) == "nothing");
    CHECK(told(R"([{"op":"add","path":"/x","value":1},{"op":"remove","path":"/x"}])") == "nothing");
    CHECK(told(R"([{"op":"remove","path":"/interval"},{"op":"add","path":"/interval","value":1}])") == R"({"interval":1})");
    CHECK(refused(R"([{"op":"remove","path":"/interval"},{"op":"replace","path":"/interval","value":1}])") ==
          "400508: operation 2, path \"/interval\": the digital twin has no interval; what is not there can be added, and neither replaced nor removed");
    CHECK(refused(R"([{"op":"add","path":"/x","value":1},{"op":"add","path":"/x/y","value":1}])").starts_with("400004: operation 2, path \"/x/y\": "));
  }

  TEST_CASE("digital twin patch: what is not there is neither replaced nor removed nor added to") {
    const std::string nothing = "; what is not there can be added, and neither replaced nor removed";
    CHECK(refused(R"([{"op":"replace","path":"/fan","value":1}])") == "400508: operation 1, path \"/fan\": the digital twin has no fan" + nothing);
    CHECK(refused(R"([{"op":"remove","path":"/fan"}])") == "400508: operation 1, path \"/fan\": the digital twin has no fan" + nothing);
    CHECK(refused(R"([{"op":"replace","path":"/thermostat1/fan","value":1}])") ==
          "400508: operation 1, path \"/thermostat1/fan\": the digital twin has no thermostat1/fan" + nothing);
    CHECK(refused(R"([{"op":"remove","path":"/thermostat2/target"}])").starts_with("400508: "));
    CHECK(refused(R"([{"op":"add","path":"/thermostat9/target","value":1}])") ==
          "400508: operation 1, path \"/thermostat9/target\": the digital twin has no component thermostat9; add it first, with \"path\":\"/thermostat9\" and a value with "
          "\"$metadata\":{}");
  }

  TEST_CASE("digital twin patch: properties and components are not taken for each other") {
    const std::string no_component = ", but it is no component: an object with \"__t\":\"c\"";
    CHECK(refused(R"([{"op":"add","path":"/place/room","value":1}])") == "400004: operation 1, path \"/place/room\": the device twin has place" + no_component);
    CHECK(refused(R"([{"op":"replace","path":"/serial","value":{"$metadata":{}}}])") == "400004: operation 1, path \"/serial\": the device twin has serial" + no_component);
    CHECK(refused(R"([{"op":"replace","path":"/thermostat1","value":{"target":1}}])") ==
          "400506: operation 1, path \"/thermostat1\": thermostat1 is a component; its value is an object with its properties and \"$metadata\":{}");
    CHECK(refused(R"([{"op":"add","path":"/thermostat2","value":1}])").starts_with("400506: "));
  }

  TEST_CASE("digital twin patch: a body that is no JSON Patch") {
    CHECK(refused("") == "400505: not valid JSON at byte 0: The document is empty.");
    CHECK(refused("{}") == R"(400505: the body is an object; expected a JSON Patch: [{"op":"add","path":"/...","value":...}])");
    CHECK(refused("[1]") == "400507: operation 1: it is a number; expected an object");
    CHECK(refused("[{}]") == "400507: operation 1: op is missing; expected \"add\", \"replace\" or \"remove\"");
    CHECK(refused(R"([{"op":1}])").starts_with("400507: operation 1: op is missing"));
    CHECK(refused(R"([{"op":"add","path":"/a","value":1},{"op":"test","path":"/a","value":1}])") ==
          "400507: operation 2: op is \"test\"; digital twins know add, replace and remove");
    CHECK(refused(R"([{"op":"move","from":"/a","path":"/b"}])").starts_with("400507: "));
    CHECK(refused(R"([{"op":"add"}])") == "400507: operation 1: path is missing; expected \"/property\", \"/component\" or \"/component/property\"");
    CHECK(refused(R"([{"op":"add","path":"/a"}])") == "400507: operation 1: add needs a value");
    CHECK(refused(R"([{"op":"replace","path":"/interval"}])") == "400507: operation 1: replace needs a value");
    // Members that RFC 6902 does not know are ignored.
    CHECK(told(R"([{"value":1,"path":"/a","comment":[null],"op":"add"}])") == R"({"a":1})");
  }

  TEST_CASE("digital twin patch: paths that are none of a property or component") {
    const std::string rule = "a name is 1 to 64 letters, digits and '_', a letter first and no '_' last (DTDL)";
    CHECK(refused(R"([{"op":"add","path":"","value":{}}])") == "400508: operation 1, path \"\": expected /property, /component or /component/property");
    CHECK(refused(R"([{"op":"add","path":"fan","value":1}])") == "400508: operation 1, path \"fan\": expected /property, /component or /component/property");
    CHECK(refused(R"([{"op":"add","path":"/a/b/c","value":1}])") ==
          "400508: operation 1, path \"/a/b/c\": it goes too deep; expected /property, /component or /component/property");
    CHECK(refused(R"([{"op":"add","path":"/a~1b","value":1}])") == "400508: operation 1, path \"/a~1b\": \"a/b\" is no name; " + rule);
    CHECK(refused(R"([{"op":"add","path":"/~01","value":1}])") == "400508: operation 1, path \"/~01\": \"~1\" is no name; " + rule);
    for (const char* path : {"/a~", "/a~2", "/~~1"}) {
      CAPTURE(path);
      CHECK(refused(R"([{"op":"add","value":1,"path":")" + std::string(path) + "\"}]").ends_with("'~' stands for '/' as ~1 and for itself as ~0, and nowhere else"));
    }
    const std::string longest(64, 'a');
    for (const std::string& path : {std::string("/"), std::string("/a/"), std::string("//a"), std::string("/1a"), std::string("/_a"), std::string("/a_"), std::string("/a-b"),
                                    std::string("/a b"), std::string("/$metadata"), std::string("/$metadata/$model"), std::string("/thermostat1/$metadata"), std::string("/thermostat1/__t"),
                                    std::string("/-"), std::string("/caf\xC3\xA9"), "/" + longest + "a"}) {
      CAPTURE(path);
      CHECK(refused(R"([{"op":"add","value":1,"path":")" + path + "\"}]").starts_with("400508: operation 1, path "));
    }
    CHECK(told(R"([{"op":"add","value":1,"path":"/)" + longest + "\"}]") == "{\"" + longest + "\":1}");
    CHECK(told(R"([{"op":"add","value":1,"path":"/a_1B"}])") == R"({"a_1B":1})");
  }

  TEST_CASE("digital twin patch: values that a property cannot have") {
    CHECK(refused(R"([{"op":"add","path":"/a","value":null}])") == "400506: operation 1, path \"/a\": a value is null; a property is cleared by the operation remove");
    CHECK(refused(R"([{"op":"add","path":"/a","value":{"b":null}}])").starts_with("400506: "));
    CHECK(refused(R"([{"op":"add","path":"/a","value":[1]}])") == "400506: operation 1, path \"/a\": a value is an array, which a property cannot be");
    CHECK(refused(R"([{"op":"add","path":"/a","value":{"b":{"c":[]}}}])").starts_with("400506: "));
    CHECK(refused(R"([{"op":"add","path":"/a","value":{"b c":1}}])").starts_with("400506: operation 1, path \"/a\": the value has a member \"b c\"; a name is "));
    CHECK(refused(R"([{"op":"add","path":"/thermostat1/a","value":{"$metadata":{}}}])").starts_with("400506: "));
    for (const char* metadata : {"1", "null", "[]", R"({"x":1})"}) {
      CAPTURE(metadata);
      CHECK(refused(R"([{"op":"add","path":"/c","value":{"$metadata":)" + std::string(metadata) + "}}]") ==
            "400506: operation 1, path \"/c\": a component's \"$metadata\" is the empty object {}");
    }
    CHECK(refused(R"([{"op":"add","path":"/a","value":{"l":{"l":{"l":{"l":{"l":{}}}}}}}])") == "400506: operation 1, path \"/a\": a value has objects in more than 5 levels");
    CHECK(told(R"([{"op":"add","path":"/a","value":{"l":{"l":{"l":{"l":1}}}}}])") == R"({"a":{"l":{"l":{"l":{"l":1}}}}})");
    CHECK(told(R"([{"op":"add","path":"/c","value":{"$metadata":{},"p":{"l":{"l":{"l":{"l":1}}}}}}])") == R"({"c":{"__t":"c","p":{"l":{"l":{"l":{"l":1}}}}}})");
  }

  TEST_CASE("digital twin patch: at most so many operations") {
    std::string patch = R"([{"op":"add","path":"/a","value":1})";
    for (std::size_t i = 1; i < kMaxPatchOperations; ++i) patch += R"(,{"op":"add","path":"/a","value":1})";
    CHECK(told(patch + "]") == R"({"a":1})");
    CHECK(refused(patch + R"(,{"op":"add","path":"/a","value":1}])") == "400505: the patch has 257 operations; at most 256 are allowed");
  }
}
