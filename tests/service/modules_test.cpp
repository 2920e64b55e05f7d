#include <doctest/doctest.h>

#include <string>

#include "tests/service/samples.h"

using namespace nearhub;
using namespace nearhub::test;

TEST_SUITE("service") {
  TEST_CASE("modules: create, get, list, replace, delete") {
    TestHub hub;
    hub.create("d1");
    CHECK(hub.api("GET", "/devices/d1/modules").body == "[]");
    const HttpAnswer made = hub.api("PUT", "/devices/d1/modules/m1", R"({"deviceId":"d1","moduleId":"m1","managedBy":"x"})");
    CHECK(made.status == 200);
    const JsonDocument document = json_of(made);
    CHECK(string_member(document, "moduleId") == "m1");
    CHECK(string_member(document, "managedBy") == "x");
    CHECK(made.header("ETag") == "\"" + string_member(document, "etag") + "\"");
    CHECK(hub.api("GET", "/devices/d1/modules/m1").body == made.body);
    const HttpAnswer second = hub.api("PUT", "/devices/d1/modules/m2", "{}");
    CHECK(hub.api("GET", "/devices/d1/modules/").body == "[" + made.body + "," + second.body + "]");

    const HttpAnswer replaced = hub.api("PUT", "/devices/d1/modules/m1", "{}", if_match(made.header("ETag")));
    CHECK(replaced.status == 200);
    CHECK(member(json_of(replaced), "managedBy") == "null");
    CHECK(e1(hub.api("PUT", "/devices/d1/modules/m1", "{}", if_match(made.header("ETag")))).starts_with("412 PreconditionFailed: "));
    // The one answer whose body is the error itself (E2).
    const HttpAnswer twice = hub.api("PUT", "/devices/d1/modules/m1", "{}");
    CHECK(twice.status == 409);
    CHECK(twice.header("iothub-errorcode") == "ModuleAlreadyExistsOnDevice");
    const JsonDocument error = json_of(twice);
    CHECK(error.MemberCount() == 5);
    CHECK(member(error, "errorCode") == "409301");
    CHECK(string_member(error, "message") == "Device d1 in IotHub localhost already contains Module m1.");
    CHECK(string_member(error, "trackingId").find("-G:0-TimeStamp:") == 32);
    CHECK(string_member(error, "timestampUtc").ends_with("Z"));
    CHECK(e1(hub.api("DELETE", "/devices/d1/modules/m1")).starts_with("412 PreconditionFailed: Etag missing"));
    CHECK(hub.api("DELETE", "/devices/d1/modules/m1", {}, if_match("\"*\"")).status == 204);
    CHECK(e1(hub.api("GET", "/devices/d1/modules/m1")) == "404 ModuleNotFound: m1");
    CHECK(hub.api("GET", "/devices/d1/modules").body == "[" + second.body + "]");
  }

  TEST_CASE("modules: of a device that is not there") {
    TestHub hub;
    CHECK(e1(hub.api("PUT", "/devices/d1/modules/m1", "{}")) == "404 DeviceNotFound: d1");
    CHECK(e1(hub.api("GET", "/devices/d1/modules")) == "404 DeviceNotFound: d1");
    CHECK(e1(hub.api("GET", "/devices/d1/modules/m1")) == "404 DeviceNotFound: d1");
    CHECK(e1(hub.api("DELETE", "/devices/d1/modules/m1", {}, if_match("*"))) == "404 DeviceNotFound: d1");
    hub.create("d1");
    CHECK(e1(hub.api("PUT", "/devices/d1/modules/m1", "{}", if_match("*"))) == "404 ModuleNotFound: m1");
    CHECK(e1(hub.api("DELETE", "/devices/d1/modules/m1", {}, if_match("*"))) == "404 ModuleNotFound: m1");
  }

  TEST_CASE("modules: go with their device") {
    TestHub hub;
    hub.create("d1");
    hub.create("d1/m1");
    CHECK(hub.api("DELETE", "/devices/d1", {}, if_match("*")).status == 204);
    hub.create("d1");
    CHECK(hub.api("GET", "/devices/d1/modules").body == "[]");
    CHECK(hub.api("GET", "/devices/d1/modules/m1").status == 404);
  }

  TEST_CASE("modules: ids that begin with '$' are the hub's own") {
    TestHub hub;
    hub.create("d1");
    CHECK(e1(hub.api("PUT", "/devices/d1/modules/$edgeAgent", "{}")) == "400 ArgumentInvalid: module ids that begin with '$' are the hub's own");
    CHECK(e1(hub.api("PUT", "/devices/d1/modules/%24edgeHub", "{}")) == "400 ArgumentInvalid: module ids that begin with '$' are the hub's own");
    CHECK(hub.api("PUT", "/devices/d1/modules/m$1", "{}").status == 200);
    CHECK(e1(hub.api("PUT", "/devices/d1/modules/a%20b", "{}")).starts_with("400 ArgumentInvalid: moduleId contains"));
  }

  TEST_CASE("modules: at most 50 of a device") {
    TestHub hub;
    hub.create("d1");
    for (int i = 0; i < 50; ++i) hub.create("d1/m" + std::to_string(i));
    CHECK(e1(hub.api("PUT", "/devices/d1/modules/m50", "{}")) == "413 TooManyModulesOnDevice: device d1 has 50 modules, more are not allowed");
    CHECK(hub.api("PUT", "/devices/d1/modules/m49", "{}", if_match("*")).status == 200);
    CHECK(hub.api("DELETE", "/devices/d1/modules/m0", {}, if_match("*")).status == 204);
    CHECK(hub.api("PUT", "/devices/d1/modules/m50", "{}").status == 200);
  }

  TEST_CASE("modules: refused requests are written down under the module") {
    TestHub hub;
    hub.create("d1");
    CHECK(hub.api("PUT", "/devices/d1/modules/m1", "[]").status == 400);
    CHECK(newest_refusal(hub, "d1/m1") ==
          "PUT /devices/d1/modules/m1 -> 400 ArgumentInvalid: the body is an array; expected an object");
  }
}
