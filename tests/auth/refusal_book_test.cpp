#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "auth/refusal.h"
#include "base/json_writer.h"
#include "tests/auth/samples.h"

using namespace nearhub;
using namespace nearhub::auth;

namespace {

Refusal refusal(std::string identity, std::string operation = "MQTT CONNECT", std::string expected = "a SAS token", int second = 0) {
  Refusal made;
  made.at = kNow + std::chrono::seconds{second};
  made.identity = std::move(identity);
  made.peer = "192.0.2.7:50412";
  made.operation = std::move(operation);
  made.answer = "CONNACK 5";
  made.denial = {Check::kCredential, ErrorCode::kIotHubUnauthorized, std::move(expected), "no password", "make a token"};
  return made;
}

std::string identities(const std::vector<Refusal>& refusals) {
  std::string text;
  for (const Refusal& each : refusals) text += each.identity + " ";
  return text;
}

}  // namespace

TEST_SUITE("auth") {
  TEST_CASE("refusal book: the newest stands first, of one identity or of all") {
    RefusalBook book;
    CHECK(book.recent("", 10).empty());
    book.record(refusal("d1", "MQTT CONNECT", "first"));
    book.record(refusal("d2", "MQTT CONNECT", "second"));
    book.record(refusal("d1", "PUBLISH", "third"));
    book.record(refusal("", "HTTP request", "fourth"));
    CHECK(identities(book.recent("", 10)) == " d1 d2 d1 ");
    CHECK(identities(book.recent("", 2)) == " d1 ");
    CHECK(book.recent("", 0).empty());
    const auto of_d1 = book.recent("d1", 10);
    REQUIRE(of_d1.size() == 2);
    CHECK(of_d1[0].denial.expected == "third");
    CHECK(of_d1[1].denial.expected == "first");
    CHECK(of_d1[0].sequence == 3);
    CHECK(book.recent("d1", 1).size() == 1);
    CHECK(book.recent("d3", 10).empty());
    CHECK(book.total() == 4);
  }

  TEST_CASE("refusal book: an identity that makes one mistake again and again is one entry with a count") {
    RefusalBook book;
    for (int i = 0; i < 3; ++i) {
      Refusal again = refusal("d1", "MQTT CONNECT", "a SAS token", i);
      // These differ with every attempt.
      again.peer = "192.0.2.7:" + std::to_string(50'000 + i);
      again.denial.received = "se=" + std::to_string(i);
      book.record(again);
    }
    const auto entries = book.recent("d1", 10);
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].count == 3);
    CHECK(entries[0].first_at == kNow);
    CHECK(entries[0].at == kNow + std::chrono::seconds{2});
    CHECK(entries[0].peer == "192.0.2.7:50002");
    CHECK(entries[0].denial.received == "se=2");
    CHECK(entries[0].sequence == 3);
    CHECK(book.total() == 3);
  }

  TEST_CASE("refusal book: another operation, check, expectation or advice is another entry, and ends the row") {
    RefusalBook book;
    book.record(refusal("d1"));
    book.record(refusal("d1", "PUBLISH"));
    book.record(refusal("d1", "PUBLISH", "something else"));
    Refusal other = refusal("d1", "PUBLISH", "something else");
    other.denial.check = Check::kTopic;
    book.record(other);
    other.denial.advice = "another";
    book.record(other);
    book.record(refusal("d1"));
    const auto entries = book.recent("d1", 10);
    REQUIRE(entries.size() == 6);
    for (const Refusal& entry : entries) CHECK(entry.count == 1);
  }

  TEST_CASE("refusal book: equal mistakes of two identities are two entries, even in turn") {
    RefusalBook book;
    for (int i = 0; i < 4; ++i) book.record(refusal(i % 2 == 0 ? "d1" : "d2"));
    const auto entries = book.recent("", 10);
    REQUIRE(entries.size() == 2);
    CHECK(entries[0].identity == "d2");
    CHECK(entries[0].count == 2);
    CHECK(entries[1].identity == "d1");
    CHECK(entries[1].count == 2);
  }

  TEST_CASE("refusal book: the last 16 of an identity are kept") {
    RefusalBook book;
    for (int i = 0; i < 20; ++i) book.record(refusal("d1", "operation " + std::to_string(i)));
    const auto entries = book.recent("d1", 100);
    REQUIRE(entries.size() == kMaxRefusalsPerIdentity);
    CHECK(kMaxRefusalsPerIdentity == 16);
    CHECK(entries.front().operation == "operation 19");
    CHECK(entries.back().operation == "operation 4");
    CHECK(book.total() == 20);
  }

  TEST_CASE("refusal book: of too many identities the longest silent one is dropped") {
    RefusalBook book;
    for (std::size_t i = 0; i < kMaxRefusalIdentities; ++i) book.record(refusal("d" + std::to_string(i)));
    book.record(refusal("d0"));  // heard of again
    book.record(refusal("new"));
    CHECK(book.recent("d1", 1).empty());
    CHECK(book.recent("d0", 1).size() == 1);
    CHECK(book.recent("d2", 1).size() == 1);
    CHECK(book.recent("new", 1).size() == 1);
    CHECK(book.recent("", 2 * kMaxRefusalIdentities).size() == kMaxRefusalIdentities);
    CHECK(identities(book.recent("", 3)) == "new d0 d" + std::to_string(kMaxRefusalIdentities - 1) + " ");
  }

  TEST_CASE("refusal book: nothing that a peer says can garble a terminal or fill memory") {
    RefusalBook book;
    Refusal hostile = refusal("d\x1b[2J\n", "PUT /\xff", std::string(1000, 'e'));
    hostile.denial.received = std::string(1000, 'r');
    hostile.denial.advice = "a\tb";
    book.record(hostile);
    const auto entries = book.recent("", 1);
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].identity == "d\\x1B[2J\\x0A");
    CHECK(entries[0].operation == "PUT /\\xFF");
    CHECK(entries[0].denial.expected == std::string(kMaxRefusalTextBytes, 'e') + "...");
    CHECK(entries[0].denial.received == std::string(kMaxRefusalTextBytes, 'r') + "...");
    CHECK(entries[0].denial.advice == "a\\x09b");
    // Whoever asks by the name as it came finds it too.
    CHECK(book.recent("d\\x1B[2J\\x0A", 1).size() == 1);
  }

  TEST_CASE("refusal book: an entry as JSON") {
    RefusalBook book;
    book.record(refusal("d1/m1", "MQTT CONNECT", "a SAS token", 0));
    book.record(refusal("d1/m1", "MQTT CONNECT", "a SAS token", 42));
    JsonWriter json;
    write_json(json, book.recent("d1/m1", 1).at(0));
    CHECK(std::move(json).take() ==
          R"({"kind":"refusal","time":"2026-01-01T00:00:42.0000000Z","firstTime":"2026-01-01T00:00:00.0000000Z","count":2,"identity":"d1/m1",)"
          R"("peer":"192.0.2.7:50412","operation":"MQTT CONNECT","check":"credential","errorCode":401003,"error":"IotHubUnauthorized",)"
          R"("expected":"a SAS token","received":"no password","advice":"make a token","answer":"CONNACK 5"})");
  }

  TEST_CASE("refusal book: codes of our own are shown as the server error that the peer saw") {
    Refusal made = refusal("d1");
    made.denial.code = ErrorCode::kMalformed;
    JsonWriter json;
    write_json(json, made);
    CHECK(std::move(json).take().find(R"("errorCode":500001,"error":"ServerError")") != std::string::npos);
  }

  TEST_CASE("checks: their texts are stable and no two are alike") {
    const std::pair<Check, const char*> texts[] = {
        {Check::kTls, "TLS"},           {Check::kProtocol, "protocol"},     {Check::kTimeLimit, "time limit"},       {Check::kUserName, "user name"},
        {Check::kClientId, "client id"}, {Check::kHostName, "host name"},   {Check::kApiVersion, "api-version"},     {Check::kIdentity, "identity"},
        {Check::kStatus, "status"},     {Check::kCredential, "credential"}, {Check::kSasFormat, "SAS format"},       {Check::kSasResource, "SAS resource"},
        {Check::kSasPolicy, "SAS policy"}, {Check::kSasSignature, "SAS signature"}, {Check::kSasExpiry, "SAS expiry"}, {Check::kCertificate, "certificate"},
        {Check::kPermission, "permission"}, {Check::kTopic, "topic"},       {Check::kFilter, "filter"},              {Check::kQos, "QoS"},
        {Check::kSize, "size"},         {Check::kLimit, "limit"},           {Check::kBody, "body"},                  {Check::kState, "state"}};
    for (const auto& [check, text] : texts) CHECK(check_text(check) == text);
  }

  TEST_CASE("denial: a sentence of what was expected, what came, and how to mend it") {
    CHECK(Denial{Check::kTopic, ErrorCode::kIotHubUnauthorized, "a", "b", "c"}.sentence() == "expected a; received b; c");
    CHECK(Denial{Check::kTopic, ErrorCode::kIotHubUnauthorized, "a", "b", ""}.sentence() == "expected a; received b");
    CHECK(Denial{Check::kBody, ErrorCode::kArgumentInvalid, "", "the whole reason", ""}.sentence() == "the whole reason");
    CHECK(Denial{Check::kBody, ErrorCode::kArgumentInvalid, "", "the whole reason", "c"}.sentence() == "the whole reason; c");
  }

  TEST_CASE("refusal book: threads write and read it at the same time") {
    constexpr int kThreads = 4, kEach = 500;
    RefusalBook book;
    std::vector<std::thread> writers;
    for (int t = 0; t < kThreads; ++t) {
      writers.emplace_back([&book, t] {
        for (int i = 0; i < kEach; ++i) book.record(refusal("d" + std::to_string(i % 7), "thread " + std::to_string(t)));
      });
    }
    std::size_t most = 0;
    for (int i = 0; i < kEach; ++i) most = std::max(most, book.recent("", 1000).size());
    for (std::thread& writer : writers) writer.join();
    CHECK(book.total() == kThreads * kEach);
    CHECK(most <= 7 * kMaxRefusalsPerIdentity);
    CHECK(book.recent("d0", 1000).size() <= kMaxRefusalsPerIdentity);
  }

  TEST_CASE("refusal book: a warning stands in the margin: it is shown as one, not counted as a refusal, and once however often it comes") {
    RefusalBook book;
    const auto warning = [](const std::string& received, int second) {
      Refusal made = refusal("d1", "twin document", "at most 2048 bytes", second);
      made.kind = EntryKind::kWarning;
      made.answer = "sent all the same";
      made.denial.received = received;
      return made;
    };
    book.record(warning("2049 bytes", 0));
    book.record(refusal("d1", "MQTT CONNECT", "a SAS token", 1));
    book.record(warning("3000 bytes", 2));
    const auto all = book.recent("d1", 10);
    REQUIRE(all.size() == 2);
    CHECK(all[0].kind == EntryKind::kWarning);
    CHECK(all[0].count == 2);
    CHECK(all[0].first_at == kNow);
    CHECK(all[0].denial.received == "3000 bytes");
    CHECK(all[1].kind == EntryKind::kRefusal);
    CHECK(book.total() == 1);
    JsonWriter json;
    write_json(json, all[0]);
    CHECK(json.text().find(R"({"kind":"warning",)") == 0);
    CHECK(json.text().find(R"("errorCode":0,"error":"")") != std::string::npos);
  }

  TEST_CASE("refusal book: warnings never merge with refusals, however alike") {
    RefusalBook book;
    Refusal warning = refusal("d1");
    warning.kind = EntryKind::kWarning;
    book.record(refusal("d1"));
    book.record(warning);
    book.record(refusal("d1"));
    CHECK(book.recent("d1", 10).size() == 3);
  }

  TEST_CASE("refusal book: one kind alone, also when the newest of every identity is of the other") {
    RefusalBook book;
    for (const char* id : {"d1", "d2", "d3"}) {
      book.record(refusal(id));
      Refusal warning = refusal(id, "twin document");
      warning.kind = EntryKind::kWarning;
      book.record(warning);
    }
    CHECK(identities(book.recent("", 2, EntryKind::kRefusal)) == "d3 d2 ");
    CHECK(identities(book.recent("", 10, EntryKind::kWarning)) == "d3 d2 d1 ");
    CHECK(book.recent("d2", 10, EntryKind::kRefusal).size() == 1);
    CHECK(book.recent("", 10).size() == 6);
  }
}
