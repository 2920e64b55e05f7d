#include "tools/hub_answer.h"

#include <doctest/doctest.h>

using namespace nearhub;
using namespace nearhub::tools;

namespace {

HubAnswer answer(int status, std::string name, std::string body) {
  HubAnswer made;
  made.status = status;
  if (!name.empty()) made.headers = {{"Iothub-ErrorCode", std::move(name)}};
  made.body = std::move(body);
  return made;
}

Error error_of(const HubAnswer& answer) { return to_error(read_hub_error(answer)); }

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("hub errors: the registry's envelope gives its name and text") {
    const Error error = error_of(
        answer(400, "ArgumentInvalid",
               R"({"Message":"ErrorCode:ArgumentInvalid;top must be a number","ExceptionMessage":"Tracking ID:1"})"));
    CHECK(error.code == ErrorCode::kArgumentInvalid);
    CHECK(error.detail == "ArgumentInvalid: top must be a number");
  }

  TEST_CASE("hub errors: the envelope of twins and methods holds JSON in a string") {
    const Error error = error_of(answer(
        404, "DeviceNotOnline",
        R"({"Message":"{\"errorCode\":404103,\"message\":\"not online.\",\"info\":null}","ExceptionMessage":""})"));
    CHECK(error.code == ErrorCode::kDeviceNotOnline);
    CHECK(error.detail == "DeviceNotOnline: not online.");
  }

  TEST_CASE("hub errors: what is missing is an id alone, and becomes a sentence") {
    CHECK(error_of(answer(404, "DeviceNotFound", R"({"Message":"ErrorCode:DeviceNotFound;d9"})")).detail ==
          "DeviceNotFound: there is no device d9");
    CHECK(error_of(answer(404, "ModuleNotFound", R"({"Message":"ErrorCode:ModuleNotFound;m"})")).detail ==
          "ModuleNotFound: there is no module m");
  }

  TEST_CASE("hub errors: a text that begins with the name is not given twice") {
    CHECK(error_of(answer(412, "PreconditionFailed",
                          R"({"Message":"ErrorCode:PreconditionFailed;PreconditionFailed, ETag may be invalid."})"))
              .detail == "PreconditionFailed, ETag may be invalid.");
  }

  TEST_CASE("hub errors: an answer that is not the hub's is shown by its status, safe and short") {
    CHECK(error_of(answer(502, "", "<html>\x1B[2J" + std::string(500, 'x'))).detail ==
          "HTTP status 502: <html>\\u001b[2J" + std::string(190, 'x'));
    CHECK(error_of(answer(500, "", "")).detail == "HTTP status 500");
    CHECK(error_of(answer(500, "NoSuchName", "")).code == ErrorCode::kServerError);
  }

  TEST_CASE("hub answers: header names are in any case") {
    CHECK(answer(200, "x", "").header("iothub-errorcode") == "x");
    CHECK(answer(200, "x", "").header("other") == "");
  }
}
