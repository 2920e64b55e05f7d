// One row of a query without aggregates, as JSON.
//
// THREAD: any thread.
#pragma once
#include "base/json_writer.h"
#include "twin/query_ast.h"

namespace nearhub::twin::query {

// The whole row for SELECT *; else the columns, each value as it was spelled, what is undefined left out.
void write_row(JsonWriter& json, const Query& query, const Row& row);

}  // namespace nearhub::twin::query
