// The certificate authorities that a hub knows, as its loops look at them: parsed, immutable, shared.
//
// A change makes a new set; each loop is handed a pointer to it, so no connect takes a lock. Those that are not verified (proof of possession is
// open) authenticate nobody and are here for the reasons of refusals alone.
//
// THREAD: any thread.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/certificate.h"

namespace nearhub::auth {

struct Authority {
  std::string name;  // under which it is registered
  bool verified = false;
  Certificate certificate;
  std::string sha256;  // thumbprint
};

class Authorities {
 public:
  Authorities() = default;
  explicit Authorities(std::vector<Authority> all) : all_(std::move(all)) {}

  const std::vector<Authority>& all() const { return all_; }
  // A verified one with this certificate: what admitted a connection is still trusted.
  bool trusts(std::string_view sha256) const;
  // nullptr: none has this name.
  const Authority* find(std::string_view name) const;
  // nullptr: none is this certificate. Verified or not.
  const Authority* find_certificate(const Certificate& certificate) const;

 private:
  std::vector<Authority> all_;
};

// Shared, because a loop may still judge by the old set while another has the new one; the last loop lets go of it.
using AuthoritiesPtr = std::shared_ptr<const Authorities>;

}  // namespace nearhub::auth
