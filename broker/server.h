// The whole hub in one process: builds everything, wires it, runs it, stops it. The only place where the rooms meet.
//
//   create: data folder, store, certificates, hub, one worker (loop, shard, fronts) per core, sockets bound
//   run:    loops start, the seed is applied, listeners open, "ready"
//   stop:   listeners close, nothing more is read, what is under way is committed and answered, connections close, loops end
//
// THREAD: create() and run() on one thread, which becomes that of the first loop; stop() from any thread.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "auth/refusal.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "broker/config.h"
#include "broker/data_folder.h"
#include "broker/http_connection.h"
#include "broker/hub_file.h"
#include "broker/mqtt_connection.h"
#include "broker/seed.h"
#include "hub/certificate_authorities.h"
#include "hub/configurations.h"
#include "hub/device_job_rows.h"
#include "hub/feedback_queue.h"
#include "hub/hub.h"
#include "hub/scheduled_jobs.h"
#include "hub/shard.h"
#include "jobs/transfer_jobs.h"
#include "registry/identity.h"
#include "service/api.h"
#include "store/sqlite_store.h"
#include "wire/net/listener.h"
#include "wire/net/loop.h"
#include "wire/net/tls_context.h"

namespace nearhub::broker {

class Server {
 public:
  // `clock` and `random` outlive the server. Fails with a sentence for the person who starts the hub.
  static Result<std::unique_ptr<Server>> create(Config config, SystemClock& clock, Random& random);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Runs until stopped. 0 after a graceful stop, 1 when the hub could not go on (seed refused, store failed). `on_ready` runs on the first loop
  // once everything listens.
  int run(UniqueFunction<void()> on_ready);
  // Drains and stops. From any thread, after run() has begun.
  void stop();
  // Moves the clock forward and fires what became due. Any thread.
  void advance_clock(std::chrono::milliseconds by);
  // SIGTERM and SIGINT stop; a second one ends the process at once.
  void stop_on_signals();

  // --- After create()
  std::uint16_t mqtts_port() const { return mqtts_port_; }  // 0: off
  std::uint16_t https_port() const { return https_port_; }
  std::string host_name() const { return hub_->shared().hosts.primary(); }
  std::string ca_file() const { return folder_.ca_file(); }
  const std::string& data_folder() const { return folder_.path(); }
  bool https_fell_back() const { return https_fell_back_; }
  std::string service_connection_string() const;
  std::string device_connection_string(const registry::Identity& identity) const;
  // --- After ready
  const std::vector<registry::Identity>& seeded() const { return seeded_; }
  const hub::Hub& hub() const { return *hub_; }
  // The ready file: hostName, pid, endpoints, caFile, serviceConnectionString, devices.
  std::string ready_json() const;

 private:
  // One loop and all that lives on it.
  struct Worker {
    Worker(std::uint32_t index, const Server& server);
    net::Loop loop;
    std::vector<net::ListeningSocket> mqtts_sockets;
    std::vector<net::ListeningSocket> https_sockets;
    std::unique_ptr<hub::Shard> shard;
    std::unique_ptr<MqttFront> mqtt;
    std::unique_ptr<HttpFront> http;
    std::vector<std::unique_ptr<net::Listener>> listeners;
    std::unique_ptr<Timer> stop_timer;
    std::unique_ptr<Timer> stop_limit;  // the first worker's: for the stop as a whole
  };

  Server(Config config, SystemClock& clock, Random& random, DataFolder folder);
  Status prepare_store();
  Status bind_sockets();
  Status bind_door(const PortSetting& setting, std::uint16_t& port, std::vector<net::ListeningSocket> Worker::*sockets);
  Status make_workers();
  std::vector<std::string> host_names() const;
  Result<Seed> read_seed() const;
  void open_doors();
  void on_all_listening();
  void begin_stop();
  void close_connections();
  void end_loops();
  void fail(const Error& error);
  std::string status_json() const;
  void write_endpoints(JsonWriter& json) const;
  // Runs `task` on every worker's loop, then `then` on the first loop.
  void on_all(std::function<void(Worker&)> task, Task then);

  Config config_;
  SystemClock& clock_;
  Random& random_;
  DataFolder folder_;
  const WallTime started_;
  auth::RefusalBook refusals_;
  ConnectionCount count_;
  MqttSettings mqtt_settings_;
  std::unique_ptr<store::SqliteStore> store_;
  std::unique_ptr<hub::DeviceJobRows> job_rows_;
  std::unique_ptr<hub::Hub> hub_;
  std::unique_ptr<hub::CertificateAuthorities> authorities_;
  std::unique_ptr<hub::ScheduledJobs> scheduled_jobs_;
  std::unique_ptr<hub::FeedbackQueue> feedback_;
  std::unique_ptr<hub::Configurations> configurations_;
  std::unique_ptr<net::TlsContext> tls_;
  std::unique_ptr<jobs::TransferJobs> jobs_;
  std::unique_ptr<service::Api> api_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::uint16_t mqtts_port_ = 0;
  std::uint16_t https_port_ = 0;
  bool https_fell_back_ = false;
  auth::PolicyTable policies_;
  // Until the workers are made.
  std::vector<registry::CertificateAuthority> stored_authorities_;
  std::vector<hub::UnfinishedJob> unfinished_jobs_;
  hub::ConfigurationListPtr stored_configurations_;
  std::vector<std::pair<std::string, std::int64_t>> stored_sweeps_;
  std::atomic<bool> ready_{false};

  // First loop only.
  UniqueFunction<void()> on_ready_;
  std::unique_ptr<PipeWriter> ready_pipe_;
  std::unique_ptr<HubFile> hub_file_;
  std::vector<registry::Identity> seeded_;
  bool stopping_ = false;
  int signals_ = 0;
  int exit_code_ = 0;
};

}  // namespace nearhub::broker
