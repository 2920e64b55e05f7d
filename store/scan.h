// Steps through the stored twins, for queries. Private to store.
//
// THREAD: the thread of the connection.
#pragma once
#include <memory>

#include "hub/twin_scan.h"
#include "store/sqlite.h"

namespace nearhub::store {

Result<hub::TwinScanStep> scan_twins(Database& database, const hub::TwinScan& scan, std::unique_ptr<hub::TwinVisitor> visitor);

}  // namespace nearhub::store
