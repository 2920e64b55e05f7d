#include "base/result.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

using namespace nearhub;

namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return Error{ErrorCode::kArgumentInvalid, "odd"};
  return number / 2;
}

Status positive(int number) {
  if (number <= 0) return Error{ErrorCode::kInvalidOperation, "not positive"};
  return {};
}

}  // namespace

TEST_SUITE("base") {
  TEST_CASE("result: holds the value, or the error that explains why there is none") {
    const Result<int> good = half(8), bad = half(7);
    CHECK(good.ok());
    CHECK(static_cast<bool>(good));
    CHECK(good.value() == 4);
    CHECK(*good == 4);
    CHECK_FALSE(bad.ok());
    CHECK_FALSE(static_cast<bool>(bad));
    CHECK(bad.error() == Error{ErrorCode::kArgumentInvalid, "odd"});
    CHECK_FALSE(bad.error() == Error{ErrorCode::kArgumentInvalid, "even"});
    CHECK_FALSE(bad.error() == Error{ErrorCode::kInvalidOperation, "odd"});
  }

  TEST_CASE("result: the value can be changed in place and moved out, the error too") {
    Result<std::string> text(std::string("ab"));
    text->push_back('c');
    *text += 'd';
    text.value() += 'e';
    CHECK(text->size() == 5);
    const std::string moved = std::move(text).value();
    CHECK(moved == "abcde");
    Result<std::string> failed(Error{ErrorCode::kIo, "a sentence that is too long to be stored inside the string"});
    const Error error = std::move(failed).error();
    CHECK(error.detail == "a sentence that is too long to be stored inside the string");
  }

  TEST_CASE("result: a value that only moves goes in and out") {
    Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
    CHECK(**result == 7);
    Result<std::unique_ptr<int>> other = std::move(result);
    const std::unique_ptr<int> owned = *std::move(other);
    CHECK(*owned == 7);
    const Result<std::unique_ptr<int>> failed(Error{ErrorCode::kIo, "none"});
    CHECK(failed.error().detail == "none");
  }

  TEST_CASE("result: a copy is independent") {
    Result<std::vector<int>> first(std::vector<int>{1, 2});
    Result<std::vector<int>> second = first;
    second->push_back(3);
    CHECK(first->size() == 2);
    first = Error{ErrorCode::kIo, "gone"};
    CHECK_FALSE(first.ok());
    CHECK(second->size() == 3);
  }

  TEST_CASE("status: fine, or an error") {
    CHECK(positive(1).ok());
    CHECK(static_cast<bool>(positive(1)));
    CHECK_FALSE(positive(0).ok());
    CHECK(positive(0).error() == Error{ErrorCode::kInvalidOperation, "not positive"});
    Status status = positive(-1);
    const Error error = std::move(status).error();
    CHECK(error.detail == "not positive");
    CHECK(Status().ok());
  }

  TEST_CASE("error: says the hub is at fault unless told otherwise") { CHECK(Error{}.code == ErrorCode::kServerError); }
}
