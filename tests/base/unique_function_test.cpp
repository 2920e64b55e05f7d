#include "base/unique_function.h"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

using namespace nearhub;

namespace {

struct Counts {
  int alive = 0, destroyed = 0, calls = 0, allocations = 0;
};

// A callable that counts its objects; `Ballast` decides whether it fits inside a UniqueFunction, and `kNothrow` whether
// it may.
template <std::size_t Ballast, bool kNothrow = true>
class Counted {
 public:
  explicit Counted(Counts& counts) : counts_(&counts) { ++counts_->alive; }
  Counted(Counted&& other) noexcept(kNothrow) : counts_(other.counts_) { ++counts_->alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(Counted&&) = delete;
  ~Counted() {
    --counts_->alive;
    ++counts_->destroyed;
  }
  int operator()(int x) {
    ++counts_->calls;
    return x + 1;
  }
  static void* operator new(std::size_t size) {
    ++heap_objects;
    return ::operator new(size);
  }
  static void* operator new(std::size_t, void* place) { return place; }
  static void operator delete(void* memory) {
    --heap_objects;
    ::operator delete(memory);
  }
  static inline int heap_objects = 0;

 private:
  Counts* counts_;
  std::array<char, Ballast> ballast_{};
};

template <typename Callable>
void check_life(int heap_objects) {
  Counts counts;
  {
    UniqueFunction<int(int)> first{Callable(counts)};
    CHECK(counts.alive == 1);
    CHECK(first(1) == 2);

    UniqueFunction<int(int)> second(std::move(first));
    CHECK_FALSE(static_cast<bool>(first));
    CHECK(static_cast<bool>(second));
    CHECK(counts.alive == 1);
    CHECK(second(2) == 3);

    UniqueFunction<int(int)> third;
    third = std::move(second);
    CHECK_FALSE(static_cast<bool>(second));
    CHECK(counts.alive == 1);
    CHECK(third(3) == 4);

    UniqueFunction<int(int)>& itself = third;
    third = std::move(itself);
    CHECK(third(4) == 5);
    CHECK(Callable::heap_objects == heap_objects);
  }
  CHECK(counts.alive == 0);
  CHECK(counts.calls == 4);
  CHECK(Callable::heap_objects == 0);
}

}  // namespace

TEST_SUITE("base") {
  TEST_CASE("unique function: a small callable lives inside, moves and dies exactly once") {
    check_life<Counted<8>>(0);
  }

  TEST_CASE("unique function: a callable of 48 bytes still fits, one byte more goes to the heap") {
    static_assert(sizeof(Counted<40>) == 48);
    check_life<Counted<40>>(0);
    check_life<Counted<41>>(1);
    check_life<Counted<1000>>(1);
  }

  TEST_CASE("unique function: a callable whose move may throw goes to the heap, where it need not move") {
    check_life<Counted<8, false>>(1);
  }

  TEST_CASE("unique function: assigning another callable, or nullptr, destroys the one before at once") {
    Counts first, second;
    UniqueFunction<int(int)> function{Counted<8>(first)};
    first.destroyed = 0;
    function = Counted<1000>(second);
    CHECK(first.alive == 0);
    CHECK(first.destroyed == 1);
    CHECK(second.alive == 1);
    function = nullptr;
    CHECK(second.alive == 0);
    CHECK_FALSE(static_cast<bool>(function));
  }

  TEST_CASE("unique function: what was captured may be of a kind that only moves, and may change between calls") {
    auto owned = std::make_unique<int>(40);
    UniqueFunction<int()> next = [owned = std::move(owned), calls = 0]() mutable { return *owned + ++calls; };
    CHECK(next() == 41);
    UniqueFunction<int()> moved = std::move(next);
    CHECK(moved() == 42);
  }

  TEST_CASE("unique function: arguments pass by reference and by move, and results come back") {
    UniqueFunction<void(int&)> increment = [](int& x) { ++x; };
    int number = 1;
    increment(number);
    CHECK(number == 2);
    UniqueFunction<std::unique_ptr<int>(std::unique_ptr<int>)> pass = [](std::unique_ptr<int> x) { return x; };
    CHECK(*pass(std::make_unique<int>(5)) == 5);
    UniqueFunction<std::size_t(const std::string&)> length = &std::string::size;
    CHECK(length("abc") == 3);
  }

  TEST_CASE("unique function: a task may be a callable that returns something, which is dropped") {
    int number = 0;
    Task task = [&number] { return ++number; };
    task();
    CHECK(number == 1);
  }

  TEST_CASE("unique function: empty until it is given something") {
    CHECK_FALSE(static_cast<bool>(Task()));
    CHECK_FALSE(static_cast<bool>(Task(nullptr)));
    CHECK(static_cast<bool>(Task([] {})));
    Task from_empty = Task();
    Task moved = std::move(from_empty);
    CHECK_FALSE(static_cast<bool>(moved));
  }
}
