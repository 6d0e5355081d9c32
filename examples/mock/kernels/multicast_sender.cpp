// Reads a page, waits until all receivers have room for it, and sends it to all of them at once.
#include "api/dataflow/circular_buffer.h"
#include "api/dataflow/noc.h"
#include "api/debug/dprint.h"
#include "api/semaphore.h"
#include "api/tensor/noc_traits.h"

void kernel_main() {
  const uint32_t pages = get_arg_val<uint32_t>(1);
  const uint32_t last_x = get_arg_val<uint32_t>(2), last_y = get_arg_val<uint32_t>(3);
  const uint32_t receivers = (last_x + 1) * (last_y + 1) - 1;
  const auto source = TensorAccessor(TensorAccessorArgs<0>(), get_arg_val<uint32_t>(0));
  Noc noc;
  CircularBuffer buffer(0);
  Semaphore<> ready(0), sent(1);
  for (uint32_t page = 0; page < pages; ++page) {
    buffer.reserve_back(1);
    noc.async_read(source, buffer, buffer.get_tile_size(), {.page_id = page}, {});
    noc.async_read_barrier();
    ready.wait(receivers);
    ready.set(0);
    noc.async_write_multicast(
        use<CircularBuffer::AddrSelector::WRITE_PTR>(buffer), buffer, buffer.get_tile_size(),
        receivers, {},
        {.noc_x_start = 0, .noc_y_start = 0, .noc_x_end = last_x, .noc_y_end = last_y});
    // Behind the data on the same way, so a receiver that sees it has the data.
    sent.set(page + 1);
    sent.set_multicast(noc, 0, 0, last_x, last_y, receivers);
    noc.async_write_barrier();
    buffer.push_back(1);
  }
  DPRINT("{} pages sent to {} cores", pages, receivers);
}
