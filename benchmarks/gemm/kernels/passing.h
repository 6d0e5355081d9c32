// How the blocks of an operand come to a line of cores: one core fetches each block and passes it
// on to the others.
#pragma once

#include "api/dataflow/dataflow_api.h"

// The line as one core sees it: the core that sends, and the rectangle of the whole line in the
// order in which this core's NoC passes it. Nobody receives where each core fetches for itself.
struct Line {
  bool sends;
  uint32_t sender_x, sender_y;
  uint32_t first_x, first_y, last_x, last_y;
  uint32_t receivers;
};

// Run-time arguments from `index` on; `Line` in the order of its fields.
inline Line line_from(uint32_t index) {
  return {get_arg_val<uint32_t>(index) != 0,    get_arg_val<uint32_t>(index + 1),
          get_arg_val<uint32_t>(index + 2), get_arg_val<uint32_t>(index + 3),
          get_arg_val<uint32_t>(index + 4), get_arg_val<uint32_t>(index + 5),
          get_arg_val<uint32_t>(index + 6), get_arg_val<uint32_t>(index + 7)};
}

inline volatile tt_l1_ptr uint32_t* word_at(uint32_t address) {
  return reinterpret_cast<volatile tt_l1_ptr uint32_t*>(address);
}

// `ready` of the sender counts the receivers that have room, over all blocks; `sent` of each
// receiver is the number of the last block that has come. Neither is ever set back, so no core has
// to know when another has seen it.
struct Signals {
  uint32_t ready, sent;
};

// Sends a block from L1 address `from` to `to` of all receivers once `wanted` of them were ready.
// The flag follows the data on the same path, which the linked multicast keeps, so it comes later.
inline void pass_on(const Line& line, const Signals& signals, uint32_t from, uint32_t to,
                    uint32_t bytes, uint32_t wanted, uint32_t number) {
  const auto all = [&line](uint32_t address) {
    return get_noc_multicast_addr(line.first_x, line.first_y, line.last_x, line.last_y, address);
  };
  noc_semaphore_wait_min(word_at(signals.ready), wanted);
  noc_async_write_multicast(from, all(to), bytes, line.receivers, true);
  noc_semaphore_set(word_at(signals.sent), number);
  noc_semaphore_set_multicast(signals.sent, all(signals.sent), line.receivers);
  noc_async_writes_flushed();
}

// Waits for block `number` from the core at (x, y); there has to be room for it.
inline void receive(const Signals& signals, uint32_t x, uint32_t y, uint32_t number) {
  noc_semaphore_inc(get_noc_addr(x, y, signals.ready), 1);
  noc_semaphore_wait_min(word_at(signals.sent), number);
}

// Brings `count` blocks of `tiles` tiles each into circular buffer `cb`. `fetch(n, to)` starts the
// reads of block n into L1 address `to`, `done(n)` is called when block n is there. With `ahead`
// the next block is read while this one is passed on, which wants room for three.
template <uint32_t cb, bool ahead, typename Fetch, typename Done>
void bring(const Line& line, const Signals& signals, uint32_t count, uint32_t tiles, Fetch fetch,
           Done done) {
  const auto start = [&](uint32_t number) {
    if (number < count) {
      cb_reserve_back(cb, tiles);
      fetch(number, get_write_ptr(cb));
    }
  };
  if (line.sends) {
    start(0);
  }
  for (uint32_t number = 0; number < count; ++number) {
    if (line.sends) {
      noc_async_read_barrier();
      const uint32_t block = get_write_ptr(cb);
      cb_push_back(cb, tiles);
      if (ahead) {
        start(number + 1);
      }
      if (line.receivers > 0) {
        pass_on(line, signals, block, block, tiles * get_tile_size(cb),
                (number + 1) * line.receivers, number + 1);
      }
      if (!ahead) {
        start(number + 1);
      }
    } else {
      cb_reserve_back(cb, tiles);
      receive(signals, line.sender_x, line.sender_y, number + 1);
      cb_push_back(cb, tiles);
    }
    done(number);
  }
}
