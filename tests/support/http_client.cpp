#include "tests/support/http_client.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.h"

namespace nearhub::test {

std::string HttpAnswer::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return {};
}

bool HttpAnswer::has_header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equals_ignoring_case(key, name)) return true;
  }
  return false;
}

TlsClient& HttpClient::connection() {
  if (!connection_) {
    connection_ = std::make_unique<TlsClient>(options_, port_);
    REQUIRE(connection_->error() == "");
    buffer_.clear();
    stream_.clear();
    streaming_ = false;
  }
  return *connection_;
}

HttpAnswer HttpClient::request(std::string_view method, std::string_view target, const Headers& headers, std::string_view body) {
  std::string text;
  text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n");
  for (const auto& [name, value] : headers) text.append(name).append(": ").append(value).append("\r\n");
  if (!body.empty() || method == "PUT" || method == "POST" || method == "PATCH") {
    text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  }
  text.append("\r\n").append(body);
  send_raw(text);
  HttpAnswer answer = read_answer(method == "HEAD");
  if (equals_ignoring_case(answer.header("Connection"), "close")) disconnect();
  return answer;
}

void HttpClient::send_raw(std::string_view bytes) { connection().send(bytes); }

bool HttpClient::fill() {
  const std::string more = connection().receive();
  buffer_ += more;
  return !more.empty();
}

HttpAnswer HttpClient::read_answer(bool head_only) {
  std::size_t end;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    REQUIRE_MESSAGE(fill(), "the connection ended before an answer");
  }
  HttpAnswer answer;
  std::string_view head = std::string_view(buffer_).substr(0, end);
  REQUIRE(head.starts_with("HTTP/1.1 "));
  answer.status = std::atoi(std::string(head.substr(9, 3)).c_str());
  auto [status_line, rest] = split_once(head, '\n');
  while (rest) {
    const auto [line, more] = split_once(*rest, '\n');
    rest = more;
    const auto [name, value] = split_once(trim(line), ':');
    answer.headers.emplace_back(name, trim(value.value_or("")));
  }
  buffer_.erase(0, end + 4);
  if (answer.status == 204 || answer.status == 100 || head_only) return answer;
  if (equals_ignoring_case(answer.header("Transfer-Encoding"), "chunked")) {
    streaming_ = true;
    return answer;
  }
  const auto length = parse_decimal(answer.header("Content-Length"));
  REQUIRE(length.has_value());
  while (buffer_.size() < *length) REQUIRE_MESSAGE(fill(), "the connection ended inside a body");
  answer.body = buffer_.substr(0, *length);
  buffer_.erase(0, *length);
  return answer;
}

std::string HttpClient::read_stream_until(std::string_view until) {
  REQUIRE(streaming_);
  // What was searched is not searched again: streams are megabytes.
  std::size_t searched = 0;
  while (stream_.find(until, searched) == std::string::npos) {
    searched = stream_.size() - std::min(stream_.size(), until.size());
    const std::size_t line = buffer_.find("\r\n");
    if (line != std::string::npos) {
      const std::size_t size = std::strtoul(buffer_.substr(0, line).c_str(), nullptr, 16);
      if (size == 0) break;
      if (buffer_.size() >= line + 2 + size + 2) {
        stream_ += buffer_.substr(line + 2, size);
        buffer_.erase(0, line + 2 + size + 2);
        continue;
      }
    }
    if (!fill()) break;
  }
  return stream_;
}

bool HttpClient::closed() {
  while (fill()) {
  }
  return true;
}

}  // namespace nearhub::test
