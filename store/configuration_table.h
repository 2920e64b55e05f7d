// The write operations of configurations as SQL. Private to store.
//
// THREAD: writer thread.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "hub/store.h"
#include "store/sqlite.h"

namespace nearhub::store {

class ConfigurationTable {
 public:
  static Result<std::unique_ptr<ConfigurationTable>> prepare(Database& database);

  // As Operations::run().
  bool run(const hub::PutConfiguration& op, Status& result);
  bool run(const hub::DeleteConfiguration& op, Status& result);
  bool run(const hub::EndConfigurationSweep& op);

 private:
  ConfigurationTable() = default;

  // Whether it is stored with this etag counter; nullopt: is not stored. What is wrong goes into `result`. False: the database failed.
  bool check(const std::string& id, std::optional<std::int64_t> expected_etag, Status& result);
  bool mark(const std::string& id, std::int64_t sweep);

  Statement find_, put_, delete_, put_sweep_, delete_sweep_;
};

// All of them, and the sweeps that are to be done.
Result<hub::StoredConfigurations> read_configurations(Database& database);

}  // namespace nearhub::store
