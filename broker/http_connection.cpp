#include "broker/http_connection.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "wire/http/response.h"

namespace nearhub::broker {
namespace {

// Bytes of further requests that may wait while one is being answered; then the socket is not read.
constexpr std::size_t kMaxPipelinedBytes = 64 * 1024;

http::ParserLimits parser_limits(const HttpLimits& limits) { return {limits.header_bytes, limits.headers, limits.body_bytes}; }

}  // namespace

HttpConnection::HttpConnection(HttpFront& front, int socket, std::string peer)
    : HalfOpen(front.half_opens_),
      front_(front),
      tls_(front.loop_, front.tls_, socket, std::move(peer), *this),
      parser_(parser_limits(front.limits_)),
      deadline_(front.loop_.timers(), [this] { on_deadline(); }),
      slot_(std::make_shared<service::ExchangeSlot>()) {
  slot_->exchange = this;
  arm_deadline();
}

HttpConnection::~HttpConnection() { slot_->exchange = nullptr; }

void HttpConnection::on_secured() {
  secured_ = true;
  arm_deadline();
}

void HttpConnection::on_data(std::string_view bytes) {
  if (ended_ || source_) return;  // a stream's client has nothing more to say
  parser_.feed(bytes);
  process();
}

void HttpConnection::process() {
  if (processing_ || ended_ || source_) return;
  processing_ = true;
  while (!handling_ && !ended_ && !lagging()) {
    http::Request request;
    const http::RequestParser::Outcome outcome = parser_.next(request);
    if (outcome == http::RequestParser::kNeedMore) break;
    if (outcome == http::RequestParser::kContinue) {
      http::encode_continue(tls_.output());
      continue;
    }
    if (outcome == http::RequestParser::kError) {
      refuse(parser_.failure());
      break;
    }
    if (outcome == http::RequestParser::kHeader) {
      std::optional<http::Response> refused = front_.api_.refusal_of(request, tls_.peer());
      if (!refused) continue;
      leave();
      keep_alive_ = false;
      head_only_ = request.method == "HEAD";
      respond(std::move(*refused));
      break;
    }
    leave();
    handling_ = true;
    keep_alive_ = request.keep_alive && !stopping_;
    head_only_ = request.method == "HEAD";
    deadline_.cancel();
    front_.api_.handle(std::move(request), tls_.peer(), service::Responder(front_.loop_, slot_));
  }
  processing_ = false;
  if (ended_ || source_) return;
  held_back_ = !handling_ && lagging();
  if (held_back_ || (handling_ && parser_.buffered() > kMaxPipelinedBytes)) {
    tls_.pause_reading();
  } else {
    tls_.resume_reading();
  }
  if (!handling_) arm_deadline();
}

void HttpConnection::process_later() {
  front_.loop_.post([this, slot = slot_] {
    if (slot->exchange != nullptr) process();
  });
}

bool HttpConnection::lagging() const { return tls_.queued_output() > front_.limits_.output_bytes; }

std::string& HttpConnection::output() {
  written_at_ = front_.loop_.timers().now();
  if (tls_.queued_output() == 0) output_began_ = written_at_;
  return tls_.output();
}

void HttpConnection::refuse(const Error& error) {
  front_.hub_.refuse({}, tls_.peer(), "HTTP request", fmt::format("{} {}", http_status(error.code), error_name(error.code)),
                     {auth::Check::kProtocol, error.code, "an HTTP/1.1 request within the limits", error.detail, {}});
  const hub::Hub::Shared& shared = front_.hub_.shared();
  ended_ = true;
  http::encode_response(tls_.output(), service::error_response(error, service::Envelope::kE1, shared.clock.now(), shared.random), false, shared.clock.now());
  tls_.close();
}

void HttpConnection::respond(http::Response response) {
  if (ended_) return;
  http::encode_response(output(), response, keep_alive_, front_.hub_.shared().clock.now(), head_only_);
  handling_ = false;
  if (!keep_alive_) {
    ended_ = true;
    tls_.close();
    return;
  }
  if (!processing_) process_later();
}

void HttpConnection::stream(http::Response head, std::unique_ptr<service::StreamSource> source) {
  if (ended_) return;
  http::encode_stream_head(output(), head, front_.hub_.shared().clock.now());
  source_ = std::move(source);
  deadline_.start_at(written_at_ + front_.limits_.stream_silence);
  source_->start(*this);
}

void HttpConnection::write(std::string_view data) {
  if (ended_) return;
  http::encode_chunk(output(), data);
}

void HttpConnection::finish() {
  if (std::exchange(ended_, true)) return;
  http::encode_last_chunk(tls_.output());
  tls_.close();
}

void HttpConnection::on_drained() {
  if (ended_) return;
  if (source_) return source_->on_room();
  if (held_back_) process_later();  // the loop's end of turn is no place for new work
}

void HttpConnection::shut_down() {
  stopping_ = true;
  keep_alive_ = false;
  if (source_) return finish();
  if (handling_) return;  // its answer closes
  ended_ = true;
  tls_.close();
}

void HttpConnection::arm_deadline() {
  const bool in_request = !held_back_ && (!secured_ || parser_.in_request());
  // A request has its time from its first byte on; more bytes do not lengthen it.
  if (in_request && timing_request_ && deadline_.running()) return;
  timing_request_ = in_request;
  deadline_.start_at(front_.loop_.timers().now() + (in_request ? front_.limits_.request_time : front_.limits_.idle_time));
}

// For streams, and for clients that lag behind with reading their answers.
void HttpConnection::on_output_deadline() {
  const HttpLimits& limits = front_.limits_;
  const MonoTime now = front_.loop_.timers().now();
  if (tls_.queued_output() > 0 && now >= std::max(tls_.last_progress(), output_began_) + limits.idle_time) {
    front_.hub_.refuse({}, tls_.peer(), source_ ? "event stream" : "HTTP answers", "connection closed",
                       {auth::Check::kTimeLimit, ErrorCode::kGenericRequestTimeout, fmt::format("a client that reads within {} s", limits.idle_time.count()),
                        fmt::format("{} bytes unread", tls_.queued_output()), {}});
    ended_ = true;
    return tls_.abort();
  }
  if (source_ && tls_.queued_output() == 0 && now >= written_at_ + limits.stream_silence) source_->on_silence();
  deadline_.start_at(now + (source_ ? limits.stream_silence : limits.idle_time));
}

void HttpConnection::on_deadline() {
  if (source_ || held_back_) return on_output_deadline();
  const HttpLimits& limits = front_.limits_;
  const auto refuse_for = [this](const char* operation, std::string expected, std::string received) {
    front_.hub_.refuse({}, tls_.peer(), operation, "connection closed",
                       {auth::Check::kTimeLimit, ErrorCode::kGenericRequestTimeout, std::move(expected), std::move(received), {}});
  };
  if (!secured_) {
    refuse_for("TLS handshake", fmt::format("a TLS handshake within {} s", limits.request_time.count()), "none");
  } else if (parser_.in_request()) {
    refuse_for("HTTP request", fmt::format("a whole request within {} s", limits.request_time.count()), "a part of one");
  }
  ended_ = true;
  tls_.close();
}

void HttpConnection::give_way() {
  front_.hub_.refuse({}, tls_.peer(), "HTTP request", "connection closed",
                     {auth::Check::kLimit, ErrorCode::kGenericTooManyRequests,
                      fmt::format("at most {} connections before their first request", front_.half_opens_.bound()), "one more; this was the oldest", {}});
  ended_ = true;
  tls_.abort();
}

void HttpConnection::on_closed(const net::CloseReason& reason) {
  record_tls_failure(front_.hub_, {}, tls_.peer(), reason);
  front_.remove(*this);
}

void HttpFront::accept(int socket, std::string peer) {
  if (!count_.admit(hub_, socket, peer)) return;
  half_opens_.make_room();
  auto connection = std::make_unique<HttpConnection>(*this, socket, std::move(peer));
  HttpConnection* key = connection.get();
  connections_.emplace(key, std::move(connection));
}

void HttpFront::remove(HttpConnection& connection) {
  count_.leave();
  connections_.erase(&connection);
}

void HttpFront::shut_down() {
  for (auto& [key, connection] : connections_) connection->shut_down();
}

}  // namespace nearhub::broker
