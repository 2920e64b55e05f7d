// A hub of one shard whose loop turns when the test says so, over a store that commits when the test says so.
//
//   ShardRig rig;
//   rig.create("d1");
//   FakeLink link(rig.shard());
//   rig.connect("d1", link);
//   rig.shard().append_event(*link.connection, {"", "21.5"}, true, 7);
//   rig.turn();
//   CHECK(link.take() == Seen{});
//   rig.store.commit();
//   rig.turn();
//   CHECK(link.take() == Seen{"ack 7"});
//
// THREAD: one.
#pragma once
#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/timer_queue.h"
#include "hub/shard.h"
#include "tests/hub/fake_store.h"
#include "tests/hub/manual_executor.h"

// So that a failed comparison shows what was seen.
template <>
struct doctest::StringMaker<std::vector<std::string>> {
  static String convert(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts) all += (all.empty() ? "" : " | ") + text;
    return ("[" + all + "]").c_str();
  }
};

namespace nearhub::hub {

using namespace std::chrono_literals;

using Seen = std::vector<std::string>;

// "d1" or "d1/m1".
IdentityId id_of(std::string_view text);

// Where an answer arrives.
template <typename T>
class Reply {
 public:
  Answer<T> answer() {
    return [this](Result<T> result) {
      ++count_;
      result_.emplace(std::move(result));
    };
  }
  bool came() const { return count_ > 0; }
  bool succeeded() const { return came() && result_->ok(); }
  // The value; the test ends when there is none.
  const T& value() const {
    REQUIRE_MESSAGE(count_ == 1, "an answer comes once");
    REQUIRE_MESSAGE(result_->ok(), result_->error().detail);
    return **result_;
  }
  const Error& error() const {
    REQUIRE_MESSAGE(count_ == 1, "an answer comes once");
    REQUIRE_FALSE(result_->ok());
    return result_->error();
  }

 private:
  int count_ = 0;
  std::optional<Result<T>> result_;
};

// A device's connection that writes down what the hub does to it.
class FakeLink final : public Link {
 public:
  explicit FakeLink(Shard& shard) : shard_(&shard) {}
  ~FakeLink() override;

  Connection* connection = nullptr;  // null: not attached
  bool session_present = false;
  std::optional<auth::Denial> closed;
  bool settles_at_once = false;  // as a delivery at QoS 0 does
  bool disconnects_on_delivery = false;
  std::function<void(std::uint32_t token)> on_ack;  // runs inside on_event_stored()
  std::function<void()> on_ready;
  std::function<void(std::string_view request_id)> on_method;

  // What happened since the last call: "ack 7", "message 1 hello", "again 1 hello", "desired 2 {...}",
  // "method 1 reboot null", "closed ConnectionForcefullyClosedOnNewConnection", "ready".
  Seen take() { return std::exchange(seen_, {}); }
  const CloudMessage& last_message() const { return last_message_.value(); }

  void detach();

  void on_event_stored(std::uint32_t token) override;
  void deliver(const CloudMessage& message, bool redelivery) override;
  void notify_desired(std::string_view json, std::int64_t version) override;
  void invoke_method(std::string_view request_id, std::string_view name, std::string_view payload) override;
  void close(const auth::Denial& why) override;
  void on_store_ready() override;
  std::string peer() const override { return "192.0.2.7:50412"; }

 private:
  Shard* shard_;
  Seen seen_;
  std::optional<CloudMessage> last_message_;
};

inline constexpr std::string_view kHost = "hub.test";
// What every identity of the rig is made with, in base64.
inline constexpr std::string_view kPrimaryKey = "cHJpbWFyeS1rZXktMDEyMzQ1";      // primary-key-012345
inline constexpr std::string_view kSecondaryKey = "c2Vjb25kYXJ5LWtleS0wMTIz";    // secondary-key-0123
inline constexpr std::string_view kOtherKey = "YW5vdGhlci1rZXktMDEyMzQ1Njc=";    // another-key-01234567
inline constexpr std::string_view kPolicyKey = "cG9saWN5LWtleS0wMTIzNDU2Nzg5";   // policy-key-0123456789

registry::IdentityRequest with_keys(std::string_view primary = kPrimaryKey, std::string_view secondary = kSecondaryKey);

class ShardRig {
 public:
  explicit ShardRig(const std::function<void(Hub::Shared&)>& adjust = {});
  ~ShardRig();

  Shard& shard() { return *shard_; }
  const Hub& hub() const { return *hub_; }

  // One turn of the loop: the tasks that wait, the timers that are due, this turn's writes to the store.
  void turn();
  // Turns and commits until nothing is under way.
  void settle();
  void advance(std::chrono::milliseconds by);
  // Throws away everything in memory, as a restart does.
  void restart();

  // Make an identity with the keys above, durably.
  registry::Identity create(std::string_view id, registry::IdentityRequest request = with_keys());

  std::string token(std::string_view id, std::string_view key = kPrimaryKey,
                    std::chrono::seconds lifetime = std::chrono::hours(1)) const;
  // As a device does: a token, the verdict, attach(), and begin() as behind a CONNACK. Turns until the verdict is there,
  // without commits. Gives the denial when there is one.
  struct ConnectOptions {
    bool clean_session = true;
    bool hold = false;
    std::string model_id = {};
    std::string token = {};  // empty: a good one
  };
  std::optional<auth::Denial> connect(std::string_view id, FakeLink& link) { return connect(id, link, ConnectOptions()); }
  std::optional<auth::Denial> connect(std::string_view id, FakeLink& link, ConnectOptions options);
  // Connected, clean session, subscribed to these, at QoS 1; nothing under way.
  void connect_subscribed(std::string_view id, FakeLink& link, const std::vector<Topic>& topics);
  Shard::Verdict judge(std::string_view id, std::optional<std::string> token);

  // An event without properties; `token` 0: not acknowledged.
  void publish(FakeLink& link, std::string_view body, std::uint32_t token = 0);
  void subscribe(FakeLink& link, Topic topic, int qos = 1);  // and settles it; without a commit
  // Sent, and not yet durable.
  void send(std::string_view id, std::string_view body, Reply<std::uint64_t>& reply);
  void send(std::string_view id, CloudMessage message, Reply<std::uint64_t>& reply);
  // The service's view of a twin; turns, and commits nothing.
  std::string twin_json(std::string_view id);
  void patch_desired(std::string_view id, std::string_view desired, Reply<TwinView>& reply);

  ManualClock clock;
  SeededRandom random{1};
  ManualExecutor executor;
  TimerQueue timers{clock};
  FakeStore store;
  auth::RefusalBook refusals;

 private:
  std::unique_ptr<Hub> hub_;
  std::unique_ptr<Shard> shard_;
};

}  // namespace nearhub::hub
