// `nearhub policy ...`: shared access policies. Their commands need a login with all rights, which iothubowner has.
//
// THREAD: one at a time.
#pragma once
#include <string>

#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"

namespace nearhub::tools {

Status list_policies(HubClient& hub, bool keys, bool json, Console& console);
Status show_policy(HubClient& hub, const std::string& name, bool keys, bool json, Console& console);
// Makes a policy, or changes the rights of one. Prints its connection string.
Status put_policy(HubClient& hub, const std::string& name, const std::string& rights, bool replace, bool json, Console& console);
Status delete_policy(HubClient& hub, const std::string& name, Console& console);
// `which`: primaryKey, secondaryKey or both. Prints the connection string with the new key.
Status regenerate_policy(HubClient& hub, const std::string& name, const std::string& which, bool json, Console& console);
Status print_policy_connection_string(HubClient& hub, const std::string& name, bool secondary, Console& console);

}  // namespace nearhub::tools
