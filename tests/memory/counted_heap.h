// What this program takes from the heap, OpenSSL's part included, counted by its own operator new. SQLite and libuv are not counted.
//
// THREAD: any thread.
#pragma once
#include <cstdint>

namespace nearhub::test {

// Memory that is held now and was taken by threads other than those that leave themselves out.
std::int64_t held_bytes();

// What the calling thread takes from here on is not counted: it plays the clients.
void leave_this_thread_out();

}  // namespace nearhub::test
