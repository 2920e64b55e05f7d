// POST /devices and POST /devices/keys/regenerate: many identities in one request (reference/service-rest.md 5.2 and 5.4).
#include <fmt/core.h>

#include <map>
#include <memory>
#include <set>
#include <variant>

#include "base/json.h"
#include "hub/import_operation.h"
#include "registry/import_item.h"
#include "service/api.h"
#include "service/gather.h"
#include "service/key_choice.h"

namespace nearhub::service {
namespace {

constexpr Envelope kBulkEnvelope = Envelope::kE1;
constexpr std::size_t kMaxBulk = 100;

struct Failure {
  registry::NamedIds ids;
  Error error;
};

// One request: its operations, and what is wrong already. Shared by the home loops, each of which touches its own operations only.
struct Bulk {
  std::vector<hub::ImportOperation> operations;
  std::vector<Failure> failures;
  std::size_t items = 0;
  std::vector<std::size_t> wave;  // which operations are being carried out
};

// "3 of 100 failed: d7 DeviceAlreadyExists (...)"
std::string summary(const std::vector<Failure>& failures, std::size_t of) {
  const Failure& first = failures.front();
  return fmt::format("{} of {} items failed; the first: {}{}{} {}: {}", failures.size(), of, first.ids.device, first.ids.module.empty() ? "" : "/", first.ids.module,
                     error_name(first.error.code), first.error.detail);
}

void write_failures(JsonWriter& json, const std::vector<Failure>& failures, std::string_view id_name) {
  json.member("errors").array();
  for (const Failure& failure : failures) {
    json.object().member(id_name, failure.ids.device);
    if (!failure.ids.module.empty()) json.member("moduleId", failure.ids.module);
    json.member("errorCode", error_name(failure.error.code)).member("errorStatus", failure.error.detail).end_object();
  }
  json.end_array();
}

http::Response refused(const Api& api, std::string body, ErrorCode code, std::string reason) {
  http::Response response = json_response(std::move(body));
  response.status = 400;
  response.code = code;
  response.reason = std::move(reason);
  response.set("iothub-errorcode", std::string(error_name(code)));
  response.set("x-ms-request-id", api.hub().shared().random.uuid());
  // The C# SDK looks for this name and reads the body then.
  response.set("IotHubErrorCode", std::string(error_name(code)));
  return response;
}

http::Response bulk_response(const Api& api, const std::vector<Failure>& failures, std::size_t of) {
  JsonWriter json;
  json.object().member("isSuccessful", failures.empty());
  write_failures(json, failures, "deviceId");
  json.member("warnings").array().end_array().end_object();
  if (failures.empty()) return json_response(std::move(json).take());
  return refused(api, std::move(json).take(), ErrorCode::kBulkRegistryOperationFailure, summary(failures, of));
}

Result<std::shared_ptr<Bulk>> parse_bulk(std::string_view body) {
  const auto document = parse_json(body);
  if (!document.ok()) return document.error();
  if (!document->IsArray()) return Error{ErrorCode::kArgumentInvalid, fmt::format("the body is {}; expected an array of identities", json_kind(*document))};
  if (document->Size() > kMaxBulk) {
    return Error{ErrorCode::kTooManyDevices, fmt::format("the request has {} items; at most {} are allowed", document->Size(), kMaxBulk)};
  }
  auto bulk = std::make_shared<Bulk>();
  std::map<std::string, int> times;
  for (const JsonValue& entry : document->GetArray()) {
    const registry::NamedIds ids = registry::named_ids(entry);
    if (!ids.device.empty()) ++times[ids.device + "/" + ids.module];
  }
  const std::vector<std::string_view> texts = split_elements(body);
  for (rapidjson::SizeType i = 0; i < document->Size(); ++i) {
    const JsonValue& entry = (*document)[i];
    registry::NamedIds ids = registry::named_ids(entry);
    if (times[ids.device + "/" + ids.module] > 1) {
      bulk->failures.push_back({std::move(ids), {ErrorCode::kDeviceDefinedMultipleTimes, "the request names it more than once; none of them counts"}});
      continue;
    }
    auto operation = hub::parse_import_operation(entry, texts[i], registry::ImportMode::kCreate);
    if (operation.ok()) {
      bulk->operations.push_back(std::move(*operation));
    } else {
      bulk->failures.push_back({std::move(ids), operation.error()});
    }
  }
  return bulk;
}

// An edge device may stand behind its children, or on another home, and a child's modules do not wait for it: what failed for want of its parent or its device
// is tried again as long as the others succeed.
void carry_out(const Api& api, const std::shared_ptr<Bulk>& bulk, Responder responder) {
  std::vector<DeviceId> devices;
  std::set<DeviceId> children;  // they ask for their parent first
  for (const std::size_t index : bulk->wave) {
    const hub::ImportOperation& operation = bulk->operations[index];
    devices.push_back(operation.id.device);
    if (!operation.request.parent_scope().empty()) children.insert(operation.id.device);
  }
  Executor& loop = responder.loop();
  ask_homes<std::monostate>(
      api.hub(), loop, devices,
      [bulk](hub::Shard& shard, std::size_t index, hub::Answer<std::monostate> answer) {
        shard.import(bulk->operations[bulk->wave[index]], std::move(answer));
      },
      [&api, bulk, children = std::move(children), responder = std::move(responder)](const std::vector<Result<std::monostate>>& answers) mutable {
        std::vector<std::size_t> again;
        std::vector<Failure> orphans;
        bool progress = false;
        for (std::size_t i = 0; i < answers.size(); ++i) {
          progress |= answers[i].ok();
          if (answers[i].ok()) continue;
          const IdentityId& id = bulk->operations[bulk->wave[i]].id;
          const ErrorCode code = answers[i].error().code;
          const bool orphan = code == ErrorCode::kInvalidDeviceScope || (code == ErrorCode::kDeviceNotFound && id.is_module() && children.contains(id.device));
          if (orphan) again.push_back(bulk->wave[i]);
          (orphan ? orphans : bulk->failures).push_back({{id.device.str(), id.module.str()}, answers[i].error()});
        }
        if (progress && !again.empty()) {
          bulk->wave = std::move(again);
          return carry_out(api, bulk, std::move(responder));
        }
        for (Failure& orphan : orphans) bulk->failures.push_back(std::move(orphan));
        responder.respond(bulk_response(api, bulk->failures, bulk->items));
      });
}

void bulk_devices(const Api& api, Request request, Responder responder) {
  auto parsed = parse_bulk(request.http.body);
  if (!parsed.ok()) return responder.respond(api.error(parsed.error(), kBulkEnvelope));
  const std::shared_ptr<Bulk> bulk = std::move(*parsed);
  bulk->items = bulk->operations.size() + bulk->failures.size();
  for (std::size_t i = 0; i < bulk->operations.size(); ++i) bulk->wave.push_back(i);
  carry_out(api, bulk, std::move(responder));
}

// --- Keys ---------------------------------------------------------------------------------------------------------------------

struct KeyRequest {
  KeyChoice choice;
  std::vector<IdentityId> ids;
};

Result<KeyRequest> parse_key_request(std::string_view body) {
  const auto invalid = [](std::string detail) { return Error{ErrorCode::kArgumentInvalid, std::move(detail)}; };
  const auto document = parse_json(body);
  if (!document.ok()) return document.error();
  auto choice = parse_key_choice(*document);
  if (!choice.ok()) return std::move(choice).error();
  KeyRequest request;
  request.choice = std::move(*choice);
  const JsonValue* devices = find_member(*document, "devices");
  if (devices == nullptr || !devices->IsArray()) return invalid("devices is missing or no array");
  if (devices->Size() > kMaxBulk) {
    return Error{ErrorCode::kTooManyDevices, fmt::format("the request has {} devices; at most {} are allowed", devices->Size(), kMaxBulk)};
  }
  for (const JsonValue& device : devices->GetArray()) {
    if (!device.IsObject()) return invalid(fmt::format("an entry of devices is {}; expected an object with id", json_kind(device)));
    const registry::NamedIds ids = registry::named_ids(device);
    if (Status status = check_id(ids.device, "id"); !status.ok()) return status.error();
    if (!ids.module.empty()) {
      if (Status status = check_id(ids.module, "moduleId"); !status.ok()) return status.error();
    }
    request.ids.push_back({DeviceId(ids.device), ModuleId(ids.module)});
  }
  return request;
}

void regenerate_keys(const Api& api, Request request, Responder responder) {
  auto parsed = parse_key_request(request.http.body);
  if (!parsed.ok()) return responder.respond(api.error(parsed.error(), kBulkEnvelope));
  const auto keys = std::make_shared<const KeyRequest>(std::move(*parsed));
  std::vector<DeviceId> devices;
  for (const IdentityId& id : keys->ids) devices.push_back(id.device);
  Executor& loop = responder.loop();
  ask_homes<hub::IdentityView>(
      api.hub(), loop, devices,
      [keys](hub::Shard& shard, std::size_t index, hub::Answer<hub::IdentityView> answer) {
        shard.regenerate_keys(keys->ids[index], keys->choice.which, std::move(answer));
      },
      [&api, keys, responder = std::move(responder)](const std::vector<Result<hub::IdentityView>>& answers) mutable {
        std::vector<Failure> failures;
        JsonWriter json;
        json.object().member("policyKey", keys->choice.text).member("rotatedKeys").array();
        for (std::size_t i = 0; i < answers.size(); ++i) {
          const IdentityId& id = keys->ids[i];
          if (!answers[i].ok()) {
            failures.push_back({{id.device.str(), id.module.str()}, answers[i].error()});
            continue;
          }
          const auth::Credentials& credentials = answers[i]->identity.credentials;
          json.object().member("id", id.device.str());
          if (id.is_module()) json.member("moduleId", id.module.str());
          json.member("primaryKey", credentials.primary_key).member("secondaryKey", credentials.secondary_key).end_object();
        }
        json.end_array();
        write_failures(json, failures, "id");
        json.end_object();
        if (!failures.empty() && failures.size() == answers.size()) {
          return responder.respond(
              refused(api, std::move(json).take(), ErrorCode::kBulkRegenerateDeviceKeyOperationFailure, summary(failures, answers.size())));
        }
        http::Response response = json_response(std::move(json).take());
        if (!failures.empty()) response.status = 207;
        responder.respond(std::move(response));
      });
}

}  // namespace

void add_bulk_routes(std::vector<Route>& routes) {
  using auth::Right;
  routes.push_back({"POST", "devices", {Right::kRegistryWrite}, kBulkEnvelope, bulk_devices});
  routes.push_back({"POST", "devices/keys/regenerate", {Right::kRegistryWrite}, kBulkEnvelope, regenerate_keys});
}

}  // namespace nearhub::service
