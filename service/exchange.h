// One HTTP request and the place where its answer goes.
//
// A handler runs on the loop of the connection; the hub operation that it asks for runs on the device's home loop and answers there. The
// Responder carries the answer back to the connection's loop, and drops it when the connection is gone.
//
// THREAD: a Responder may travel between threads and answers from any of them; Exchange and StreamSource live on the connection's loop.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/executor.h"
#include "hub/hub.h"
#include "wire/http/message.h"

namespace nearhub::service {

// Where a stream's bytes go.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  virtual void write(std::string_view data) = 0;
  // Bytes that the peer has not taken yet. A source stops at kMaxStreamBacklog and goes on in on_room().
  virtual std::size_t backlog() const = 0;
  // Ends the answer.
  virtual void finish() = 0;
};
inline constexpr std::size_t kMaxStreamBacklog = 512 * 1024;

// Produces an answer without a known end. Owned by the connection; destroyed when it closes.
class StreamSource {
 public:
  virtual ~StreamSource() = default;
  virtual void start(StreamSink& sink) = 0;
  // The peer has taken what was written.
  virtual void on_room() = 0;
  // Nothing has been written for a while: writes something without a meaning.
  virtual void on_silence() = 0;
};

// Implemented by the front's connection.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual void respond(http::Response response) = 0;
  virtual void stream(http::Response head, std::unique_ptr<StreamSource> source) = 0;
};

// Outlives the connection while an answer is under way, hence shared: the connection empties it when it closes.
struct ExchangeSlot {
  Exchange* exchange = nullptr;
};

// What a request was, for the refusal book and for the answer to one that is dropped.
struct RequestContext {
  const hub::Hub* hub;
  std::string identity;
  std::string peer;
  std::string operation;
};

// Answers exactly once; one that is destroyed unanswered answers 503, so that no client waits for ever. An answer that refuses the request
// is written into the refusal book with its reason.
class Responder {
 public:
  Responder(Executor& loop, std::shared_ptr<ExchangeSlot> slot) : loop_(&loop), slot_(std::move(slot)) {}
  void describe(RequestContext context) { context_ = std::make_unique<RequestContext>(std::move(context)); }
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&&) = delete;
  ~Responder();

  void respond(http::Response response);
  void stream(http::Response head, std::unique_ptr<StreamSource> source);
  Executor& loop() { return *loop_; }
  // On the loop of the connection: whether it is still there, or the work for the answer may end.
  bool is_wanted() const { return slot_ && slot_->exchange != nullptr; }

 private:
  Executor* loop_;
  std::shared_ptr<ExchangeSlot> slot_;  // null when answered
  std::unique_ptr<RequestContext> context_;
};

}  // namespace nearhub::service
