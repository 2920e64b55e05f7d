// What OpenSSL's latest error means to somebody with a board on the desk. Private to this room.
//
// THREAD: any thread; OpenSSL keeps one queue per thread, which this empties.
#pragma once
#include "wire/net/tls_connection.h"

namespace nearhub::net {

CloseReason tls_failure(CloseReason::Kind kind);

}  // namespace nearhub::net
