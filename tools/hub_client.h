// Requests to the hub's HTTPS API: login, TLS, and sentences for what can go wrong on the way. The only place that
// knows libcurl.
//
// Tokens are signed by the hub's clock: when a request is refused and the Date of the answer is far from ours (a test
// clock that was moved, a machine whose clock is wrong), it is signed again by that Date, once.
//
// THREAD: one at a time.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "tools/hub_address.h"
#include "tools/hub_answer.h"
#include "tools/interrupt.h"

namespace nearhub::tools {

inline constexpr std::chrono::seconds kConnectTime{10};
inline constexpr std::chrono::seconds kRequestTime{30};  // for a whole request that the hub answers at once

struct HubRequest {
  std::string method = "GET";
  std::string path;                                          // percent-encoded, without a query
  std::string query;                                         // "limit=5"; api-version is added
  std::vector<std::pair<std::string, std::string>> headers;  // values are not empty
  std::string body;
  std::chrono::seconds time_limit = kRequestTime;
  bool anonymous = false;  // without a token
};

// How a stream ended that had begun.
struct StreamEnd {
  enum Kind {
    kFinished,     // the hub ended it in order
    kLost,         // the connection broke, or the hub could not be reached or is not ready
    kStopped,      // the sink wanted no more
    kInterrupted,  // Ctrl-C
  };
  Kind kind = kFinished;
  std::string detail;  // of kLost
};

class HubClient {
 public:
  // `clock` outlives the client. Fails as find_hub() does.
  static Result<std::unique_ptr<HubClient>> open(HubFlags flags, const Clock& clock);
  ~HubClient();
  HubClient(const HubClient&) = delete;
  HubClient& operator=(const HubClient&) = delete;

  const HubAddress& address() const { return address_; }
  // The hub's time, as far as its answers told it, else this machine's.
  WallTime now() const { return clock_.now() + offset_; }

  // The answer, whatever its status. Fails with kIo when there is none: the sentence says what could not be reached,
  // and why.
  Result<HubAnswer> request(const HubRequest& request);
  // The answer when its status is 2xx. Fails with the hub's error otherwise.
  Result<HubAnswer> call(const HubRequest& request);
  // call() for a GET: the body.
  Result<std::string> get(const std::string& path, const std::string& query = {});

  // Hands an answer's bytes to `sink` as they come, until the answer ends, `sink` returns false, or the interrupt is
  // requested. Fails with the hub's error when the answer is one that asking again does not mend. `silence_limit`: the
  // stream counts as lost when nothing comes for so long; 0: it may be silent, only a dead connection ends it.
  Result<StreamEnd> stream(const std::string& path, const std::string& query,
                           const std::function<bool(std::string_view)>& sink, const Interrupt& interrupt,
                           std::chrono::seconds silence_limit);
  // Looks for the hub again: the one of this machine may listen elsewhere after a restart. Fails as find_hub() does.
  Status find_again();

 private:
  struct Transfer;
  HubClient(HubFlags flags, HubAddress address, const Clock& clock);
  Result<std::string> token() const;
  Status prepare(Transfer& transfer, const HubRequest& request);
  Result<HubAnswer> perform(const HubRequest& request);
  // Of a hub with a test clock, before the first token is made: a token of this machine's time may have expired there, and its refusal
  // would stand in the hub's book.
  void ask_for_time();
  // From the answer's Date.
  void learn_time(const HubAnswer& answer);
  // Gives the hub of this machine the loopback addresses when its name cannot be resolved. False when that was tried
  // before.
  bool resolve_locally();
  Error describe_failure(int curl_code, const Transfer& transfer, const HubRequest& request) const;

  HubFlags flags_;
  HubAddress address_;
  const Clock& clock_;
  Ticks offset_{0};
  bool resolved_locally_ = false;
  bool time_asked_ = false;
  void* curl_;  // CURL*, kept from request to request for its connection
};

// The hub refused the login itself: a hint where the reason stands.
Error explain_refusal(Error error, int status, const HubAddress& address);

}  // namespace nearhub::tools
