// Connections of one loop that have not yet shown who they are: no CONNECT, no whole request. Bounded, so that idle or malicious peers cannot keep
// others out; when there are too many the oldest gives way.
//
// THREAD: owning loop only.
#pragma once
#include <cstddef>
#include <list>

namespace nearhub::broker {

class HalfOpens;

class HalfOpen {
 public:
  explicit HalfOpen(HalfOpens& list);
  virtual ~HalfOpen() { leave(); }
  HalfOpen(const HalfOpen&) = delete;
  HalfOpen& operator=(const HalfOpen&) = delete;

  // Past that state, or on its way out.
  void leave();
  bool is_half_open() const { return list_ != nullptr; }

 protected:
  // Refuses the connection, with its reason, and ends it.
  virtual void give_way() = 0;

 private:
  friend class HalfOpens;
  HalfOpens* list_;
  std::list<HalfOpen*>::iterator at_;
};

class HalfOpens {
 public:
  explicit HalfOpens(std::size_t bound) : bound_(bound) {}
  std::size_t bound() const { return bound_; }
  std::size_t size() const { return oldest_first_.size(); }

  // Before one more is added.
  void make_room() {
    while (oldest_first_.size() >= bound_) {
      HalfOpen& oldest = *oldest_first_.front();
      oldest.leave();
      oldest.give_way();
    }
  }

 private:
  friend class HalfOpen;
  const std::size_t bound_;
  std::list<HalfOpen*> oldest_first_;
};

inline HalfOpen::HalfOpen(HalfOpens& list) : list_(&list), at_(list.oldest_first_.insert(list.oldest_first_.end(), this)) {}

inline void HalfOpen::leave() {
  if (list_ == nullptr) return;
  list_->oldest_first_.erase(at_);
  list_ = nullptr;
}

}  // namespace nearhub::broker
