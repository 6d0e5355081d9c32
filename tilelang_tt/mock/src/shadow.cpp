// Which bytes hold something, and which are still being moved.
#include "shadow.h"

#include <sys/mman.h>

#include <algorithm>

#include "marks.h"

namespace tt_mock {
namespace {

constexpr size_t words_per_core = l1_stride / 64;
uint64_t* base = nullptr;
uint32_t mapped_cores = 0;

const Transfer* overlapping(const std::vector<Transfer>& transfers, Range range) {
  for (const Transfer& transfer : transfers) {
    if (transfer.local.overlaps(range)) {
      return &transfer;
    }
  }
  return nullptr;
}

// The first transfer into (reads) or out of the range that some thread of the core has pending.
const Transfer* pending(const Core& core, Range range, std::vector<Transfer> Thread::* list) {
  for (const Thread& thread : core.threads) {
    if (const Transfer* transfer = overlapping(thread.*list, range)) {
      return transfer;
    }
  }
  return nullptr;
}

enum class Contents : uint32_t { given, result, scratch, input };

bool is_given(uint32_t buffer) {
  const auto contents = static_cast<Contents>(run->program->buffers[buffer].contents);
  return contents == Contents::given || contents == Contents::input;
}

uint64_t unwritten_pages(const TtMockBuffer& buffer, const uint64_t* dram_marks) {
  uint64_t unwritten = 0;
  for (uint64_t page = 0; page < buffer.bytes / buffer.page_bytes; ++page) {
    const uint64_t* marks = dram_marks;
    uint64_t begin = page * buffer.page_bytes;
    if (buffer.places != nullptr) {
      marks = run->cores[buffer.places[page].core].marks;
      begin = buffer.address + buffer.places[page].offset;
    }
    const uint64_t end = begin + buffer.page_bytes;
    unwritten += marks_first_unset(marks, begin, end) != end ? 1 : 0;
  }
  return unwritten;
}

}  // namespace

bool shadow_map(uint32_t cores) {
  if (cores <= mapped_cores) {
    return true;
  }
  if (base != nullptr) {
    munmap(base, size_t{mapped_cores} * words_per_core * 8);
    mapped_cores = 0;
  }
  void* found = mmap(nullptr, size_t{cores} * words_per_core * 8, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  base = found == MAP_FAILED ? nullptr : static_cast<uint64_t*>(found);
  mapped_cores = base == nullptr ? 0 : cores;
  return base != nullptr;
}

uint64_t* shadow_of(uint32_t core) { return base + core * words_per_core; }

void shadow_clear(uint32_t core, Range range) {
  std::fill(shadow_of(core) + range.begin / 64, shadow_of(core) + (range.end + 63) / 64, 0);
}

void shadow_create_buffers() {
  for (uint32_t i = 0; i < run->program->buffer_count; ++i) {
    if (!is_given(i)) {
      run->dram[i].marks.resize(run->program->buffers[i].bytes / 64 + 1);
    }
  }
}

void shadow_written(const Core& core, Range range) {
  marks_set(core.marks, range.begin, range.end, true);
}

void shadow_unwritten(const Core& core, Range range) {
  marks_set(core.marks, range.begin, range.end, false);
}

void shadow_copied(const Core& from, uint32_t from_offset, const Core& to, Range range) {
  const uint32_t end = from_offset + (range.end - range.begin);
  uint32_t at = from_offset;
  if (marks_first_unset(from.marks, at, end) == end) {
    return shadow_written(to, range);
  }
  for (; at < end; ++at) {
    const uint32_t byte = range.begin + (at - from_offset);
    marks_set(to.marks, byte, byte + 1, marks_first_unset(from.marks, at, at + 1) != at);
  }
}

void shadow_check_written(const Core& core, Range range, int cb, const char* use) {
  const auto first = uint32_t(marks_first_unset(core.marks, range.begin, range.end));
  if (first == range.end) {
    return;
  }
  const bool early = cb >= 0 && core.cbs[uint32_t(cb)].waited == 0;
  likely(early ? "cb_wait_front is missing before this use, or nothing fills the page"
               : "the transfer or the packing that fills these bytes is missing, or fills fewer");
  note("l1_uninitialised", cb, "%s L1 bytes 0x%x to 0x%x; nothing was ever written to 0x%x", use,
       range.begin, range.end, first);
  shadow_written(core, range);
}

bool shadow_dram_written(const DramPlace& place, uint32_t bytes) {
  DramTensor& tensor = run->dram[place.tensor];
  const bool is_input = tensor.config->contents == uint32_t(Contents::input);
  if (is_input) {
    likely("the base address or the accessor is another tensor's");
    note("buffer_read_only", -1, "page %u of buffer %s is written, which is an input",
         uint32_t(place.page), tensor.config->name);
  }
  if (!tensor.marks.empty()) {
    const uint64_t offset = place.page * tensor.config->page_bytes + place.offset;
    marks_set(tensor.marks.data(), offset, offset + bytes, true);
  }
  return !is_input;
}

void shadow_dram_read(const DramPlace& place, uint32_t bytes) {
  DramTensor& tensor = run->dram[place.tensor];
  if (tensor.marks.empty()) {
    return;
  }
  uint64_t* marks = tensor.marks.data();
  const uint64_t offset = place.page * tensor.config->page_bytes + place.offset;
  const uint64_t first = marks_first_unset(marks, offset, offset + bytes);
  if (first != offset + bytes) {
    likely("no kernel has written this page yet, and the host gives the tensor no values");
    note("dram_uninitialised", -1, "page %u of buffer %s is read before it is written",
         uint32_t(first / tensor.config->page_bytes), tensor.config->name);
    marks_set(marks, offset, offset + bytes, true);
  }
}

void shadow_check_results() {
  for (uint32_t i = 0; i < run->program->buffer_count; ++i) {
    const TtMockBuffer& buffer = run->program->buffers[i];
    if (buffer.contents != uint32_t(Contents::result)) {
      continue;
    }
    const uint64_t pages = unwritten_pages(buffer, run->dram[i].marks.data());
    if (pages != 0) {
      Finding finding;
      finding.category = Category::undefined_behavior;
      finding.kind = "result_unwritten";
      finding.message = std::to_string(pages) + " of " +
                        std::to_string(buffer.bytes / buffer.page_bytes) + " pages of buffer " +
                        buffer.name + " were not or only partly written";
      finding.cause = "a write to the tensor is missing, or writes other pages or fewer bytes";
      record(std::move(finding));
    }
  }
}

void check_not_arriving(const Core& core, Range range, int cb) {
  if (const Transfer* read = pending(core, range, &Thread::reads)) {
    likely("noc_async_read_barrier is missing before this use");
    note("noc_read_in_flight", cb, "L1 bytes 0x%x to 0x%x are used; the %s of line %u into them "
         "was not waited for", range.begin, range.end, read->call.name, read->call.site.line);
  }
}

void check_not_leaving(const Core& core, Range range, int cb) {
  if (const Transfer* write = pending(core, range, &Thread::writes)) {
    likely("noc_async_writes_flushed or noc_async_write_barrier is missing before this write");
    note("noc_source_overwritten", cb, "L1 bytes 0x%x to 0x%x are written; the %s of line %u out "
         "of them has not left", range.begin, range.end, write->call.name, write->call.site.line);
  }
}

bool has_transfers_in(const Core& core, Range range) {
  return pending(core, range, &Thread::reads) != nullptr ||
         pending(core, range, &Thread::writes) != nullptr;
}

}  // namespace tt_mock
