// The property bag of device-mqtt.md 4.2, 4.3 and 4.6.
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/property_bag.h"

using namespace nearhub::hub;

namespace {

using System = std::vector<std::pair<std::string, std::string>>;
using Application = std::vector<std::pair<std::string, std::optional<std::string>>>;

std::vector<std::string> items_of(std::string_view bag) {
  std::vector<std::string> items;
  BagReader reader(bag);
  std::string_view key;
  std::optional<std::string_view> value;
  while (reader.next(key, value)) items.push_back(std::string(key) + (value ? "=" + std::string(*value) : " (none)"));
  return items;
}

}  // namespace

TEST_SUITE("hub") {
  TEST_CASE("bag: items are separated by & and split at the first =") {
    CHECK(items_of("a=1&b=2") == std::vector<std::string>{"a=1", "b=2"});
    CHECK(items_of("a=1=2") == std::vector<std::string>{"a=1=2"});
    CHECK(items_of("a") == std::vector<std::string>{"a (none)"});
    CHECK(items_of("a=") == std::vector<std::string>{"a="});
    CHECK(items_of("=v") == std::vector<std::string>{"=v"});
    CHECK(items_of("").empty());
  }

  TEST_CASE("bag: one leading ? and one trailing / do not belong to it, empty items are skipped") {
    CHECK(items_of("?a=1&b=2/") == std::vector<std::string>{"a=1", "b=2"});
    CHECK(items_of("??a=1//") == std::vector<std::string>{"?a=1/"});
    CHECK(items_of("a=1/2/b=3") == std::vector<std::string>{"a=1/2/b=3"});
    CHECK(items_of("&&a=1&&b=2&") == std::vector<std::string>{"a=1", "b=2"});
    CHECK(items_of("?").empty());
    CHECK(items_of("/").empty());
    CHECK(items_of("?/").empty());
    CHECK(items_of("&").empty());
  }

  TEST_CASE("bag: system properties have their names of AMQP and JSON") {
    const std::pair<const char*, const char*> names[] = {
        {"$.mid", "message-id"},       {"$.cid", "correlation-id"},
        {"$.uid", "user-id"},          {"$.to", "to"},
        {"$.ct", "content-type"},      {"$.ce", "content-encoding"},
        {"$.exp", "absolute-expiry-time"}, {"$.ctime", "iothub-creation-time-utc"},
        {"$.on", "iothub-outputname"}, {"$.schema", "iothub-message-schema"},
        {"$.ifid", "iothub-interface-id"}, {"$.sub", "dt-subject"},
        {"$.diagid", "iothub-diagid"}, {"$.diagctx", "iothub-diagctx"},
        {"iothub-ack", "iothub-ack"},  {"iothub-operation", "iothub-operation"}};
    for (const auto& [in_bag, name] : names) {
      CAPTURE(in_bag);
      const Properties properties = decode_bag(std::string(in_bag) + "=v");
      CHECK(properties.system == System{{name, "v"}});
      CHECK(properties.application.empty());
      REQUIRE(properties.find_system(name) != nullptr);
      CHECK(*properties.find_system(name) == "v");
    }
  }

  TEST_CASE("bag: keys are decoded before the $. is looked for") {
    CHECK(decode_bag("%24.mid=1").system == System{{"message-id", "1"}});
    CHECK(decode_bag("%24%2Emid=1").system == System{{"message-id", "1"}});
    CHECK(decode_bag("%24.ct=application%2Fjson&%24.ce=utf-8").system ==
          System{{"content-type", "application/json"}, {"content-encoding", "utf-8"}});
  }

  TEST_CASE("bag: an unknown $.x is no application property") {
    const Properties properties = decode_bag("$.unknown=1&$.cdid=d2&%24.x=2&$x=3&a=4");
    CHECK(properties.system.empty());
    CHECK(properties.application == Application{{"$x", "3"}, {"a", "4"}});
  }

  TEST_CASE("bag: no = is no value, nothing behind it an empty one") {
    const Properties properties = decode_bag("a&b=&$.mid&$.cid=");
    CHECK(properties.application == Application{{"a", std::nullopt}, {"b", ""}});
    CHECK(properties.system == System{{"message-id", ""}, {"correlation-id", ""}});
  }

  TEST_CASE("bag: a plus sign is a plus sign, and invalid percent sequences are taken literally") {
    CHECK(decode_bag("a+b=1+1%20%2B").application == Application{{"a+b", "1+1 +"}});
    CHECK(decode_bag("a=100%&b=%zz&c=%4").application == Application{{"a", "100%"}, {"b", "%zz"}, {"c", "%4"}});
    CHECK(decode_bag("raw=a b/c?d#e").application == Application{{"raw", "a b/c?d#e"}});
    CHECK(decode_bag("n%C3%A4me=%E2%82%AC").application == Application{{"n\xc3\xa4me", "\xe2\x82\xac"}});
  }

  TEST_CASE("bag: of equal keys the last wins, in the place of the first") {
    CHECK(decode_bag("a=1&b=2&a=3").application == Application{{"a", "3"}, {"b", "2"}});
    CHECK(decode_bag("a=1&%61=2").application == Application{{"a", "2"}});
    CHECK(decode_bag("a=1&a").application == Application{{"a", std::nullopt}});
    CHECK(decode_bag("$.mid=1&%24.mid=2").system == System{{"message-id", "2"}});
    CHECK(decode_bag("a=1&A=2").application == Application{{"a", "1"}, {"A", "2"}});
  }

  TEST_CASE("bag: names that the hub stamps are not taken from a device") {
    for (const char* name : {"iothub-connection-device-id", "iothub-connection-module-id", "iothub-connection-auth-generation-id",
                             "iothub-connection-auth-method", "iothub-enqueuedtime", "iothub-message-source", "dt-dataschema",
                             "iothub-MessageType", "mqtt-retain"}) {
      CAPTURE(name);
      CHECK(decode_bag(std::string(name) + "=x&ok=1").application == Application{{"ok", "1"}});
    }
    CHECK(decode_bag("%69othub-enqueuedtime=x").application.empty());
  }

  TEST_CASE("bag: an item without a key is dropped") {
    CHECK(decode_bag("=v&a=1").application == Application{{"a", "1"}});
  }

  TEST_CASE("bag: the size that counts is that of system values and of application names and values, decoded") {
    CHECK(property_bytes("") == 0);
    CHECK(property_bytes("%24.mid=abc") == 3);
    CHECK(property_bytes("ab=cde") == 5);
    CHECK(property_bytes("ab") == 2);
    CHECK(property_bytes("%20%20=%20") == 3);
    CHECK(property_bytes("$.unknown=123456&iothub-enqueuedtime=1") == 0);
    CHECK(property_bytes("a=1&a=22") == 3);
  }

  TEST_CASE("bag: items are counted as they are sent") {
    CHECK(count_items("") == 0);
    CHECK(count_items("a=1") == 1);
    CHECK(count_items("a=1&b=2&c") == 3);
    CHECK(count_items("a&&b") == 3);
  }

  TEST_CASE("bag: what is appended is percent-encoded in upper case, unreserved characters apart") {
    std::string bag;
    append_property(bag, "a", "1");
    append_property(bag, "b c", "\xc3\xa4/&=+?#%");
    append_property(bag, "-._~", "");
    CHECK(bag == "a=1&b%20c=%C3%A4%2F%26%3D%2B%3F%23%25&-._~=");
    CHECK(decode_bag(bag).application == Application{{"a", "1"}, {"b c", "\xc3\xa4/&=+?#%"}, {"-._~", ""}});
  }
}
