// Requests that two readers could read differently are refused: request smuggling begins with them. And what is no request at all is
// refused as soon as it shows.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "tests/http/parsing.h"

using namespace nearhub;
using namespace nearhub::http;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

// A POST with these header lines and this behind the empty line.
Events post(std::string_view headers, std::string_view behind = {}) {
  return parse("POST / HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n" + std::string(behind));
}

Events get(std::string_view headers) { return parse("GET / HTTP/1.1\r\n" + std::string(headers) + "\r\n"); }

const std::string kNoRequest = "400 not a valid HTTP/1.1 request: ";

}  // namespace

TEST_SUITE("http") {
  TEST_CASE("framing: Transfer-Encoding and Content-Length together are refused, in either order") {
    CHECK(post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n") == one(kNoRequest + "bad Content-Length"));
    CHECK(post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n") == one(kNoRequest + "bad Transfer-Encoding"));
    CHECK(post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n") == one(kNoRequest + "bad Transfer-Encoding"));
    // Behind an encoding that the grammar does not know, too.
    CHECK(post("Transfer-Encoding: xchunked\r\nContent-Length: 4\r\n", "0\r\n\r\n") == one("501 Transfer-Encoding other than \"chunked\" is not supported"));
  }

  TEST_CASE("framing: no Transfer-Encoding but chunked, spelled just so") {
    for (const char* encoding : {"xchunked", "gzip", "gzip, chunked", "chunked, identity", "identity", "\"chunked\"", "chunked;x=1", "chun ked", "",
                                 "chunked,", ",chunked"}) {
      CAPTURE(encoding);
      CHECK(post("Transfer-Encoding: "s + encoding + "\r\n", "0\r\n\r\n") == one("501 Transfer-Encoding other than \"chunked\" is not supported"));
    }
    CHECK(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n") == one(kNoRequest + "bad Transfer-Encoding"));
    CHECK(post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n") ==
          one("501 Transfer-Encoding other than \"chunked\" is not supported"));
    CHECK(post("Transfer-Encoding: \x0b""chunked\r\n", "0\r\n\r\n") == one(kNoRequest + "bad value"));
    CHECK(post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n") == one(kNoRequest + "bad field"));
  }

  TEST_CASE("framing: HTTP/1.0 has no chunks") {
    CHECK(parse("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == one("400 Transfer-Encoding in an HTTP/1.0 request"));
  }

  TEST_CASE("framing: one Content-Length, in digits, that fits") {
    CHECK(post("Content-Length: 1\r\nContent-Length: 1\r\n", "a") == one("400 the request has more than one Content-Length header"));
    CHECK(post("Content-Length: 1\r\nContent-Length: 2\r\n", "ab") == one(kNoRequest + "bad Content-Length"));
    for (const char* length : {"1, 1", "1,", "0x1", "-1", "+1", "1.0", "1 1", "", "one", "18446744073709551616", "99999999999999999999999", "1;x"}) {
      CAPTURE(length);
      const Events events = post("Content-Length: "s + length + "\r\n", "a");
      REQUIRE(events.size() == 1);
      CHECK((events[0] == kNoRequest + "bad Content-Length" || events[0] == "400 Content-Length is not a number"));
    }
    CHECK(post("Content-Length : 1\r\n", "a") == one(kNoRequest + "bad field"));
    CHECK(post("Content-Length: 18446744073709551615\r\n") == one("413 the body exceeds 4194304 bytes"));
    CHECK(post("Content-Length: 4194305\r\n") == one("413 the body exceeds 4194304 bytes"));
  }

  TEST_CASE("framing: one Host") {
    CHECK(get("") == one("400 the request has no Host header"));
    CHECK(get("Host: a\r\nHost: a\r\n") == one("400 the request has more than one Host header"));
    CHECK(get("Host: a\r\nhOST: b\r\n") == one("400 the request has more than one Host header"));
    CHECK(get("Host : a\r\n") == one(kNoRequest + "bad field"));
    CHECK(get("Host:\r\n") == one("GET /|Host=||keep"));
    CHECK(parse("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n") == one("400 the request has more than one Host header"));
  }

  TEST_CASE("framing: lines end in CR LF, and neither stands alone") {
    const std::string alone = "400 not a valid HTTP/1.1 request: CR or LF alone in the header";
    CHECK(parse("GET / HTTP/1.1\nHost: h\n\n") == one(alone));
    CHECK(parse("GET / HTTP/1.1\r\nHost: h\n\r\n") == one(alone));
    CHECK(parse("GET / HTTP/1.1\r\nHost: h\r\n\n") == one(alone));
    CHECK(parse("GET / HTTP/1.1\r\nHost: h\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n") == one(alone));
    CHECK(parse("GET / HTTP/1.1\rHost: h\r\n\r\n") == one(alone));
    CHECK(parse("GET / HTTP/1.1\r\nHost: h\r\n\r\r\n") == one(alone));
    CHECK(parse("GET / HTTP/1.1\r\r\nHost: h\r\n\r\n") == one(alone));
  }

  TEST_CASE("framing: a header is one line") {
    const std::string folded = "400 not a valid HTTP/1.1 request: a folded header line";
    CHECK(get("Host: h\r\nX: a\r\n b\r\n") == one(folded));
    CHECK(get("Host: h\r\nTransfer-Encoding:\r\n chunked\r\n") == one(folded));
    CHECK(get("Host: h\r\nX: a\r\n\tb\r\n") == one(folded));
    CHECK(get(" Host: h\r\n") == one(folded));
  }

  TEST_CASE("framing: what stands in a header") {
    CHECK(get("Host: h\r\nX: a\0b\r\n"sv) == one(kNoRequest + "bad value"));
    CHECK(get("Host: h\r\nX\0Y: a\r\n"sv) == one(kNoRequest + "bad field"));
    CHECK(get("Host: h\r\nX: \x7f\r\n") == one(kNoRequest + "bad value"));
    CHECK(get("Host: h\r\nX Y: a\r\n") == one(kNoRequest + "bad field"));
    CHECK(get("Host: h\r\nX\r\n") == one(kNoRequest + "bad field"));
    CHECK(get("Host: h\r\n: a\r\n") == one(kNoRequest + "bad field"));
    CHECK(get("Host: h\r\nX: \xFF\xC3\xA4\t!\r\n") == one("GET /|Host=h;X=\xFF\xC3\xA4\t!||keep"));
  }

  TEST_CASE("framing: the request line is method, target and version, one space between") {
    CHECK(parse("GET  / HTTP/1.1\r\nHost: h\r\n\r\n") == one(kNoRequest + "bad target"));
    CHECK(parse("GET /a b HTTP/1.1\r\nHost: h\r\n\r\n") == one(kNoRequest + "bad version"));
    CHECK(parse("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n"sv) == one(kNoRequest + "bad target"));
    CHECK(parse("GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n") == one(kNoRequest + "bad target"));
    CHECK(parse("GET / HTTP/1.1 \r\nHost: h\r\n\r\n") == one(kNoRequest + "bad version"));
    CHECK(parse("GET /\r\nHost: h\r\n\r\n") == one(kNoRequest + "bad target"));
    CHECK(parse(" GET / HTTP/1.1\r\nHost: h\r\n\r\n") == one(kNoRequest + "bad method"));
  }

  TEST_CASE("framing: only HTTP/1.0 and HTTP/1.1") {
    for (const char* version : {"HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/2", "http/1.1", "HTTP/11", "HTTP/1.10", "RTSP/1.0", "HTTP/1,1"}) {
      CAPTURE(version);
      CHECK(parse("GET / "s + version + "\r\nHost: h\r\n\r\n") == one(kNoRequest + "bad version"));
    }
    // The preface of HTTP/2.
    CHECK(parse("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == one(kNoRequest + "bad version"));
  }

  TEST_CASE("framing: what is no HTTP is refused at its first bytes, not when the time is over") {
    // An MQTT CONNECT, a TLS hello inside of TLS, an AMQP header's NUL, a text without a method's end.
    CHECK(parse("\x10\x0C\x00\x04MQTT\x04\x02\x00\x3C\x00\x00"sv) == one(kNoRequest + "bad method"));
    CHECK(parse("\x16\x03\x01") == one(kNoRequest + "bad method"));
    CHECK(parse("AMQP\0"sv) == one(kNoRequest + "bad method"));
    CHECK(parse("{\"a\":1}") == one(kNoRequest + "bad method"));
    CHECK(parse("GET:") == one(kNoRequest + "bad method"));
    CHECK(parse("\n") == one("400 not a valid HTTP/1.1 request: CR or LF alone in the header"));
    CHECK(parse("\rx") == one("400 not a valid HTTP/1.1 request: CR or LF alone in the header"));
    CHECK(parse("hello\r\n") == one(kNoRequest + "bad method"));
    CHECK(parse("hello") == one("more"));
  }

  TEST_CASE("framing: chunks are hexadecimal sizes, CR LF, so many bytes, CR LF") {
    const char* chunked = "Transfer-Encoding: chunked\r\n";
    for (const char* body : {"g\r\n", "-1\r\na\r\n0\r\n\r\n", "+1\r\na\r\n0\r\n\r\n", " 1\r\na\r\n0\r\n\r\n", "0x1\r\na\r\n0\r\n\r\n", "\r\n",
                             ";x\r\n", "1\r\nab\r\n0\r\n\r\n", "2\r\na\r\n0\r\n\r\n", "1 \r\na\r\n0\r\n\r\n", "1\na\n0\n\n", "1\r\na\n0\r\n\r\n",
                             "1\r\na\rx", "1\rx", "1;x\ny\r\na\r\n0\r\n\r\n", "1;x\ry\r\na\r\n0\r\n\r\n", "1;\x01\r\na\r\n0\r\n\r\n",
                             "0\r\nX: a\nY: b\r\n\r\n", "0\r\nX: a\rY: b\r\n\r\n", "0\r\nX\x7f: a\r\n\r\n", "0\r\n\rx", "0\r\n\n"}) {
      CAPTURE(body);
      CHECK(post(chunked, body) == one(kNoRequest + "bad chunk"));
    }
    for (const char* size : {"10000000000000000", "ffffffffffffffff", "8000000000000000", "400001"}) {
      CAPTURE(size);
      CHECK(post(chunked, size) == one("413 the body exceeds 4194304 bytes"));
    }
    CHECK(post(chunked, "1 ;x\r\na\r\n1\t; y=\"z\"\r\nb\r\n0 ; w\r\n\r\n") == one("POST /|Host=h;Transfer-Encoding=chunked|ab|keep"));
    CHECK(post(chunked, "0\r\nContent-Length: 5\r\nTransfer-Encoding: gzip\r\nno field\r\n\r\n") == one("POST /|Host=h;Transfer-Encoding=chunked||keep"));
  }

  TEST_CASE("framing: behind a refused request nothing is read") {
    CHECK(parse("GET / HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n") == one("400 the request has no Host header"));
    CHECK(parse("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\n\r\n") ==
          Events{"GET /1|Host=h||keep", "400 the request has no Host header"});
  }
}
