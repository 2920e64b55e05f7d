#include "store/sqlite.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace nearhub::store {
namespace {

// It holds every key of the hub: nobody else on the machine may read it, whatever the folder and the umask allow. SQLite gives its log and index files
// the mode of the database. Where this fails, opening fails, and says why.
void keep_private(const std::string& path) {
  // Not opened when it is there: closing it again would drop the locks of this process's other connections.
  const int made = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made >= 0) {
    ::close(made);
    return;
  }
  for (const char* suffix : {"", "-wal", "-shm"}) static_cast<void>(::chmod((path + suffix).c_str(), 0600));
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)), failed_(other.failed_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  std::swap(failed_, other.failed_);
  return *this;
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(int index, std::string_view text) {
  // A null pointer would bind NULL.
  const char* data = text.data() == nullptr ? "" : text.data();
  failed_ |= sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK;
  return *this;
}

Statement& Statement::bind(int index, const std::optional<std::string>& text) {
  if (text) return bind(index, std::string_view(*text));
  failed_ |= sqlite3_bind_null(statement_, index) != SQLITE_OK;
  return *this;
}

Statement& Statement::bind(int index, std::int64_t number) {
  failed_ |= sqlite3_bind_int64(statement_, index, number) != SQLITE_OK;
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  failed_ |= sqlite3_bind_blob64(statement_, index, data, bytes.size(), SQLITE_STATIC) != SQLITE_OK;
  return *this;
}

bool Statement::step() {
  if (failed_) return false;
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  failed_ = result != SQLITE_DONE;
  if (!failed_) sqlite3_reset(statement_);
  return false;
}

bool Statement::run() {
  while (step()) {
  }
  return ok();
}

void Statement::reset() {
  sqlite3_reset(statement_);
  failed_ = false;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Statement::text_view(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text == nullptr ? std::string_view() : std::string_view(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

std::string Statement::text(int column) const { return std::string(text_view(column)); }

std::optional<std::string> Statement::optional_text(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return text(column);
}

std::string_view Statement::blob_view(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return bytes == nullptr ? std::string_view() : std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

Result<Database> Database::open(const std::string& path, Mode mode) {
  const int flags = mode == Mode::kReadWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  if (mode == Mode::kReadWrite && !path.starts_with(':')) keep_private(path);
  sqlite3* handle = nullptr;
  // One thread per connection: SQLite's own mutexes are not needed.
  const int result = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(handle);
  if (result != SQLITE_OK) {
    return Error{ErrorCode::kIo, fmt::format("cannot open {}: {}", path, handle != nullptr ? sqlite3_errmsg(handle) : "out of memory")};
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, 10'000);
  return database;
}

Database::Database(Database&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)), cached_(std::move(other.cached_)) {}

Database& Database::operator=(Database&& other) noexcept {
  std::swap(database_, other.database_);
  std::swap(cached_, other.cached_);
  return *this;
}

Database::~Database() {
  cached_.clear();
  sqlite3_close_v2(database_);
}

Status Database::execute(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error(sql);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return error(sql);
  }
  return Statement(statement);
}

Result<Statement*> Database::cached(std::string_view sql) {
  auto found = cached_.find(sql);
  if (found == cached_.end()) {
    auto prepared = prepare(sql);
    if (!prepared.ok()) return std::move(prepared).error();
    found = cached_.emplace(std::string(sql), std::move(*prepared)).first;
  }
  found->second.reset();
  return &found->second;
}

Result<std::int64_t> Database::query_integer(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement.ok()) return std::move(statement).error();
  if (!statement->step()) return error(sql);
  return statement->integer(0);
}

std::int64_t Database::changes() const { return sqlite3_changes64(database_); }

std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(database_); }

Error Database::error(std::string_view what) const {
  const int code = sqlite3_extended_errcode(database_);
  const bool damaged = (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
  return {damaged ? ErrorCode::kCorrupt : ErrorCode::kIo,
          fmt::format("SQLite: {} (code {}) at \"{}\"", sqlite3_errmsg(database_), code, what.substr(0, 80))};
}

}  // namespace nearhub::store
