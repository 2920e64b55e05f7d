#include "tools/feedback.h"

#include <fmt/core.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/url.h"
#include "tools/json_text.h"
#include "tools/terminal_text.h"
#include "tools/time_text.h"

namespace nearhub::tools {
namespace {

constexpr std::chrono::milliseconds kLook{1000};
const std::string kPath = "/messages/serviceBound/feedback";

// "2026-01-31T12:00:00.000Z  thermostat  Success  message 0c8d...".
std::string line_of(const JsonValue& record) {
  const std::string module = text_at(record, {"moduleId"});
  return fmt::format("{}  {}{}  {}  message {}\n", show_time(text_at(record, {"enqueuedTimeUtc"})), terminal_text(text_at(record, {"deviceId"})),
                     module.empty() ? "" : "/" + terminal_text(module), text_at(record, {"statusCode"}), terminal_text(text_at(record, {"originalMessageId"})));
}

void print(const JsonValue& records, bool json, Console& console) {
  for (const JsonValue& record : records.GetArray()) console.print(json ? to_json(record) + "\n" : line_of(record));
}

Status settle(HubClient& hub, const std::string& token, bool keep) {
  HubRequest request;
  request.method = keep ? "POST" : "DELETE";
  request.path = fmt::format("{}/{}{}", kPath, percent_encode(token), keep ? "/abandon" : "");
  const auto answer = hub.call(request);
  return answer.ok() ? Status() : Status(answer.error());
}

}  // namespace

Status show_feedback(HubClient& hub, const FeedbackOptions& options, const Interrupt& interrupt, Console& console) {
  std::vector<std::string> kept;
  bool any = false;
  Status failure;
  for (;;) {
    HubRequest request;
    request.path = kPath;
    const auto answer = hub.call(request);
    if (!answer.ok()) {
      failure = answer.error();
      break;
    }
    if (answer->status == 204) {
      if (!options.follow || interrupt.wait(kLook)) break;
      continue;
    }
    const auto records = parse_array(answer->body);
    if (!records.ok()) return records.error();
    print(*records, options.json, console);
    any = true;
    const std::string token = answer->header("ETag");
    if (options.keep) {
      kept.push_back(token);
    } else if (failure = settle(hub, token, false); !failure.ok()) {
      break;
    }
  }
  for (const std::string& token : kept) {
    if (Status given_back = settle(hub, token, true); !given_back.ok() && failure.ok()) failure = given_back;
  }
  if (failure.ok() && !any && !options.json && !options.follow) console.print("no feedback; ask for it with `nearhub send ID BODY --ack full`\n");
  return failure;
}

}  // namespace nearhub::tools
