// Keeps hub.json, by which clients on the machine find the hub, true while the hub runs: a file is written on a thread that lives as long as that takes,
// because a loop must not wait for a disk.
//
// THREAD: update() and the destructor on one loop; `written` runs there too.
#pragma once
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/executor.h"
#include "base/result.h"

namespace nearhub::broker {

class HubFile {
 public:
  // `write` runs on the thread; `content` on the loop, as late as possible.
  HubFile(Executor& loop, std::function<std::string()> content, std::function<Status(const std::string&)> write)
      : loop_(loop), content_(std::move(content)), write_(std::move(write)) {}
  ~HubFile();
  HubFile(const HubFile&) = delete;
  HubFile& operator=(const HubFile&) = delete;

  // Runs `written` when the file says what is true now; a failure stands in the log.
  void update(Task written);

 private:
  void begin();
  void on_written();

  Executor& loop_;
  const std::function<std::string()> content_;
  const std::function<Status(const std::string&)> write_;
  std::thread writer_;
  std::vector<Task> waiting_;  // for the next file
  std::vector<Task> told_;     // when the one that is being written is done
};

}  // namespace nearhub::broker
