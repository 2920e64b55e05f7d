// Every limit at its edge: what just fits, and what is one too much. A limit holds however the bytes come in.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "tests/http/parsing.h"

using namespace nearhub;
using namespace nearhub::http;

namespace {

constexpr ParserLimits kSmall{100, 4, 10};

// A request whose line and headers, the empty line included, have this many bytes.
std::string request_of(std::size_t bytes) {
  const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nX: ", end = "\r\n\r\n";
  return start + std::string(bytes - start.size() - end.size(), 'x') + end;
}

std::string chunked(std::string_view body) { return "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body); }
std::string posted(std::size_t bytes) {
  return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" + std::string(bytes, 'b');
}

const Events kTooLong = one("431 the request line and headers exceed 100 bytes");
const Events kTooMany = one("431 the request has more than 4 headers");
const Events kTooBig = one("413 the body exceeds 10 bytes");
const Events kTooMuchAround = one("431 a chunk's extensions or the trailer exceed 100 bytes");

}  // namespace

TEST_SUITE("http") {
  TEST_CASE("limits: request line and headers together") {
    CHECK(parse(request_of(100), kSmall).at(0).starts_with("GET /|Host=h;X=xxx"));
    CHECK(parse(request_of(101), kSmall) == kTooLong);
    // It does not matter whether the line or the headers are long, nor whether the end ever comes.
    CHECK(parse("GET /" + std::string(95, 'a'), kSmall) == one("more"));
    CHECK(parse("GET /" + std::string(96, 'a'), kSmall) == kTooLong);
    CHECK(parse(std::string(101, 'G'), kSmall) == kTooLong);
    CHECK(parse("GET / HTTP/1.1\r\nHost: h\r\n" + std::string(76, 'X'), kSmall) == kTooLong);
    std::string many_lines = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (int i = 0; i < 100; ++i) many_lines += "X:y\r\n";
    CHECK(parse(many_lines, kSmall) == kTooLong);
    CHECK(parse(many_lines + "\r\n", kSmall) == kTooLong);
  }

  TEST_CASE("limits: header lines that come one at a time are counted together") {
    // A peer that sends whole lines, for ever.
    RequestParser parser(kSmall);
    Request request;
    parser.feed("GET / HTTP/1.1\r\n");
    CHECK(parser.next(request) == RequestParser::kNeedMore);
    RequestParser::Outcome outcome = RequestParser::kNeedMore;
    int lines = 0;
    while (outcome == RequestParser::kNeedMore && lines < 1000) {
      parser.feed("X: y\r\n");
      outcome = parser.next(request);
      ++lines;
    }
    CHECK(outcome == RequestParser::kError);
    CHECK(lines == 15);  // 16 + 14 x 6 = 100 bytes are within the limit
    CHECK(parser.failure() == Error{ErrorCode::kRequestHeaderFieldsTooLarge, "the request line and headers exceed 100 bytes"});
  }

  TEST_CASE("limits: each request has the limit of its own") {
    CHECK(parse(request_of(100) + request_of(100) + request_of(101), kSmall).size() == 3);
    CHECK(parse("\r\n" + request_of(100), kSmall).at(0).starts_with("GET /|"));
  }

  TEST_CASE("limits: the number of headers") {
    CHECK(parse("GET / HTTP/1.1\r\nHost: h\r\nA:1\r\nB:1\r\nC:1\r\n\r\n", kSmall) == one("GET /|Host=h;A=1;B=1;C=1||keep"));
    CHECK(parse("GET / HTTP/1.1\r\nHost: h\r\nA:1\r\nB:1\r\nC:1\r\nD:1\r\n\r\n", kSmall) == kTooMany);
    CHECK(parse("GET / HTTP/1.1\r\nHost: h\r\nA:1\r\nA:1\r\nA:1\r\nA:1\r\n\r\n", kSmall) == kTooMany);
  }

  TEST_CASE("limits: the body, announced or in chunks") {
    CHECK(parse(posted(10), kSmall) == one("POST /|Host=h;Content-Length=10|bbbbbbbbbb|keep"));
    CHECK(parse(posted(11), kSmall) == kTooBig);
    const std::string got = "POST /|Host=h;Transfer-Encoding=chunked|";
    CHECK(parse(chunked("a\r\nbbbbbbbbbb\r\n0\r\n\r\n"), kSmall) == one(got + "bbbbbbbbbb|keep"));
    CHECK(parse(chunked("b\r\nbbbbbbbbbbb\r\n0\r\n\r\n"), kSmall) == kTooBig);
    CHECK(parse(chunked("5\r\nbbbbb\r\n5\r\nbbbbb\r\n0\r\n\r\n"), kSmall) == one(got + "bbbbbbbbbb|keep"));
    CHECK(parse(chunked("5\r\nbbbbb\r\n5\r\nbbbbb\r\n1\r\nb\r\n0\r\n\r\n"), kSmall) == kTooBig);
  }

  TEST_CASE("limits: a body that is too big is refused when it is announced, not when it has come") {
    CHECK(parse("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n", kSmall) == kTooBig);
    CHECK(parse(chunked("b\r\n"), kSmall) == kTooBig);
    CHECK(parse("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n", kSmall) == kTooBig);
  }

  TEST_CASE("limits: an announced length takes no memory") {
    RequestParser parser({});
    Request request;
    parser.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4194304\r\n\r\nfirst bytes");
    CHECK(parser.next(request) == RequestParser::kHeader);
    CHECK(parser.next(request) == RequestParser::kNeedMore);
    parser.feed(std::string(4'194'304 - 11, 'x'));
    REQUIRE(parser.next(request) == RequestParser::kRequest);
    CHECK(request.body.size() == 4'194'304);
    CHECK(request.body.starts_with("first bytesxxx"));
    CHECK(request.body.capacity() < 2 * 4'194'304 + 1);
  }

  TEST_CASE("limits: what stands around the chunks is bounded as the header is") {
    const std::string got = "POST /|Host=h;Transfer-Encoding=chunked|";
    CHECK(parse(chunked("1;x=" + std::string(94, 'e') + "\r\na\r\n0\r\n\r\n"), kSmall) == one(got + "a|keep"));
    CHECK(parse(chunked("1;x=" + std::string(97, 'e')), kSmall) == kTooMuchAround);
    CHECK(parse(chunked("1;x=" + std::string(97, 'e') + "\r\na\r\n0\r\n\r\n"), kSmall) == kTooMuchAround);
    CHECK(parse(chunked("0;x=" + std::string(97, 'e')), kSmall) == kTooMuchAround);
    CHECK(parse(chunked("0\r\nX: " + std::string(90, 't') + "\r\n\r\n"), kSmall) == one(got + "|keep"));
    CHECK(parse(chunked("0\r\nX: " + std::string(91, 't') + "\r\n\r\n"), kSmall) == kTooMuchAround);
    std::string trailer = "0\r\n";
    for (int i = 0; i < 100; ++i) trailer += "X:y\r\n";
    CHECK(parse(chunked(trailer), kSmall) == kTooMuchAround);
    CHECK(parse(chunked(std::string(101, '0')), kSmall) == kTooMuchAround);
  }

  TEST_CASE("limits: many small chunks make a body as one does") {
    std::string body, text;
    for (int i = 0; i < 3000; ++i) {
      text += "1;i=" + std::to_string(i) + "\r\n" + static_cast<char>('a' + i % 26) + "\r\n";
      body += static_cast<char>('a' + i % 26);
    }
    CHECK(parse(chunked(text + "0\r\n\r\n")) == one("POST /|Host=h;Transfer-Encoding=chunked|" + body + "|keep"));
  }

  TEST_CASE("limits: what has been handed out is not kept") {
    RequestParser parser({});
    Request request;
    for (int i = 0; i < 3; ++i) {
      parser.feed(posted(100'000));
      REQUIRE(parser.next(request) == RequestParser::kRequest);
      CHECK(parser.buffered() == 0);
    }
  }
}
