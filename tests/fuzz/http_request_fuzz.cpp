// Any bytes, cut in any way.
//
// Input: one byte n (modulo 8), n bytes that say how the stream is cut (used in turn: a chunk's size less one), the stream.
// A first byte '0' means no cut bytes (chunks of one byte), so that a seed is a digit and the requests.
//
// Checked: the stream gives the same requests and the same error whole as cut; every limit holds; a request's framing is
// beyond doubt, and written again it is read the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "wire/http/request_parser.h"
#include "wire/http/response.h"

using namespace nearhub;
using namespace nearhub::http;

namespace {

constexpr ParserLimits kLimits{512, 12, 600};  // small enough that each is met

bool equal(const Request& a, const Request& b) {
  return a.method == b.method && a.target == b.target && a.body == b.body && a.keep_alive == b.keep_alive &&
         std::equal(a.headers.begin(), a.headers.end(), b.headers.begin(), b.headers.end(),
                    [](const Header& x, const Header& y) { return x.name == y.name && x.value == y.value; });
}

std::size_t count(const Request& request, std::string_view name) {
  return static_cast<std::size_t>(std::count_if(request.headers.begin(), request.headers.end(),
                                                [name](const Header& header) { return equals_ignoring_case(header.name, name); }));
}

std::string encoded(const Request& request, std::string_view version) {
  std::string text = request.method + " " + request.target + " HTTP/" + std::string(version) + "\r\n";
  for (const Header& header : request.headers) text += header.name + ":" + header.value + "\r\n";
  text += "\r\n";
  if (count(request, "Transfer-Encoding") == 0) return text + request.body;
  encode_chunk(text, request.body);
  encode_last_chunk(text);
  return text;
}

bool reads_the_same(const Request& request, std::string_view version) {
  RequestParser parser(kLimits);
  parser.feed(encoded(request, version));
  Request again;
  RequestParser::Outcome outcome = parser.next(again);
  if (outcome == RequestParser::kContinue) outcome = parser.next(again);
  return outcome == RequestParser::kRequest && equal(again, request) && !parser.in_request();
}

void check_request(const Request& request) {
  constexpr std::string_view kBreaks("\r\n\0", 3);
  std::size_t bytes = request.method.size() + request.target.size();
  NEARHUB_CHECK(!request.method.empty() && !request.target.empty());
  NEARHUB_CHECK((request.method + request.target).find_first_of(" \t\r\n") == std::string::npos);
  for (const Header& header : request.headers) {
    bytes += header.name.size() + header.value.size();
    NEARHUB_CHECK(!header.name.empty() && header.name.find_first_of(" \t:") == std::string::npos);
    NEARHUB_CHECK((header.name + header.value).find_first_of(kBreaks) == std::string::npos);
    NEARHUB_CHECK(trim(header.value) == header.value);
  }
  NEARHUB_CHECK(bytes <= kLimits.header_bytes && request.headers.size() <= kLimits.headers && request.body.size() <= kLimits.body_bytes);

  const std::size_t lengths = count(request, "Content-Length"), encodings = count(request, "Transfer-Encoding");
  NEARHUB_CHECK(count(request, "Host") <= 1 && lengths + encodings <= 1);
  if (lengths == 1) NEARHUB_CHECK(parse_decimal(*request.header("Content-Length")) == request.body.size());
  if (encodings == 1) NEARHUB_CHECK(equals_ignoring_case(*request.header("Transfer-Encoding"), "chunked"));
  if (lengths + encodings == 0) NEARHUB_CHECK(request.body.empty());
  NEARHUB_CHECK(reads_the_same(request, "1.1") || reads_the_same(request, "1.0"));
}

struct Parsed {
  std::vector<Request> requests;
  std::string error;
  ErrorCode code{};
  bool in_request = false;
  std::size_t buffered = 0;
};

// False behind an error.
bool take(RequestParser& parser, Parsed& parsed) {
  for (Request request;;) {
    switch (parser.next(request)) {
      case RequestParser::kRequest: parsed.requests.push_back(std::move(request)); break;
      case RequestParser::kHeader: NEARHUB_CHECK(parser.in_request() && request.body.empty()); break;
      case RequestParser::kContinue: NEARHUB_CHECK(parser.in_request()); break;  // asked for only where the body has not come
      case RequestParser::kNeedMore: return true;
      case RequestParser::kError:
        parsed.error = parser.failure().detail;
        parsed.code = parser.failure().code;
        NEARHUB_CHECK(!parsed.error.empty());
        NEARHUB_CHECK(parsed.code == ErrorCode::kGenericBadRequest || parsed.code == ErrorCode::kGenericRequestEntityTooLarge ||
                      parsed.code == ErrorCode::kRequestHeaderFieldsTooLarge || parsed.code == ErrorCode::kNotImplemented);
        parser.feed("GET / HTTP/1.1\r\nHost: h\r\n\r\n");  // it stays an error
        NEARHUB_CHECK(parser.next(request) == RequestParser::kError);
        return false;
    }
  }
}

Parsed parse_cut(std::string_view stream, std::string_view cuts) {
  Parsed parsed;
  RequestParser parser(kLimits);
  for (std::size_t i = 0; !stream.empty(); ++i) {
    const std::size_t size = cuts.empty() ? stream.size() : std::min<std::size_t>(static_cast<std::uint8_t>(cuts[i % cuts.size()]) + 1u, stream.size());
    // A copy of its own: the address sanitizer sees a read past it or after it.
    const std::vector<char> chunk(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(size));
    stream.remove_prefix(size);
    parser.feed({chunk.data(), chunk.size()});
    if (!take(parser, parsed)) return parsed;
  }
  parsed.in_request = parser.in_request();
  parsed.buffered = parser.buffered();
  NEARHUB_CHECK(parsed.buffered <= kLimits.header_bytes);  // a body goes into its request
  return parsed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  const std::size_t cut_count = std::min<std::size_t>(static_cast<std::uint8_t>(input[0]) % 8, input.size() - 1);
  const std::string_view cuts = input.substr(1, cut_count), stream = input.substr(1 + cut_count);

  const Parsed whole = parse_cut(stream, {});
  const Parsed cut = parse_cut(stream, cuts.empty() ? std::string_view("\0", 1) : cuts);
  NEARHUB_CHECK(std::equal(whole.requests.begin(), whole.requests.end(), cut.requests.begin(), cut.requests.end(), equal));
  NEARHUB_CHECK(cut.error == whole.error && cut.code == whole.code);
  NEARHUB_CHECK(cut.in_request == whole.in_request && cut.buffered == whole.buffered);
  for (const Request& request : whole.requests) check_request(request);
  return 0;
}
