// The refusal book: the signature feature. Every refused connect, publish, subscribe, request or registration is written here with its reason,
// and read by `nearhub why` and GET /_nearhub/refusals. In its margin stand warnings: what went well here and will not elsewhere, or what the
// peer may not have survived.
//
// Bounded: the last refusals of each identity (equal ones in a row are one entry with a count, so that a board that retries every five
// seconds does not push everybody else out; equal warnings are one entry wherever they stand, because nothing stops them from coming), for a
// bounded number of identities, the longest silent one dropped first.
//
// THREAD: any thread; a mutex guards the book. Refusals are rare beside messages, and each one cost its peer a connection or a request.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/denial.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/json_writer.h"

namespace nearhub::auth {

enum class EntryKind : std::uint8_t { kRefusal, kWarning };

struct Refusal {
  EntryKind kind = EntryKind::kRefusal;
  WallTime at{};           // the last time
  WallTime first_at{};     // the first time in a row
  std::uint32_t count = 1;  // how often in a row
  std::uint64_t sequence = 0;
  std::string identity;    // as claimed: "device", "device/module", "policy:NAME"; empty when nothing was claimed
  std::string peer;        // "192.0.2.7:50412"
  std::string operation;   // "MQTT CONNECT", "PUT /devices/d1"
  std::string answer;      // what the wire showed: "CONNACK 5", "closed", "401 IotHubUnauthorizedAccess"; of a warning what happened: "sent"
  Denial denial;
};

inline constexpr std::size_t kMaxRefusalsPerIdentity = 16;
inline constexpr std::size_t kMaxRefusalIdentities = 4096;
inline constexpr std::size_t kMaxRefusalTextBytes = 400;  // of each text that a peer can influence

class RefusalBook {
 public:
  void record(Refusal refusal);

  // Newest first. `identity` empty: of all. `kind` empty: refusals and warnings.
  std::vector<Refusal> recent(std::string_view identity, std::size_t limit, std::optional<EntryKind> kind = std::nullopt) const;
  // Refusals alone, since the start.
  std::uint64_t total() const;

 private:
  struct Page {
    std::string identity;
    std::deque<std::shared_ptr<const Refusal>> refusals;  // oldest first; shared with readers, who copy texts without the lock
  };
  mutable std::mutex mutex_;
  // Protected by mutex_.
  std::list<Page> pages_;  // the page written to last is in front
  std::unordered_map<std::string, std::list<Page>::iterator, StringHash, std::equal_to<>> by_identity_;
  std::uint64_t total_ = 0;
  std::uint64_t sequence_ = 0;
};

void write_json(JsonWriter& json, const Refusal& refusal);

}  // namespace nearhub::auth
