#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>

#include <ctime>
#include <filesystem>
#include <memory>

#include "certs/credential.h"
#include "tests/tools/command_runner.h"
#include "tools/certificate.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777u;
}

std::string text_of(const std::string& path) {
  auto text = broker::read_file(path);
  REQUIRE_MESSAGE(text.ok(), (text.ok() ? std::string() : text.error().detail));
  return std::move(*text);
}

certs::CertificateInfo info_of(const std::string& path) {
  auto info = certs::read_certificate(text_of(path));
  REQUIRE_MESSAGE(info.ok(), (info.ok() ? std::string() : info.error().detail));
  return std::move(*info);
}

std::size_t certificates_in(const std::string& path) {
  const std::string text = text_of(path);
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find("-----BEGIN CERTIFICATE-----", at)) != std::string::npos; ++at) ++count;
  return count;
}

// As `openssl verify -purpose sslclient -x509_strict -CAfile ROOT -untrusted CHAIN CERTIFICATE` with today's time.
bool verifies(const std::string& root, const std::string& chain, const std::string& certificate, const char* purpose = "sslclient") {
  const auto load = [](const std::string& path) {
    const std::unique_ptr<BIO, void (*)(BIO*)> bio(BIO_new_file(path.c_str(), "r"), &BIO_free_all);
    std::vector<std::unique_ptr<X509, void (*)(X509*)>> all;
    while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) all.emplace_back(one, &X509_free);
    REQUIRE_FALSE(all.empty());
    return all;
  };
  const auto roots = load(root), untrusted = load(chain), leaf = load(certificate);
  const std::unique_ptr<X509_STORE, void (*)(X509_STORE*)> store(X509_STORE_new(), &X509_STORE_free);
  X509_STORE_add_cert(store.get(), roots.front().get());
  STACK_OF(X509)* stack = sk_X509_new_null();
  for (const auto& one : untrusted) sk_X509_push(stack, one.get());
  const std::unique_ptr<X509_STORE_CTX, void (*)(X509_STORE_CTX*)> context(X509_STORE_CTX_new(), &X509_STORE_CTX_free);
  X509_STORE_CTX_init(context.get(), store.get(), leaf.front().get(), stack);
  X509_STORE_CTX_set_default(context.get(), purpose);
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context.get()), X509_V_FLAG_X509_STRICT);
  const bool good = X509_verify_cert(context.get()) == 1;
  INFO(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
  sk_X509_free(stack);
  return good;
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("cert: a root, an intermediate, and below it a device and a module, three files each, that verify up to the root") {
    const TemporaryFolder folder;
    const std::string out = folder.path();
    REQUIRE(run({"cert", "root", "factory", "--out", out}).exit_code == 0);
    REQUIRE(run({"cert", "intermediate", "line 1", "--ca", "factory", "--out", out}).exit_code == 0);
    REQUIRE(run({"cert", "device", "d1", "--ca", "line 1", "--out", out}).exit_code == 0);
    REQUIRE(run({"cert", "module", "d1/m1", "--ca", "factory", "--out", out}).exit_code == 0);

    CHECK(certificates_in(folder.file("factory_fullchain.pem")) == 1);
    CHECK(certificates_in(folder.file("line 1_fullchain.pem")) == 2);
    CHECK(certificates_in(folder.file("d1_fullchain.pem")) == 3);
    CHECK(certificates_in(folder.file("d1_cert.pem")) == 1);
    CHECK(info_of(folder.file("d1_cert.pem")).common_name == "d1");
    CHECK(info_of(folder.file("d1.m1_cert.pem")).common_name == "d1/m1");
    CHECK(verifies(folder.file("factory_cert.pem"), folder.file("d1_fullchain.pem"), folder.file("d1_cert.pem")));
    CHECK(verifies(folder.file("factory_cert.pem"), folder.file("d1.m1_fullchain.pem"), folder.file("d1.m1_cert.pem")));
    CHECK_FALSE(verifies(folder.file("factory_cert.pem"), folder.file("factory_cert.pem"), folder.file("d1_cert.pem")));

    for (const char* name : {"factory", "line 1", "d1", "d1.m1"}) {
      CAPTURE(name);
      CHECK(mode_of(folder.file(name + std::string("_key.pem"))) == 0600);
      CHECK(text_of(folder.file(name + std::string("_key.pem"))).starts_with("-----BEGIN PRIVATE KEY-----\n"));
      for (const char* ending : {"_cert.pem", "_fullchain.pem"}) {
        const std::string text = text_of(folder.file(name + std::string(ending)));
        CHECK(text.starts_with("-----BEGIN CERTIFICATE-----\n"));
        CHECK(text.ends_with("-----END CERTIFICATE-----\n"));
        CHECK(text.find('\r') == std::string::npos);
      }
    }
  }

  TEST_CASE("cert: says what is where, until when, and which command comes next") {
    const TemporaryFolder folder;
    const Outcome made = run({"cert", "device", "d1", "--out", folder.path()});
    REQUIRE(made.exit_code == 0);
    CHECK(made.error == "");
    const certs::CertificateInfo info = info_of(folder.file("d1_cert.pem"));
    CAPTURE(made.out);
    CHECK(made.out.find("certificate  " + folder.file("d1_cert.pem") + "\nprivate key  " + folder.file("d1_key.pem") + "\nfull chain   " +
                        folder.file("d1_fullchain.pem") + " (the certificate alone)\ncommon name  d1\nvalid        20") == 0);
    CHECK(made.out.find("\nthumbprint   " + info.sha256_thumbprint + " (SHA-256)\n\n# next\nnearhub device create d1 --thumbprint " + info.sha256_thumbprint + "\n") !=
          std::string::npos);
    CHECK(info.not_after - SystemClock().now() > std::chrono::hours{24 * 364 + 22});
    CHECK(info.not_after - SystemClock().now() < std::chrono::hours{24 * 365});
  }

  TEST_CASE("cert: a file that exists stays, whole, unless --force says otherwise") {
    const TemporaryFolder folder;
    REQUIRE(run({"cert", "root", "factory", "--out", folder.path()}).exit_code == 0);
    const std::string key = text_of(folder.file("factory_key.pem")), certificate = text_of(folder.file("factory_cert.pem"));
    const Outcome again = run({"cert", "root", "factory", "--out", folder.path()});
    CHECK(again.exit_code == 2);
    CHECK(again.error == "nearhub: " + folder.file("factory_key.pem") + " exists and stays as it is; --force replaces it\n");
    CHECK(text_of(folder.file("factory_key.pem")) == key);
    CHECK(text_of(folder.file("factory_cert.pem")) == certificate);
    CHECK(run({"cert", "root", "factory", "--out", folder.path(), "--force"}).exit_code == 0);
    CHECK(text_of(folder.file("factory_key.pem")) != key);
    CHECK(mode_of(folder.file("factory_key.pem")) == 0600);
  }

  TEST_CASE("cert: RSA keys and days on request, wrong ones refused") {
    const TemporaryFolder folder;
    const auto bits = [&](const std::string& name) {
      const std::string path = folder.file(name + "_key.pem");
      const std::unique_ptr<BIO, void (*)(BIO*)> bio(BIO_new_file(path.c_str(), "r"), &BIO_free_all);
      const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
      REQUIRE(key != nullptr);
      return EVP_PKEY_is_a(key.get(), "RSA") == 1 ? EVP_PKEY_get_bits(key.get()) : 0;
    };
    REQUIRE(run({"cert", "device", "ec", "--out", folder.path()}).exit_code == 0);
    CHECK(bits("ec") == 0);
    REQUIRE(run({"cert", "device", "rsa", "--out", folder.path(), "--rsa"}).exit_code == 0);
    CHECK(bits("rsa") == 2048);
    REQUIRE(run({"cert", "device", "rsa3", "--rsa", "3072", "--days", "2", "--out", folder.path()}).exit_code == 0);
    CHECK(bits("rsa3") == 3072);
    CHECK(info_of(folder.file("rsa3_cert.pem")).not_after - SystemClock().now() < std::chrono::hours{48});
    const Outcome wrong = run({"cert", "device", "d1", "--rsa", "1024", "--out", folder.path()});
    CHECK(wrong.exit_code == 2);
    CHECK(wrong.error.find("RSA keys have 2048, 3072 or 4096 bits, not 1024") != std::string::npos);
    CHECK(run({"cert", "device", "d1", "--days", "0", "--out", folder.path()}).exit_code == 2);
    CHECK(run({"cert", "server", "a.lan", "--ca", "nobody", "--days", "826", "--out", folder.path()}).exit_code == 2);
    CHECK_FALSE(std::filesystem::exists(folder.file("d1_key.pem")));
  }

  TEST_CASE("cert verification: CN is the code, signed by the authority itself, in verification_cert.pem") {
    const TemporaryFolder folder;
    REQUIRE(run({"cert", "root", "factory", "--out", folder.path()}).exit_code == 0);
    REQUIRE(run({"cert", "verification", "3F2A99", "--ca", folder.file("factory_cert.pem"), "--out", folder.path()}).exit_code == 0);
    const certs::CertificateInfo info = info_of(folder.file("verification_cert.pem"));
    CHECK(info.common_name == "3F2A99");
    CHECK(info.issuer_key_id == info_of(folder.file("factory_cert.pem")).key_id);
  }

  TEST_CASE("cert server: for a proxy or file server, with its names") {
    const TemporaryFolder folder;
    REQUIRE(run({"cert", "root", "factory", "--out", folder.path()}).exit_code == 0);
    REQUIRE(run({"cert", "server", "files.lan", "192.168.1.20", "--ca", "factory", "--out", folder.path()}).exit_code == 0);
    CHECK(info_of(folder.file("files.lan_cert.pem")).dns_names == std::vector<std::string>{"files.lan", "192.168.1.20"});
    CHECK(verifies(folder.file("factory_cert.pem"), folder.file("files.lan_fullchain.pem"), folder.file("files.lan_cert.pem"), "sslserver"));
  }

  TEST_CASE("cert: the authority is NAME of its files, a path, or any certificate with --ca-key, and files of other tools are taken") {
    const TemporaryFolder folder;
    REQUIRE(run({"cert", "root", "factory", "--out", folder.path()}).exit_code == 0);
    // As the Node SDK's script writes them: a key that is found by name, and "null" where there is nobody above.
    REQUIRE(broker::write_file(folder.file("other_cert.pem"), text_of(folder.file("factory_cert.pem")), 0644).ok());
    REQUIRE(broker::write_file(folder.file("other_key.pem"), text_of(folder.file("factory_key.pem")), 0600).ok());
    REQUIRE(broker::write_file(folder.file("other_fullchain.pem"), text_of(folder.file("factory_cert.pem")) + "\nnull", 0644).ok());
    REQUIRE(run({"cert", "device", "d1", "--ca", folder.file("other"), "--out", folder.path()}).exit_code == 0);
    CHECK(certificates_in(folder.file("d1_fullchain.pem")) == 2);
    // As certGen writes them.
    REQUIRE(broker::write_file(folder.file("root.ca.cert.pem"), text_of(folder.file("factory_cert.pem")), 0644).ok());
    REQUIRE(broker::write_file(folder.file("root.ca.key.pem"), text_of(folder.file("factory_key.pem")), 0600).ok());
    CHECK(run({"cert", "device", "d2", "--ca", folder.file("root.ca.cert.pem"), "--ca-key", folder.file("root.ca.key.pem"), "--out", folder.path()}).exit_code == 0);
    const Outcome keyless = run({"cert", "device", "d3", "--ca", folder.file("root.ca.cert.pem"), "--out", folder.path()});
    CHECK(keyless.exit_code == 2);
    CHECK(keyless.error.find("where is its private key? --ca-key says it") != std::string::npos);
    const Outcome missing = run({"cert", "device", "d3", "--ca", "nobody", "--out", folder.path()});
    CHECK(missing.exit_code == 2);
    CHECK(missing.error.find("there is no certificate authority nobody: looked for " + folder.file("nobody_cert.pem")) != std::string::npos);
    const Outcome leaf = run({"cert", "device", "d3", "--ca", "d1", "--out", folder.path()});
    CHECK(leaf.exit_code == 2);
    CHECK(leaf.error.find("the certificate is not a certificate authority's") != std::string::npos);
  }

  TEST_CASE("cert: the scripts' camel case is a --file-name") {
    const TemporaryFolder folder;
    REQUIRE(run({"cert", "device", "sample-device-01", "--file-name", "sampleDevice01", "--out", folder.path()}).exit_code == 0);
    CHECK(info_of(folder.file("sampleDevice01_cert.pem")).common_name == "sample-device-01");
    CHECK(run({"cert", "device", "d1", "--file-name", "a/b", "--out", folder.path()}).exit_code == 2);
  }

  TEST_CASE("cert: ids are checked, and one that is too long for a common name is known by its thumbprint only") {
    const TemporaryFolder folder;
    CHECK(run({"cert", "device", "a b", "--out", folder.path()}).exit_code == 2);
    CHECK(run({"cert", "device", "d1/m1", "--out", folder.path()}).error.find("names a module: `nearhub cert module`") != std::string::npos);
    CHECK(run({"cert", "module", "d1", "--out", folder.path()}).exit_code == 2);
    REQUIRE(run({"cert", "root", "factory", "--out", folder.path()}).exit_code == 0);
    const std::string id(70, 'x');
    const Outcome refused = run({"cert", "device", id, "--ca", "factory", "--out", folder.path()});
    CHECK(refused.exit_code == 2);
    CHECK(refused.error.find("can be known by its thumbprint only, so leave out --ca") != std::string::npos);
    REQUIRE(run({"cert", "device", id, "--out", folder.path()}).exit_code == 0);
    CHECK(info_of(folder.file(id + "_cert.pem")).common_name == std::string(64, 'x'));
  }
}
