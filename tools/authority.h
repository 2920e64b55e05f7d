// `nearhub ca ...`: the certificate authorities whose devices the hub lets in.
//
// THREAD: one at a time.
#pragma once
#include <string>

#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"

namespace nearhub::tools {

// The certificate of a PEM or DER file as the API takes it. Fails with kInvalidSetting when it cannot be read; what is in
// it is the hub's to judge.
Result<std::string> certificate_text(const std::string& file);

struct NewAuthority {
  std::string name;
  std::string file;
  bool verified = false;
  bool replace = false;  // one of that name
  bool json = false;
};
Status add_authority(HubClient& hub, const NewAuthority& authority, Console& console);

Status list_authorities(HubClient& hub, bool json, Console& console);
Status show_authority(HubClient& hub, const std::string& name, bool json, Console& console);
// Prints the code alone: a new one each time.
Status print_verification_code(HubClient& hub, const std::string& name, Console& console);
Status verify_authority(HubClient& hub, const std::string& name, const std::string& file, Console& console);
Status delete_authority(HubClient& hub, const std::string& name, Console& console);

}  // namespace nearhub::tools
