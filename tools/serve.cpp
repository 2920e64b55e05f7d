#include "tools/serve.h"

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "broker/server.h"

namespace nearhub::tools {
namespace {

// A connection is a file descriptor; the default soft limit of 1024 would be the smallest bound of all.
void raise_file_limit(std::size_t connections) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = static_cast<rlim_t>(connections) + 1024;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < wanted) {
    log::info("hub", "open files are limited to {}: about {} connections; raise `ulimit -n` for more", limit.rlim_cur,
              limit.rlim_cur > 1024 ? limit.rlim_cur - 1024 : 0);
  }
}

void say_where(const broker::Server& server) {
  log::info("hub", "listening mqtts={} https={} names={}", server.mqtts_port(), server.https_port(), server.host_name());
  if (server.https_fell_back()) {
    log::warn("hub",
              "port 443 is not permitted to this user: HTTPS is on {} instead. The Node, Java and C# service clients and MQTT over WebSocket know only "
              "443. To allow it: sudo sysctl net.ipv4.ip_unprivileged_port_start=443, or sudo setcap cap_net_bind_service=+ep on the nearhub binary",
              server.https_port());
  }
  log::info("hub", "data={} ca={}", server.data_folder(), server.ca_file());
}

}  // namespace

int serve(ServeOptions options, Console& console) {
  if (const Status status = broker::check(options.config); !status.ok()) {
    console.say(status.error().detail);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  log::start(options.log_level);
  raise_file_limit(options.config.connections.connections);
  static SystemClock clock;
  static SystemRandom random;
  auto server = broker::Server::create(std::move(options.config), clock, random);
  if (!server.ok()) {
    log::stop();
    console.say(server.error().detail);
    return 1;
  }
  (*server)->stop_on_signals();
  const int code = (*server)->run([&server] {
    say_where(**server);
    log::info("hub", "ready");
  });
  server->reset();
  log::info("hub", "stopped code={}", code);
  log::stop();
  return code;
}

}  // namespace nearhub::tools
