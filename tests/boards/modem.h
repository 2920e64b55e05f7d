// The nRF9160 modem's TLS as a client: TLS 1.2, its cipher suites, curve P-256, one root certificate, no session resumption, and its sizes as hard
// limits (reference/x509-and-boards.md B.6). Beyond them the modem breaks, and so does this.
//
// THREAD: one at a time.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace nearhub::test {

// 4 kB for the server's whole chain, the framing of the handshake message included.
inline constexpr std::size_t kModemCertificateBytes = 4096;
// One TLS record with its header.
inline constexpr std::size_t kModemRecordBytes = 2303;

// What AT%CMNG wrote to a security tag.
struct SecurityTag {
  std::string ca_pem;
  std::string certificate_pem;  // the client's, with intermediates behind it; empty: none
  std::string key_pem;
};

struct ModemFirmware {
  const char* ciphers;  // OpenSSL's names
  bool server_name;     // sends SNI, from firmware 1.2.1 on
};
// Every firmware has these.
inline constexpr ModemFirmware kOldModem = {
    "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA256:"
    "ECDHE-RSA-AES128-SHA",
    false};
inline constexpr ModemFirmware kNewModem = {
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA:"
    "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-SHA",
    true};

class ModemSocket {
 public:
  // Connects to 127.0.0.1 and shakes hands; `host` is what the certificate is checked against. `receive_buffer`: the system's for what comes, 0: as usual.
  ModemSocket(const SecurityTag& tag, const ModemFirmware& firmware, const std::string& host, std::uint16_t port, int receive_buffer = 0);
  ~ModemSocket();
  ModemSocket(const ModemSocket&) = delete;
  ModemSocket& operator=(const ModemSocket&) = delete;

  // Why it cannot be used any more; empty: it can.
  const std::string& fault() const { return fault_; }

  // One record. False when the connection is broken.
  bool send(std::string_view bytes);
  // What has come, at most one record; empty at the end of the connection or a fault; nothing within the time: nullopt.
  std::optional<std::string> receive(std::chrono::milliseconds patience);
  // Power off: no goodbye.
  void cut();

  std::size_t certificate_bytes() const { return certificate_bytes_; }
  std::size_t largest_record() const { return largest_record_; }
  std::string cipher() const;

 private:
  struct Impl;
  bool check_sizes();

  std::unique_ptr<Impl> impl_;
  int socket_ = -1;
  std::size_t certificate_bytes_ = 0;
  std::size_t largest_record_ = 0;
  std::string fault_;
};

}  // namespace nearhub::test
