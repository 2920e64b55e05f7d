// The reads of hub/store.h as SQL. Private to store.
//
// THREAD: the thread of the connection.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "hub/store.h"
#include "store/sqlite.h"

namespace nearhub::store {

// The columns of `identity i` that make an identity: the first kIdentityColumnCount of a row, for read_identity().
extern const std::string_view kIdentityColumns;
extern const int kIdentityColumnCount;
registry::Identity read_identity(const Statement& row);

Result<std::optional<hub::DeviceRecord>> load_device(Database& database, const DeviceId& id);
Result<std::vector<hub::CloudMessage>> load_cloud_messages(Database& database, const IdentityId& id, const std::vector<std::uint64_t>& sequences);
Result<std::vector<registry::Identity>> list_devices(Database& database, std::size_t limit);
Result<std::vector<hub::IdentityRecord>> read_identities(Database& database, const hub::IdentityQuery& query);
Result<std::vector<hub::TransferJob>> list_transfer_jobs(Database& database);
Result<hub::DeviceCounts> count_devices(Database& database);
Result<std::vector<IdentityId>> find_expired(Database& database, WallTime now, const IdentityId& after, std::size_t limit);
Result<std::vector<DeviceId>> find_similar(Database& database, const DeviceId& id);
Result<std::vector<hub::Feedback>> read_feedback(Database& database, std::size_t limit);

}  // namespace nearhub::store
