// X.509 over the wire: who comes in by a certificate, what ends such a connection, and what the refusal book says.
#include "tests/packets/wire.h"
#include "tests/support/certificate_maker.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

// A connection with these certificates, nothing sent yet.
std::unique_ptr<MqttClient> open_with(TestHub& hub, const TestCertificate& leaf, const std::string& behind_it = {}) {
  TlsOptions options = hub.tls();
  options.certificate_pem = leaf.pem() + behind_it;
  options.key_pem = leaf.key_pem();
  return std::make_unique<MqttClient>(options, hub.mqtts());
}

void send_connect(TestHub& hub, MqttClient& client, std::string_view identity, std::string password = {}) {
  client.send_raw(ConnectBytes{std::string(identity), hub.username(identity), std::move(password)}.bytes());
}

std::unique_ptr<MqttClient> join_with(TestHub& hub, std::string_view identity, const TestCertificate& leaf, const std::string& behind_it = {}) {
  auto client = open_with(hub, leaf, behind_it);
  send_connect(hub, *client, identity);
  expect_bytes(*client, connack(false, 0));
  return client;
}

void expect_refused(TestHub& hub, std::string_view identity, const TestCertificate& leaf, std::string_view reason) {
  auto client = open_with(hub, leaf);
  send_connect(hub, *client, identity);
  expect_bytes(*client, connack(false, 5));
  client->expect_closed();
  CHECK(last_refusal(hub, identity) == reason);
}

std::string with_thumbprints(const std::string& primary, const std::string& secondary = {}) {
  return R"({"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":")" + primary + R"(","secondaryThumbprint":)" +
         (secondary.empty() ? std::string("null") : "\"" + secondary + "\"") + "}}}";
}

void update(TestHub& hub, std::string_view path, const std::string& body) {
  const HttpAnswer answer = hub.api("PUT", path, body, {{"If-Match", "*"}});
  INFO(answer.body);
  REQUIRE(answer.status == 200);
}

constexpr const char* kByAuthority = R"({"authentication":{"type":"certificateAuthority"}})";

void add_authority(TestHub& hub, const std::string& name, const TestCertificate& certificate, bool verified = true, const char* if_match = nullptr) {
  JsonWriter body;
  body.object().member("properties").object().member("certificate", certificate.pem()).member("isVerified", verified).end_object().end_object();
  const HttpAnswer answer = hub.api("PUT", "/_nearhub/certificates/" + name, body.text(), if_match == nullptr ? HttpClient::Headers() : HttpClient::Headers{{"If-Match", if_match}});
  INFO(answer.body);
  REQUIRE(answer.status / 100 == 2);
}

void delete_authority(TestHub& hub, const std::string& name) {
  REQUIRE(hub.api("DELETE", "/_nearhub/certificates/" + name, {}, {{"If-Match", "*"}}).status == 204);
}

const std::string kEnded = "MQTT connection | connection closed | credential | expected a credential that is registered; received ";

struct Fleet {
  TestCertificate root = make_certificate(valid_now({.common_names = {"root"}, .ca = true}));
  TestCertificate middle = make_certificate(valid_now({.common_names = {"middle"}, .issuer = &root, .ca = true}));
  TestCertificate d1 = make_certificate(valid_now({.issuer = &middle}));
  TestCertificate d2 = make_certificate(valid_now({.common_names = {"d2"}, .issuer = &root}));
  TestCertificate m1 = make_certificate(valid_now({.common_names = {"d1/m1"}, .issuer = &root}));
};

}  // namespace

TEST_SUITE("packets") {
  TEST_CASE("certificate: a self-signed device comes in by either thumbprint, without a password and with any") {
    const TestCertificate first = make_certificate(valid_now({.common_names = {"anything"}, .ca = true})), second = make_certificate(valid_now({}));
    TestHub hub;
    hub.create("d1", with_thumbprints(first.sha1(), second.sha256()));
    join_with(hub, "d1", first);
    join_with(hub, "d1", second);
    auto client = open_with(hub, first);
    send_connect(hub, *client, "d1", "a password that nobody looks at");
    expect_bytes(*client, connack(false, 0));
    client->send_raw(packet(0x32, field("devices/d1/messages/events/") + number(1) + "hello"));
    expect_bytes(*client, "40 02 00 01"_hex);
    const auto events = events_of(hub, "d1");
    REQUIRE(events.size() == 1);
    CHECK(contains(events[0], R"({\"scope\":\"device\",\"type\":\"x509Certificate\",\"issuer\":\"external\",\"acceptingIpFilterRule\":null})"));
    const std::string twin = hub.api("GET", "/twins/d1").body;
    CHECK(contains(twin, R"("authenticationType":"selfSigned","x509Thumbprint":{"primaryThumbprint":")" + first.sha1() + R"(","secondaryThumbprint":")" + second.sha256() + "\"}"));
  }

  TEST_CASE("certificate: devices and modules come in by a chain to a registered CA") {
    const Fleet fleet;
    TestHub hub;
    hub.create("d1", kByAuthority);
    hub.create("d1/m1", kByAuthority);
    hub.create("d2", kByAuthority);
    add_authority(hub, "root", fleet.root);
    const auto d1 = join_with(hub, "d1", fleet.d1, fleet.middle.pem());
    const auto m1 = join_with(hub, "d1/m1", fleet.m1);
    const auto d2 = join_with(hub, "d2", fleet.d2, fleet.root.pem());
    for (const auto& client : {d1.get(), m1.get(), d2.get()}) client->expect_silence();
    CHECK(contains(hub.api("GET", "/devices/d1").body, R"("authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"certificateAuthority"})"));
  }

  TEST_CASE("certificate: refusals are CONNACK 5, with their reason") {
    const Fleet fleet;
    const TestCertificate stranger = make_certificate(valid_now({}));
    TestHub hub;
    hub.create("d1", with_thumbprints(fleet.d2.sha1()));
    hub.create("d1/m1", kByAuthority);
    hub.create("d2", kByAuthority);
    hub.create("sas");
    add_authority(hub, "root", fleet.root);
    expect_refused(hub, "d1", stranger, "MQTT CONNECT | CONNACK 5 | certificate | expected a registered thumbprint of device d1: primary SHA-1 " + fleet.d2.sha1() +
                                            "; received the leaf (CN=d1) with SHA-1 " + stranger.sha1() +
                                            "; connect with the certificate that is registered, or register this one in the free slot");
    expect_refused(hub, "d2", stranger, "MQTT CONNECT | CONNACK 5 | certificate | expected a leaf issued by a CA: device d2 is registered with authentication type certificateAuthority; received the "
                                        "leaf (CN=d1), which is self-signed; register the identity with type selfSigned and thumbprint " + stranger.sha256() +
                                            ", or issue the certificate by a registered CA");
    expect_refused(hub, "d1/m1", fleet.d2, "MQTT CONNECT | CONNACK 5 | certificate | expected a leaf with CN=d1/m1, the device and module id; received CN=d2; issue the certificate for this identity, or "
                                           "connect as the one that it names");
    expect_refused(hub, "sas", stranger, "MQTT CONNECT | CONNACK 5 | credential | expected a SAS token as password: device sas is registered with authentication type sas; received a client certificate "
                                         "and no password; send a token, or register the identity for X.509");
    auto bare = hub.open();
    send_connect(hub, *bare, "d2");
    expect_bytes(*bare, connack(false, 5));
    CHECK(contains(last_refusal(hub, "d2"), "received no client certificate;"));
    // A device with a key that shows a certificate all the same.
    auto with_both = open_with(hub, stranger);
    send_connect(hub, *with_both, "sas", hub.token("sas"));
    expect_bytes(*with_both, connack(false, 0));
  }

  TEST_CASE("certificate: validity is judged at the hub's clock, at the connect and not later") {
    const Fleet fleet;
    TestHub hub;
    hub.create("d2", with_thumbprints(fleet.d2.sha256()));
    auto client = open_with(hub, fleet.d2);
    client->send_raw(ConnectBytes{"d2", hub.username("d2"), {}, /*keep_alive_s=*/1700}.bytes());
    expect_bytes(*client, connack(false, 0));
    // In steps that its keep-alive allows for, past the certificate's end.
    for (int step = 0; step < 60; ++step) {
      hub.advance(std::chrono::minutes{25});
      client->expect_silence();
    }
    auto late = open_with(hub, fleet.d2);
    send_connect(hub, *late, "d2");
    expect_bytes(*late, connack(false, 5));
    const std::string refusal = last_refusal(hub, "d2");
    CHECK(contains(refusal, "MQTT CONNECT | CONNACK 5 | certificate | expected certificates that are valid now ("));
    CHECK(contains(refusal, "received the leaf (CN=d2) expired at "));
    CHECK(contains(refusal, "Z, 60 min 0 s ago; issue it anew") != contains(refusal, "Z, 1 h 0 min ago; issue it anew"));
    client->expect_silence();
  }

  TEST_CASE("certificate: a thumbprint is rolled without a break, and the old one's end is the connection's") {
    const TestCertificate old_one = make_certificate(valid_now({})), new_one = make_certificate(valid_now({}));
    TestHub hub;
    hub.create("d1", with_thumbprints(old_one.sha1()));
    auto old_client = join_with(hub, "d1", old_one);
    update(hub, "/devices/d1", with_thumbprints(old_one.sha1(), new_one.sha256()));
    old_client->expect_silence();
    // In another case, in another slot: still there.
    std::string upper = old_one.sha1();
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    update(hub, "/devices/d1", with_thumbprints(new_one.sha256(), upper));
    old_client->expect_silence();
    auto new_client = join_with(hub, "d1", new_one);
    old_client->expect_closed();
    update(hub, "/devices/d1", with_thumbprints(new_one.sha256()));
    new_client->expect_silence();
    update(hub, "/devices/d1", with_thumbprints(old_one.sha1()));
    expect_closed_because(hub, *new_client, "d1", kEnded + "the certificate that admitted this connection; its thumbprint " + new_one.sha256() +
                                                      " was changed or removed just now; connect with the certificate that is registered; the two slots let a certificate be rolled "
                                                      "without a break");
  }

  TEST_CASE("certificate: the end of a CA ends the connections that it admitted, and no others") {
    const Fleet fleet;
    const TestCertificate other_root = make_certificate(valid_now({.common_names = {"root"}, .ca = true})), of_other = make_certificate(valid_now({.common_names = {"d3"}, .issuer = &other_root}));
    TestHub hub;
    for (const char* id : {"d1", "d2", "d3"}) hub.create(id, kByAuthority);
    hub.create("d1/m1", kByAuthority);
    hub.create("sas");
    hub.create("thumb", with_thumbprints(fleet.d2.sha1()));
    add_authority(hub, "root", fleet.root);
    add_authority(hub, "other", other_root);
    auto d1 = join_with(hub, "d1", fleet.d1, fleet.middle.pem());
    auto m1 = join_with(hub, "d1/m1", fleet.m1);
    auto d2 = join_with(hub, "d2", fleet.d2);
    auto d3 = join_with(hub, "d3", of_other);
    auto thumb = join_with(hub, "thumb", fleet.d2);
    auto sas = join(hub, "sas");
    delete_authority(hub, "root");
    const std::string deleted = kEnded + "a certificate of the CA root, which was deleted just now; register the CA again, or connect with a certificate of another one: roll a CA by registering the new one "
                                         "beside the old";
    expect_closed_because(hub, *d1, "d1", deleted);
    expect_closed_because(hub, *m1, "d1/m1", deleted);
    expect_closed_because(hub, *d2, "d2", deleted);
    for (const auto& client : {d3.get(), thumb.get(), sas.get()}) client->expect_silence();
    expect_refused(hub, "d2", fleet.d2, "MQTT CONNECT | CONNACK 5 | certificate | expected a chain from the leaf to a CA that is registered and verified; received the leaf (CN=d2), issued by CN=root, which is "
                                        "neither presented nor registered; the registered CA other has this name, but another key: register the CA that has really signed beside it");
    // Replaced by another certificate.
    add_authority(hub, "other", fleet.root, true, "*");
    expect_closed_because(hub, *d3, "d3", kEnded + "a certificate of the CA other, which was replaced just now; register the CA again, or connect with a certificate of another one: roll a CA by registering "
                                                   "the new one beside the old");
    d2 = join_with(hub, "d2", fleet.d2);
    // The same certificate, no longer verified.
    add_authority(hub, "other", fleet.root, false, "*");
    d2->expect_closed();
    CHECK(contains(last_refusal(hub, "d2"), "a certificate of the CA other, which lost its verification just now"));
    expect_refused(hub, "d2", fleet.d2, "MQTT CONNECT | CONNACK 5 | certificate | expected a chain from the leaf to a CA that is registered and verified; received the leaf (CN=d2), issued by the registered CA "
                                        "other (CN=root), which is not verified; prove that you hold its key: nearhub ca code other, then nearhub ca verify other FILE");
  }

  TEST_CASE("certificate: a CA is rolled without a break") {
    const TestCertificate old_root = make_certificate(valid_now({.common_names = {"root"}, .ca = true})), new_root = make_certificate(valid_now({.common_names = {"root"}, .ca = true}));
    const TestCertificate old_leaf = make_certificate(valid_now({.issuer = &old_root})), new_leaf = make_certificate(valid_now({.issuer = &new_root}));
    TestHub hub;
    hub.create("d1", kByAuthority);
    add_authority(hub, "2025", old_root);
    auto client = join_with(hub, "d1", old_leaf);
    add_authority(hub, "2026", new_root);
    client->expect_silence();
    client = join_with(hub, "d1", new_leaf);
    delete_authority(hub, "2025");
    client->expect_silence();
  }

  TEST_CASE("certificate: another authentication type ends the connection, whichever it was before") {
    const Fleet fleet;
    TestHub hub;
    hub.create("d2", kByAuthority);
    add_authority(hub, "root", fleet.root);
    auto client = join_with(hub, "d2", fleet.d2);
    update(hub, "/devices/d2", with_thumbprints(fleet.d2.sha1()));
    expect_closed_because(hub, *client, "d2", kEnded + "one of authentication type certificateAuthority, which was changed to selfSigned just now; connect as the identity is registered now");
    client = join_with(hub, "d2", fleet.d2);
    update(hub, "/devices/d2", R"({"authentication":{"type":"sas"}})");
    expect_closed_because(hub, *client, "d2", kEnded + "one of authentication type selfSigned, which was changed to sas just now; connect as the identity is registered now");
    client = join(hub, "d2");
    update(hub, "/devices/d2", kByAuthority);
    expect_closed_because(hub, *client, "d2", kEnded + "one of authentication type sas, which was changed to certificateAuthority just now; connect as the identity is registered now");
    // Whoever came in by a policy's token does not depend on it.
    auto by_policy = open_with(hub, fleet.d2);
    send_connect(hub, *by_policy, "d2", hub.policy_token("device"));
    expect_bytes(*by_policy, connack(false, 0));
    update(hub, "/devices/d2", with_thumbprints(fleet.d1.sha1()));
    by_policy->expect_silence();
  }

  TEST_CASE("certificate: more certificates than a client needs end the handshake, with a reason") {
    const Fleet fleet;
    TestHub hub;
    hub.create("d1", kByAuthority);
    std::string bundle;
    while (bundle.size() < 2 * 16 * 1024) bundle += fleet.root.pem();
    TlsOptions options = hub.tls();
    options.certificate_pem = fleet.d1.pem() + bundle;
    options.key_pem = fleet.d1.key_pem();
    TlsClient client(options, hub.mqtts());
    // TLS 1.3 tells the client behind its own handshake.
    if (client.error().empty()) CHECK(client.receive().empty());
    hub.wait_until([&] { return !hub.refusals("", 1).empty(); }, "the refusal");
    CHECK(contains(last_refusal(hub, ""), "the client sends more than 16 KB of certificates"));
  }
}
