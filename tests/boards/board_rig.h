// A hub and the ways in which a board proves itself to it.
//
// THREAD: the test's.
#pragma once
#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>

#include "base/json_writer.h"
#include "certs/credential.h"
#include "tests/boards/nrf_board.h"
#include "tests/packets/wire.h"
#include "tests/support/test_hub.h"

namespace nearhub::test {

inline constexpr const char* kBoardId = "nrf-352656100000001";

inline certs::Credential made(Result<certs::Credential> credential) {
  REQUIRE_MESSAGE(credential.ok(), (credential.ok() ? std::string() : credential.error().detail));
  return std::move(*credential);
}

// Valid for longer than any test moves the clock.
inline certs::Terms board_terms(certs::KeyType key = certs::KeyType::kEcP256) {
  static SystemRandom random;
  return {key, 365, SystemClock().now(), random};
}

// As it is written to the modem: the certificate with the intermediates above it.
inline SecurityTag security_tag(TestHub& hub, const certs::Credential& credential) {
  SecurityTag tag;
  tag.ca_pem = hub.tls().ca_pem;
  auto shown = certs::chain_without_root(credential.chain_pem);
  REQUIRE(shown.ok());
  tag.certificate_pem = std::move(*shown);
  tag.key_pem = credential.pair.key_pem;
  // What a tag has room for.
  REQUIRE(tag.certificate_pem.size() < kModemCertificateBytes);
  REQUIRE(tag.key_pem.size() < kModemCertificateBytes);
  return tag;
}

// The board of most tests: its certificate signs itself.
inline const certs::Credential& board_credential() {
  static const certs::Credential credential = made(certs::make_client_leaf(kBoardId, board_terms()));
  return credential;
}

// A device that is known by the thumbprint of this certificate.
inline void create_board(TestHub& hub, const certs::Credential& credential = board_credential(), const std::string& device = kBoardId) {
  const auto info = certs::read_certificate(credential.pair.certificate_pem);
  REQUIRE(info.ok());
  JsonWriter json;
  json.object().member("authentication").object().member("type", "selfSigned").member("x509Thumbprint").object();
  json.member("primaryThumbprint", info->sha256_thumbprint).end_object().end_object().end_object();
  hub.create(device, json.text());
}

inline NrfSetup board_setup(TestHub& hub, const NrfLibrary& library, const certs::Credential& credential = board_credential(),
                            const std::string& device = kBoardId) {
  NrfSetup setup;
  setup.library = library;
  setup.tag = security_tag(hub, credential);
  setup.device = device;
  setup.port = hub.mqtts();
  return setup;
}

inline void queue_message(TestHub& hub, std::string_view body, const HttpClient::Headers& headers = {}) {
  CHECK(call(hub, "POST", std::string("/devices/") + kBoardId + "/messages/deviceBound", body, headers).status == 204);
}
inline void set_desired(TestHub& hub, std::string_view json) {
  const std::string body = R"({"properties":{"desired":)" + std::string(json) + "}}";
  CHECK(call(hub, "PATCH", std::string("/twins/") + kBoardId, body).status == 200);
}

}  // namespace nearhub::test
