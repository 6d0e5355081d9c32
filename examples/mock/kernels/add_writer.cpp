// Tiles first to last of c.
#include "api/dataflow/circular_buffer.h"
#include "api/dataflow/noc.h"
#include "api/tensor/noc_traits.h"

void kernel_main() {
  const uint32_t first = get_arg_val<uint32_t>(1);
  const uint32_t last = get_arg_val<uint32_t>(2);
  const auto c = TensorAccessor(TensorAccessorArgs<0>(), get_arg_val<uint32_t>(0));
  Noc noc;
  CircularBuffer tiles(2);
  for (uint32_t tile = first; tile < last; ++tile) {
    tiles.wait_front(1);
    noc.async_write(tiles, c, tiles.get_tile_size(), {}, {.page_id = tile});
    noc.async_writes_flushed();
    tiles.pop_front(1);
  }
  noc.async_write_barrier();
}
