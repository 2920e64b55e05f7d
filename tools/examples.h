// `nearhub examples`: the first steps with this very hub, ready to be pasted into a shell.
//
// THREAD: one at a time; examples_text() any thread.
#pragma once
#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"

namespace nearhub::tools {

// What the examples are filled in with.
struct ExampleFacts {
  DeviceId device;
  std::string host;
  std::uint16_t mqtts_port = 0;  // 0: off
  std::uint16_t https_port = 0;
  std::string ca_file;  // empty: the system's certificates
  std::string device_connection_string;
  std::string service_connection_string;
  std::string device_token;
  std::string service_token;
  std::string tokens_until;   // a time
  bool host_is_known = true;  // the name can be resolved on this machine
};

// A shell text: every line that is no command is a comment.
std::string examples_text(const ExampleFacts& facts);

// `device` empty: the first one that the hub's start made sure of, else the first of all.
Status show_examples(HubClient& hub, const std::string& device, Console& console);

// 'text', whatever is in it.
std::string shell_quoted(std::string_view text);
// The same, without quotes where a shell takes the text as it is.
std::string shell_word(std::string_view text);

}  // namespace nearhub::tools
