// GET /statistics/devices and /statistics/service (reference/service-rest.md 4.6 and 5.12).
#include "service/api.h"
#include "service/gather.h"

namespace nearhub::service {
namespace {

constexpr Envelope kStatisticsEnvelope = Envelope::kE1;

void registry_statistics(const Api& api, Request /*request*/, Responder responder) {
  Executor& loop = responder.loop();
  api.hub().shared().store.count_devices(loop, [&api, responder = std::move(responder)](Result<hub::DeviceCounts> counts) mutable {
    if (!counts.ok()) return responder.respond(api.error(counts.error(), kStatisticsEnvelope));
    JsonWriter json;
    json.object()
        .member("totalDeviceCount", counts->total)
        .member("enabledDeviceCount", counts->total - counts->disabled)
        .member("disabledDeviceCount", counts->disabled)
        .end_object();
    responder.respond(json_response(std::move(json).take()));
  });
}

void service_statistics(const Api& api, Request /*request*/, Responder responder) {
  // Shared by the shards' answers, all of which run on this loop.
  struct Counting {
    std::size_t connected = 0;
    std::uint32_t waiting = 0;
    Responder responder;
  };
  Executor& loop = responder.loop();
  const hub::Hub& hub = api.hub();
  auto counting = std::make_shared<Counting>(Counting{0, hub.shard_count(), std::move(responder)});
  for (std::uint32_t home = 0; home < hub.shard_count(); ++home) {
    hub::Shard& shard = hub.shard(home);
    shard.executor().post([&shard, &loop, counting] {
      loop.post([connected = shard.figures().connected_devices, counting] {
        counting->connected += connected;
        if (--counting->waiting > 0) return;
        JsonWriter json;
        json.object().member("connectedDeviceCount", static_cast<std::int64_t>(counting->connected)).end_object();
        counting->responder.respond(json_response(std::move(json).take()));
      });
    });
  }
}

}  // namespace

void add_statistics_routes(std::vector<Route>& routes) {
  using auth::Right;
  routes.push_back({"GET", "statistics/devices", {Right::kRegistryRead}, kStatisticsEnvelope, registry_statistics});
  routes.push_back({"GET", "statistics/service", {Right::kServiceConnect, Right::kRegistryRead}, kStatisticsEnvelope, service_statistics});
}

}  // namespace nearhub::service
