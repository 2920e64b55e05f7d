// A hub and the ways in which a board proves itself to it.
//
// THREAD: the test's.
#pragma once
#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "tests/boards/nrf_board.h"
#include "tests/packets/wire.h"
#include "tests/support/test_hub.h"

namespace nearhub::test {

inline constexpr const char* kBoardId = "nrf-352656100000001";

// A device of that id with a token that outlives the keep-alive tests, and the board that has it.
inline NrfSetup board_setup(TestHub& hub, const NrfLibrary& library, const std::string& device = kBoardId) {
  NrfSetup setup;
  setup.library = library;
  setup.tag.ca_pem = hub.tls().ca_pem;
  setup.device = device;
  setup.port = hub.mqtts();
  setup.password = hub.token(device, 1'000'000);
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
