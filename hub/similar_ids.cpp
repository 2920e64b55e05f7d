#include "hub/similar_ids.h"

#include <algorithm>

#include "base/text.h"

namespace nearhub::hub {

void SimilarIds::look_at(std::string_view known) {
  constexpr int kEdits = 2;
  const bool same_letters = equals_ignoring_case(known, wanted_);
  const int edits = same_letters ? 1 : edit_distance(known, wanted_, kEdits);
  // A short id is within two edits of too many others.
  if (edits > kEdits || (!same_letters && edits * 3 > static_cast<int>(wanted_.size()))) return;
  std::pair<int, std::string> entry(edits, known);
  found_.insert(std::upper_bound(found_.begin(), found_.end(), entry), std::move(entry));
  if (found_.size() > kMost) found_.pop_back();
}

std::vector<std::string> SimilarIds::nearest() const {
  std::vector<std::string> ids;
  for (const auto& [edits, id] : found_) ids.push_back(id);
  return ids;
}

}  // namespace nearhub::hub
