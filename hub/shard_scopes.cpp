// IoT Edge devices above others: scopes, and the modules that an edge device has (reference/service-rest.md 4.5).
#include <fmt/core.h>

#include <utility>

#include "base/text.h"
#include "hub/shard.h"

namespace nearhub::hub {
namespace {

Error invalid_scope(std::string detail) { return {ErrorCode::kInvalidDeviceScope, std::move(detail)}; }

}  // namespace

void Shard::with_parent(const IdentityId& id, registry::IdentityRequest request, UniqueFunction<void(registry::IdentityRequest, const Status&)> then) {
  std::string parent = id.is_module() ? std::string() : request.parent_scope();
  if (parent.empty()) return then(std::move(request), Status());
  check_scope(id.device, std::move(parent), 1, [request = std::move(request), then = std::move(then)](const Status& known) mutable {
    then(std::move(request), known);
  });
}

// Level by level: each edge device is looked up at its home. What changes meanwhile is not seen, as no operation spans two devices.
void Shard::check_scope(const DeviceId& child, std::string scope, int level, UniqueFunction<void(const Status&)> answer) {
  const auto parent = registry::device_of_scope(scope);
  if (!parent) return answer(invalid_scope(fmt::format("\"{}\" is no scope of an edge device; expected ms-azure-iot-edge://ID-SUFFIX", printable(scope, 300))));
  if (*parent == child) return answer(invalid_scope("device " + child.str() + " would be below itself"));
  if (level > registry::kMaxEdgeLevels) return answer(invalid_scope(fmt::format("more than {} edge devices would be above device {}", registry::kMaxEdgeLevels, child.str())));
  Shard& home = hub_.shard(hub_.home_of(*parent));
  home.executor().post([this, &home, child, scope = std::move(scope), level, parent = *parent, answer = std::move(answer)]() mutable {
    home.find_scope(parent, std::move(scope), [this, child, level, answer = std::move(answer)](Result<std::string> above) mutable {
      executor_.post([this, child, level, above = std::move(above), answer = std::move(answer)]() mutable {
        if (!above.ok()) return answer(above.error());
        if (above->empty()) return answer(Status());
        check_scope(child, std::move(*above), level + 1, std::move(answer));
      });
    });
  });
}

void Shard::find_scope(const DeviceId& id, std::string scope, Answer<std::string> answer) {
  with_device(id, [id, scope = std::move(scope), answer = std::move(answer)](Result<Device*> loaded) mutable {
    if (!loaded.ok()) return answer(loaded.error());
    const Device& device = **loaded;
    if (!device.exists || !device.self.identity.iot_edge) {
      return answer(invalid_scope(fmt::format("{} names device {}, which {}", scope, id.str(), device.exists ? "is no edge device" : "does not exist")));
    }
    const registry::Identity& identity = device.self.identity;
    if (identity.device_scope != scope) return answer(invalid_scope(fmt::format("the scope of device {} is {}, not {}", id.str(), identity.device_scope, scope)));
    answer(identity.parent_scope);
  });
}

void Shard::follow_edge(Device& device) {
  const bool edge = device.self.identity.iot_edge;
  for (const std::string_view name : registry::kEdgeModules) {
    const IdentityId id{device.id, ModuleId(name)};
    IdentityState* module = find(id);
    if (edge && module == nullptr) {
      registry::IdentityRequest request;
      request.credentials.type = auth::AuthenticationType::kNone;  // until the device's own runtime asks for keys
      request.managed_by = "iotEdge";
      create(device, id, std::move(request), twin::Twin::create(shared_.clock.now()), [](const Result<IdentityView>&) {});
    } else if (!edge && module != nullptr) {
      erase(*module, {Condition::kAny, {}}, [](const Result<std::monostate>&) {});
    }
  }
}

}  // namespace nearhub::hub
