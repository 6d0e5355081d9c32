// The sum of each pair of tiles.
#include "api/compute/common.h"
#include "api/compute/eltwise_binary.h"
#include "api/dataflow/circular_buffer.h"

void kernel_main() {
  const uint32_t tiles = get_arg_val<uint32_t>(0);
  CircularBuffer a_tiles(0), b_tiles(1), c_tiles(2);
  compute_kernel_hw_startup(0, 1, 2);
  add_init(0, 1);
  for (uint32_t tile = 0; tile < tiles; ++tile) {
    a_tiles.wait_front(1);
    b_tiles.wait_front(1);
    tile_regs_acquire();
    add_tiles(0, 1, 0, 0, 0);
    tile_regs_commit();
    a_tiles.pop_front(1);
    b_tiles.pop_front(1);
    c_tiles.reserve_back(1);
    tile_regs_wait();
    pack_tile(0, 2);
    tile_regs_release();
    c_tiles.push_back(1);
  }
}
