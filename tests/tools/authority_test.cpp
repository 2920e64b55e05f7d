// `nearhub ca ...`, and the credentials of identities on the command line.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "base/text.h"
#include "tests/support/certificate_maker.h"
#include "tests/support/hub_process.h"
#include "tests/tools/command_runner.h"
#include "tools/json_text.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

struct Files {
  TemporaryFolder folder;
  std::string write(const std::string& name, const std::string& content) const {
    const std::string path = folder.file(name);
    REQUIRE(broker::write_file(path, content, 0600).ok());
    return path;
  }
};

JsonDocument json_of(const Outcome& outcome) {
  REQUIRE(outcome.exit_code == 0);
  auto json = parse_json(trim(outcome.out));
  REQUIRE(json.ok());
  return std::move(*json);
}

// As a device with a certificate does.
int connect_code(TestHub& hub, const TestCertificate& certificate, std::string_view identity) {
  TlsOptions options = hub.tls();
  options.certificate_pem = certificate.pem();
  options.key_pem = certificate.key_pem();
  MqttClient client(options, hub.mqtts());
  const std::string user = hub.username(identity);
  mqtt::Connect packet;
  packet.client_id = identity;
  packet.username = user;
  packet.clean_session = true;
  return client.connect(packet).return_code;
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("ca: from the registration over the proof to the first device, and to the end") {
    TestHub hub;
    const Files files;
    const TestCertificate root = make_certificate(valid_now({.common_names = {"root"}, .ca = true}));
    const TestCertificate leaf = make_certificate(valid_now({.issuer = &root}));
    CHECK(run(hub, {"ca", "list"}).out == "no certificate authorities; register one with `nearhub ca add NAME FILE`\n");
    const Outcome added = run(hub, {"ca", "add", "plant-7", files.write("root.pem", root.pem() + "null")});
    CHECK(added.error == "");
    CHECK(added.out == "registered the CA plant-7 (CN=root); it lets nobody in until it is verified: nearhub ca code plant-7\n");
    REQUIRE(run(hub, {"device", "create", "d1", "--auth", "ca"}).exit_code == 0);
    CHECK(connect_code(hub, leaf, "d1") == 5);

    const Outcome code = run(hub, {"ca", "code", "plant-7"});
    REQUIRE(code.exit_code == 0);
    REQUIRE(code.out.size() == 49);
    const TestCertificate proof = make_certificate(valid_now({.common_names = {code.out.substr(0, 48)}, .issuer = &root}));
    const Outcome wrong = run(hub, {"ca", "verify", "plant-7", files.write("wrong.pem", leaf.pem())});
    CHECK(wrong.exit_code == 1);
    CHECK(wrong.error == "nearhub: ArgumentInvalid: the verification certificate has CN=d1, expected the code " + code.out.substr(0, 48) + "\n");
    CHECK(run(hub, {"ca", "verify", "plant-7", files.write("proof.cer", proof.der())}).out == "the CA plant-7 is verified; its devices may connect\n");
    CHECK(connect_code(hub, leaf, "d1") == 0);

    const std::string listed = run(hub, {"ca", "list"}).out;
    CHECK(listed.starts_with("NAME     VERIFIED  EXPIRES                        THUMBPRINT                                SUBJECT\nplant-7  yes       "));
    CHECK(listed.ends_with("  CN=root\n"));
    CHECK(text_at(json_of(run(hub, {"ca", "list", "--json"}))[0], {"name"}) == "plant-7");
    const std::string shown = run(hub, {"ca", "show", "plant-7"}).out;
    CHECK(shown.starts_with("name        plant-7\nsubject     CN=root\nverified    yes\nexpires     "));
    CHECK(text_at(json_of(run(hub, {"ca", "show", "plant-7", "--json"})), {"properties", "isVerified"}) == "true");
    CHECK(run(hub, {"ca", "delete", "plant-7"}).out == "deleted the CA plant-7; the connections that it admitted are closed\n");
    CHECK(run(hub, {"ca", "show", "plant-7"}).error == "nearhub: CertificateNotFound: no certificate plant-7 is registered\n");
    CHECK(connect_code(hub, leaf, "d1") == 5);
  }

  TEST_CASE("ca add: without a proof, in the place of another, from DER, and what is wrong with a file is said") {
    TestHub hub;
    const Files files;
    const TestCertificate root = make_certificate(valid_now({.common_names = {"root"}, .ca = true})), leaf = make_certificate(valid_now({.issuer = &root}));
    const std::string pem = files.write("root.pem", root.pem()), der = files.write("root.der", root.der());
    CHECK(run(hub, {"ca", "add", "root", pem, "--verified"}).out == "registered the CA root (CN=root)\n");
    const Outcome again = run(hub, {"ca", "add", "root", der});
    CHECK(again.exit_code == 1);
    CHECK(again.error == "nearhub: there is a CA root already: --replace puts this one in its place\n");
    CHECK(text_at(json_of(run(hub, {"ca", "add", "root", der, "--replace", "--verified", "--json"})), {"properties", "isVerified"}) == "true");
    const Outcome no_file = run(hub, {"ca", "add", "other", files.folder.file("nothing.pem")});
    CHECK(no_file.exit_code == 2);
    CHECK(no_file.error.find("nothing.pem") != std::string::npos);
    const Outcome no_ca = run(hub, {"ca", "add", "other", files.write("leaf.pem", leaf.pem())});
    CHECK(no_ca.exit_code == 1);
    CHECK(no_ca.error.starts_with("nearhub: ArgumentInvalid: certificate: CN=d1 is no CA certificate"));
  }

  TEST_CASE("device create: --auth says how it proves itself") {
    TestHub hub;
    CHECK(run(hub, {"device", "create", "a", "--auth", "ca"}).out.ends_with(";DeviceId=a;x509=true\n"));
    CHECK(text_at(json_of(run(hub, {"device", "show", "a", "--json"})), {"authentication", "type"}) == "certificateAuthority");
    CHECK(run(hub, {"device", "create", "b", "--auth", "self-signed", "--thumbprint", std::string(64, 'A')}).exit_code == 0);
    CHECK(text_at(json_of(run(hub, {"device", "show", "b", "--json"})), {"authentication", "x509Thumbprint", "primaryThumbprint"}) == std::string(64, 'A'));
    CHECK(run(hub, {"module", "create", "a/m", "--auth", "ca"}).exit_code == 0);
    CHECK(text_at(json_of(run(hub, {"module", "show", "a/m", "--json"})), {"authentication", "type"}) == "certificateAuthority");
    const Outcome wrong = run(hub, {"device", "create", "c", "--auth", "tpm"});
    CHECK(wrong.exit_code == 2);
    CHECK(wrong.error.find("tpm is none of sas, self-signed, ca") != std::string::npos);
  }

  TEST_CASE("device update: a thumbprint is rolled slot by slot, all else stays") {
    TestHub hub;
    const TestCertificate old_one = make_certificate(valid_now({})), new_one = make_certificate(valid_now({}));
    REQUIRE(run(hub, {"device", "create", "d1", "--thumbprint", old_one.sha1(), "--status-reason", "on the roof"}).exit_code == 0);
    CHECK(connect_code(hub, old_one, "d1") == 0);
    const Outcome second = run(hub, {"device", "update", "d1", "--secondary-thumbprint", new_one.sha256()});
    CHECK(second.error == "");
    CHECK(second.out.find("secondary thumbprint  " + new_one.sha256()) != std::string::npos);
    CHECK(connect_code(hub, old_one, "d1") == 0);
    CHECK(connect_code(hub, new_one, "d1") == 0);
    CHECK(run(hub, {"device", "update", "d1", "--thumbprint", ""}).exit_code == 0);
    CHECK(connect_code(hub, old_one, "d1") == 5);
    CHECK(connect_code(hub, new_one, "d1") == 0);
    const JsonDocument device = json_of(run(hub, {"device", "show", "d1", "--json"}));
    CHECK(text_at(device, {"authentication", "x509Thumbprint", "primaryThumbprint"}) == "");
    CHECK(text_at(device, {"statusReason"}) == "on the roof");
    CHECK(run(hub, {"device", "update", "d1", "--auth", "sas"}).exit_code == 0);
    CHECK(text_at(json_of(run(hub, {"device", "show", "d1", "--json"})), {"authentication", "x509Thumbprint", "secondaryThumbprint"}) == "");
    hub.connect("d1");
    const std::string key = text_at(json_of(run(hub, {"device", "show", "d1", "--json", "--keys"})), {"authentication", "symmetricKey", "primaryKey"});
    CHECK(run(hub, {"device", "update", "d1", "--auth", "sas"}).exit_code == 0);
    CHECK(text_at(json_of(run(hub, {"device", "show", "d1", "--json", "--keys"})), {"authentication", "symmetricKey", "primaryKey"}) == key);
    const Outcome nothing = run(hub, {"device", "update", "d1"});
    CHECK(nothing.exit_code == 2);
    CHECK(nothing.error == "nearhub: nothing to change: `nearhub device update --help` shows what can be named\n");
    const Outcome colon = run(hub, {"device", "update", "d1", "--thumbprint", "zz" + std::string(38, '0')});
    CHECK(colon.error ==
          "nearhub: ArgumentInvalid: StringIsNotThumbprint: authentication.x509Thumbprint.primaryThumbprint contains 'z' at position 1, give hexadecimal digits only\n");
  }
}
