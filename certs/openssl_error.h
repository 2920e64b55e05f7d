// OpenSSL's error queue as an Error. Private to this room.
//
// THREAD: any thread; OpenSSL keeps one queue per thread.
#pragma once
#include <string_view>

#include "base/result.h"

namespace nearhub::certs {

// Empties the calling thread's queue on entry, so that what openssl_error() reports belongs to this call, and on exit,
// so that no later caller on this thread (SSL_get_error reads the same queue) trips over what was left.
class ErrorQueueScope {
 public:
  ErrorQueueScope();
  ~ErrorQueueScope();
  ErrorQueueScope(const ErrorQueueScope&) = delete;
  ErrorQueueScope& operator=(const ErrorQueueScope&) = delete;
};

// "cannot sign the certificate: rsa routines: digest too big for rsa key". Takes what the queue holds.
Error openssl_error(ErrorCode code, std::string_view what);

}  // namespace nearhub::certs
