#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "twin/json_view.h"

using namespace nearhub;
using namespace nearhub::twin;

namespace {

std::string written(const JsonView& view) {
  JsonWriter json;
  view.write(json);
  return std::move(json).take();
}

std::string characters(const JsonView& view) {
  std::string space;
  return std::string(view.characters(space));
}

}  // namespace

TEST_SUITE("twin") {
  TEST_CASE("json view: members are found by their exact names, behind whatever stands before them") {
    const std::string text = R"({"a":{"b":[1,{"c":"}"}],"d":"x\"]"},"e":1.50,"E":true,"":null,"q\"uote":"yes"})";
    const JsonView view = JsonView::of(text);
    CHECK(view.is_object());
    CHECK(written(view.member("a").member("b")) == R"([1,{"c":"}"}])");
    CHECK(written(view.member("a").member("b").element(1).member("c")) == R"("}")");
    CHECK(characters(view.member("a").member("d")) == "x\"]");
    CHECK(written(view.member("e")) == "1.50");
    CHECK(view.member("E").kind() == JsonView::Kind::kTrue);
    CHECK(view.member("").kind() == JsonView::Kind::kNull);
    CHECK(characters(view.member("q\"uote")) == "yes");
    CHECK(!view.member("f").is_defined());
    CHECK(!view.member("e").member("x").is_defined());
    CHECK(written(view) == text);
  }

  TEST_CASE("json view: elements come one by one, and there are none behind the last") {
    const JsonView view = JsonView::of(R"( [ 1 , "two" , [3] , null ] )");
    std::vector<std::string> seen;
    for (JsonView::Elements rest = view.elements(); const auto element = rest.next();) seen.push_back(written(*element));
    CHECK(seen == std::vector<std::string>{"1", R"("two")", "[3]", "null"});
    CHECK(written(view.element(2)) == "[3]");
    CHECK(!view.element(4).is_defined());
    CHECK(!JsonView::of("[]").element(0).is_defined());
    CHECK(!JsonView::of("{}").elements().next());
  }

  TEST_CASE("json view: strings lose their escapes, in every form") {
    CHECK(characters(JsonView::of(R"("\"\\\/\b\f\n\r\tA\u00e9\u20ac\ud83d\ude00")")) == "\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
    CHECK(characters(JsonView::string("as\\it is")) == "as\\it is");
    CHECK(written(JsonView::string("a\"b")) == R"("a\"b")");
  }

  TEST_CASE("json view: numbers keep their spelling and become doubles when they are compared") {
    CHECK(JsonView::of("1e2").to_double() == 100);
    CHECK(JsonView::of("-0.5").to_double() == -0.5);
    CHECK(std::isinf(JsonView::of("1e999").to_double()));
    CHECK(JsonView::of("1e-999").to_double() == 0);
    CHECK(written(JsonView::of("1.0e+02")) == "1.0e+02");
  }

  TEST_CASE("json view: what is damaged is undefined where the damage is met") {
    for (const char* text : {"", " ", "{", "[", "\"", "\"\\", "{\"a\"", "{\"a\":", "{\"a\":}", "{a:1}", "tru", "}", "nul", "\x01"}) {
      CAPTURE(text);
      const JsonView view = JsonView::of(text);
      CHECK(!view.member("a").is_defined());
      CHECK(!view.element(0).is_defined());
    }
    CHECK(written(JsonView::of(R"({"a":1,b})").member("a")) == "1");
  }
}
