// The flags of `nearhub ca`.
#include "tools/authority.h"
#include "tools/flags.h"

namespace nearhub::tools {
namespace {

struct Named {
  std::string name, file;
  bool json = false;
};

void add_authority_name(CLI::App& command, std::string& name) {
  command.add_option("NAME", name, "Its name at the hub: letters, digits and - . _")->required()->option_text("NAME");
}

void add_file(CLI::App& command, std::string& file, const std::string& help) {
  command.add_option("FILE", file, help)->required()->option_text("FILE");
}

void add_add(CLI::App& family, Invocation& invocation) {
  auto authority = std::make_shared<NewAuthority>();
  CLI::App& command = add_client_command(
      family, "add", "Register a CA certificate, a root or an intermediate", invocation,
      [authority](HubClient& hub, Console& console) { return add_authority(hub, *authority, console); });
  add_authority_name(command, authority->name);
  add_file(command, authority->file, "The certificate, PEM or DER; its key stays with you");
  command.add_flag("--verified", authority->verified, "Without proof that you hold its key");
  command.add_flag("--replace", authority->replace, "Take the place of one of this name");
  add_json_flag(command, authority->json);
  command.footer(
      "Devices and modules with authentication type certificateAuthority come in by a certificate that chains to it.\n"
      "Example:\n  nearhub ca add plant-7 root_cert.pem --verified");
}

void add_list(CLI::App& family, Invocation& invocation) {
  auto json = std::make_shared<bool>(false);
  CLI::App& command =
      add_client_command(family, "list", "List the registered CAs", invocation,
                         [json](HubClient& hub, Console& console) { return list_authorities(hub, *json, console); });
  add_json_flag(command, *json);
  command.footer("Example:\n  nearhub ca list");
}

void add_show(CLI::App& family, Invocation& invocation) {
  auto show = std::make_shared<Named>();
  CLI::App& command = add_client_command(
      family, "show", "Show a CA", invocation,
      [show](HubClient& hub, Console& console) { return show_authority(hub, show->name, show->json, console); });
  add_authority_name(command, show->name);
  add_json_flag(command, show->json);
  command.footer("Example:\n  nearhub ca show plant-7");
}

void add_code(CLI::App& family, Invocation& invocation) {
  auto named = std::make_shared<Named>();
  CLI::App& command = add_client_command(
      family, "code", "Print a new verification code: the CN of the certificate that proves that you hold the CA's key",
      invocation, [named](HubClient& hub, Console& console) { return print_verification_code(hub, named->name, console); });
  add_authority_name(command, named->name);
  command.footer("Example:\n  nearhub ca code plant-7");
}

void add_verify(CLI::App& family, Invocation& invocation) {
  auto named = std::make_shared<Named>();
  CLI::App& command = add_client_command(
      family, "verify", "Prove that you hold a CA's key, by a certificate that it has signed", invocation,
      [named](HubClient& hub, Console& console) { return verify_authority(hub, named->name, named->file, console); });
  add_authority_name(command, named->name);
  add_file(command, named->file, "A certificate with the code as its CN, signed by the CA itself, PEM or DER");
  command.footer("Example:\n  nearhub ca verify plant-7 verification_cert.pem");
}

void add_delete(CLI::App& family, Invocation& invocation) {
  auto named = std::make_shared<Named>();
  CLI::App& command = add_client_command(
      family, "delete", "Forget a CA and close the connections that it admitted", invocation,
      [named](HubClient& hub, Console& console) { return delete_authority(hub, named->name, console); });
  add_authority_name(command, named->name);
  command.footer("Example:\n  nearhub ca delete plant-7");
}

}  // namespace

void add_authority_commands(CLI::App& app, Invocation& invocation) {
  CLI::App& family = add_family(app, "ca", "Register, verify and delete the CAs whose devices may connect");
  add_add(family, invocation);
  add_list(family, invocation);
  add_show(family, invocation);
  add_code(family, invocation);
  add_verify(family, invocation);
  add_delete(family, invocation);
}

}  // namespace nearhub::tools
