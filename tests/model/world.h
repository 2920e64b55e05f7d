// A shard over the real store and the maps beside it: one random operation after the other goes to both.
//
// Between two moments of rest several operations are under way at once, in one batch or in several; what ends or changes
// a connection begins at rest, so that the maps need not know when a commit comes.
//
// THREAD: one.
#pragma once
#include <rapidcheck.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "hub/shard.h"
#include "store/sqlite_store.h"
#include "tests/hub/manual_executor.h"
#include "tests/model/counting_store.h"
#include "tests/model/map_model.h"

namespace nearhub::hub {

inline constexpr std::size_t kInFlight = 3;
inline constexpr std::size_t kQueueDepth = 6;
inline const std::vector<std::string> kIds = {"d0", "d1", "d0/m0", "d0/m1", "d1/m0"};
inline const std::vector<std::string> kKeys = {"a2V5LTAta2V5LTAta2V5LTA=", "a2V5LTEta2V5LTEta2V5LTE="};

inline IdentityId id_of(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return {DeviceId(text), {}};
  return {DeviceId(text.substr(0, slash)), ModuleId(text.substr(slash + 1))};
}

// Makes choices from random bytes, so that fewer and smaller bytes are a simpler story.
class Dice {
 public:
  explicit Dice(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}
  bool done() const { return at_ >= bytes_.size(); }
  std::size_t roll(std::size_t sides) { return done() ? 0 : bytes_[at_++] % sides; }
  const std::string& id() { return kIds[roll(kIds.size())]; }

 private:
  const std::vector<std::uint8_t>& bytes_;
  std::size_t at_ = 0;
};

class RecordingLink final : public Link {
 public:
  explicit RecordingLink(Shard& shard) : shard_(shard) {}
  ~RecordingLink() override { detach(); }
  void detach() {
    if (connection != nullptr) shard_.detach(*std::exchange(connection, nullptr));
  }

  Connection* connection = nullptr;
  bool session_present = false;
  std::vector<std::string> seen;

  void on_event_stored(std::uint32_t) override {}
  void deliver(const CloudMessage& message, bool redelivery) override {
    seen.push_back((redelivery ? "again " : "message ") + std::to_string(message.sequence) + " " + message.body);
  }
  void notify_desired(std::string_view json, std::int64_t version) override {
    seen.push_back("desired " + std::to_string(version) + " " + std::string(json));
  }
  void invoke_method(std::string_view, std::string_view, std::string_view) override {}
  void close(const auth::Denial&) override { detach(); }
  void on_store_ready() override {}
  std::string peer() const override { return "model"; }

 private:
  Shard& shard_;
};

// Throws what rapidcheck understands, with a sentence about what differs.
template <typename A, typename B>
void expect_equal(const A& hub, const B& model, const std::string& what) {
  if (hub == model) return;
  std::ostringstream text;
  text << what << ": the hub says " << hub << ", the model " << model;
  RC_FAIL(text.str());
}

inline std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : " | ") + text;
  return all;
}

class World {
 public:
  // A path: a file that a restart closes and opens. Empty: in memory, and a restart keeps the store.
  explicit World(std::string path);
  ~World();

  void step(Dice& dice);
  // Everything under way is done, what it did is compared; then the time moves, so that what is due expires.
  void rest();
  void restart();

 private:
  void open();
  void start();
  void settle();
  RecordingLink* link_of(const std::string& id);

  // The answer, looked at when everything is at rest.
  template <typename T>
  Answer<T> expect(std::string what, std::function<void(const Result<T>&)> check) {
    auto answer = std::make_shared<std::optional<Result<T>>>();
    checks_.push_back([answer, what, check = std::move(check)] {
      if (!answer->has_value()) RC_FAIL(what + ": no answer");
      check(**answer);
    });
    return [answer](Result<T> result) { answer->emplace(std::move(result)); };
  }
  template <typename T>
  Answer<T> expect_error(const std::string& what, ErrorCode code) {
    return expect<T>(what, [what, code](const Result<T>& result) {
      expect_equal(result.ok() ? "success" : std::string(error_name(result.error().code)), error_name(code), what);
    });
  }
  template <typename T>
  Answer<T> expect_success(const std::string& what, std::function<void(const T&)> check = [](const T&) {}) {
    return expect<T>(what, [what, check = std::move(check)](const Result<T>& result) {
      if (!result.ok()) RC_FAIL(what + " failed: " + result.error().detail);
      check(*result);
    });
  }

  static bool is_module(const std::string& id) { return id.find('/') != std::string::npos; }
  static ErrorCode missing(const std::string& id) {
    return is_module(id) ? ErrorCode::kModuleNotFound : ErrorCode::kDeviceNotFound;
  }
  // Of an identity operation on an id that is not there.
  ErrorCode missing_now(const std::string& id);
  static registry::IdentityRequest request(int key, bool enabled);

  void create(const std::string& id);
  // 0: any, 1: the right etag, 2: a wrong one.
  Condition condition(std::size_t kind, const ModelIdentity* identity);
  void replace(const std::string& id, Dice& dice);
  void remove(const std::string& id, Dice& dice);
  void look(const std::string& id);

  ModelSection section(Dice& dice);
  void update_twin(const std::string& id, Dice& dice);
  void report(const std::string& id, Dice& dice);
  void look_from_device(const std::string& id);

  void send(const std::string& id, Dice& dice);
  void purge(const std::string& id);
  void complete(const std::string& id, Dice& dice);

  void connect(const std::string& id, bool clean, Dice& dice);
  void disconnect(const std::string& id);
  void subscribe(const std::string& id, Dice& dice);

  // What a connection that is at rest must have been sent.
  void deliver(const std::string& id, ModelIdentity& identity);
  void compare_connections();
  void compare_deliveries();
  // What the store holds, read without the hub's memory.
  void compare_state();
  void compare_record(const std::string& id, const IdentityRecord& record, const ModelIdentity& model);

  const std::string path_;
  ManualClock clock_;
  SeededRandom random_{1};
  ManualExecutor executor_;
  TimerQueue timers_{clock_};
  CountingStore counting_;
  std::unique_ptr<store::SqliteStore> store_;
  auth::RefusalBook refusals_;
  std::unique_ptr<Hub> hub_;
  std::unique_ptr<Shard> shard_;
  std::map<std::string, std::unique_ptr<RecordingLink>> links_;

  MapModel model_;
  std::map<std::string, std::vector<std::string>> expected_;  // deliveries since the last rest
  std::vector<std::function<void()>> checks_;                 // of answers, at the next rest
  std::map<std::string, int> born_;
  int births_ = 0;
  int bodies_ = 0;
};

}  // namespace nearhub::hub
