// Bytes to HTTP/1.1 requests, one after the other, without a socket.
//
//   parser.feed(bytes);
//   switch (parser.next(request)) ...
//
// After kRequest the next call parses the request behind it (pipelining); the caller answers one before it asks for the next.
//
// Refused, because peers and proxies read them differently or because they cost memory: any Transfer-Encoding but "chunked", both
// Transfer-Encoding and Content-Length, a length that is not just digits, a missing or second Host, CR or LF alone, folded lines, versions other
// than 1.0 and 1.1, headers or bodies over the limits. Chunk extensions and trailers are read over, within the limit of the header.
//
// The same bytes give the same requests and the same error, however they are cut. Memory follows what has come, never what was announced.
//
// THREAD: one thread at a time. ERRORS: after kError the connection is to be closed behind an answer with the status of failure().
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/http/message.h"

namespace nearhub::http {

struct ParserLimits {
  std::size_t header_bytes = 16 * 1024;  // request line and all headers; also a chunk's size line, and the trailer
  std::size_t headers = 100;
  std::size_t body_bytes = 4 * 1024 * 1024;
};

class RequestParser {
 public:
  enum Outcome {
    kRequest,
    kNeedMore,
    kHeader,    // once, where the body has not come with the header: `request` is whole but for it; call next() again to wait for the body
    kContinue,  // the client asked for "100 Continue" before it sends the body: send it, then call next() again
    kError,
  };

  explicit RequestParser(const ParserLimits& limits);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  void feed(std::string_view bytes);
  Outcome next(Request& request);

  // Bytes taken but not yet part of a request handed out.
  std::size_t buffered() const;
  // True between the first byte of a request and its end: where a header or body timeout applies.
  bool in_request() const;

  // After kError: kGenericBadRequest (400), kGenericRequestEntityTooLarge (413), kRequestHeaderFieldsTooLarge (431), kNotImplemented (501).
  const Error& failure() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nearhub::http
