// HTTP/1.1 requests and responses as values.
//
// THREAD: value types.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error_code.h"

namespace nearhub::http {

struct Header {
  std::string name;
  std::string value;
};

struct Request {
  std::string method;  // as sent: "GET"
  std::string target;  // as sent: path and query
  std::vector<Header> headers;
  std::string body;
  bool keep_alive = true;

  // The value of the first header of that name, in any case; null when there is none.
  const std::string* header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::vector<Header> headers;  // without Content-Length, Date, Connection and Server, which encode_response() adds
  std::string body;
  // Of an error: what it is and why, for the refusal book. Not sent.
  ErrorCode code = ErrorCode::kServerError;
  std::string reason;

  Response& set(std::string name, std::string value) {
    headers.push_back({std::move(name), std::move(value)});
    return *this;
  }
};

}  // namespace nearhub::http
