#include "wire/http/response.h"

#include <fmt/core.h>

#include "base/text.h"
#include "base/time_format.h"

namespace nearhub::http {
namespace {

void encode_head(std::string& out, const Response& response, WallTime now) {
  out += fmt::format("HTTP/1.1 {} {}\r\n", response.status, status_text(response.status));
  constexpr std::string_view kBreaks("\r\n\0", 3);
  for (const Header& header : response.headers) {
    // Values may echo what a client sent: a line break would start a header of its choosing.
    if (header.name.empty() || header.name.find_first_of(kBreaks) != std::string::npos || header.value.find_first_of(kBreaks) != std::string::npos) continue;
    out.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  out.append("Server: nearhub\r\nDate: ").append(format_http_date(now)).append("\r\n");
}

}  // namespace

const std::string* Request::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (equals_ignoring_case(header.name, name)) return &header.value;
  }
  return nullptr;
}

std::string_view status_text(int status) {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Unknown";
  }
}

void encode_response(std::string& out, const Response& response, bool keep_alive, WallTime now, bool head_only) {
  encode_head(out, response, now);
  // RFC 9110: a 204 has no body and no Content-Length.
  if (response.status != 204) out += fmt::format("Content-Length: {}\r\n", response.body.size());
  if (!keep_alive) out.append("Connection: close\r\n");
  out.append("\r\n");
  if (!head_only && response.status != 204) out.append(response.body);
}

void encode_stream_head(std::string& out, const Response& response, WallTime now) {
  encode_head(out, response, now);
  out.append("Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
}

void encode_chunk(std::string& out, std::string_view data) {
  if (data.empty()) return;
  out += fmt::format("{:x}\r\n", data.size());
  out.append(data).append("\r\n");
}

void encode_last_chunk(std::string& out) { out.append("0\r\n\r\n"); }

void encode_continue(std::string& out) { out.append("HTTP/1.1 100 Continue\r\n\r\n"); }

}  // namespace nearhub::http
