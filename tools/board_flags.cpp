// The flags of `nearhub board`.
#include <utility>

#include "tools/board.h"
#include "tools/flags.h"

namespace nearhub::tools {

void add_board_commands(CLI::App& app, Invocation& invocation) {
  CLI::App& family = add_family(app, "board", "Write what a board needs to reach this hub");
  struct Board {
    BoardOrder order;
    std::string hub_ca;
  };
  auto board = std::make_shared<Board>();
  CLI::App& command = add_free_command(
      family, "nrf9160", "Credentials, AT commands and Kconfig lines for an nRF9160 with the nRF Connect SDK", invocation,
      [board, &clock = invocation.clock](const HubFlags& flags, Console& console) -> Status {
        HubFlags where = flags;
        BoardOrder order = board->order;
        order.certificate.authority = std::exchange(where.ca_file, board->hub_ca);
        auto hub = HubClient::open(std::move(where), clock);
        if (!hub.ok()) return hub.error();
        SystemRandom random;
        return make_board_files(**hub, order, random, console);
      });
  BoardOrder& order = board->order;
  add_identity(command, order.device, IdentityKind::kDevice);
  command.add_option("--hub-host", order.host, "Name or address under which the board reaches the hub (default: the hub's own name)")->type_name("NAME");
  command.add_option("--sec-tag", order.sec_tag, "Security tag of the modem (default: 42)")->check(CLI::Range(0, 2147483647))->type_name("N");
  command.add_option("--out", order.folder, "Folder for the files; made when it is missing (default: nrf9160-DEVICE)")->type_name("DIR");
  command.get_option("--ca")->description("Who signs the device's certificate: NAME of NAME_cert.pem and NAME_key.pem, or a certificate file (default: itself)");
  command.add_option("--ca-key", order.certificate.authority_key, "Its private key, when that is not NAME_key.pem")->type_name("FILE");
  command.add_option("--hub-ca", board->hub_ca, "File with the hub's CA; else NEARHUB_CA_FILE, the data folder's")->type_name("FILE");
  command.add_option("--days", order.certificate.days, "The certificate is valid for so many days (default: 365)")->check(CLI::Range(1, 36500))->type_name("N");
  command.footer(
      "The device is made when there is none. Run it again for the same board and folder after the hub's name has changed.\n"
      "Example:\n"
      "  nearhub board nrf9160 nrf-352656100000001 --hub-host hub.example.com --sec-tag 42");
}

}  // namespace nearhub::tools
