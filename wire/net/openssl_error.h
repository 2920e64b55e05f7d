// The text of OpenSSL's error queue. Private to wire/net.
//
// THREAD: the queue belongs to the calling thread.
#pragma once
#include <string>

namespace nearhub::net {

// The oldest error's reason, for instance "no shared cipher", and an empty queue; "unknown error" when there was none.
std::string take_openssl_error();

}  // namespace nearhub::net
