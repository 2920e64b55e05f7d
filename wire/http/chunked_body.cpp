#include "wire/http/chunked_body.h"

#include <fmt/core.h>

#include <algorithm>

namespace nearhub::http {
namespace {

Error bad_chunk() { return {ErrorCode::kGenericBadRequest, "not a valid HTTP/1.1 request: bad chunk"}; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What may stand in an extension or a trailer.
bool is_text(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); }

}  // namespace

Result<bool> ChunkedBody::take(std::string_view& bytes, std::string& body) {
  while (!bytes.empty()) {
    if (state_ == State::kData) {
      const std::size_t n = std::min(left_, bytes.size());
      body.append(bytes.substr(0, n));
      bytes.remove_prefix(n);
      left_ -= n;
      if (left_ == 0) state_ = State::kDataCr;
      continue;
    }
    const char c = bytes.front();
    bytes.remove_prefix(1);
    auto done = step(c, body.size());
    if (!done.ok() || *done) return done;
  }
  return false;
}

Result<bool> ChunkedBody::step(char c, std::size_t body_bytes) {
  if (state_ != State::kDataCr && state_ != State::kDataLf && ++line_bytes_ > max_line_bytes_) {
    return Error{ErrorCode::kRequestHeaderFieldsTooLarge, fmt::format("a chunk's extensions or the trailer exceed {} bytes", max_line_bytes_)};
  }
  switch (state_) {
    case State::kFirstDigit:
    case State::kDigits:
      if (const int digit = hex_digit(c); digit >= 0) {
        state_ = State::kDigits;
        left_ = left_ * 16 + static_cast<std::size_t>(digit);
        if (left_ > max_body_bytes_ - body_bytes) {
          return Error{ErrorCode::kGenericRequestEntityTooLarge, fmt::format("the body exceeds {} bytes", max_body_bytes_)};
        }
        return false;
      }
      if (state_ == State::kFirstDigit) return bad_chunk();
      [[fallthrough]];
    case State::kSpace:
      if (c == ';') {
        state_ = State::kExtension;
      } else if (c == ' ' || c == '\t') {
        state_ = State::kSpace;
      } else if (c == '\r' && state_ == State::kDigits) {
        state_ = State::kSizeEnd;
      } else {
        return bad_chunk();
      }
      return false;
    case State::kExtension:
      if (c == '\r') {
        state_ = State::kSizeEnd;
      } else if (!is_text(c)) {
        return bad_chunk();
      }
      return false;
    case State::kSizeEnd:
      if (c != '\n') return bad_chunk();
      state_ = is_last() ? State::kTrailerLine : State::kData;
      return false;
    case State::kDataCr:
      if (c != '\r') return bad_chunk();
      state_ = State::kDataLf;
      return false;
    case State::kDataLf:
      if (c != '\n') return bad_chunk();
      state_ = State::kFirstDigit;
      line_bytes_ = 0;
      return false;
    case State::kTrailerLine:
      if (c == '\r') {
        state_ = State::kLastLf;
        return false;
      }
      [[fallthrough]];
    case State::kTrailer:
      state_ = c == '\r' ? State::kTrailerLf : State::kTrailer;
      if (c != '\r' && !is_text(c)) return bad_chunk();
      return false;
    case State::kTrailerLf:
      if (c != '\n') return bad_chunk();
      state_ = State::kTrailerLine;
      return false;
    case State::kLastLf:
      if (c != '\n') return bad_chunk();
      return true;
    case State::kData: break;
  }
  return bad_chunk();
}

}  // namespace nearhub::http
