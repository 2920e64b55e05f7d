// `nearhub serve`: runs a hub in this process until it is stopped.
//
// THREAD: the main thread.
#pragma once
#include "base/log.h"
#include "broker/config.h"
#include "tools/console.h"

namespace nearhub::tools {

struct ServeOptions {
  broker::Config config;
  log::Level log_level = log::Level::kInfo;
};

// The process's exit code: 0 after a graceful stop, 1 when it could not start or go on, 2 when the settings contradict each
// other. One line on standard error says why.
int serve(ServeOptions options, Console& console);

}  // namespace nearhub::tools
