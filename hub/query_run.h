// Carrying out queries over the hub's twins and jobs, a page at a time.
//
// A page goes through the stored twins in bounded steps on the store's reading threads, where conditions are judged and rows are written; between
// steps the loop asks the home shards for what only they know of the rows that need it. No step runs on a loop. What was acknowledged before the
// query came is seen by it.
//
// Three forms of the same: pages of JSON for clients, pages of identities for jobs and configurations, and a count.
//
// THREAD: all functions on the thread of `loop`, where answers run, too.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "hub/hub.h"
#include "hub/limits.h"
#include "hub/store.h"
#include "twin/query.h"

namespace nearhub::hub {

using SharedQuery = std::shared_ptr<const twin::query::Query>;

struct QueryRequest {
  SharedQuery query;
  std::size_t max_rows = kDefaultQueryPageRows;  // at least 1
  std::string continuation;                      // of the page before; empty: the first page
};

struct QueryPage {
  std::string json;          // an array
  std::string continuation;  // empty: there are no further pages
};

// `wanted`: asked between steps; false ends the query without an answer (the client is gone). Fails with kArgumentInvalid for a token that is not
// of this query and for too many groups, with kThrottlingException when too many queries are under way.
void run_query(const Hub& hub, Executor& loop, QueryRequest request, UniqueFunction<bool()> wanted, Answer<QueryPage> answer);

struct IdentityPage {
  std::vector<IdentityId> identities;
  bool more = false;  // behind the last of them
};

// The identities whose twins match, in order, at most `limit` of those behind `after`. The query's columns do not count. Fails with kInvalidOperation for
// devices.jobs.
void select_identities(const Hub& hub, Executor& loop, SharedQuery query, IdentityId after, std::size_t limit, Answer<IdentityPage> answer);

// How many rows the query has; of one with aggregates, how many groups. Fails as select_identities() does.
void count_rows(const Hub& hub, Executor& loop, SharedQuery query, Answer<std::uint64_t> answer);

// Which rows of devices.jobs a query can find at the most; what is empty says nothing.
struct JobRowFilter {
  std::string job;
  std::string device;
};

// Where the rows of devices.jobs come from. Each row is a JSON object (reference/service-rest.md 5.9) with a key of its own; rows come in an order
// that stays, and a key says where one stands in it.
class JobRows {
 public:
  struct Chunk {
    std::vector<std::pair<std::string, std::string>> rows;  // key, JSON
    bool at_end = true;
  };
  virtual ~JobRows() = default;
  // Rows behind the key (empty: from the first), at most `limit`. Others than those of the filter may be among them.
  virtual void read_job_rows(JobRowFilter filter, std::string after, std::size_t limit, Executor& executor, Answer<Chunk> answer) = 0;
};

}  // namespace nearhub::hub
