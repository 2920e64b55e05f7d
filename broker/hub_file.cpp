#include "broker/hub_file.h"

#include <utility>

#include "base/log.h"

namespace nearhub::broker {

HubFile::~HubFile() {
  if (writer_.joinable()) writer_.join();
}

void HubFile::update(Task written) {
  waiting_.push_back(std::move(written));
  if (!writer_.joinable()) begin();
}

void HubFile::begin() {
  told_ = std::exchange(waiting_, {});
  writer_ = std::thread([this, text = content_()] {
    if (const Status status = write_(text); !status.ok()) log::error("hub", "hub.json could not be written reason=\"{}\"", status.error().detail);
    loop_.post([this] { on_written(); });
  });
}

void HubFile::on_written() {
  writer_.join();  // it has nothing more to do
  for (Task& task : std::exchange(told_, {})) task();
  if (!waiting_.empty()) begin();
}

}  // namespace nearhub::broker
