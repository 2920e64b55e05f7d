#include "registry/identity.h"

#include <doctest/doctest.h>

#include <string>

#include "base/base64.h"
#include "base/random.h"
#include "base/text.h"
#include "tests/registry/samples.h"

using namespace nearhub;
using namespace nearhub::registry;

namespace {

Identity created(std::string_view body = "{}", const IdentityId& id = kDevice, std::uint64_t seed = 1) {
  SeededRandom random(seed);
  return create_identity(id, request(body, id), kNow, random);
}

Identity replaced(const Identity& old, std::string_view body, WallTime now = kNow + std::chrono::hours{1}) {
  SeededRandom random(2);
  return replace_identity(old, request(body, old.id), now, random);
}

}  // namespace

TEST_SUITE("registry") {
  TEST_CASE("create: the generation id is the time in .NET ticks") {
    CHECK(created().generation_id.str() == "638095749841626056");
    SeededRandom random(1);
    CHECK(create_identity(kDevice, {}, WallTime{}, random).generation_id.str() == "621355968000000000");
  }

  TEST_CASE("create: the etag is the base64 of a random number of nine digits") {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      const Identity identity = created("{}", kDevice, seed);
      CHECK(identity.etag_counter >= 100'000'000);
      CHECK(identity.etag_counter <= 999'999'999);
    }
    CHECK(created("{}", kDevice, 1).etag() != created("{}", kDevice, 2).etag());
    Identity identity;
    identity.etag_counter = 984'225'715;
    CHECK(identity.etag() == ETag("OTg0MjI1NzE1"));
    identity.etag_counter = 1'000'000'000;
    CHECK(base64_decode(identity.etag().str()) == "1000000000");
  }

  TEST_CASE("create: what a request leaves out has its default") {
    const Identity identity = created();
    CHECK(identity.id == kDevice);
    CHECK(identity.enabled);
    CHECK_FALSE(identity.status_reason.has_value());
    CHECK(identity.status_updated == kNever);
    CHECK(identity.connection_state_updated == kNever);
    CHECK(identity.last_activity == kNever);
    CHECK_FALSE(identity.managed_by.has_value());
    CHECK(identity.credentials.type == auth::AuthenticationType::kSas);
  }

  TEST_CASE("create: without keys the hub makes two of 32 bytes, with keys it takes them byte for byte") {
    const Identity made = created();
    const auto primary = base64_decode(made.credentials.primary_key), secondary = base64_decode(made.credentials.secondary_key);
    REQUIRE(primary.has_value());
    REQUIRE(secondary.has_value());
    CHECK(primary->size() == 32);
    CHECK(secondary->size() == 32);
    CHECK(*primary != *secondary);
    CHECK(created("{}", kDevice, 2).credentials.primary_key != made.credentials.primary_key);

    const Identity given = created(kBothKeys);
    CHECK(given.credentials.primary_key == kPrimary);
    CHECK(given.credentials.secondary_key == kSecondary);
    // The Node SDK sends two empty texts, the Python SDK nulls.
    for (const char* none : {R"({"authentication":{"symmetricKey":{"primaryKey":"","secondaryKey":""}}})",
                             R"({"authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null}}})",
                             R"({"authentication":{"symmetricKey":{}}})", R"({"authentication":{"type":"sas","symmetricKey":null}})",
                             R"({"authentication":{}})", R"({"authentication":null})"}) {
      CAPTURE(none);
      CHECK(base64_decode(created(none).credentials.primary_key)->size() == 32);
    }
  }

  TEST_CASE("create: identities of the other types get no keys") {
    for (const char* type : {"selfSigned", "certificateAuthority"}) {
      const Identity identity = created(R"({"authentication":{"type":")" + std::string(type) + R"("}})");
      CHECK(identity.credentials.primary_key == "");
      CHECK(identity.credentials.secondary_key == "");
    }
  }

  TEST_CASE("replace: every write moves the etag by one, the generation id stays") {
    const Identity before = created();
    const Identity after = replaced(before, "{}");
    CHECK(after.etag_counter == before.etag_counter + 1);
    CHECK(after.generation_id == before.generation_id);
    CHECK(after.id == before.id);
    CHECK(replaced(after, "{}").etag_counter == before.etag_counter + 2);
  }

  TEST_CASE("replace: is a full one, and what is left out falls back to its default, and keys are made anew") {
    const Identity before = created(R"({"status":"disabled","statusReason":"lost","authentication":{"symmetricKey":{)"
                                    R"("primaryKey":"cHJpbWFyeSBrZXkgb2YgMzIgcmVhZGFibGUgYnl0ZXM=",)"
                                    R"("secondaryKey":"c2Vjb25kYXJ5IGtleSwgcmVhZGFibGUgYXMgd2VsbC4="}}})");
    CHECK_FALSE(before.enabled);
    CHECK(before.status_reason == "lost");
    const Identity after = replaced(before, "{}");
    CHECK(after.enabled);
    CHECK_FALSE(after.status_reason.has_value());
    CHECK(after.credentials.primary_key != kPrimary);
    CHECK(base64_decode(after.credentials.primary_key)->size() == 32);

    const Identity module = created(R"({"managedBy":"iotEdge"})", kModule);
    CHECK(module.managed_by == "iotEdge");
    CHECK_FALSE(replaced(module, "{}").managed_by.has_value());
  }

  TEST_CASE("replace: keys can be swapped, and a change of type drops what the other type used") {
    const Identity before = created(kBothKeys);
    const Identity swapped = replaced(before, R"({"authentication":{"type":"sas","symmetricKey":{)"
                                              R"("primaryKey":"c2Vjb25kYXJ5IGtleSwgcmVhZGFibGUgYXMgd2VsbC4=",)"
                                              R"("secondaryKey":"cHJpbWFyeSBrZXkgb2YgMzIgcmVhZGFibGUgYnl0ZXM="}}})");
    CHECK(swapped.credentials.primary_key == kSecondary);
    CHECK(swapped.credentials.secondary_key == kPrimary);
    const Identity certificate = replaced(swapped, R"({"authentication":{"type":"certificateAuthority"}})");
    CHECK(certificate.credentials == auth::Credentials{auth::AuthenticationType::kCertificateAuthority, {}, {}, {}, {}});
    CHECK(base64_decode(replaced(certificate, "{}").credentials.primary_key)->size() == 32);
  }

  TEST_CASE("replace: statusUpdatedTime moves when the status changes, and only then") {
    const WallTime first = kNow + std::chrono::hours{1}, second = kNow + std::chrono::hours{2}, third = kNow + std::chrono::hours{3};
    const Identity before = created();
    const Identity same = replaced(before, R"({"status":"enabled"})", first);
    CHECK(same.status_updated == kNever);
    const Identity disabled = replaced(same, R"({"status":"disabled"})", second);
    CHECK(disabled.status_updated == second);
    const Identity reason = replaced(disabled, R"({"status":"disabled","statusReason":"lost"})", third);
    CHECK(reason.status_updated == second);
    CHECK(replaced(reason, "{}", third).status_updated == third);
    CHECK(created(R"({"status":"disabled"})").status_updated == kNever);
  }

  TEST_CASE("replace: what follows the live connection is not the request's to change") {
    Identity before = created();
    before.connection_state_updated = kNow + std::chrono::minutes{1};
    before.last_activity = kNow + std::chrono::minutes{2};
    const Identity after = replaced(before, R"({"connectionStateUpdatedTime":"2020-01-01T00:00:00","lastActivityTime":"2020-01-01T00:00:00"})");
    CHECK(after.connection_state_updated == before.connection_state_updated);
    CHECK(after.last_activity == before.last_activity);
  }
}
