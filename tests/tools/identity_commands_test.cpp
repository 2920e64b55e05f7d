#include <doctest/doctest.h>

#include "auth/connection_string.h"
#include "base/json.h"
#include "base/text.h"
#include "broker/well_known.h"
#include "tests/tools/command_runner.h"
#include "tools/device.h"
#include "tools/identity.h"
#include "tools/json_text.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

JsonDocument identity(TestHub& hub, std::string_view path) {
  const HttpAnswer answer = hub.api("GET", path);
  REQUIRE(answer.status == 200);
  return std::move(parse_json(answer.body).value());
}

std::string host_name(TestHub& hub) { return "localhost:" + std::to_string(hub.mqtts()); }

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("identities on the command line: a device, or device/module") {
    CHECK(parse_identity("d1").value() == IdentityId{DeviceId("d1"), {}});
    CHECK(parse_identity("d1/m1").value() == IdentityId{DeviceId("d1"), ModuleId("m1")});
    CHECK(parse_identity("a b").error().code == ErrorCode::kInvalidSetting);
    for (const char* wrong : {"", "/", "d1/", "/m1", "d1/m1/x", "d\n"}) {
      CAPTURE(wrong);
      CHECK_FALSE(parse_identity(wrong).ok());
    }
    CHECK(registry_path(*parse_identity("a#b%/m?")) == "/devices/a%23b%25/modules/m%3F");
    CHECK(twin_path(*parse_identity("d1")) == "/twins/d1");
  }

  TEST_CASE("thumbprints: colons, spaces and the invisible marks of certificate dialogs are taken off") {
    CHECK(clean_thumbprint("\xE2\x80\x8E"
                           "AA:bb cc\n") == "AAbbcc");
    CHECK(clean_thumbprint("\xEF\xBB\xBF\xE2\x80\x8F"
                           "0a") == "0a");
    // The whole line of `openssl x509 -fingerprint`.
    CHECK(clean_thumbprint("sha256 Fingerprint=AA:BB\n") == "AABB");
    CHECK(clean_thumbprint("xyz") == "xyz");  // the hub says what is wrong with it
  }

  TEST_CASE("device create: prints the connection string, and the device connects with it") {
    TestHub hub;
    const Outcome created = run(hub, {"device", "create", "d1"});
    CHECK(created.exit_code == 0);
    CHECK(created.error == "");
    CHECK(created.out ==
          "HostName=" + host_name(hub) + ";DeviceId=d1;SharedAccessKey=" + broker::kWellKnownPrimaryKey + "\n");
    hub.connect("d1");

    const Outcome again = run(hub, {"device", "create", "d1"});
    CHECK(again.exit_code == 1);
    CHECK(again.out == "");
    CHECK(again.error == "nearhub: DeviceAlreadyExists: A device with ID 'd1' is already registered.\n");
  }

  TEST_CASE("device create: keys, status and reason are the given ones, --json is the hub's answer") {
    TestHub hub;
    const std::string primary = "MDEyMzQ1Njc4OWFiY2RlZg==", secondary = "ZmVkY2JhOTg3NjU0MzIxMA==";
    const Outcome created = run(hub, {"device", "create", "d1", "--primary-key", primary, "--secondary-key", secondary,
                                      "--disabled", "--status-reason", "not yet", "--json"});
    REQUIRE(created.exit_code == 0);
    const auto json = parse_json(trim(created.out));
    REQUIRE(json.ok());
    CHECK(text_at(*json, {"authentication", "symmetricKey", "primaryKey"}) == primary);
    CHECK(text_at(*json, {"authentication", "symmetricKey", "secondaryKey"}) == secondary);
    CHECK(text_at(*json, {"status"}) == "disabled");
    CHECK(text_at(*json, {"statusReason"}) == "not yet");
    CHECK(run(hub, {"device", "connection-string", "d1", "--secondary"}).out ==
          "HostName=" + host_name(hub) + ";DeviceId=d1;SharedAccessKey=" + secondary + "\n");
  }

  TEST_CASE("device create: a thumbprint makes an X.509 device") {
    TestHub hub;
    const Outcome created = run(hub, {"device", "create", "d1", "--thumbprint",
                                      "\xE2\x80\x8E"
                                      "AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd",
                                      "--secondary-thumbprint", std::string(64, 'a')});
    CHECK(created.out == "HostName=" + host_name(hub) + ";DeviceId=d1;x509=true\n");
    const JsonDocument device = identity(hub, "/devices/d1");
    CHECK(text_at(device, {"authentication", "type"}) == "selfSigned");
    CHECK(text_at(device, {"authentication", "x509Thumbprint", "primaryThumbprint"}) ==
          "AABBCCDDEEFF00112233445566778899aabbccdd");
    CHECK(text_at(device, {"authentication", "x509Thumbprint", "secondaryThumbprint"}) == std::string(64, 'a'));
    const Outcome wrong = run(hub, {"device", "create", "d2", "--thumbprint", "12345"});
    CHECK(wrong.exit_code == 1);
    CHECK(wrong.error.find("expected 40 (SHA-1) or 64 (SHA-256)") != std::string::npos);
  }

  TEST_CASE("device create: arguments that cannot be right are refused before a hub is asked") {
    CHECK(run({"device", "create"}).error == "nearhub: DEVICE is required\nTry `nearhub device create --help`.\n");
    CHECK(run({"device", "create", "a b"}).exit_code == 2);
    CHECK(run({"device", "create", "d1/m1"}).error ==
          "nearhub: DEVICE: d1/m1 names a module; give a device id\nTry `nearhub device create --help`.\n");
    CHECK(run({"device", "create", "d1", "--primary-key", "AAAA"}).exit_code == 2);
    CHECK(
        run({"device", "create", "d1", "--thumbprint", "aa", "--primary-key", "A", "--secondary-key", "B"}).exit_code ==
        2);
    CHECK(run({"module", "create", "d1"}).error ==
          "nearhub: DEVICE/MODULE: d1 names no module; give DEVICE/MODULE\nTry `nearhub module create --help`.\n");
  }

  TEST_CASE("device list: a table for people, the hub's JSON for scripts, keys in neither") {
    TestHub hub;
    CHECK(run(hub, {"device", "list"}).out == "no devices; make one with `nearhub device create ID`\n");
    CHECK(run(hub, {"device", "list", "--json"}).out == "[]\n");
    hub.create("d1");
    hub.create("sensor-2", R"({"status":"disabled"})");
    auto connected = hub.connect("d1");
    REQUIRE(run(hub, {"send", "sensor-2", "x"}).exit_code == 0);
    const Outcome table = run(hub, {"device", "list"});
    CHECK(table.out.find("DEVICE    STATUS    AUTHENTICATION  CONNECTION    LAST ACTIVITY") == 0);
    CHECK(table.out.find("\nd1        enabled   sas             Connected     ") != std::string::npos);
    CHECK(table.out.find("sensor-2  disabled  sas             Disconnected  never") != std::string::npos);
    CHECK(table.out.ends_with("  1\n"));

    const Outcome json = run(hub, {"device", "list", "--json"});
    std::string expected = hub.api("GET", "/devices").body;
    for (const std::string key : {broker::kWellKnownPrimaryKey, broker::kWellKnownSecondaryKey}) {
      for (std::size_t at; (at = expected.find(key)) != std::string::npos;) expected.replace(at, key.size(), "***");
    }
    CHECK(json.out == expected + "\n");
    CHECK(parse_json(run(hub, {"device", "list", "--top", "1", "--json"}).out)->Size() == 1);
    CHECK(run(hub, {"device", "list", "--top", "0"}).exit_code == 2);
  }

  TEST_CASE("device show: keys are shown only when asked for") {
    TestHub hub;
    hub.create("d1", R"({"statusReason":"on the\u001b[31m roof"})");
    const Outcome shown = run(hub, {"device", "show", "d1"});
    CHECK(shown.out.find("device           d1\nstatus           enabled (on the\\u001b[31m roof)\nconnection       "
                         "Disconnected\nlast activity    never\n") == 0);
    CHECK(shown.out.find(broker::kWellKnownPrimaryKey) == std::string::npos);
    const Outcome keys = run(hub, {"device", "show", "d1", "--keys"});
    CHECK(keys.out.find(std::string("primary key      ") + broker::kWellKnownPrimaryKey + "\n") != std::string::npos);
    CHECK(keys.out.find(std::string("secondary key    ") + broker::kWellKnownSecondaryKey + "\n") != std::string::npos);

    CHECK(run(hub, {"device", "show", "d1", "--json", "--keys"}).out == hub.api("GET", "/devices/d1").body + "\n");
    const Outcome hidden = run(hub, {"device", "show", "d1", "--json"});
    CHECK(hidden.out.find(R"("symmetricKey":{"primaryKey":"***","secondaryKey":"***"})") != std::string::npos);
    CHECK(run(hub, {"device", "show", "d2"}).error == "nearhub: DeviceNotFound: there is no device d2\n");
    CHECK(run(hub, {"device", "show", "d2"}).exit_code == 1);
  }

  TEST_CASE("device disable and enable: connections end, keys stay, the reason is the latest") {
    TestHub hub;
    hub.create("d1");
    auto client = hub.connect("d1");
    CHECK(run(hub, {"device", "disable", "d1", "--reason", "lost"}).out ==
          "device d1 is disabled; its connections are closed\n");
    client->expect_closed();
    JsonDocument device = identity(hub, "/devices/d1");
    CHECK(text_at(device, {"status"}) == "disabled");
    CHECK(text_at(device, {"statusReason"}) == "lost");
    CHECK(text_at(device, {"authentication", "symmetricKey", "primaryKey"}) == broker::kWellKnownPrimaryKey);
    CHECK(run(hub, {"device", "enable", "d1"}).out == "device d1 is enabled\n");
    device = identity(hub, "/devices/d1");
    CHECK(text_at(device, {"status"}) == "enabled");
    CHECK(text_at(device, {"statusReason"}) == "");
    hub.connect("d1");
    CHECK(run(hub, {"device", "enable", "nobody"}).exit_code == 1);
  }

  TEST_CASE("device delete: it is gone, and a second time is an error") {
    TestHub hub;
    hub.create("d1");
    CHECK(run(hub, {"device", "delete", "d1"}).out == "deleted device d1\n");
    CHECK(hub.api("GET", "/devices/d1").status == 404);
    CHECK(run(hub, {"device", "delete", "d1"}).error == "nearhub: DeviceNotFound: there is no device d1\n");
  }

  TEST_CASE("ids: every character of the grammar survives the way to the hub and back") {
    TestHub hub;
    const std::string odd = "A9-:.+%_#*?!(),=@;$'";
    REQUIRE(run(hub, {"device", "create", odd}).exit_code == 0);
    REQUIRE(run(hub, {"module", "create", odd + "/" + "m#%41"}).exit_code == 0);
    CHECK(run(hub, {"device", "show", odd}).out.find("device           " + odd + "\n") == 0);
    CHECK(run(hub, {"twin", "show", odd + "/m#%41"}).out.find("module   m#%41\n") != std::string::npos);
    CHECK(run(hub, {"device", "delete", odd}).out == "deleted device " + odd + "\n");
  }

  TEST_CASE("module create, list, show, connection-string, delete") {
    TestHub hub;
    hub.create("d1");
    CHECK(run(hub, {"module", "list", "d1"}).out == "no modules; make one with `nearhub module create d1/MODULE`\n");
    CHECK(run(hub, {"module", "create", "d1/m1", "--managed-by", "someone"}).out ==
          "HostName=" + host_name(hub) + ";DeviceId=d1;ModuleId=m1;SharedAccessKey=" + broker::kWellKnownPrimaryKey +
              "\n");
    hub.connect("d1/m1");
    CHECK(run(hub, {"module", "create", "d1/m1"}).error.find("nearhub: ModuleAlreadyExistsOnDevice: ") == 0);
    CHECK(run(hub, {"module", "create", "nobody/m1"}).error == "nearhub: DeviceNotFound: there is no device nobody\n");
    CHECK(run(hub, {"module", "list", "d1"}).out.find("MODULE  AUTHENTICATION  CONNECTION") == 0);
    CHECK(run(hub, {"module", "list", "d1", "--json"})
              .out.find(R"([{"moduleId":"m1","managedBy":"someone","deviceId":"d1",)") == 0);
    CHECK(run(hub, {"module", "show", "d1/m1"})
              .out.find("device           d1\nmodule           m1\nmanaged by       someone\n") == 0);
    CHECK(run(hub, {"module", "connection-string", "d1/m1", "--secondary"}).out ==
          "HostName=" + host_name(hub) + ";DeviceId=d1;ModuleId=m1;SharedAccessKey=" + broker::kWellKnownSecondaryKey +
              "\n");
    CHECK(run(hub, {"module", "delete", "d1/m1"}).out == "deleted module d1/m1\n");
    CHECK(run(hub, {"module", "show", "d1/m1"}).error == "nearhub: ModuleNotFound: there is no module m1\n");
  }

  TEST_CASE("connection strings: no port when MQTT is on 8883 or off, the name of a login that was given is kept") {
    DeviceEndpoint endpoint{"h", 8883};
    CHECK(endpoint.host_name() == "h");
    endpoint.mqtts_port = 0;
    CHECK(endpoint.host_name() == "h");
    endpoint.mqtts_port = 18883;
    CHECK(endpoint.host_name() == "h:18883");

    TestHub hub;
    auto login = auth::parse_connection_string(hub.server().service_connection_string()).value();
    login.host_name = "127.0.0.1:" + std::to_string(hub.https());
    const Outcome created = run({"device", "create", "d1", "--login", login.text(), "--ca", hub.server().ca_file()});
    CHECK(created.out == "HostName=127.0.0.1:" + std::to_string(hub.mqtts()) +
                             ";DeviceId=d1;SharedAccessKey=" + broker::kWellKnownPrimaryKey + "\n");
  }
}
