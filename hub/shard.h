// The home of a share of the devices: all their state, and every operation on it.
//
// A device's identity, twins, queues, waiting methods and live connections are touched by its home loop alone, so nothing here is locked. What
// is not in memory is loaded from the store when first asked for and stays until room is needed; connected devices stay.
//
// Writes change memory at once and go to the store together at the end of the turn; whoever waits for one is answered after its commit.
// A read of something with a write under way, and a refusal that tells of it ("not found", "the etag is another one"), is answered after that
// commit too, so nobody sees what could still be lost.
//
// THREAD: owning loop only, but for post() and try_post(), which any thread may call.
#pragma once
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/executor.h"
#include "base/timer_queue.h"
#include "hub/configuration_target.h"
#include "hub/connection.h"
#include "hub/hub.h"
#include "hub/identity_state.h"
#include "hub/link.h"
#include "hub/method.h"
#include "hub/store.h"
#include "registry/identity_json.h"
#include "registry/import_item.h"
#include "twin/digital_twin.h"
#include "twin/query_ast.h"

namespace nearhub::hub {

// The If-Match header (reference/service-rest.md 5.1).
struct Condition {
  enum Kind { kAbsent, kAny, kEtag };
  Kind kind = kAbsent;
  std::string etag;  // without quotes
  bool matches(std::string_view current) const { return kind != kEtag || etag == current; }
};

// The versions of a twin before an update: what the store must still hold for the update to count.
struct TwinVersions {
  std::int64_t etag_counter;
  std::int64_t reported_version;
};

// One item of a bulk request, of an import or of a seed: an identity, its twin or both.
struct ImportOperation {
  IdentityId id;
  registry::ImportMode mode = registry::ImportMode::kCreate;
  Condition condition;       // of the identity, in the IfMatchETag modes; kAny otherwise
  Condition twin_condition;  // of the twin, whenever an item names its etag
  registry::IdentityRequest request;
  std::optional<twin::Update> twin;
  std::optional<twin::Value> initial_reported;  // counts when the identity is made: from then on they are the device's own
};

enum class SymmetricKey : std::uint8_t { kPrimary, kSecondary, kBoth };

// What a request asks of a shared access policy; empty: as it is, or made.
struct PolicyRequest {
  std::optional<auth::Rights> rights;
  std::string primary_key;
  std::string secondary_key;
};

struct IdentityView {
  registry::Identity identity;
  registry::LiveState live;
};

// What memory knows better than the store of an identity that is in it: the store learns times late, and connections never.
struct LiveIdentity {
  GenerationId generation_id;  // another one than the store's: the identity was deleted and made again meanwhile
  registry::LiveState state;
  WallTime connection_state_updated;
  WallTime last_activity;
};

// What a service sees of a twin: the whole JSON document and its etag.
struct TwinView {
  std::string json;
  ETag etag;
};

struct TwinSnapshot;

class Shard {
 public:
  Shard(std::uint32_t index, const Hub& hub, Executor& executor, TimerQueue& timers);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  Executor& executor() { return executor_; }
  const Hub& hub() const { return hub_; }

  // Hands this turn's writes to the store. The loop calls it at the end of every turn.
  void end_turn();

  // Two-phase stop: after drain() has called `drained`, everything acknowledged or not is in the store and nothing is under way. Direct methods
  // that wait are refused at once, and new ones from here on.
  void drain(Task drained);
  // Writes when identities were last active and connected; by itself every half a minute. For the end of the connections behind drain().
  void flush_activity();

  // --- Connections (shard_connections.cpp) -----------------------------------------------------------------------------------

  using Verdict = std::variant<auth::Admission, auth::Denial>;
  // May this identity come in? Loads it, then asks auth. The answer may come before judge() returns; if it is an admission, attach() must be
  // called from inside it.
  // `certificates`: of the client, DER, leaf first; they are gone when the verdict has fallen.
  void judge(const IdentityId& id, std::optional<std::string> password, std::vector<std::string> certificates, UniqueFunction<void(Verdict)> answer);

  // The certificate authorities to judge by from now on. Ends the connections that one admitted which is trusted no longer.
  void set_authorities(auth::AuthoritiesPtr authorities);

  struct AttachOptions {
    bool clean_session = true;
    bool hold_cloud_messages = false;  // until release_cloud_messages(), at most Limits::cloud_hold
    std::string model_id;
  };
  // Ends the identity's older connection first. `session_present`: a stored session was resumed.
  Connection& attach(const IdentityId& id, Link& link, auth::Admission admission, AttachOptions options, bool& session_present);
  // Lets deliveries begin; the front calls it when its client has been told that it is connected.
  void begin(Connection& connection);
  void detach(Connection& connection);

  void subscribe(Connection& connection, Topic topic, int qos);
  void unsubscribe(Connection& connection, Topic topic);
  void subscribe_method(Connection& connection, std::string_view name);
  void unsubscribe_method(Connection& connection, std::string_view name);
  // Runs `done` when what was subscribed is durable (at once for a clean session, or when nothing changed), then lets deliveries begin.
  void settle_subscriptions(Connection& connection, Task done);
  void release_cloud_messages(Connection& connection);

  // --- Telemetry (shard_telemetry.cpp) -----------------------------------------------------------------------------------------

  struct EventInput {
    std::string_view bag;
    std::string_view body;
    bool retain = false;
    bool will = false;
  };
  // `token`: given back by Link::on_event_stored() when `acknowledge`. The caller has checked sizes (kMaxTelemetryBytes, kMaxBagItems).
  void append_event(Connection& connection, const EventInput& input, bool acknowledge, std::uint32_t token);
  // An acknowledgement that stores nothing but must not overtake those before it: on_event_stored(token) after all of them.
  void acknowledge_in_order(Connection& connection, std::uint32_t token);
  // True while too much waits for the store: do not read from this publisher until on_store_ready().
  bool congested(Connection& connection);

  // --- Twins (shard_twins.cpp) -----------------------------------------------------------------------------------------------

  // The device's own view and update.
  void get_device_twin(Connection& connection, Answer<std::string> answer);
  void report(Connection& connection, std::string_view patch, std::optional<std::int64_t> if_version, Answer<std::int64_t> answer);
  // The service's.
  void get_twin(const IdentityId& id, Answer<TwinView> answer);
  // Whether the twin, as it is now, meets the conditions of a query (twin/query.h).
  void match_twin(const IdentityId& id, std::shared_ptr<const twin::query::Query> query, Answer<bool> answer);
  void update_twin(const IdentityId& id, twin::Update update, bool replace, const Condition& condition, Answer<TwinView> answer);
  // The same patch for many identities, unconditionally, without the document.
  void patch_twin(const IdentityId& id, std::shared_ptr<const twin::Update> update, Answer<std::monostate> answer);
  // The same twin as IoT Plug and Play has it (twin/digital_twin.h). A patch is answered with the new etag.
  void get_digital_twin(const IdentityId& id, Answer<TwinView> answer);
  void patch_digital_twin(const IdentityId& id, twin::DigitalTwinPatch patch, const Condition& condition, Answer<ETag> answer);

  // --- Identities (shard_identities.cpp) ---------------------------------------------------------------------------------------

  void get_identity(const IdentityId& id, Answer<IdentityView> answer);
  void list_modules(const DeviceId& device, Answer<std::vector<IdentityView>> answer);
  // kAbsent creates (409 when it exists), kAny and kEtag replace (404 when it does not).
  void put_identity(const IdentityId& id, registry::IdentityRequest request, const Condition& condition, Answer<IdentityView> answer);
  void delete_identity(const IdentityId& id, const Condition& condition, Answer<std::monostate> answer);
  // Carries out an item as a whole or not at all, in the store too.
  void import(ImportOperation operation, Answer<std::monostate> answer);
  // Puts new keys in the place of the old; kInvalidOperation when the identity has none.
  void regenerate_keys(const IdentityId& id, SymmetricKey which, Answer<IdentityView> answer);
  // By index: nullopt for an identity that is not in memory. It is disconnected, and what the store has of it right.
  std::vector<std::optional<LiveIdentity>> live_states(const std::vector<IdentityId>& ids);

  // --- Configurations (shard_configurations.cpp; hub/configuration.h) ------------------------------------------------------------
  // What changes a twin or an identity is judged by the configurations in the same turn, and what they do to it is part of the same write.

  // Those to judge by from now on. `done` runs when all that was judged by others is durable.
  void set_configurations(ConfigurationListPtr list, Task done);
  // Judges a module, or a device and all its modules, as they are now. `done` runs when what came of it is durable, at once when they are gone.
  void configure(const IdentityId& id, Task done);
  // Writes a deployment's content into the modules of an edge device, once: all of them or none, those that do not exist left out. Fails with
  // kDeviceNotFound, kInvalidOperation for a device that is no edge device, kArgumentInvalid when a twin would be too large.
  void apply_content(const DeviceId& id, std::shared_ptr<const ConfigurationContent> content, Answer<std::monostate> answer);

  // --- Shared access policies (shard_policies.cpp): on the first shard alone ---------------------------------------------------

  // kAbsent keys of a new policy are made; of one that exists they stay. The owner's policy keeps its rights and cannot be deleted.
  void put_policy(const std::string& name, PolicyRequest request, Answer<auth::AccessPolicy> answer);
  void regenerate_policy(const std::string& name, SymmetricKey which, Answer<auth::AccessPolicy> answer);
  void delete_policy(const std::string& name, Answer<std::monostate> answer);

  // --- Cloud-to-device messages (shard_cloud_messages.cpp) ---------------------------------------------------------------------

  void send(const IdentityId& id, CloudMessage message, Answer<std::uint64_t> answer);
  void purge(const IdentityId& id, Answer<std::int64_t> answer);
  void complete(Connection& connection, std::uint64_t sequence);
  // Moves expired messages out of the queue.
  void expire(const IdentityId& id);

  // --- Direct methods (shard_methods.cpp) --------------------------------------------------------------------------------------

  // `dispatch`: of a caller that may take the call back before it is sent; null otherwise.
  void invoke_method(const IdentityId& id, MethodRequest request, Answer<MethodResult> answer, std::shared_ptr<MethodDispatch> dispatch = nullptr);
  // Answers the calls of `id` that were withdrawn, with kServiceUnavailable; they take no more place.
  void end_withdrawn_methods(const IdentityId& id);
  void answer_method(Connection& connection, std::string_view request_id, int status, std::string_view payload);

  // --- Figures -----------------------------------------------------------------------------------------------------------------

  struct Figures {
    std::size_t connections = 0;
    std::size_t connected_devices = 0;  // modules are no devices
    std::size_t devices_in_memory = 0;
    std::uint64_t events = 0;
    std::size_t uncommitted_bytes = 0;
  };
  Figures figures() const;

 private:
  // Names an identity for an answer that comes later. It is found again only as the same object: one that was deleted and made anew, or lost and
  // loaded anew, counts its queue from the beginning and must not get the answers of the one before.
  struct IdentityRef {
    IdentityId id;
    std::uint64_t incarnation;
  };
  // Somebody who waits for a commit.
  struct Waiting {
    const Device* device;  // whose writes; null: of nobody in memory
    UniqueFunction<void(const Status&)> task;
  };

  // --- Loading and keeping (shard.cpp)
  // The callback may run at once; the device is valid during it and may not exist (Device::exists).
  void with_device(const DeviceId& id, UniqueFunction<void(Result<Device*>)> callback);
  // The same, down to the identity; `not_found` is the code for a missing module (a missing device is always kDeviceNotFound).
  void with_identity(const IdentityId& id, ErrorCode not_found, UniqueFunction<void(Result<IdentityState*>)> callback);
  // The identity if it is in memory and exists; null otherwise. For work that only matters then.
  IdentityState* find(const IdentityId& id);
  IdentityState* find(const IdentityRef& ref);
  static LiveIdentity live_of(const IdentityState& identity);
  static IdentityRef ref_of(const IdentityState& identity) { return {identity.identity.id, identity.incarnation}; }
  void load(const DeviceId& id);
  void on_loaded(const DeviceId& id, Result<std::optional<DeviceRecord>> record);
  void touch(Device& device);
  void forget_if_idle(Device& device);
  void evict();
  static std::size_t size_of(const Device& device);

  // --- Writing (shard.cpp)
  WriteBatch& batch();
  // Adds an operation to this turn's batch; `done` runs after its commit.
  void write(IdentityState& identity, WriteOperation operation, UniqueFunction<void(const Status&)> done);
  void on_committed(std::unique_ptr<WriteBatch> batch);
  bool is_durable(const IdentityState& identity) const { return identity.last_ticket <= committed_ticket_; }
  // Runs `task` when all writes of this identity so far are durable, at once when they are; with the error when one of them made the device lost.
  void after_writes(const IdentityState& identity, UniqueFunction<void(const Status&)> task);
  // The same for an answer.
  template <typename T>
  void answer_after_writes(const IdentityState& identity, Result<T> result, Answer<T> answer) {
    if (is_durable(identity)) return answer(std::move(result));
    after_writes(identity, [result = std::move(result), answer = std::move(answer)](const Status& status) mutable {
      answer(status.ok() ? std::move(result) : Result<T>(status.error()));
    });
  }
  // A compare-and-set failed: the store knows better than this memory. Drops the device, its connections and whoever waits for its writes; it is
  // loaded anew when it is asked for and its writes under way are done.
  void lose(const DeviceId& id, const Error& error);

  // --- Identities
  void use_fixed_keys(registry::IdentityRequest& request) const;
  Status room_for(const Device& device, const IdentityId& id) const;
  void create(Device& device, const IdentityId& id, registry::IdentityRequest request, const twin::Twin& twin, Answer<IdentityView> answer);
  void replace(IdentityState& state, registry::Identity after, Answer<IdentityView> answer);
  void erase(IdentityState& state, const Condition& condition, Answer<std::monostate> answer);
  void put(const IdentityId& id, registry::IdentityRequest request, const Status& parent, const Condition& condition, Answer<IdentityView> answer);
  void import_item(ImportOperation operation, const Status& parent, Answer<std::monostate> answer);
  void import_identity(Device& device, ImportOperation operation, const Status& parent, Answer<std::monostate> answer);

  // --- Edge devices (shard_scopes.cpp)
  // Runs `then` when it is known whether the request's parent, if it names one, is an edge device that may be above `id`.
  void with_parent(const IdentityId& id, registry::IdentityRequest request, UniqueFunction<void(registry::IdentityRequest, const Status&)> then);
  void check_scope(const DeviceId& child, std::string scope, int level, UniqueFunction<void(const Status&)> answer);
  // On the home of the edge device that `scope` names: the scope above it.
  void find_scope(const DeviceId& id, std::string scope, Answer<std::string> answer);
  // Makes or deletes the modules that an edge device has and a leaf has not.
  void follow_edge(Device& device);

  // --- Policies
  void set_policies(std::vector<auth::AccessPolicy> policies, UniqueFunction<void(const Status&)> done);
  void end_revoked_connections();

  // --- The hub's own events (shard_notifications.cpp); nothing is done for those that are off
  void notify(const IdentityState& state, EventSource source, std::string_view operation, std::string_view body);
  void notify_creation(const IdentityState& state, const twin::Twin& twin);
  void notify_deletion(const IdentityState& state);
  // After the change. `reported`: what the device itself has reported.
  void notify_twin(const IdentityState& state, const twin::Update& update, bool replace, const twin::Value* reported = nullptr);
  void notify_connection(const IdentityState& state, bool connected);

  // --- Connections
  void end_connection(IdentityState& identity, const auth::Denial& why);
  void end_connections(Device& device, const auth::Denial& why);
  // After a change of its credentials: whether what admitted its connection is still one of them.
  void end_connection_if_locked_out(IdentityState& identity);
  void on_token_end(Connection& connection);
  IdentityView view(IdentityState& identity);
  void mark_active(IdentityState& identity);

  // --- Twins
  Result<twin::Twin*> twin_of(IdentityState& identity);
  static TwinHead head_of(const IdentityState& identity, const twin::Twin& twin);
  TwinView service_view(IdentityState& identity, const twin::Twin& twin);
  // A service's update, in memory: all or nothing. It must be stored in the same turn.
  struct TwinChange {
    TwinVersions before;
    twin::Change change;
  };
  Result<TwinChange> change_twin(IdentityState& identity, const twin::Update& update, bool replace, const Condition& condition);
  Result<TwinChange> change_digital_twin(IdentityState& identity, const twin::DigitalTwinPatch& patch, const Condition& condition);
  static Status check_twin_etag(const twin::Twin& twin, const Condition& condition);
  void store_twin(IdentityState& identity, TwinChange change, Answer<std::monostate> answer);
  void notify_desired(const IdentityRef& ref, std::string_view notification, std::int64_t version);
  // `configurations`: what is to be stored of them, when it changed.
  void put_twin(IdentityState& identity, const TwinVersions& before, const twin::Change& change, std::optional<std::string> configurations,
                UniqueFunction<void(const Status&)> done);

  // --- Configurations
  // A deployment whose condition an edge device meets, and whether it takes part or a base of a higher rank hides it.
  struct Deployment {
    const TargetedConfiguration* configuration;
    bool takes_part;
  };
  // Behind a change of the identity or its twin that a condition may see.
  void reconfigure(IdentityState& identity, bool all_modules = false);
  void configure_twin(IdentityState& identity, const std::vector<Deployment>& deployments);
  std::vector<Deployment> deployments_of(IdentityState& device);
  bool sees_reported(const IdentityState& identity) const;
  // The twin as a condition sees it now.
  std::unique_ptr<const TwinSnapshot> snapshot_of(IdentityState& identity);
  void after_all_writes(Task task);

  // --- Cloud-to-device messages
  // Sends what may be sent, in order.
  void pump(IdentityState& identity);
  void deliver(IdentityState& identity, QueuedMessage& queued);
  void fetch(IdentityState& identity);
  void remove(IdentityState& identity, std::uint64_t sequence, Outcome outcome);
  std::size_t expire_due(IdentityState& identity);
  void sweep_expired();
  static CloudMessageHead head_of(const CloudMessage& message);

  // --- Direct methods
  // An answer may call back into the hub and delete what was called: whoever answers has finished with the identity.
  using MethodCalls = std::vector<std::unique_ptr<MethodCall>>;
  void start_waiting_methods(const IdentityRef& ref);
  void start_method(IdentityState& identity, MethodCall& call);
  void on_method_timeout(const IdentityId& id, MethodCall* call);
  std::unique_ptr<MethodCall> take_call(IdentityState& identity, MethodCall* call);
  static void take_calls(IdentityState& identity, MethodCalls& into);
  static MethodCalls take_calls(Device& device);  // of its modules, too
  static void fail(MethodCalls calls, const Error& error);

  const std::uint32_t index_;
  const Hub& hub_;
  const Hub::Shared& shared_;
  Executor& executor_;
  TimerQueue& timers_;
  auth::AuthoritiesPtr authorities_;  // never null
  ConfigurationListPtr configurations_;  // never null

  std::unordered_map<std::string, std::unique_ptr<Device>, StringHash, std::equal_to<>> devices_;
  std::list<Device*> idle_;  // loaded, not connected, nothing under way; those that do not exist, then the longest unused in front
  std::size_t idle_bytes_ = 0;
  std::unordered_map<std::string, std::vector<UniqueFunction<void(Result<Device*>)>>, StringHash, std::equal_to<>> loading_;
  std::unordered_map<std::string, std::uint64_t, StringHash, std::equal_to<>> lost_;  // the ticket of a lost device's last write under way
  std::uint64_t next_incarnation_ = 1;

  std::unique_ptr<WriteBatch> batch_;                // this turn's
  std::vector<std::unique_ptr<WriteBatch>> spare_batches_;
  std::uint64_t next_ticket_ = 1;                    // of batch_
  std::uint64_t committed_ticket_ = 0;
  std::uint64_t acknowledged_ticket_ = 0;  // all acknowledgements of the batches up to this one went out
  std::size_t uncommitted_bytes_ = 0;
  std::multimap<std::uint64_t, Waiting> after_commit_;  // by ticket
  std::uint64_t events_ = 0;

  std::vector<std::unique_ptr<Connection>> connections_;  // by slot
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::uint32_t> generations_;  // by slot
  std::size_t connected_ = 0;
  std::size_t connected_devices_ = 0;
  std::vector<std::uint32_t> waiting_for_store_;  // slots of publishers that were told to pause

  std::vector<IdentityId> active_;  // identities with activity to write
  Timer activity_timer_;
  Timer sweep_timer_;
  IdentityId swept_;  // the last that the latest sweep came to; empty: it came to the end
  bool pumping_ = false;
  bool looking_for_similar_ = false;
  bool draining_ = false;
  Task drained_;
};

}  // namespace nearhub::hub
