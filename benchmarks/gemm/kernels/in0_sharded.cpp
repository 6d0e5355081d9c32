// The left operand from L1, where each core of a row of cores has some columns of the row's blocks:
// the cores take turns in passing their blocks on along the row. Without receivers each core reads
// the blocks of the others.
#include "passing.h"

constexpr uint32_t shard_cb = 2;

void kernel_main() {
  constexpr uint32_t rows = get_named_compile_time_arg_val("rows");
  constexpr uint32_t inner = get_named_compile_time_arg_val("inner");
  constexpr uint32_t inner_blocks = get_named_compile_time_arg_val("inner_blocks");
  constexpr uint32_t cores = get_named_compile_time_arg_val("columns_of_cores");
  constexpr uint32_t own_blocks = inner_blocks / cores;
  constexpr uint32_t tiles = rows * inner;
  const uint32_t place = get_arg_val<uint32_t>(0);  // of this core in its row
  const uint32_t y = get_arg_val<uint32_t>(1);      // of the row; columns follow from argument 10 on
  const Line line = line_from(2);
  const Signals signals = {get_semaphore(0), get_semaphore(1)};
  const uint32_t shard = get_write_ptr(shard_cb);
  const uint32_t tile_bytes = get_tile_size(0);
  for (uint32_t number = 0; number < inner_blocks; ++number) {
    const uint32_t sender = number / own_blocks;
    const uint32_t own = number % own_blocks;
    const uint32_t x = get_arg_val<uint32_t>(10 + sender);
    cb_reserve_back(0, tiles);
    const uint32_t block = get_write_ptr(0);
    if (sender != place && line.receivers > 0) {
      receive(signals, x, y, number + 1);
      cb_push_back(0, tiles);
      continue;
    }
    // A shard of several blocks has theirs in stripes, one for each row of tiles.
    const uint32_t stripe = inner * tile_bytes;
    for (uint32_t r = 0; r < rows; ++r) {
      noc_async_read(get_noc_addr(x, y, shard + (r * own_blocks + own) * stripe),
                     block + r * stripe, stripe);
    }
    // A block that is the whole shard is sent from there, while its copy is made.
    constexpr bool whole = own_blocks == 1;
    if (!whole) {
      noc_async_read_barrier();
      cb_push_back(0, tiles);
    }
    if (line.receivers > 0) {
      pass_on(line, signals, whole ? shard : block, block, tiles * tile_bytes,
              (own + 1) * line.receivers, number + 1);
    }
    if (whole) {
      noc_async_read_barrier();
      cb_push_back(0, tiles);
    }
  }
  noc_async_full_barrier();
}
