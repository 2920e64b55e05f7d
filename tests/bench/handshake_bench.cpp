// TLS handshakes, full and resumed, with and without a client certificate: nearhub beside `openssl s_server`, which does nothing else. One line per
// figure; docs/benchmarks.md says what each is.
//
// One handshake at a time, because s_server takes no more: what counts is the server's CPU time per handshake. Servers take turns.
#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "tests/bench/figures.h"
#include "tests/bench/process.h"
#include "tests/bench/server.h"

namespace nearhub::bench {
namespace {

constexpr int kServerCore = 0;
constexpr int kPatienceMs = 30'000;

struct Options {
  std::string nearhub = NEARHUB_BINARY;
  std::string openssl = "/usr/bin/openssl";
  std::string folder = std::filesystem::temp_directory_path().string();
  int rounds = 5;
  int handshakes = 200;
  bool pin = true;
  bool samples = false;
  bool quick = false;
};

struct Kind {
  int version = TLS1_3_VERSION;
  bool rsa = false;  // the server's key; else EC P-256
  bool client_certificate = false;
  bool resumed = false;

  std::string name() const {
    return fmt::format("handshake.{}.{}{}.{}", version == TLS1_3_VERSION ? "tls13" : "tls12", rsa ? "rsa" : "ec", client_certificate ? ".client-cert" : "",
                       resumed ? "resumed" : "full");
  }
};

// Self-signed, EC P-256: what a device of the thumbprint kind shows.
struct ClientCertificate {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();

  ClientCertificate() {
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 24 * 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("bench"), -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_set_pubkey(certificate, key);
    NEARHUB_CHECK(X509_sign(certificate, key, EVP_sha256()) > 0);
  }
  ~ClientCertificate() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
};

// A client of one kind. Its handshake ends with the ticket, if one is to come.
class Client {
 public:
  Client(const Kind& kind, const ClientCertificate& certificate, std::uint16_t port) : kind_(kind), port_(port), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_, kind.version);
    SSL_CTX_set_max_proto_version(context_, kind.version);
    NEARHUB_CHECK(SSL_CTX_set1_groups_list(context_, "P-256") == 1);
    if (kind.rsa) NEARHUB_CHECK(SSL_CTX_set1_sigalgs_list(context_, "RSA-PSS+SHA256:RSA+SHA256") == 1);
    if (kind.client_certificate) {
      SSL_CTX_use_certificate(context_, certificate.certificate);
      SSL_CTX_use_PrivateKey(context_, certificate.key);
      // With RSA alone a client could not sign with its EC key.
      if (kind.rsa) NEARHUB_CHECK(SSL_CTX_set1_client_sigalgs_list(context_, "ECDSA+SHA256") == 1);
    }
    // A read takes the record that is there, and does not wait for data behind it.
    SSL_CTX_clear_mode(context_, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_cert_verify_callback(context_, [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
    SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context_, [](SSL* ssl, SSL_SESSION* session) {
      auto& client = *static_cast<Client*>(SSL_get_app_data(ssl));
      client.ticket_ = true;
      if (client.session_ != nullptr) return 0;
      client.session_ = session;
      return 1;
    });
  }
  ~Client() {
    SSL_SESSION_free(session_);
    SSL_CTX_free(context_);
  }

  Status shake(bool resume) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool connected = ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL* ssl = SSL_new(context_);
    SSL_set_fd(ssl, socket);
    SSL_set_app_data(ssl, this);
    ticket_ = false;
    if (resume) {
      // A client of TLS 1.3 uses a ticket once; the copy is as good to the server, which remembers none.
      SSL_SESSION* copy = SSL_SESSION_dup(session_);
      SSL_set_session(ssl, copy);
      SSL_SESSION_free(copy);
    }
    Status done = connected ? finish(ssl, socket) : Status(Error{ErrorCode::kIo, "cannot connect"});
    if (done.ok() && (SSL_session_reused(ssl) == 1) != resume) done = Error{ErrorCode::kIo, kind_.name() + (resume ? ": was not resumed" : ": was resumed")};
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN);
    SSL_free(ssl);
    ::close(socket);
    return done;
  }

 private:
  Status finish(SSL* ssl, int socket) {
    ERR_clear_error();
    if (SSL_connect(ssl) != 1) return Error{ErrorCode::kIo, kind_.name() + ": the handshake failed"};
    if (kind_.version != TLS1_3_VERSION) return {};
    while (!ticket_) {
      pollfd ready{socket, POLLIN, 0};
      if (::poll(&ready, 1, kPatienceMs) <= 0) return Error{ErrorCode::kIo, kind_.name() + ": no ticket came"};
      char byte;
      const int read = SSL_read(ssl, &byte, 1);
      if (read <= 0 && SSL_get_error(ssl, read) != SSL_ERROR_WANT_READ) return Error{ErrorCode::kIo, kind_.name() + ": closed"};
    }
    return {};
  }

  const Kind kind_;
  const std::uint16_t port_;
  SSL_CTX* context_;
  SSL_SESSION* session_ = nullptr;
  bool ticket_ = false;
};

Status measure(Figures& figures, const std::string& prefix, const RunningServer& server, const ClientCertificate& certificate, int handshakes) {
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    for (const bool rsa : {false, true}) {
      for (const bool client_certificate : {false, true}) {
        for (const bool resumed : {false, true}) {
          const Kind kind{version, rsa, client_certificate, resumed};
          Client client(kind, certificate, server.mqtts);
          if (Status first = client.shake(false); !first.ok()) return first;
          const std::chrono::nanoseconds cpu = server.process.cpu_time();
          const auto begin = std::chrono::steady_clock::now();
          for (int i = 0; i < handshakes; ++i) {
            if (Status done = client.shake(resumed); !done.ok()) return done;
          }
          const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
          const double cpu_us = std::chrono::duration<double, std::micro>(server.process.cpu_time() - cpu).count() / handshakes;
          const std::string other = prefix.empty() ? "s_server." : std::string();
          figures.add(prefix + kind.name() + ".server-cpu", cpu_us, "us", other.empty() ? other : other + kind.name() + ".server-cpu");
          figures.add(prefix + kind.name() + ".per-core", 1e6 / cpu_us, "1/s", other.empty() ? other : other + kind.name() + ".per-core");
          figures.add(prefix + kind.name() + ".rate", handshakes / seconds, "1/s", other.empty() ? other : other + kind.name() + ".rate");
        }
      }
    }
  }
  return {};
}

Status run_all(const Options& options, const WorkFolder& folder, Figures& figures) {
  const Core core = options.pin ? Core(kServerCore) : Core();
  if (options.pin) pin_this_thread(generator_core());
  const bool compare = ::access(options.openssl.c_str(), X_OK) == 0;
  const ClientCertificate certificate;
  for (int round = 0; round < options.rounds; ++round) {
    {
      auto hub = start_nearhub({options.nearhub, folder.file("data"), "normal", {}, 1, {"--tls-resumption", "on"}}, folder.file("log"), core);
      if (!hub.ok()) return hub.error();
      if (Status done = measure(figures, {}, *hub, certificate, options.handshakes); !done.ok()) return done;
      hub->process.stop();
    }
    if (!compare) continue;
    auto other = start_s_server(options.openssl, folder.file("data"), folder.file("s_server.log"), core);
    if (!other.ok()) return other.error();
    if (Status done = measure(figures, "s_server.", *other, certificate, options.handshakes); !done.ok()) return done;
  }
  return {};
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("TLS handshakes of nearhub, and of openssl s_server for the ratio: one line per figure, `name value unit [ratio]`");
  app.add_option("--nearhub", options.nearhub, "The nearhub binary")->capture_default_str();
  app.add_option("--openssl", options.openssl, "The openssl binary; without one there are no ratios")->capture_default_str();
  app.add_option("--folder", options.folder, "For the hub's data")->capture_default_str();
  app.add_option("--rounds", options.rounds, "Samples of each figure")->capture_default_str();
  app.add_option("--handshakes", options.handshakes, "Of each kind, in a round")->capture_default_str();
  app.add_flag("--pin,!--no-pin", options.pin, "Server and generator on a core each");
  app.add_flag("--samples", options.samples, "Print every sample as a comment");
  app.add_flag("--quick", options.quick, "One round, few handshakes: does everything work?");
  CLI11_PARSE(app, argc, argv);
  if (options.quick) {
    options.rounds = 1;
    options.handshakes = 3;
  }
  auto folder = WorkFolder::make(options.folder);
  if (!folder.ok()) {
    fmt::print(stderr, "handshake_bench: {}\n", folder.error().detail);
    return 1;
  }
  Figures figures;
  const Status done = run_all(options, *folder, figures);
  figures.print(stdout, options.samples);
  if (done.ok()) return 0;
  fmt::print(stderr, "handshake_bench: {}\n", done.error().detail);
  return 1;
}

}  // namespace
}  // namespace nearhub::bench

int main(int argc, char** argv) { return nearhub::bench::run(argc, argv); }
