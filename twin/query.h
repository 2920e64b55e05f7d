// The query language over twins and jobs (reference/service-rest.md 6), as a library without input or output: everything that it takes to read a
// query and to answer it over rows that somebody else has.
//
//   auto parsed = parse_query("SELECT * FROM devices WHERE tags.floor > 3");
//   if (const auto* fault = std::get_if<Fault>(&parsed)) ...  // position and sentence
//   if (matches(query, row)) write_row(json, query, row);
//
// From text to rows, stage by stage: query_lexer -> query_parser, query_expressions -> query_ast -> query_plan -> query_evaluate ->
// query_project or query_aggregate.
#pragma once
#include "twin/query_aggregate.h"
#include "twin/query_ast.h"
#include "twin/query_evaluate.h"
#include "twin/query_parser.h"
#include "twin/query_plan.h"
#include "twin/query_project.h"
#include "twin/query_row.h"
