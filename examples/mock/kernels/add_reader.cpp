// Tiles first to last of a and b, one of each at a time.
#include "api/dataflow/circular_buffer.h"
#include "api/dataflow/noc.h"
#include "api/tensor/noc_traits.h"

void kernel_main() {
  const uint32_t first = get_arg_val<uint32_t>(2);
  const uint32_t last = get_arg_val<uint32_t>(3);
  constexpr auto a_args = TensorAccessorArgs<0>();
  constexpr auto b_args = TensorAccessorArgs<a_args.next_compile_time_args_offset()>();
  const auto a = TensorAccessor(a_args, get_arg_val<uint32_t>(0));
  const auto b = TensorAccessor(b_args, get_arg_val<uint32_t>(1));
  Noc noc;
  CircularBuffer a_tiles(0), b_tiles(1);
  for (uint32_t tile = first; tile < last; ++tile) {
    a_tiles.reserve_back(1);
    b_tiles.reserve_back(1);
    noc.async_read(a, a_tiles, a_tiles.get_tile_size(), {.page_id = tile}, {});
    noc.async_read(b, b_tiles, b_tiles.get_tile_size(), {.page_id = tile}, {});
    noc.async_read_barrier();
    a_tiles.push_back(1);
    b_tiles.push_back(1);
  }
}
