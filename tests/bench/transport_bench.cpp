// The figures behind two decisions, as `name value unit [ratio]` lines: how TLS is done inside libuv (docs/adr/0001), and whether a
// connection moves to its device's home loop (docs/adr/0002). The ratio is to what the hub does.
#include <fmt/core.h>
#include <sys/mman.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "certs/authority.h"
#include "tests/bench/client.h"
#include "tests/bench/figures.h"
#include "tests/bench/process.h"
#include "tests/bench/transport_server.h"
#include "wire/net/listener.h"
#include "wire/net/tls_context.h"

namespace nearhub::bench {
namespace {

constexpr std::chrono::milliseconds kSettleTime{300};

struct Options {
  std::size_t connections = 1000;
  int rounds = 5;
  double seconds = 1.5;
  bool samples = false;
};

// One request under way.
class Pinger final : public ClientConnection {
 public:
  Pinger(ClientLoop& loop, const ClientTls& tls, std::uint16_t port, std::vector<double>& times_us)
      : ClientConnection(loop, tls, port), times_us_(times_us) {}
  bool ready() const { return ready_; }
  void ping() {
    static const std::string request(kRequestBytes, 'q');
    sent_ = now();
    send(request);
  }

 private:
  void on_secured() override { ready_ = true; }
  void on_data(std::string_view bytes) override {
    if ((received_ += bytes.size()) < kAnswerBytes) return;
    received_ = 0;
    times_us_.push_back(static_cast<double>((now() - sent_).count()) / 1000);
    ping();
  }

  std::vector<double>& times_us_;
  std::size_t received_ = 0;
  Nanoseconds sent_{};
  bool ready_ = false;
};

struct Measured {
  double per_second = 0;
  double server_cpu_us = 0;
  double syscalls = 0;
  double p50_us = 0;
  double bytes_each = 0;
};

class Bench {
 public:
  Bench(const Options& options, net::TlsContext& context)
      : options_(options), context_(context), client_tls_(ClientTls::ServerKey::kAny) {
    void* shared = ::mmap(nullptr, sizeof *turns_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    turns_ = ::new (shared) std::atomic<std::uint64_t>(0);
  }

  Status run();
  void print() const { figures_.print(stdout, options_.samples); }

 private:
  Result<Measured> measure(TransportServer server, std::size_t loops, std::size_t connections);
  Status transport(const std::string& name, Transport transport, const std::string& compared_with);
  Status home(const std::string& name, Home home, std::size_t connections, const std::string& compared_with);

  const Options options_;
  net::TlsContext& context_;
  const ClientTls client_tls_;
  std::atomic<std::uint64_t>* turns_ = nullptr;
  Figures figures_;
};

Status Bench::run() {
  pin_this_thread(generator_core());
  for (int round = 0; round < options_.rounds; ++round) {
    if (Status done = transport("loop-buffer", Transport::kLoopBuffer, {}); !done.ok()) return done;
    if (Status done = transport("memory-bio", Transport::kMemoryBio, "loop-buffer"); !done.ok()) return done;
    if (Status done = transport("socket-bio", Transport::kSocketBio, "loop-buffer"); !done.ok()) return done;
    for (const auto& [load, connections] : {std::pair<std::string, std::size_t>("busy", options_.connections), {"lone", 1}}) {
      if (Status done = home("moved." + load, Home::kMoved, connections, {}); !done.ok()) return done;
      if (Status done = home("hopped." + load, Home::kHopped, connections, "moved." + load); !done.ok()) return done;
    }
  }
  return {};
}

Status Bench::transport(const std::string& name, Transport transport, const std::string& compared_with) {
  const auto measured = measure({transport, Home::kMoved, {}, context_.get(), turns_}, 1, options_.connections);
  if (!measured.ok()) return measured.error();
  const auto add = [&](const char* what, double value, const char* unit) {
    figures_.add("transport." + name + what, value, unit, compared_with.empty() ? "" : "transport." + compared_with + what);
  };
  add(".server-cpu", measured->server_cpu_us, "us");
  add(".rate", measured->per_second, "1/s");
  add(".syscalls", measured->syscalls, "1/message");
  add(".idle-memory", measured->bytes_each / 1024, "KiB");
  return {};
}

Status Bench::home(const std::string& name, Home home, std::size_t connections, const std::string& compared_with) {
  const auto measured = measure({Transport::kLoopBuffer, home, {}, context_.get(), turns_}, 2, connections);
  if (!measured.ok()) return measured.error();
  const auto add = [&](const char* what, double value, const char* unit) {
    figures_.add("home." + name + what, value, unit, compared_with.empty() ? "" : "home." + compared_with + what);
  };
  add(".server-cpu", measured->server_cpu_us, "us");
  add(".rate", measured->per_second, "1/s");
  add(".p50", measured->p50_us, "us");
  return {};
}

Result<Measured> Bench::measure(TransportServer server, std::size_t loops, std::size_t connections) {
  // A port per loop, so that the connections are spread evenly and every run alike.
  std::vector<net::ListeningSocket> sockets;
  std::vector<std::uint16_t> ports;
  for (std::size_t i = 0; i < loops; ++i) {
    auto bound = net::ListeningSocket::bind("127.0.0.1", 0);
    if (!bound.ok()) return std::move(bound).error();
    ports.push_back(bound->port());
    sockets.push_back(std::move(*bound));
  }
  const auto body = [&] {
    for (net::ListeningSocket& socket : sockets) server.listening_sockets.push_back(socket.release());
    server.run();
  };
  auto process = ServerProcess::start(body, {});
  if (!process.ok()) return std::move(process).error();
  sockets.clear();

  ClientLoop loop;
  std::vector<double> times_us;
  std::vector<std::unique_ptr<Pinger>> pingers;
  // The first ones make what is made once; they are not counted, and they stay idle.
  constexpr std::size_t kFirst = 8;
  const auto connect = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      pingers.push_back(std::make_unique<Pinger>(loop, client_tls_, ports[i % loops], times_us));
      if (Status ready = loop.run_until([&] { return pingers.back()->ready(); }); !ready.ok()) return ready;
    }
    return loop.run_for(kSettleTime);
  };
  if (Status first = connect(kFirst); !first.ok()) return first.error();
  Measured measured;
  const auto memory = static_cast<double>(process->resident_bytes());
  if (Status all = connect(connections); !all.ok()) return all.error();
  measured.bytes_each = (static_cast<double>(process->resident_bytes()) - memory) / static_cast<double>(connections);

  for (std::size_t i = kFirst; i < pingers.size(); ++i) pingers[i]->ping();
  const std::chrono::milliseconds time{static_cast<int>(options_.seconds * 1000)};
  if (Status warm = loop.run_for(time / 5); !warm.ok()) return warm.error();
  times_us.clear();
  const Nanoseconds begin = now(), cpu = process->cpu_time();
  const std::uint64_t turns = *turns_, calls = process->reads_and_writes();
  if (Status ran = loop.run_for(time); !ran.ok()) return ran.error();
  const auto messages = static_cast<double>(std::max<std::size_t>(times_us.size(), 1));
  measured.server_cpu_us = static_cast<double>((process->cpu_time() - cpu).count()) / 1000 / messages;
  measured.per_second = messages * 1e9 / static_cast<double>((now() - begin).count());
  measured.syscalls = static_cast<double>(*turns_ - turns + process->reads_and_writes() - calls) / messages;
  measured.p50_us = quantile(times_us, 0.5);
  return measured;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("What TLS inside libuv costs, done in three ways, and what a hop between loops costs: one line per figure");
  app.add_option("--connections", options.connections, "Of the busy server")->capture_default_str();
  app.add_option("--rounds", options.rounds, "Samples of each figure")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Of each stretch of load")->capture_default_str();
  app.add_flag("--samples", options.samples, "Print every sample as a comment");
  CLI11_PARSE(app, argc, argv);

  raise_file_limit();
  SystemRandom random;
  const WallTime today = SystemClock().now();
  const auto root = certs::make_root("nearhub bench", today, random);
  const auto leaf = root.ok() ? certs::make_server_leaf(*root, {"localhost"}, certs::KeyType::kEcP256, today, random) : root.error();
  auto context = leaf.ok() ? net::TlsContext::create({{leaf->certificate_pem, leaf->key_pem}}, "bench") : leaf.error();
  Status done = context.ok() ? Status() : Status(context.error());
  if (done.ok()) {
    Bench bench(options, **context);
    done = bench.run();
    bench.print();
  }
  if (done.ok()) return 0;
  fmt::print(stderr, "transport_bench: {}\n", done.error().detail);
  return 1;
}

}  // namespace
}  // namespace nearhub::bench

int main(int argc, char** argv) { return nearhub::bench::run(argc, argv); }
