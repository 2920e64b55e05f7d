// Drives nearhub, and mosquitto for the ratio, and prints one line per figure: `name value unit [ratio-to-mosquitto]`. docs/benchmarks.md
// says what each figure is.
//
// Servers take turns, round after round, so that a machine that is slow for a while is slow for all; a figure is the median of the rounds.
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/client.h"
#include "tests/bench/figures.h"
#include "tests/bench/load.h"
#include "tests/bench/process.h"
#include "tests/bench/server.h"

namespace nearhub::bench {
namespace {

constexpr int kServerCore = 0;

struct Options {
  std::string nearhub = NEARHUB_BINARY;
  std::string mosquitto = "/usr/sbin/mosquitto";  // where Debian has it; no ratios without it
  std::string folder = std::filesystem::temp_directory_path().string();
  std::vector<std::string> servers = {"nearhub", "mosquitto", "variants"};
  std::vector<std::string> groups = {"connect", "telemetry", "twin", "desired", "method"};
  int rounds = 5;
  double seconds = 2;
  std::size_t connections = 2000;
  std::size_t clients = 1000;
  std::size_t callers = 50;
  std::size_t parallel = 64;
  bool pin = std::thread::hardware_concurrency() >= 2;
  bool samples = false;
  bool quick = false;
};

class Bench {
 public:
  Bench(Options options, WorkFolder folder)
      : options_(std::move(options)), folder_(std::move(folder)), any_key_(ClientTls::ServerKey::kAny), rsa_key_(ClientTls::ServerKey::kRsa) {}

  Status run();
  void print() const { figures_.print(stdout, options_.samples); }

 private:
  static bool has(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  }
  bool wants(std::string_view group) const { return has(options_.groups, group); }
  Core server_core() const { return options_.pin ? Core(kServerCore) : Core(); }
  Stretch stretch() const {
    const std::chrono::milliseconds time{static_cast<int>(options_.seconds * 1000)};
    return {time / 5, time};
  }

  Status prepare();
  Result<RunningServer> start_hub(const std::string& durability, int loops);
  Result<RunningServer> start_other();
  // `variant`: part of the names of nearhub's telemetry figures.
  Status measure_nearhub();
  Status measure_mosquitto();
  Status measure_variant(const std::string& variant, const std::string& durability, int loops);

  Status connect(Load& load, const std::string& prefix);
  Status leave_and_come(Load& load, const std::string& prefix);
  Status telemetry(Load& load, const std::string& prefix, const std::string& variant, const std::string& name, std::size_t devices, Slot depth);
  Status round_trips(const std::string& name, Result<Measured> measured);
  void add(const std::string& name, const Measured& measured, const std::string& compared_with);

  const Options options_;
  const WorkFolder folder_;
  const ClientTls any_key_, rsa_key_;
  Figures figures_;
};

// "connect.ec.rate" is compared with "mosquitto.connect.ec.rate".
std::string other(const std::string& prefix, const std::string& name) { return prefix.empty() ? "mosquitto." + name : std::string(); }

Status Bench::prepare() {
  std::ofstream(folder_.file("seed.json")) << seed_json(options_.connections + std::max<std::size_t>(options_.connections / 4, 1));
  auto made = start_nearhub({options_.nearhub, folder_.file("seeded"), "normal", folder_.file("seed.json"), 1}, folder_.file("log"), {});
  if (!made.ok()) return made.error();
  made->process.stop();
  return {};
}

Result<RunningServer> Bench::start_hub(const std::string& durability, int loops) {
  const Core core = loops == 1 ? server_core() : Core();
  if (durability == "memory") {
    return start_nearhub({options_.nearhub, {}, {}, folder_.file("seed.json"), loops}, folder_.file("log"), core);
  }
  // Started on a folder that knows the devices already, so that they are not in its memory before they connect.
  std::error_code error;
  std::filesystem::remove_all(folder_.file("data"), error);
  std::filesystem::copy(folder_.file("seeded"), folder_.file("data"), std::filesystem::copy_options::recursive, error);
  if (error) return Error{ErrorCode::kIo, "copying the data folder: " + error.message()};
  return start_nearhub({options_.nearhub, folder_.file("data"), durability, {}, loops}, folder_.file("log"), core);
}

Result<RunningServer> Bench::start_other() {
  return start_mosquitto(options_.mosquitto, folder_.file("seeded"), folder_.file("mosquitto.conf"), folder_.file("log"), server_core());
}

Status Bench::run() {
  const bool compare = has(options_.servers, "mosquitto") && ::access(options_.mosquitto.c_str(), X_OK) == 0;
  fmt::print("# rounds={} seconds={} connections={} clients={} callers={} parallel={} pinned={} mosquitto={}\n", options_.rounds, options_.seconds,
             options_.connections, options_.clients, options_.callers, options_.parallel, options_.pin, compare ? options_.mosquitto : "none");
  std::fflush(stdout);
  if (options_.pin) pin_this_thread(generator_core());
  if (Status prepared = prepare(); !prepared.ok()) return prepared;
  for (int round = 0; round < options_.rounds; ++round) {
    if (has(options_.servers, "nearhub")) {
      if (Status done = measure_nearhub(); !done.ok()) return done;
    }
    if (compare) {
      if (Status done = measure_mosquitto(); !done.ok()) return done;
    }
    if (!has(options_.servers, "variants") || !wants("telemetry")) continue;
    if (Status done = measure_variant("normal", "normal", 1); !done.ok()) return done;
    if (Status done = measure_variant("memory", "memory", 1); !done.ok()) return done;
    if (Status done = measure_variant("full-2-loops", "full", 2); !done.ok()) return done;
  }
  return {};
}

Status Bench::measure_nearhub() {
  auto server = start_hub("full", 1);
  if (!server.ok()) return server.error();
  Load load(*server, any_key_, rsa_key_);
  if (Status done = connect(load, {}); !done.ok()) return done;
  if (wants("telemetry")) {
    if (Status done = telemetry(load, {}, "full.", "single", 1, 1); !done.ok()) return done;
    if (Status done = telemetry(load, {}, "full.", "d1", options_.clients, 1); !done.ok()) return done;
    if (Status done = telemetry(load, {}, "full.", "d10", options_.clients, 10); !done.ok()) return done;
  }
  if (wants("twin")) {
    TwinGet get;
    TwinReport report;
    if (Status done = round_trips("twin.get", load.measure(get, options_.callers, 1, stretch())); !done.ok()) return done;
    if (Status done = round_trips("twin.report", load.measure(report, options_.callers, 1, stretch())); !done.ok()) return done;
  }
  if (wants("desired")) {
    if (Status done = round_trips("desired", load.measure_desired(options_.callers, stretch())); !done.ok()) return done;
  }
  if (wants("method")) {
    if (Status done = round_trips("method", load.measure_methods(options_.callers, stretch())); !done.ok()) return done;
  }
  if (Status done = leave_and_come(load, {}); !done.ok()) return done;
  load.disconnect();
  server->process.stop();
  return {};
}

Status Bench::measure_mosquitto() {
  const std::string prefix = "mosquitto.";
  auto server = start_other();
  if (!server.ok()) return server.error();
  Load load(*server, any_key_, rsa_key_);
  if (Status done = connect(load, prefix); !done.ok()) return done;
  if (wants("telemetry")) {
    if (Status done = telemetry(load, prefix, {}, "single", 1, 1); !done.ok()) return done;
    if (Status done = telemetry(load, prefix, {}, "d1", options_.clients, 1); !done.ok()) return done;
    if (Status done = telemetry(load, prefix, {}, "d10", options_.clients, 10); !done.ok()) return done;
  }
  return leave_and_come(load, prefix);
}

Status Bench::measure_variant(const std::string& variant, const std::string& durability, int loops) {
  auto server = start_hub(durability, loops);
  if (!server.ok()) return server.error();
  Load load(*server, any_key_, rsa_key_);
  const std::size_t clients = std::min(options_.clients, options_.connections);
  if (auto connected = load.stay_connected(clients, options_.parallel); !connected.ok()) return connected.error();
  if (Status done = telemetry(load, {}, variant + ".", "single", 1, 1); !done.ok()) return done;
  if (Status done = telemetry(load, {}, variant + ".", "d1", clients, 1); !done.ok()) return done;
  return telemetry(load, {}, variant + ".", "d10", clients, 10);
}

Status Bench::connect(Load& load, const std::string& prefix) {
  const auto connects = load.stay_connected(options_.connections, options_.parallel);
  if (!connects.ok()) return connects.error();
  if (!wants("connect")) return {};
  figures_.add(prefix + "connect.ec.rate", connects->per_second, "1/s", other(prefix, "connect.ec.rate"));
  figures_.add(prefix + "connect.ec.server-cpu", connects->server_cpu_us, "us", other(prefix, "connect.ec.server-cpu"));
  figures_.add(prefix + "connect.ec.generator-busy", connects->generator_busy, "cores");
  figures_.add(prefix + "idle.memory", connects->bytes_each / 1024, "KiB", other(prefix, "idle.memory"));
  return {};
}

Status Bench::leave_and_come(Load& load, const std::string& prefix) {
  if (!wants("connect")) return {};
  const auto connects = load.come_and_go(std::max<std::size_t>(options_.connections / 4, 1), options_.parallel);
  if (!connects.ok()) return connects.error();
  figures_.add(prefix + "connect.rsa.rate", connects->per_second, "1/s", other(prefix, "connect.rsa.rate"));
  figures_.add(prefix + "connect.rsa.server-cpu", connects->server_cpu_us, "us", other(prefix, "connect.rsa.server-cpu"));
  return {};
}

Status Bench::telemetry(Load& load, const std::string& prefix, const std::string& variant, const std::string& name, std::size_t devices,
                        Slot depth) {
  Telemetry exchange;
  const auto measured = load.measure(exchange, devices, depth, stretch());
  if (!measured.ok()) return measured.error();
  add(prefix + "telemetry." + name + "." + variant, *measured, prefix.empty() ? "mosquitto.telemetry." + name + "." : "");
  return {};
}

Status Bench::round_trips(const std::string& name, Result<Measured> measured) {
  if (!measured.ok()) return measured.error();
  add(name + ".", *measured, {});
  return {};
}

void Bench::add(const std::string& name, const Measured& measured, const std::string& compared_with) {
  const auto figure = [&](const char* what, double value, const char* unit) {
    figures_.add(name + what, value, unit, compared_with.empty() ? std::string() : compared_with + what);
  };
  figure("rate", measured.per_second, "1/s");
  figure("server-cpu", measured.server_cpu_us, "us");
  figure("p50", measured.p50_us, "us");
  figure("p99", measured.p99_us, "us");
  figures_.add(name + "server-busy", measured.server_busy, "cores");
  figures_.add(name + "generator-busy", measured.generator_busy, "cores");
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Load on nearhub, and on mosquitto for the ratio: one line per figure, `name value unit [ratio-to-mosquitto]`");
  app.add_option("--nearhub", options.nearhub, "The nearhub binary")->capture_default_str();
  app.add_option("--mosquitto", options.mosquitto, "The mosquitto binary; without one there are no ratios")->capture_default_str();
  app.add_option("--folder", options.folder, "On the disk that nearhub is to store on")->capture_default_str();
  app.add_option("--servers", options.servers, "nearhub, mosquitto, variants (other durabilities, two loops)")->delimiter(',')->capture_default_str();
  app.add_option("--groups", options.groups, "connect, telemetry, twin, desired, method")->delimiter(',')->capture_default_str();
  app.add_option("--rounds", options.rounds, "Samples of each figure")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Of each stretch of load")->capture_default_str();
  app.add_option("--connections", options.connections, "Devices that connect")->capture_default_str();
  app.add_option("--clients", options.clients, "Devices that send telemetry")->capture_default_str();
  app.add_option("--callers", options.callers, "Devices that use their twin, and methods called at a time")->capture_default_str();
  app.add_option("--parallel", options.parallel, "Connects under way at a time")->capture_default_str();
  app.add_flag("--pin,!--no-pin", options.pin, "Server and generator on a core each");
  app.add_flag("--samples", options.samples, "Print every sample as a comment");
  app.add_flag("--quick", options.quick, "One round, short stretches: does everything work?");
  CLI11_PARSE(app, argc, argv);
  if (options.quick) {
    options.rounds = 1;
    options.seconds = std::min(options.seconds, 0.3);
    options.connections = std::min<std::size_t>(options.connections, 200);
    options.clients = std::min<std::size_t>(options.clients, 100);
  }
  options.clients = std::min(options.clients, options.connections);
  options.callers = std::min(options.callers, options.connections);

  raise_file_limit();
  auto folder = WorkFolder::make(options.folder);
  if (!folder.ok()) {
    fmt::print(stderr, "nearhub_bench: {}\n", folder.error().detail);
    return 1;
  }
  Bench bench(std::move(options), std::move(*folder));
  const Status done = bench.run();
  bench.print();
  if (done.ok()) return 0;
  fmt::print(stderr, "nearhub_bench: {}\n", done.error().detail);
  return 1;
}

}  // namespace
}  // namespace nearhub::bench

int main(int argc, char** argv) { return nearhub::bench::run(argc, argv); }
