// Whether a row meets a condition, and what a path finds in it.
//
// Undefined is a value of its own, as in document databases: what is not there is undefined; comparing with it, or values of different kinds,
// or objects and arrays, gives undefined; NOT undefined is undefined; AND and OR know it as "neither". A condition selects the rows for which
// it is true. IN and NIN ask for membership: an item of another kind is simply another one.
//
// THREAD: any thread.
#pragma once
#include <span>

#include "twin/query_ast.h"
#include "twin/query_row.h"

namespace nearhub::twin::query {

// Valid as long as the row's members are.
JsonView find(const Path& path, const Row& row);

bool is_true(const Expression& condition, const Row& row);

// Whether all of the query's conditions are true.
bool matches(const Query& query, const Row& row);

}  // namespace nearhub::twin::query
