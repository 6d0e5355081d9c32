// The data-movement API: addresses, transfers, barriers, semaphores.
#define TT_MOCK_DATA_MOVEMENT
#include "tt_mock/dataflow.h"

#include <algorithm>
#include <cstring>

#include "shadow.h"

namespace tt_mock {
namespace {

constexpr uint32_t l1_alignment = 16;
constexpr uint8_t padding_byte = 0xA5;  // what the chip leaves there is not defined, so not zero

// A 64-bit NoC address: kind in the top byte, then coordinates or bank, then the 32-bit address.
constexpr uint64_t kind_l1 = 1;
constexpr uint64_t kind_dram = 2;
constexpr uint64_t kind_multicast = 3;

uint64_t encode(uint64_t kind, uint64_t place, uint32_t address) {
  return (kind << 56) | (place << 32) | address;
}

uint64_t kind_of(uint64_t address) { return address >> 56; }
uint32_t place_of(uint64_t address) { return uint32_t(address >> 32) & 0xFFFFFF; }

// What a NoC address stands for; bytes beyond `valid` are padding of the page.
struct Target {
  Core* core;  // null for DRAM
  uint32_t valid;
  uint32_t address;  // in L1, or as the alignment rules see it
  uint32_t bank = 0;
  DramPlace place{};

  uint8_t* l1() const { return core->l1 + address; }
};

uint32_t l1_offset(Thread& thread, uint32_t address) {
  const uint32_t window = l1_window(*thread.core);
  // What the host gives, the address of a tensor in L1, is the same number on every core.
  const uint32_t offset = address < window ? address : address - window;
  if (offset >= run->program->device.l1_bytes) {
    likely(
        "an L1 address comes from get_write_ptr, get_read_ptr or get_semaphore of the same core");
    fail("noc_out_of_bounds", -1, "0x%x is not an L1 address of this core", address);
  }
  return offset;
}

int index_of(const CircularBuffer* cb) { return cb == nullptr ? -1 : int(cb->config->index); }

// The circular buffer around a range. Of several in one place, the one whose end `owner` the role
// moves.
CircularBuffer* cb_of(Core& core, Range range, Role CircularBuffer::*owner, Role role) {
  CircularBuffer* found = nullptr;
  for (CircularBuffer* cb : core.cb_by_offset) {
    if (cb->contains(range)) {
      if (cb->*owner == role) {
        return cb;
      }
      found = found == nullptr ? cb : found;
    }
  }
  return found;
}

bool is_semaphore(Range range) {
  return range.begin >= semaphore_base &&
         range.end <= semaphore_base + run->program->semaphore_count * semaphore_stride;
}

// One side of a transfer: inside one circular buffer (returned), a tensor or a semaphore (null).
CircularBuffer* local_cb(Core& core, Range range, Role CircularBuffer::*owner, Role role) {
  CircularBuffer* cb = cb_of(core, range, owner, role);
  if (cb == nullptr && !is_semaphore(range) && !is_tensor(range)) {
    likely("the transfer is longer than what is left of the circular buffer");
    fail("noc_out_of_bounds", -1,
         "L1 bytes 0x%x to 0x%x are not inside one circular buffer, tensor or semaphore",
         range.begin, range.end);
  }
  return cb;
}

// Whether the range lies inside the `pages` pages from `first` on, round the end.
bool inside_window(const CircularBuffer& cb, Range range, uint32_t first, uint32_t pages) {
  const uint32_t bytes = cb.config->pages * cb.config->page_bytes;
  const uint32_t begin = cb.offset + first * cb.config->page_bytes;
  const uint32_t turn = range.begin < begin ? bytes : 0;
  return range.end <= cb.offset + bytes &&
         range.end + turn <= begin + pages * cb.config->page_bytes;
}

// The pages pushed and not popped follow the read pointer, round the end.
bool overlaps_live(const CircularBuffer& cb, Range range) {
  const uint32_t end = cb.read_page + cb.occupied;
  const uint32_t pages = cb.config->pages;
  const uint32_t first = cb.first_page(range), last = cb.last_page(range);
  return cb.occupied != 0 && ((first < std::min(end, pages) && last >= cb.read_page) ||
                              (end > pages && first < end - pages));
}

// The consumer may have popped a page already, but at a time that is still to come.
bool overlaps_pages_freed_later(const CircularBuffer& cb, Range range, Cycles now) {
  const uint32_t last = cb.last_page(range);
  for (uint32_t page = cb.first_page(range); page <= last; ++page) {
    if (cb.pages[page].freed > now) {
      return true;
    }
  }
  return false;
}

void check_destination(const Thread& thread, const CircularBuffer& cb, Range range) {
  const Cycles now = thread.core->clock.engines[uint32_t(thread.role)].now;
  if (cb.consumer != thread.role &&
      (overlaps_live(cb, range) || overlaps_pages_freed_later(cb, range, now))) {
    likely("cb_reserve_back is missing before the transfer");
    note("cb_overwrite", int(cb.config->index),
         "the transfer overwrites pages that are pushed and not popped");
  } else if (cb.producer == thread.role && cb.consumer != thread.role &&
             !inside_window(cb, range, cb.write_page, cb.reserved)) {
    likely("cb_reserve_back is missing before the transfer, or reserves fewer pages");
    note("cb_write_without_reserve", int(cb.config->index),
         "the transfer writes L1 bytes 0x%x to 0x%x; %u pages are reserved", range.begin, range.end,
         cb.reserved);
  }
}

void check_source(const Thread& thread, const CircularBuffer& cb, Range range) {
  const bool own = cb.producer == thread.role || cb.producer == Role::none;
  if (!own && !inside_window(cb, range, cb.read_page, cb.waited)) {
    likely("cb_wait_front is missing before the transfer, or waits for fewer pages");
    note("cb_read_without_wait", int(cb.config->index),
         "the transfer reads L1 bytes 0x%x to 0x%x; %u pages were waited for", range.begin,
         range.end, cb.waited);
  }
}

// The place is the bank and, where the address is that of a page, the number of its buffer.
Target resolve_dram(uint64_t noc_address, uint32_t bytes) {
  const uint32_t bank = place_of(noc_address) & 0xFF;
  const auto address = uint32_t(noc_address);
  const DramPlace place = dram_resolve(bank, address, place_of(noc_address) >> 8);
  const DramTensor& tensor = run->dram[place.tensor];
  const uint32_t page_bytes = tensor.config->page_bytes;
  if (place.offset + bytes > tensor.slot.value()) {
    likely("the next page is in another bank: one transfer covers one page");
    fail("noc_out_of_bounds", -1, "%u bytes at offset %u run over page %u of buffer %s (%u bytes)",
         bytes, place.offset, uint32_t(place.page), tensor.config->name, page_bytes);
  }
  const uint32_t left = place.offset < page_bytes ? page_bytes - place.offset : 0;
  return {nullptr, std::min(bytes, left), address, bank, place};
}

Target resolve_l1(uint32_t place, uint32_t offset, uint32_t bytes) {
  Core* core = core_at(place >> 8, place & 0xFF);
  if (core == nullptr) {
    fail("noc_out_of_bounds", -1, "no core runs the program at (%u, %u)", place >> 8, place & 0xFF);
  }
  const Range range{offset, offset + bytes};
  if (range.begin < zeros_base || range.end > zeros_base + zeros_bytes) {
    local_cb(*core, range, &CircularBuffer::producer, Role::none);
  }
  return {core, bytes, offset};
}

Target resolve(uint64_t noc_address, uint32_t bytes) {
  switch (kind_of(noc_address)) {
    case kind_dram:
      return resolve_dram(noc_address, bytes);
    case kind_l1:
      return resolve_l1(place_of(noc_address), uint32_t(noc_address), bytes);
    default:
      likely("a NoC address comes from get_noc_addr or a TensorAccessor");
      fail("noc_out_of_bounds", -1, "0x%llx is not a NoC address",
           static_cast<unsigned long long>(noc_address));
  }
}

void check_alignment(uint32_t local, uint32_t remote, uint32_t alignment) {
  if (local % alignment != remote % alignment) {
    note("noc_misaligned", -1, "L1 address 0x%x and remote address 0x%x differ modulo %u", local,
         remote, alignment);
  }
}

// The bytes come from `from` of L1 of a core.
void deliver(const Target& target, const Core& core, uint32_t from, const CircularBuffer* cb) {
  if (target.core == nullptr) {
    shadow_check_written(core, {from, from + target.valid}, index_of(cb),
                         "writing to DRAM");
    if (shadow_dram_written(target.place, target.valid)) {
      dram_store(target.place, core.l1 + from, target.valid);
    }
    return;
  }
  memmove(target.l1(), core.l1 + from, target.valid);
  const Range range{target.address, target.address + target.valid};
  shadow_copied(core, from, *target.core, range);
  touch_pages(*target.core, range);
  wake(*target.core);
}

// A word that comes with the request and not out of L1; of its bytes those that are enabled.
void deliver_word(const Target& target, uint32_t value, uint8_t byte_enable) {
  uint8_t bytes[sizeof value] = {};
  if (target.core == nullptr) {
    dram_load(target.place, bytes, target.valid);
  } else {
    memcpy(bytes, target.l1(), sizeof bytes);
  }
  for (uint32_t i = 0; i < sizeof value; ++i) {
    bytes[i] = (byte_enable >> i & 1) != 0 ? uint8_t(value >> (8 * i)) : bytes[i];
  }
  if (target.core == nullptr) {
    if (shadow_dram_written(target.place, target.valid)) {
      dram_store(target.place, bytes, target.valid);
    }
    return;
  }
  memcpy(target.l1(), bytes, sizeof bytes);
  const Range range{target.address, target.address + uint32_t(sizeof bytes)};
  shadow_written(*target.core, range);
  touch_pages(*target.core, range);
  wake(*target.core);
}

// The bytes go into the range of L1 of a core; what pads a page is left undefined.
void receive(Core& core, Range range, const Target& source) {
  const Range valid{range.begin, range.begin + source.valid};
  if (source.core == nullptr) {
    shadow_dram_read(source.place, source.valid);
    dram_load(source.place, core.l1 + valid.begin, source.valid);
    shadow_written(core, valid);
  } else {
    memmove(core.l1 + valid.begin, source.l1(), source.valid);
    shadow_copied(*source.core, source.address, core, valid);
  }
  if (valid.end != range.end) {
    memset(core.l1 + valid.end, padding_byte, range.end - valid.end);
    shadow_unwritten(core, {valid.end, range.end});
  }
  touch_pages(core, range);
}

// Virtual time of the transfers. The reader has NoC 0, the writer NoC 1.

uint32_t noc_of(const Thread& thread) { return uint32_t(thread.role); }
Timeline& timeline_of(const Thread& thread) {
  return thread.core->clock.engines[uint32_t(thread.role)];
}
Transfers& transfers_of(const Thread& thread) { return thread.core->clock.transfers[noc_of(thread)]; }

// A call that uses what other cores use as well: it has its turn by time.
Thread& begin_in_order(Call call, Op op, uint32_t bytes = 0) {
  Thread& thread = begin(call, op);
  if (bytes != 0) {
    const TransferCosts& costs = transfer_costs(bytes);
    Cycles& free = transfers_of(thread).command_free;
    wait_until(*thread.core, static_cast<Engine>(thread.role), free, Stall::transfer, call.name);
    free = timeline_of(thread).now +
           (op == Op::noc_read ? costs.read_commands : costs.write_commands);
  }
  run_earlier_threads();
  return thread;
}

SemaphoreClock* semaphore_clock(Core& core, uint32_t offset) {
  if (!is_semaphore({offset, offset + 4})) {
    return nullptr;
  }
  return &core.clock.semaphores[(offset - semaphore_base) / semaphore_stride];
}

void set_semaphore_time(Core& core, uint32_t offset, Cycles time) {
  if (SemaphoreClock* clock = semaphore_clock(core, offset)) {
    clock->since = time;
    clock->increments.clear();
  }
}

void note_write(const Thread& thread, const Arrival& arrival) {
  Transfers& transfers = transfers_of(thread);
  transfers.writes_left = std::max(transfers.writes_left, arrival.left);
  transfers.writes_done = std::max(transfers.writes_done, arrival.done);
}

// A write into L1: a signal where it is to a word that others wait for.
void write_in_order(Thread& thread, const Target& target, uint32_t transaction = 0) {
  if (target.core == nullptr) {
    return;
  }
  if (is_sync_word(*target.core, target.address)) {
    order_signal(thread, *target.core, target.address);
  } else {
    order_remote_access(thread, *target.core, {target.address, target.address + target.valid},
                        true, transaction);
  }
}

void count_barrier(Thread& thread, Barrier kind) {
  const bool all = kind == Barrier::full;
  const bool reads = all || kind == Barrier::read;
  const bool writes = all || kind == Barrier::write;
  uint64_t transfers = reads ? thread.reads.size() : 0;
  transfers += writes || kind == Barrier::write_flush ? thread.writes.size() : 0;
  transfers += writes ? thread.flushed_writes.size() : 0;
  transfers += all || kind == Barrier::atomic ? thread.atomics.size() : 0;
  std::vector<BarrierUse>& uses = thread.counts->barriers;
  const uint32_t line = thread.call.site.line;
  const auto here = [line](const BarrierUse& use) { return use.call.site.line == line; };
  auto use = std::find_if(uses.begin(), uses.end(), here);
  if (use == uses.end()) {
    use = uses.insert(use, {thread.call, 0, 0, 0});
  }
  ++use->passed;
  use->idle += transfers == 0 ? 1 : 0;
  use->transfers += transfers;
}

void wait_for_transfers(Thread& thread, Barrier kind) {
  const Transfers& transfers = transfers_of(thread);
  const bool all = kind == Barrier::full;
  const auto wait = [&thread](bool concerned, Cycles time) {
    if (concerned) {
      wait_until(*thread.core, static_cast<Engine>(thread.role), time, Stall::transfer,
                 thread.call.name);
    }
  };
  wait(all || kind == Barrier::read, transfers.reads_done);
  wait(all || kind == Barrier::write, transfers.writes_done);
  wait(kind == Barrier::write_flush, transfers.writes_left);
  wait(all || kind == Barrier::atomic, transfers.atomics_done);
}

void check_transaction(uint32_t transaction) {
  if (transaction >= transaction_ids) {
    fail("noc_transaction", -1, "transaction id %u of %u", transaction, transaction_ids);
  }
}

// Waits for the transfers of one id, and takes them off the list of what is outstanding.
void wait_for_transaction(Thread& thread, Barrier kind, uint32_t transaction) {
  check_transaction(transaction);
  const auto settle = [&](std::vector<Transfer>& transfers, Cycles Transfer::*time,
                          std::vector<Transfer>* next) {
    const auto others =
        std::stable_partition(transfers.begin(), transfers.end(), [&](const Transfer& transfer) {
          return transfer.transaction != transaction;
        });
    for (auto transfer = others; transfer != transfers.end(); ++transfer) {
      wait_until(*thread.core, static_cast<Engine>(thread.role), (*transfer).*time,
                 Stall::transfer, thread.call.name);
    }
    if (next != nullptr) {
      next->insert(next->end(), others, transfers.end());
    }
    transfers.erase(others, transfers.end());
  };
  order_complete(thread, kind == Barrier::read, kind == Barrier::write, transaction);
  if (kind == Barrier::read) {
    settle(thread.reads, &Transfer::done, nullptr);
  } else if (kind == Barrier::write_flush) {
    settle(thread.writes, &Transfer::left, &thread.flushed_writes);
  } else {
    settle(thread.writes, &Transfer::done, nullptr);
    settle(thread.flushed_writes, &Transfer::done, nullptr);
  }
}

void set_state(TransferState& state, uint64_t address, uint32_t bytes) {
  state = {true, address & ~uint64_t{0xFFFFFFFF}, bytes};
}

// The full address, and the size where the state holds it.
uint64_t with_state(Thread& thread, const TransferState& state, uint32_t address,
                    uint32_t& bytes) {
  if (!state.set) {
    likely("the call that sets the state is missing");
    fail("noc_state", -1, "no call has set the state of this transfer");
  }
  bytes = bytes != 0 ? bytes : state.bytes;
  if (bytes == 0) {
    likely("the one-packet forms of the two calls belong together");
    fail("noc_state", -1, "the state of this transfer has no size");
  }
  const bool is_l1 = state.place >> 56 == kind_l1;
  return state.place | (is_l1 ? l1_offset(thread, address) : address);
}

// When the semaphore reached the value, by the arrivals of the increments since it was set.
Cycles semaphore_time(Core& core, uint32_t offset, uint32_t wanted) {
  SemaphoreClock* clock = semaphore_clock(core, offset);
  if (clock == nullptr) {
    return 0;
  }
  std::vector<Increment>& increments = clock->increments;
  std::sort(increments.begin(), increments.end(),
            [](const Increment& a, const Increment& b) { return a.arrival < b.arrival; });
  uint32_t value;
  memcpy(&value, core.l1 + offset, sizeof value);
  for (const Increment& increment : increments) {
    value -= increment.amount;
  }
  size_t used = 0;
  while (used < increments.size() && value < wanted) {
    value += increments[used].amount;
    clock->since = std::max(clock->since, increments[used].arrival);
    ++used;
  }
  increments.erase(increments.begin(), increments.begin() + std::ptrdiff_t(used));
  return clock->since;
}

Range local_range(Thread& thread, uint32_t address, uint32_t bytes) {
  const uint32_t offset = l1_offset(thread, address);
  return {offset, offset + bytes};
}

Rectangle rectangle_of(uint32_t place) {
  return {place >> 18, (place >> 12) & 63, (place >> 6) & 63, place & 63};
}

// Runs the action for every core of a multicast rectangle, whose corners may come in either order.
template <typename Action>
uint32_t for_each_core(uint32_t place, const Core& self, bool loopback, Action action) {
  const auto [x0, y0, x1, y1] = rectangle_of(place);
  uint32_t cores = 0;
  for (uint32_t y = y0 < y1 ? y0 : y1; y <= (y0 < y1 ? y1 : y0); ++y) {
    for (uint32_t x = x0 < x1 ? x0 : x1; x <= (x0 < x1 ? x1 : x0); ++x) {
      if (loopback || x != self.x || y != self.y) {
        action((x << 8) | y);
        ++cores;
      }
    }
  }
  return cores;
}

void increment(Thread& thread, const Target& remote, uint32_t amount) {
  const Arrival arrival = time_write(*thread.core, noc_of(thread), {remote.core, 0},
                                     sizeof amount, timeline_of(thread).now);
  Cycles& done = transfers_of(thread).atomics_done;
  done = std::max(done, arrival.done);
  if (SemaphoreClock* clock = semaphore_clock(*remote.core, remote.address)) {
    clock->increments.push_back({arrival.arrived, amount});
  }
  uint32_t value;
  memcpy(&value, remote.l1(), sizeof value);
  const int64_t sum = int64_t{value} + static_cast<int32_t>(amount);
  if (sum < 0 || sum > INT32_MAX) {
    likely("the two sides disagree on how often they signal");
    note("semaphore_range", -1, "the semaphore at 0x%x of core (%u, %u) is %u and changes by %d",
         remote.address, remote.core->x, remote.core->y, value, static_cast<int32_t>(amount));
  }
  value += amount;
  memcpy(remote.l1(), &value, sizeof value);
  order_signal(thread, *remote.core, remote.address);
  touch_pages(*remote.core, {remote.address, remote.address + 4});
  wake(*remote.core);
  thread.atomics.push_back({{0, 0}, thread.call, 0, arrival.left, arrival.done});
}

void check_multicast(const Thread& thread, uint64_t destination) {
  if (kind_of(destination) != kind_multicast) {
    fail("noc_out_of_bounds", -1, "the destination does not come from get_noc_multicast_addr");
  }
  const auto [x0, y0, x1, y1] = rectangle_of(place_of(destination));
  const uint32_t noc = noc_of(thread);
  if (noc == 0 ? x0 > x1 || y0 > y1 : x0 < x1 || y0 < y1) {
    likely("NoC 0 comes to the lowest coordinates first, NoC 1 to the highest: swap the corners");
    note("noc_multicast_corners", -1,
         "from (%u, %u) to (%u, %u) is the way around the chip on NoC %u, not the rectangle", x0, y0,
         x1, y1, noc);
  }
}

void check_multicast_count(uint32_t given, uint32_t reached) {
  if (reached != given || reached == 0) {
    likely("the sender counts itself with the loopback forms only");
    note("noc_multicast_count", -1, "%u destinations given, the rectangle has %u", given,
         reached);
  }
}

}  // namespace

uint64_t dram_page_address(Call call, uint32_t page, uint32_t base, uint32_t page_bytes,
                           uint32_t offset) {
  begin(call, Op::noc_address);
  const uint32_t banks = run->program->device.dram_banks;
  const uint64_t place = (page % banks) | (dram_tensor_from(base) & 0xFFFF) << 8;
  return encode(kind_dram, place, base + page / banks * page_bytes + offset);
}

uint64_t dram_bank_address(Call call, uint32_t bank, uint32_t address) {
  begin(call, Op::noc_address);
  if (bank >= run->program->device.dram_banks) {
    fail("noc_out_of_bounds", -1, "bank %u of %u", bank, run->program->device.dram_banks);
  }
  return encode(kind_dram, bank, address);
}

// L1 banks are numbered as the cores of the grid are.
uint64_t l1_page_address(Call call, uint32_t page, uint32_t base, uint32_t page_bytes,
                         uint32_t offset) {
  Thread& thread = begin(call, Op::noc_address);
  const TtMockDevice& device = run->program->device;
  const uint32_t banks = device.grid_x * device.grid_y, bank = page % banks;
  return encode(kind_l1, (bank % device.grid_x << 8) | bank / device.grid_x,
                l1_offset(thread, base + page / banks * page_bytes + offset));
}

uint64_t l1_bank_address(Call call, uint32_t bank, uint32_t address) {
  Thread& thread = begin(call, Op::noc_address);
  const TtMockDevice& device = run->program->device;
  const uint32_t banks = device.grid_x * device.grid_y;
  if (bank >= banks) {
    fail("noc_out_of_bounds", -1, "bank %u of %u", bank, banks);
  }
  return encode(kind_l1, (bank % device.grid_x << 8) | bank / device.grid_x,
                l1_offset(thread, address));
}

bool is_own_l1(Call call, uint64_t noc_address) {
  const Core& core = *begin(call, Op::noc_address).core;
  return kind_of(noc_address) == kind_l1 && place_of(noc_address) == ((core.x << 8) | core.y);
}

uint64_t l1_address(Call call, uint32_t x, uint32_t y, uint32_t address) {
  Thread& thread = begin(call, Op::noc_address);
  return encode(kind_l1, (x << 8) | y, l1_offset(thread, address));
}

uint64_t l1_own_address(Call call, uint32_t address) {
  Thread& thread = begin(call, Op::noc_address);
  return encode(kind_l1, (thread.core->x << 8) | thread.core->y, l1_offset(thread, address));
}

uint64_t l1_multicast_address(Call call, Rectangle cores, uint32_t address) {
  Thread& thread = begin(call, Op::noc_address);
  const uint64_t place =
      (uint64_t{cores.x_start} << 18) | (cores.y_start << 12) | (cores.x_end << 6) | cores.y_end;
  return encode(kind_multicast, place, l1_offset(thread, address));
}

void noc_read(Call call, uint64_t source, uint32_t destination, uint32_t bytes) {
  Thread& thread = begin_in_order(call, Op::noc_read, bytes);
  const Range range = local_range(thread, destination, bytes);
  CircularBuffer* cb = local_cb(*thread.core, range, &CircularBuffer::producer, thread.role);
  if (cb != nullptr) {
    check_destination(thread, *cb, range);
  }
  const Target remote = resolve(source, bytes);
  check_alignment(range.begin, remote.address,
                  remote.core == nullptr ? run->program->device.dram_read_alignment : l1_alignment);
  check_not_leaving(*thread.core, range, index_of(cb));
  if (cb != nullptr) {
    order_local_access(thread, *cb, range, true);
  }
  if (remote.core != nullptr) {
    order_remote_access(thread, *remote.core, {remote.address, remote.address + bytes}, false,
                        thread.read_transaction);
  }
  receive(*thread.core, range, remote);
  const Cycles arrived = time_read(*thread.core, noc_of(thread), {remote.core, remote.bank}, bytes,
                                   timeline_of(thread).now);
  thread.reads.push_back({range, call, thread.read_transaction, arrived, arrived});
  Cycles& done = transfers_of(thread).reads_done;
  done = std::max(done, arrived);
  thread.counts->bytes_read += bytes;
}

void noc_write(Call call, uint32_t source, uint64_t destination, uint32_t bytes,
               uint32_t transaction) {
  Thread& thread = begin_in_order(call, Op::noc_write, bytes);
  const Range range = local_range(thread, source, bytes);
  CircularBuffer* cb = local_cb(*thread.core, range, &CircularBuffer::consumer, thread.role);
  if (cb != nullptr) {
    check_source(thread, *cb, range);
  }
  const Target remote = resolve(destination, bytes);
  check_alignment(range.begin, remote.address, l1_alignment);
  const Arrival arrival = time_write(*thread.core, noc_of(thread), {remote.core, remote.bank},
                                     bytes, timeline_of(thread).now);
  note_write(thread, arrival);
  if (remote.core != nullptr) {
    set_semaphore_time(*remote.core, remote.address, arrival.arrived);
  }
  check_not_arriving(*thread.core, range, index_of(cb));
  if (cb != nullptr) {
    order_local_access(thread, *cb, range, false);
  }
  write_in_order(thread, remote, transaction);
  deliver(remote, *thread.core, range.begin, cb);
  thread.writes.push_back({range, call, transaction, arrival.left, arrival.done});
  thread.counts->bytes_written += bytes;
}

void noc_multicast(Call call, uint32_t source, uint64_t destination, uint32_t bytes,
                   MulticastOptions options) {
  Thread& thread = begin_in_order(call, Op::noc_multicast, bytes);
  const Range range = local_range(thread, source, bytes);
  CircularBuffer* cb = local_cb(*thread.core, range, &CircularBuffer::consumer, thread.role);
  if (cb != nullptr) {
    check_source(thread, *cb, range);
  }
  check_multicast(thread, destination);
  const uint32_t offset = uint32_t(destination);
  const uint32_t place = place_of(destination);
  check_alignment(range.begin, offset, l1_alignment);
  Multicast multicast(*thread.core, noc_of(thread), bytes, timeline_of(thread).now);
  const uint32_t reached =
      for_each_core(place, *thread.core, options.loopback, [&](uint32_t xy) {
        multicast.add(*resolve_l1(xy, offset, bytes).core);
      });
  Transfers& transfers = transfers_of(thread);
  multicast.finish(!transfers.linked, options.loopback);
  transfers.linked = options.linked;
  note_write(thread, multicast.sender());
  for_each_core(place, *thread.core, options.loopback, [&](uint32_t xy) {
    const Target remote = resolve_l1(xy, offset, bytes);
    set_semaphore_time(*remote.core, offset, multicast.arrival_at(*remote.core));
    if (remote.l1() != thread.core->l1 + range.begin) {
      write_in_order(thread, remote);
      deliver(remote, *thread.core, range.begin, cb);
    }
  });
  check_multicast_count(options.count, reached);
  check_not_arriving(*thread.core, range, index_of(cb));
  if (cb != nullptr) {
    order_local_access(thread, *cb, range, false);
  }
  thread.writes.push_back({range, call, 0, multicast.sender().left, multicast.sender().done});
  thread.counts->bytes_written += uint64_t{bytes} * options.count;
}

void noc_write_word(Call call, uint64_t destination, uint32_t value, uint8_t byte_enable) {
  Thread& thread = begin_in_order(call, Op::noc_write, sizeof value);
  const Target remote = resolve(destination, sizeof value);
  check_alignment(remote.address, 0, sizeof value);
  const Arrival arrival = time_write(*thread.core, noc_of(thread), {remote.core, remote.bank},
                                     sizeof value, timeline_of(thread).now);
  note_write(thread, arrival);
  if (remote.core != nullptr) {
    set_semaphore_time(*remote.core, remote.address, arrival.arrived);
  }
  write_in_order(thread, remote);
  deliver_word(remote, value, byte_enable);
  thread.writes.push_back({{0, 0}, call, 0, arrival.left, arrival.done});
  thread.counts->bytes_written += sizeof value;
}

void noc_barrier(Call call, Barrier kind, uint32_t transaction) {
  Thread& thread = begin(call, Op::noc_barrier);
  count_barrier(thread, kind);
  if (transaction != any_transaction) {
    wait_for_transaction(thread, kind, transaction);
    return;
  }
  wait_for_transfers(thread, kind);
  order_complete(thread, kind == Barrier::read || kind == Barrier::full,
                 kind == Barrier::write || kind == Barrier::full);
  if (kind == Barrier::read || kind == Barrier::full) {
    thread.reads.clear();
  }
  if (kind == Barrier::write_flush) {
    thread.flushed_writes.insert(thread.flushed_writes.end(), thread.writes.begin(),
                                 thread.writes.end());
    thread.writes.clear();
  }
  if (kind == Barrier::write || kind == Barrier::full) {
    thread.writes.clear();
    thread.flushed_writes.clear();
  }
  if (kind == Barrier::atomic || kind == Barrier::full) {
    thread.atomics.clear();
  }
}

void noc_read_transaction(Call call, uint32_t transaction) {
  Thread& thread = begin(call, Op::noc_address);
  check_transaction(transaction);
  thread.read_transaction = transaction;
}

bool noc_reads_arrived(Call call, uint32_t transaction) {
  Thread& thread = begin_in_order(call, Op::noc_barrier);
  check_transaction(transaction);
  for (const Transfer& transfer : thread.reads) {
    if (transfer.transaction == transaction && transfer.done > timeline_of(thread).now) {
      return false;
    }
  }
  wait_for_transaction(thread, Barrier::read, transaction);
  return true;
}

void noc_read_state(Call call, uint64_t source, uint32_t bytes) {
  set_state(begin(call, Op::noc_address).read_state, source, bytes);
}

void noc_read_with_state(Call call, uint32_t source, uint32_t destination, uint32_t bytes) {
  Thread& thread = begin(call, Op::noc_address);
  const uint64_t address = with_state(thread, thread.read_state, source, bytes);
  noc_read(call, address, destination, bytes);
}

void noc_write_state(Call call, uint64_t destination, uint32_t bytes) {
  set_state(begin(call, Op::noc_address).write_state, destination, bytes);
}

void noc_write_with_state(Call call, uint32_t source, uint32_t destination, uint32_t bytes,
                          uint32_t transaction) {
  Thread& thread = begin(call, Op::noc_address);
  const uint64_t address = with_state(thread, thread.write_state, destination, bytes);
  noc_write(call, source, address, bytes, transaction);
}

uint32_t semaphore_address(Call call, uint32_t id) {
  Thread& thread = begin(call, Op::semaphore);
  if (id >= run->program->semaphore_count) {
    fail("semaphore_unknown", -1, "semaphore %u of %u", id, run->program->semaphore_count);
  }
  return l1_window(*thread.core) + semaphore_base + id * semaphore_stride;
}

void semaphore_wait(Call call, uint32_t address, uint32_t value, bool at_least) {
  Thread& thread = begin_in_order(call, Op::semaphore);
  const WaitKind kind = at_least ? WaitKind::semaphore_at_least : WaitKind::semaphore_equal;
  const uint32_t offset = l1_offset(thread, address);
  block_until({kind, offset, value});
  order_observe(thread, offset);
  uint32_t reached;
  memcpy(&reached, thread.core->l1 + offset, sizeof reached);
  if (!at_least && reached != value) {
    likely("it is signalled again before the wait is over: wait for at least the value, or signal "
           "once a turn");
    note("semaphore_passed", -1, "the semaphore at 0x%x is %u already where exactly %u is awaited",
         offset, reached, value);
  }
  wait_until(*thread.core, static_cast<Engine>(thread.role),
             semaphore_time(*thread.core, offset, value), Stall::semaphore, call.name);
}

void semaphore_set(Call call, uint32_t address, uint32_t value) {
  Thread& thread = begin_in_order(call, Op::semaphore);
  const uint32_t offset = l1_offset(thread, address);
  check_not_leaving(*thread.core, {offset, offset + 4}, -1);
  memcpy(thread.core->l1 + offset, &value, sizeof value);
  set_semaphore_time(*thread.core, offset, timeline_of(thread).now);
  order_set(thread, offset);
  wake(*thread.core);
}

void semaphore_increment(Call call, uint64_t destination, uint32_t amount) {
  Thread& thread = begin_in_order(call, Op::semaphore);
  const Target remote = resolve(destination, sizeof amount);
  if (remote.core == nullptr) {
    fail("noc_out_of_bounds", -1, "the destination of an increment is not in L1");
  }
  increment(thread, remote, amount);
}

void semaphore_increment_multicast(Call call, uint64_t destination, uint32_t amount,
                                   uint32_t count) {
  Thread& thread = begin_in_order(call, Op::semaphore);
  check_multicast(thread, destination);
  const uint32_t reached =
      for_each_core(place_of(destination), *thread.core, false, [&](uint32_t xy) {
        increment(thread, resolve_l1(xy, uint32_t(destination), sizeof amount), amount);
      });
  check_multicast_count(count, reached);
}

}  // namespace tt_mock
