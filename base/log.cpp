#include "base/log.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>

namespace nearhub::log {
namespace {

// About 2 MB of waiting lines at the most.
constexpr std::size_t kQueueLines = 8192;
constexpr std::chrono::seconds kStopTime{1};

std::atomic<int> threshold{static_cast<int>(Level::kOff)};
std::shared_ptr<spdlog::details::thread_pool> pool;
std::shared_ptr<spdlog::async_logger> logger;

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarn: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
    case Level::kOff: break;
  }
  return spdlog::level::off;
}

}  // namespace

std::optional<Level> parse_level(std::string_view name) {
  if (name == "debug") return Level::kDebug;
  if (name == "info") return Level::kInfo;
  if (name == "warn") return Level::kWarn;
  if (name == "error") return Level::kError;
  if (name == "off") return Level::kOff;
  return std::nullopt;
}

void start(Level level) {
  pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
  logger = std::make_shared<spdlog::async_logger>("nearhub", std::make_shared<spdlog::sinks::stderr_sink_mt>(), pool,
                                                  spdlog::async_overflow_policy::overrun_oldest);
  logger->set_level(spdlog::level::debug);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  logger->flush_on(spdlog::level::debug);
  threshold.store(static_cast<int>(level), std::memory_order_release);
}

void stop() {
  threshold.store(static_cast<int>(Level::kOff), std::memory_order_release);
  // Writes what waits and joins the thread, which may stand in front of a full pipe that nobody reads: it is not waited for longer than this. The
  // logger stays: at a stop in a hurry another thread may just be in write().
  auto ended = std::make_shared<std::promise<void>>();
  const auto future = ended->get_future();
  std::thread([ending = std::move(pool), ended]() mutable {
    ending.reset();
    ended->set_value();
  }).detach();
  future.wait_for(kStopTime);
}

bool enabled(Level level) { return static_cast<int>(level) >= threshold.load(std::memory_order_relaxed) && level != Level::kOff; }

void write(Level level, std::string_view component, std::string_view message) {
  if (!enabled(level) || !logger) return;
  logger->log(to_spdlog(level), fmt::format("{}: {}", component, message));
}

}  // namespace nearhub::log
