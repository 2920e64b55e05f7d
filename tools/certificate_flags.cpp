// The flags of `nearhub cert`.
#include "base/text.h"
#include "tools/certificate.h"
#include "tools/flags.h"
#include "tools/identity.h"
#include "tools/x509_identity.h"

namespace nearhub::tools {
namespace {

struct KindText {
  CertificateKind kind;
  const char* name;
  const char* help;
  const char* argument;
  const char* argument_help;
  const char* footer;
};

constexpr KindText kKinds[] = {
    {CertificateKind::kRoot, "root", "A certificate authority of your own", "NAME", "Its common name, 1 to 64 characters",
     "Example:\n  nearhub cert root factory"},
    {CertificateKind::kIntermediate, "intermediate", "An authority below another one", "NAME", "Its common name, 1 to 64 characters",
     "Example:\n  nearhub cert intermediate line-1 --ca factory"},
    {CertificateKind::kDevice, "device", "A device's certificate: signed by an authority, or by itself", "DEVICE", "Device id",
     "Without --ca it signs itself, and the hub knows it by its thumbprint.\n"
     "Examples:\n  nearhub cert device thermostat --ca factory\n  nearhub cert device thermostat"},
    {CertificateKind::kModule, "module", "A module's certificate", "DEVICE/MODULE", "Device id, a slash, module id",
     "Example:\n  nearhub cert module thermostat/firmware --ca factory"},
    {CertificateKind::kVerification, "verification", "Proof that you have an authority's key: a certificate whose name is the code",
     "CODE", "The verification code", "Example:\n  nearhub cert verification 3F2A... --ca factory"},
    {CertificateKind::kServer, "server", "A server's certificate, for a proxy or a file server beside the hub", "NAME", "Host names and addresses",
     "Example:\n  nearhub cert server files.lan 192.168.1.20 --ca factory"},
};

void check_identity(const std::string& text, bool module) {
  const char* name = module ? "DEVICE/MODULE" : "DEVICE";
  const auto parsed = parse_identity(text);
  if (!parsed.ok()) throw CLI::ValidationError(name, parsed.error().detail);
  if (parsed->is_module() != module) {
    throw CLI::ValidationError(name, text + (module ? " names no module; give DEVICE/MODULE" : " names a module: `nearhub cert module`"));
  }
}

std::vector<CLI::Option*> add_file_options(CLI::App& command, std::string& folder, std::string& file_name, int& rsa_bits, std::int64_t& days, bool& force) {
  std::vector<CLI::Option*> options;
  options.push_back(command.add_option("--out", folder, "Folder for the files; made when it is missing (default: the current one)")->type_name("DIR"));
  options.push_back(command
                        .add_option("--file-name", file_name,
                                    "NAME of the files NAME_cert.pem, NAME_key.pem and NAME_fullchain.pem (default: the name, a module's with a dot)")
                        ->check(CLI::Validator(
                            [](const std::string& name) {
                              return name.empty() || name.find('/') != std::string::npos ? std::string("a file's name has no slash; --out gives the folder")
                                                                                         : std::string();
                            },
                            ""))
                        ->type_name("NAME"));
  options.push_back(command
                        .add_option_function<std::string>(
                            "--rsa",
                            [&rsa_bits](const std::string& bits) {
                              rsa_bits = static_cast<int>(parse_decimal(bits.empty() ? "2048" : bits).value_or(1));
                              if (const auto type = key_type(rsa_bits); !type.ok()) throw CLI::ValidationError("--rsa", type.error().detail);
                            },
                            "An RSA key of 2048, 3072 or 4096 bits instead of EC P-256; --rsa alone: 2048")
                        ->expected(0, 1)
                        ->type_name("BITS"));
  options.push_back(command.add_option("--days", days, "The certificate is valid for so many days")->check(CLI::Range(1, 36500))->type_name("N"));
  options.push_back(command.add_flag("--force", force, "Replace files that exist"));
  return options;
}

void add_kind(CLI::App& family, Invocation& invocation, const KindText& text) {
  auto order = std::make_shared<CertificateOrder>();
  order->kind = text.kind;
  CLI::App& command = *family.add_subcommand(text.name, text.help);
  command.callback([order, &invocation] {
    invocation.run = [order, &invocation] {
      SystemRandom random;
      return exit_code(make_certificate(*order, invocation.clock, random, invocation.console), invocation.console);
    };
  });
  if (text.kind == CertificateKind::kServer) {
    command.add_option(text.argument, order->names, text.argument_help)->required()->option_text("NAME...");
  } else {
    auto* argument = command.add_option_function<std::string>(
        text.argument,
        [order, kind = text.kind](const std::string& value) {
          if (kind == CertificateKind::kDevice || kind == CertificateKind::kModule) check_identity(value, kind == CertificateKind::kModule);
          order->names = {value};
        },
        text.argument_help);
    argument->required()->option_text(text.argument);
  }
  if (text.kind != CertificateKind::kRoot) {
    CLI::Option* authority = command.add_option("--ca", order->authority, "Who signs: NAME of NAME_cert.pem and NAME_key.pem, or a certificate file");
    authority->type_name("NAME|FILE");
    if (text.kind != CertificateKind::kDevice && text.kind != CertificateKind::kModule) authority->required();
    command.add_option("--ca-key", order->authority_key, "Its private key, when that is not NAME_key.pem")->needs(authority)->type_name("FILE");
  }
  add_file_options(command, order->folder, order->file_name, order->rsa_bits, order->days, order->force);
  command.footer(text.footer);
}

}  // namespace

void add_certificate_options(CLI::App& command, IdentityCertificate& certificate, CLI::Option& needed) {
  const std::string group = "With " + needed.get_name();
  std::vector<CLI::Option*> options =
      add_file_options(command, certificate.folder, certificate.file_name, certificate.rsa_bits, certificate.days, certificate.force);
  options.push_back(command.add_option("--ca-key", certificate.authority_key, "The private key of --ca, when that is not NAME_key.pem")->type_name("FILE"));
  for (CLI::Option* option : options) option->needs(&needed)->group(group);
}

void add_certificate_commands(CLI::App& app, Invocation& invocation) {
  CLI::App& family = add_family(app, "cert", "Make certificates: root, intermediate, device, module, verification, server");
  for (const KindText& kind : kKinds) add_kind(family, invocation, kind);
}

}  // namespace nearhub::tools
