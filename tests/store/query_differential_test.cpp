// The query language beside SQLite's JSON functions, for what both can say: random documents, random conditions, the same rows.
//
// SQL's NULL is the language's undefined: a CASE without ELSE gives it where kinds differ, and NOT, AND and OR treat it alike.
// RC_PARAMS="seed=... max_success=..." in the environment looks elsewhere, or longer.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "store/sqlite.h"
#include "twin/query.h"

using namespace nearhub;
using namespace nearhub::store;
using namespace nearhub::twin::query;

namespace {

// Both languages for one condition, made from random bytes: fewer and smaller bytes are a smaller condition.
struct Condition {
  std::string query;
  std::string sql;
};

class Dice {
 public:
  explicit Dice(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}

  std::size_t roll(std::size_t sides) { return at_ < bytes_.size() ? bytes_[at_++] % sides : 0; }
  template <std::size_t n>
  std::string_view one_of(const std::string_view (&choices)[n]) { return choices[roll(n)]; }

  std::string document(std::size_t number) {
    std::string tags;
    for (const std::string_view name : {"a", "b", "c"}) {
      if (roll(4) != 0) tags += fmt::format("{}\"{}\":{}", tags.empty() ? "" : ",", name, value(2));
    }
    return fmt::format("{{\"deviceId\":\"d{}\",\"tags\":{{{}}}}}", number, tags);
  }

  Condition condition(int levels) {
    if (levels > 0) {
      switch (roll(6)) {
        case 0: {
          const Condition a = condition(levels - 1), b = condition(levels - 1);
          return {fmt::format("({} AND {})", a.query, b.query), fmt::format("({} AND {})", a.sql, b.sql)};
        }
        case 1: {
          const Condition a = condition(levels - 1), b = condition(levels - 1);
          return {fmt::format("({} OR {})", a.query, b.query), fmt::format("({} OR {})", a.sql, b.sql)};
        }
        case 2: {
          const Condition a = condition(levels - 1);
          return {fmt::format("NOT {}", a.query), fmt::format("NOT {}", a.sql)};
        }
        default: break;
      }
    }
    const Place place = this->place();
    switch (roll(8)) {
      case 0: return {fmt::format("IS_DEFINED({})", place.path), fmt::format("({} IS NOT NULL)", place.type())};
      case 1: {
        const Kind& kind = kKinds[roll(std::size(kKinds))];
        return {fmt::format("{}({})", kind.function, place.path), fmt::format("({} IS NOT NULL AND {} IN ({}))", place.type(), place.type(), kind.types)};
      }
      case 2: {
        const std::string_view prefix = one_of(kTexts);
        return {fmt::format("STARTSWITH({}, '{}')", place.path, prefix),
                fmt::format("CASE WHEN {0}='text' THEN substr({1},1,length('{2}'))='{2}' END", place.type(), place.value(), prefix)};
      }
      case 3: return membership(place);
      case 4: {
        const Literal wanted = literal();
        return {fmt::format("ARRAY_CONTAINS({}, {})", place.path, wanted.query),
                fmt::format("CASE WHEN {}='array' THEN EXISTS(SELECT 1 FROM json_each(doc,'{}') e WHERE {}) END", place.type(), place.json_path,
                            wanted.equals("e.type", "e.atom"))};
      }
      case 5: {
        const int add = static_cast<int>(roll(5)) - 2, than = static_cast<int>(roll(9)) - 3;
        return {fmt::format("{} * 2 + {} >= {}", place.path, add, than),
                fmt::format("CASE WHEN {} IN ('integer','real') THEN {} * 2 + {} >= {} END", place.type(), place.value(), add, than)};
      }
      default: return comparison(place);
    }
  }

 private:
  struct Place {
    std::string path;       // in the query
    std::string json_path;  // in SQLite
    std::string type() const { return fmt::format("json_type(doc,'{}')", json_path); }
    std::string value() const { return fmt::format("json_extract(doc,'{}')", json_path); }
  };
  struct Literal {
    std::string query;
    std::string_view kind;  // "number", "text", "boolean", "null"
    std::string sql;

    std::string_view types() const {
      return kind == "number" ? "'integer','real'" : kind == "text" ? "'text'" : kind == "boolean" ? "'true','false'" : "'null'";
    }
    // Whether what stands there is this value.
    std::string equals(std::string_view type, std::string_view value) const {
      if (kind == "null") return fmt::format("{}='null'", type);
      if (kind == "boolean") return fmt::format("{}='{}'", type, query);
      return fmt::format("({} IN ({}) AND {}={})", type, types(), value, sql);
    }
  };
  struct Kind {
    std::string_view function;
    std::string_view types;
  };
  static constexpr std::string_view kTexts[] = {"", "a", "ab", "b", "B", "\xC3\xA9", "a\xC3\xA9"};
  static constexpr std::string_view kNumbers[] = {"0", "1", "-1", "1.5", "2", "1e1", "-0.5"};
  static constexpr std::string_view kComparisons[] = {"=", "!=", "<", "<=", ">", ">=", "<>"};
  static constexpr Kind kKinds[] = {{"IS_NUMBER", "'integer','real'"}, {"IS_STRING", "'text'"}, {"IS_BOOL", "'true','false'"}, {"IS_NULL", "'null'"},
                                    {"IS_ARRAY", "'array'"}, {"IS_OBJECT", "'object'"}, {"IS_PRIMITIVE", "'integer','real','text','true','false','null'"}};

  std::string scalar() {
    switch (roll(5)) {
      case 0: return std::string(one_of(kNumbers));
      case 1: return fmt::format("\"{}\"", one_of(kTexts));
      case 2: return roll(2) == 0 ? "true" : "false";
      case 3: return "null";
      default: return std::to_string(roll(4));
    }
  }

  std::string value(int levels) {
    const std::size_t kind = roll(8);
    if (levels == 0 || kind < 5) return scalar();
    std::string inside;
    const std::size_t count = roll(4);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name = kind == 5 ? std::string() : fmt::format("\"{}\":", static_cast<char>('a' + i));
      inside += (i == 0 ? "" : ",") + name + value(levels - 1);
    }
    return kind == 5 ? "[" + inside + "]" : "{" + inside + "}";
  }

  Place place() {
    Place place{"tags", "$.tags"};
    for (std::size_t steps = 1 + roll(2); steps > 0; --steps) {
      if (roll(5) == 0) {
        const std::string index = fmt::format("[{}]", roll(3));
        place.path += index;
        place.json_path += index;
      } else {
        const std::string name = fmt::format(".{}", static_cast<char>('a' + roll(3)));
        place.path += name;
        place.json_path += name;
      }
    }
    return place;
  }

  Literal literal() {
    switch (roll(4)) {
      case 0: {
        const std::string number(one_of(kNumbers));
        return {number, "number", number};
      }
      case 1: {
        const std::string text = fmt::format("'{}'", one_of(kTexts));
        return {text, "text", text};
      }
      case 2: return roll(2) == 0 ? Literal{"true", "boolean", "1"} : Literal{"false", "boolean", "0"};
      default: return {"null", "null", "0"};
    }
  }

  Condition comparison(const Place& place) {
    const Literal literal = this->literal();
    const std::string_view how = one_of(kComparisons);
    const std::string value = literal.kind == "boolean" ? fmt::format("({}='true')", place.type()) : literal.kind == "null" ? "0" : place.value();
    return {fmt::format("{} {} {}", place.path, how, literal.query),
            fmt::format("CASE WHEN {} IN ({}) THEN {} {} {} END", place.type(), literal.types(), value, how, literal.sql)};
  }

  Condition membership(const Place& place) {
    const bool negated = roll(2) == 1;
    std::string items, any = "0";
    for (std::size_t count = roll(4); count > 0; --count) {
      const Literal item = literal();
      items += (items.empty() ? "" : ", ") + item.query;
      any += " OR " + item.equals(place.type(), place.value());
    }
    return {fmt::format("{} {} [{}]", place.path, negated ? "NIN" : "IN", items),
            fmt::format("CASE WHEN {} IS NOT NULL THEN {}({}) END", place.type(), negated ? "NOT " : "", any)};
  }

  const std::vector<std::uint8_t>& bytes_;
  std::size_t at_ = 0;
};

std::string rows_of_sqlite(Database& database, const std::string& sql) {
  auto statement = database.prepare(sql);
  INFO(sql);
  REQUIRE(statement.ok());
  std::string rows;
  while (statement->step()) rows += statement->text(0) + ";";
  REQUIRE(statement->ok());
  return rows;
}

template <typename Testable>
void check_property(Testable&& testable) {
  // The same cases on every machine and in every run, unless the environment says otherwise.
  setenv("RC_PARAMS", "seed=20260101 max_success=400", /*overwrite=*/0);
  const auto result = rc::detail::checkTestable(std::forward<Testable>(testable));
  std::ostringstream report;
  rc::detail::printResultMessage(result, report);
  INFO(report.str());
  CHECK(result.template is<rc::detail::SuccessResult>());
}

}  // namespace

TEST_SUITE("store") {
  TEST_CASE("queries select what SQLite's JSON functions select, and count groups alike") {
    auto opened = Database::open(":memory:", Database::Mode::kReadWrite);
    REQUIRE(opened.ok());
    Database& database = *opened;
    REQUIRE(database.execute("CREATE TABLE t(doc TEXT NOT NULL)").ok());
    std::size_t selected_some = 0, selected_none = 0;
    check_property([&](const std::vector<std::uint8_t>& for_documents, const std::vector<std::uint8_t>& for_condition) {
      Dice documents(for_documents), conditions(for_condition);
      std::vector<std::string> rows;
      RC_ASSERT(database.execute("DELETE FROM t").ok());
      for (std::size_t i = 0; i < 12; ++i) {
        rows.push_back(documents.document(i));
        auto insert = database.prepare("INSERT INTO t(doc) VALUES(?1)");
        RC_ASSERT(insert.ok());
        insert->bind(1, std::string_view(rows.back()));
        RC_ASSERT(insert->run());
      }
      const Condition condition = conditions.condition(3);
      const std::string text = "SELECT tags.a, COUNT() AS n FROM devices WHERE " + condition.query + " GROUP BY tags.a";
      const Parsed parsed = parse_query(text);
      if (const auto* fault = std::get_if<Fault>(&parsed)) RC_FAIL(text + ": " + fault_text(text, *fault));
      const Query& query = std::get<Query>(parsed);
      std::string ours;
      Aggregation groups(query);
      for (const std::string& document : rows) {
        const DocumentRow row(Source::kDevices, document);
        if (!matches(query, row)) continue;
        ours += document + ";";
        RC_ASSERT(groups.add(row).ok());
      }
      (ours.empty() ? selected_none : selected_some) += 1;
      RC_LOG(text + "\n" + condition.sql);
      RC_ASSERT(ours == rows_of_sqlite(database, "SELECT doc FROM t WHERE " + condition.sql + " ORDER BY rowid"));
      // Groups of numbers and texts: of other kinds SQLite has no order, and no equality.
      const std::string scalar = "json_type(doc,'$.tags.a') IN ('integer','real','text')";
      const std::string theirs = rows_of_sqlite(database, "SELECT count(*) FROM (SELECT 1 FROM t WHERE (" + condition.sql + ") AND " + scalar +
                                                              " GROUP BY json_extract(doc,'$.tags.a'))");
      JsonWriter json;
      json.array();
      RC_ASSERT(!groups.write(json, {}, 1000));
      json.end_array();
      std::size_t of_scalars = 0;
      for (auto rest = twin::JsonView::of(json.text()).elements(); const auto group = rest.next();) {
        const twin::JsonView value = group->member("a");
        of_scalars += value.is_number() || value.is_string() ? 1 : 0;
      }
      RC_ASSERT(std::to_string(of_scalars) + ";" == theirs);
    });
    // The conditions are neither all true nor all false.
    CHECK(selected_some > 50);
    CHECK(selected_none > 50);
  }
}
