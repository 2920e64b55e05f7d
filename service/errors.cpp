#include "service/errors.h"

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time_format.h"

namespace nearhub::service {
namespace {

// What clients of the cloud are used to; the error's own text, which says which of the two it was, stands in the refusal book.
constexpr std::string_view kNotOnline =
    "The operation failed because the requested device isn't online or hasn't registered the direct method callback. To learn more, see "
    "https://aka.ms/iothub404103";

}  // namespace

http::Response json_response(std::string body) {
  http::Response response;
  response.set("Content-Type", "application/json; charset=utf-8");
  response.body = std::move(body);
  return response;
}

http::Response no_content() {
  http::Response response;
  response.status = 204;
  return response;
}

http::Response error_response(const Error& error, Envelope envelope, WallTime now, Random& random) {
  const std::string name(error_name(error.code));
  const std::string tracking = random.hex(16) + "-G:0-TimeStamp:" + format_tracking_time(now);
  std::string text = error.detail.empty() ? name : error.detail;
  if (error.code == ErrorCode::kDeviceNotOnline) text = kNotOnline;
  JsonWriter json;
  JsonWriter plain;
  if (envelope != Envelope::kE1) {
    plain.object()
        .member("errorCode", static_cast<std::int64_t>(error_number(error.code)))
        .member("trackingId", tracking)
        .member("message", text)
        .member("info")
        .null()
        .member("timestampUtc", format_iso8601(now))
        .end_object();
  }
  if (envelope == Envelope::kE2) {
    json = std::move(plain);
  } else if (envelope == Envelope::kE3) {
    json.object().member("Message", plain.text()).member("ExceptionMessage", "").end_object();
  } else {
    // Clients split the message at ';' and take the second part for the text.
    for (char& c : text) {
      if (c == ';') c = ',';
    }
    json.object().member("Message", "ErrorCode:" + name + ";" + text).member("ExceptionMessage", "Tracking ID:" + tracking).end_object();
  }
  http::Response response = json_response(std::move(json).take());
  response.code = error.code;
  response.reason = error.detail;
  response.status = http_status(error.code);
  response.set("iothub-errorcode", name);
  response.set("x-ms-request-id", random.uuid());
  return response;
}

}  // namespace nearhub::service
