// The registered certificate authorities: in the shape and under the paths of the cloud's management API, so that its tools and scripts work, and under
// our own prefix, because nobody has a subscription here (reference/x509-and-boards.md A.6).
//
//   .../certificates                               GET
//   .../certificates/{name}                        GET, PUT, DELETE
//   .../certificates/{name}/generateVerificationCode, .../verify   POST
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/url.h"
#include "hub/certificate_authorities.h"
#include "registry/certificate_authority.h"
#include "service/api.h"

namespace nearhub::service {
namespace {

using registry::CertificateAuthority;

constexpr Envelope kCertificateEnvelope = Envelope::kE1;
constexpr std::string_view kOurs = "_nearhub/certificates";
// Subscription, resource group and hub are names of the cloud's: there is one hub here, whatever they say.
constexpr std::string_view kManagement = "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Devices/IotHubs/{}/certificates";

// The path up to and including "certificates", as it was asked for.
std::string root_of(const Request& request) {
  std::string root;
  for (const std::string& segment : request.path) {
    root += "/" + percent_encode(segment);
    if (equals_ignoring_case(segment, "certificates")) break;
  }
  return root;
}

std::string name_of(const Request& request) {
  const auto at = std::find_if(request.path.begin(), request.path.end(), [](const std::string& segment) { return equals_ignoring_case(segment, "certificates"); });
  return at == request.path.end() || at + 1 == request.path.end() ? std::string() : *(at + 1);
}

template <typename Operation>
void on_authorities(const Api& api, Responder responder, Operation operation) {
  api.on_keeper(api.hub().authorities(), kCertificateEnvelope, std::move(responder), std::move(operation));
}

http::Response answer_of(const Api& api, const Result<CertificateAuthority>& authority, const std::string& root, int status = 200) {
  if (!authority.ok()) return api.error(authority.error(), kCertificateEnvelope);
  JsonWriter json;
  registry::write_json(json, *authority, root + "/" + authority->name);
  http::Response response = json_response(std::move(json).take());
  response.status = status;
  response.set("ETag", "\"" + authority->etag().str() + "\"");
  return response;
}

void list_certificates(const Api& api, Request request, Responder responder) {
  on_authorities(api, std::move(responder), [root = root_of(request)](hub::CertificateAuthorities& authorities, Responder answer) {
    JsonWriter json;
    json.object().member("value").array();
    for (const CertificateAuthority& authority : authorities.all()) registry::write_json(json, authority, root + "/" + authority.name);
    json.end_array().end_object();
    answer.respond(json_response(std::move(json).take()));
  });
}

void get_certificate(const Api& api, Request request, Responder responder) {
  on_authorities(api, std::move(responder), [&api, root = root_of(request), name = name_of(request)](hub::CertificateAuthorities& authorities, Responder answer) {
    answer.respond(answer_of(api, authorities.find(name), root));
  });
}

void put_certificate(const Api& api, Request request, Responder responder) {
  const std::string name = name_of(request);
  if (Status status = registry::check_authority_name(name); !status.ok()) return responder.respond(api.error(status.error(), kCertificateEnvelope));
  auto wanted = registry::parse_authority_request(request.http.body);
  if (!wanted.ok()) return responder.respond(api.error(wanted.error(), kCertificateEnvelope));
  on_authorities(api, std::move(responder),
                 [&api, root = root_of(request), name, wanted = std::move(*wanted), condition = parse_if_match(request.http)](hub::CertificateAuthorities& authorities,
                                                                                                                           Responder answer) mutable {
    authorities.put(name, std::move(wanted), condition, [&api, root, answer = std::move(answer)](Result<CertificateAuthority> made) mutable {
      // Its first version was never updated.
      const bool fresh = made.ok() && made->created == made->updated;
      answer.respond(answer_of(api, made, root, fresh ? 201 : 200));
    });
  });
}

void delete_certificate(const Api& api, Request request, Responder responder) {
  on_authorities(api, std::move(responder),
                 [&api, name = name_of(request), condition = parse_if_match(request.http)](hub::CertificateAuthorities& authorities, Responder answer) {
    authorities.remove(name, condition, [&api, answer = std::move(answer)](Result<std::monostate> deleted) mutable {
      answer.respond(deleted.ok() ? no_content() : api.error(deleted.error(), kCertificateEnvelope));
    });
  });
}

void make_code(const Api& api, Request request, Responder responder) {
  on_authorities(api, std::move(responder),
                 [&api, root = root_of(request), name = name_of(request), condition = parse_if_match(request.http)](hub::CertificateAuthorities& authorities, Responder answer) {
    authorities.make_verification_code(name, condition, [&api, root, answer = std::move(answer)](Result<CertificateAuthority> coded) mutable {
      answer.respond(answer_of(api, coded, root));
    });
  });
}

void verify_certificate(const Api& api, Request request, Responder responder) {
  auto proof = registry::parse_proof_request(request.http.body);
  if (!proof.ok()) return responder.respond(api.error(proof.error(), kCertificateEnvelope));
  on_authorities(api, std::move(responder),
                 [&api, root = root_of(request), name = name_of(request), proof = std::move(*proof), condition = parse_if_match(request.http)](
                     hub::CertificateAuthorities& authorities, Responder answer) mutable {
    authorities.verify(name, std::move(proof), condition, [&api, root, answer = std::move(answer)](Result<CertificateAuthority> verified) mutable {
      answer.respond(answer_of(api, verified, root));
    });
  });
}

}  // namespace

void add_certificate_routes(std::vector<Route>& routes) {
  using auth::Right;
  struct Operation {
    std::string_view method, below;
    Right right;
    Handler handler;
  };
  const Operation operations[] = {
      {"GET", "", Right::kRegistryRead, list_certificates},
      {"GET", "/{}", Right::kRegistryRead, get_certificate},
      {"PUT", "/{}", Right::kRegistryWrite, put_certificate},
      {"DELETE", "/{}", Right::kRegistryWrite, delete_certificate},
      {"POST", "/{}/generateVerificationCode", Right::kRegistryWrite, make_code},
      {"POST", "/{}/verify", Right::kRegistryWrite, verify_certificate},
  };
  // A route refers to its path; the table of routes is made once and lives as long as the process.
  static const std::vector<std::string> paths = [&operations] {
    std::vector<std::string> made;
    for (const std::string_view root : {kOurs, kManagement}) {
      for (const Operation& operation : operations) made.push_back(std::string(root) + std::string(operation.below));
    }
    return made;
  }();
  std::size_t at = 0;
  for (const bool ours : {true, false}) {
    for (const Operation& operation : operations) {
      routes.push_back({operation.method, paths[at++], {operation.right}, kCertificateEnvelope, operation.handler, !ours});
    }
  }
}

}  // namespace nearhub::service
