#include "wire/http/request_parser.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "base/text.h"
#include "wire/http/chunked_body.h"

namespace nearhub::http {
namespace {

namespace beast = boost::beast;
using HeaderParser = beast::http::request_parser<beast::http::empty_body>;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

Error bad_request(std::string_view why) { return {ErrorCode::kGenericBadRequest, fmt::format("not a valid HTTP/1.1 request: {}", why)}; }

// A character of a method (RFC 9110, 5.6.2).
bool is_token(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

// Looks for the empty line that ends the header, at each byte once. What only a broken or a hostile client sends is refused at its first
// byte: lines that end otherwise than in CR LF, folded ones, and what does not begin with a method (another protocol on the wrong port).
class HeaderEnd {
 public:
  // True at the last byte of the header.
  Result<bool> look_at(char c) {
    if (std::exchange(after_cr_, c == '\r')) {
      if (c != '\n') return bad_request("CR or LF alone in the header");
      if (line_bytes_ == 0) return true;
      line_bytes_ = 0;
      return false;
    }
    if (c == '\n') return bad_request("CR or LF alone in the header");
    if (in_method_) {
      if (c == ' ' && line_bytes_ > 0) {
        in_method_ = false;
      } else if (!is_token(c)) {
        return bad_request("bad method");
      }
    } else if (line_bytes_ == 0 && (c == ' ' || c == '\t')) {
      return bad_request("a folded header line");
    }
    if (c != '\r') ++line_bytes_;
    return false;
  }

 private:
  bool in_method_ = true;
  bool after_cr_ = false;
  std::size_t line_bytes_ = 0;
};

// The grammar accepts whitespace and lists where only one spelling is safe. Gives the length of a body that is not chunked.
Result<std::uint64_t> check_framing(const HeaderParser& parser) {
  std::size_t hosts = 0, lengths = 0, encodings = 0;
  std::uint64_t length = 0;
  for (const auto& field : parser.get()) {
    switch (field.name()) {
      case beast::http::field::host: ++hosts; break;
      case beast::http::field::content_length: {
        ++lengths;
        const auto number = parse_decimal(view(field.value()));
        if (!number) return Error{ErrorCode::kGenericBadRequest, "Content-Length is not a number"};
        length = *number;
        break;
      }
      case beast::http::field::transfer_encoding:
        ++encodings;
        if (!equals_ignoring_case(view(field.value()), "chunked")) {
          return Error{ErrorCode::kNotImplemented, "Transfer-Encoding other than \"chunked\" is not supported"};
        }
        break;
      default: break;
    }
  }
  if (hosts > 1) return Error{ErrorCode::kGenericBadRequest, "the request has more than one Host header"};
  if (hosts == 0 && parser.get().version() == 11) return Error{ErrorCode::kGenericBadRequest, "the request has no Host header"};
  if (lengths > 1) return Error{ErrorCode::kGenericBadRequest, "the request has more than one Content-Length header"};
  if (encodings > 1 || (encodings == 1 && lengths > 0)) {
    return Error{ErrorCode::kGenericBadRequest, "the request has both Transfer-Encoding and Content-Length"};
  }
  if (encodings == 1 && parser.get().version() == 10) return Error{ErrorCode::kGenericBadRequest, "Transfer-Encoding in an HTTP/1.0 request"};
  return length;
}

}  // namespace

struct RequestParser::Impl {
  enum class State { kStart, kHeader, kSizedBody, kChunkedBody };

  const ParserLimits limits;
  std::string buffer;
  std::size_t at = 0;       // taken so far
  std::size_t scanned = 0;  // behind `at`: of a header whose end has not come
  bool empty_line_passed = false;
  State state = State::kStart;
  HeaderEnd header_end;
  Request request;
  std::uint64_t left = 0;  // of a body with a length
  std::optional<ChunkedBody> chunks;
  bool body_awaited = false;  // kHeader has been given
  bool wants_continue = false;
  std::optional<Error> failure;

  explicit Impl(const ParserLimits& given) : limits(given) {}

  void start() {
    state = State::kStart;
    empty_line_passed = false;
    body_awaited = false;
    request = {};
    chunks.reset();
  }

  void compact() {
    buffer.erase(0, at);
    at = 0;
    if (buffer.empty()) buffer.shrink_to_fit();
  }

  // Each step gives true when it has reached its end.

  // An empty line before a request is tolerated (RFC 9112, 2.2).
  Result<bool> pass_empty_line() {
    if (at == buffer.size()) return false;
    if (buffer[at] == '\r' && !empty_line_passed) {
      if (at + 1 == buffer.size()) return false;
      if (buffer[at + 1] != '\n') return bad_request("CR or LF alone in the header");
      at += 2;
      empty_line_passed = true;
      return pass_empty_line();
    }
    state = State::kHeader;
    header_end = {};
    scanned = 0;
    return true;
  }

  Result<bool> read_header() {
    for (; at + scanned < buffer.size(); ++scanned) {
      if (scanned == limits.header_bytes) {
        return Error{ErrorCode::kRequestHeaderFieldsTooLarge, fmt::format("the request line and headers exceed {} bytes", limits.header_bytes)};
      }
      const auto ended = header_end.look_at(buffer[at + scanned]);
      if (!ended.ok()) return ended;
      if (*ended) {
        if (const Status parsed = parse_header(std::string_view(buffer).substr(at, scanned + 1)); !parsed.ok()) return parsed.error();
        at += scanned + 1;
        return true;
      }
    }
    return false;
  }

  Status parse_header(std::string_view text) {
    HeaderParser parser;
    parser.skip(true);  // the body is ours
    parser.header_limit(static_cast<std::uint32_t>(text.size() + 1));
    beast::error_code error;
    parser.put(boost::asio::const_buffer(text.data(), text.size()), error);
    if (error) return bad_request(error.message());
    const auto length = check_framing(parser);
    if (!length.ok()) return length.error();

    const auto& message = parser.get();
    request.method = view(message.method_string());
    request.target = view(message.target());
    for (const auto& field : message) {
      if (request.headers.size() == limits.headers) {
        return Error{ErrorCode::kRequestHeaderFieldsTooLarge, fmt::format("the request has more than {} headers", limits.headers)};
      }
      request.headers.push_back({std::string(view(field.name_string())), std::string(trim(view(field.value())))});
    }
    request.keep_alive = parser.keep_alive();
    if (*length > limits.body_bytes) {
      return Error{ErrorCode::kGenericRequestEntityTooLarge, fmt::format("the body exceeds {} bytes", limits.body_bytes)};
    }
    left = *length;
    state = State::kSizedBody;
    if (request.header("Transfer-Encoding") != nullptr) {
      state = State::kChunkedBody;
      chunks.emplace(limits.header_bytes, limits.body_bytes);
    }
    const std::string* expect = request.header("Expect");
    wants_continue = expect != nullptr && message.version() == 11 && equals_ignoring_case(*expect, "100-continue");
    return {};
  }

  Result<bool> read_sized_body() {
    // Not reserved: a length is only announced, and memory is for what has come.
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size() - at));
    request.body.append(buffer, at, n);
    at += n;
    left -= n;
    return left == 0;
  }

  Result<bool> read_chunked_body() {
    std::string_view rest = std::string_view(buffer).substr(at);
    const auto done = chunks->take(rest, request.body);
    at = buffer.size() - rest.size();
    return done;
  }

  // True when a request is complete.
  Result<bool> advance() {
    for (;;) {
      const State before = state;
      const auto done = before == State::kStart       ? pass_empty_line()
                        : before == State::kHeader    ? read_header()
                        : before == State::kSizedBody ? read_sized_body()
                                                      : read_chunked_body();
      if (!done.ok() || !*done) return done;
      if (before == State::kSizedBody || before == State::kChunkedBody) return true;
    }
  }
};

RequestParser::RequestParser(const ParserLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::~RequestParser() = default;

void RequestParser::feed(std::string_view bytes) { impl_->buffer.append(bytes); }
std::size_t RequestParser::buffered() const { return impl_->buffer.size() - impl_->at; }
bool RequestParser::in_request() const { return buffered() > 0 || impl_->state != Impl::State::kStart; }
const Error& RequestParser::failure() const { return *impl_->failure; }

RequestParser::Outcome RequestParser::next(Request& request) {
  Impl& impl = *impl_;
  if (impl.failure) return kError;
  const auto complete = impl.advance();
  impl.compact();
  if (!complete.ok()) {
    impl.failure = complete.error();
    return kError;
  }
  if (!*complete) {
    const bool in_body = impl.state == Impl::State::kSizedBody || impl.state == Impl::State::kChunkedBody;
    if (in_body && !std::exchange(impl.body_awaited, true)) {
      const Request& begun = impl.request;
      request = {begun.method, begun.target, begun.headers, {}, begun.keep_alive};
      return kHeader;
    }
    return in_body && std::exchange(impl.wants_continue, false) ? kContinue : kNeedMore;
  }
  request = std::move(impl.request);
  impl.start();
  return kRequest;
}

}  // namespace nearhub::http
