#include "tools/x509_identity.h"

#include <fmt/core.h>

#include <optional>
#include <utility>

#include "base/base64.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "base/url.h"
#include "tools/certificate.h"
#include "tools/json_text.h"
#include "tools/terminal_text.h"

namespace nearhub::tools {
namespace {

constexpr const char* kAuthorities = "/_nearhub/certificates";

// Makes sure that the hub lets in whom this authority signs: one of the chain is registered and verified, or the authority itself is registered now.
// Whoever has its key needs no further proof.
Status register_authority(HubClient& hub, const Authority& authority, Console& console) {
  const auto body = hub.get(kAuthorities);
  if (!body.ok()) return body.error();
  const auto list = parse_object(*body);
  if (!list.ok()) return list.error();
  const auto chain = certs::read_chain(authority.credential.chain_pem);
  if (!chain.ok()) return chain.error();
  const std::string name = authority_name(authority.name);
  if (const JsonValue* known = find_path(*list, {"value"}); known != nullptr && known->IsArray()) {
    for (const JsonValue& one : known->GetArray()) {
      const std::string thumbprint = text_at(one, {"properties", "thumbprint"});
      for (const certs::CertificateInfo& link : *chain) {
        if (!equals_ignoring_case(link.sha1_thumbprint, thumbprint)) continue;
        if (text_at(one, {"properties", "isVerified"}) == "true") return {};
        return Error{ErrorCode::kIo, fmt::format("the certificate authority {} is registered but not verified: `nearhub ca code {}` shows how",
                                                 terminal_text(text_at(one, {"name"})), terminal_text(text_at(one, {"name"})))};
      }
      if (text_at(one, {"name"}) == name) {
        return Error{ErrorCode::kIo, fmt::format("the hub knows another certificate authority as {0}: register {1} under a name of its own with `nearhub ca add NAME {1} "
                                                 "--verified`",
                                                 name, terminal_text(authority.certificate_file))};
      }
    }
  }
  JsonWriter json;
  json.object().member("properties").object();
  json.member("certificate", base64_encode(authority.credential.pair.certificate_pem)).member("isVerified", true);
  json.end_object().end_object();
  HubRequest request;
  request.method = "PUT";
  request.path = fmt::format("{}/{}", kAuthorities, percent_encode(name));
  request.body = std::move(json).take();
  if (const auto answer = hub.call(request); !answer.ok()) return answer.error();
  console.say(fmt::format("registered the certificate authority {} at the hub", name));
  return {};
}

}  // namespace

Result<MadeIdentity> create_with_certificate(HubClient& hub, NewIdentity identity, const IdentityCertificate& order, Random& random, Console& console) {
  const std::string id = identity.id.text();
  CertificateOrder wanted;
  wanted.kind = identity.id.is_module() ? CertificateKind::kModule : CertificateKind::kDevice;
  wanted.names = {id};
  wanted.rsa_bits = order.rsa_bits;
  wanted.days = order.days;
  MadeIdentity made;
  made.files = certificate_files(order.folder, order.file_name.empty() ? file_name_for(id) : order.file_name);
  if (const Status free = check_certificate_files(made.files, order.force); !free.ok()) return free.error();
  std::optional<Authority> authority;
  if (!order.authority.empty()) {
    auto found = find_authority(order.authority, order.authority_key, order.folder);
    if (!found.ok()) return found.error();
    authority = std::move(*found);
  }
  // By the hub's clock: it is the one that looks at the dates.
  auto credential = make_credential(wanted, authority ? &authority->credential : nullptr, hub.now(), random);
  if (!credential.ok()) return credential.error();
  made.credential = std::move(*credential);
  if (authority) {
    if (const Status known = register_authority(hub, *authority, console); !known.ok()) return known.error();
    identity.type = "certificateAuthority";
  } else {
    const auto info = certs::read_certificate(made.credential.pair.certificate_pem);
    if (!info.ok()) return info.error();
    identity.primary_thumbprint = info->sha256_thumbprint;
  }
  // The files come first: a key that could not be kept must not be registered.
  const KeptFiles before = keep_certificate_files(made.files);
  if (const Status written = write_certificate_files(made.files, made.credential, order.force); !written.ok()) return written.error();
  HubRequest request;
  request.method = "PUT";
  request.path = registry_path(identity.id);
  request.body = identity_body(identity);
  auto answer = hub.call(request);
  if (!answer.ok()) {
    // With --force the key of a device that exists, and is refused as such, may have stood there.
    if (const Status back = put_back(made.files, before); !back.ok()) return back.error();
    return answer.error();
  }
  made.answer = std::move(answer->body);
  return made;
}

Status create_x509_identity(HubClient& hub, const NewIdentity& identity, const IdentityCertificate& order, Random& random, Console& console) {
  // Asked first, as create_identity() does; and the hub's time is known after it.
  const auto endpoint = device_endpoint(hub);
  if (!endpoint.ok()) return endpoint.error();
  const auto made = create_with_certificate(hub, identity, order, random, console);
  if (!made.ok()) return made.error();
  if (identity.json) {
    console.print(made->answer + "\n");
    return {};
  }
  const auto created = parse_object(made->answer);
  if (!created.ok()) return created.error();
  const auto text = made_certificate_text(made->files, made->credential);
  if (!text.ok()) return text.error();
  console.print(connection_string(*created, endpoint->host_name()) + "\n\n" + *text);
  return {};
}

}  // namespace nearhub::tools
