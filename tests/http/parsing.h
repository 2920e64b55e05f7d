// What the tests of the request parser share: a stream of bytes, cut in any way, as the requests that it gives.
#pragma once
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "wire/http/request_parser.h"

namespace nearhub::http {

// "GET /a|Host=h;X=1|body|keep" for a request, "continue" where the client waits for leave to send its body, then "more", or
// "400 sentence", whichever comes first.
inline std::vector<std::string> parse_cut(std::string_view bytes, std::size_t size, const ParserLimits& limits = {}) {
  std::vector<std::string> events;
  RequestParser parser(limits);
  Request request;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    parser.feed(bytes.substr(at, size));
    for (bool more = true; more;) {
      switch (parser.next(request)) {
        case RequestParser::kRequest: {
          std::string text = request.method + " " + request.target + "|";
          for (const Header& header : request.headers) text += header.name + "=" + header.value + ";";
          if (!request.headers.empty()) text.pop_back();
          events.push_back(text + "|" + request.body + "|" + (request.keep_alive ? "keep" : "close"));
          break;
        }
        case RequestParser::kHeader: break;  // where the stream was cut
        case RequestParser::kContinue: events.emplace_back("continue"); break;
        case RequestParser::kNeedMore: more = false; break;
        case RequestParser::kError:
          events.push_back(std::to_string(http_status(parser.failure().code)) + " " + parser.failure().detail);
          // It stays an error, whatever follows.
          parser.feed("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
          CHECK(parser.next(request) == RequestParser::kError);
          return events;
      }
    }
  }
  if (parser.in_request()) events.emplace_back("more");
  return events;
}

using Events = std::vector<std::string>;

// The stream whole; cut into single bytes, and into pieces of other sizes, it must give the same.
inline Events parse(std::string_view bytes, const ParserLimits& limits = {}) {
  const Events whole = parse_cut(bytes, bytes.size(), limits);
  for (const std::size_t size : {1u, 2u, 3u, 7u, 64u}) {
    CAPTURE(size);
    CHECK(parse_cut(bytes, size, limits) == whole);
  }
  return whole;
}

inline Events one(std::string event) { return {std::move(event)}; }

}  // namespace nearhub::http

namespace doctest {
template <>
struct StringMaker<std::vector<std::string>> {
  static String convert(const std::vector<std::string>& events) {
    std::string text;
    for (const std::string& event : events) text += "{" + event + "}";
    return text.c_str();
  }
};
}  // namespace doctest
