// Client libraries of small boards, and what they can take of what the hub sends.
//
// Their buffers are fixed when the firmware is built, and a message beyond them ends badly and silently: a topic that is too long drops the
// connection, a payload that is too long leaves it dead until the keep-alive fails (reference/x509-and-boards.md B.4). The hub sends it all the
// same, as the cloud would, but warns: in the log and in `nearhub why`.
//
// A library is known by what it sends: the user name says who could be one, its one SUBSCRIBE of four filters in the library's own order
// tells which (B.1, B.2). Other clients are looked at once, at their CONNECT.
//
// THREAD: any thread; value types.
#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

#include "auth/denial.h"
#include "base/ids.h"
#include "broker/username.h"
#include "wire/mqtt/packet.h"

namespace nearhub::broker {

struct BoardLibrary {
  std::string_view name;
  std::size_t header_bytes;        // of a PUBLISH: everything in front of the payload (MQTT_RX_TX buffer)
  std::size_t payload_bytes;       // that every version takes
  std::size_t most_payload_bytes;  // that the newest version takes
  std::string_view header_advice;
  std::string_view payload_advice;
};

// The nRF Connect SDK's libraries: an api-version and no client type, no model, no module.
bool may_be_board(const UserName& user);

// The library whose SUBSCRIBE this is; null: none that is known. Lives for ever.
const BoardLibrary* recognise_board(mqtt::SubscriptionList subscriptions, const IdentityId& self);

// Why the message is more than the library takes; nothing when it fits. `what`: "twin document".
std::optional<auth::Denial> board_warning(const BoardLibrary& library, const mqtt::Publish& publish);

}  // namespace nearhub::broker
