// A twin that is in memory as a row of a query: its document over a stored form of its own.
//
// THREAD: a value type; what the head refers to outlives it.
#pragma once
#include "hub/twin_document.h"
#include "twin/twin.h"

namespace nearhub::hub {

struct TwinSnapshot {
  TwinSnapshot(const TwinHead& head, const twin::Twin& twin)
      : stored(twin.stored()), document(head, {stored.has_tags, stored.tags, stored.desired, stored.reported}) {}

  const twin::StoredTwin stored;
  const TwinDocument document;
};

}  // namespace nearhub::hub
