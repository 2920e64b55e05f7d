#include "auth/certificate_chain.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "auth/certificate_text.h"
#include "base/text.h"
#include "base/time_format.h"

namespace nearhub::auth {
namespace {

// Of an intermediate that somebody presents: the time that a signature costs grows with the square of its key.
constexpr int kMaxPresentedKeyBits = 8192;

struct Link {
  const Certificate* certificate;
  const Authority* authority;  // the anchor; null: presented

  std::string text(std::size_t depth) const {
    if (authority != nullptr) return fmt::format("the registered CA {} ({})", authority->name, shown(certificate->subject()));
    const std::string_view place = depth == 0 ? "the leaf" : certificate->is_self_issued() ? "the presented root" : "the intermediate";
    return fmt::format("{} ({})", place, shown(certificate->subject()));
  }
};

bool is_same(const Certificate& a, const Certificate& b) { return X509_cmp(a.get(), b.get()) == 0; }

bool names_fit(const Certificate& issuer, const Certificate& subject) {
  return X509_NAME_cmp(X509_get_subject_name(issuer.get()), X509_get_issuer_name(subject.get())) == 0;
}

// Depth first, anchors before intermediates, those that are valid now before the others.
class PathFinder {
 public:
  PathFinder(std::span<const Certificate> intermediates, const Authorities& authorities, WallTime now)
      : intermediates_(intermediates), authorities_(authorities), now_(now) {}

  // The leaf's path, anchor last; empty: there is none.
  std::vector<Link> find(const Certificate& leaf) {
    path_ = {{&leaf, nullptr}};
    if (extend()) return path_;
    return second_best_;
  }
  // Where the longest way ended whose issuer is nowhere.
  const std::vector<Link>& dead_end() const { return dead_end_; }

 private:
  std::vector<Link> candidates(const Certificate& subject) const {
    std::vector<Link> found;
    for (const Authority& authority : authorities_.all()) {
      if (authority.verified && X509_check_issued(authority.certificate.get(), subject.get()) == X509_V_OK) found.push_back({&authority.certificate, &authority});
    }
    for (const Certificate& each : intermediates_) {
      if (X509_check_issued(each.get(), subject.get()) != X509_V_OK) continue;
      if (const EVP_PKEY* key = X509_get0_pubkey(each.get()); key == nullptr || EVP_PKEY_bits(key) > kMaxPresentedKeyBits) continue;
      // One that is registered too, or was on the way here already.
      const auto known = [&each](const Link& link) { return is_same(*link.certificate, each); };
      if (std::any_of(found.begin(), found.end(), known) || std::any_of(path_.begin(), path_.end(), known)) continue;
      found.push_back({&each, nullptr});
    }
    std::stable_sort(found.begin(), found.end(),
                     [this](const Link& a, const Link& b) { return a.certificate->is_valid_at(now_) && !b.certificate->is_valid_at(now_); });
    return found;
  }

  bool extend() {
    const Certificate& subject = *path_.back().certificate;
    const std::vector<Link> found = path_.size() < kMaxChainLength ? candidates(subject) : std::vector<Link>();
    bool came_further = false;
    for (const Link& candidate : found) {
      // A lone one needs no choice: the judgement of the whole path tells whether it has signed.
      if (found.size() > 1 && (++checks_ > kMaxSignatureChecks || !subject.is_signed_by(*candidate.certificate))) continue;
      came_further = true;
      path_.push_back(candidate);
      if (candidate.authority != nullptr) {
        if (std::all_of(path_.begin(), path_.end(), [this](const Link& link) { return link.certificate->is_valid_at(now_); })) return true;
        if (second_best_.empty()) second_best_ = path_;
      } else if (extend()) {
        return true;
      }
      path_.pop_back();
    }
    if (!came_further && path_.size() > dead_end_.size()) dead_end_ = path_;
    return false;
  }

  const std::span<const Certificate> intermediates_;
  const Authorities& authorities_;
  const WallTime now_;
  std::vector<Link> path_;
  std::vector<Link> second_best_;  // to an anchor, with a link that is not valid now
  std::vector<Link> dead_end_;
  std::size_t checks_ = 0;
};

Denial deny_link(std::string expected, std::string received, std::string advice) {
  return {Check::kCertificate, ErrorCode::kIotHubUnauthorized, std::move(expected), std::move(received), std::move(advice)};
}

// Why an authority of the wanted name is not the issuer.
std::string misfit(const Authority& authority, const Certificate& subject) {
  switch (X509_check_issued(authority.certificate.get(), subject.get())) {
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN: return fmt::format("the registered CA {} has this name, but its key usage does not allow it to sign certificates", authority.name);
    default: return fmt::format("the registered CA {} has this name, but another key: register the CA that has really signed beside it", authority.name);
  }
}

Denial unknown_issuer(const std::vector<Link>& way, const Authorities& authorities) {
  if (way.size() >= kMaxChainLength) return deny_link(fmt::format("a chain of at most {} certificates", kMaxChainLength), "a longer one", "register an intermediate CA nearer to the leaf");
  const Link& last = way.back();
  const Certificate& subject = *last.certificate;
  const std::string expected = "a chain from the leaf to a CA that is registered and verified";
  const std::string end = last.text(way.size() - 1);
  const std::string received = subject.is_self_issued() ? end + ", which is not registered"
                                                        : fmt::format("{}, issued by {}, which is neither presented nor registered", end, shown(subject.issuer()));
  for (const Authority& authority : authorities.all()) {
    if (authority.verified || !names_fit(authority.certificate, subject)) continue;
    if (!subject.is_signed_by(authority.certificate)) continue;
    return deny_link(expected, fmt::format("{}, issued by the registered CA {} ({}), which is not verified", end, authority.name, shown(authority.certificate.subject())),
                fmt::format("prove that you hold its key: nearhub ca code {0}, then nearhub ca verify {0} FILE", authority.name));
  }
  for (const Authority& authority : authorities.all()) {
    if (authority.verified && names_fit(authority.certificate, subject)) return deny_link(expected, received, misfit(authority, subject));
  }
  if (authorities.all().empty()) return deny_link(expected, received, "no CA is registered: nearhub ca add NAME FILE");
  if (subject.is_self_issued()) return deny_link(expected, received, "register this root: nearhub ca add NAME FILE");
  return deny_link(expected, received,
              way.size() == 1 ? "give the client the whole chain in one file, leaf first, or register its issuer: nearhub ca add NAME FILE"
                              : "register it or a CA below it: nearhub ca add NAME FILE");
}

// What this hub asks of a link beyond OpenSSL's rules, and what it can tell better.
std::optional<Denial> judge_link(const Link& link, std::size_t depth, WallTime now) {
  const Certificate& certificate = *link.certificate;
  if (auto denial = judge_validity(certificate, link.text(depth), now)) return denial;
  if (const auto weak = certificate.weak_key()) {
    return deny_link("RSA keys of at least 2048 bits, or EC keys, in every certificate of the chain", fmt::format("{} with {}", link.text(depth), *weak),
                "issue it anew with a stronger key");
  }
  // An anchor is trusted because it was registered, not because of what signed it or what it says it is for.
  if (link.authority != nullptr) return std::nullopt;
  if (const auto weak = certificate.weak_signature()) {
    return deny_link("signatures with SHA-256, SHA-384 or SHA-512", fmt::format("{} with {}", link.text(depth), *weak), "issue it anew with -sha256");
  }
  if (!certificate.allows_client_authentication()) {
    return deny_link("an extended key usage with client authentication, or none", fmt::format("{} for {}", link.text(depth), shown(certificate.extended_key_usage())),
                "issue it anew with extendedKeyUsage = clientAuth");
  }
  return std::nullopt;
}

struct StackFree {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
struct ContextFree {
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
};

std::string advice_for(int error) {
  switch (error) {
    case X509_V_ERR_INVALID_CA: return "it signs the certificate below it, and needs basicConstraints CA:TRUE for that";
    case X509_V_ERR_PATH_LENGTH_EXCEEDED: return "its pathlen allows fewer CAs between it and the leaf";
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return "it carries its issuer's name, but another key has signed it: was the CA made anew with the same name?";
    case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION: return "it has an extension marked critical that the hub does not know";
    default: return "see `openssl verify`";
  }
}

std::optional<Denial> judge_path(const std::vector<Link>& path) {
  const std::unique_ptr<STACK_OF(X509), StackFree> trusted(sk_X509_new_null()), presented(sk_X509_new_null());
  const std::unique_ptr<X509_STORE_CTX, ContextFree> context(X509_STORE_CTX_new());
  const Denial broken = {Check::kState, ErrorCode::kServerError, {}, "the hub has no memory to check a certificate", {}};
  if (trusted == nullptr || presented == nullptr || context == nullptr || sk_X509_push(trusted.get(), path.back().certificate->get()) <= 0) return broken;
  for (std::size_t i = 1; i + 1 < path.size(); ++i) {
    if (sk_X509_push(presented.get(), path[i].certificate->get()) <= 0) return broken;
  }
  if (X509_STORE_CTX_init(context.get(), nullptr, path.front().certificate->get(), presented.get()) != 1) return broken;
  X509_STORE_CTX_set0_trusted_stack(context.get(), trusted.get());
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  // The times of all links were judged, with the last second included as RFC 5280 has it.
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
  X509_VERIFY_PARAM_set_depth(parameters, static_cast<int>(kMaxChainLength));
  if (X509_verify_cert(context.get()) == 1) return std::nullopt;
  const int error = X509_STORE_CTX_get_error(context.get());
  // At worst one behind the end: the issuer that is missing.
  const auto depth = std::min(static_cast<std::size_t>(std::max(0, X509_STORE_CTX_get_error_depth(context.get()))), path.size() - 1);
  return deny_link("a chain that verifies", fmt::format("{}: {}", path[depth].text(depth), X509_verify_cert_error_string(error)), advice_for(error));
}

}  // namespace

std::variant<const Authority*, Denial> verify_chain(const Certificate& leaf, std::span<const Certificate> intermediates, const Authorities& authorities,
                                                    WallTime now) {
  PathFinder finder(intermediates, authorities, now);
  const std::vector<Link> path = finder.find(leaf);
  if (path.empty()) return unknown_issuer(finder.dead_end(), authorities);
  for (std::size_t depth = 0; depth < path.size(); ++depth) {
    if (auto denial = judge_link(path[depth], depth, now)) return std::move(*denial);
  }
  ERR_clear_error();
  auto denial = judge_path(path);
  ERR_clear_error();
  if (denial) return std::move(*denial);
  return path.back().authority;
}

}  // namespace nearhub::auth
