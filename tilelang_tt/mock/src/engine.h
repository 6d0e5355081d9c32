// The state of one run: cores, circular buffers, threads, destination registers, counters.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "clock.h"
#include "dram.h"
#include "fiber.h"
#include "network.h"
#include "op.h"
#include "order.h"
#include "program.h"
#include "tile_pool.h"
#include "timing.h"
#include "tt_mock/site.h"

enum class DataFormat : uint8_t;

namespace tt_mock {

enum class Role : uint8_t { reader, writer, compute, none };
const char* role_name(Role role);

constexpr uint32_t tile_side = 32;
constexpr uint32_t tile_elements = tile_side * tile_side;

// How an FPU operand is seen by the multiplier, see fpu.cpp.
enum class View : uint8_t { full, high5, high7, low7, count };

struct Page {
  Cycles filled = 0;        // when the consumer sees it
  Cycles freed = 0;         // when the producer sees it free again
  uint32_t generation = 1;  // bumped at each write, so that views of older bytes are not reused
  Epoch loaded[role_count] = {};  // when each thread of the core last read and wrote it
  Epoch stored[role_count] = {};
  uint32_t view_generation[static_cast<uint32_t>(View::count)] = {};
  std::unique_ptr<float[]> views[static_cast<uint32_t>(View::count)];
};

struct CircularBuffer {
  const TtMockCircularBuffer* config = nullptr;
  uint32_t offset = 0;      // of page 0 in L1
  uint32_t tile_bytes = 0;  // 0: a format without tiles
  Divisor page;             // bytes of a page
  uint32_t occupied = 0;    // pages pushed and not popped
  uint32_t write_page = 0;
  uint32_t read_page = 0;
  uint32_t reserved = 0;  // pages the producer may write
  uint32_t waited = 0;    // pages the consumer may read
  uint32_t packed = 0;    // pages packed in order since the last push
  Cycles producer_wait = 0;
  Cycles consumer_wait = 0;
  Role producer = Role::none;
  Role consumer = Role::none;
  Knowledge pushed, popped;  // of who pushed, and of who popped
  std::vector<Page> pages;

  uint32_t free_pages() const { return config->pages - occupied; }
  uint32_t end() const { return offset + config->pages * config->page_bytes; }
  bool contains(Range range) const { return range.begin >= offset && range.end <= end(); }
  // The numbers of the pages that a range of this circular buffer begins and ends in.
  uint32_t first_page(Range range) const { return page.divide(range.begin - offset); }
  uint32_t last_page(Range range) const { return page.divide(range.end - 1 - offset); }
};

struct Transfer {
  Range local;
  Call call;
  uint32_t transaction = 0;
  Cycles left = 0;  // when the source of a write is free
  Cycles done = 0;
};

// What the forms of transfers with state keep from one call to the next.
struct TransferState {
  bool set = false;
  uint64_t place = 0;  // kind, and core or bank
  uint32_t bytes = 0;
};

enum class WaitKind : uint8_t {
  none,
  cb_free,
  cb_filled,
  semaphore_equal,
  semaphore_at_least,
  l1_change,  // of a core whose L1 a kernel polls
  section,    // of the destination register, for math to write
  packer,     // that has made all its calls
};

struct Wait {
  WaitKind kind = WaitKind::none;
  uint32_t index = 0;  // CB index, or L1 offset of the word
  uint32_t wanted = 0;
};

// One tile of the destination register. Integers keep their bits in the same words.
enum class DstKind : uint8_t { float32, bfloat16, float16, integer };

struct DstTile {
  float* values = nullptr;  // while it holds something
  DstKind kind = DstKind::float32;

  DstTile() = default;
  DstTile(const DstTile&) = delete;
  DstTile& operator=(const DstTile&) = delete;
  ~DstTile() { clear(); }

  bool written() const { return values != nullptr; }
  void claim() { values = values == nullptr ? tile_pool_take() : values; }
  void clear() {
    if (values != nullptr) {
      tile_pool_give(values);
      values = nullptr;
    }
  }
};

struct DstSection {
  std::unique_ptr<DstTile[]> tiles;
};

enum class Unit : uint8_t {
  none,
  copy,
  transpose,
  transpose_dst,
  broadcast,
  binary,
  reuse,
  matmul,
  reduce,
  tilize,
  untilize
};

// What the last init of the unpack and math units prepared.
struct Init {
  Unit unit = Unit::none;
  uint32_t detail[4] = {};
  bool operator==(const Init& other) const {
    return unit == other.unit && detail[0] == other.detail[0] && detail[1] == other.detail[1] &&
           detail[2] == other.detail[2] && detail[3] == other.detail[3];
  }
};

enum class ReduceMask : uint8_t { none, first_column, first_row, first_element };

struct Compute {
  std::vector<DstSection> sections;
  uint32_t first_committed = 0;  // section the packer reads next
  uint32_t committed = 0;        // sections handed to the packer and not released
  bool acquired = false;
  bool packing = false;

  bool started = false;
  uint32_t source_a_format = 0;
  uint32_t source_b_format = 0;
  uint32_t pack_format = 0;
  Init init;
  Call init_call = {"no init", {"", 0}};
  bool accumulate = false;
  uint32_t sfpu_init = 0;
  uint32_t sfpu_parameter = 0;
  const char* sfpu_init_name = "no SFPU init";
  uint32_t sfpu_pack_init = 0;  // of the packer's thread
  const char* sfpu_pack_init_name = "no SFPU init of the packer's thread";
  float running_sums[tile_side] = {};  // of the tiles before, by column
  ReduceMask mask = ReduceMask::none;
  uint32_t untilize_block = 0;  // the packer writes rows in blocks of so many tiles, or tiles
  uint32_t untilize_full = 0;   // the tiles of a whole row
  bool l1_accumulate = false;
  uint32_t relu_mode = 0;
  float relu_threshold = 0;
};

struct Core;
struct Counts;
struct Packer;

struct Thread {
  Fiber fiber;
  Core* core = nullptr;
  const TtMockKernel* kernel = nullptr;
  Role role = Role::none;
  const uint32_t* args = nullptr;
  uint32_t arg_count = 0;
  bool finished = false;
  bool abandoned = false;  // ended by an error
  uint32_t polls = 0;      // granted since the last change of what is polled
  uint32_t polled = 0;     // the L1 offset of the first load since the last call or store
  uint32_t poll_count = 0;  // how often it was loaded
  Range loadable{0, 0}, storable{0, 0};  // where plain accesses are right until the next call
  uint32_t number = 0;  // in the order of the cores
  Counts* counts = nullptr;
  Call call = {"kernel_main", {"", 0}};
  Wait wait;
  std::vector<Transfer> reads;
  std::vector<Transfer> writes;          // source not yet free
  std::vector<Transfer> flushed_writes;  // source free, arrival not yet known
  std::vector<Transfer> atomics;
  uint32_t read_transaction = 0;
  TransferState read_state;
  TransferState write_state;
  std::unique_ptr<Compute> compute;
  std::unique_ptr<Packer> packer;  // of a compute thread, see packer.h
  Thread* owner = nullptr;         // of a packer's thread: the compute thread
  Order order;

  // For what the packer shares with the rest of its kernel.
  Thread& whole() { return owner != nullptr ? *owner : *this; }
};

struct Packer {
  Thread thread;
  std::deque<std::function<void()>> commands;
  bool busy = false;  // it waits, or has commands
};

struct Core {
  uint32_t x = 0, y = 0;
  uint8_t* l1 = nullptr;
  uint64_t* marks = nullptr;  // of the bytes of L1 that hold something, see shadow.h
  std::vector<CircularBuffer> cbs;  // by index; config is null where the program has none
  std::vector<CircularBuffer*> cb_by_offset;
  Thread threads[role_count];
  CoreClock clock;
  bool exists = false;
  std::vector<RemoteAccess> remote_accesses;
  std::vector<SyncWord> sync_words;
  uint32_t changes = 0;  // of the state that a thread of this core may wait for
};

// A barrier of a kernel: how often it was passed, with nothing to wait for, for how many transfers.
struct BarrierUse {
  Call call;
  uint64_t passed, idle, transfers;
};

struct Counts {
  uint64_t calls[op_count] = {};
  uint64_t pages_pushed = 0;
  uint64_t bytes_read = 0;
  uint64_t bytes_written = 0;
  std::vector<BarrierUse> barriers;  // by place
  std::vector<bool> arguments[2];    // which words some core has read: its own, the common ones
};

enum class Category : uint8_t { undefined_behavior, unsupported, assertion_failure };

// What went wrong, where, and why it probably did. cb is -1 where none is concerned.
struct Finding {
  Category category = Category::assertion_failure;
  std::string kind;
  std::string message;
  const char* cause = "";
  const Thread* thread = nullptr;
  Call call = {"", {"", 0}};
  int cb = -1;
  const void* pc = nullptr;  // of a plain load or store, which has no call
  std::string cb_state;      // as JSON, at the time of the finding
  uint32_t times = 1;        // at this place, on all cores
  bool fatal = false;        // its thread was abandoned
};

// The place of a data-movement thread in the order of running.
struct Turn {
  Cycles time;
  uint32_t number;  // decides between equal times
  Thread* thread;
};

struct Run {
  const TtMockProgram* program = nullptr;
  std::vector<Core> cores;  // row-major over the whole grid
  std::vector<Thread*> ready;  // compute threads, which run at once: the last one first
  std::vector<Turn> ordered;   // data-movement threads, a heap by time
  uint32_t unstarted = 0;
  std::vector<Thread*> threads;
  Thread* current = nullptr;
  Fiber scheduler;
  std::vector<Finding> findings;
  const char* cause = "";   // of what the running call is about to report
  const void* raw_pc = nullptr;  // of the plain load or store that is being checked
  bool stopped = false;     // enough findings
  bool abandoned = false;   // some thread ended in the middle: what it left undone is no finding
  bool deadlocked = false;
  std::vector<Counts> counts;  // by kernel of the program
  std::vector<std::string> prints;  // JSON objects
  uint64_t tile_products = 0;
  std::vector<DramTensor> dram;  // by number of the tensor in the program
  Timing timing;
  Network network;
};

extern __attribute__((visibility("hidden"))) Run* run;

// The clock: an engine works, or waits for a time that may be over.
inline void charge(Core& core, Engine engine, Cycles cycles, const char* name) {
  Timeline& line = core.clock.engines[uint32_t(engine)];
  const Cycles before = line.now;
  line.now += cycles;
  line.busy += cycles;
  if (run->program->record != 0) {
    record_interval(line, name, false, before);
  }
}

inline void wait_until(Core& core, Engine engine, Cycles time, Stall stall, const char* name) {
  Timeline& line = core.clock.engines[uint32_t(engine)];
  if (time <= line.now) {
    return;
  }
  const Cycles before = line.now;
  line.stalls[uint32_t(stall)] += time - before;
  line.now = time;
  if (run->program->record != 0) {
    record_interval(line, name, true, before);
  }
}

// Every API call passes here first: it marks the place for messages and counts, and is where a
// clock charges.
inline Thread& begin(Call call, Op op) {
  Thread& thread = *run->current;
  thread.call = call;
  thread.loadable = thread.storable = {0, 0};
  thread.poll_count = 0;
  run->cause = "";
  ++thread.counts->calls[uint32_t(op)];
  if (thread.role != Role::compute) {
    charge(*thread.core, static_cast<Engine>(thread.role),
           run->timing.data_movement[uint32_t(op)], call.name);
  }
  return thread;
}

// The compute state of the running thread, for calls that only compute kernels can make.
inline Compute& compute_of(Thread& thread) { return *thread.whole().compute; }

// Records an error of the running thread and abandons the thread: it cannot go on in a sane state.
// The others run on, so that one run finds what it can.
[[noreturn]] __attribute__((format(printf, 3, 4))) void fail(const char* kind, int cb,
                                                             const char* format, ...);
[[noreturn]] __attribute__((format(printf, 2, 3))) void fail_unsupported(const char* kind,
                                                                         const char* format, ...);
// Records an error after which the thread can go on.
__attribute__((format(printf, 3, 4))) void note(const char* kind, int cb, const char* format, ...);
// Records a finding of the scheduler, which no running thread makes.
void record(Finding&& finding);
// The likely cause of the error that the same call is about to report.
void likely(const char* cause);

// Lets everything run that may still ask for something earlier than the running data-movement
// thread, so that shared resources serve requests in the order of their virtual times.
void run_earlier_threads();

// Blocks the running thread until the condition holds; returns at once if it does.
void block_until(Wait wait);
// Puts a thread among those that may run; leaves the running one, which somebody makes ready again.
void make_ready(Thread& thread);
void hand_over(Thread& from);
// Lets threads of the core run whose condition has come true.
void wake(Core& core);
void wake_waiting(Core& core);  // by a change that no kernel polls for
bool holds(const Core& core, const Wait& wait);
// Runs the action for what a blocked thread waits for: its packer, the rest of its kernel, or both.
template <typename Action>
void for_each_wait(Thread& thread, Action action) {
  if (thread.packer != nullptr && thread.packer->busy) {
    action(thread.packer->thread);
  }
  if (thread.wait.kind != WaitKind::section && thread.wait.kind != WaitKind::packer) {
    action(thread);
  }
}

[[noreturn]] void fail_unknown_cb(uint32_t index);
inline CircularBuffer& cb_at(Thread& thread, uint32_t index) {
  if (index >= thread.core->cbs.size() || thread.core->cbs[index].config == nullptr) {
    fail_unknown_cb(index);
  }
  return thread.core->cbs[index];
}
Core* core_at(uint32_t x, uint32_t y);

// Memory, see memory.cpp.
constexpr uint32_t l1_stride =
    1U << 21;  // one power of two per core, so that the low bits are the L1 address
constexpr uint32_t zeros_base = 2048;  // as the kernels' MEM_ZEROS_BASE and MEM_ZEROS_SIZE
constexpr uint32_t zeros_bytes = 512;
constexpr uint32_t semaphore_base = 4096;
constexpr uint32_t semaphore_stride = 16;
constexpr uint32_t args_base = 8192;
constexpr uint32_t args_stride = 4096;  // unique and common arguments of one role
bool l1_map(uint32_t cores);
uint8_t* l1_of(uint32_t core);
bool l1_contains(uintptr_t address);  // of any core
uint32_t l1_window(const Core& core);
void l1_clear();      // what the run before has used
void l1_mark_used();  // what this run uses
void touch_pages(Core& core, Range range);
// Tensors in L1: copied there before the run and back after it.
void load_tensors();
void store_tensors();
// Whether the range is inside one tensor of the core's L1.
bool is_tensor(Range range);

void scheduler_run();
std::string cb_json(const Core& core, const CircularBuffer& cb);
std::string findings_json();
std::string deadlock_json();

}  // namespace tt_mock
