// Known ids that look like one that is not known, for "did you mean".
//
// THREAD: a value type.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nearhub::hub {

class SimilarIds {
 public:
  // `wanted` outlives this.
  explicit SimilarIds(std::string_view wanted) : wanted_(wanted) {}

  void look_at(std::string_view known);

  // The nearest first, at most kMost.
  std::vector<std::string> nearest() const;

 private:
  static constexpr std::size_t kMost = 3;

  std::string_view wanted_;
  std::vector<std::pair<int, std::string>> found_;  // by edits, then by id
};

}  // namespace nearhub::hub
