// One HTTP request at a time over a kept connection, for tests.
//
// THREAD: one at a time. Failures stop the test case.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/tls_client.h"

namespace nearhub::test {

struct HttpAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // The first header of that name, in any case; empty when there is none.
  std::string header(std::string_view name) const;
  bool has_header(std::string_view name) const;
};

class HttpClient {
 public:
  HttpClient(TlsOptions options, std::uint16_t port) : options_(std::move(options)), port_(port) {}

  using Headers = std::vector<std::pair<std::string, std::string>>;
  // Host and Content-Length are added.
  HttpAnswer request(std::string_view method, std::string_view target, const Headers& headers = {}, std::string_view body = {});

  // Bytes as they are; then one answer.
  void send_raw(std::string_view bytes);
  HttpAnswer read_answer(bool head_only = false);
  // Of a streamed answer: the decoded text so far, at least up to and including `until`.
  std::string read_stream_until(std::string_view until);
  // True when the hub has closed the connection.
  bool closed();
  TlsClient& connection();
  void disconnect() { connection_.reset(); }

 private:
  bool fill();  // false at the end of the connection

  TlsOptions options_;
  std::uint16_t port_;
  std::unique_ptr<TlsClient> connection_;
  std::string buffer_;
  std::string stream_;
  bool streaming_ = false;
};

}  // namespace nearhub::test
