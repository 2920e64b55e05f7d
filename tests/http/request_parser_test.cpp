#include "wire/http/request_parser.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "tests/http/parsing.h"

using namespace nearhub;
using namespace nearhub::http;
using namespace std::string_literals;
using namespace std::string_view_literals;

TEST_SUITE("http") {
  TEST_CASE("request: method, target and headers are given as they were sent") {
    CHECK(parse("GET /devices/d1?api-version=2021-04-12 HTTP/1.1\r\nHost: localhost:8443\r\nX-Empty:\r\nAuthorization:  SharedAccessSignature sr=h&sig=a \t\r\n\r\n") ==
          one("GET /devices/d1?api-version=2021-04-12|Host=localhost:8443;X-Empty=;Authorization=SharedAccessSignature sr=h&sig=a||keep"));
    CHECK(parse("PROPFIND / HTTP/1.1\r\nHost: h\r\n\r\n") == one("PROPFIND /|Host=h||keep"));
    CHECK(parse("patch / HTTP/1.1\r\nHost: h\r\n\r\n") == one("patch /|Host=h||keep"));
    CHECK(parse("M-SEARCH!#$%&'*+.^_`|~ * HTTP/1.1\r\nHost: h\r\n\r\n") == one("M-SEARCH!#$%&'*+.^_`|~ *|Host=h||keep"));
  }

  TEST_CASE("request: a header is found in any case, the first of several") {
    RequestParser parser({});
    parser.feed("GET / HTTP/1.1\r\nhost: h\r\nX-Two: 1\r\nx-two: 2\r\n\r\n");
    Request request;
    REQUIRE(parser.next(request) == RequestParser::kRequest);
    REQUIRE(request.header("HOST") != nullptr);
    CHECK(*request.header("HOST") == "h");
    REQUIRE(request.header("X-TWO") != nullptr);
    CHECK(*request.header("X-TWO") == "1");
    CHECK(request.header("X-Three") == nullptr);
  }

  TEST_CASE("request: every form of target is passed on as it is") {
    for (const char* target : {"/", "/a%2Fb", "/%00", "*", "http://localhost/devices", "localhost:443", "/a?b?c#d", "//x", "/\xC3\xA4"}) {
      CAPTURE(target);
      CHECK(parse("GET "s + target + " HTTP/1.1\r\nHost: h\r\n\r\n") == one("GET "s + target + "|Host=h||keep"));
    }
  }

  TEST_CASE("request: a body of announced length, any bytes") {
    CHECK(parse("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\na\r\n\0b"sv) == one("PUT /|Host=h;Content-Length=5|a\r\n\0b|keep"s));
    CHECK(parse("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n") == one("POST /|Host=h;Content-Length=0||keep"));
    CHECK(parse("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 003\r\n\r\nabc") == one("POST /|Host=h;Content-Length=003|abc|keep"));
    CHECK(parse("POST / HTTP/1.1\r\nHost: h\r\n\r\n") == one("POST /|Host=h||keep"));
    CHECK(parse("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab") == one("GET /|Host=h;Content-Length=2|ab|keep"));
  }

  TEST_CASE("request: a body in chunks, and their extensions and the trailer are of no consequence") {
    const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string got = "POST /|Host=h;Transfer-Encoding=chunked|";
    CHECK(parse(head + "3\r\nabc\r\n0\r\n\r\n") == one(got + "abc|keep"));
    CHECK(parse(head + "0\r\n\r\n") == one(got + "|keep"));
    CHECK(parse(head + "000a\r\n0123456789\r\nA\r\n\r\n0\r\n\r\n0\r\n\r\n0\r\n\r\n") == one(got + "0123456789\r\n0\r\n\r\n0\r\n|keep"));
    CHECK(parse(head + "1;name=value;other=\"quo\\\"ted\"\r\na\r\n00;last\r\n\r\n") == one(got + "a|keep"));
    CHECK(parse("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n") ==
          one("POST /|Host=h;Transfer-Encoding=Chunked|a|keep"));
    // A header that comes behind the body was not there when the request was judged: it is none.
    CHECK(parse(head + "1\r\na\r\n0\r\nAuthorization: late\r\nConnection: close\r\n\r\n") == one(got + "a|keep"));
    CHECK(parse(head + "0\r\nHost: other\r\n\r\n") == one(got + "|keep"));
  }

  TEST_CASE("request: several behind one another") {
    CHECK(parse("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nxPOST /3 HTTP/1.1\r\nHost: h\r\n"
                "Transfer-Encoding: chunked\r\n\r\n1\r\ny\r\n0\r\n\r\nGET /4 HTTP/1.0\r\n\r\nGET") ==
          Events{"GET /1|Host=h||keep", "POST /2|Host=h;Content-Length=1|x|keep", "POST /3|Host=h;Transfer-Encoding=chunked|y|keep", "GET /4|||close", "more"});
  }

  TEST_CASE("request: one empty line before it is passed over") {
    CHECK(parse("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n") == Events{"GET /|Host=h||keep", "GET /2|Host=h||keep"});
    CHECK(parse("\r\n").empty());
    CHECK(parse("\r") == one("more"));
    CHECK(parse("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n") == one("400 not a valid HTTP/1.1 request: bad method"));
  }

  TEST_CASE("request: the connection stays open in HTTP/1.1 unless the client says close, and closes in HTTP/1.0 unless it says keep-alive") {
    CHECK(parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") == one("GET /|Host=h;Connection=close||close"));
    CHECK(parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n") == one("GET /|Host=h;Connection=x, Close||close"));
    CHECK(parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n") == one("GET /|Host=h;Connection=keep-alive||keep"));
    CHECK(parse("GET / HTTP/1.0\r\n\r\n") == one("GET /|||close"));
    CHECK(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n") == one("GET /|Connection=Keep-Alive||keep"));
  }

  TEST_CASE("request: who asks for 100 Continue is told once, before the body, and only if it has not come already") {
    const std::string head = "PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    const std::string got = "PUT /|Host=h;Expect=100-continue;Content-Length=2|ab|keep";
    CHECK(parse_cut(head + "ab", 1) == Events{"continue", got});
    CHECK(parse_cut(head + "ab", 1000) == one(got));
    CHECK(parse_cut(head, 1000) == Events{"continue", "more"});
    CHECK(parse_cut("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n", 1000) == Events{"continue", "more"});
    // Nothing follows, an expectation of another kind, and HTTP/1.0, which does not know it.
    CHECK(parse("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n") == one("GET /|Host=h;Expect=100-continue||keep"));
    CHECK(parse("PUT / HTTP/1.1\r\nHost: h\r\nExpect: x\r\nContent-Length: 1\r\n\r\n") == one("more"));
    CHECK(parse("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n") == one("more"));
  }

  TEST_CASE("request: a part of one is known for a part") {
    RequestParser parser({});
    Request request;
    CHECK_FALSE(parser.in_request());
    CHECK(parser.buffered() == 0);
    CHECK(parser.next(request) == RequestParser::kNeedMore);
    parser.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nab");
    CHECK(parser.in_request());
    CHECK(parser.next(request) == RequestParser::kHeader);
    CHECK(parser.next(request) == RequestParser::kNeedMore);
    CHECK(parser.in_request());
    parser.feed("cGET /");
    CHECK(parser.next(request) == RequestParser::kRequest);
    CHECK(request.body == "abc");
    CHECK(parser.in_request());
    CHECK(parser.buffered() == 5);
  }

  TEST_CASE("request: its header is given, once, when its body has still to come") {
    for (const char* length : {"Content-Length: 3", "Transfer-Encoding: chunked"}) {
      CAPTURE(length);
      RequestParser parser({});
      Request request;
      parser.feed("GET /a HTTP/1.0\r\nHost: h\r\nX:");
      CHECK(parser.next(request) == RequestParser::kNeedMore);
      parser.feed(" 1\r\n\r\n");
      CHECK(parser.next(request) == RequestParser::kRequest);
      parser.feed("POST /b HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"s + length + "\r\n\r\n");
      CHECK(parser.next(request) == RequestParser::kHeader);
      CHECK(request.method == "POST");
      CHECK(request.target == "/b");
      CHECK(request.headers.size() == 3);
      CHECK(request.body == "");
      CHECK(request.keep_alive);
      CHECK(parser.next(request) == RequestParser::kContinue);
      CHECK(parser.next(request) == RequestParser::kNeedMore);
      parser.feed(length[0] == 'C' ? "abc" : "3\r\nabc\r\n0\r\n\r\n");
      REQUIRE(parser.next(request) == RequestParser::kRequest);
      CHECK(request.target == "/b");
      CHECK(request.headers.size() == 3);
      CHECK(request.body == "abc");
    }
  }

  TEST_CASE("request: between two requests there is none") {
    RequestParser parser({});
    Request request;
    parser.feed("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(parser.next(request) == RequestParser::kRequest);
    CHECK_FALSE(parser.in_request());
    CHECK(parser.buffered() == 0);
    CHECK(parser.next(request) == RequestParser::kNeedMore);
    CHECK_FALSE(parser.in_request());
  }

  TEST_CASE("request: nothing of one shows in the next") {
    RequestParser parser({});
    Request request;
    parser.feed("POST /1 HTTP/1.1\r\nHost: h\r\nX: 1\r\nContent-Length: 1\r\nConnection: close\r\n\r\naGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(parser.next(request) == RequestParser::kRequest);
    REQUIRE(parser.next(request) == RequestParser::kRequest);
    CHECK(request.method == "GET");
    CHECK(request.target == "/2");
    CHECK(request.headers.size() == 1);
    CHECK(request.body == "");
    CHECK(request.keep_alive);
  }
}
