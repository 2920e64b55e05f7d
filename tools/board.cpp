#include "tools/board.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/text.h"
#include "broker/data_folder.h"
#include "tools/certificate.h"
#include "tools/json_text.h"
#include "tools/table.h"
#include "tools/terminal_text.h"

namespace nearhub::tools {
namespace {

bool is_ipv4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

// An address that only its own network reaches: 10/8, 172.16/12, 192.168/16, 169.254/16 (RFC 1918, 3927).
bool is_private(const std::string& host) {
  in_addr address{};
  if (inet_pton(AF_INET, host.c_str(), &address) != 1) return false;
  const std::uint32_t ip = ntohl(address.s_addr);
  return ip >> 24 == 10 || ip >> 20 == 0xac1 || ip >> 16 == 0xc0a8 || ip >> 16 == 0xa9fe;
}

bool is_this_machine(const std::string& host) {
  return equals_ignoring_case(host, "localhost") || host.starts_with("127.") || host == "::1" || host == "0.0.0.0";
}

std::string kconfig_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string write_command(int tag, int type, std::string_view pem) {
  while (pem.ends_with('\n')) pem.remove_suffix(1);
  return fmt::format("AT%CMNG=0,{},{},\"{}\"\n", tag, type, pem);
}

// A device that exists, with the files that were made for it; `text`: the hub's JSON.
Result<certs::Credential> existing_credential(const BoardOrder& order, const std::string& folder, const std::string& text) {
  const auto identity = parse_object(text);
  if (!identity.ok()) return identity.error();
  const std::string type = text_at(*identity, {"authentication", "type"});
  const std::string id = order.device.text();
  if (type != "selfSigned" && type != "certificateAuthority") {
    return invalid_setting(fmt::format("device {} is registered with keys, and the board's library knows certificates only: give the board an id of its own, or "
                             "delete the device first",
                             id));
  }
  const CertificateFiles files = certificate_files(folder, file_name_for(id));
  auto credential = read_certificate_files(files);
  if (!credential.ok()) {
    return invalid_setting(fmt::format("device {} exists, and its certificate and key are not here ({}): --out says where they are; or delete the device, or "
                             "make a certificate with `nearhub cert device {}` and register its thumbprint",
                             id, credential.error().detail, id));
  }
  const auto info = certs::read_certificate(credential->pair.certificate_pem);
  if (!info.ok()) return info.error();
  if (type == "selfSigned") {
    const auto is_known = [&](std::string_view which) {
      const std::string registered = text_at(*identity, {"authentication", "x509Thumbprint", which});
      return equals_ignoring_case(registered, info->sha256_thumbprint) || equals_ignoring_case(registered, info->sha1_thumbprint);
    };
    if (!is_known("primaryThumbprint") && !is_known("secondaryThumbprint")) {
      return invalid_setting(fmt::format("{} is not the certificate that device {} is registered with: its thumbprint is {}", terminal_text(files.certificate), id,
                               info->sha256_thumbprint));
    }
  } else if (info->common_name != id) {
    return invalid_setting(fmt::format("{} names {}, not {}", terminal_text(files.certificate), terminal_text(info->common_name), id));
  }
  return credential;
}

std::vector<std::string> names_of(const JsonValue& status) {
  std::vector<std::string> names;
  if (const JsonValue* all = find_path(status, {"hostNames"}); all != nullptr && all->IsArray()) {
    for (const JsonValue& name : all->GetArray()) names.push_back(text_at(name, {}));
  }
  return names;
}

}  // namespace

Status check_modem_credentials(const BoardFacts& facts) {
  const std::pair<const char*, const std::string*> texts[] = {
      {"the hub's CA", &facts.ca_pem}, {"the client certificate with its chain", &facts.client_pem}, {"the private key", &facts.key_pem}};
  for (const auto& [what, pem] : texts) {
    if (pem->size() < kMaxModemCredentialBytes) continue;
    return invalid_setting(fmt::format("{} has {} bytes, and the modem takes less than {}: use EC keys (the default), and fewer authorities above the device", what, pem->size(),
                             kMaxModemCredentialBytes));
  }
  return {};
}

std::string modem_commands(const BoardFacts& facts) {
  return "AT+CFUN=4\n" + write_command(facts.sec_tag, 0, facts.ca_pem) + write_command(facts.sec_tag, 1, facts.client_pem) +
         write_command(facts.sec_tag, 2, facts.key_pem) + fmt::format("AT%CMNG=1,{}\nAT+CFUN=1\n", facts.sec_tag);
}

std::string first_generation_config(const BoardFacts& facts) {
  return fmt::format(
      "# nRF Connect SDK 1.3 to 1.9\n"
      "CONFIG_AZURE_IOT_HUB=y\n"
      "CONFIG_AZURE_IOT_HUB_HOSTNAME={}\n"
      "CONFIG_AZURE_IOT_HUB_PORT={}\n"
      "CONFIG_AZURE_IOT_HUB_DEVICE_ID={}\n"
      "CONFIG_AZURE_IOT_HUB_SEC_TAG={}\n",
      kconfig_string(facts.host), facts.port, kconfig_string(facts.device), facts.sec_tag);
}

std::string second_generation_config(const BoardFacts& facts) {
  std::string text = fmt::format(
      "# nRF Connect SDK 2.x\n"
      "CONFIG_AZURE_IOT_HUB=y\n"
      "CONFIG_AZURE_IOT_HUB_HOSTNAME={}\n"
      "CONFIG_AZURE_IOT_HUB_DEVICE_ID={}\n"
      "CONFIG_MQTT_HELPER_PORT={}\n"
      "CONFIG_MQTT_HELPER_SEC_TAG={}\n",
      kconfig_string(facts.host), kconfig_string(facts.device), facts.port, facts.sec_tag);
  if (is_ipv4(facts.host)) text += fmt::format("CONFIG_MQTT_HELPER_STATIC_IP_ADDRESS={}\n", kconfig_string(facts.host));
  return text;
}

std::vector<std::string> board_warnings(const BoardFacts& facts, const std::vector<std::string>& hub_names) {
  std::vector<std::string> warnings;
  if (is_this_machine(facts.host)) {
    warnings.push_back(fmt::format("{} is the board itself, seen from the board: start the hub with --bind 0.0.0.0 --host NAME and give --hub-host NAME, a name or "
                                   "address that the cellular network reaches",
                                   facts.host));
  } else if (is_private(facts.host)) {
    warnings.push_back(fmt::format("{} is a private address: the board reaches it through a VPN or a private APN only; it has no Ethernet or Wi-Fi, so otherwise it takes a "
                                   "public name with a forwarded port",
                                   facts.host));
  }
  const bool listed = std::any_of(hub_names.begin(), hub_names.end(), [&](const std::string& name) { return equals_ignoring_case(name, facts.host); });
  if (!listed) {
    warnings.push_back(fmt::format("{0} is no name of the hub: its certificate lacks it and the board will refuse it; start the hub with --host {0}", terminal_text(facts.host)));
  }
  if (facts.device.size() > kMaxFirstGenerationIdBytes) {
    warnings.push_back(fmt::format("the device id has {} characters, and the library of the nRF Connect SDK 1.x takes {}: this board needs 2.x", facts.device.size(),
                                   kMaxFirstGenerationIdBytes));
  }
  return warnings;
}

Status make_board_files(HubClient& hub, const BoardOrder& order, Random& random, Console& console) {
  const auto body = hub.get("/_nearhub/status");
  if (!body.ok()) return body.error();
  const auto status = parse_object(*body);
  if (!status.ok()) return status.error();
  const auto endpoint = device_endpoint(hub);
  if (!endpoint.ok()) return endpoint.error();
  if (endpoint->mqtts_port == 0) return Error{ErrorCode::kIo, "that hub runs with --mqtts off, and a board speaks MQTT"};

  BoardFacts facts;
  facts.device = order.device.text();
  facts.host = order.host.empty() ? endpoint->host : order.host;
  facts.port = endpoint->mqtts_port;
  facts.sec_tag = order.sec_tag;
  if (facts.host.size() > kMaxBoardHostBytes) {
    return invalid_setting(fmt::format("the host name has {} characters, and the library takes {}", facts.host.size(), kMaxBoardHostBytes));
  }
  if (hub.address().ca_file.empty()) return invalid_setting("which CA is the hub's? --hub-ca says its file");
  const auto ca = broker::read_file(hub.address().ca_file);
  if (!ca.ok()) return invalid_setting(ca.error().detail);
  auto ca_pem = certs::chain_without_root(*ca);
  if (!ca_pem.ok()) return invalid_setting(fmt::format("{}: {}", terminal_text(hub.address().ca_file), ca_pem.error().detail));
  facts.ca_pem = std::move(*ca_pem);

  const std::string folder = order.folder.empty() ? "nrf9160-" + facts.device : order.folder;
  HubRequest lookup;
  lookup.path = registry_path(order.device);
  const auto found = hub.request(lookup);
  if (!found.ok()) return found.error();
  certs::Credential credential;
  if (found->status == 404) {
    NewIdentity identity;
    identity.id = order.device;
    IdentityCertificate certificate = order.certificate;
    certificate.folder = folder;
    auto made = create_with_certificate(hub, identity, certificate, random, console);
    if (!made.ok()) return made.error();
    console.say(fmt::format("created the device {}", facts.device));
    credential = std::move(made->credential);
  } else if (found->ok()) {
    auto existing = existing_credential(order, folder, found->body);
    if (!existing.ok()) return existing.error();
    credential = std::move(*existing);
  } else {
    return to_error(read_hub_error(*found));
  }
  auto shown = certs::chain_without_root(credential.chain_pem);
  if (!shown.ok()) return shown.error();
  facts.client_pem = std::move(*shown);
  facts.key_pem = credential.pair.key_pem;
  if (const Status small = check_modem_credentials(facts); !small.ok()) return small;

  struct File {
    const char* name;
    const char* what;
    std::string content;
    unsigned mode;
  };
  const File files[] = {{"ca.pem", "CA certificate", facts.ca_pem, 0644},
                        {"client_cert.pem", "client certificate", facts.client_pem, 0644},
                        {"client_key.pem", "private key", facts.key_pem, 0600},
                        {"modem.at", "AT commands", modem_commands(facts), 0600},
                        {"ncs1.conf", "Kconfig, SDK 1.x", first_generation_config(facts), 0644},
                        {"ncs2.conf", "Kconfig, SDK 2.x", second_generation_config(facts), 0644}};
  Fields fields;
  for (const File& file : files) {
    if (file.name == std::string_view("ncs1.conf") && facts.device.size() > kMaxFirstGenerationIdBytes) continue;
    const std::string path = fmt::format("{}/{}", folder, file.name);
    if (const Status written = broker::write_file(path, file.content, file.mode); !written.ok()) return written;
    fields.add(file.what, terminal_text(path));
  }
  fields.add("connects to", terminal_text(fmt::format("{}:{}, security tag {}", facts.host, facts.port, facts.sec_tag)));
  console.print(fields.text());
  for (const std::string& warning : board_warnings(facts, names_of(*status))) console.say("warning: " + warning);
  return {};
}

}  // namespace nearhub::tools
