// Where the hub is that a client command talks to, and the connection string to log in with.
//
// Looked for in this order: --login, --data, NEARHUB_CONNECTION_STRING, then the hub of this machine: the hub.json that
// a running hub keeps in its data folder (NEARHUB_DATA, or the default folder). A flag wins over the environment.
//
// The CA to trust: --ca, NEARHUB_CA_FILE, the CA of the data folder; for a login that was given also the system's
// store.
//
// THREAD: a value.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "auth/connection_string.h"
#include "base/result.h"

namespace nearhub::tools {

// As given on the command line; empty: not given.
struct HubFlags {
  std::string login;
  std::string ca_file;
  std::string data_folder;
};

struct HubAddress {
  auth::ConnectionString login;
  std::string host;  // of the login, without the port
  std::uint16_t port = 443;
  std::string ca_file;  // empty: the system's store alone
  bool system_store = false;
  bool from_data_folder = false;     // the hub of this machine, found by its hub.json
  bool test_clock = false;           // with from_data_folder: its clock can be moved
  std::string source;                // "--login", "NEARHUB_CONNECTION_STRING", "/home/a/.local/share/nearhub/hub.json"
  std::vector<std::string> devices;  // with from_data_folder: those that the hub's start made sure of

  std::string endpoint() const;  // "localhost:8443"
};

// Fails with kInvalidSetting when what was given cannot be right, with kIo when there is no hub: a sentence says what was
// looked for and how to start one.
Result<HubAddress> find_hub(const HubFlags& flags);

}  // namespace nearhub::tools
