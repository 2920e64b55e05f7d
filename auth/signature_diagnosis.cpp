// What a signature that does not match was probably made of. Each guess is a mistake seen in the field; a guess that matches is proof.
#include <fmt/core.h>

#include "auth/sas_token.h"
#include "base/base64.h"
#include "base/text.h"
#include "base/url.h"

namespace nearhub::auth {
namespace {

std::string percent_encode_lower(std::string_view text) {
  std::string encoded = percent_encode(text);
  for (std::size_t i = 0; i + 2 < encoded.size(); ++i) {
    if (encoded[i] != '%') continue;
    encoded[i + 1] = ascii_lower(encoded[i + 1]);
    encoded[i + 2] = ascii_lower(encoded[i + 2]);
  }
  return encoded;
}

bool matches(const SasToken& token, std::string_view key_bytes, std::string_view signed_text) {
  return hmac_sha256(key_bytes, signed_text) == token.signature;
}

// The mistakes in what was signed, given the right key.
std::string diagnose_text(const SasToken& token, std::string_view key_bytes) {
  const std::string& sr = token.resource_text;
  const std::string& se = token.expiry_text;
  struct Guess {
    std::string text;
    const char* mistake;
  };
  const Guess guesses[] = {
      {token.resource + "\n" + se, "the signature was made over the decoded sr, but sr was sent percent-encoded: sign the text that is sent"},
      {percent_encode(token.resource) + "\n" + se, "the signature was made over sr percent-encoded in upper case, but sr was sent in another spelling: sign the text that is sent"},
      {percent_encode_lower(token.resource) + "\n" + se, "the signature was made over sr percent-encoded in lower case, but sr was sent in another spelling: sign the text that is sent"},
      {percent_encode(sr) + "\n" + se, "the signature was made over an sr that was percent-encoded twice: sign the text that is sent"},
      {to_lower(sr) + "\n" + se, "the signature was made over sr in lower case: sign the text that is sent"},
      {sr + se, "the line feed between sr and se is missing in the signed text"},
      {sr + "\r\n" + se, "the signed text has CR LF between sr and se: use LF alone"},
      {sr + "\\n" + se, "the signed text has the two characters \\n between sr and se: use one line feed byte"},
      {sr + "\n" + se + "\n", "the signed text ends with a line feed: leave it out"},
      {sr, "only sr was signed: sign sr, a line feed, and se"},
      {se + "\n" + sr, "sr and se were signed in the wrong order"},
  };
  for (const Guess& guess : guesses) {
    if (matches(token, key_bytes, guess.text)) return guess.mistake;
  }
  return {};
}

}  // namespace

std::string diagnose_signature(const SasToken& token, const std::vector<NamedKey>& rightful, const std::vector<NamedKey>& candidates) {
  const std::string signed_text = token.resource_text + "\n" + token.expiry_text;
  for (const NamedKey& key : rightful) {
    const auto bytes = base64_decode(key.key);
    if (!bytes || bytes->empty()) continue;
    if (matches(token, key.key, signed_text)) {
      return fmt::format("it was made with the text of {} instead of its bytes: base64-decode the key before signing", key.name);
    }
    if (std::string mistake = diagnose_text(token, *bytes); !mistake.empty()) return mistake;
    if (matches(token, to_hex(*bytes), signed_text)) return fmt::format("it was made with {} in hexadecimal: use its bytes", key.name);
  }
  for (const NamedKey& key : candidates) {
    const auto bytes = base64_decode(key.key);
    if (!bytes || bytes->empty()) continue;
    if (matches(token, *bytes, signed_text)) return fmt::format("it was made with {}", key.name);
    if (matches(token, key.key, signed_text)) return fmt::format("it was made with the text of {}", key.name);
  }
  return {};
}

}  // namespace nearhub::auth
