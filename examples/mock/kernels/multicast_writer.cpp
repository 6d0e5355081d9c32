// Writes the pages that arrived to this core's own part of the result.
#include "api/dataflow/circular_buffer.h"
#include "api/dataflow/noc.h"
#include "api/tensor/noc_traits.h"

void kernel_main() {
  const uint32_t first = get_arg_val<uint32_t>(1);
  const uint32_t pages = get_arg_val<uint32_t>(2);
  const auto result = TensorAccessor(TensorAccessorArgs<0>(), get_arg_val<uint32_t>(0));
  Noc noc;
  CircularBuffer buffer(0);
  for (uint32_t page = 0; page < pages; ++page) {
    buffer.wait_front(1);
    noc.async_write(buffer, result, buffer.get_tile_size(), {}, {.page_id = first + page});
    noc.async_writes_flushed();
    buffer.pop_front(1);
  }
  noc.async_write_barrier();
}
