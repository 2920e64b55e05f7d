// Errors as the SDKs read them (reference/service-rest.md 3): status, iothub-errorcode header and body agree, always.
//
// THREAD: any thread.
#pragma once
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "wire/http/message.h"

namespace nearhub::service {

enum class Envelope {
  kE1,  // registry, queries, jobs: {"Message":"ErrorCode:X;text","ExceptionMessage":"Tracking ID:..."}
  kE2,  // a module that is there already: the error as JSON
  kE3,  // twins and methods: the error as JSON, itself a string in "Message"
};

http::Response error_response(const Error& error, Envelope envelope, WallTime now, Random& random);

// A JSON answer: 200 with the content type that the Node SDK needs to parse it at all.
http::Response json_response(std::string body);

// 204.
http::Response no_content();

}  // namespace nearhub::service
