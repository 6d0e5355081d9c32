// Circular buffers: page counts, windows of producer and consumer, and what breaking their rules
// looks like.
#include "tt_mock/circular_buffer.h"

#include "packer.h"

namespace tt_mock {
namespace {

// The role that first produces (consumes) keeps doing so: every RISC-V has pointers of its own.
void claim(Thread& thread, CircularBuffer& cb, Role& owner, const char* kind, const char* what) {
  if (owner == Role::none) {
    owner = thread.role;
  }
  if (owner != thread.role) {
    likely("each RISC-V keeps its own read and write pointers, so only one may move them");
    fail(kind, int(cb.config->index), "the %s kernel already %s this circular buffer",
         role_name(owner), what);
  }
}

void check_capacity(const CircularBuffer& cb, uint32_t pages) {
  if (pages > cb.config->pages) {
    likely("a wait for more pages than the circular buffer has can never end");
    fail("cb_overrun", int(cb.config->index), "%u pages wanted of a circular buffer of %u", pages,
         cb.config->pages);
  }
}

void advance(const CircularBuffer& cb, uint32_t& page, uint32_t pages, const char* verb) {
  page += pages;
  if (page == cb.config->pages) {
    page = 0;
  }
  if (page > cb.config->pages) {
    likely(
        "pointers wrap only when they meet the end exactly: page counts must divide the circular "
        "buffer");
    fail("cb_wrap", int(cb.config->index),
         "%s %u pages runs over the end: %u of %u pages precede it", verb, pages, page - pages,
         cb.config->pages);
  }
}

Range pages_range(const CircularBuffer& cb, uint32_t first, uint32_t pages) {
  const uint32_t begin = cb.offset + first * cb.config->page_bytes;
  return {begin, begin + pages * cb.config->page_bytes};
}

struct InFlight {
  const char* kind;
  const char* message;
  const char* cause;
};

constexpr InFlight late_read = {"noc_read_in_flight",
                                "a read into the pushed pages has not arrived",
                                "noc_async_read_barrier is missing before this push"};
constexpr InFlight late_write = {
    "noc_write_in_flight", "a write out of the popped pages has not left",
    "noc_async_writes_flushed or noc_async_write_barrier is missing before this pop"};

void check_in_flight(const std::vector<Transfer>& transfers, const CircularBuffer& cb, Range pages,
                     const InFlight& finding) {
  for (const Transfer& transfer : transfers) {
    if (transfer.local.overlaps(pages)) {
      likely(finding.cause);
      note(finding.kind, int(cb.config->index), "%s: %s of line %u (%u bytes)", finding.message,
           transfer.call.name, transfer.call.site.line, transfer.local.end - transfer.local.begin);
      return;
    }
  }
}

// The data-movement calls are charged where all calls begin.
void charge_compute(Thread& thread, Engine engine, Op op) {
  if (thread.role == Role::compute) {
    charge(*thread.core, engine, run->timing.compute[uint32_t(op)], thread.call.name);
  }
}

// Waits for the time of the last of `pages` pages; the ones before it were not later.
void wait_for_page(Thread& thread, Engine engine, CircularBuffer& cb, uint32_t first,
                   uint32_t pages, Cycles Page::* time, Cycles& waited) {
  if (pages == 0) {
    return;
  }
  const uint32_t last = (first + pages - 1) % cb.config->pages;
  Core& core = *thread.core;
  const Cycles before = core.clock.engines[uint32_t(engine)].now;
  wait_until(core, engine, cb.pages[last].*time, Stall::circular_buffer, cb.config->name);
  waited += core.clock.engines[uint32_t(engine)].now - before;
}

}  // namespace

void fail_unknown_cb(uint32_t index) {
  fail("cb_unknown", -1, "no circular buffer has index %u", index);
}

// A packer that has to wait here does so by itself.
static bool waits_in_packer(uint32_t index, uint32_t pages) {
  const Thread& thread = *run->current;
  if (thread.packer == nullptr || index >= thread.core->cbs.size()) {
    return false;
  }
  const CircularBuffer& cb = thread.core->cbs[index];
  return cb.config != nullptr && pages <= cb.config->pages && cb.free_pages() < pages;
}

void cb_reserve(Call call, uint32_t index, uint32_t pages) {
  const auto command = [=] { cb_reserve(call, index, pages); };
  if (deferred(command)) {
    return;
  }
  if (waits_in_packer(index, pages)) {
    return packer_start(command);
  }
  Thread& thread = begin(call, Op::cb_reserve);
  CircularBuffer& cb = cb_at(thread, index);
  claim(thread, cb, cb.producer, "cb_two_producers", "produces");
  check_capacity(cb, pages);
  charge_compute(thread, Engine::pack, Op::cb_reserve);
  block_until({WaitKind::cb_free, index, pages});
  wait_for_page(thread, engine_that_fills(thread), cb, cb.write_page, pages, &Page::freed,
                cb.producer_wait);
  order_acquire(thread, cb.popped);
  cb.reserved = cb.reserved > pages ? cb.reserved : pages;
}

void cb_push(Call call, uint32_t index, uint32_t pages) {
  if (deferred([=] { cb_push(call, index, pages); })) {
    return;
  }
  Thread& thread = begin(call, Op::cb_push);
  CircularBuffer& cb = cb_at(thread, index);
  claim(thread, cb, cb.producer, "cb_two_producers", "produces");
  if (pages > cb.reserved) {
    likely("cb_reserve_back is missing before this push, or reserves fewer pages");
    fail("cb_push_without_reserve", int(index), "%u pages pushed, %u reserved", pages, cb.reserved);
  }
  const uint32_t first = cb.write_page;
  advance(cb, cb.write_page, pages, "pushing");
  check_in_flight(thread.reads, cb, pages_range(cb, first, pages), late_read);
  const Engine engine = engine_that_fills(thread);
  charge_compute(thread, engine, Op::cb_push);
  const Cycles visible =
      thread.core->clock.engines[uint32_t(engine)].now + run->timing.cb_visible;
  for (uint32_t page = first; page < first + pages; ++page) {
    ++cb.pages[page].generation;
    cb.pages[page].filled = visible;
  }
  cb.reserved -= pages;
  cb.packed = 0;
  cb.occupied += pages;
  thread.counts->pages_pushed += pages;
  order_release(thread, cb.pushed);
  wake(*thread.core);
}

void cb_wait(Call call, uint32_t index, uint32_t pages) {
  Thread& thread = begin(call, Op::cb_wait);
  CircularBuffer& cb = cb_at(thread, index);
  claim(thread, cb, cb.consumer, "cb_two_consumers", "consumes");
  check_capacity(cb, pages);
  charge_compute(thread, Engine::unpack, Op::cb_wait);
  block_until({WaitKind::cb_filled, index, pages});
  wait_for_page(thread, engine_that_drains(thread), cb, cb.read_page, pages, &Page::filled,
                cb.consumer_wait);
  order_acquire(thread, cb.pushed);
  cb.waited = cb.waited > pages ? cb.waited : pages;
}

void cb_pop(Call call, uint32_t index, uint32_t pages) {
  Thread& thread = begin(call, Op::cb_pop);
  CircularBuffer& cb = cb_at(thread, index);
  claim(thread, cb, cb.consumer, "cb_two_consumers", "consumes");
  if (pages > cb.waited) {
    likely("cb_wait_front is missing before this pop, or waits for fewer pages");
    fail("cb_pop_without_wait", int(index), "%u pages popped, %u waited for", pages, cb.waited);
  }
  const uint32_t first = cb.read_page;
  advance(cb, cb.read_page, pages, "popping");
  check_in_flight(thread.writes, cb, pages_range(cb, first, pages), late_write);
  const Engine engine = engine_that_drains(thread);
  charge_compute(thread, engine, Op::cb_pop);
  const Cycles visible =
      thread.core->clock.engines[uint32_t(engine)].now + run->timing.cb_visible;
  for (uint32_t page = first; page < first + pages; ++page) {
    cb.pages[page].freed = visible;
  }
  cb.waited -= pages;
  cb.occupied -= pages;
  order_release(thread, cb.popped);
  wake(*thread.core);
}

bool cb_can_reserve(Call call, uint32_t index, uint32_t pages) {
  packer_join();
  Thread& thread = begin(call, Op::cb_pointer);
  const CircularBuffer& cb = cb_at(thread, index);
  check_capacity(cb, pages);
  return cb.free_pages() >= pages;
}

bool cb_has_filled(Call call, uint32_t index, uint32_t pages) {
  Thread& thread = begin(call, Op::cb_pointer);
  const CircularBuffer& cb = cb_at(thread, index);
  check_capacity(cb, pages);
  return cb.occupied >= pages;
}

uint32_t cb_base_pointer(Call call, uint32_t index) {
  Thread& thread = begin(call, Op::cb_pointer);
  return l1_window(*thread.core) + cb_at(thread, index).offset;
}

uint32_t cb_write_pointer(Call call, uint32_t index) {
  packer_join();
  Thread& thread = begin(call, Op::cb_pointer);
  const CircularBuffer& cb = cb_at(thread, index);
  return l1_window(*thread.core) + cb.offset + cb.write_page * cb.config->page_bytes;
}

uint32_t cb_read_pointer(Call call, uint32_t index) {
  Thread& thread = begin(call, Op::cb_pointer);
  const CircularBuffer& cb = cb_at(thread, index);
  return l1_window(*thread.core) + cb.offset + cb.read_page * cb.config->page_bytes;
}

void cb_move_pointer(Call call, uint32_t index, bool write, uint32_t address) {
  packer_join();
  Thread& thread = begin(call, Op::cb_pointer);
  CircularBuffer& cb = cb_at(thread, index);
  const uint32_t offset = address - l1_window(*thread.core) - cb.offset;
  const uint32_t page = offset / cb.config->page_bytes;
  if (offset % cb.config->page_bytes != 0 || page >= cb.config->pages) {
    likely("the address is not the beginning of a page of this circular buffer");
    fail("cb_pointer", int(index), "the %s pointer cannot be moved to byte %u",
         write ? "write" : "read", offset);
  }
  (write ? cb.write_page : cb.read_page) = page;
}

uint32_t cb_tile_bytes(Call call, uint32_t index) {
  return cb_at(begin(call, Op::arguments), index).tile_bytes;
}

uint32_t cb_page_bytes(Call call, uint32_t index) {
  return cb_at(begin(call, Op::arguments), index).config->page_bytes;
}

uint32_t cb_pages(Call call, uint32_t index) {
  return cb_at(begin(call, Op::arguments), index).config->pages;
}

DataFormat cb_format(Call call, uint32_t index) {
  return static_cast<DataFormat>(cb_at(begin(call, Op::arguments), index).config->format);
}

}  // namespace tt_mock
