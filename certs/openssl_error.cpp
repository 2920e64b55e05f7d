#include "certs/openssl_error.h"

#include <openssl/err.h>

#include <string>

namespace nearhub::certs {

ErrorQueueScope::ErrorQueueScope() { ERR_clear_error(); }
ErrorQueueScope::~ErrorQueueScope() { ERR_clear_error(); }

Error openssl_error(ErrorCode code, std::string_view what) {
  std::string detail(what);
  const char* separator = ": ";
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long error = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    detail += separator;
    separator = "; ";
    const char* library = ERR_lib_error_string(error);
    const char* reason = ERR_reason_error_string(error);
    if (library != nullptr) detail.append(library).append(": ");
    detail += reason != nullptr ? reason : "unknown reason";
    if ((flags & ERR_TXT_STRING) != 0 && data != nullptr && *data != '\0') detail.append(" (").append(data).append(")");
  }
  return {code, std::move(detail)};
}

}  // namespace nearhub::certs
