// `nearhub sas explain`: a token taken apart, without a hub; and, with one, the hub's own verdict on it.
//
// THREAD: explain_token() any thread; the rest one at a time.
#pragma once
#include <string>
#include <string_view>

#include "auth/sas_token.h"
#include "base/clock.h"
#include "base/result.h"
#include "tools/console.h"
#include "tools/hub_client.h"

namespace nearhub::tools {

struct TokenExplanation {
  std::string text;     // lines for people
  bool sound = false;   // nothing found that would make a hub refuse it
  bool parsed = false;  // the next two are complete
  auth::SasToken token;
  std::string token_text;  // without what stood around it
};

// `text` as pasted: quotes, a header's name and line ends around the token are forgiven, and said. `key`: base64 to
// check the signature with, or empty.
TokenExplanation explain_token(std::string_view text, std::string_view key, WallTime now);

// Asks the hub for the keys of whoever the token is for, and judges it by the rules by which the hub does. Adds lines to
// the explanation.
Status check_with_hub(HubClient& hub, TokenExplanation& explanation);

// Prints the explanation, with the hub's verdict when `check`. Fails when a hub would refuse the token.
Status print_explanation(const HubFlags& flags, std::string_view text, std::string_view key, bool check,
                         const Clock& clock, Console& console);

}  // namespace nearhub::tools
