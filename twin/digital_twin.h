// The digital twin of a device: its properties as IoT Plug and Play clients see them, and the JSON Patch by which they set them.
//
// A digital twin has no state of its own: it is the device twin seen by the conventions of IoT Plug and Play. A component is an object with the
// member "__t":"c" at the top of the desired or the reported properties; what else stands there is a property of the device itself. A device
// acknowledges a property that it let a service set by reporting {"value":..., "ac":code, "av":desired version, "ad":text}.
//
// THREAD: any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "twin/twin.h"
#include "twin/value.h"

namespace nearhub::twin {

// A name of DTDL version 2: letters, digits and '_', a letter first, no '_' last.
inline constexpr std::size_t kMaxDtdlNameBytes = 64;
// Levels of objects in a property's value, as the cloud's documentation of the digital twin API has it.
inline constexpr int kMaxPropertyLevels = 5;
// A bound of our own: each operation costs a look at all properties.
inline constexpr std::size_t kMaxPatchOperations = 256;

// {"$dtId":..., properties and components..., "$metadata":{"$model":..., ...}}. Values are those that the device reported; the "$metadata" of the
// device and of each component has for each property what of these is known: desiredValue, desiredVersion, ackVersion, ackCode,
// ackDescription, lastUpdateTime (of the report).
std::string digital_twin_json(std::string_view id, std::string_view model_id, const Twin& twin);

struct PatchOperation {
  enum Kind : std::uint8_t { kAdd, kReplace, kRemove };
  Kind kind = kAdd;
  std::string component;  // empty: `name` is of the device itself
  std::string name;       // of a property, or of a component
  Value value;            // of add and replace
  bool whole_component = false;  // the value is that of a component, "$metadata" taken out
};
using DigitalTwinPatch = std::vector<PatchOperation>;

// Reads JSON Patch (RFC 6902) with the operations add, replace and remove on /property, /component and /component/property. Fails with
// kInvalidDigitalTwinJsonPatch (no array of operations), kInvalidDigitalTwinPatch (an operation), kInvalidDigitalTwinPatchPath (its path) or
// kInvalidDigitalTwinPayload (its value).
Result<DigitalTwinPatch> parse_digital_twin_patch(std::string_view body);

// What the patch means for this twin: a patch of desired properties in which components have their marker; without `desired` when it sets and
// clears nothing. As RFC 6902 has it, operations follow each other, and what is replaced, removed or added to must be there, desired or reported.
// Fails with the codes above, or with kArgumentInvalid where the device twin has something under the name that is not as the conventions
// have it.
Result<Update> update_of(const DigitalTwinPatch& patch, const Twin& twin);

}  // namespace nearhub::twin
