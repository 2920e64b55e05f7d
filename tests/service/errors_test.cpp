#include "service/errors.h"

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>

#include "base/json.h"
#include "base/random.h"
#include "tests/service/samples.h"

using namespace nearhub;
using namespace nearhub::service;

namespace {

// 2026-01-01T00:00:00.1234567Z.
constexpr WallTime kNow = WallTime{Ticks{17'672'256'001'234'567}};

http::Response response(const Error& error, Envelope envelope) {
  SeededRandom random(1);
  return error_response(error, envelope, kNow, random);
}

// The 32 digits in front of "-G:0" differ with every answer.
std::string without_tracking_id(std::string text) {
  const auto at = text.find("-G:0-TimeStamp:");
  REQUIRE(at != std::string::npos);
  REQUIRE(at >= 32);
  return text.replace(at - 32, 32, "<id>");
}

// An exchange on a loop that is always the current one.
struct Answered final : Exchange, Executor {
  void respond(http::Response answer) override { response = std::move(answer); }
  void stream(http::Response /*head*/, std::unique_ptr<StreamSource> /*source*/) override {}
  void post(Task task) override { task(); }
  bool try_post(Task task) override { return task(), true; }
  bool is_current() const override { return true; }
  http::Response response;
};

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("error: a request that is dropped unanswered is answered with an error like any other") {
    test::TestHub hub;
    Answered exchange;
    auto slot = std::make_shared<ExchangeSlot>();
    slot->exchange = &exchange;
    {
      Responder responder(exchange, slot);
      responder.describe({&hub.server().hub(), "d1", "192.0.2.7:1", "GET /devices/d1"});
    }
    CHECK(exchange.response.status == 503);
    REQUIRE(exchange.response.headers.size() == 3);
    CHECK(exchange.response.headers[1].name == "iothub-errorcode");
    CHECK(exchange.response.headers[1].value == "ServiceUnavailable");
    CHECK(exchange.response.body.starts_with(R"({"Message":"ErrorCode:ServiceUnavailable;the hub stopped before it had an answer","ExceptionMessage":"Tracking ID:)"));
  }


  TEST_CASE("error: the registry's envelope [service-rest.md 3.1, E1]") {
    const http::Response made = response({ErrorCode::kDeviceNotFound, "d1"}, Envelope::kE1);
    CHECK(made.status == 404);
    CHECK(made.code == ErrorCode::kDeviceNotFound);
    CHECK(made.reason == "d1");
    CHECK(without_tracking_id(made.body) ==
          R"({"Message":"ErrorCode:DeviceNotFound;d1","ExceptionMessage":"Tracking ID:<id>-G:0-TimeStamp:01/01/2026 00:00:00"})");
    REQUIRE(made.headers.size() == 3);
    CHECK(made.headers[0].name == "Content-Type");
    CHECK(made.headers[0].value == "application/json; charset=utf-8");
    CHECK(made.headers[1].name == "iothub-errorcode");
    CHECK(made.headers[1].value == "DeviceNotFound");
    CHECK(made.headers[2].name == "x-ms-request-id");
    CHECK(made.headers[2].value.size() == 36);
  }

  TEST_CASE("error: the twins' and methods' envelope is the error as JSON inside of JSON [service-rest.md 3.1, E3]") {
    const http::Response made = response({ErrorCode::kDeviceNotOnline, "offline"}, Envelope::kE3);
    CHECK(made.status == 404);
    CHECK(without_tracking_id(made.body) ==
          R"({"Message":"{\"errorCode\":404103,\"trackingId\":\"<id>-G:0-TimeStamp:01/01/2026 00:00:00\",\"message\":\"The operation failed because the )"
          R"(requested device isn't online or hasn't registered the direct method callback. To learn more, see https://aka.ms/iothub404103\",)"
          R"(\"info\":null,\"timestampUtc\":\"2026-01-01T00:00:00.1234567Z\"}","ExceptionMessage":""})");
    CHECK(made.headers[1].value == "DeviceNotOnline");
    CHECK(made.reason == "offline");  // for the refusal book
  }

  TEST_CASE("error: a text that clients would cut at its semicolon has none, in the envelope that they split") {
    CHECK(response({ErrorCode::kArgumentInvalid, "a;b;c"}, Envelope::kE1).body.starts_with(R"({"Message":"ErrorCode:ArgumentInvalid;a,b,c",)"));
    CHECK(response({ErrorCode::kArgumentInvalid, "a;b;c"}, Envelope::kE3).body.find(R"(\"message\":\"a;b;c\")") != std::string::npos);
    CHECK(response({ErrorCode::kArgumentInvalid, "a;b"}, Envelope::kE1).reason == "a;b");
  }

  TEST_CASE("error: without a text the name stands for it") {
    CHECK(response({ErrorCode::kServerError, ""}, Envelope::kE1).body.starts_with(R"({"Message":"ErrorCode:ServerError;ServerError",)"));
  }

  TEST_CASE("error: a text may hold anything") {
    for (const Envelope envelope : {Envelope::kE1, Envelope::kE3}) {
      const auto document = parse_json(response({ErrorCode::kArgumentInvalid, "\"quoted\"\n\\ \x01 \xFF ä"}, envelope).body);
      REQUIRE(document.ok());
      CHECK(document->IsObject());
    }
  }

  TEST_CASE("error: status, header and number agree for every code") {
    const auto check = [](ErrorCode code) {
      const http::Response made = response({code, "x"}, Envelope::kE3);
      const auto document = parse_json(made.body);
      REQUIRE(document.ok());
      const auto inner = parse_json(string_of(*find_member(*document, "Message")));
      REQUIRE(inner.ok());
      CHECK(made.status == find_member(*inner, "errorCode")->GetInt() / 1000);
      CHECK(made.headers[1].value == error_name(code));
    };
#define NEARHUB_CHECK_CODE(number, name) check(ErrorCode::k##name);
    NEARHUB_HUB_ERRORS(NEARHUB_CHECK_CODE)
#undef NEARHUB_CHECK_CODE
    // Codes of our own never leave the process as such.
    for (const ErrorCode code : {ErrorCode::kIo, ErrorCode::kCorrupt, ErrorCode::kMalformed, ErrorCode::kCancelled, ErrorCode::kInvalidSetting}) {
      CHECK(response({code, "x"}, Envelope::kE1).status == 500);
    }
  }

  TEST_CASE("error: no two answers have the same ids") {
    SystemRandom random;
    std::set<std::string> bodies, ids;
    for (int i = 0; i < 10; ++i) {
      const http::Response made = error_response({ErrorCode::kDeviceNotFound, "d1"}, Envelope::kE1, kNow, random);
      bodies.insert(made.body);
      ids.insert(made.headers[2].value);
    }
    CHECK(bodies.size() == 10);
    CHECK(ids.size() == 10);
  }

  TEST_CASE("answers: JSON says what it is, and no content has none") {
    const http::Response json = json_response("[]");
    CHECK(json.status == 200);
    CHECK(json.body == "[]");
    REQUIRE(json.headers.size() == 1);
    CHECK(json.headers[0].value == "application/json; charset=utf-8");
    CHECK(no_content().status == 204);
    CHECK(no_content().headers.empty());
    CHECK(no_content().body == "");
  }
}
