// Responses to bytes, appended to a connection's output.
//
// THREAD: any thread, one buffer at a time.
#pragma once
#include <string>
#include <string_view>

#include "base/clock.h"
#include "wire/http/message.h"

namespace nearhub::http {

// The reason phrase: "Not Found".
std::string_view status_text(int status);

// The whole response with Content-Length. `head_only` for HEAD requests: the length is that of the body which is not sent.
void encode_response(std::string& out, const Response& response, bool keep_alive, WallTime now, bool head_only = false);

// A response whose body has no known end, in chunks. The connection closes when the last chunk is sent.
void encode_stream_head(std::string& out, const Response& response, WallTime now);
void encode_chunk(std::string& out, std::string_view data);  // an empty one is skipped: it would end the body
void encode_last_chunk(std::string& out);

void encode_continue(std::string& out);

}  // namespace nearhub::http
