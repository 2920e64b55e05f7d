// Resumed TLS sessions of clients with certificates: the verdict is that of a full handshake, whatever changed between the two connections.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/packets/wire.h"
#include "tests/support/certificate_maker.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

using Session = std::shared_ptr<ssl_session_st>;

std::string with_thumbprint(const std::string& primary, const std::string& secondary = {}) {
  return R"({"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":")" + primary + R"(","secondaryThumbprint":)" +
         (secondary.empty() ? std::string("null") : "\"" + secondary + "\"") + "}}}";
}

void update(TestHub& hub, std::string_view path, const std::string& body) { REQUIRE(hub.api("PUT", path, body, {{"If-Match", "*"}}).status == 200); }

constexpr const char* kByAuthority = R"({"authentication":{"type":"certificateAuthority"}})";
constexpr const char* kBySas = R"({"authentication":{"type":"sas"}})";

void add_authority(TestHub& hub, const std::string& name, const TestCertificate& certificate) {
  JsonWriter body;
  body.object().member("properties").object().member("certificate", certificate.pem()).member("isVerified", true).end_object().end_object();
  REQUIRE(hub.api("PUT", "/_nearhub/certificates/" + name, body.text()).status / 100 == 2);
}

void delete_authority(TestHub& hub, const std::string& name) {
  REQUIRE(hub.api("DELETE", "/_nearhub/certificates/" + name, {}, {{"If-Match", "*"}}).status == 204);
}

struct Shown {
  std::string pem;  // leaf first
  std::string key_pem;
};

// All that the cases need, made once.
struct Fleet {
  TestCertificate root = make_certificate(valid_now({.common_names = {"root"}, .ca = true}));
  TestCertificate middle = make_certificate(valid_now({.common_names = {"middle"}, .issuer = &root, .ca = true}));
  TestCertificate issuing = make_certificate(valid_now({.common_names = {"issuing"}, .issuer = &middle, .ca = true}));
  TestCertificate by_root = make_certificate(valid_now({.issuer = &root}));
  TestCertificate by_middle = make_certificate(valid_now({.issuer = &middle}));
  TestCertificate by_issuing = make_certificate(valid_now({.issuer = &issuing}));
  TestCertificate other_name = make_certificate(valid_now({.common_names = {"d2"}, .issuer = &root}));
  TestCertificate self_signed = make_certificate(valid_now({}));
  TestCertificate weak = make_certificate(valid_now({.key = KeyKind::kRsa1024}));
  TestCertificate early = make_certificate([] {
    CertificateSpec spec = valid_now({});
    spec.not_before += std::chrono::hours{3};
    return spec;
  }());

  static Shown shown(const TestCertificate& leaf, const std::vector<const TestCertificate*>& behind_it = {}) {
    Shown result{leaf.pem(), leaf.key_pem()};
    for (const TestCertificate* each : behind_it) result.pem += each->pem();
    return result;
  }
};

struct Verdict {
  int code = -1;
  std::string reason;  // empty when admitted
  bool resumed = false;
  Session session;
};

Verdict connect(TestHub& hub, const Shown& shown, bool tls12, const Session& session) {
  TlsOptions options = hub.tls();
  if (tls12) options.ciphers = "ECDHE+AESGCM";
  options.certificate_pem = shown.pem;
  options.key_pem = shown.key_pem;
  options.session = session;
  MqttClient client(options, hub.mqtts());
  const std::string user = hub.username("d1");
  mqtt::Connect packet;
  packet.client_id = "d1";
  packet.username = user;
  const mqtt::Connack answer = client.connect(packet);
  return {answer.return_code, answer.return_code == 0 ? std::string() : last_refusal(hub, "d1"), client.connection().resumed(), client.connection().session()};
}

// The clock goes on between two connections: reasons are compared without the digits of the times that they tell.
std::string without_digits(std::string text) {
  std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
  return text;
}

struct Case {
  std::string name;
  std::string identity;  // the body that creates d1
  Shown shown;
  std::function<void(TestHub&)> before = {};
  std::function<void(TestHub&)> change = {};  // between the two connections
  int code_after = 0;
};

}  // namespace

TEST_SUITE("packets") {
  TEST_CASE("resumption: a client with a certificate is judged as after a full handshake, whatever changed since") {
    const Fleet fleet;
    const auto root = [&](TestHub& hub) { add_authority(hub, "root", fleet.root); };
    const auto middle = [&](TestHub& hub) { add_authority(hub, "middle", fleet.middle); };
    const Shown by_thumbprint = Fleet::shown(fleet.self_signed), by_root = Fleet::shown(fleet.by_root), by_middle = Fleet::shown(fleet.by_middle, {&fleet.middle}),
                by_issuing = Fleet::shown(fleet.by_issuing, {&fleet.issuing, &fleet.middle});
    const auto disable = [](TestHub& hub, const std::string& authentication) {
      std::string body = authentication;
      body.insert(1, R"("status":"disabled",)");
      update(hub, "/devices/d1", body);
    };
    const std::string thumbprint = with_thumbprint(fleet.self_signed.sha256());
    std::vector<Case> cases = {
        // Nothing changes: admitted again.
        {"thumbprint", thumbprint, by_thumbprint},
        {"SHA-1 in the second slot", with_thumbprint(fleet.by_root.sha1(), fleet.self_signed.sha1()), by_thumbprint},
        {"a weak key by its thumbprint", with_thumbprint(fleet.weak.sha256()), Fleet::shown(fleet.weak)},
        {"issued by a root", kByAuthority, by_root, root},
        {"one intermediate", kByAuthority, by_middle, root},
        {"two intermediates", kByAuthority, by_issuing, root},
        {"root sent along", kByAuthority, Fleet::shown(fleet.by_middle, {&fleet.middle, &fleet.root}), root},
        {"a registered intermediate", kByAuthority, by_middle, middle},
        // Refused both times, for the same reason.
        {"no such CA", kByAuthority, by_root, {}, {}, 5},
        {"a missing intermediate", kByAuthority, Fleet::shown(fleet.by_issuing, {&fleet.issuing}), root, {}, 5},
        {"another name", kByAuthority, Fleet::shown(fleet.other_name), root, {}, 5},
        {"another thumbprint", with_thumbprint(fleet.by_root.sha256()), by_thumbprint, {}, {}, 5},
        {"not yet valid", with_thumbprint(fleet.early.sha256()), Fleet::shown(fleet.early), {}, {}, 5},
        {"registered with keys", kBySas, by_thumbprint, {}, {}, 5},
        {"no certificate", thumbprint, {}, {}, {}, 5},
        // What changes in between counts.
        {"thumbprint changed", thumbprint, by_thumbprint, {}, [&](TestHub& hub) { update(hub, "/devices/d1", with_thumbprint(fleet.by_root.sha256())); }, 5},
        {"thumbprint moved to the other slot", thumbprint, by_thumbprint, {},
         [&](TestHub& hub) { update(hub, "/devices/d1", with_thumbprint(fleet.by_root.sha256(), fleet.self_signed.sha256())); }, 0},
        {"disabled, by thumbprint", thumbprint, by_thumbprint, {}, [&](TestHub& hub) { disable(hub, thumbprint); }, 5},
        {"disabled, by a CA", kByAuthority, by_middle, root, [&](TestHub& hub) { disable(hub, kByAuthority); }, 5},
        {"deleted", thumbprint, by_thumbprint, {}, [](TestHub& hub) { REQUIRE(hub.api("DELETE", "/devices/d1", {}, {{"If-Match", "*"}}).status == 204); }, 5},
        {"registered with keys meanwhile", thumbprint, by_thumbprint, {}, [](TestHub& hub) { update(hub, "/devices/d1", kBySas); }, 5},
        {"by a CA meanwhile", thumbprint, by_thumbprint, {}, [](TestHub& hub) { update(hub, "/devices/d1", kByAuthority); }, 5},
        {"CA removed", kByAuthority, by_root, root, [](TestHub& hub) { delete_authority(hub, "root"); }, 5},
        {"CA behind an intermediate removed", kByAuthority, by_middle, root, [](TestHub& hub) { delete_authority(hub, "root"); }, 5},
        {"another CA added", kByAuthority, by_middle, root, middle, 0},
        {"root removed, its intermediate stays", kByAuthority, by_middle, [&](TestHub& hub) { root(hub), middle(hub); }, [](TestHub& hub) { delete_authority(hub, "root"); }, 0},
    };
    for (const Case& c : cases) {
      for (const bool tls12 : {true, false}) {
        CAPTURE(c.name);
        CAPTURE(tls12);
        TestHub hub;
        hub.create("d1", c.identity);
        if (c.before) c.before(hub);
        const Verdict before = connect(hub, c.shown, tls12, nullptr);
        CHECK_FALSE(before.resumed);
        CHECK(before.code == (c.change || c.code_after == 0 ? 0 : 5));
        REQUIRE(before.session != nullptr);
        if (c.change) c.change(hub);
        const Verdict second = connect(hub, c.shown, tls12, before.session);
        // Whoever was refused is not resumed.
        CHECK(second.resumed == (before.code == 0));
        CHECK(second.code == c.code_after);
        const Verdict full = connect(hub, c.shown, tls12, nullptr);
        CHECK_FALSE(full.resumed);
        CHECK(second.code == full.code);
        CHECK(without_digits(second.reason) == without_digits(full.reason));
      }
    }
  }

  TEST_CASE("resumption: a leaf that has expired is shown anew and refused for its expiry") {
    CertificateSpec brief = valid_now({});
    brief.not_after = brief.not_before + std::chrono::hours{3};  // two from now
    const TestCertificate leaf = make_certificate(brief);
    for (const bool tls12 : {true, false}) {
      CAPTURE(tls12);
      TestHub hub;
      hub.create("d1", with_thumbprint(leaf.sha256()));
      const Shown shown = Fleet::shown(leaf);
      const Verdict first = connect(hub, shown, tls12, nullptr);
      CHECK(first.code == 0);
      hub.advance(std::chrono::hours{1});
      const Verdict second = connect(hub, shown, tls12, first.session);
      CHECK(second.resumed);
      CHECK(second.code == 0);
      hub.advance(std::chrono::hours{2});
      const Verdict third = connect(hub, shown, tls12, second.session);
      CHECK_FALSE(third.resumed);
      CHECK(third.code == 5);
      CHECK(contains(third.reason, "expired"));
    }
  }
}
