#include "tools/x509_identity.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "base/json.h"
#include "base/text.h"
#include "tests/tools/command_runner.h"
#include "tools/json_text.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

JsonDocument identity(TestHub& hub, const std::string& path) {
  const HttpAnswer answer = hub.api("GET", path);
  REQUIRE(answer.status == 200);
  return std::move(parse_json(answer.body).value());
}

std::string thumbprint_of(const std::string& path) {
  const auto text = broker::read_file(path);
  REQUIRE(text.ok());
  return certs::read_certificate(*text).value().sha256_thumbprint;
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("device create --x509: certificate, key and registration in one step, known by its thumbprint") {
    TestHub hub;
    const TemporaryFolder folder;
    const Outcome made = run(hub, {"device", "create", "d1", "--x509", "--out", folder.path(), "--disabled"});
    CAPTURE(made.error);
    REQUIRE(made.exit_code == 0);
    CHECK(made.out.find("HostName=localhost:" + std::to_string(hub.mqtts()) + ";DeviceId=d1;x509=true\n\ncertificate  " + folder.file("d1_cert.pem") + "\n") == 0);
    const JsonDocument device = identity(hub, "/devices/d1");
    CHECK(text_at(device, {"authentication", "type"}) == "selfSigned");
    CHECK(text_at(device, {"authentication", "x509Thumbprint", "primaryThumbprint"}) == thumbprint_of(folder.file("d1_cert.pem")));
    CHECK(text_at(device, {"status"}) == "disabled");
    CHECK(std::filesystem::exists(folder.file("d1_key.pem")));
    CHECK(std::filesystem::exists(folder.file("d1_fullchain.pem")));
  }

  TEST_CASE("module create --x509: the same for a module") {
    TestHub hub;
    const TemporaryFolder folder;
    hub.create("d1");
    const Outcome made = run(hub, {"module", "create", "d1/m1", "--x509", "--rsa", "--out", folder.path(), "--json"});
    CAPTURE(made.error);
    REQUIRE(made.exit_code == 0);
    CHECK(text_at(*parse_json(made.out), {"authentication", "type"}) == "selfSigned");
    CHECK(text_at(identity(hub, "/devices/d1/modules/m1"), {"authentication", "x509Thumbprint", "primaryThumbprint"}) ==
          thumbprint_of(folder.file("d1.m1_cert.pem")));
  }

  TEST_CASE("device create --x509: what the hub refuses leaves no files, and files that exist are not touched") {
    TestHub hub;
    const TemporaryFolder folder;
    hub.create("d1");
    const Outcome refused = run(hub, {"device", "create", "d1", "--x509", "--out", folder.path()});
    CHECK(refused.exit_code == 1);
    CHECK(refused.error.find("DeviceAlreadyExists") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(folder.file("d1_key.pem")));
    CHECK_FALSE(std::filesystem::exists(folder.file("d1_cert.pem")));
    REQUIRE(run({"cert", "device", "d2", "--out", folder.path()}).exit_code == 0);
    const std::string before = thumbprint_of(folder.file("d2_cert.pem"));
    const Outcome taken = run(hub, {"device", "create", "d2", "--x509", "--out", folder.path()});
    CHECK(taken.exit_code == 2);
    CHECK(taken.error.find("exists and stays as it is; --force replaces it") != std::string::npos);
    CHECK(thumbprint_of(folder.file("d2_cert.pem")) == before);
    CHECK(hub.api("GET", "/devices/d2").status == 404);
  }

  TEST_CASE("device create --x509 --force: a device that exists keeps its working key and certificate") {
    TestHub hub;
    const TemporaryFolder folder;
    REQUIRE(run(hub, {"device", "create", "d1", "--x509", "--out", folder.path()}).exit_code == 0);
    const std::string key = broker::read_file(folder.file("d1_key.pem")).value();
    const std::string thumbprint = thumbprint_of(folder.file("d1_cert.pem"));
    const Outcome refused = run(hub, {"device", "create", "d1", "--x509", "--force", "--out", folder.path()});
    CHECK(refused.exit_code == 1);
    CHECK(refused.error.find("DeviceAlreadyExists") != std::string::npos);
    CHECK(broker::read_file(folder.file("d1_key.pem")).value() == key);
    CHECK(std::filesystem::status(folder.file("d1_key.pem")).permissions() == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    CHECK(thumbprint_of(folder.file("d1_cert.pem")) == thumbprint);
    CHECK(thumbprint_of(folder.file("d1_fullchain.pem")) == thumbprint);
  }

  TEST_CASE("device create --x509 --ca: the leaf is signed, its authority registered when the hub does not know it, and the device comes in") {
    TestHub hub;
    const TemporaryFolder folder;
    REQUIRE(run({"cert", "root", "factory", "--out", folder.path()}).exit_code == 0);
    REQUIRE(run({"cert", "intermediate", "line-1", "--ca", "factory", "--out", folder.path()}).exit_code == 0);
    const Outcome first = run(hub, {"device", "create", "d1", "--x509", "--ca", "factory", "--out", folder.path()});
    CAPTURE(first.error);
    REQUIRE(first.exit_code == 0);
    CHECK(first.error == "nearhub: registered the certificate authority factory at the hub\n");
    // One above it is known already.
    const Outcome second = run(hub, {"device", "create", "d2", "--x509", "--ca", "line-1", "--out", folder.path()});
    CAPTURE(second.error);
    REQUIRE(second.exit_code == 0);
    CHECK(second.error == "");
    REQUIRE(run(hub, {"module", "create", "d2/m1", "--x509", "--ca", "line-1", "--out", folder.path()}).exit_code == 0);
    for (const std::string id : {"d1", "d2", "d2/m1"}) {
      CAPTURE(id);
      std::string name = id;
      std::replace(name.begin(), name.end(), '/', '.');
      TlsOptions options = hub.tls();
      options.certificate_pem = broker::read_file(folder.file(name + "_fullchain.pem")).value();
      options.key_pem = broker::read_file(folder.file(name + "_key.pem")).value();
      MqttClient client(options, hub.mqtts());
      const std::string user = hub.username(id);
      mqtt::Connect packet;
      packet.client_id = id;
      packet.username = user;
      CHECK(client.connect(packet).return_code == 0);
    }
    CHECK(text_at(identity(hub, "/devices/d1"), {"authentication", "type"}) == "certificateAuthority");
  }

  TEST_CASE("device create --x509 --ca: an authority that is registered but not verified, or another of its name, is refused with the way out") {
    TestHub hub;
    const TemporaryFolder folder;
    REQUIRE(run({"cert", "root", "factory", "--out", folder.path()}).exit_code == 0);
    REQUIRE(run(hub, {"ca", "add", "factory", folder.file("factory_cert.pem")}).exit_code == 0);
    CHECK(run(hub, {"device", "create", "d1", "--x509", "--ca", "factory", "--out", folder.path()}).error.find("is registered but not verified: `nearhub ca code factory`") !=
          std::string::npos);
    REQUIRE(run({"cert", "root", "factory", "--out", folder.path(), "--force"}).exit_code == 0);
    CHECK(run(hub, {"device", "create", "d1", "--x509", "--ca", "factory", "--out", folder.path()}).error.find("knows another certificate authority as factory") !=
          std::string::npos);
    CHECK_FALSE(std::filesystem::exists(folder.file("d1_key.pem")));
  }

  TEST_CASE("cert verification proves to the hub that one has an authority's key") {
    TestHub hub;
    const TemporaryFolder folder;
    REQUIRE(run({"cert", "root", "factory", "--out", folder.path()}).exit_code == 0);
    REQUIRE(run(hub, {"ca", "add", "factory", folder.file("factory_cert.pem")}).exit_code == 0);
    const Outcome code = run(hub, {"ca", "code", "factory"});
    REQUIRE(code.exit_code == 0);
    REQUIRE(run({"cert", "verification", std::string(trim(code.out)), "--ca", "factory", "--out", folder.path()}).exit_code == 0);
    CHECK(run(hub, {"ca", "verify", "factory", folder.file("verification_cert.pem")}).exit_code == 0);
    CHECK(run(hub, {"device", "create", "d1", "--x509", "--ca", "factory", "--out", folder.path()}).exit_code == 0);
  }

  TEST_CASE("device create: keys, thumbprints, types and certificates exclude each other") {
    TestHub hub;
    CHECK(run(hub, {"device", "create", "d2", "--x509", "--auth", "ca"}).exit_code == 2);
    CHECK(run(hub, {"device", "create", "d2", "--x509", "--thumbprint", std::string(40, 'a')}).exit_code == 2);
    CHECK(run(hub, {"device", "create", "d2", "--days", "3"}).exit_code == 2);
    CHECK(run(hub, {"device", "create", "d2", "--rsa"}).exit_code == 2);
  }

  TEST_CASE("device create: --ca is the CA to trust without --x509, and --hub-ca with it") {
    TestHub hub;
    const TemporaryFolder folder;
    CHECK(run(hub, {"device", "create", "d1", "--ca", hub.server().ca_file()}).exit_code == 0);
    CHECK(run(hub, {"device", "create", "d2", "--ca", folder.file("none.pem")}).error.find("cannot read the CA file") != std::string::npos);
    CHECK(run(hub, {"device", "create", "d3", "--x509", "--out", folder.path(), "--hub-ca", hub.server().ca_file()}).exit_code == 0);
    CHECK(run(hub, {"device", "create", "d4", "--x509", "--out", folder.path(), "--ca", "nobody"}).error.find("there is no certificate authority nobody") !=
          std::string::npos);
  }
}
