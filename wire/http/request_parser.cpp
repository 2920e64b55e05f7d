#include "wire/http/request_parser.h"

#include <fmt/core.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>

#include "base/text.h"

namespace nearhub::http {
namespace {

namespace beast = boost::beast;
using BeastParser = beast::http::request_parser<beast::http::string_body>;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

// Beast accepts whitespace and lists where only one spelling is safe.
Status check_framing(const BeastParser& parser) {
  std::size_t hosts = 0, lengths = 0, encodings = 0;
  for (const auto& field : parser.get()) {
    switch (field.name()) {
      case beast::http::field::host: ++hosts; break;
      case beast::http::field::content_length: ++lengths; break;
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
  return {};
}

}  // namespace

struct RequestParser::Impl {
  ParserLimits limits;
  std::string buffer;
  std::size_t at = 0;  // parsed so far
  std::optional<BeastParser> parser;
  bool header_checked = false;
  std::optional<Error> failure;

  explicit Impl(const ParserLimits& given) : limits(given) { start(); }

  void start() {
    parser.emplace();
    parser->header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    parser->body_limit(limits.body_bytes);
    parser->eager(true);
    header_checked = false;
  }

  Outcome fail(Error error) {
    failure = std::move(error);
    return kError;
  }

  Outcome fail_parse(const beast::error_code& cause) {
    if (cause == beast::http::error::header_limit) {
      return fail(Error{ErrorCode::kRequestHeaderFieldsTooLarge, fmt::format("the request line and headers exceed {} bytes", limits.header_bytes)});
    }
    if (cause == beast::http::error::body_limit) {
      return fail(Error{ErrorCode::kGenericRequestEntityTooLarge, fmt::format("the body exceeds {} bytes", limits.body_bytes)});
    }
    return fail(Error{ErrorCode::kGenericBadRequest, fmt::format("not a valid HTTP/1.1 request: {}", cause.message())});
  }

  // Gives the parser what has arrived. False after a failure.
  bool advance(beast::error_code& error) {
    while (at < buffer.size() && !parser->is_done()) {
      error = {};
      const std::size_t used = parser->put(boost::asio::const_buffer(buffer.data() + at, buffer.size() - at), error);
      at += used;
      if (error == beast::http::error::need_more) {
        error = {};
        return true;
      }
      if (error) return false;
      if (used == 0) return true;
    }
    return true;
  }

  void compact() {
    if (at == 0) return;
    buffer.erase(0, at);
    at = 0;
    if (buffer.empty()) buffer.shrink_to_fit();
  }

  void take(Request& request) {
    auto message = parser->release();
    request.method = view(message.method_string());
    request.target = view(message.target());
    request.headers.clear();
    for (const auto& field : message) {
      request.headers.push_back({std::string(view(field.name_string())), std::string(trim(view(field.value())))});
    }
    request.keep_alive = message.keep_alive();
    request.body = std::move(message.body());
  }
};

RequestParser::RequestParser(const ParserLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::~RequestParser() = default;

void RequestParser::feed(std::string_view bytes) { impl_->buffer.append(bytes); }
std::size_t RequestParser::buffered() const { return impl_->buffer.size() - impl_->at; }
bool RequestParser::in_request() const { return buffered() > 0 || impl_->parser->got_some(); }
const Error& RequestParser::failure() const { return *impl_->failure; }

RequestParser::Outcome RequestParser::next(Request& request) {
  Impl& impl = *impl_;
  if (impl.failure) return kError;
  // An empty line before a request is tolerated (RFC 9112, 2.2).
  while (!impl.parser->got_some() && impl.buffer.compare(impl.at, 2, "\r\n") == 0) impl.at += 2;

  beast::error_code error;
  const bool advanced = impl.advance(error);
  impl.compact();
  if (!advanced) return impl.fail_parse(error);

  if (impl.parser->is_header_done() && !impl.header_checked) {
    impl.header_checked = true;
    if (impl.parser->get().version() != 11 && impl.parser->get().version() != 10) {
      return impl.fail(Error{ErrorCode::kGenericBadRequest, "only HTTP/1.0 and HTTP/1.1 are supported"});
    }
    if (const Status framing = check_framing(*impl.parser); !framing.ok()) return impl.fail(framing.error());
    const auto count = static_cast<std::size_t>(std::distance(impl.parser->get().begin(), impl.parser->get().end()));
    if (count > impl.limits.headers) {
      return impl.fail(Error{ErrorCode::kRequestHeaderFieldsTooLarge, fmt::format("the request has more than {} headers", impl.limits.headers)});
    }
    const auto expect = impl.parser->get().find(beast::http::field::expect);
    if (expect != impl.parser->get().end() && !impl.parser->is_done() && equals_ignoring_case(view(expect->value()), "100-continue")) {
      return kContinue;
    }
  }
  if (!impl.parser->is_done()) return kNeedMore;
  impl.take(request);
  impl.start();
  return kRequest;
}

}  // namespace nearhub::http
