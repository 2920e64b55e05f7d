// A TLS connection with HTTP/1.1 on it, and the set of them that one loop holds.
//
// One request at a time: the next is parsed when the last is answered, in a turn of its own. An answer may come from deep inside a hub operation,
// which must not find that the next request has changed what it works on.
//
// THREAD: the loop that holds it.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "broker/connection_count.h"
#include "broker/half_open.h"
#include "broker/limits.h"
#include "service/api.h"
#include "wire/http/request_parser.h"
#include "wire/net/tls_connection.h"

namespace nearhub::broker {

class HttpFront;

class HttpConnection final : public net::TlsConnection::Handler, public service::Exchange, public service::StreamSink, private HalfOpen {
 public:
  HttpConnection(HttpFront& front, int socket, std::string peer);
  ~HttpConnection() override;

  void shut_down();

  // net::TlsConnection::Handler
  void on_secured() override;
  void on_data(std::string_view bytes) override;
  void on_drained() override;
  void on_closed(const net::CloseReason& reason) override;

  // service::Exchange
  void respond(http::Response response) override;
  void stream(http::Response head, std::unique_ptr<service::StreamSource> source) override;

  // service::StreamSink
  void write(std::string_view data) override;
  std::size_t backlog() const override { return tls_.queued_output(); }
  void finish() override;

 private:
  void process();
  void process_later();
  bool lagging() const;  // the client has too many answers to read
  std::string& output();
  void refuse(const Error& error);
  void give_way() override;
  void arm_deadline();
  void on_deadline();
  void on_output_deadline();

  HttpFront& front_;
  net::TlsConnection tls_;
  http::RequestParser parser_;
  Timer deadline_;
  std::shared_ptr<service::ExchangeSlot> slot_;  // shared with the answers under way
  std::unique_ptr<service::StreamSource> source_;
  MonoTime output_began_{};  // when the first of the bytes that wait now was written
  MonoTime written_at_{};    // when the last was
  bool secured_ = false;
  bool handling_ = false;   // a request is being answered
  bool processing_ = false;
  bool held_back_ = false;  // requests wait until the client has read its answers
  bool keep_alive_ = true;
  bool head_only_ = false;
  bool ended_ = false;      // close is under way
  bool stopping_ = false;
  bool timing_request_ = true;  // the deadline is that of a handshake or request, not of an idle connection
};

class HttpFront {
 public:
  HttpFront(net::Loop& loop, const hub::Hub& hub, const net::TlsContext& tls, const service::Api& api, const HttpLimits& limits, ConnectionCount& count)
      : loop_(loop), hub_(hub), tls_(tls), api_(api), limits_(limits), count_(count), half_opens_(count.limits().half_open) {}

  void accept(int socket, std::string peer);
  // Answers what is under way and takes no more requests.
  void shut_down();
  std::size_t size() const { return connections_.size(); }

 private:
  friend class HttpConnection;
  void remove(HttpConnection& connection);

  net::Loop& loop_;
  const hub::Hub& hub_;
  const net::TlsContext& tls_;
  const service::Api& api_;
  const HttpLimits& limits_;
  ConnectionCount& count_;
  HalfOpens half_opens_;  // declared before the connections, which leave it when they are destroyed
  std::unordered_map<HttpConnection*, std::unique_ptr<HttpConnection>> connections_;
};

}  // namespace nearhub::broker
