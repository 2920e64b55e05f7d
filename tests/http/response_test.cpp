#include "wire/http/response.h"

#include <doctest/doctest.h>

#include <string>

using namespace nearhub;
using namespace nearhub::http;

namespace {

// 2026-01-01T00:00:00Z.
constexpr WallTime kNow = WallTime{std::chrono::seconds{1'767'225'600}};
const std::string kServerAndDate = "Server: nearhub\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n";

std::string encoded(const Response& response, bool keep_alive = true, bool head_only = false) {
  std::string out;
  encode_response(out, response, keep_alive, kNow, head_only);
  return out;
}

Response response(int status, std::string body = {}) {
  Response made;
  made.status = status;
  made.body = std::move(body);
  return made;
}

}  // namespace

TEST_SUITE("http") {
  TEST_CASE("response: status line, headers in their order, length, body") {
    Response made = response(200, "{\"a\":1}");
    made.set("Content-Type", "application/json; charset=utf-8").set("ETag", "\"abc\"");
    CHECK(encoded(made) == "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nETag: \"abc\"\r\n" + kServerAndDate +
                               "Content-Length: 7\r\n\r\n{\"a\":1}");
  }

  TEST_CASE("response: is appended to what waits already") {
    std::string out = "before";
    encode_response(out, response(200, "x"), true, kNow);
    CHECK(out == "beforeHTTP/1.1 200 OK\r\n" + kServerAndDate + "Content-Length: 1\r\n\r\nx");
  }

  TEST_CASE("response: without a body the length is 0, so that the client does not wait") {
    CHECK(encoded(response(200)) == "HTTP/1.1 200 OK\r\n" + kServerAndDate + "Content-Length: 0\r\n\r\n");
  }

  TEST_CASE("response: 204 has neither body nor length") {
    CHECK(encoded(response(204)) == "HTTP/1.1 204 No Content\r\n" + kServerAndDate + "\r\n");
    CHECK(encoded(response(204, "lost")) == "HTTP/1.1 204 No Content\r\n" + kServerAndDate + "\r\n");
  }

  TEST_CASE("response: to HEAD the length is that of the body, which is not sent") {
    CHECK(encoded(response(200, "12345"), true, true) == "HTTP/1.1 200 OK\r\n" + kServerAndDate + "Content-Length: 5\r\n\r\n");
    CHECK(encoded(response(404, "12345"), false, true) == "HTTP/1.1 404 Not Found\r\n" + kServerAndDate + "Content-Length: 5\r\nConnection: close\r\n\r\n");
  }

  TEST_CASE("response: the last one of a connection says so") {
    CHECK(encoded(response(200, "x"), false) == "HTTP/1.1 200 OK\r\n" + kServerAndDate + "Content-Length: 1\r\nConnection: close\r\n\r\nx");
    CHECK(encoded(response(204), false) == "HTTP/1.1 204 No Content\r\n" + kServerAndDate + "Connection: close\r\n\r\n");
  }

  TEST_CASE("response: a header that would begin another line is left out") {
    Response made = response(200);
    made.set("X-Echo", "a\r\nSet-Cookie: b").set("X-CR", "a\rb").set("X-LF", "a\nb").set("X-NUL", std::string("a\0b", 3)).set("X-Good", "c");
    made.set("X-Name: forged\r\nX", "d").set("", "e");
    CHECK(encoded(made) == "HTTP/1.1 200 OK\r\nX-Good: c\r\n" + kServerAndDate + "Content-Length: 0\r\n\r\n");
  }

  TEST_CASE("response: every status that the hub's errors give has its phrase") {
#define NEARHUB_STATUS(number, name) CHECK(status_text(http_status(ErrorCode::k##name)) != "Unknown");
    NEARHUB_HUB_ERRORS(NEARHUB_STATUS)
#undef NEARHUB_STATUS
    CHECK(status_text(200) == "OK");
    CHECK(status_text(404) == "Not Found");
    CHECK(status_text(418) == "Unknown");
    CHECK(encoded(response(418)) == "HTTP/1.1 418 Unknown\r\n" + kServerAndDate + "Content-Length: 0\r\n\r\n");
  }

  TEST_CASE("stream: chunks of what is written, an empty one skipped, the last one ends it") {
    std::string out;
    Response head;
    head.set("Content-Type", "text/event-stream");
    encode_stream_head(out, head, kNow);
    CHECK(out == "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + kServerAndDate + "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    out.clear();
    encode_chunk(out, "data: 1\n\n");
    encode_chunk(out, "");
    encode_chunk(out, std::string(26, 'x'));
    encode_last_chunk(out);
    CHECK(out == "9\r\ndata: 1\n\n\r\n1a\r\n" + std::string(26, 'x') + "\r\n0\r\n\r\n");
  }

  TEST_CASE("continue: an interim answer without headers") {
    std::string out;
    encode_continue(out);
    CHECK(out == "HTTP/1.1 100 Continue\r\n\r\n");
  }
}
