// A move-only std::function: callbacks own buffers and reply handles, which do not copy.
//
// Small callables (up to 48 bytes) live inside the object, so that posting one between loops allocates nothing.
//
// THREAD: a value type; the callable decides.
#pragma once
#include <cstddef>
#include <functional>
#include <new>
#include <type_traits>
#include <utility>

#include "base/check.h"

namespace nearhub {

template <typename Signature>
class UniqueFunction;

template <typename R, typename... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;
  UniqueFunction(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)

  template <typename F>
    requires(!std::is_same_v<std::decay_t<F>, UniqueFunction> && std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
  UniqueFunction(F&& callable) {  // NOLINT(google-explicit-constructor)
    using Callable = std::decay_t<F>;
    if constexpr (sizeof(Callable) <= kInlineBytes && alignof(Callable) <= alignof(std::max_align_t) &&
                  std::is_nothrow_move_constructible_v<Callable>) {
      ::new (static_cast<void*>(&storage_)) Callable(std::forward<F>(callable));
      operations_ = &kInline<Callable>;
    } else {
      ::new (static_cast<void*>(&storage_)) Callable*(new Callable(std::forward<F>(callable)));
      operations_ = &kHeap<Callable>;
    }
  }

  UniqueFunction(UniqueFunction&& other) noexcept { take(other); }
  UniqueFunction& operator=(UniqueFunction&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  UniqueFunction(const UniqueFunction&) = delete;
  UniqueFunction& operator=(const UniqueFunction&) = delete;
  ~UniqueFunction() { reset(); }

  explicit operator bool() const { return operations_ != nullptr; }

  R operator()(Args... args) {
    NEARHUB_CHECK(operations_ != nullptr);
    return operations_->call(&storage_, std::forward<Args>(args)...);
  }

 private:
  static constexpr std::size_t kInlineBytes = 48;

  struct Operations {
    R (*call)(void*, Args&&...);
    void (*move)(void* to, void* from);
    void (*destroy)(void*);
  };

  // Where nothing is to be returned, what the callable returns is dropped.
  template <typename Callable>
  static R invoke(Callable& callable, Args&&... args) {
    if constexpr (std::is_void_v<R>) {
      static_cast<void>(std::invoke(callable, std::forward<Args>(args)...));
    } else {
      return std::invoke(callable, std::forward<Args>(args)...);
    }
  }

  template <typename Callable>
  static constexpr Operations kInline = {
      [](void* self, Args&&... args) -> R {
        return invoke(*static_cast<Callable*>(self), std::forward<Args>(args)...);
      },
      [](void* to, void* from) {
        ::new (to) Callable(std::move(*static_cast<Callable*>(from)));
        static_cast<Callable*>(from)->~Callable();
      },
      [](void* self) { static_cast<Callable*>(self)->~Callable(); }};

  template <typename Callable>
  static constexpr Operations kHeap = {
      [](void* self, Args&&... args) -> R {
        return invoke(**static_cast<Callable**>(self), std::forward<Args>(args)...);
      },
      [](void* to, void* from) { ::new (to) Callable*(*static_cast<Callable**>(from)); },
      [](void* self) { delete *static_cast<Callable**>(self); }};

  void take(UniqueFunction& other) {
    operations_ = std::exchange(other.operations_, nullptr);
    if (operations_ != nullptr) operations_->move(&storage_, &other.storage_);
  }
  void reset() {
    if (operations_ != nullptr) std::exchange(operations_, nullptr)->destroy(&storage_);
  }

  const Operations* operations_ = nullptr;
  alignas(std::max_align_t) std::byte storage_[kInlineBytes];
};

// Work for a loop.
using Task = UniqueFunction<void()>;

}  // namespace nearhub
