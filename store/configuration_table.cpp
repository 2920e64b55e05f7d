#include "store/configuration_table.h"

#include <fmt/core.h>

#include <utility>

namespace nearhub::store {

Result<std::unique_ptr<ConfigurationTable>> ConfigurationTable::prepare(Database& database) {
  std::unique_ptr<ConfigurationTable> table(new ConfigurationTable());
  const std::pair<Statement*, const char*> texts[] = {
      {&table->find_, "SELECT etag FROM configuration WHERE id=?1"},
      {&table->put_,
       "INSERT INTO configuration(id, schema_version, labels, content, target_condition, priority, metrics, created, updated, etag) "
       "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10) ON CONFLICT(id) DO UPDATE SET schema_version=excluded.schema_version, labels=excluded.labels, "
       "content=excluded.content, target_condition=excluded.target_condition, priority=excluded.priority, metrics=excluded.metrics, "
       "created=excluded.created, updated=excluded.updated, etag=excluded.etag"},
      {&table->delete_, "DELETE FROM configuration WHERE id=?1"},
      {&table->put_sweep_, "INSERT INTO configuration_sweep(id, sweep) VALUES(?1,?2) ON CONFLICT(id) DO UPDATE SET sweep=excluded.sweep"},
      {&table->delete_sweep_, "DELETE FROM configuration_sweep WHERE id=?1 AND sweep=?2"},
  };
  for (const auto& [statement, sql] : texts) {
    auto prepared = database.prepare(sql);
    if (!prepared.ok()) return std::move(prepared).error();
    *statement = std::move(*prepared);
  }
  return table;
}

bool ConfigurationTable::check(const std::string& id, std::optional<std::int64_t> expected_etag, Status& result) {
  std::optional<std::int64_t> etag;
  find_.bind(1, std::string_view(id));
  if (find_.step()) {
    etag = find_.integer(0);
    find_.reset();
  }
  if (etag != expected_etag) {
    const auto text = [](std::optional<std::int64_t> counter) { return counter ? std::to_string(*counter) : std::string("none"); };
    result = Error{ErrorCode::kPreconditionFailed, fmt::format("configuration {} has etag counter {}, expected {}", id, text(etag), text(expected_etag))};
  }
  return find_.ok();
}

bool ConfigurationTable::mark(const std::string& id, std::int64_t sweep) {
  put_sweep_.bind(1, std::string_view(id)).bind(2, sweep);
  return put_sweep_.run();
}

bool ConfigurationTable::run(const hub::PutConfiguration& op, Status& result) {
  const hub::Configuration& configuration = op.configuration;
  if (!check(configuration.id, op.expected_etag, result)) return false;
  if (!result.ok()) return true;
  put_.bind(1, std::string_view(configuration.id))
      .bind(2, configuration.schema_version)
      .bind(3, std::string_view(configuration.labels))
      .bind(4, std::string_view(configuration.content))
      .bind(5, std::string_view(configuration.target_condition))
      .bind(6, configuration.priority)
      .bind(7, std::string_view(configuration.metrics))
      .bind(8, configuration.created)
      .bind(9, configuration.updated)
      .bind(10, configuration.etag_counter);
  return put_.run() && mark(configuration.id, op.sweep);
}

bool ConfigurationTable::run(const hub::DeleteConfiguration& op, Status& result) {
  if (!check(op.configuration, op.expected_etag, result)) return false;
  if (!result.ok()) return true;
  delete_.bind(1, std::string_view(op.configuration));
  return delete_.run() && mark(op.configuration, op.sweep);
}

bool ConfigurationTable::run(const hub::EndConfigurationSweep& op) {
  delete_sweep_.bind(1, std::string_view(op.configuration)).bind(2, op.sweep);
  return delete_sweep_.run();
}

Result<hub::StoredConfigurations> read_configurations(Database& database) {
  hub::StoredConfigurations stored;
  auto rows =
      database.cached("SELECT id, schema_version, labels, content, target_condition, priority, metrics, created, updated, etag FROM configuration ORDER BY id");
  if (!rows.ok()) return std::move(rows).error();
  while ((*rows)->step()) {
    stored.configurations.push_back({(*rows)->text(0), (*rows)->optional_text(1), (*rows)->text(2), (*rows)->text(3), (*rows)->text(4), (*rows)->integer(5),
                                     (*rows)->text(6), (*rows)->time(7), (*rows)->time(8), (*rows)->integer(9)});
  }
  if (!(*rows)->ok()) return database.error("reading configurations");
  auto sweeps = database.cached("SELECT id, sweep FROM configuration_sweep ORDER BY sweep");
  if (!sweeps.ok()) return std::move(sweeps).error();
  while ((*sweeps)->step()) stored.sweeps.emplace_back((*sweeps)->text(0), (*sweeps)->integer(1));
  if (!(*sweeps)->ok()) return database.error("reading the sweeps of configurations");
  return stored;
}

}  // namespace nearhub::store
