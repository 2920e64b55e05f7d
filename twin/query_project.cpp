#include "twin/query_project.h"

#include "twin/query_evaluate.h"

namespace nearhub::twin::query {

void write_row(JsonWriter& json, const Query& query, const Row& row) {
  if (query.selects_all()) return row.write(json);
  json.object();
  for (const Column& column : query.columns) {
    const JsonView value = find(*column.path, row);
    if (!value.is_defined()) continue;
    json.member(column.name);
    value.write(json);
  }
  json.end_object();
}

}  // namespace nearhub::twin::query
