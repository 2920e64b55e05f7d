// Queries over many twins, and telemetry meanwhile: one line per figure, `name value unit`. docs/benchmarks.md says what each figure is.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "auth/sas_token.h"
#include "base/text.h"
#include "store/sqlite_store.h"
#include "tests/bench/client.h"
#include "tests/bench/figures.h"
#include "tests/bench/load.h"
#include "tests/bench/process.h"
#include "tests/bench/server.h"
#include "tests/hub/manual_executor.h"
#include "twin/twin.h"

namespace nearhub::bench {
namespace {

struct Options {
  std::string nearhub = NEARHUB_BINARY;
  std::string folder = std::filesystem::temp_directory_path().string();
  std::size_t twins = 100'000;
  std::size_t publishers = 20;
  int repeats = 3;
  double seconds = 3;
};

// One HTTPS request over a connection of its own, until the whole answer is there.
class Asker final : public ClientConnection {
 public:
  Asker(ClientLoop& loop, const ClientTls& tls, std::uint16_t port, std::string request) : ClientConnection(loop, tls, port), request_(std::move(request)) {}
  bool done() const { return done_; }
  const std::string& answer() const { return answer_; }

 private:
  void on_secured() override { send(request_); }
  void on_data(std::string_view bytes) override {
    answer_ += bytes;
    constexpr std::string_view kLength = "Content-Length: ";
    const std::size_t head = answer_.find("\r\n\r\n"), length = answer_.find(kLength);
    if (head == std::string::npos || length > head) return;
    if (!answer_.starts_with("HTTP/1.1 200")) return fail("a query failed: " + printable(answer_));
    const std::string_view digits = std::string_view(answer_).substr(length + kLength.size());
    const auto body = parse_decimal(digits.substr(0, digits.find('\r')));
    if (!body) return fail("an answer without a length");
    done_ = answer_.size() >= head + 4 + *body;
  }

  const std::string request_;
  std::string answer_;
  bool done_ = false;
};

// Twins as a fleet might have them: some tags, a handful of reported values, metadata of them all.
Status fill(const std::string& path, std::size_t twins) {
  const SystemClock clock;
  SystemRandom random;
  hub::ManualExecutor executor;
  store::StoreSettings settings;
  settings.path = path;
  settings.durability = store::Durability::kNormal;
  auto opened = store::SqliteStore::open(settings, clock, [](const Error& error) { fmt::print(stderr, "query_bench: {}\n", error.detail); });
  if (!opened.ok()) return opened.error();
  constexpr std::size_t kPerBatch = 1000;
  std::size_t under_way = 0;
  std::uint64_t ticket = 0;
  for (std::size_t made = 0; made < twins;) {
    auto batch = std::make_unique<hub::WriteBatch>();
    batch->ticket = ++ticket;
    for (std::size_t i = 0; i < kPerBatch && made < twins; ++i, ++made) {
      const IdentityId id{DeviceId(fmt::format("meter-{:07}", made)), ModuleId()};
      twin::Twin twin = twin::Twin::create(clock.now());
      const std::string update = fmt::format(R"({{"tags":{{"site":"site-{}","floor":{},"owner":"facility management"}},"properties":{{"desired":{{"interval_s":30}}}}}})",
                                             made % 1000, made % 100);
      static_cast<void>(twin.patch(twin::parse_update(update).value(), clock.now()));
      const std::string report = fmt::format(R"({{"battery":{},"firmware":{{"version":"1.{}.0","state":"ok"}},"temperature":{}.5}})", made % 101, made % 7, made % 40);
      static_cast<void>(twin.report(twin::parse_value(report).value(), clock.now()));
      batch->operations.push_back(hub::CreateIdentity{registry::create_identity(id, {}, clock.now(), random), {twin.stored(), {}}});
      batch->done.emplace_back();
    }
    ++under_way;
    (*opened)->submit(std::move(batch), executor, [&under_way](std::unique_ptr<hub::WriteBatch>) { --under_way; });
    if (under_way > 8 && !executor.run_until([&under_way] { return under_way <= 4; })) return Error{ErrorCode::kIo, "the store does not answer"};
  }
  return executor.run_until([&under_way] { return under_way == 0; }) ? Status() : Status(Error{ErrorCode::kIo, "the store does not answer"});
}

class Bench {
 public:
  Bench(Options options, WorkFolder folder)
      : options_(std::move(options)), folder_(std::move(folder)), any_key_(ClientTls::ServerKey::kAny), rsa_key_(ClientTls::ServerKey::kRsa) {}

  Status run() {
    std::ofstream(folder_.file("seed.json")) << seed_json(options_.publishers);
    const auto start = [this](std::string seed) {
      return start_nearhub({options_.nearhub, folder_.file("data"), "full", std::move(seed), 1}, folder_.file("log"), {});
    };
    {
      auto made = start(folder_.file("seed.json"));
      if (!made.ok()) return made.error();
      made->process.stop();
    }
    if (Status filled = fill(folder_.file("data") + "/nearhub.db", options_.twins); !filled.ok()) return filled;
    auto server = start({});
    if (!server.ok()) return server.error();
    Load load(*server, any_key_, rsa_key_);
    if (auto connected = load.stay_connected(options_.publishers, 4); !connected.ok()) return connected.error();
    if (Status measured = measure(*server, load); !measured.ok()) return measured;
    load.disconnect();
    server->process.stop();
    return {};
  }
  void print() const { figures_.print(stdout, false); }

 private:
  Status measure(RunningServer& server, Load& load) {
    const std::chrono::milliseconds time{static_cast<int>(options_.seconds * 1000)};
    Telemetry telemetry;
    // First alone.
    const auto quiet = load.measure(telemetry, options_.publishers, 1, {time / 5, time});
    if (!quiet.ok()) return quiet.error();
    add("telemetry.alone.", *quiet);
    figures_.add("memory.before", mebibytes(server), "MiB");
    for (const auto& [name, text] : kQueries) {
      for (int i = 0; i < options_.repeats; ++i) {
        const auto took = ask(server, text);
        if (!took.ok()) return took.error();
        figures_.add(std::string("query.") + name, *took / 1000, "ms");
        peak_ = std::max(peak_, mebibytes(server));
      }
    }
    // Then with one query after the other on a thread of their own.
    std::atomic<bool> stop{false};
    Status asked;
    int queries = 0;
    std::thread asker([&] {
      while (!stop && asked.ok()) {
        const auto took = ask(server, kQueries[0].text);
        if (!took.ok()) asked = took.error();
        ++queries;
      }
    });
    const auto busy = load.measure(telemetry, options_.publishers, 1, {time / 5, time});
    peak_ = std::max(peak_, mebibytes(server));
    stop = true;
    asker.join();
    if (!asked.ok()) return asked;
    if (!busy.ok()) return busy.error();
    add("telemetry.with-queries.", *busy);
    figures_.add("memory.peak", peak_, "MiB");
    return {};
  }

  // Microseconds, the connection and its handshake included.
  Result<double> ask(const RunningServer& server, std::string_view text) {
    const std::string body = fmt::format(R"({{"query":"{}"}})", text);
    const std::string token = auth::make_sas_token("localhost", server.service_key, 4'000'000'000, "iothubowner").value();
    ClientLoop loop;
    const Nanoseconds began = now();
    Asker asker(loop, any_key_, server.https,
                fmt::format("POST /devices/query?api-version=2021-04-12 HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nContent-Type: application/json\r\n"
                            "Content-Length: {}\r\n\r\n{}",
                            token, body.size(), body));
    if (Status done = loop.run_until([&asker] { return asker.done(); }, std::chrono::seconds{300}); !done.ok()) return done.error();
    return static_cast<double>((now() - began).count()) / 1000;
  }

  void add(const std::string& name, const Measured& measured) {
    figures_.add(name + "rate", measured.per_second, "1/s");
    figures_.add(name + "p50", measured.p50_us, "us");
    figures_.add(name + "p99", measured.p99_us, "us");
  }
  static double mebibytes(const RunningServer& server) { return static_cast<double>(server.process.resident_bytes()) / (1024 * 1024); }

  struct NamedQuery {
    const char* name;
    const char* text;
  };
  static constexpr NamedQuery kQueries[] = {
      {"count", "SELECT COUNT() AS n FROM devices WHERE tags.floor = 7"},
      {"none", "SELECT * FROM devices WHERE tags.floor = 1000"},
      {"page", "SELECT * FROM devices WHERE tags.floor = 7"},
      {"groups", "SELECT tags.floor, COUNT() AS n, AVG(properties.reported.temperature) AS t FROM devices GROUP BY tags.floor"},
      {"connected", "SELECT deviceId FROM devices WHERE connectionState = 'Connected'"},
      {"one", "SELECT * FROM devices WHERE deviceId = 'meter-0000777'"},
  };

  const Options options_;
  const WorkFolder folder_;
  const ClientTls any_key_, rsa_key_;
  Figures figures_;
  double peak_ = 0;
};

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Queries over many twins, and telemetry meanwhile: one line per figure, `name value unit`");
  app.add_option("--nearhub", options.nearhub, "The nearhub binary")->capture_default_str();
  app.add_option("--folder", options.folder, "On the disk that nearhub is to store on")->capture_default_str();
  app.add_option("--twins", options.twins, "Devices beside those that publish")->capture_default_str();
  app.add_option("--publishers", options.publishers, "Devices that send telemetry, one message at a time each")->capture_default_str();
  app.add_option("--repeats", options.repeats, "Samples of each query")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Of each stretch of telemetry")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  auto folder = WorkFolder::make(options.folder);
  if (!folder.ok()) {
    fmt::print(stderr, "query_bench: {}\n", folder.error().detail);
    return 1;
  }
  fmt::print("# twins={} publishers={} repeats={} seconds={}\n", options.twins, options.publishers, options.repeats, options.seconds);
  Bench bench(std::move(options), std::move(*folder));
  const Status done = bench.run();
  bench.print();
  if (done.ok()) return 0;
  fmt::print(stderr, "query_bench: {}\n", done.error().detail);
  return 1;
}

}  // namespace
}  // namespace nearhub::bench

int main(int argc, char** argv) { return nearhub::bench::run(argc, argv); }
