// Each core's L1 is mapped below 4 GiB, so that the 32-bit addresses kernels compute with are host
// pointers.
#include <sys/mman.h>

#include <cstring>

#include "shadow.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

namespace tt_mock {
namespace {

uint8_t* base = nullptr;
uint32_t mapped_cores = 0;

uint8_t* map_at(uint64_t address, size_t bytes) {
  void* wanted = reinterpret_cast<void*>(static_cast<uintptr_t>(address));
  void* found = mmap(wanted, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (found == MAP_FAILED) {
    return nullptr;
  }
  if (found != wanted) {  // an old kernel takes the address as a hint only
    munmap(found, bytes);
    return nullptr;
  }
  return static_cast<uint8_t*>(found);
}

bool l1_map_between(uint64_t first, uint64_t end, uint32_t cores) {
  const size_t bytes = size_t{cores} * l1_stride;
  constexpr uint64_t step = uint64_t{1} << 26;
  for (uint64_t address = first; address + bytes <= end; address += step) {
    base = map_at(address, bytes);
    if (base != nullptr) {
      mapped_cores = cores;
      return true;
    }
  }
  return false;
}

// Runs the action for each page of the tensors in L1: tensor, host bytes, core, L1 offset.
template <typename Action>
void for_each_l1_page(Action action) {
  const TtMockProgram& program = *run->program;
  for (uint32_t i = 0; i < program.buffer_count; ++i) {
    const TtMockBuffer& buffer = program.buffers[i];
    if (buffer.places == nullptr) {
      continue;
    }
    for (uint64_t page = 0; page < buffer.bytes / buffer.page_bytes; ++page) {
      const TtMockPlace& place = buffer.places[page];
      action(buffer, buffer.data + page * buffer.page_bytes, run->cores[place.core],
             buffer.address + place.offset);
    }
  }
}

}  // namespace

void load_tensors() {
  for_each_l1_page([](const TtMockBuffer& buffer, uint8_t* host, Core& core, uint32_t offset) {
    if (buffer.contents == 0 || buffer.contents == 3) {
      memcpy(core.l1 + offset, host, buffer.page_bytes);
      shadow_written(core, {offset, offset + buffer.page_bytes});
    }
  });
}

void store_tensors() {
  for_each_l1_page([](const TtMockBuffer& buffer, uint8_t* host, Core& core, uint32_t offset) {
    memcpy(host, core.l1 + offset, buffer.page_bytes);
  });
}

bool is_tensor(Range range) {
  const TtMockProgram& program = *run->program;
  for (uint32_t i = 0; i < program.buffer_count; ++i) {
    const TtMockBuffer& buffer = program.buffers[i];
    if (buffer.places != nullptr && range.begin >= buffer.address &&
        range.end <= buffer.address + buffer.l1_bytes) {
      return true;
    }
  }
  return false;
}

bool l1_map(uint32_t cores) {
  if (cores <= mapped_cores) {
    return true;
  }
  if (base != nullptr) {
    munmap(base, size_t{mapped_cores} * l1_stride);
    base = nullptr;
    mapped_cores = 0;
  }
  // The upper half first: the lower one is where a program that is not position-independent lives.
  constexpr uint64_t half = uint64_t{1} << 31;
  constexpr uint64_t lowest = uint64_t{1} << 28;
  return l1_map_between(half, 2 * half, cores) || l1_map_between(lowest, half, cores);
}

uint8_t* l1_of(uint32_t core) { return base + size_t{core} * l1_stride; }

bool l1_contains(uintptr_t address) {
  return address - reinterpret_cast<uintptr_t>(base) < size_t{mapped_cores} * l1_stride;
}

uint32_t l1_window(const Core& core) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(core.l1));
}

void l1_clear() { madvise(base, size_t{mapped_cores} * l1_stride, MADV_DONTNEED); }

void touch_pages(Core& core, Range range) {
  for (CircularBuffer* cb : core.cb_by_offset) {
    const uint32_t page_bytes = cb->config->page_bytes;
    const Range whole{cb->offset, cb->offset + page_bytes * cb->config->pages};
    if (!whole.overlaps(range)) {
      continue;
    }
    const uint32_t first = range.begin > whole.begin ? (range.begin - whole.begin) / page_bytes : 0;
    const uint32_t last_byte = (range.end < whole.end ? range.end : whole.end) - 1 - whole.begin;
    for (uint32_t page = first; page <= last_byte / page_bytes; ++page) {
      ++cb->pages[page].generation;
    }
  }
}

}  // namespace tt_mock
