// What happens before what: vector clocks that travel with pages and semaphores, and the accesses
// they have to order. Races are found by order, not by what happened to come first in a run.
#pragma once

#include <cstdint>
#include <vector>

#include "tt_mock/site.h"

namespace tt_mock {

struct Core;
struct CircularBuffer;
struct Page;
struct Thread;

struct Range {
  uint32_t begin, end;  // L1 offsets
  bool overlaps(const Range& other) const { return begin < other.end && other.begin < end; }
  bool contains(const Range& other) const { return begin <= other.begin && other.end <= end; }
};

constexpr uint32_t role_count = 3;
using Epoch = uint32_t;  // a thread's count of its releases

// Up to which epoch of each thread everything has happened: of the own core by role; of all threads
// by number, empty while no other core was heard of.
struct Knowledge {
  Epoch local[role_count] = {};
  std::vector<Epoch> others;
};

// An access of the NoC to a core's L1.
struct RemoteAccess {
  Range range;
  Thread* by;
  uint32_t number;  // among the thread's remote accesses
  bool is_write;
  Call call;
};

// A remote access that no release of its thread covers yet.
struct Unreleased {
  uint32_t number;
  const Core* at;
  bool is_write;
  bool complete;  // a barrier has seen it end
  uint32_t transaction;
};

struct Order {
  Epoch epoch = 1;
  Knowledge knows;
  std::vector<Epoch> remote_epochs;  // by number: what to know to have the access behind oneself
  std::vector<Unreleased> unreleased;
};

// A word of L1 that cores signal through, and what who sees its value knows.
struct SyncWord {
  uint32_t offset;
  std::vector<Epoch> released;
  const Thread* setter = nullptr;  // who last set it on the core itself, and when
  Epoch set_at = 0;
};

// Through a circular buffer of one core.
void order_release(Thread& thread, Knowledge& to);
void order_acquire(Thread& thread, const Knowledge& from);
// Through a word of L1 of any core.
void order_signal(Thread& thread, Core& core, uint32_t offset);
void order_observe(Thread& thread, uint32_t offset);
// A thread sets a word of its own core, which throws away what it has not observed.
void order_set(Thread& thread, uint32_t offset);
bool is_sync_word(const Core& core, uint32_t offset);

// A barrier ends the thread's reads, its writes, or both; of all transaction ids, or of one.
constexpr uint32_t every_transaction = 0xFFFF;
void order_complete(Thread& thread, bool reads, bool writes,
                    uint32_t transaction = every_transaction);

// Accesses; they report a race with an earlier one.
void order_local_access(Thread& thread, CircularBuffer& cb, Range range, bool is_write);
void order_remote_access(Thread& thread, Core& core, Range range, bool is_write,
                         uint32_t transaction = 0);

}  // namespace tt_mock
