// certificateAuthority: what each certificate of a chain must be, the leaf above all.
#include "tests/auth/certificate_samples.h"

using namespace nearhub;
using namespace nearhub::auth;
using namespace std::chrono_literals;

namespace {

const std::string kAnew = "; issue it anew";
const std::string kClientAuth = "; issue it anew with extendedKeyUsage = clientAuth";

// A leaf that is good but for what the row says, under the root.
CertificateCase of_leaf(const char* name, const TestCertificate& certificate, std::string verdict, std::string identity = "d1") {
  return {name, {&certificate}, {{"root", &root()}}, std::move(verdict), std::move(identity)};
}

TestCertificate issued(CertificateSpec spec) {
  spec.issuer = &root();
  return make_certificate(spec);
}

}  // namespace

TEST_SUITE("auth") {
  TEST_CASE("certificate leaf: it is within its time at the hub's clock, and how far off it is said") {
    const WallTime now = test::kCertificateNow;
    const TestCertificate expired = issued({.not_before = now - 720h, .not_after = now - 25h});
    const TestCertificate later = issued({.not_before = now + 90min, .not_after = now + 720h});
    const TestCertificate to_the_second = issued({.not_before = now, .not_after = now});
    check_cases({
        of_leaf("expired", expired, "the leaf (CN=d1) expired at 2025-12-30T23:00:00Z, 25 h 0 min ago" + kAnew),
        of_leaf("not yet valid", later,
                "the leaf (CN=d1) becomes valid at 2026-01-01T01:30:00Z, in 1 h 30 min; check the clocks of the hub and of the machine that made it"),
        of_leaf("valid for this very second", to_the_second, "admitted by root"),
    });
    CertificateCase in_time = of_leaf("expired by the machine's clock, not by the hub's", expired, "admitted by root");
    in_time.now = now - 48h;
    CertificateCase root_too_young = in_time;
    root_too_young.now = now - 26h;
    root_too_young.verdict =
        "the registered CA root (CN=root) becomes valid at 2025-12-31T00:00:00Z, in 2 h 0 min; check the clocks of the hub and of the machine that made it";
    in_time.verdict = "the registered CA root (CN=root) becomes valid at 2025-12-31T00:00:00Z, in 24 h 0 min; check the clocks of the hub and of the machine that made it";
    check_cases({in_time, root_too_young});
  }

  TEST_CASE("certificate chain: every link is within its time") {
    const WallTime now = test::kCertificateNow;
    const TestCertificate old_ca = make_certificate({.common_names = {"old"}, .not_before = now - 720h, .not_after = now - 24h, .ca = true});
    const TestCertificate of_old_ca = make_certificate({.issuer = &old_ca});
    const TestCertificate old_middle = issued({.common_names = {"middle"}, .not_before = now - 720h, .not_after = now - 120s, .ca = true});
    const TestCertificate of_old_middle = make_certificate({.issuer = &old_middle});
    check_cases({
        {"expired CA", {&of_old_ca}, {{"old", &old_ca}}, "the registered CA old (CN=old) expired at 2025-12-31T00:00:00Z, 24 h 0 min ago" + kAnew},
        {"expired intermediate", {&of_old_middle, &old_middle}, {{"root", &root()}}, "the intermediate (CN=middle) expired at 2025-12-31T23:58:00Z, 2 min 0 s ago" + kAnew},
    });
  }

  TEST_CASE("certificate leaf: an extended key usage that is there allows client authentication, none is asked for") {
    const TestCertificate none = issued({}), client = issued({.extended_key_usage = "clientAuth"}), critical = issued({.extended_key_usage = "critical,clientAuth"});
    const TestCertificate mail = issued({.key_usage = "critical,nonRepudiation,digitalSignature,keyEncipherment", .extended_key_usage = "clientAuth,emailProtection"});
    const TestCertificate any = issued({.extended_key_usage = "anyExtendedKeyUsage"}), server = issued({.extended_key_usage = "serverAuth"});
    const TestCertificate code = issued({.extended_key_usage = "critical,codeSigning,timeStamping"});
    check_cases({
        of_leaf("no EKU", none, "admitted by root"),
        of_leaf("clientAuth", client, "admitted by root"),
        of_leaf("critical clientAuth", critical, "admitted by root"),
        of_leaf("clientAuth and emailProtection", mail, "admitted by root"),
        of_leaf("any", any, "admitted by root"),
        of_leaf("serverAuth", server, "the leaf (CN=d1) for TLS Web Server Authentication" + kClientAuth),
        of_leaf("two others", code, "the leaf (CN=d1) for Code Signing, Time Stamping" + kClientAuth),
    });
    const TestCertificate servers_only = issued({.common_names = {"servers"}, .ca = true, .extended_key_usage = "serverAuth"});
    const TestCertificate below = make_certificate({.issuer = &servers_only});
    check_cases({{"intermediate for servers", {&below, &servers_only}, {{"root", &root()}}, "the intermediate (CN=servers) for TLS Web Server Authentication" + kClientAuth}});
  }

  TEST_CASE("certificate leaf: it is no CA, and it is not self-signed") {
    const TestCertificate ca_leaf = issued({.ca = true}), signing_leaf = issued({.key_usage = "keyCertSign"}), not_a_ca = issued({.ca = false});
    const TestCertificate self_signed = make_certificate({}), version_1 = issued({.version_1 = true});
    const std::string own_first = "; send the device's own certificate first, then the intermediates; issue it with CA:FALSE";
    const std::string by_thumbprint = ", which is self-signed; register the identity with type selfSigned and thumbprint ";
    const TestCertificate root_as_device = make_certificate({.common_names = {"d1"}, .ca = true});
    check_cases({
        of_leaf("CA leaf", ca_leaf, "the leaf (CN=d1), which is a CA certificate itself" + own_first),
        of_leaf("keyCertSign", signing_leaf, "the leaf (CN=d1), which is a CA certificate itself" + own_first),
        of_leaf("CA:FALSE", not_a_ca, "admitted by root"),
        of_leaf("version 1", version_1, "admitted by root"),
        of_leaf("self-signed", self_signed, "the leaf (CN=d1)" + by_thumbprint + self_signed.sha256() + ", or issue the certificate by a registered CA"),
        {"a registered root named as the device", {&root_as_device}, {{"d1", &root_as_device}},
         "the leaf (CN=d1), which is the registered CA d1 itself; send the device's own certificate first, then the intermediates"},
        {"the chain from its root down", {&root(), &intermediate(), &leaf()}, {{"root", &root()}},
         "the leaf (CN=root), which is the registered CA root itself; send the device's own certificate first, then the intermediates"},
        {"the chain in the wrong order", {&intermediate(), &leaf()}, {{"root", &root()}}, "the leaf (CN=intermediate), which is a CA certificate itself" + own_first},
    });
  }

  TEST_CASE("certificate leaf: the last common name is the device id, byte for byte") {
    const TestCertificate upper = issued({.common_names = {"D1"}}), longer = issued({.common_names = {"d10"}}), none = issued({.common_names = {}, .organization = "Contoso"});
    const TestCertificate in_san = issued({.common_names = {}, .organization = "Contoso", .dns_names = {"d1"}});
    const TestCertificate nul = issued({.common_names = {std::string("d1\0.evil", 8)}}), nul_end = issued({.common_names = {std::string("d1\0", 3)}});
    const TestCertificate last = issued({.common_names = {"fleet", "d1"}}), first = issued({.common_names = {"d1", "fleet"}});
    const TestCertificate spaces = issued({.common_names = {" d1"}}), slash = issued({.common_names = {"x/CN=d1"}}), empty = issued({.common_names = {""}});
    const std::string other = "; issue the certificate for this identity, or connect as the one that it names";
    check_cases({
        of_leaf("upper case", upper, "CN=D1; ids are case-sensitive: the CN must be the id, letter for letter"),
        of_leaf("longer", longer, "CN=d10" + other),
        of_leaf("none", none, "the leaf (O=Contoso) without a common name; issue it anew with the id as the subject's CN"),
        of_leaf("in the SAN", in_san,
                "the leaf (O=Contoso) without a common name; its subjectAltName has the id, which is not looked at: put it into the subject's CN"),
        of_leaf("NUL", nul, "CN=d1\\x00.evil; the CN contains a NUL byte"),
        of_leaf("NUL at the end", nul_end, "CN=d1\\x00; the CN contains a NUL byte"),
        of_leaf("several, the last", last, "admitted by root"),
        of_leaf("several, the first", first, "CN=fleet, the last of 2; of several CNs the last one counts: leave the id alone in the subject"),
        of_leaf("spaces", spaces, "CN= d1; the CN has spaces around the id"),
        of_leaf("a slash is no separator", slash, "CN=x/CN=d1" + other),
        of_leaf("empty", empty, "CN=" + other),
    });
  }

  TEST_CASE("certificate leaf: a module's common name is device/module") {
    const TestCertificate module = issued({.common_names = {"d1/m1"}}), device = issued({}), alone = issued({.common_names = {"m1"}}), upper = issued({.common_names = {"d1/M1"}});
    check_cases({
        of_leaf("device and module", module, "admitted by root", "d1/m1"),
        of_leaf("the device's", device, "CN=d1; a device's certificate does not open its modules: issue one with CN=d1/m1", "d1/m1"),
        of_leaf("the module id alone", alone, "CN=m1; the CN of a module is device and module: issue one with CN=d1/m1", "d1/m1"),
        of_leaf("another case", upper, "CN=d1/M1; ids are case-sensitive: the CN must be the id, letter for letter", "d1/m1"),
        of_leaf("the module's for the device", module, "CN=d1/m1; a module's certificate does not open its device: issue one with CN=d1", "d1"),
    });
    const auto verdict = judge(of_leaf("scope", module, "", "d1/m1"));
    CHECK(std::get<Admission>(verdict).scope == Admission::Scope::kModule);
    CHECK(std::get<Admission>(verdict).type == AuthenticationType::kCertificateAuthority);
    CHECK(std::get<Admission>(verdict).credential == root().sha256());
  }

  TEST_CASE("certificate keys: RSA from 2048 bits, EC and Ed25519, SHA-1 signatures and short keys are refused anywhere in the chain") {
    const TestCertificate rsa2048 = issued({.key = KeyKind::kRsa2048}), ec384 = issued({.key = KeyKind::kEc384, .digest = "SHA384"}),
                          ec521 = issued({.key = KeyKind::kEc521, .digest = "SHA512"}), ed25519 = issued({.key = KeyKind::kEd25519}), rsa1024 = issued({.key = KeyKind::kRsa1024}),
                          sha1 = issued({.digest = "SHA1"}), sha224 = issued({.digest = "SHA224"});
    const TestCertificate weak_ca = make_certificate({.common_names = {"weak"}, .key = KeyKind::kRsa1024, .ca = true}), of_weak_ca = make_certificate({.issuer = &weak_ca});
    const TestCertificate sha1_root = make_certificate({.common_names = {"old root"}, .digest = "SHA1", .ca = true}), of_sha1_root = make_certificate({.issuer = &sha1_root});
    const TestCertificate sha1_middle = issued({.common_names = {"middle"}, .digest = "SHA1", .ca = true}), of_sha1_middle = make_certificate({.issuer = &sha1_middle});
    const TestCertificate ed_ca = make_certificate({.common_names = {"ed"}, .key = KeyKind::kEd25519, .ca = true}), of_ed_ca = make_certificate({.issuer = &ed_ca});
    const std::string stronger = "; issue it anew with a stronger key", sha256 = "; issue it anew with -sha256";
    check_cases({
        of_leaf("RSA-2048", rsa2048, "admitted by root"),
        of_leaf("EC P-384", ec384, "admitted by root"),
        of_leaf("EC P-521", ec521, "admitted by root"),
        of_leaf("Ed25519", ed25519, "admitted by root"),
        of_leaf("SHA-224", sha224, "admitted by root"),
        {"Ed25519 CA", {&of_ed_ca}, {{"ed", &ed_ca}}, "admitted by ed"},
        of_leaf("RSA-1024", rsa1024, "the leaf (CN=d1) with an RSA key of 1024 bits" + stronger),
        of_leaf("SHA-1", sha1, "the leaf (CN=d1) with a signature with SHA1" + sha256),
        {"RSA-1024 CA", {&of_weak_ca}, {{"weak", &weak_ca}}, "the registered CA weak (CN=weak) with an RSA key of 1024 bits" + stronger},
        {"a root's own SHA-1 signature does not matter", {&of_sha1_root}, {{"old", &sha1_root}}, "admitted by old"},
        {"an intermediate's does", {&of_sha1_middle, &sha1_middle}, {{"root", &root()}}, "the intermediate (CN=middle) with a signature with SHA1" + sha256},
        {"unless it is the anchor", {&of_sha1_middle}, {{"middle", &sha1_middle}}, "admitted by middle"},
    });
  }

  TEST_CASE("certificate keys: RSA-4096 all the way") {
    const TestCertificate big_root = make_certificate({.common_names = {"big"}, .key = KeyKind::kRsa4096, .ca = true});
    const TestCertificate big_leaf = make_certificate({.same_key_as = &big_root, .issuer = &big_root});
    check_cases({{"RSA-4096", {&big_leaf}, {{"big", &big_root}}, "admitted by big"}});
  }

  TEST_CASE("certificate chain: OpenSSL's own rules hold for CAs") {
    const TestCertificate no_ca = issued({.common_names = {"no ca"}}), below_no_ca = make_certificate({.issuer = &no_ca});
    const TestCertificate short_ca = make_certificate({.common_names = {"short"}, .ca = true, .path_length = 0});
    const TestCertificate middle = make_certificate({.common_names = {"middle"}, .issuer = &short_ca, .ca = true}), below = make_certificate({.issuer = &middle});
    const TestCertificate no_sign = issued({.common_names = {"no sign"}, .ca = true, .key_usage = "digitalSignature"}), below_no_sign = make_certificate({.issuer = &no_sign});
    const TestCertificate odd = issued({.unknown_critical_extension = "1.3.6.1.4.1.99999.1"});
    // Roots of the source documents' script have no key usage; strict mode would refuse them.
    const TestCertificate plain_root = make_certificate({.common_names = {"mytestrootcert"}, .ca = true}), of_plain_root = make_certificate({.issuer = &plain_root, .extended_key_usage = "critical,clientAuth"});
    const TestCertificate v1_root = make_certificate({.common_names = {"v1"}, .version_1 = true}), of_v1_root = make_certificate({.issuer = &v1_root, .version_1 = true});
    check_cases({
        {"intermediate without CA:TRUE", {&below_no_ca, &no_ca}, {{"root", &root()}},
         "the intermediate (CN=no ca): invalid CA certificate; it signs the certificate below it, and needs basicConstraints CA:TRUE for that"},
        {"pathlen", {&below, &middle}, {{"short", &short_ca}}, "the registered CA short (CN=short): path length constraint exceeded; its pathlen allows fewer CAs between it and the leaf"},
        {"intermediate without keyCertSign", {&below_no_sign, &no_sign}, {{"root", &root()}}, "the leaf (CN=d1), issued by CN=no sign, which is neither presented nor registered; give the "
         "client the whole chain in one file, leaf first, or register its issuer: nearhub ca add NAME FILE"},
        {"registered without keyCertSign", {&below_no_sign}, {{"no-sign", &no_sign}}, "the leaf (CN=d1), issued by CN=no sign, which is neither presented nor registered; the registered CA "
         "no-sign has this name, but its key usage does not allow it to sign certificates"},
        of_leaf("unknown critical extension", odd, "the leaf (CN=d1): unhandled critical extension; it has an extension marked critical that the hub does not know"),
        {"root without key usage", {&of_plain_root}, {{"plain", &plain_root}}, "admitted by plain"},
        {"version 1 all the way", {&of_v1_root}, {{"v1", &v1_root}}, "admitted by v1"},
    });
  }
}
