// Where work runs. A loop is one; tests use one that runs tasks when told to.
//
// The hub core and the store know a loop only by this, so that neither includes libuv.
//
// THREAD: post() from any thread; tasks of one sender run in the order posted, on the executor's thread.
#pragma once
#include "base/unique_function.h"

namespace nearhub {

class Executor {
 public:
  virtual ~Executor() = default;

  // Takes the task in every case: answers to requests that were admitted must never be lost.
  virtual void post(Task task) = 0;

  // For new requests from outside: false (and the task is dropped) when the executor has too much waiting. Answer 429 or 503.
  virtual bool try_post(Task task) = 0;

  // True on the executor's own thread.
  virtual bool is_current() const = 0;
};

}  // namespace nearhub
