#include "broker/server.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <optional>
#include <thread>

#include "auth/connection_string.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time_format.h"
#include "broker/seed.h"
#include "broker/well_known.h"
#include "wire/net/address.h"

namespace nearhub::broker {
namespace {

// How long connections may take to be flushed and closed at a stop.
constexpr std::chrono::seconds kStopTime{5};
// How long a stop may take as a whole: a disk that hangs must not keep the process for ever.
constexpr std::chrono::seconds kStopLimit{30};
// Attempts to find one port that is free on every address.
constexpr int kPortAttempts = 20;

constexpr std::string_view kWellKnownSetting = "well_known_keys";

}  // namespace

Server::Worker::Worker(std::uint32_t index, const Server& server) : loop(server.clock_) {
  shard = std::make_unique<hub::Shard>(index, *server.hub_, loop, loop.timers());
  loop.at_turn_end([this] { shard->end_turn(); });
}

Server::Server(Config config, SystemClock& clock, Random& random, DataFolder folder)
    : config_(std::move(config)),
      clock_(clock),
      random_(random),
      folder_(std::move(folder)),
      started_(clock.now()),
      count_(config_.connections),
      mqtt_settings_{config_.mqtt} {}

Server::~Server() {
  ready_pipe_.reset();
  hub_file_.reset();
  jobs_.reset();
  // Connections before the store that they read from; the store, whose answers go to the loops, before those. What waits in a shard may belong to
  // the connection of another loop, so all shards go before the first loop.
  for (auto& worker : workers_) {
    worker->listeners.clear();
    worker->http.reset();
    worker->mqtt.reset();
  }
  store_.reset();
  // Whoever still waits with them is told so on the loops.
  authorities_.reset();
  scheduled_jobs_.reset();
  configurations_.reset();
  feedback_.reset();
  for (auto& worker : workers_) worker->shard.reset();
  workers_.clear();
}

Result<std::unique_ptr<Server>> Server::create(Config config, SystemClock& clock, Random& random) {
  if (Status sound = check(config); !sound.ok()) return sound.error();
  auto folder = DataFolder::open(config);
  if (!folder.ok()) return std::move(folder).error();
  std::unique_ptr<Server> server(new Server(std::move(config), clock, random, std::move(*folder)));
  if (Status stored = server->prepare_store(); !stored.ok()) return stored.error();

  const std::vector<std::string> names = server->host_names();
  auto certificates = server->folder_.certificates(server->config_, names, clock.now(), random);
  if (!certificates.ok()) return std::move(certificates).error();
  auto hub_id = server->store_->setting("hub_id");
  if (!hub_id) {
    hub_id = random.hex(16);
    if (Status set = server->store_->set_setting("hub_id", *hub_id); !set.ok()) return set.error();
  }
  std::optional<net::Resumption> resumption;
  if (server->config_.tls_resumption) resumption.emplace(net::Resumption{clock});
  auto tls = net::TlsContext::create(*certificates, *hub_id, resumption);
  if (!tls.ok()) return std::move(tls).error();
  server->tls_ = std::move(*tls);

  hub::Hub::Shared shared{clock,
                          random,
                          *server->store_,
                          server->refusals_,
                          auth::HostNames(names),
                          server->policies_,
                          server->config_.sas_times,
                          server->config_.limits,
                          server->config_.behaviour,
                          server->store_->partitions(),
                          {}};
  shared.authorities = registry::parsed_set(server->stored_authorities_);
  server->job_rows_ = std::make_unique<hub::DeviceJobRows>(*server->store_);
  shared.job_rows = server->job_rows_.get();
  shared.configurations = server->stored_configurations_;
  if (server->config_.well_known_keys) shared.fixed_keys = hub::FixedKeys{kWellKnownPrimaryKey, kWellKnownSecondaryKey};
  server->hub_ = std::make_unique<hub::Hub>(std::move(shared));
  if (Status made = server->make_workers(); !made.ok()) return made.error();
  if (const auto seed = server->read_seed(); !seed.ok()) return seed.error();  // a bad file stops the start, before anything listens
  return server;
}

Status Server::prepare_store() {
  config_.store.path = config_.in_memory ? std::string() : folder_.file("nearhub.db");
  auto store = store::SqliteStore::open(config_.store, clock_, [this](const Error& error) {
    workers_.front()->loop.post([this, error] { fail(error); });
  });
  if (!store.ok()) return store.error();
  store_ = std::move(*store);

  auto policies = store_->policies();
  if (!policies.ok()) return policies.error();
  if (policies->empty()) {
    *policies = config_.well_known_keys ? well_known_policies() : auth::make_default_policies(random_);
    if (Status set = store_->set_policies(*policies); !set.ok()) return set;
    if (Status set = store_->set_setting(kWellKnownSetting, config_.well_known_keys ? "yes" : "no"); !set.ok()) return set;
  }
  if ((store_->setting(kWellKnownSetting) == "yes") != config_.well_known_keys) {
    return Error{ErrorCode::kInvalidSetting,
                 fmt::format("{} was made {} --well-known-keys: start it the same way, or give another --data folder", folder_.path(),
                             config_.well_known_keys ? "without" : "with")};
  }
  policies_.set(std::move(*policies));

  auto authorities = store_->certificate_authorities();
  if (!authorities.ok()) return authorities.error();
  stored_authorities_ = std::move(*authorities);

  auto jobs = store_->unfinished_scheduled_jobs();
  if (!jobs.ok()) return jobs.error();
  unfinished_jobs_ = std::move(*jobs);
  auto configurations = store_->configurations();
  if (!configurations.ok()) return configurations.error();
  auto list = hub::make_list(std::move(configurations->configurations));
  if (!list.ok()) return list.error();
  stored_configurations_ = std::move(*list);
  stored_sweeps_ = std::move(configurations->sweeps);
  return {};
}

std::vector<std::string> Server::host_names() const {
  std::vector<std::string> names;
  const auto add = [&names](const std::string& name) {
    const bool known = std::any_of(names.begin(), names.end(), [&](const std::string& other) { return equals_ignoring_case(other, name); });
    if (!known) names.push_back(name);
  };
  for (const std::string& host : config_.hosts) add(host);
  add("localhost");
  add("127.0.0.1");
  add("::1");
  bool beyond_loopback = false;
  for (const std::string& address : config_.bind) {
    beyond_loopback |= !net::is_loopback(address);
    if (address == "0.0.0.0" || address == "::") {
      for (const std::string& own : net::machine_addresses()) add(own);
    } else {
      add(address);
    }
  }
  if (beyond_loopback) {
    char host[256] = {};
    if (gethostname(host, sizeof host - 1) == 0 && host[0] != '\0') add(host);
  }
  return names;
}

Status Server::make_workers() {
  jobs_ = std::make_unique<jobs::TransferJobs>(*hub_, blob::Settings{folder_.file("blobs"), config_.storage_ca_file});
  const unsigned loops = config_.loops != 0 ? config_.loops : std::max(1u, std::thread::hardware_concurrency());
  service::ApiSettings api_settings;
  api_settings.status_json = [this] { return status_json(); };
  api_settings.ready = [this] { return ready_.load(); };
  if (config_.test_clock) {
    api_settings.advance_clock = [this](std::chrono::milliseconds by) { advance_clock(by); };
  }
  api_settings.transfer_jobs = jobs_.get();
  // The owner's key stands in hub.json.
  api_settings.policies_changed = [this](Task known) {
    workers_.front()->loop.post([this, known = std::move(known)]() mutable { hub_file_->update(std::move(known)); });
  };
  api_ = std::make_unique<service::Api>(*hub_, std::move(api_settings));

  std::vector<hub::Shard*> shards;
  std::vector<MqttFront*> fronts;
  for (unsigned i = 0; i < loops; ++i) {
    auto worker = std::make_unique<Worker>(i, *this);
    shards.push_back(worker->shard.get());
    worker->mqtt = std::make_unique<MqttFront>(worker->loop, *worker->shard, *hub_, *tls_, mqtt_settings_, count_);
    fronts.push_back(worker->mqtt.get());
    worker->http = std::make_unique<HttpFront>(worker->loop, *hub_, *tls_, *api_, config_.http, count_);
    workers_.push_back(std::move(worker));
  }
  hub_->set_shards(std::move(shards));
  authorities_ = std::make_unique<hub::CertificateAuthorities>(*hub_, workers_.front()->loop, std::move(stored_authorities_));
  hub_->set_authorities(*authorities_);
  net::Loop& first = workers_.front()->loop;
  scheduled_jobs_ = std::make_unique<hub::ScheduledJobs>(*hub_, first, first.timers(), std::move(unfinished_jobs_));
  hub_->set_scheduled_jobs(*scheduled_jobs_);
  feedback_ = std::make_unique<hub::FeedbackQueue>(*hub_, workers_.front()->loop);
  hub_->set_feedback(*feedback_);
  configurations_ = std::make_unique<hub::Configurations>(*hub_, first, first.timers(), std::move(stored_configurations_), std::move(stored_sweeps_));
  hub_->set_configurations(*configurations_);
  hub_file_ = std::make_unique<HubFile>(workers_.front()->loop, [this] { return ready_json(); },
                                        [this](const std::string& json) { return folder_.write_hub_file(json); });
  for (auto& worker : workers_) worker->mqtt->set_fronts(fronts);
  return bind_sockets();
}

Status Server::bind_sockets() {
  if (!config_.mqtts.off) {
    if (Status bound = bind_door(config_.mqtts, mqtts_port_, &Worker::mqtts_sockets); !bound.ok()) return bound;
  }
  if (config_.https.off) return {};
  Status bound = bind_door(config_.https, https_port_, &Worker::https_sockets);
  if (!bound.ok() && bound.error().code == ErrorCode::kGenericForbidden && config_.https.is_default) {
    https_fell_back_ = true;
    bound = bind_door({false, kFallbackHttpsPort, true}, https_port_, &Worker::https_sockets);
  }
  return bound;
}

Status Server::bind_door(const PortSetting& setting, std::uint16_t& port, std::vector<net::ListeningSocket> Worker::*sockets) {
  // By default both loopback addresses, because `localhost` may mean either; a machine without IPv6 does without.
  const bool by_default = config_.bind.empty();
  const std::vector<std::string> addresses = by_default ? std::vector<std::string>{"127.0.0.1", "::1"} : config_.bind;
  Status failure;
  for (int attempt = 0; attempt < (setting.port == 0 ? kPortAttempts : 1); ++attempt) {
    for (auto& worker : workers_) ((*worker).*sockets).clear();
    port = setting.port;
    failure = {};
    for (const std::string& address : addresses) {
      for (auto& worker : workers_) {
        const auto claim = worker == workers_.front() ? net::ListeningSocket::Claim::kFirst : net::ListeningSocket::Claim::kJoin;
        auto bound = net::ListeningSocket::bind(address, port, claim);
        if (!bound.ok()) {
          failure = bound.error();
          break;
        }
        port = bound->port();
        ((*worker).*sockets).push_back(std::move(*bound));
      }
      if (!failure.ok() && by_default && address == "::1" && failure.error().code == ErrorCode::kGenericNotFound) failure = {};
      if (!failure.ok()) break;
    }
    if (failure.ok() || failure.error().code != ErrorCode::kIo) return failure;
  }
  return failure;
}

Result<Seed> Server::read_seed() const {
  Seed seed;
  if (!config_.seed_file.empty()) {
    auto text = read_file(config_.seed_file);
    if (!text.ok()) return std::move(text).error();
    auto parsed = parse_seed(*text, std::filesystem::path(config_.seed_file).parent_path().string());
    if (!parsed.ok()) return std::move(parsed).error();
    seed = std::move(*parsed);
  }
  for (const std::string& device : config_.devices) {
    if (Status status = check_id(device, "--device"); !status.ok()) return Error{ErrorCode::kInvalidSetting, status.error().detail};
    const bool in_file = std::any_of(seed.identities.begin(), seed.identities.end(), [&](const SeedIdentity& identity) { return identity.id == IdentityId{DeviceId(device), {}}; });
    if (in_file) continue;
    SeedIdentity identity;
    identity.id.device = DeviceId(device);
    identity.only_create = true;
    seed.identities.push_back(std::move(identity));
  }
  return seed;
}

// --- Running ------------------------------------------------------------------------------------------------------------------

int Server::run(UniqueFunction<void()> on_ready) {
  on_ready_ = std::move(on_ready);
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < workers_.size(); ++i) {
    threads.emplace_back([&worker = *workers_[i]] { worker.loop.run(); });
  }
  workers_.front()->loop.post([this] {
    configurations_->start();
    auto seed = read_seed();
    if (!seed.ok()) return fail(seed.error());
    apply_seed(*hub_, std::move(*seed), [this](Result<std::vector<registry::Identity>> applied) {
      workers_.front()->loop.post([this, applied = std::move(applied)]() mutable {
        if (!applied.ok()) return fail(applied.error());
        seeded_ = std::move(*applied);
        open_doors();
      });
    });
  });
  workers_.front()->loop.run();
  for (std::thread& thread : threads) thread.join();
  jobs_->stop();
  // Its thread may still be writing, and what it wrote would stand there, with a key, after the hub is gone.
  hub_file_.reset();
  folder_.remove_hub_file();
  return exit_code_;
}

void Server::on_all(std::function<void(Worker&)> task, Task then) {
  // Shared by the workers' tasks; the last one runs `then`.
  struct Round {
    std::function<void(Worker&)> task;
    Task then;
    std::size_t waiting;
  };
  auto round = std::make_shared<Round>(Round{std::move(task), std::move(then), workers_.size()});
  net::Loop& first = workers_.front()->loop;
  for (auto& worker : workers_) {
    worker->loop.post([&first, &worker = *worker, round] {
      round->task(worker);
      first.post([round] {
        if (--round->waiting == 0) round->then();
      });
    });
  }
}

void Server::open_doors() {
  if (stopping_) return;
  on_all(
      [](Worker& worker) {
        for (net::ListeningSocket& socket : worker.mqtts_sockets) {
          worker.listeners.push_back(std::make_unique<net::Listener>(
              worker.loop, std::move(socket), [&front = *worker.mqtt](int fd, std::string peer) { front.accept(fd, std::move(peer)); }));
        }
        for (net::ListeningSocket& socket : worker.https_sockets) {
          worker.listeners.push_back(std::make_unique<net::Listener>(
              worker.loop, std::move(socket), [&front = *worker.http](int fd, std::string peer) { front.accept(fd, std::move(peer)); }));
        }
      },
      [this] { on_all_listening(); });
}

void Server::on_all_listening() {
  if (stopping_) return;
  scheduled_jobs_->begin();
  ready_ = true;
  const std::string json = ready_json();
  if (Status written = folder_.write_hub_file(json); !written.ok()) return fail(written.error());
  if (is_named_pipe(config_.ready_file)) {
    ready_pipe_ = std::make_unique<PipeWriter>(workers_.front()->loop.timers(), config_.ready_file, json, [this](const Error& error) { fail(error); });
  } else if (!config_.ready_file.empty()) {
    if (Status written = write_file(config_.ready_file, json, 0600); !written.ok()) return fail(written.error());
  }
  if (on_ready_) on_ready_();
}

void Server::stop_on_signals() {
  workers_.front()->loop.watch_signals({SIGTERM, SIGINT}, [this](int number) {
    if (++signals_ > 1) {
      // Without the log, which may be what hangs.
      ::_exit(128 + number);
    }
    log::info("hub", "stopping signal={}", number);
    begin_stop();
  });
}

void Server::advance_clock(std::chrono::milliseconds by) {
  clock_.advance(by);
  for (auto& worker : workers_) worker->loop.clock_moved();
}

void Server::stop() {
  workers_.front()->loop.post([this] { begin_stop(); });
}

void Server::begin_stop() {
  if (std::exchange(stopping_, true)) return;
  ready_ = false;
  ready_pipe_.reset();
  jobs_->stop_soon();
  scheduled_jobs_->stop();
  configurations_->stop();
  Worker& first_worker = *workers_.front();
  first_worker.stop_limit = std::make_unique<Timer>(first_worker.loop.timers(), [this] {
    fail({ErrorCode::kServiceUnavailable, fmt::format("the hub did not stop within {} s; what was not acknowledged may be lost", kStopLimit.count())});
  });
  first_worker.stop_limit->start_at(first_worker.loop.timers().now() + kStopLimit);
  on_all(
      [](Worker& worker) {
        worker.listeners.clear();
        worker.http->shut_down();
        worker.mqtt->stop_reading();
      },
      [this] {
        // All that was taken is committed, and its acknowledgements are in the connections' output.
        auto waiting = std::make_shared<std::size_t>(workers_.size());
        net::Loop& first = workers_.front()->loop;
        for (auto& worker : workers_) {
          worker->loop.post([this, &worker = *worker, &first, waiting] {
            worker.shard->drain([this, &first, waiting] {
              first.post([this, waiting] {
                if (--*waiting == 0) scheduled_jobs_->drain([this] { close_connections(); });
              });
            });
          });
        }
      });
}

void Server::close_connections() {
  on_all(
      [this](Worker& worker) {
        worker.mqtt->shut_down();
        worker.http->shut_down();
        worker.shard->flush_activity();  // the ends of the connections
        // Stops as soon as the last connection is gone, or when the time is up.
        worker.stop_timer = std::make_unique<Timer>(worker.loop.timers(), [this, &worker, until = worker.loop.timers().now() + kStopTime] {
          if ((worker.mqtt->size() == 0 && worker.http->size() == 0) || worker.loop.timers().now() >= until) {
            worker.loop.stop();
          } else {
            worker.stop_timer->start_at(worker.loop.timers().now() + std::chrono::milliseconds{5});
          }
        });
        worker.stop_timer->start_at(worker.loop.timers().now());
      },
      [] { log::info("hub", "drained"); });
}

void Server::end_loops() {
  for (auto& worker : workers_) worker->loop.stop();
}

void Server::fail(const Error& error) {
  log::error("hub", "stopping code={} reason=\"{}\"", error_name(error.code), error.detail);
  exit_code_ = 1;
  ready_ = false;
  stopping_ = true;
  end_loops();
}

// --- What the world is told -----------------------------------------------------------------------------------------------------

std::string Server::service_connection_string() const {
  auth::ConnectionString text;
  const auth::PolicyTable::List policies = policies_.current();
  const auth::AccessPolicy* owner = auth::find_policy(*policies, auth::kOwnerPolicy);
  text.host_name = https_port_ == kDefaultHttpsPort || https_port_ == 0 ? host_name() : net::host_and_port(host_name(), https_port_);
  text.policy_name = owner->name;
  text.key = owner->primary_key;
  return text.text();
}

std::string Server::device_connection_string(const registry::Identity& identity) const {
  auth::ConnectionString text;
  text.host_name = mqtts_port_ == kDefaultMqttsPort || mqtts_port_ == 0 ? host_name() : net::host_and_port(host_name(), mqtts_port_);
  text.device_id = identity.id.device.str();
  text.module_id = identity.id.module.str();
  if (identity.credentials.type == auth::AuthenticationType::kSas) {
    text.key = identity.credentials.primary_key;
  } else {
    text.x509 = true;
  }
  return text.text();
}

void Server::write_endpoints(JsonWriter& json) const {
  json.member("endpoints").object();
  if (mqtts_port_ != 0) json.member("mqtts", net::host_and_port(host_name(), mqtts_port_));
  if (https_port_ != 0) json.member("https", net::host_and_port(host_name(), https_port_));
  json.end_object();
}

std::string Server::ready_json() const {
  JsonWriter json;
  json.object().member("hostName", host_name()).member("pid", static_cast<std::int64_t>(getpid()));
  write_endpoints(json);
  if (config_.test_clock) json.member("testClock", true);
  json.member("caFile", ca_file()).member("serviceConnectionString", service_connection_string()).member("devices").array();
  for (const registry::Identity& identity : seeded_) {
    json.object().member("deviceId", identity.id.device.str()).member("connectionString", device_connection_string(identity)).end_object();
  }
  json.end_array().end_object();
  return std::move(json).take() + "\n";
}

std::string Server::status_json() const {
  JsonWriter json;
  json.object()
      .member("hostName", host_name())
      .member("version", NEARHUB_VERSION)
      .member("pid", static_cast<std::int64_t>(getpid()))
      .member("startedTime", format_iso8601(started_))
      .member("time", format_iso8601(clock_.now()));
  write_endpoints(json);
  json.member("caFile", ca_file())
      .member("hostNames")
      .array();
  for (const std::string& name : hub_->shared().hosts.all()) json.string(name);
  json.end_array()
      .member("loops", static_cast<std::int64_t>(workers_.size()))
      .member("connections", static_cast<std::int64_t>(count_.open()))
      .member("refusals", static_cast<std::int64_t>(refusals_.total()))
      .end_object();
  return std::move(json).take();
}

}  // namespace nearhub::broker
