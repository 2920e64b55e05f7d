// Random requests of several clients at once, over HTTPS against a whole hub, and a map of what each has done: the same answers, the same etags, and at
// the end the same devices. RC_PARAMS="seed=... max_success=..." in the environment looks elsewhere, or longer.
#include <doctest/doctest.h>
#include <rapidcheck.h>
#include <stdlib.h>

#include <cstdint>
#include <future>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "broker/well_known.h"
#include "tests/support/test_hub.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

constexpr std::size_t kClients = 3, kDevices = 3;

struct Known {
  std::string etag;
  std::string status = "enabled";
  std::string reason;                              // empty: none
  std::string key = broker::kWellKnownPrimaryKey;  // primary; the hub makes no other here
  std::string tag;                                 // twin tags.t
};

class Client {
 public:
  // The mistakes that it found, in words; empty when hub and map agree.
  Client(TestHub& hub, std::size_t number, std::vector<std::uint8_t> bytes)
      : http_(hub.tls(), hub.https()), token_(hub.owner_token()), number_(number), bytes_(std::move(bytes)) {}

  std::string run() {
    while (at_ < bytes_.size() && faults_.str().empty()) step();
    return faults_.str();
  }

  const std::map<std::string, Known>& devices() const { return devices_; }

 private:
  std::size_t roll(std::size_t sides) { return at_ < bytes_.size() ? bytes_[at_++] % sides : 0; }
  std::string id() { return "c" + std::to_string(number_) + "-d" + std::to_string(roll(kDevices)); }

  HttpAnswer call(std::string_view method, const std::string& path, const std::string& body = {}, const std::string& if_match = {}) {
    HttpClient::Headers headers = {{"Authorization", token_}};
    if (!if_match.empty()) headers.emplace_back("If-Match", if_match);
    return http_.request(method, path + "?api-version=2021-04-12", headers, body);
  }

  void expect(bool right, const std::string& what, const HttpAnswer& answer) {
    if (!right) faults_ << what << ": the hub answered " << answer.status << " " << answer.body << "\n";
  }

  static std::string text_of(const JsonValue& document, std::initializer_list<std::string_view> path) {
    const JsonValue* value = &document;
    for (const std::string_view name : path) {
      value = value->IsObject() ? find_member(*value, name) : nullptr;
      if (value == nullptr) return "absent";
    }
    return value->IsString() ? std::string(string_of(*value)) : value->IsNull() ? "" : to_json(*value);
  }

  void learn(Known& known, const HttpAnswer& answer, const std::string& what) {
    const auto document = parse_json(answer.body);
    if (answer.status != 200 || !document.ok()) return expect(false, what, answer);
    expect(text_of(*document, {"status"}) == known.status && text_of(*document, {"statusReason"}) == known.reason, what, answer);
    expect(text_of(*document, {"authentication", "symmetricKey", "primaryKey"}) == known.key, what + ", keys", answer);
    known.etag = text_of(*document, {"etag"});
    expect(answer.header("ETag") == "\"" + known.etag + "\"", what + ", ETag", answer);
  }

  // "*", the right etag in one of its spellings, or a stale one.
  std::string condition(const std::string& etag, bool& right) {
    switch (roll(5)) {
      case 0: right = true; return "*";
      case 1: right = true; return "\"*\"";
      case 2: right = true; return etag.empty() ? "*" : etag;
      case 3: right = true; return etag.empty() ? "*" : "\"" + etag + "\"";
      default: right = false; return "\"MQ==\"";
    }
  }

  void step() {
    const std::string device = id(), path = "/devices/" + device;
    const auto found = devices_.find(device);
    const bool there = found != devices_.end();
    switch (roll(8)) {
      case 0: return create(device, path, there);
      case 1:
      case 2: return update(device, path, there);
      case 3: {
        bool right = false;
        const std::string etag = condition(there ? found->second.etag : std::string(), right);
        const HttpAnswer answer = call("DELETE", path, {}, etag);
        const int status = !there ? 404 : right ? 204 : 412;
        expect(answer.status == status, "DELETE " + device + " If-Match " + etag + ", expected " + std::to_string(status), answer);
        if (status == 204) devices_.erase(device);
        return;
      }
      case 4: return look(device, path);
      case 5: return bulk(device);
      case 6: {
        const std::string tag = std::to_string(roll(256));
        const HttpAnswer answer = call("PATCH", "/twins/" + device, "{\"tags\":{\"t\":\"" + tag + "\"}}");
        expect(answer.status == (there ? 200 : 404), "PATCH twin of " + device, answer);
        if (there) found->second.tag = tag;
        return;
      }
      default: {
        const HttpAnswer answer = call("GET", path + "/modules");
        expect(answer.status == (there ? 200 : 404), "modules of " + device, answer);
      }
    }
  }

  // A key of the client's own in every second request; what is left out, the hub makes.
  std::string authentication(std::string& key) {
    key = broker::kWellKnownPrimaryKey;
    if (roll(2) == 0) return {};
    key = base64_encode(std::string(16 + roll(49), 'k'));
    return R"(,"authentication":{"type":"sas","symmetricKey":{"primaryKey":")" + key + R"(","secondaryKey":")" + key + "\"}}";
  }

  void create(const std::string& device, const std::string& path, bool there) {
    Known known;
    const std::string keys = authentication(known.key);
    const HttpAnswer answer = call("PUT", path, "{\"deviceId\":\"" + device + "\"" + keys + "}");
    if (there) return expect(answer.status == 409, "PUT " + device + ", which is there", answer);
    learn(known, answer, "PUT " + device);
    devices_[device] = known;
  }

  void update(const std::string& device, const std::string& path, bool there) {
    bool right = false;
    const std::string etag = condition(there ? devices_[device].etag : std::string(), right);
    const bool disable = roll(2) == 0;
    const std::string reason = roll(2) == 0 ? "" : "r" + std::to_string(roll(100));
    std::string body = std::string("{\"status\":\"") + (disable ? "disabled" : "enabled") + "\"", key;
    if (!reason.empty()) body += ",\"statusReason\":\"" + reason + "\"";
    body += authentication(key);
    const HttpAnswer answer = call("PUT", path, body + "}", etag);
    const int status = !there ? 404 : right ? 200 : 412;
    expect(answer.status == status, "PUT " + device + " If-Match " + etag + ", expected " + std::to_string(status), answer);
    if (status != 200) return;
    Known& known = devices_[device];
    const std::string before = known.etag;
    known.status = disable ? "disabled" : "enabled";
    known.reason = reason;
    known.key = key;
    learn(known, answer, "PUT " + device);
    // Every write moves the etag.
    expect(known.etag != before, "etag of " + device, answer);
  }

  void look(const std::string& device, const std::string& path) {
    const HttpAnswer answer = call("GET", path), twin = call("GET", "/twins/" + device);
    const auto found = devices_.find(device);
    if (found == devices_.end()) {
      expect(answer.status == 404, "GET " + device + ", which is not there", answer);
      return expect(twin.status == 404, "twin of " + device + ", which is not there", twin);
    }
    Known seen = found->second;
    learn(seen, answer, "GET " + device);
    expect(seen.etag == found->second.etag, "etag of " + device, answer);
    const auto document = parse_json(twin.body);
    expect(twin.status == 200 && document.ok(), "twin of " + device, twin);
    if (!document.ok()) return;
    const std::string tag = text_of(*document, {"tags", "t"});
    expect(tag == (found->second.tag.empty() ? "absent" : found->second.tag), "tag of " + device, twin);
    expect(text_of(*document, {"deviceEtag"}) == found->second.etag, "deviceEtag of " + device, twin);
  }

  void bulk(const std::string& device) {
    constexpr const char* kModes[] = {"create", "Update", "updateIfMatchETag", "delete", "deleteIfMatchEtag", "createOrUpdate"};
    const std::size_t mode = roll(std::size(kModes));
    const bool there = devices_.count(device) != 0, stale = roll(4) == 0;
    const std::string etag = stale || !there ? "MQ==" : devices_[device].etag, tag = std::to_string(roll(256));
    const bool conditional = mode == 2 || mode == 4, deletes = mode == 3 || mode == 4;
    std::string body = "[{\"id\":\"" + device + "\",\"importMode\":\"" + kModes[mode] + "\",\"eTag\":\"" + etag + "\"";
    if (!deletes) body += ",\"status\":\"enabled\",\"tags\":{\"t\":\"" + tag + "\"}";
    const HttpAnswer answer = call("POST", "/devices", body + "}]");
    const bool fits = mode == 0 ? !there : mode == 5 || there;
    const bool done = fits && !(conditional && stale);
    expect(answer.status == (done ? 200 : 400), std::string("bulk ") + kModes[mode] + " " + device + (stale ? ", stale" : ""), answer);
    if (!done) return;
    if (deletes) {
      devices_.erase(device);
      return;
    }
    Known& known = devices_[device];
    known.status = "enabled";
    known.reason.clear();
    known.key = broker::kWellKnownPrimaryKey;
    known.tag = tag;
    learn(known, call("GET", "/devices/" + device), "after bulk " + device);
  }

  HttpClient http_;
  const std::string token_;
  const std::size_t number_;
  const std::vector<std::uint8_t> bytes_;
  std::size_t at_ = 0;
  std::map<std::string, Known> devices_;
  std::ostringstream faults_;
};

}  // namespace

TEST_SUITE("model") {
  TEST_CASE("model: the registry answers several clients at once as a map would") {
    setenv("RC_PARAMS", "seed=20260101 max_success=20 max_size=120", /*overwrite=*/0);
    const auto result = rc::detail::checkTestable([](const std::vector<std::vector<std::uint8_t>>& stories) {
      TestHub hub;
      std::vector<Client> clients;
      clients.reserve(kClients);
      for (std::size_t i = 0; i < kClients; ++i) clients.emplace_back(hub, i, i < stories.size() ? stories[i] : std::vector<std::uint8_t>());
      std::vector<std::future<std::string>> runs;
      for (Client& client : clients) runs.push_back(std::async(std::launch::async, [&client] { return client.run(); }));
      std::string faults;
      for (auto& run : runs) faults += run.get();
      std::size_t known = 0;
      for (const Client& client : clients) known += client.devices().size();
      const auto listed = parse_json(hub.api("GET", "/devices").body);
      RC_ASSERT(listed.ok());
      if (faults.empty() && listed->Size() != known) faults = "listed " + std::to_string(listed->Size()) + ", known " + std::to_string(known);
      if (!faults.empty()) RC_FAIL(faults);
    });
    std::ostringstream report;
    rc::detail::printResultMessage(result, report);
    INFO(report.str());
    CHECK(result.template is<rc::detail::SuccessResult>());
  }

  TEST_CASE("model: of clients that race for one device, one wins") {
    TestHub hub;
    constexpr int kRacers = 4, kRounds = 10;
    // "200 409 409 409" in any order.
    const auto race = [&hub](const std::string& path, const std::string& if_match) {
      std::vector<std::future<int>> runs;
      for (int i = 0; i < kRacers; ++i) {
        runs.push_back(std::async(std::launch::async, [&hub, path, if_match, token = hub.owner_token()] {
          HttpClient http(hub.tls(), hub.https());
          HttpClient::Headers headers = {{"Authorization", token}};
          if (!if_match.empty()) headers.emplace_back("If-Match", if_match);
          return http.request("PUT", path + "?api-version=2021-04-12", headers, "{}").status;
        }));
      }
      std::map<int, int> statuses;
      for (auto& run : runs) ++statuses[run.get()];
      return statuses;
    };
    for (int round = 0; round < kRounds; ++round) {
      const std::string path = "/devices/r" + std::to_string(round);
      CHECK(race(path, {}) == std::map<int, int>{{200, 1}, {409, kRacers - 1}});
      const HttpAnswer made = hub.api("GET", path);
      CHECK(race(path, made.header("ETag")) == std::map<int, int>{{200, 1}, {412, kRacers - 1}});
    }
  }
}
