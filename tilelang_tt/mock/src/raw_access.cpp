// Plain loads and stores of kernels. Kernels are compiled as for a thread sanitizer, whose calls end
// here: each access to L1 is checked, other memory is the kernel's own.
#include <cstdint>
#include <cstdlib>

#include "marks.h"
#include "packer.h"
#include "shadow.h"

namespace tt_mock {
namespace {

constexpr uint32_t polls_before_waiting = 16;

struct Access {
  Range range;
  bool is_write;
};

Range pages_of(const CircularBuffer& cb, uint32_t first, uint32_t pages) {
  const uint32_t begin = cb.offset + first * cb.config->page_bytes;
  return {begin, begin + pages * cb.config->page_bytes};
}

Range intersection(Range a, Range b) {
  return {a.begin > b.begin ? a.begin : b.begin, a.end < b.end ? a.end : b.end};
}

// Of the `pages` pages from `first` on, round the end, those on the range's side of the end.
Range window_near(const CircularBuffer& cb, uint32_t first, uint32_t pages, Range range) {
  const uint32_t total = cb.config->pages;
  const bool is_round = first + pages > total;
  if (is_round && range.begin < pages_of(cb, first, 1).begin) {
    return pages_of(cb, 0, first + pages - total);
  }
  return pages_of(cb, first, is_round ? total - first : pages);
}

// The part of the circular buffer around the access that the thread may use in this way, empty if
// it may not. A buffer that no kernel pushes or pops is plain memory.
Range window_of(const Thread& thread, const CircularBuffer& cb, Access access) {
  const Range whole = pages_of(cb, 0, cb.config->pages);
  if (cb.producer == Role::none && cb.consumer == Role::none) {
    return whole;
  }
  if (cb.producer == thread.role && !access.is_write) {
    return whole;
  }
  if (cb.consumer == thread.role) {
    const Range waited = window_near(cb, cb.read_page, cb.waited, access.range);
    if (waited.contains(access.range)) {
      return waited;
    }
  }
  if (cb.producer == thread.role) {
    const Range reserved = window_near(cb, cb.write_page, cb.reserved, access.range);
    if (reserved.contains(access.range)) {
      return reserved;
    }
  }
  return {0, 0};
}

// Of several in one place, the one that allows the access.
CircularBuffer* buffer_around(const Thread& thread, Access access) {
  CircularBuffer* found = nullptr;
  for (CircularBuffer* cb : thread.core->cb_by_offset) {
    if (pages_of(*cb, 0, cb->config->pages).contains(access.range)) {
      if (window_of(thread, *cb, access).end != 0) {
        return cb;
      }
      found = found == nullptr ? cb : found;
    }
  }
  return found;
}

bool is_kernel_state(Range range) {
  const uint32_t semaphores = semaphore_base + run->program->semaphore_count * semaphore_stride;
  const uint32_t arguments = args_base + role_count * 2 * args_stride;
  return Range{semaphore_base, semaphores}.contains(range) ||
         Range{args_base, arguments}.contains(range);
}

// A word that others signal through; each access to it counts.
Range signal(Thread& thread, Access access) {
  const uint32_t word = access.range.begin & ~3U;
  if (is_sync_word(*thread.core, word)) {
    if (access.is_write) {
      order_set(thread, word);
    } else {
      order_observe(thread, word);
    }
    return {0, 0};
  }
  return access.range;
}

// Returns what of the surroundings may be used in the same way.
Range check_place(Thread& thread, Access access, int& index) {
  CircularBuffer* cb = buffer_around(thread, access);
  if (cb == nullptr) {
    const bool is_zero_load =
        !access.is_write && Range{zeros_base, zeros_base + zeros_bytes}.contains(access.range);
    if (!is_kernel_state(access.range) && !is_tensor(access.range) && !is_zero_load) {
      likely("a pointer runs over the end of a circular buffer, or its address is wrong");
      fail("l1_out_of_bounds", -1,
           "L1 bytes 0x%x to 0x%x are not inside one circular buffer, tensor, semaphore or argument",
           access.range.begin, access.range.end);
    }
    return signal(thread, access);
  }
  index = int(cb->config->index);
  if (is_sync_word(*thread.core, access.range.begin)) {
    return signal(thread, access);
  }
  const Range window = window_of(thread, *cb, access);
  if (window.end == 0) {
    if (access.is_write) {
      likely("cb_reserve_back is missing before the store, or reserves fewer pages");
      note("cb_write_without_reserve", index, "a store to L1 byte 0x%x; %u pages are reserved",
           access.range.begin, cb->producer == thread.role ? cb->reserved : 0);
    } else {
      likely("cb_wait_front is missing before the load, or waits for fewer pages");
      note("cb_read_without_wait", index, "a load of L1 byte 0x%x; %u pages were waited for",
           access.range.begin, cb->consumer == thread.role ? cb->waited : 0);
    }
    return access.range;
  }
  order_local_access(thread, *cb, access.range, access.is_write);
  // Not more than a page, so that each page used is seen.
  const uint32_t page = (access.range.begin - cb->offset) / cb->config->page_bytes;
  return intersection(window, pages_of(*cb, page, 1));
}

void check_access(Thread& thread, Access access) {
  int cb = -1;
  const Range window = check_place(thread, access, cb);
  Core& core = *thread.core;
  check_not_arriving(core, access.range, cb);
  if (access.is_write) {
    check_not_leaving(core, access.range, cb);
    touch_pages(core, window.contains(access.range) ? window : access.range);
  } else {
    shadow_check_written(core, access.range, cb, "a load of");
  }
  if (window.contains(access.range) && !has_transfers_in(core, window)) {
    (access.is_write ? thread.storable : thread.loadable) = window;
  }
}

// A loop that waits for a word of L1 to change lets the others run.
void count_poll(Thread& thread, Range range) {
  if (thread.polled != range.begin) {
    if (thread.poll_count == 0) {
      thread.polled = range.begin;
      thread.poll_count = 1;
    }
    return;
  }
  if (++thread.poll_count < polls_before_waiting) {
    return;
  }
  thread.poll_count = 0;
  thread.loadable = thread.storable = {0, 0};
  block_until({WaitKind::l1_change, range.begin & ~3U, thread.core->changes});
}

void raw_access(const void* pointer, uint32_t bytes, bool is_write, const void* pc) {
  const auto address = reinterpret_cast<uintptr_t>(pointer);
  if (run == nullptr || !l1_contains(address)) {
    return;
  }
  packer_join();
  Thread& thread = *run->current;
  const auto window = uintptr_t{l1_window(*thread.core)};
  run->raw_pc = pc;
  if (address < window || address - window >= run->program->device.l1_bytes) {
    likely("a plain pointer reaches the L1 of its own core only: use a NoC address");
    fail("l1_out_of_bounds", -1, "0x%zx is not in the L1 of this core", size_t{address});
  }
  const auto offset = uint32_t(address - window);
  const Access access{{offset, offset + bytes}, is_write};
  const bool checked = (is_write ? thread.storable : thread.loadable).contains(access.range);
  if (!checked) {
    check_access(thread, access);
  } else if (!is_write &&
             marks_first_unset(thread.core->marks, offset, offset + bytes) != offset + bytes) {
    shadow_check_written(*thread.core, access.range, -1, "a load of");
  }
  if (is_write) {
    shadow_written(*thread.core, access.range);
    ++thread.core->changes;
    thread.poll_count = 0;
  } else {
    count_poll(thread, access.range);
  }
  run->raw_pc = nullptr;
}

}  // namespace
}  // namespace tt_mock

// The names that compilers give the calls.
#define TT_MOCK_ACCESS(name, bytes, is_write)                                             \
  void __tsan_##name(void* address) {                                                     \
    tt_mock::raw_access(address, bytes, is_write, __builtin_return_address(0));           \
  }
#define TT_MOCK_ACCESSES(bytes)                        \
  TT_MOCK_ACCESS(read##bytes, bytes, false)            \
  TT_MOCK_ACCESS(write##bytes, bytes, true)            \
  TT_MOCK_ACCESS(unaligned_read##bytes, bytes, false)  \
  TT_MOCK_ACCESS(unaligned_write##bytes, bytes, true)
#define TT_MOCK_RANGE(name, is_write)                                                            \
  void __tsan_##name(void* address, size_t bytes) {                                              \
    tt_mock::raw_access(address, uint32_t(bytes), is_write, __builtin_return_address(0));        \
  }

extern "C" {

TT_MOCK_ACCESSES(1)
TT_MOCK_ACCESSES(2)
TT_MOCK_ACCESSES(4)
TT_MOCK_ACCESSES(8)
TT_MOCK_ACCESSES(16)
TT_MOCK_RANGE(read_range, false)
TT_MOCK_RANGE(write_range, true)
void __tsan_init() {}

void* __tsan_memcpy(void* to, const void* from, size_t bytes) {
  tt_mock::raw_access(from, uint32_t(bytes), false, __builtin_return_address(0));
  tt_mock::raw_access(to, uint32_t(bytes), true, __builtin_return_address(0));
  return __builtin_memcpy(to, from, bytes);
}

void* __tsan_memmove(void* to, const void* from, size_t bytes) {
  tt_mock::raw_access(from, uint32_t(bytes), false, __builtin_return_address(0));
  tt_mock::raw_access(to, uint32_t(bytes), true, __builtin_return_address(0));
  return __builtin_memmove(to, from, bytes);
}

void* __tsan_memset(void* to, int value, size_t bytes) {
  tt_mock::raw_access(to, uint32_t(bytes), true, __builtin_return_address(0));
  return __builtin_memset(to, value, bytes);
}

}  // extern "C"
