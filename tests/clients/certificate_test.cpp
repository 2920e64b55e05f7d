// Client libraries that prove themselves by certificates in files, as a person configures them.
#include "broker/data_folder.h"
#include "tests/clients/libraries.h"
#include "tests/support/certificate_maker.h"
#include "tests/support/hub_process.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

const std::string kEvents = "devices/d1/messages/events/";

// A client of the identity with this chain in a file.
struct CertificateFiles {
  TemporaryFolder folder;

  ClientSettings settings(TestHub& hub, std::string_view identity, const TestCertificate& leaf, const std::string& behind_it = {}) const {
    ClientSettings settings = settings_of(hub, identity);
    settings.password.clear();
    settings.certificate_file = folder.file("chain.pem");
    settings.key_file = folder.file("key.pem");
    REQUIRE(broker::write_file(settings.certificate_file, leaf.pem() + behind_it, 0600).ok());
    REQUIRE(broker::write_file(settings.key_file, leaf.key_pem(), 0600).ok());
    return settings;
  }
};

// Outside of the templates below, which g++ 12 cannot compile with these initializers inside.
TestCertificate self_signed() { return make_certificate(valid_now({})); }

struct Chain {
  TestCertificate root = make_certificate(valid_now({.common_names = {"root"}, .ca = true}));
  TestCertificate middle = make_certificate(valid_now({.common_names = {"middle"}, .issuer = &root, .ca = true}));
  TestCertificate d1 = make_certificate(valid_now({.issuer = &middle}));
  TestCertificate m1 = make_certificate(valid_now({.common_names = {"d1/m1"}, .issuer = &middle}));
};

void register_root(TestHub& hub, const TestCertificate& root) {
  JsonWriter body;
  body.object().member("properties").object().member("certificate", root.pem()).member("isVerified", true).end_object().end_object();
  REQUIRE(hub.api("PUT", "/_nearhub/certificates/root", body.text()).status == 201);
}

}  // namespace

TEST_SUITE("clients") {
  TEST_CASE_TEMPLATE("certificate: a self-signed device comes in by its thumbprint, and another certificate does not", Client, PahoClient, MosquittoClient) {
    TestHub hub;
    const TestCertificate mine = self_signed(), other = self_signed();
    hub.create("d1", R"({"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":")" + mine.sha1() + "\"}}}");
    const CertificateFiles files, other_files;
    Client client(files.settings(hub, "d1", mine));
    connect_with_success(client);
    publish_and_wait(client, kEvents, "by thumbprint");
    CHECK(events_of(hub, "d1").size() == 1);
    Client stranger(other_files.settings(hub, "d1", other));
    CHECK(stranger.connect().code == 5);
    CHECK(contains(last_refusal(hub, "d1"), "SHA-1 " + other.sha1()));
  }

  TEST_CASE_TEMPLATE("certificate: a device and its module come in by chains to a registered CA, intermediates sent along", Client, PahoClient, MosquittoClient) {
    TestHub hub;
    const Chain chain;
    for (const char* id : {"d1", "d1/m1"}) hub.create(id, R"({"authentication":{"type":"certificateAuthority"}})");
    register_root(hub, chain.root);
    const CertificateFiles files, module_files;
    Client device(files.settings(hub, "d1", chain.d1, chain.middle.pem())), module(module_files.settings(hub, "d1/m1", chain.m1, chain.middle.pem()));
    connect_with_success(device);
    connect_with_success(module);
    publish_and_wait(device, kEvents, "by chain");
    CHECK(events_of(hub, "d1").size() == 1);
    // The end of the CA is the end of the connection.
    REQUIRE(hub.api("DELETE", "/_nearhub/certificates/root", {}, {{"If-Match", "*"}}).status == 204);
    device.wait_lost();
    module.wait_lost();
  }
}
