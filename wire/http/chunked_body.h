// The chunked transfer coding (RFC 9112, 7.1), decoded as it comes in. Private to wire/http.
//
// Extensions and the trailer are read over: no client of a hub says anything there, and a header that comes behind the body was not there when
// the request was judged. Lines end in CR LF; neither stands alone.
//
// THREAD: one thread at a time.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nearhub::http {

class ChunkedBody {
 public:
  // `max_line_bytes`: of a chunk's size line, and of the last one and the trailer together.
  ChunkedBody(std::size_t max_line_bytes, std::size_t max_body_bytes) : max_line_bytes_(max_line_bytes), max_body_bytes_(max_body_bytes) {}

  // Takes bytes off the front and appends to `body` what belongs there. True when the body is complete; what is left of `bytes` then
  // is the next request. Fails with kGenericBadRequest, kGenericRequestEntityTooLarge or kRequestHeaderFieldsTooLarge.
  Result<bool> take(std::string_view& bytes, std::string& body);

 private:
  enum class State {
    kFirstDigit,
    kDigits,
    kSpace,      // between the size and the ';' of an extension
    kExtension,
    kSizeEnd,    // LF
    kData,
    kDataCr,
    kDataLf,
    kTrailerLine,  // at its first byte
    kTrailer,
    kTrailerLf,
    kLastLf,
  };
  // One byte of what stands around the data. True behind the last one.
  Result<bool> step(char c, std::size_t body_bytes);
  bool is_last() const { return left_ == 0; }

  const std::size_t max_line_bytes_;
  const std::size_t max_body_bytes_;
  State state_ = State::kFirstDigit;
  std::size_t left_ = 0;        // of the chunk
  std::size_t line_bytes_ = 0;  // so far
};

}  // namespace nearhub::http
