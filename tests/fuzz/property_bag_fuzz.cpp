// A property bag, as it stands in a telemetry topic.
//
// Checked: the reader finds no more items than are counted before; what was decoded is decoded the same when it is encoded
// again; nothing comes out that only the hub may say; sizes are those of what was decoded, and at most those of the bag.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/url.h"
#include "hub/property_bag.h"

using namespace nearhub;
using namespace nearhub::hub;

namespace {

constexpr std::array<std::string_view, 6> kHubOnly = {"iothub-connection-device-id", "iothub-connection-module-id", "iothub-connection-auth-generation-id",
                                                      "iothub-connection-auth-method", "iothub-enqueuedtime", "iothub-message-source"};

bool equal(const Properties& a, const Properties& b) { return a.system == b.system && a.application == b.application; }

// Every item encoded as the hub encodes, whatever the sender left as it was.
std::string normalised(std::string_view bag) {
  std::string text;
  BagReader reader(bag);
  std::string_view key;
  std::optional<std::string_view> value;
  std::size_t items = 0;
  while (reader.next(key, value)) {
    ++items;
    NEARHUB_CHECK(key.find_first_of("&=") == std::string_view::npos);
    if (value) {
      append_property(text, percent_decode(key), percent_decode(*value));
    } else {
      text += (text.empty() ? "" : "&") + percent_encode(percent_decode(key));
    }
  }
  NEARHUB_CHECK(items <= count_items(bag));
  return text;
}

template <typename Items>
void check_names(const Items& items) {
  for (auto item = items.begin(); item != items.end(); ++item) {
    NEARHUB_CHECK(!item->first.empty());
    NEARHUB_CHECK(std::none_of(items.begin(), item, [item](const auto& other) { return other.first == item->first; }));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bag(reinterpret_cast<const char*>(data), size);
  if (count_items(bag) > kMaxBagItems) return 0;  // refused at the door
  const Properties properties = decode_bag(bag);
  check_names(properties.system);
  check_names(properties.application);

  std::size_t bytes = 0;
  for (const auto& [name, value] : properties.system) {
    bytes += value.size();
    NEARHUB_CHECK(*properties.find_system(name) == value);
  }
  std::string application;
  for (const auto& [name, value] : properties.application) {
    bytes += name.size() + (value ? value->size() : 0);
    NEARHUB_CHECK(!name.starts_with("$.") && std::find(kHubOnly.begin(), kHubOnly.end(), name) == kHubOnly.end());
    append_property(application, name, value.value_or(""));
  }
  NEARHUB_CHECK(property_bytes(bag) == bytes && bytes <= bag.size());
  const std::string again = normalised(bag);
  NEARHUB_CHECK(equal(decode_bag(again), properties));
  NEARHUB_CHECK(equal(decode_bag(again + "&" + again), properties));

  // What is not a system property alone says nothing about one.
  const Properties own = decode_bag(application);
  NEARHUB_CHECK(own.system.empty() && own.application.size() == properties.application.size());
  return 0;
}
