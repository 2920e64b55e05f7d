// A loop on a thread of its own, and the server side of TLS connections on it, driven from the test's thread.
//
// Every wait has a deadline; nothing sleeps.
#pragma once
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "broker/well_known.h"
#include "certs/authority.h"
#include "tests/support/tls_client.h"
#include "wire/net/listener.h"
#include "wire/net/loop.h"
#include "wire/net/tls_connection.h"
#include "wire/net/tls_context.h"

namespace nearhub::test {

class RunningLoop {
 public:
  explicit RunningLoop(const Clock& clock) : loop_(clock), thread_([this] { loop_.run(); }) {}
  ~RunningLoop() { stop(); }
  RunningLoop(const RunningLoop&) = delete;
  RunningLoop& operator=(const RunningLoop&) = delete;

  net::Loop& get() { return loop_; }

  // Runs `f` on the loop and waits for what it gives.
  template <typename F>
  auto run(F f) {
    using R = std::invoke_result_t<F>;
    std::promise<R> promise;
    auto future = promise.get_future();
    loop_.post([&promise, f = std::move(f)]() mutable {
      if constexpr (std::is_void_v<R>) {
        f();
        promise.set_value();
      } else {
        promise.set_value(f());
      }
    });
    REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
    return future.get();
  }

  // When this returns, what the loop had to do before is done, the end of its turn included.
  void settle() {
    run([] {});
    run([] {});
  }

  void stop() {
    if (!thread_.joinable()) return;
    loop_.stop();
    thread_.join();
  }

 private:
  net::Loop loop_;
  std::thread thread_;
};

// Waits on a condition that other threads bring about.
class Signal {
 public:
  void notify() {
    const std::lock_guard lock(mutex_);
    condition_.notify_all();
  }
  template <typename Condition>
  void wait(Condition condition, std::string_view what) {
    std::unique_lock lock(mutex_);
    const bool came = condition_.wait_for(lock, kPatience, condition);
    INFO("waiting for: ", what);
    REQUIRE(came);
  }
  std::mutex& mutex() { return mutex_; }
  void notify_locked() { condition_.notify_all(); }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
};

// The server's end of one connection: records what happens, and does what a test says, on the loop's thread.
class ServerEnd final : public net::TlsConnection::Handler {
 public:
  ServerEnd(net::Loop& loop, const net::TlsContext& context, int socket, std::string peer) : connection_(std::make_unique<net::TlsConnection>(loop, context, socket, std::move(peer), *this)) {}

  // --- Loop's thread
  net::TlsConnection& connection() { return *connection_; }
  std::unique_ptr<net::TlsConnection>& owned() { return connection_; }
  // Called with what has come, in place of keeping it.
  std::function<void(ServerEnd&, std::string_view)> on_bytes;
  std::function<void(ServerEnd&)> when_secured;
  std::function<void(ServerEnd&)> when_drained;
  bool destroy_when_closed = true;

  void on_secured() override {
    if (when_secured) when_secured(*this);
    change([this] { secured_ = true; });
  }
  void on_data(std::string_view bytes) override {
    if (on_bytes) return on_bytes(*this, bytes);
    change([this, bytes] {
      ++deliveries_;
      data_ += bytes;
    });
  }
  void on_drained() override {
    if (when_drained) when_drained(*this);
    change([this] { ++drained_; });
  }
  void on_closed(const net::CloseReason& reason) override {
    change([this, &reason] { closed_ = reason; });
    if (destroy_when_closed) connection_.reset();
  }

  // --- Any thread
  void wait_secured() {
    signal_.wait([this] { return secured_; }, "the handshake");
  }
  std::string wait_data(std::size_t bytes) {
    signal_.wait([this, bytes] { return data_.size() >= bytes; }, "data");
    const std::lock_guard lock(signal_.mutex());
    return data_;
  }
  net::CloseReason wait_closed() {
    signal_.wait([this] { return closed_.has_value(); }, "the end of the connection");
    const std::lock_guard lock(signal_.mutex());
    return *closed_;
  }
  void wait_drained(int times) {
    signal_.wait([this, times] { return drained_ >= times; }, "on_drained()");
  }
  bool closed() {
    const std::lock_guard lock(signal_.mutex());
    return closed_.has_value();
  }
  int drained() {
    const std::lock_guard lock(signal_.mutex());
    return drained_;
  }
  std::size_t received() {
    const std::lock_guard lock(signal_.mutex());
    return data_.size();
  }

 private:
  template <typename F>
  void change(F f) {
    const std::lock_guard lock(signal_.mutex());
    f();
    signal_.notify_locked();
  }

  Signal signal_;
  // Protected by the signal's mutex.
  std::string data_;
  int deliveries_ = 0;
  int drained_ = 0;
  bool secured_ = false;
  std::optional<net::CloseReason> closed_;
  // Loop's thread.
  std::unique_ptr<net::TlsConnection> connection_;
};

// A listener on a free port whose connections are ServerEnds. Keys are the well-known ones, so that no test waits for one to be made.
class TlsServer {
 public:
  enum class Leaves { kBoth, kRsa, kEc };

  struct Options {
    Leaves leaves = Leaves::kBoth;
    std::function<void(ServerEnd&)> prepare = {};  // on the loop, before anything comes
    int send_buffer = 0;                           // of the system, for each connection; 0: the system's choice
    bool resumption = false;
    net::TicketLimits tickets = {};
    std::string hub = "net tests";                 // the session id context
  };
  TlsServer() : TlsServer(Options()) {}
  explicit TlsServer(Options options) : options_(std::move(options)), context_(make_context(options_.leaves, options_.hub, resumption())), loop_(std::make_unique<RunningLoop>(clock_)) {
    auto socket = net::ListeningSocket::bind("127.0.0.1", 0);
    REQUIRE(socket.ok());
    port_ = socket->port();
    loop_->run([this, socket = std::make_shared<net::ListeningSocket>(std::move(*socket))] {
      listener_ = std::make_unique<net::Listener>(loop_->get(), std::move(*socket), [this](int fd, std::string peer) { accept(fd, std::move(peer)); });
    });
  }
  ~TlsServer() {
    loop_->run([this] {
      listener_.reset();
      const std::lock_guard lock(signal_.mutex());
      ends_.clear();
    });
    loop_->stop();
  }

  std::uint16_t port() const { return port_; }
  RunningLoop& loop() { return *loop_; }
  const net::TlsContext& context() const { return *context_; }
  // Moves the time, and lets fire what became due.
  void advance(std::chrono::milliseconds by) {
    clock_.advance(by);
    loop_->get().clock_moved();
  }

  // The ends in the order of their connections.
  ServerEnd& end(std::size_t index = 0) {
    signal_.wait([this, index] { return ends_.size() > index; }, "a connection");
    const std::lock_guard lock(signal_.mutex());
    return *ends_[index];
  }
  std::size_t accepted() {
    const std::lock_guard lock(signal_.mutex());
    return ends_.size();
  }
  // Runs `f` with the end on its loop.
  template <typename F>
  auto on(ServerEnd& end, F f) {
    return loop_->run([&end, f = std::move(f)]() mutable { return f(end); });
  }

  static std::string ca_pem() { return broker::kWellKnownCaCertificate; }
  static TlsOptions client_options() {
    TlsOptions options;
    options.ca_pem = ca_pem();
    return options;
  }

  const Clock& clock() const { return clock_; }

  static std::unique_ptr<net::TlsContext> make_context(Leaves leaves, std::string_view hub = "net tests", std::optional<net::Resumption> resumption = {}) {
    const certs::KeyPair root{broker::kWellKnownCaCertificate, broker::kWellKnownCaKey};
    SystemRandom random;
    const WallTime now = SystemClock().now();
    std::vector<net::CertificateAndKey> pairs;
    for (const auto& [kind, key] : {std::pair{Leaves::kRsa, broker::kWellKnownServerRsaKey}, std::pair{Leaves::kEc, broker::kWellKnownServerEcKey}}) {
      if (leaves != Leaves::kBoth && leaves != kind) continue;
      auto leaf = certs::make_server_leaf_for_key(root, {"localhost", "127.0.0.1"}, key, now, random);
      REQUIRE(leaf.ok());
      pairs.push_back({leaf->certificate_pem, leaf->key_pem});
    }
    auto context = net::TlsContext::create(pairs, hub, resumption);
    REQUIRE(context.ok());
    return std::move(*context);
  }

 private:
  std::optional<net::Resumption> resumption() const {
    if (!options_.resumption) return std::nullopt;
    return net::Resumption{clock_, options_.tickets};
  }

  void accept(int fd, std::string peer) {
    if (options_.send_buffer > 0) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &options_.send_buffer, sizeof options_.send_buffer);
    auto end = std::make_unique<ServerEnd>(loop_->get(), *context_, fd, std::move(peer));
    if (options_.prepare) options_.prepare(*end);
    const std::lock_guard lock(signal_.mutex());
    ends_.push_back(std::move(end));
    signal_.notify_locked();
  }

  SystemClock clock_;
  Options options_;
  std::unique_ptr<net::TlsContext> context_;
  std::unique_ptr<RunningLoop> loop_;
  std::uint16_t port_ = 0;
  Signal signal_;
  std::deque<std::unique_ptr<ServerEnd>> ends_;  // protected by the signal's mutex
  std::unique_ptr<net::Listener> listener_;      // loop's thread
};

// Bytes that show when one is lost, doubled or out of place.
inline std::string pattern(std::size_t size, std::uint32_t seed = 1) {
  std::string bytes(size, '\0');
  for (char& c : bytes) {
    seed = seed * 1'664'525 + 1'013'904'223;
    c = static_cast<char>(seed >> 24);
  }
  return bytes;
}

}  // namespace nearhub::test
