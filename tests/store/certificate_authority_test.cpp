// Registered CAs: what is written is read at the next start, and only what applies is written.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/store/store_rig.h"
#include "tests/support/certificate_maker.h"

using namespace nearhub;
using namespace nearhub::store;

namespace {

registry::CertificateAuthority authority_of(const std::string& name, std::int64_t etag = 100) {
  static const test::TestCertificate root = test::make_certificate({.common_names = {"root"}, .ca = true});
  registry::CertificateAuthority authority;
  authority.name = name;
  authority.certificate = root.der();
  authority.verification_code = "C0DE";
  authority.created = WallTime{Ticks{1234567}};
  authority.updated = WallTime{Ticks{2345678}};
  authority.etag_counter = etag;
  REQUIRE(registry::read_certificate(authority).ok());
  return authority;
}

std::vector<registry::CertificateAuthority> stored(StoreRig& rig) {
  rig.reopen();
  auto all = rig.store().certificate_authorities();
  REQUIRE(all.ok());
  return std::move(*all);
}

ErrorCode code_of(const Status& status) {
  REQUIRE_FALSE(status.ok());
  return status.error().code;
}

}  // namespace

TEST_SUITE("store") {
  TEST_CASE("certificate authorities: come back after a restart, in the order of their names, with every field") {
    const TemporaryFolder folder;
    StoreSettings settings;
    settings.path = folder.file("nearhub.db");
    StoreRig rig(settings);
    CHECK(stored(rig).empty());
    CHECK(rig.write(hub::PutAuthority{authority_of("b"), std::nullopt}).ok());
    CHECK(rig.write(hub::PutAuthority{authority_of("a"), std::nullopt}).ok());
    CHECK(stored(rig) == std::vector{authority_of("a"), authority_of("b")});
    CHECK(stored(rig)[0].subject == "CN=root");

    registry::CertificateAuthority changed = authority_of("b", 101);
    changed.verified = true;
    changed.verification_code.clear();
    CHECK(rig.write(hub::PutAuthority{changed, 100}).ok());
    CHECK(stored(rig) == std::vector{authority_of("a"), changed});
    CHECK(rig.write(hub::DeleteAuthority{"a", 100}).ok());
    CHECK(stored(rig) == std::vector{changed});
  }

  TEST_CASE("certificate authorities: a write whose etag is not the stored one writes nothing") {
    const TemporaryFolder folder;
    StoreSettings settings;
    settings.path = folder.file("nearhub.db");
    StoreRig rig(settings);
    REQUIRE(rig.write(hub::PutAuthority{authority_of("a"), std::nullopt}).ok());
    CHECK(code_of(rig.write(hub::PutAuthority{authority_of("a", 7), std::nullopt})) == ErrorCode::kPreconditionFailed);
    CHECK(code_of(rig.write(hub::PutAuthority{authority_of("a", 7), 99})) == ErrorCode::kPreconditionFailed);
    CHECK(code_of(rig.write(hub::PutAuthority{authority_of("b", 7), 99})) == ErrorCode::kPreconditionFailed);
    CHECK(code_of(rig.write(hub::DeleteAuthority{"a", 99})) == ErrorCode::kPreconditionFailed);
    CHECK(code_of(rig.write(hub::DeleteAuthority{"b", 100})) == ErrorCode::kPreconditionFailed);
    CHECK(stored(rig) == std::vector{authority_of("a")});
  }

  TEST_CASE("certificate authorities: a stored certificate that cannot be read stops the start with its name") {
    StoreRig rig;
    registry::CertificateAuthority damaged = authority_of("damaged");
    damaged.certificate.resize(40);
    REQUIRE(rig.write(hub::PutAuthority{damaged, std::nullopt}).ok());
    const auto all = rig.store().certificate_authorities();
    REQUIRE_FALSE(all.ok());
    CHECK(all.error().code == ErrorCode::kCorrupt);
    CHECK(all.error().detail == "the stored certificate damaged: it is no X.509 certificate");
  }
}
