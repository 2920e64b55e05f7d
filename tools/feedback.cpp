#include "tools/feedback.h"

#include <fmt/core.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/url.h"
#include "tools/json_text.h"
#include "tools/terminal_text.h"
#include "tools/time_text.h"

namespace nearhub::tools {
namespace {

constexpr std::chrono::milliseconds kLook{1000};
// Others receive nothing of what is locked meanwhile.
constexpr std::size_t kMaxKeptBatches = 10;
const std::string kPath = "/messages/serviceBound/feedback";

// "2026-01-31T12:00:00.000Z  thermostat  Success  message 0c8d...".
std::string line_of(const JsonValue& record) {
  const std::string module = text_at(record, {"moduleId"}), message = text_at(record, {"originalMessageId"});
  return fmt::format("{}  {}{}  {}  {}\n", show_time(text_at(record, {"enqueuedTimeUtc"})), terminal_text(text_at(record, {"deviceId"})),
                     module.empty() ? "" : "/" + terminal_text(module), text_at(record, {"statusCode"}),
                     message.empty() ? "a message without an id" : "message " + terminal_text(message));
}

class FeedbackReader {
 public:
  FeedbackReader(HubClient& hub, const FeedbackOptions& options, const Interrupt& interrupt, Console& console)
      : hub_(hub), options_(options), interrupt_(interrupt), console_(console) {}

  Status run() {
    Status status = read();
    for (const std::string& token : kept_) {
      if (Status given_back = settle(token, false); !given_back.ok() && status.ok()) status = given_back;
    }
    return status;
  }

 private:
  Status read() {
    bool any = false;
    while (!interrupt_.requested()) {
      HubRequest request;
      request.path = kPath;
      const auto answer = hub_.call(request);
      if (!answer.ok()) {
        if (!options_.follow || !may_pass(answer.error())) return answer.error();
        if (!wait_for_hub(answer.error().detail)) return {};
        continue;
      }
      if (std::exchange(lost_, false)) console_.say("the hub is back");
      if (answer->status == 204) {
        if (!options_.follow) {
          if (!any && !options_.json) console_.print("no feedback now; ask for it with `nearhub send ID BODY --ack full`. What another receiver has taken and not completed comes back within 60 s\n");
          return {};
        }
        if (interrupt_.wait(kLook)) return {};
        continue;
      }
      const auto records = parse_array(answer->body);
      if (!records.ok()) return records.error();
      any = true;
      const std::string token = answer->header("ETag");
      if (!print(*records)) {
        static_cast<void>(settle(token, false));
        return {};  // the console says why
      }
      if (options_.keep) {
        kept_.push_back(token);
        if (kept_.size() < kMaxKeptBatches) continue;
        console_.say("there may be more: --keep shows the first 1000");
        return {};
      }
      if (Status completed = settle(token, true); !completed.ok()) return completed;
    }
    return {};
  }

  bool print(const JsonValue& records) {
    for (const JsonValue& record : records.GetArray()) {
      if (!console_.print(options_.json ? to_json(record) + "\n" : line_of(record))) return false;
    }
    return true;
  }

  // Gone for good, or back for the next receiver.
  Status settle(const std::string& token, bool complete) {
    HubRequest request;
    request.method = complete ? "DELETE" : "POST";
    request.path = fmt::format("{}/{}{}", kPath, percent_encode(token), complete ? "" : "/abandon");
    const auto answer = hub_.call(request);
    if (answer.ok()) return {};
    if (answer.error().code != ErrorCode::kDeviceMessageLockLost) return answer.error();
    if (!complete) return {};  // it is back already
    return Error{ErrorCode::kDeviceMessageLockLost, "showing these records took longer than the 60 s that the hub gives; they will be shown again"};
  }

  static bool may_pass(const Error& error) {
    return error.code == ErrorCode::kIo || error.code == ErrorCode::kThrottlingException || error.code == ErrorCode::kServiceUnavailable;
  }

  // False when interrupted. Returns when it is worth trying.
  bool wait_for_hub(const std::string& reason) {
    if (!std::exchange(lost_, true)) console_.say(fmt::format("{}; waiting for the hub (Ctrl-C ends)", reason));
    do {
      if (interrupt_.wait(kLook)) return false;
    } while (!hub_.find_again().ok());
    return true;
  }

  HubClient& hub_;
  const FeedbackOptions& options_;
  const Interrupt& interrupt_;
  Console& console_;
  std::vector<std::string> kept_;
  bool lost_ = false;
};

}  // namespace

Status show_feedback(HubClient& hub, const FeedbackOptions& options, const Interrupt& interrupt, Console& console) {
  return FeedbackReader(hub, options, interrupt, console).run();
}

}  // namespace nearhub::tools
