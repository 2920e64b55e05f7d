#include "tools/event_text.h"

#include <doctest/doctest.h>

using namespace nearhub;
using namespace nearhub::tools;

namespace {

std::string line(const char* json) { return event_line(*parse_json(json)); }

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("event line: time, sender, properties, system properties, body") {
    CHECK(
        line(
            R"({"enqueuedTime":"2026-01-31T12:00:00.1234567Z","deviceId":"d1","moduleId":"m1","properties":{"alert":"true","room":"big hall","flag":null},)"
            R"("systemProperties":{"content-type":"application/json"},"body":{"t":21.5}})") ==
        "2026-01-31T12:00:00.123Z  d1/m1  alert=true room=\"big hall\" flag  [content-type=application/json]  "
        "{\"t\":21.5}\n");
  }

  TEST_CASE("event line: no properties, no brackets, a body may be text or bytes") {
    CHECK(
        line(
            R"({"enqueuedTime":"2026-01-31T12:00:00Z","deviceId":"d1","properties":{},"systemProperties":{},"body":"21.5"})") ==
        "2026-01-31T12:00:00.000Z  d1  21.5\n");
    CHECK(
        line(
            R"({"enqueuedTime":"2026-01-31T12:00:00Z","deviceId":"d1","properties":{},"systemProperties":{},"bodyBase64":"/w=="})") ==
        "2026-01-31T12:00:00.000Z  d1  base64:/w==\n");
  }

  TEST_CASE("event line: nothing that a device sent reaches the terminal as a control character") {
    const std::string text = line(
        R"({"enqueuedTime":"2026-01-31T12:00:00Z","deviceId":"d1","properties":{"\u001b[2J":"\u009b\n"},"systemProperties":{"message-id":"\u0007"},)"
        R"("body":"a\u001b]0;x\u0007\nb"})");
    CHECK(text == "2026-01-31T12:00:00.000Z  d1  \"\\u001b[2J\"=\"\\u009b\\n\"  [message-id=\"\\u0007\"]  "
                  "a\\u001b]0;x\\u0007\\nb\n");
  }

  TEST_CASE("event block: everything in lines, the body laid out") {
    CHECK(
        event_block(*parse_json(
            R"({"enqueuedTime":"2026-01-31T12:00:00Z","deviceId":"d1","properties":{"a":"","b":"x"},"systemProperties":{},)"
            R"("annotations":{"iothub-message-source":"Telemetry"},"body":{"t":[1,"\u001b"]}})")) ==
        "2026-01-31T12:00:00.000Z  d1\n"
        "  properties\n"
        "    a  \"\"\n"
        "    b  x\n"
        "  annotations\n"
        "    iothub-message-source  Telemetry\n"
        "  body\n"
        "    {\n"
        "      \"t\": [\n"
        "        1,\n"
        "        \"\\u001B\"\n"
        "      ]\n"
        "    }\n"
        "\n");
  }
}
