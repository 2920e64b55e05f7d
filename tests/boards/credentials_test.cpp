// The certificates that boards come with.
#include "tests/boards/board_rig.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

void register_authority(TestHub& hub, const std::string& name, const certs::Credential& authority) {
  JsonWriter json;
  json.object().member("properties").object().member("certificate", authority.pair.certificate_pem).member("isVerified", true);
  json.end_object().end_object();
  REQUIRE(hub.api("PUT", "/_nearhub/certificates/" + name, json.text()).status == 201);
}

// Everything that needs a live connection, in short.
void work_with(TestHub& hub, const NrfSetup& setup) {
  NrfBoard board(setup);
  board.start();
  board.report(R"({"n":1})");
  board.expect(NrfEvent::kReportAccepted);
  set_desired(hub, R"({"n":null})");
  board.expect(NrfEvent::kDesired);
  board.disconnect();
  CHECK(board.next().kind == NrfEvent::kDisconnected);
}

}  // namespace

TEST_SUITE("boards") {
  TEST_CASE("nRF: known by its thumbprint, with EC and RSA keys, on old and new modems") {
    for (const certs::KeyType key : {certs::KeyType::kEcP256, certs::KeyType::kRsa2048}) {
      TestHub hub;
      const certs::Credential credential = made(certs::make_client_leaf(kBoardId, board_terms(key)));
      create_board(hub, credential);
      for (const NrfLibrary& library : {kNcs15, kNcs2}) {
        for (const ModemFirmware& firmware : {kOldModem, kNewModem}) {
          NrfSetup setup = board_setup(hub, library, credential);
          setup.firmware = firmware;
          work_with(hub, setup);
        }
      }
      CHECK(hub.refusals(kBoardId).empty());
    }
  }

  TEST_CASE("nRF: signed by a registered authority, straight and below an intermediate, with EC and RSA keys") {
    for (const certs::KeyType key : {certs::KeyType::kEcP256, certs::KeyType::kRsa2048}) {
      TestHub hub;
      hub.create(kBoardId, R"({"authentication":{"type":"certificateAuthority"}})");
      const certs::Credential root = made(certs::make_authority("factory", board_terms(key)));
      const certs::Credential line = made(certs::make_authority("line-1", board_terms(key), &root));
      register_authority(hub, "factory", root);
      for (const certs::Credential* signer : {&root, &line}) {
        work_with(hub, board_setup(hub, kNcs2, made(certs::make_client_leaf(kBoardId, board_terms(key), signer))));
      }
      CHECK(hub.refusals(kBoardId).empty());
      // Of another board.
      NrfBoard other(board_setup(hub, kNcs2, made(certs::make_client_leaf("nrf-other", board_terms(key), &root))));
      CHECK(other.connect() == 5);
      CHECK(hub.refusals(kBoardId, 1).at(0).denial.check == auth::Check::kCertificate);
    }
  }

  TEST_CASE("nRF: its authority is deleted, and it is gone at once and does not come back") {
    TestHub hub;
    hub.create(kBoardId, R"({"authentication":{"type":"certificateAuthority"}})");
    const certs::Credential root = made(certs::make_authority("factory", board_terms()));
    register_authority(hub, "factory", root);
    NrfBoard board(board_setup(hub, kNcs2, made(certs::make_client_leaf(kBoardId, board_terms(), &root))));
    board.start();
    REQUIRE(hub.api("DELETE", "/_nearhub/certificates/factory", {}, {{"If-Match", "*"}}).status == 204);
    CHECK(board.next().kind == NrfEvent::kDisconnected);
    CHECK(board.connect() == 5);
  }
}
