// Lets an answer find out that whoever asked is gone.
//
//   store.load(..., lifetime_.guard([this](Result<T> loaded) { ... }));   // not called once *this is destroyed
//
// The token is shared with the answers under way, for this one question; nobody's life is prolonged by it.
//
// THREAD: the owner and the guarded calls run on one thread; the guarded callables may travel between threads.
#pragma once
#include <memory>
#include <utility>

namespace nearhub {

class Lifetime {
 public:
  Lifetime() = default;
  Lifetime(const Lifetime&) = delete;
  Lifetime& operator=(const Lifetime&) = delete;

  template <typename F>
  auto guard(F f) const {
    return [token = std::weak_ptr<const bool>(token_), f = std::move(f)](auto&&... arguments) mutable {
      if (!token.expired()) f(std::forward<decltype(arguments)>(arguments)...);
    };
  }

 private:
  std::shared_ptr<const bool> token_ = std::make_shared<const bool>(true);
};

}  // namespace nearhub
