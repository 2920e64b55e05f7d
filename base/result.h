// Result<T>: a value or an Error. Peers' mistakes and failing calls travel as Results; dropping one is a compiler warning.
//
// value() and error() on the wrong alternative stop the process: that is our own mistake.
//
// THREAD: a value type; any thread.
#pragma once
#include <string>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/error_code.h"

namespace nearhub {

struct Error {
  ErrorCode code = ErrorCode::kServerError;
  std::string detail;  // a sentence for people: what was expected, what came

  friend bool operator==(const Error&, const Error&) = default;
};

// The two mistakes that are found most often: in what a peer sent, and in what was typed or configured.
inline Error invalid_argument(std::string detail) { return {ErrorCode::kArgumentInvalid, std::move(detail)}; }
inline Error invalid_setting(std::string detail) { return {ErrorCode::kInvalidSetting, std::move(detail)}; }

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return get(); }
  const T& value() const& { return const_cast<Result*>(this)->get(); }
  T&& value() && { return std::move(get()); }
  T& operator*() & { return get(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(get()); }
  T* operator->() { return &get(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    NEARHUB_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    NEARHUB_CHECK(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  T& get() {
    NEARHUB_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  const Error& error() const& {
    NEARHUB_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    NEARHUB_CHECK(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<std::monostate, Error> state_;
};

using Status = Result<void>;

}  // namespace nearhub
