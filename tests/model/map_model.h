// What a hub with a store should do, said with maps: no batches, no cache, no time between a write and its commit.
//
// THREAD: one.
#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "hub/cloud_message.h"
#include "hub/session.h"

namespace nearhub::hub {

// A section of a twin with flat integer values, in the order in which they came.
struct ModelSection {
  std::vector<std::pair<std::string, std::optional<int>>> values;  // null only in a patch
  std::int64_t version = 1;

  void merge(const ModelSection& patch) {
    for (const auto& [name, value] : patch.values) {
      const auto found = std::find_if(values.begin(), values.end(), [&](const auto& entry) { return entry.first == name; });
      if (!value) {
        if (found != values.end()) values.erase(found);
      } else if (found != values.end()) {
        found->second = value;
      } else {
        values.emplace_back(name, value);
      }
    }
  }
  void replace(const ModelSection& replacement) {
    values.clear();
    merge(replacement);
  }
  std::string members() const {
    std::string text;
    for (const auto& [name, value] : values) {
      text += (text.empty() ? "\"" : ",\"") + name + "\":" + (value ? std::to_string(*value) : "null");
    }
    return text;
  }
  std::string json() const { return "{" + members() + "}"; }
  std::string with_version() const {
    return "{" + members() + (values.empty() ? "" : ",") + "\"$version\":" + std::to_string(version) + "}";
  }
};

struct ModelMessage {
  std::uint64_t sequence;
  std::string body;
  Ack ack;
  WallTime expiry;
  bool in_flight = false;
  bool sent_before = false;
};

struct ModelIdentity {
  std::int64_t etag_counter = 0;  // known once the creation is answered
  bool enabled = true;
  int key = 0;
  std::int64_t twin_etag = 1;
  bool has_tags = false;
  ModelSection tags, desired, reported;
  std::optional<Session> stored_session;
  std::vector<ModelMessage> queue;
  std::uint64_t next_sequence = 1;

  bool connected = false;
  bool persistent = false;
  Session session;
  std::size_t in_flight() const {
    return static_cast<std::size_t>(std::count_if(queue.begin(), queue.end(), [](const auto& m) { return m.in_flight; }));
  }
};

struct ModelFeedback {
  std::string device;
  std::string text;  // "d0/m0 3 Expired": identity, body, outcome
};

struct MapModel {
  std::map<std::string, ModelIdentity> identities;
  std::vector<ModelFeedback> feedback;

  ModelIdentity* find(const std::string& id) {
    const auto found = identities.find(id);
    return found == identities.end() ? nullptr : &found->second;
  }
  static std::string device_of(const std::string& id) { return id.substr(0, id.find('/')); }
  void settle_message(const std::string& id, const ModelMessage& message, Outcome outcome) {
    if (wants_feedback(message.ack, outcome)) {
      feedback.push_back({device_of(id), id + " " + message.body + " " + std::string(outcome_text(outcome))});
    }
  }
  void disconnect(ModelIdentity& identity) {
    identity.connected = false;
    identity.session = {};
    for (ModelMessage& message : identity.queue) {
      message.sent_before |= message.in_flight;
      message.in_flight = false;
    }
  }
  void erase(const std::string& id) {
    std::erase_if(identities, [&](const auto& entry) {
      return entry.first == id || (id.find('/') == std::string::npos && device_of(entry.first) == id);
    });
    if (id.find('/') == std::string::npos) {
      std::erase_if(feedback, [&](const ModelFeedback& each) { return each.device == id; });
    }
  }
};

}  // namespace nearhub::hub
