// SQLite in C++: a connection, a prepared statement, and errors as Results. Private to store.
//
// Text and blobs are bound without a copy and must outlive the next step() or reset().
//
// THREAD: a connection and its statements belong to one thread at a time.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace nearhub::store {

class Database;

// Prepared once, run many times:
//   statement.bind(1, id).bind(2, number);
//   while (statement.step()) use(statement.text(0));
//   if (!statement.ok()) ...
class Statement {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, const std::optional<std::string>& text);
  Statement& bind(int index, std::optional<std::string>&& text) = delete;  // would be gone when the statement runs
  Statement& bind(int index, std::int64_t number);
  Statement& bind(int index, std::uint64_t number) { return bind(index, static_cast<std::int64_t>(number)); }
  Statement& bind(int index, int number) { return bind(index, static_cast<std::int64_t>(number)); }
  Statement& bind(int index, std::uint32_t number) { return bind(index, static_cast<std::int64_t>(number)); }
  Statement& bind(int index, WallTime time) { return bind(index, static_cast<std::int64_t>(time.time_since_epoch().count())); }
  Statement& bind_blob(int index, std::string_view bytes);

  // True while there is a row. At the end the statement is ready to be bound again; after an error, when reset() was called.
  bool step();
  // Runs a statement that gives no rows. False after an error.
  bool run();
  // Drops the remaining rows.
  void reset();
  bool ok() const { return !failed_; }

  std::int64_t integer(int column) const;
  std::string text(int column) const;
  std::string_view text_view(int column) const;  // until the next step() or reset()
  std::optional<std::string> optional_text(int column) const;
  std::string_view blob_view(int column) const;
  WallTime time(int column) const { return WallTime{Ticks{integer(column)}}; }

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  sqlite3_stmt* statement_ = nullptr;
  bool failed_ = false;
};

class Database {
 public:
  enum class Mode { kReadWrite, kReadOnly };
  static Result<Database> open(const std::string& path, Mode mode);
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  ~Database();

  Status execute(const char* sql);                 // one or more statements without rows
  Result<Statement> prepare(std::string_view sql);
  // A statement that the connection keeps for the next call with the same text. Ready to be bound; valid while the connection is.
  Result<Statement*> cached(std::string_view sql);
  Result<std::int64_t> query_integer(std::string_view sql);
  std::int64_t changes() const;
  std::int64_t last_insert_id() const;
  // What the last failing call on this connection said.
  Error error(std::string_view what) const;

 private:
  explicit Database(sqlite3* database) : database_(database) {}
  sqlite3* database_;
  std::unordered_map<std::string, Statement, StringHash, std::equal_to<>> cached_;  // finalised before the connection closes
};

}  // namespace nearhub::store
