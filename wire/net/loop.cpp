#include "wire/net/loop.h"

#include <uv.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

#include "base/check.h"
#include "wire/net/tls_connection.h"

namespace nearhub::net {

namespace {
// Output buffers kept for reuse, and the capacity beyond which one is freed instead.
constexpr std::size_t kMaxSpareBuffers = 64;
constexpr std::size_t kMaxSpareCapacity = 64 * 1024;
}  // namespace

struct Loop::Impl {
  uv_loop_t uv;
  uv_async_t wake;
  uv_timer_t timer;
  uv_prepare_t prepare;  // before the loop sleeps: after timers
  uv_check_t check;      // after it woke: after I/O and mailbox
  MonoTime armed_for = MonoTime::max();
  bool stopping = false;  // owning loop
  std::atomic<std::thread::id> thread{};

  struct Signal {
    uv_signal_t handle;
    Loop* loop;
  };
  std::vector<std::unique_ptr<Signal>> signals;
  UniqueFunction<void(int)> on_signal;

  // Protected by mutex.
  std::mutex mutex;
  std::vector<Task> mailbox;
  std::size_t requests = 0;  // tasks in the mailbox that came by try_post()
  bool closed = false;

  // Owning loop only.
  std::vector<Task> running;
  std::vector<Task> turn_end;
  std::vector<Task> deferred;
  std::vector<Task> deferred_running;
  std::vector<TlsConnection*> dirty;
  std::vector<TlsConnection*> flushing;
  std::vector<std::string> spare_buffers;
  std::string wire_buffer;
  std::unique_ptr<char[]> read_buffer = std::make_unique<char[]>(kReadBufferBytes);
};

Loop::Loop(const Clock& clock) : clock_(clock), timers_(clock), impl_(std::make_unique<Impl>()) {
  NEARHUB_CHECK(uv_loop_init(&impl_->uv) == 0);
  impl_->uv.data = this;
  NEARHUB_CHECK(uv_async_init(&impl_->uv, &impl_->wake, [](uv_async_t* handle) {
                  static_cast<Loop*>(handle->loop->data)->run_mailbox();
                }) == 0);
  NEARHUB_CHECK(uv_timer_init(&impl_->uv, &impl_->timer) == 0);
  uv_prepare_init(&impl_->uv, &impl_->prepare);
  uv_prepare_start(&impl_->prepare, [](uv_prepare_t* handle) { static_cast<Loop*>(handle->loop->data)->end_turn(); });
  uv_check_init(&impl_->uv, &impl_->check);
  uv_check_start(&impl_->check, [](uv_check_t* handle) { static_cast<Loop*>(handle->loop->data)->end_turn(); });
  timers_.on_earlier([this] { arm_timer(); });
}

Loop::~Loop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->closed = true;
  }
  impl_->mailbox.clear();
  impl_->deferred.clear();
  impl_->turn_end.clear();
  const auto close = [](auto& handle) { uv_close(reinterpret_cast<uv_handle_t*>(&handle), nullptr); };
  close(impl_->wake);
  close(impl_->timer);
  close(impl_->prepare);
  close(impl_->check);
  for (auto& signal : impl_->signals) close(signal->handle);
  uv_run(&impl_->uv, UV_RUN_DEFAULT);
  NEARHUB_CHECK(uv_loop_close(&impl_->uv) == 0);
}

void Loop::run() {
  impl_->thread.store(std::this_thread::get_id(), std::memory_order_relaxed);
  // A task may have been posted, or a timer started, before the loop ran.
  arm_timer();
  while (!impl_->stopping) uv_run(&impl_->uv, UV_RUN_ONCE);
  // What was posted or closed in the last turn still runs, so that every close callback frees its handle.
  run_mailbox();
  end_turn();
  uv_run(&impl_->uv, UV_RUN_NOWAIT);
  // What waits now belongs to other loops, perhaps: it goes while those live.
  std::vector<Task> dropped;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->closed = true;
    dropped.swap(impl_->mailbox);
  }
}

void Loop::stop() {
  post([this] { impl_->stopping = true; });
}

void Loop::post(Task task) {
  bool wake;
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->closed) return;
    wake = impl_->mailbox.empty();
    impl_->mailbox.push_back(std::move(task));
  }
  if (wake) uv_async_send(&impl_->wake);
}

bool Loop::try_post(Task task) {
  bool wake;
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->closed || impl_->requests >= kMaxMailboxRequests) return false;
    ++impl_->requests;
    wake = impl_->mailbox.empty();
    impl_->mailbox.push_back(std::move(task));
  }
  if (wake) uv_async_send(&impl_->wake);
  return true;
}

bool Loop::is_current() const {
  // Before run() everything happens on the constructing thread.
  const auto thread = impl_->thread.load(std::memory_order_relaxed);
  return thread == std::thread::id() || thread == std::this_thread::get_id();
}

void Loop::run_mailbox() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->running.swap(impl_->mailbox);
    impl_->requests = 0;
  }
  for (Task& task : impl_->running) task();
  impl_->running.clear();
}

void Loop::at_turn_end(Task task) { impl_->turn_end.push_back(std::move(task)); }

void Loop::defer(Task task) { impl_->deferred.push_back(std::move(task)); }

void Loop::end_turn() {
  while (!impl_->deferred.empty()) {
    impl_->deferred_running.swap(impl_->deferred);
    for (Task& task : impl_->deferred_running) task();
    impl_->deferred_running.clear();
  }
  for (Task& task : impl_->turn_end) task();
  // Sending can close a connection, whose owner may mark others dirty; those are sent in the same turn.
  while (!impl_->dirty.empty()) {
    impl_->flushing.swap(impl_->dirty);
    for (TlsConnection* connection : impl_->flushing) {
      if (connection != nullptr) connection->flush();
    }
    impl_->flushing.clear();
  }
  // Connections closed by the flush are destroyed now and not a turn later, which may be long in coming.
  while (!impl_->deferred.empty()) {
    impl_->deferred_running.swap(impl_->deferred);
    for (Task& task : impl_->deferred_running) task();
    impl_->deferred_running.clear();
  }
}

void Loop::watch_signals(std::vector<int> signals, UniqueFunction<void(int)> on_signal) {
  impl_->on_signal = std::move(on_signal);
  for (const int number : signals) {
    auto signal = std::make_unique<Impl::Signal>();
    signal->loop = this;
    signal->handle.data = signal.get();
    NEARHUB_CHECK(uv_signal_init(&impl_->uv, &signal->handle) == 0);
    NEARHUB_CHECK(uv_signal_start(
                      &signal->handle,
                      [](uv_signal_t* handle, int received) { static_cast<Impl::Signal*>(handle->data)->loop->impl_->on_signal(received); },
                      number) == 0);
    impl_->signals.push_back(std::move(signal));
  }
}

void Loop::arm_timer() {
  if (timers_.empty()) {
    if (std::exchange(impl_->armed_for, MonoTime::max()) != MonoTime::max()) uv_timer_stop(&impl_->timer);
    return;
  }
  const MonoTime deadline = timers_.next_deadline();
  if (deadline == impl_->armed_for) return;
  impl_->armed_for = deadline;
  const auto wait = std::max<std::int64_t>(0, (deadline - timers_.now()).count());
  uv_update_time(&impl_->uv);
  uv_timer_start(
      &impl_->timer,
      [](uv_timer_t* handle) {
        auto* loop = static_cast<Loop*>(handle->loop->data);
        loop->impl_->armed_for = MonoTime::max();
        loop->timers_.run_due();
        loop->arm_timer();
      },
      static_cast<std::uint64_t>(wait), 0);
}

void Loop::clock_moved() {
  post([this] {
    timers_.run_due();
    impl_->armed_for = MonoTime::max();
    arm_timer();
  });
}

uv_loop_s* Loop::uv() { return &impl_->uv; }
char* Loop::read_buffer() { return impl_->read_buffer.get(); }
std::string& Loop::wire_buffer() { return impl_->wire_buffer; }

void Loop::mark_dirty(TlsConnection& connection) { impl_->dirty.push_back(&connection); }

void Loop::unmark_dirty(TlsConnection& connection) {
  std::replace(impl_->dirty.begin(), impl_->dirty.end(), &connection, static_cast<TlsConnection*>(nullptr));
  std::replace(impl_->flushing.begin(), impl_->flushing.end(), &connection, static_cast<TlsConnection*>(nullptr));
}

std::string Loop::take_buffer() {
  if (impl_->spare_buffers.empty()) return {};
  std::string buffer = std::move(impl_->spare_buffers.back());
  impl_->spare_buffers.pop_back();
  return buffer;
}

void Loop::give_buffer(std::string buffer) {
  if (buffer.capacity() > kMaxSpareCapacity || impl_->spare_buffers.size() >= kMaxSpareBuffers) return;
  buffer.clear();
  impl_->spare_buffers.push_back(std::move(buffer));
}

}  // namespace nearhub::net
