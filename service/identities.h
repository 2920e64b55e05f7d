// What devices and modules share: their registry operations differ only in the path.
#pragma once
#include "service/api.h"

namespace nearhub::service {

void get_identity(const Api& api, Request request, Responder responder);
void put_identity(const Api& api, Request request, Responder responder);
void delete_identity(const Api& api, Request request, Responder responder);
void answer_identity(const Api& api, Result<hub::IdentityView> view, Responder& responder);

}  // namespace nearhub::service
