// What import and export need of the store: pages of identities, and the history of jobs.
#include "store/operations.h"
#include "tests/store/store_rig.h"

namespace nearhub::store {
namespace {

hub::WriteOperation create_edge(std::string_view id) {
  auto operation = std::get<hub::CreateIdentity>(create(id));
  operation.identity.iot_edge = true;
  operation.reported_version = 4;
  return operation;
}

std::vector<std::string> ids(StoreRig& rig, hub::IdentityQuery query) {
  std::vector<std::string> found;
  for (;;) {
    const auto page = rig.wait_for<std::vector<hub::IdentityRecord>>(
        [&](hub::Answer<std::vector<hub::IdentityRecord>> answer) { rig.store().read_identities(query, rig.executor, std::move(answer)); });
    REQUIRE(page.ok());
    CHECK(page->size() <= query.limit);
    if (page->empty()) return found;
    for (const hub::IdentityRecord& record : *page) found.push_back(record.identity.id.text());
    query.after = page->back().identity.id;
  }
}

std::vector<hub::TransferJob> jobs(StoreRig& rig) {
  auto listed = rig.wait_for<std::vector<hub::TransferJob>>(
      [&](hub::Answer<std::vector<hub::TransferJob>> answer) { rig.store().list_transfer_jobs(rig.executor, std::move(answer)); });
  REQUIRE(listed.ok());
  return std::move(*listed);
}

hub::TransferJob job(const std::string& id, hub::TransferStatus status, WallTime ended = kNever) {
  return {id, hub::TransferKind::kImport, status, 40, WallTime{Ticks{5}}, ended, "why", true, "in.txt", "out.txt"};
}

}  // namespace

TEST_SUITE("store") {
  TEST_CASE("identities are read in pages: edge devices by themselves, all others with their modules, each once and in order") {
    StoreRig rig;
    rig.apply({create("d2"), create_edge("e1"), create("d1"), create("d1/m2"), create("d1/m1"), create_edge("e0"), create("e1/m")});
    for (const std::size_t limit : {1u, 2u, 100u}) {
      CAPTURE(limit);
      CHECK(ids(rig, {true, {}, limit, 1'000'000}) == std::vector<std::string>{"e0", "e1"});
      CHECK(ids(rig, {false, {}, limit, 1'000'000}) == std::vector<std::string>{"d1", "d1/m1", "d1/m2", "d2", "e1/m"});
    }
    CHECK(ids(rig, {false, {}, 100, 1}).size() == 5);  // a page has one at least
  }

  TEST_CASE("a twin can begin with any version of its reported properties") {
    StoreRig rig;
    rig.apply({create_edge("e1")});
    CHECK_FALSE(rig.write(put_twin("e1", 1, 1, 2, 2)).ok());
    CHECK(rig.write(put_twin("e1", 1, 4, 2, 5)).ok());
  }

  TEST_CASE("policies: are replaced by a write too, with all else of its batch") {
    const TemporaryFolder folder;
    StoreSettings settings;
    settings.path = folder.file("nearhub.db");
    StoreRig rig(settings);
    SeededRandom random(1);
    const auto policies = auth::make_default_policies(random);
    rig.apply({hub::ReplacePolicies{policies}, hub::ReplacePolicies{{policies[2]}}});
    rig.reopen();
    CHECK(rig.store().policies().value().size() == 1);
    CHECK(rig.store().policies().value()[0].name == "device");
  }

  TEST_CASE("jobs: are kept as they are written, the latest first") {
    StoreRig rig;
    rig.apply({hub::PutTransferJob{job("a", hub::TransferStatus::kEnqueued)}, hub::PutTransferJob{job("b", hub::TransferStatus::kEnqueued)}});
    rig.apply({hub::PutTransferJob{job("a", hub::TransferStatus::kCompleted, WallTime{Ticks{9}})}});
    const auto kept = jobs(rig);
    REQUIRE(kept.size() == 2);
    CHECK(kept[0].id == "b");
    CHECK(kept[1].id == "a");
    CHECK(kept[1].kind == hub::TransferKind::kImport);
    CHECK(kept[1].status == hub::TransferStatus::kCompleted);
    CHECK(kept[1].progress == 40);
    CHECK(kept[1].started == WallTime{Ticks{5}});
    CHECK(kept[1].ended == WallTime{Ticks{9}});
    CHECK(kept[1].failure == "why");
    CHECK(kept[1].exclude_keys);
    CHECK(kept[1].input_blob == "in.txt");
    CHECK(kept[1].output_blob == "out.txt");
  }

  TEST_CASE("jobs: those that a stop cut off are shown as failed") {
    const TemporaryFolder folder;
    StoreSettings settings;
    settings.path = folder.file("nearhub.db");
    StoreRig rig(settings);
    rig.apply({hub::PutTransferJob{job("waits", hub::TransferStatus::kEnqueued)}, hub::PutTransferJob{job("runs", hub::TransferStatus::kRunning)},
               hub::PutTransferJob{job("done", hub::TransferStatus::kCancelled, rig.clock.now())}});
    rig.reopen();
    const auto kept = jobs(rig);
    REQUIRE(kept.size() == 3);
    CHECK(kept[0].status == hub::TransferStatus::kCancelled);
    for (const std::size_t i : {1u, 2u}) {
      CHECK(kept[i].status == hub::TransferStatus::kFailed);
      CHECK(kept[i].ended == rig.clock.now());
      CHECK(kept[i].failure.starts_with("the hub stopped"));
    }
  }

  TEST_CASE("jobs: ended ones are forgotten after thirty days") {
    StoreRig rig;
    rig.apply({hub::PutTransferJob{job("old", hub::TransferStatus::kCompleted, rig.clock.now())}});
    rig.clock.advance(hub::kTransferJobHistory + 1s);
    rig.apply({hub::PutTransferJob{job("new", hub::TransferStatus::kFailed, rig.clock.now())}, hub::PutTransferJob{job("runs", hub::TransferStatus::kRunning)}});
    rig.store().trim();
    rig.apply({create("d1")});  // behind it
    const auto kept = jobs(rig);
    REQUIRE(kept.size() == 2);
    CHECK(kept[0].id == "runs");
    CHECK(kept[1].id == "new");
  }
}

}  // namespace nearhub::store
