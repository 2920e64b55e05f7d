// How many rows a page of an answer has (reference/service-rest.md 5.6).
//
// THREAD: any thread.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/text.h"
#include "hub/limits.h"
#include "wire/http/message.h"

namespace nearhub::service {

// x-ms-max-item-count. The cloud may use another figure than the one asked for, and so do we: what is no number, or none of a page, is the default or the
// nearest.
inline std::size_t page_rows(const http::Request& request) {
  const std::string* header = request.header("x-ms-max-item-count");
  const auto number = header == nullptr ? std::nullopt : parse_decimal(trim(*header));
  if (!number || *number == 0) return hub::kDefaultQueryPageRows;
  return static_cast<std::size_t>(std::min<std::uint64_t>(*number, hub::kMaxQueryPageRows));
}

}  // namespace nearhub::service
