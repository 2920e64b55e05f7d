#include "auth/refusal.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "base/time_format.h"

namespace nearhub::auth {

std::string_view check_text(Check check) {
  switch (check) {
    case Check::kTls: return "TLS";
    case Check::kProtocol: return "protocol";
    case Check::kTimeLimit: return "time limit";
    case Check::kUserName: return "user name";
    case Check::kClientId: return "client id";
    case Check::kHostName: return "host name";
    case Check::kApiVersion: return "api-version";
    case Check::kIdentity: return "identity";
    case Check::kStatus: return "status";
    case Check::kCredential: return "credential";
    case Check::kSasFormat: return "SAS format";
    case Check::kSasResource: return "SAS resource";
    case Check::kSasPolicy: return "SAS policy";
    case Check::kSasSignature: return "SAS signature";
    case Check::kSasExpiry: return "SAS expiry";
    case Check::kCertificate: return "certificate";
    case Check::kPermission: return "permission";
    case Check::kTopic: return "topic";
    case Check::kFilter: return "filter";
    case Check::kQos: return "QoS";
    case Check::kSize: return "size";
    case Check::kLimit: return "limit";
    case Check::kBody: return "body";
    case Check::kState: return "state";
  }
  return "check";
}

std::string Denial::sentence() const {
  std::string text = expected.empty() ? received : "expected " + expected + "; received " + received;
  if (!advice.empty()) text += "; " + advice;
  return text;
}

void RefusalBook::record(Refusal refusal) {
  for (std::string* text : {&refusal.identity, &refusal.operation, &refusal.denial.expected, &refusal.denial.received, &refusal.denial.advice}) {
    *text = printable(*text, kMaxRefusalTextBytes);
  }
  refusal.first_at = refusal.at;
  refusal.count = 1;

  const std::lock_guard lock(mutex_);
  refusal.sequence = ++sequence_;
  if (refusal.kind == EntryKind::kRefusal) ++total_;
  auto found = by_identity_.find(refusal.identity);
  if (found == by_identity_.end()) {
    if (pages_.size() >= kMaxRefusalIdentities) {
      by_identity_.erase(pages_.back().identity);
      pages_.pop_back();
    }
    pages_.push_front({refusal.identity, {}});
    found = by_identity_.emplace(refusal.identity, pages_.begin()).first;
  } else {
    pages_.splice(pages_.begin(), pages_, found->second);
  }
  auto& page = found->second->refusals;
  // The port of the peer changes with every attempt and what came may hold a time; the check and the operation tell one mistake.
  const auto equal = [&refusal](const auto& entry) {
    return entry->kind == refusal.kind && entry->operation == refusal.operation && entry->denial.check == refusal.denial.check &&
           entry->denial.expected == refusal.denial.expected && entry->denial.advice == refusal.denial.advice;
  };
  const auto candidates = refusal.kind == EntryKind::kWarning || page.empty() ? page.begin() : std::prev(page.end());
  if (const auto earlier = std::find_if(candidates, page.end(), equal); earlier != page.end()) {
    refusal.first_at = (*earlier)->first_at;
    refusal.count = (*earlier)->count + 1;
    page.erase(earlier);
  }
  page.push_back(std::make_shared<const Refusal>(std::move(refusal)));
  if (page.size() > kMaxRefusalsPerIdentity) page.pop_front();
}

std::vector<Refusal> RefusalBook::recent(std::string_view identity, std::size_t limit, std::optional<EntryKind> kind) const {
  std::vector<std::shared_ptr<const Refusal>> found;
  const auto take = [&found, kind](const Page& page) {
    std::copy_if(page.refusals.begin(), page.refusals.end(), std::back_inserter(found), [kind](const auto& entry) { return !kind || entry->kind == *kind; });
  };
  {
    const std::lock_guard lock(mutex_);
    if (identity.empty()) {
      // Pages are in the order of their newest entry, so `limit` pages hold the newest `limit` entries; but not those of one kind.
      std::size_t pages = 0;
      for (const Page& page : pages_) {
        if (!kind && pages++ == limit) break;
        take(page);
      }
    } else if (const auto page = by_identity_.find(identity); page != by_identity_.end()) {
      take(*page->second);
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a->sequence > b->sequence; });
  if (found.size() > limit) found.resize(limit);
  std::vector<Refusal> result;
  for (const auto& refusal : found) result.push_back(*refusal);
  return result;
}

std::uint64_t RefusalBook::total() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

void write_json(JsonWriter& json, const Refusal& refusal) {
  const bool refused = refusal.kind == EntryKind::kRefusal;
  json.object()
      .member("kind", refused ? "refusal" : "warning")
      .member("time", format_iso8601(refusal.at))
      .member("firstTime", format_iso8601(refusal.first_at))
      .member("count", static_cast<std::int64_t>(refusal.count))
      .member("identity", refusal.identity)
      .member("peer", refusal.peer)
      .member("operation", refusal.operation)
      .member("check", check_text(refusal.denial.check))
      .member("errorCode", refused ? static_cast<std::int64_t>(error_number(refusal.denial.code)) : 0)
      .member("error", refused ? error_name(refusal.denial.code) : std::string_view())
      .member("expected", refusal.denial.expected)
      .member("received", refusal.denial.received)
      .member("advice", refusal.denial.advice)
      .member("answer", refusal.answer)
      .end_object();
}

}  // namespace nearhub::auth
