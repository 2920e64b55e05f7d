// The flags of `nearhub device` and `nearhub module`.
#include <optional>
#include <string>
#include <utility>

#include "tools/credentials.h"
#include "tools/device.h"
#include "tools/flags.h"
#include "tools/identity.h"
#include "tools/module.h"
#include "tools/x509_identity.h"

namespace nearhub::tools {
namespace {

IdentityKind other_than_device(bool module) { return module ? IdentityKind::kModule : IdentityKind::kDevice; }

// The type as the API has it.
CLI::Option& add_type(CLI::App& command, std::string& type, const std::string& help) {
  return *command
              .add_option_function<std::string>(
                  "--auth",
                  [&type](const std::string& text) {
                    type = authentication_type(text);
                    if (type.empty()) throw CLI::ValidationError("--auth", text + " is none of sas, self-signed, ca");
                  },
                  help)
              ->type_name("TYPE");
}

struct Create {
  NewIdentity identity;
  bool x509 = false;
  IdentityCertificate certificate;
  std::string hub_ca;
};

// --ca is who signs with --x509, and what to trust without it, as everywhere else.
Status run_create(const Create& wanted, HubFlags where, const Clock& clock, Console& console) {
  IdentityCertificate certificate = wanted.certificate;
  if (wanted.x509) certificate.authority = std::exchange(where.ca_file, {});
  if (!wanted.hub_ca.empty()) where.ca_file = wanted.hub_ca;
  auto hub = HubClient::open(std::move(where), clock);
  if (!hub.ok()) return hub.error();
  if (!wanted.x509) return create_identity(**hub, wanted.identity, console);
  SystemRandom random;
  return create_x509_identity(**hub, wanted.identity, certificate, random, console);
}

void add_create(CLI::App& family, Invocation& invocation, bool module) {
  auto wanted = std::make_shared<Create>();
  NewIdentity* identity = &wanted->identity;
  CLI::App& create = add_free_command(
      family, "create",
      module ? "Create a module; prints its connection string" : "Create a device; prints its connection string",
      invocation, [wanted, &clock = invocation.clock](const HubFlags& where, Console& console) { return run_create(*wanted, where, clock, console); });
  add_identity(create, identity->id, other_than_device(module));
  CLI::Option* primary =
      create.add_option("--primary-key", identity->primary_key, "Base64 of 16 to 64 bytes (default: made by the hub)");
  CLI::Option* secondary =
      create.add_option("--secondary-key", identity->secondary_key, "Base64 of 16 to 64 bytes; both keys or neither");
  primary->needs(secondary)->type_name("KEY");
  secondary->needs(primary)->type_name("KEY");
  CLI::Option* thumbprint = create.add_option(
      "--thumbprint", identity->primary_thumbprint,
      "Of the client certificate, in place of keys: 40 or 64 hex digits; colons and spaces are taken off");
  thumbprint->excludes(primary)->type_name("HEX");
  create.add_option("--secondary-thumbprint", identity->secondary_thumbprint, "Of a second certificate")
      ->needs(thumbprint)
      ->type_name("HEX");
  CLI::Option& type = add_type(create, identity->type,
           "How it proves itself: sas (default), self-signed (default with --thumbprint), ca (a certificate of a registered CA)");
  type.excludes(primary);
  CLI::Option* x509 = create.add_flag("--x509", wanted->x509, "Make its certificate and key, too: signed by the authority --ca NAME, or by itself");
  x509->excludes(primary)->excludes(thumbprint)->excludes(&type);
  add_certificate_options(create, wanted->certificate, *x509);
  create.get_option("--ca")->description(
      "With --x509, who signs: NAME of NAME_cert.pem and NAME_key.pem, or a certificate file. Else as in other commands: the CA to trust; else NEARHUB_CA_FILE, the data folder's");
  create.add_option("--hub-ca", wanted->hub_ca, "File with the CA to trust, where --ca is who signs")->type_name("FILE");
  if (module) {
    create.add_option("--managed-by", identity->managed_by, "Who looks after it")->type_name("TEXT");
    create.footer("Examples:\n  nearhub module create thermostat/firmware\n  nearhub module create thermostat/firmware --x509 --ca factory");
  } else {
    create.add_flag("--disabled", identity->disabled, "May not connect until `nearhub device enable`");
    create.add_flag("--edge", identity->edge, "An IoT Edge device: others can be below it");
    create.add_option("--parent", identity->parent, "The edge device that it is below")->type_name("ID");
    create.add_option("--status-reason", identity->status_reason, "Why it is enabled or disabled")->type_name("TEXT");
    create.footer("Examples:\n  nearhub device create thermostat\n  nearhub device create thermostat --x509\n  nearhub device create thermostat --x509 --ca factory");
  }
  add_json_flag(create, identity->json);
}

void add_credential_change(CLI::App& command, CredentialChange& change) {
  const auto add_slot = [&command](const char* flag, std::optional<std::string>& slot, const char* help) {
    command.add_option_function<std::string>(flag, [&slot](const std::string& text) { slot = text; }, help)->type_name("HEX");
  };
  add_slot("--thumbprint", change.primary_thumbprint, "Of the client certificate; '' clears the slot");
  add_slot("--secondary-thumbprint", change.secondary_thumbprint, "Of a second certificate; '' clears the slot");
  CLI::Option* primary = command.add_option("--primary-key", change.primary_key, "Base64 of 16 to 64 bytes");
  CLI::Option* secondary = command.add_option("--secondary-key", change.secondary_key, "Base64 of 16 to 64 bytes; both keys or neither");
  primary->needs(secondary)->type_name("KEY");
  secondary->needs(primary)->type_name("KEY");
  CLI::Option* swap = command.add_flag("--swap-keys", change.swap_keys, "The primary key becomes the secondary and the other way round");
  swap->excludes(primary);
  for (const char* slot : {"--thumbprint", "--secondary-thumbprint"}) {
    command.get_option(slot)->excludes(primary)->excludes(swap);
  }
  add_type(command, change.type, "sas, self-signed or ca (default: as it is, or what thumbprints and keys say)");
}

constexpr const char* kRollingHelp =
    "What is not named stays. A connection ends when what admitted it is gone: to roll a certificate without a break, put the\n"
    "new one's thumbprint into the other slot, switch the client, then clear the old one's.\n";

void add_module_update(CLI::App& family, Invocation& invocation) {
  struct Update {
    IdentityId id;
    CredentialChange credentials;
    bool json = false;
  };
  auto update = std::make_shared<Update>();
  CLI::App& command = add_client_command(family, "update", "Change what a module proves itself by", invocation,
                                         [update](HubClient& hub, Console& console) {
                                           return update_module(hub, update->id, update->credentials, update->json, console);
                                         });
  add_identity(command, update->id, IdentityKind::kModule);
  add_credential_change(command, update->credentials);
  add_json_flag(command, update->json);
  command.footer(kRollingHelp + std::string("Example:\n  nearhub module update thermostat/firmware --auth ca"));
}

struct Show {
  IdentityId id;
  bool keys = false;
  bool json = false;
};

void add_show(CLI::App& family, Invocation& invocation, bool module) {
  auto show = std::make_shared<Show>();
  CLI::App& command = add_client_command(family, "show", module ? "Show a module" : "Show a device", invocation,
                                         [show](HubClient& hub, Console& console) {
                                           return show_identity(hub, show->id, show->keys, show->json, console);
                                         });
  add_identity(command, show->id, other_than_device(module));
  command.add_flag("--keys", show->keys, "With its keys; without this they are left out, and are \"***\" in JSON");
  command.footer(module ? "Example:\n  nearhub module show thermostat/firmware"
                        : "Examples:\n  nearhub device show thermostat\n"
                          "  nearhub device show thermostat --json --keys | jq -r .authentication.symmetricKey.primaryKey");
  add_json_flag(command, show->json);
}

void add_connection_string(CLI::App& family, Invocation& invocation, bool module) {
  struct Which {
    IdentityId id;
    bool secondary = false;
  };
  auto which = std::make_shared<Which>();
  CLI::App& command = add_client_command(
      family, "connection-string",
      module ? "Print what a client of the module connects with" : "Print what a client of the device connects with",
      invocation, [which](HubClient& hub, Console& console) {
        return print_connection_string(hub, which->id, which->secondary, console);
      });
  add_identity(command, which->id, other_than_device(module));
  command.add_flag("--secondary", which->secondary, "With the secondary key");
  command.footer(module ? "Example:\n  nearhub module connection-string thermostat/firmware"
                        : "Example:\n  nearhub device connection-string thermostat");
}

void add_delete(CLI::App& family, Invocation& invocation, bool module) {
  auto id = std::make_shared<IdentityId>();
  CLI::App& command = add_client_command(
      family, "delete",
      module ? "Delete a module with its twin and queued messages"
             : "Delete a device with its modules, twins and queued messages",
      invocation, [id](HubClient& hub, Console& console) { return delete_identity(hub, *id, console); });
  add_identity(command, *id, other_than_device(module));
  command.footer(module ? "Example:\n  nearhub module delete thermostat/firmware"
                        : "Example:\n  nearhub device delete thermostat");
}

void add_device_list(CLI::App& family, Invocation& invocation) {
  struct List {
    int top = kMostListed;
    bool json = false;
  };
  auto list = std::make_shared<List>();
  CLI::App& command = add_client_command(
      family, "list", "List the devices", invocation,
      [list](HubClient& hub, Console& console) { return list_devices(hub, list->top, list->json, console); });
  command.add_option("--top", list->top, "So many at the most")->check(CLI::Range(1, kMostListed))->type_name("N");
  add_json_flag(command, list->json);
  command.footer("Examples:\n  nearhub device list\n  nearhub device list --json | jq -r '.[].deviceId'");
}

void add_module_list(CLI::App& family, Invocation& invocation) {
  auto list = std::make_shared<Show>();
  CLI::App& command = add_client_command(
      family, "list", "List the modules of a device", invocation,
      [list](HubClient& hub, Console& console) { return list_modules(hub, list->id.device, list->json, console); });
  add_identity(command, list->id, IdentityKind::kDevice);
  add_json_flag(command, list->json);
  command.footer("Example:\n  nearhub module list thermostat");
}

void add_status_change(CLI::App& family, Invocation& invocation, bool enable) {
  struct Change {
    IdentityId id;
    std::string reason;
  };
  auto change = std::make_shared<Change>();
  CLI::App& command =
      add_client_command(family, enable ? "enable" : "disable",
                         enable ? "Let a device connect again" : "Close a device's connections and let it in no more",
                         invocation, [change, enable](HubClient& hub, Console& console) {
                           return set_device_status(hub, change->id.device, enable, change->reason, console);
                         });
  add_identity(command, change->id, IdentityKind::kDevice);
  command.add_option("--reason", change->reason, "Kept with the device, at most 128 characters")->type_name("TEXT");
  command.footer(enable ? "Example:\n  nearhub device enable thermostat"
                        : "Example:\n  nearhub device disable thermostat --reason 'lost in the field'");
}

void add_device_update(CLI::App& family, Invocation& invocation) {
  struct Update {
    IdentityId id;
    DeviceUpdate device;
  };
  auto update = std::make_shared<Update>();
  CLI::App& command = add_client_command(family, "update", "Change a device, keeping what is not named", invocation,
                                         [update](HubClient& hub, Console& console) {
                                           update->device.id = update->id.device;
                                           return update_device(hub, update->device, console);
                                         });
  add_identity(command, update->id, IdentityKind::kDevice);
  DeviceUpdate& device = update->device;
  add_credential_change(command, device.credentials);
  command.add_option("--status-reason", device.status_reason, "Why it is enabled or disabled; empty takes it away")->type_name("TEXT");
  CLI::Option* edge = command.add_flag("--edge", device.edge, "Make it an IoT Edge device");
  command.add_flag("--no-edge", device.no_edge, "Make it a plain device; $edgeAgent and $edgeHub are deleted")->excludes(edge);
  CLI::Option* parent = command.add_option("--parent", device.parent, "The edge device that it is below")->type_name("ID");
  command.add_flag("--no-parent", device.no_parent, "Below none")->excludes(parent);
  add_json_flag(command, device.json);
  command.footer(kRollingHelp + std::string("Examples:\n  nearhub device update thermostat --parent gateway\n  nearhub device update thermostat --swap-keys\n"
                                            "  nearhub device update thermostat --secondary-thumbprint 97388663832D0393C9246CAB4FBA2C8677185A25\n"
                                            "  nearhub device update thermostat --thumbprint ''"));
}

}  // namespace

void add_identity_commands(CLI::App& app, Invocation& invocation) {
  CLI::App& device = add_family(app, "device", "Create, list, show, enable, disable and delete devices");
  add_create(device, invocation, false);
  add_device_list(device, invocation);
  add_show(device, invocation, false);
  add_connection_string(device, invocation, false);
  add_device_update(device, invocation);
  add_status_change(device, invocation, true);
  add_status_change(device, invocation, false);
  add_delete(device, invocation, false);

  CLI::App& module = add_family(app, "module", "Create, list, show and delete modules of devices");
  add_create(module, invocation, true);
  add_module_list(module, invocation);
  add_show(module, invocation, true);
  add_connection_string(module, invocation, true);
  add_module_update(module, invocation);
  add_delete(module, invocation, true);
}

}  // namespace nearhub::tools
