// Each core's L1 is mapped below 4 GiB, so that the 32-bit addresses kernels compute with are host
// pointers.
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "shadow.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

namespace tt_mock {
namespace {

uint8_t* base = nullptr;
uint32_t mapped_cores = 0;
// What the last run may have left bytes in. The pages stay with the process: to get them anew from
// the host's kernel would take longer than to clear them.
std::vector<uint32_t> used_cores;
std::vector<Range> used_ranges;

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
    used_cores.clear();
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

void l1_clear() {
  for (const uint32_t core : used_cores) {
    for (const Range& range : used_ranges) {
      memset(l1_of(core) + range.begin, 0, range.end - range.begin);
      shadow_clear(core, range);
    }
  }
  used_cores.clear();
}

void l1_mark_used() {
  const TtMockProgram& program = *run->program;
  Range lower{0, args_base + role_count * 2 * args_stride};
  for (uint32_t i = 0; i < program.circular_buffer_count; ++i) {
    const TtMockCircularBuffer& cb = program.circular_buffers[i];
    lower.end = std::max(lower.end, cb.is_tensor != 0 ? 0 : cb.offset + cb.page_bytes * cb.pages);
  }
  used_ranges.assign({lower});
  for (uint32_t i = 0; i < program.buffer_count; ++i) {
    const TtMockBuffer& buffer = program.buffers[i];
    if (buffer.places != nullptr) {
      used_ranges.push_back({buffer.address, buffer.address + buffer.l1_bytes});
    }
  }
  for (uint32_t core = 0; core < run->cores.size(); ++core) {
    if (run->cores[core].exists) {
      used_cores.push_back(core);
    }
  }
}

void touch_pages(Core& core, Range range) {
  for (CircularBuffer* cb : core.cb_by_offset) {
    const Range whole{cb->offset, cb->end()};
    if (!whole.overlaps(range)) {
      continue;
    }
    const Range common{std::max(range.begin, whole.begin), std::min(range.end, whole.end)};
    const uint32_t last = cb->last_page(common);
    for (uint32_t page = cb->first_page(common); page <= last; ++page) {
      ++cb->pages[page].generation;
    }
  }
}

}  // namespace tt_mock
