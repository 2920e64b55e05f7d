// Ids are types, not strings, so that a module id never stands where a device id belongs.
//
// THREAD: value types; any thread.
#pragma once
#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace nearhub {

// A string of one meaning. Comparison is byte for byte: device and module ids are case-sensitive.
template <typename Tag>
class StringId {
 public:
  StringId() = default;
  explicit StringId(std::string text) : text_(std::move(text)) {}
  explicit StringId(std::string_view text) : text_(text) {}
  explicit StringId(const char* text) : text_(text) {}

  const std::string& str() const { return text_; }
  std::string_view view() const { return text_; }
  bool empty() const { return text_.empty(); }

  friend bool operator==(const StringId&, const StringId&) = default;
  friend auto operator<=>(const StringId&, const StringId&) = default;

 private:
  std::string text_;
};

using DeviceId = StringId<struct DeviceIdTag>;
using ModuleId = StringId<struct ModuleIdTag>;
using ETag = StringId<struct ETagTag>;                  // without quotes
using GenerationId = StringId<struct GenerationIdTag>;  // decimal .NET ticks at creation (reference/service-rest.md 4.1)

// IoT Hub: 128 characters (reference/service-rest.md 4.1).
inline constexpr std::size_t kMaxIdLength = 128;

// The grammar of device and module ids: ^[A-Za-z0-9\-:.+%_#*?!(),=@;$']{1,128}$. Fails with kArgumentInvalid and a sentence that names
// the first character that does not belong.
Status check_id(std::string_view id, std::string_view what);

// One character of that grammar.
bool is_id_character(char c);

// Who a credential, twin, queue or connection belongs to: a device, or one of its modules.
struct IdentityId {
  DeviceId device;
  ModuleId module;  // empty: the device itself

  bool is_module() const { return !module.empty(); }
  // "device" or "device/module": also the MQTT client id.
  std::string text() const;

  friend bool operator==(const IdentityId&, const IdentityId&) = default;
  friend auto operator<=>(const IdentityId&, const IdentityId&) = default;
};

// Lets maps keyed by std::string be searched with a string_view.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

}  // namespace nearhub
