#include "service/request.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace nearhub;
using namespace nearhub::service;

namespace {

http::Request get(std::string target, std::vector<http::Header> headers = {}) {
  http::Request request;
  request.method = "GET";
  request.target = std::move(target);
  request.headers = std::move(headers);
  return request;
}

Result<Request> taken(http::Request request) { return take_apart(request, "192.0.2.7:1"); }

// "devices|d1": the segments of the path; or the sentence of the refusal.
std::string path_of(std::string target) {
  const auto request = taken(get(std::move(target)));
  if (!request.ok()) {
    CHECK(request.error().code == ErrorCode::kArgumentInvalid);
    return request.error().detail;
  }
  std::string text;
  for (const std::string& segment : request->path) text += (text.empty() ? "" : "|") + segment;
  return text;
}

std::string condition_of(std::vector<http::Header> headers) {
  const hub::Condition condition = parse_if_match(get("/", std::move(headers)));
  switch (condition.kind) {
    case hub::Condition::kAbsent: return "absent";
    case hub::Condition::kAny: return "any";
    case hub::Condition::kEtag: return "etag " + condition.etag;
  }
  return {};
}

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("request: the path is decoded, then split, and a trailing slash does not count") {
    CHECK(path_of("/devices/d1") == "devices|d1");
    CHECK(path_of("/devices/d1/") == "devices|d1");
    CHECK(path_of("/devices/") == "devices");
    CHECK(path_of("/") == "");
    CHECK(path_of("/devices%2Fd1%2fmodules%2Fm1") == "devices|d1|modules|m1");
    CHECK(path_of("/devices/a%23b%3F+%25") == "devices|a#b?+%");
    CHECK(path_of("/devices/d1%2F?api-version=1") == "devices|d1");
    // A raw id of the Java and C clients.
    CHECK(path_of("/devices/a:b;c=d,e'f$g!(h)*@") == "devices|a:b;c=d,e'f$g!(h)*@");
  }

  TEST_CASE("request: paths that are none") {
    CHECK(path_of("") == "the request target is not a path");
    CHECK(path_of("*") == "the request target is not a path");
    CHECK(path_of("http://localhost/devices") == "the request target is not a path");
    CHECK(path_of("?api-version=1") == "the request target is not a path");
    CHECK(path_of("//devices") == "the path has an empty segment");
    CHECK(path_of("/devices//d1") == "the path has an empty segment");
    CHECK(path_of("/devices//") == "the path has an empty segment");
    CHECK(path_of("/devices/%2Fd1") == "the path has an empty segment");
    CHECK(path_of("/devices/%") == "path: invalid percent-encoding at position 10");
    CHECK(path_of("/devices/%zz") == "path: invalid percent-encoding at position 10");
    CHECK(path_of("/devices/%00") == "path: invalid percent-encoding at position 10");
  }

  TEST_CASE("request: the query is taken apart before it is decoded, and a plus sign stays one") {
    const auto request = taken(get("/x?api-version=2021-04-12&a=b%26c%3Dd&e&&f=&g=1+2&a=second"));
    REQUIRE(request.ok());
    const std::vector<std::pair<std::string, std::string>> expected = {{"api-version", "2021-04-12"}, {"a", "b&c=d"}, {"e", ""}, {"f", ""}, {"g", "1+2"}, {"a", "second"}};
    CHECK(request->query == expected);
    REQUIRE(request->parameter("API-Version") != nullptr);
    CHECK(*request->parameter("API-Version") == "2021-04-12");
    CHECK(*request->parameter("a") == "b&c=d");
    CHECK(request->parameter("h") == nullptr);
  }

  TEST_CASE("request: POST may be a PATCH in disguise, and nothing else may be anything else") {
    const auto method = [](std::string sent, std::string says) {
      http::Request request = get("/x", {{"x-http-method-override", std::move(says)}});
      request.method = std::move(sent);
      return taken(std::move(request))->method;
    };
    CHECK(method("POST", "PATCH") == "PATCH");
    CHECK(method("POST", "patch") == "PATCH");
    CHECK(method("POST", "DELETE") == "POST");
    CHECK(method("GET", "PATCH") == "GET");
    CHECK(method("PUT", "PATCH") == "PUT");
  }

  TEST_CASE("request: as a line for people") {
    const auto request = taken(get("/devices/d1/?x=secret"));
    REQUIRE(request.ok());
    CHECK(request->operation() == "GET /devices/d1");
    CHECK(request->peer == "192.0.2.7:1");
  }

  TEST_CASE("If-Match: absent, any and one, however it is written") {
    CHECK(condition_of({}) == "absent");
    CHECK(condition_of({{"if-match", "*"}}) == "any");
    CHECK(condition_of({{"If-Match", "\"*\""}}) == "any");
    CHECK(condition_of({{"If-Match", "\"abc=\""}}) == "etag abc=");
    CHECK(condition_of({{"If-Match", "abc="}}) == "etag abc=");
    CHECK(condition_of({{"If-Match", "W/\"abc=\""}}) == "etag abc=");
    CHECK(condition_of({{"If-Match", " \"abc=\" "}}) == "etag abc=");
    CHECK(condition_of({{"If-Match", "\"\""}}) == "etag ");
    CHECK(condition_of({{"If-Match", ""}}) == "etag ");
    CHECK(condition_of({{"If-Match", "\""}}) == "etag \"");
    CHECK(condition_of({{"If-Match", "\"\"abc\"\""}}) == "etag \"abc\"");
  }

  TEST_CASE("api-version: any date, with or without -preview") {
    for (const char* good : {"2021-04-12", "2016-11-14", "2024-03-31", "2020-05-31-preview", "0000-00-00"}) CHECK(is_api_version(good));
    for (const char* bad : {"", "2021", "2021-4-12", "2021-04-12-beta", "2021-04-12-Preview", "20210412", "2021/04/12", "2021-04-1a", "-preview", " 2021-04-12"}) {
      CAPTURE(bad);
      CHECK_FALSE(is_api_version(bad));
    }
  }
}
