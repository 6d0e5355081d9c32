// Says that there is room for a page, and waits for it.
#include "api/dataflow/circular_buffer.h"
#include "api/dataflow/noc.h"
#include "api/semaphore.h"

void kernel_main() {
  const uint32_t pages = get_arg_val<uint32_t>(0);
  Noc noc;
  CircularBuffer buffer(0);
  Semaphore<> ready(0), sent(1);
  for (uint32_t page = 0; page < pages; ++page) {
    buffer.reserve_back(1);
    ready.up(noc, 0, 0, 1);
    noc.async_atomic_barrier();
    sent.wait_min(page + 1);
    buffer.push_back(1);
  }
}
