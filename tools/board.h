// `nearhub board nrf9160`: everything that a board needs to reach this hub, as files to paste from: the credentials of the modem's security tag, the
// AT commands that write them, and the Kconfig lines for both generations of the nRF Connect SDK's library (reference/x509-and-boards.md B.6, B.7).
//
// THREAD: one at a time.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"
#include "tools/x509_identity.h"

namespace nearhub::tools {

// Of each credential: the modem takes 4 kB for a chain (B.6), and this for what a security tag holds.
inline constexpr std::size_t kMaxModemCredentialBytes = 4096;
inline constexpr std::size_t kMaxBoardHostBytes = 64;            // second generation; the first has 48 when DPS gives it
inline constexpr std::size_t kMaxFirstGenerationIdBytes = 30;
inline constexpr int kDefaultSecTag = 42;                        // of Nordic's documentation

struct BoardOrder {
  IdentityId device;
  std::string host;  // empty: the hub's own name
  int sec_tag = kDefaultSecTag;
  std::string folder;  // empty: nrf9160-DEVICE
  IdentityCertificate certificate;
};

// What the files are filled in with.
struct BoardFacts {
  std::string device;
  std::string host;
  std::uint16_t port = 0;
  int sec_tag = 0;
  std::string ca_pem;
  std::string client_pem;  // the device's certificate, with the intermediates above it
  std::string key_pem;
};

// PEM texts begin with BEGIN and have LF line ends. Fails with kInvalidSetting when one is more than the modem takes.
Status check_modem_credentials(const BoardFacts& facts);
std::string modem_commands(const BoardFacts& facts);
std::string first_generation_config(const BoardFacts& facts);
std::string second_generation_config(const BoardFacts& facts);
// What will not work, in a sentence each. `hub_names`: those in the hub's certificate.
std::vector<std::string> board_warnings(const BoardFacts& facts, const std::vector<std::string>& hub_names);

// The device is made when there is none; one that exists must have been made here: its files stand in the folder.
Status make_board_files(HubClient& hub, const BoardOrder& order, Random& random, Console& console);

}  // namespace nearhub::tools
