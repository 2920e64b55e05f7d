#include "wire/mqtt/packet.h"

#include <type_traits>

#include "base/check.h"
#include "wire/mqtt/packet_type.h"

namespace nearhub::mqtt {
namespace {

static_assert(std::is_same_v<std::variant_alternative_t<0, Packet>, Connect>);
static_assert(std::is_same_v<std::variant_alternative_t<13, Packet>, Disconnect>);

// A list is handed checked bytes; one that is not has been made by us.
std::string_view take(std::string_view& bytes, std::size_t size) {
  NEARHUB_CHECK(bytes.size() >= size);
  const std::string_view taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return taken;
}

std::string_view take_text(std::string_view& bytes) {
  const std::string_view length = take(bytes, 2);
  const int size = static_cast<std::uint8_t>(length[0]) << 8 | static_cast<std::uint8_t>(length[1]);
  return take(bytes, static_cast<std::size_t>(size));
}

}  // namespace

bool SubscriptionList::next(Subscription& subscription) {
  if (bytes_.empty()) return false;
  subscription.filter = take_text(bytes_);
  subscription.qos = static_cast<std::uint8_t>(take(bytes_, 1)[0]);
  return true;
}

std::size_t SubscriptionList::count() const {
  SubscriptionList rest = *this;
  Subscription subscription;
  std::size_t count = 0;
  while (rest.next(subscription)) ++count;
  return count;
}

bool FilterList::next(std::string_view& filter) {
  if (bytes_.empty()) return false;
  filter = take_text(bytes_);
  return true;
}

std::size_t FilterList::count() const {
  FilterList rest = *this;
  std::string_view filter;
  std::size_t count = 0;
  while (rest.next(filter)) ++count;
  return count;
}

std::string_view packet_name(const Packet& packet) {
  return kPacketRules[packet.index() + 1].name;  // the alternatives stand in the order of the type numbers, from 1
}

}  // namespace nearhub::mqtt
