// Virtual time: a timeline per engine of each core. Times never decide what is computed.
#pragma once

#include <string>
#include <vector>

#include "timing.h"

namespace tt_mock {

struct Core;
struct Thread;

// A data-movement thread is one engine, a compute thread is three. The first two are as in Role.
enum class Engine : uint8_t { reader, writer, unpack, math, pack, count };
constexpr uint32_t engine_count = static_cast<uint32_t>(Engine::count);

// What an engine waits for: pages, transfers, semaphores, another engine's operands, the
// destination register.
enum class Stall : uint8_t { circular_buffer, transfer, semaphore, operands, destination, count };
constexpr uint32_t stall_count = static_cast<uint32_t>(Stall::count);

// What an engine did from `begin` to `end`, for the trace.
struct Interval {
  const char* name;
  bool is_wait;
  Cycles begin, end;
};

struct Timeline {
  Cycles now = 0;
  Cycles busy = 0;
  Cycles stalls[stall_count] = {};
  std::vector<Interval> intervals;  // only of a run that records
};

struct Section {
  Cycles ready = 0;  // when the packer may read it
  Cycles free = 0;   // when math may write it
};

struct Transfers {
  Cycles reads_done = 0, writes_done = 0, writes_left = 0, atomics_done = 0;
  Cycles command_free = 0;  // when the next command may be given
  bool linked = false;      // the last multicast keeps its path
};

struct Increment {
  Cycles arrival;
  uint32_t amount;
};

// When a semaphore got the value it has: set at `since`, increments after that.
struct SemaphoreClock {
  Cycles since = 0;
  std::vector<Increment> increments;
};

struct CoreClock {
  Timeline engines[engine_count];
  Transfers transfers[2];                 // by NoC
  std::vector<Section> sections;          // of the destination register
  std::vector<SemaphoreClock> semaphores;
  Cycles sources_free = 0;  // when the source registers take the operands of the next operation
};

// What an operation of unpacked tiles takes: `load` cycles of unpacking, `math` of arithmetic;
// arithmetic starts `first` cycles into the load and has `last` cycles left when the load ends. The
// next load may begin `held` cycles into the arithmetic.
struct Work {
  Cycles first, load, last, math, held;
};

// Of a run that records: what the engine did from `begin` until now.
void record_interval(Timeline& line, const char* name, bool is_wait, Cycles begin);

Engine engine_that_fills(const Thread& thread);   // circular buffers
Engine engine_that_drains(const Thread& thread);

// One operation through unpack and math.
void run_operation(Thread& thread, const Work& work);
void run_math(Thread& thread, Cycles cycles);
void run_pack(Thread& thread, Cycles cycles);

Work work_of_one(uint32_t bytes, Cycles math);
Work work_of_two(uint32_t bytes_a, uint32_t bytes_b, Cycles math);
Work work_of_product(uint32_t bytes0, uint32_t bytes1, uint32_t rt, uint32_t ct, bool block);

// For the report: the times of the whole run, and those of each core and link.
std::string clock_json();
std::string times_json();

}  // namespace tt_mock
