// --seed: identities that are made sure of at each start.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "base/json_writer.h"
#include "broker/data_folder.h"
#include "tests/support/certificate_maker.h"
#include "tests/system/site.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

constexpr const char* kSeed = R"({"devices": [
  {"deviceId": "thermostat", "twin": {"tags": {"room": "lab"}, "properties": {"desired": {"interval": 30}}}, "modules": [{"moduleId": "sensor"}]},
  {"deviceId": "spare", "status": "disabled", "statusReason": "in the drawer",
   "authentication": {"type": "sas", "symmetricKey": {"primaryKey": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                                                      "secondaryKey": "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA="}}}]})";

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

TEST_SUITE("system") {
  TEST_CASE("seed: devices, modules, keys, status and twins are there when the hub is ready, and again changes nothing") {
    const TemporaryFolder folder;
    const std::string file = folder.file("seed.json");
    REQUIRE(broker::write_file(file, kSeed, 0600).ok());
    Site site({"--seed", file});
    const std::string ready = site.hub().ready_json();
    CHECK(contains(ready, "\"devices\":[{\"deviceId\":\"thermostat\","));
    CHECK(contains(ready, ";DeviceId=spare;SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
    const auto state = [&site] {
      std::string all;
      for (const char* path : {"/devices/thermostat", "/devices/thermostat/modules/sensor", "/devices/spare", "/twins/thermostat"}) {
        const HttpAnswer answer = site.api("GET", path);
        CHECK(answer.status == 200);
        all += answer.body + "\n";
      }
      return all;
    };
    const std::string first = state();
    CHECK(contains(first, R"("status":"disabled","statusReason":"in the drawer")"));
    CHECK(contains(first, R"("tags":{"room":"lab"})"));
    CHECK(contains(first, R"("interval":30)"));

    REQUIRE(site.stop() == 0);
    site.start();
    CHECK(state() == first);
    CHECK(contains(site.hub().ready_json(), "\"deviceId\":\"thermostat\""));
    CHECK(contains(site.hub().ready_json(), "\"deviceId\":\"spare\""));
  }

  TEST_CASE("seed: an initial twin counts only once, and what the file says of an identity counts always") {
    const TemporaryFolder folder;
    const std::string file = folder.file("seed.json");
    REQUIRE(broker::write_file(file, kSeed, 0600).ok());
    Site site({"--seed", file});
    CHECK(site.api("PATCH", "/twins/thermostat", R"({"properties":{"desired":{"interval":60}}})").status == 200);
    REQUIRE(site.stop() == 0);
    std::string changed = kSeed;
    changed.replace(changed.find("disabled"), 8, "enabled");
    REQUIRE(broker::write_file(file, changed, 0600).ok());
    site.start();
    CHECK(contains(site.api("GET", "/twins/thermostat").body, "\"interval\":60"));
    CHECK(contains(site.api("GET", "/devices/spare").body, "\"status\":\"enabled\""));
    CHECK(contains(site.api("GET", "/devices/spare").body, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
  }

  TEST_CASE("seed: a mistake anywhere stops the start with its place, before anything is made") {
    struct Mistake {
      const char* seed;
      const char* said;
    };
    const TemporaryFolder folder;
    const std::string file = folder.file("seed.json");
    for (const Mistake& mistake : {
             Mistake{R"({"devices": [{"deviceId": "good"}, {"deviceID": "d2"}]})", "seed file: devices[1] has no deviceId"},
             Mistake{R"({"devices": [{"deviceId": "good"}, {"deviceId": "d 2"}]})", "seed file: devices[1]: deviceId "},
             Mistake{R"({"devices": [{"deviceId": "good"}, {"deviceId": "good"}]})", "seed file: device good stands there twice"},
             Mistake{R"({"devices": [{"deviceId": "good", "status": "off"}]})", "seed file: good: "},
             Mistake{R"({"devices": [{"deviceId": "good", "modules": [{"moduleId": "m"}, {}]}]})", "seed file: good: modules[1] has no moduleId"},
             Mistake{R"({"devices": [{"deviceId": "good", "twin": {"properties": {"desired": {"a": []}}}}, 5]})", "seed file: devices[1] is a number"},
             Mistake{R"({"devices": {"deviceId": "good"}})", "seed file: \"devices\" is missing or no array"},
             Mistake{"{\"devices\": [{\"deviceId\": \"good\"},]}", "seed file: "},
             Mistake{R"({"devices": [{"deviceId": "good"}], "certificateAuthorities": {}})", "seed file: \"certificateAuthorities\" is an object; expected an array"},
             Mistake{R"({"devices": [{"deviceId": "good"}], "certificateAuthorities": [{"certificate": "x"}]})", "seed file: certificateAuthorities[0] has no name"},
             Mistake{R"({"devices": [{"deviceId": "good"}], "certificateAuthorities": [{"name": "a b", "certificate": "x"}]})", "seed file: certificateAuthorities[0]: the name of a certificate"},
             Mistake{R"({"devices": [{"deviceId": "good"}], "certificateAuthorities": [{"name": "ca", "certificate": "missing.pem"}]})", "seed file: ca: "},
             Mistake{R"({"devices": [{"deviceId": "good"}], "certificateAuthorities": [{"name": "ca", "certificate": "-----BEGIN CERTIFICATE-----"}]})", "seed file: ca: certificate: it is no X.509 certificate"},
         }) {
      CAPTURE(mistake.seed);
      REQUIRE(broker::write_file(file, mistake.seed, 0600).ok());
      const ProcessResult result =
          run_nearhub({"serve", "--data", folder.file("data"), "--well-known-keys", "--mqtts", "0", "--https", "0", "--seed", file, "--log-level", "off"});
      CHECK(result.exit_code == 1);
      CHECK_MESSAGE(result.error.starts_with("nearhub: " + std::string(mistake.said)), result.error);
    }
    // None of the good ones beside the mistakes.
    Site site({}, folder.file("data"));
    CHECK(contains(site.api("GET", "/devices").body, "[]"));
  }

  TEST_CASE("seed: certificate authorities, as text or as a file beside the seed, let their devices in, again changes nothing") {
    const TestCertificate root = make_certificate(valid_now({.common_names = {"root"}, .ca = true})), other = make_certificate(valid_now({.common_names = {"other"}, .ca = true}));
    const TestCertificate leaf = make_certificate(valid_now({.issuer = &root}));
    const TemporaryFolder folder;
    REQUIRE(broker::write_file(folder.file("root.pem"), root.pem(), 0600).ok());
    JsonWriter seed;
    seed.object().member("certificateAuthorities").array();
    seed.object().member("name", "by-file").member("certificate", "root.pem").end_object();
    seed.object().member("name", "by-text").member("certificate", other.pem()).member("isVerified", false).end_object();
    seed.end_array().member("devices").array();
    seed.object().member("deviceId", "d1").member("authentication").object().member("type", "certificateAuthority").end_object().end_object();
    seed.end_array().end_object();
    const std::string file = folder.file("seed.json");
    REQUIRE(broker::write_file(file, seed.text(), 0600).ok());
    Site site({"--seed", file});
    CHECK(contains(site.hub().ready_json(), ";DeviceId=d1;x509=true"));
    const std::string first = site.api("GET", "/_nearhub/certificates").body;
    CHECK(contains(first, R"("name":"by-file")"));
    CHECK(contains(first, R"("subject":"CN=other")"));

    TlsOptions options;
    options.verify = false;
    options.certificate_pem = leaf.pem();
    options.key_pem = leaf.key_pem();
    const auto connects = [&] {
      MqttClient client(options, site.hub().mqtts());
      mqtt::Connect packet;
      packet.client_id = "d1";
      packet.username = "localhost/d1/?api-version=2021-04-12";
      packet.clean_session = true;
      return client.connect(packet).return_code == 0;
    };
    CHECK(connects());
    REQUIRE(site.stop() == 0);
    site.start();
    CHECK(site.api("GET", "/_nearhub/certificates").body == first);
    CHECK(connects());
    // Another certificate under the name takes the old one's place.
    REQUIRE(broker::write_file(folder.file("root.pem"), other.pem(), 0600).ok());
    REQUIRE(site.stop() == 0);
    site.start();
    CHECK_FALSE(connects());
  }

  TEST_CASE("seed: a file that is not there is refused with its name") {
    const TemporaryFolder folder;
    const ProcessResult result = run_nearhub({"serve", "--in-memory", "--seed", folder.file("missing.json")});
    CHECK(result.exit_code == 2);
    CHECK(contains(result.error, folder.file("missing.json")));
  }
}
