#include "tools/why.h"

#include <fmt/core.h>

#include <iterator>
#include <optional>

#include "base/error_code.h"
#include "base/text.h"
#include "base/time_format.h"
#include "base/url.h"
#include "tools/json_text.h"
#include "tools/table.h"
#include "tools/terminal_text.h"
#include "tools/time_text.h"

namespace nearhub::tools {
namespace {

// "2026-01-31T12:00:00.000Z (3 min ago)".
std::string show_both(const std::string& text, WallTime now) {
  const auto time = parse_iso8601(text);
  return time ? fmt::format("{} ({})", show_time(*time), relative_time(*time, now)) : text;
}

// What the numbers of MQTT 3.1.1 mean (3.2.2.3).
std::string_view connack_meaning(std::string_view answer) {
  constexpr std::string_view kMeanings[] = {"unacceptable protocol version", "client id rejected", "server unavailable",
                                            "bad user name or password", "not authorized"};
  const auto [word, code] = split_once(answer, ' ');
  const auto number = word == "CONNACK" && code ? parse_decimal(*code) : std::nullopt;
  if (!number || *number == 0 || *number > std::size(kMeanings)) return {};
  return kMeanings[*number - 1];
}

// "CONNACK 5, not authorized (401003 IotHubUnauthorized)", "404 DeviceNotOnline (404103)", "connection closed".
std::string answer_text(const JsonValue& refusal) {
  std::string text = text_at(refusal, {"answer"});
  const std::string name = text_at(refusal, {"error"});
  const std::int64_t number = integer_at(refusal, {"errorCode"});
  const bool named = text.find(name) != std::string::npos;
  if (const std::string_view meaning = connack_meaning(text); !meaning.empty()) text += fmt::format(", {}", meaning);
  if (number == 0 || (number == error_number(ErrorCode::kServerError) && !named)) return text;  // none of its own
  return text + (named ? fmt::format(" ({})", number) : fmt::format(" ({} {})", number, name));
}

}  // namespace

Status show_refusals(HubClient& hub, const WhyRequest& request, Console& console) {
  const auto& [id, kind, limit, json] = request;
  std::string query = fmt::format("limit={}", limit);
  if (!id.empty()) query += "&id=" + percent_encode(id);
  if (!kind.empty()) query += "&kind=" + kind;
  const auto body = hub.get("/_nearhub/refusals", query);
  if (!body.ok()) return body.error();
  if (json) {
    console.print(*body + "\n");
    return {};
  }
  const auto refusals = parse_array(*body);
  if (!refusals.ok()) return refusals.error();
  if (refusals->Empty()) {
    if (kind == "warning") {
      console.print("the hub has no warnings since its start\n");
      return {};
    }
    std::string nothing =
        "the hub has refused nothing since its start; a client that fails all the same has not reached it: `nearhub "
        "status` shows where it listens\n";
    if (!id.empty()) {
      nothing = fmt::format(
          "the hub has refused nothing of {} since its start; `nearhub why` also shows what came without an id, or with "
          "another one\n",
          terminal_text(id));
    }
    console.print(nothing);
    return {};
  }
  std::string text;
  // The latest last: it stays in sight when the others scroll away.
  for (rapidjson::SizeType i = refusals->Size(); i-- > 0;) {
    text += refusal_text((*refusals)[i], hub.now());
    if (i > 0) text += '\n';
  }
  console.print(text);
  if (refusals->Size() == static_cast<unsigned>(limit)) {
    console.say(fmt::format("these are the latest {}; --limit shows more", limit));
  }
  return {};
}

std::string refusal_text(const JsonValue& refusal, WallTime now) {
  std::string identity = text_at(refusal, {"identity"});
  if (identity.empty()) identity = "(no id)";
  const bool warning = text_at(refusal, {"kind"}) == "warning";
  std::string text = fmt::format("{}  {}{}\n", terminal_text(identity), warning ? "warning: " : "", terminal_text(text_at(refusal, {"operation"})));
  Fields fields(2);
  fields.add("when", show_both(text_at(refusal, {"time"}), now));
  if (const std::int64_t count = integer_at(refusal, {"count"}, 1); count > 1) {
    fields.add("how often",
               fmt::format("{} times in a row, the first {}", count, show_both(text_at(refusal, {"firstTime"}), now)));
  }
  fields.add("from", text_at(refusal, {"peer"}));
  fields.add("check", text_at(refusal, {"check"}));
  const std::string expected = text_at(refusal, {"expected"});
  fields.add("expected", expected);
  fields.add(expected.empty() ? "reason" : "received", text_at(refusal, {"received"}));
  fields.add("mend it", text_at(refusal, {"advice"}));
  fields.add(warning ? "outcome" : "answered", answer_text(refusal));
  return text + fields.text();
}

}  // namespace nearhub::tools
