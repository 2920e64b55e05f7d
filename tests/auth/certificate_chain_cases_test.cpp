// certificateAuthority: which chains admit, and what is said of those that do not.
#include "tests/auth/certificate_samples.h"

using namespace nearhub;
using namespace nearhub::auth;
using namespace std::chrono_literals;

namespace {

const std::string kNoSuchIssuer = ", which is neither presented nor registered";
const std::string kWholeChain = "; give the client the whole chain in one file, leaf first, or register its issuer: nearhub ca add NAME FILE";
const std::string kBelow = "; register it or a CA below it: nearhub ca add NAME FILE";
const std::string kOtherKey = " has this name, but another key: register the CA that has really signed beside it";

}  // namespace

TEST_SUITE("auth") {
  TEST_CASE("certificate chain: roots and intermediates are anchors alike, and what is needed to reach them is presented") {
    const TestCertificate straight = make_certificate({.issuer = &root()});
    check_cases({
        {"root registered, intermediate presented", {&leaf(), &intermediate()}, {{"root", &root()}}, "admitted by root"},
        {"root registered and presented too", {&leaf(), &intermediate(), &root()}, {{"root", &root()}}, "admitted by root"},
        {"presented in another order", {&leaf(), &root(), &intermediate()}, {{"root", &root()}}, "admitted by root"},
        {"intermediate registered, leaf alone", {&leaf()}, {{"middle", &intermediate()}}, "admitted by middle"},
        {"intermediate registered, the chain up to its root presented", {&leaf(), &intermediate(), &root()}, {{"middle", &intermediate()}}, "admitted by middle"},
        {"issued straight by the root", {&straight}, {{"root", &root()}}, "admitted by root"},
        {"among others that are registered", {&leaf(), &intermediate()}, {{"a", &straight}, {"middle", &intermediate(), false}, {"root", &root()}}, "admitted by root"},
        {"the leaf presented twice", {&leaf(), &leaf(), &intermediate()}, {{"root", &root()}}, "admitted by root"},
    });
  }

  TEST_CASE("certificate chain: an issuer that is nowhere is named, with what is missing") {
    const TestCertificate stranger = make_certificate({.common_names = {"stranger"}, .organization = "Contoso", .ca = true});
    const TestCertificate of_stranger = make_certificate({.issuer = &stranger});
    check_cases({
        {"missing intermediate", {&leaf()}, {{"root", &root()}}, "the leaf (CN=d1), issued by CN=intermediate" + kNoSuchIssuer + kWholeChain},
        {"intermediate presented, root not registered", {&leaf(), &intermediate()}, {{"stranger", &stranger}}, "the intermediate (CN=intermediate), issued by CN=root" + kNoSuchIssuer + kBelow},
        {"root presented, and not registered", {&leaf(), &intermediate(), &root()}, {{"stranger", &stranger}},
         "the presented root (CN=root), which is not registered; register this root: nearhub ca add NAME FILE"},
        {"unknown issuer", {&of_stranger}, {{"root", &root()}}, "the leaf (CN=d1), issued by CN=stranger, O=Contoso" + kNoSuchIssuer + kWholeChain},
        {"nothing registered at all", {&of_stranger}, {}, "the leaf (CN=d1), issued by CN=stranger, O=Contoso" + kNoSuchIssuer + "; no CA is registered: nearhub ca add NAME FILE"},
        {"registered and not verified", {&of_stranger}, {{"stranger", &stranger, false}, {"root", &root()}},
         "the leaf (CN=d1), issued by the registered CA stranger (CN=stranger, O=Contoso), which is not verified; prove that you hold its key: nearhub ca code stranger, then "
         "nearhub ca verify stranger FILE"},
    });
  }

  TEST_CASE("certificate chain: of several CAs with one subject the one that has signed is found") {
    const TestCertificate old_root = make_certificate({.common_names = {"rolled"}, .ca = true});
    const TestCertificate new_root = make_certificate({.common_names = {"rolled"}, .ca = true});
    const TestCertificate of_old = make_certificate({.issuer = &old_root}), of_new = make_certificate({.issuer = &new_root});
    // The same without key identifiers: only the signature tells them apart.
    const TestCertificate bare_old = make_certificate({.common_names = {"bare"}, .ca = true, .key_ids = false});
    const TestCertificate bare_new = make_certificate({.common_names = {"bare"}, .ca = true, .key_ids = false});
    const TestCertificate of_bare_old = make_certificate({.issuer = &bare_old, .key_ids = false}), of_bare_new = make_certificate({.issuer = &bare_new, .key_ids = false});
    check_cases({
        {"old leaf, both", {&of_old}, {{"old", &old_root}, {"new", &new_root}}, "admitted by old"},
        {"new leaf, both", {&of_new}, {{"old", &old_root}, {"new", &new_root}}, "admitted by new"},
        {"old leaf, both, no identifiers", {&of_bare_old}, {{"new", &bare_new}, {"old", &bare_old}}, "admitted by old"},
        {"new leaf, both, no identifiers", {&of_bare_new}, {{"old", &bare_old}, {"new", &bare_new}}, "admitted by new"},
        {"same subject, other key", {&of_new}, {{"old", &old_root}}, "the leaf (CN=d1), issued by CN=rolled" + kNoSuchIssuer + "; the registered CA old" + kOtherKey},
        {"same subject, other key, no identifiers", {&of_bare_new}, {{"old", &bare_old}},
         "the leaf (CN=d1): certificate signature failure; it carries its issuer's name, but another key has signed it: was the CA made anew with the same name?"},
        {"same subject, two other keys, no identifiers", {&of_bare_new}, {{"old", &bare_old}, {"older", &bare_old}},
         "the leaf (CN=d1), issued by CN=bare" + kNoSuchIssuer + "; the registered CA old" + kOtherKey},
    });
    // A CA that was renewed with its key: the one that is valid counts.
    const TestCertificate expired = make_certificate(
        {.common_names = {"renewed"}, .not_before = test::kCertificateNow - 720h, .not_after = test::kCertificateNow - 24h, .ca = true});
    const TestCertificate renewed = make_certificate({.common_names = {"renewed"}, .same_key_as = &expired, .ca = true});
    const TestCertificate of_renewed = make_certificate({.issuer = &expired});
    check_cases({{"renewed with its key", {&of_renewed}, {{"2025", &expired}, {"2026", &renewed}}, "admitted by 2026"}});
    // Cross-signed: two intermediates of one name and key, of which one leads to a registered root.
    const TestCertificate cross = make_certificate({.common_names = {"intermediate"}, .same_key_as = &intermediate(), .issuer = &old_root, .ca = true});
    check_cases({{"cross-signed", {&leaf(), &intermediate(), &cross}, {{"old", &old_root}}, "admitted by old"}});
  }

  TEST_CASE("certificate chain: five intermediates deep, and not without an end") {
    std::vector<TestCertificate> chain = {make_certificate({.common_names = {"deep root"}, .ca = true})};
    for (int i = 1; i <= 10; ++i) {
      const TestCertificate& above = chain.back();
      chain.push_back(make_certificate({.common_names = {"level " + std::to_string(i)}, .issuer = &above, .ca = true}));
    }
    const TestCertificate deep = make_certificate({.issuer = &chain[5]}), too_deep = make_certificate({.issuer = &chain[9]});
    check_cases({
        {"depth five", {&deep, &chain[5], &chain[4], &chain[3], &chain[2], &chain[1]}, {{"deep", &chain[0]}}, "admitted by deep"},
        {"beyond ten", {&too_deep, &chain[9], &chain[8], &chain[7], &chain[6], &chain[5], &chain[4], &chain[3], &chain[2], &chain[1]}, {{"deep", &chain[0]}},
         "a longer one; register an intermediate CA nearer to the leaf"},
        {"beyond ten, an anchor nearer", {&too_deep, &chain[9], &chain[8]}, {{"level 7", &chain[7]}}, "admitted by level 7"},
    });
    const auto eleven = judge({"eleven presented", {&deep, &chain[10], &chain[9], &chain[8], &chain[7], &chain[6], &chain[5], &chain[4], &chain[3], &chain[2], &chain[1]}, {{"deep", &chain[0]}}, ""});
    REQUIRE(std::holds_alternative<Denial>(eleven));
    CHECK(std::get<Denial>(eleven).check == Check::kSize);
    CHECK(std::get<Denial>(eleven).expected == "at most 10 certificates with 16384 bytes");
  }
}
