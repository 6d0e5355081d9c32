// The timelines, and how the three engines of a compute thread follow from its one program.
#include "clock.h"

#include <algorithm>

#include "engine.h"

namespace tt_mock {
void record_interval(Timeline& line, const char* name, bool is_wait, Cycles begin) {
  if (line.now <= begin) {
    return;
  }
  if (!line.intervals.empty()) {
    Interval& last = line.intervals.back();
    if (last.name == name && last.is_wait == is_wait && last.end == begin) {
      last.end = line.now;
      return;
    }
  }
  line.intervals.push_back({name, is_wait, begin, line.now});
}

Engine engine_that_fills(const Thread& thread) {
  return thread.role == Role::compute ? Engine::pack : static_cast<Engine>(thread.role);
}

Engine engine_that_drains(const Thread& thread) {
  return thread.role == Role::compute ? Engine::unpack : static_cast<Engine>(thread.role);
}

// The source registers have two banks: the operands of an operation are loaded while math works on
// those of the one before, so a load may begin when the operation before begins, or later where that
// keeps both banks.
void run_operation(Thread& thread, const Work& work) {
  Core& core = *thread.core;
  CoreClock& clock = core.clock;
  Timeline& unpack = clock.engines[uint32_t(Engine::unpack)];
  Timeline& math = clock.engines[uint32_t(Engine::math)];
  const char* name = thread.call.name;
  wait_until(core, Engine::unpack, clock.sources_free, Stall::operands, name);
  const Cycles loaded_first = unpack.now + work.first;
  charge(core, Engine::unpack, work.load, name);
  wait_until(core, Engine::math, loaded_first, Stall::operands, name);
  clock.sources_free = math.now + work.held;
  charge(core, Engine::math, work.math, name);
  wait_until(core, Engine::math, unpack.now + work.last, Stall::operands, name);
}

void run_math(Thread& thread, Cycles cycles) {
  charge(*thread.core, Engine::math, cycles, thread.call.name);
}

void run_pack(Thread& thread, Cycles cycles) {
  charge(*thread.core, Engine::pack, cycles, thread.call.name);
}

Work work_of_one(uint32_t bytes, Cycles math) {
  const Cycles load = bytes / run->timing.unpack.bytes;
  return {load, load, math, math, 0};
}

Work work_of_two(uint32_t bytes_a, uint32_t bytes_b, Cycles math) {
  const UnpackTiming& unpack = run->timing.unpack;
  const Cycles alone = std::max(bytes_a, bytes_b) / unpack.bytes;
  const Cycles load = std::max(alone, (bytes_a + bytes_b) / unpack.joint_bytes);
  return {load, load, math, math, 0};
}

// A block product keeps two tiles of the operand with fewer tiles and streams the other one past
// them, once per pair. The two are in both banks, which the next pair gets when the last streamed tile
// meets them.
Work work_of_product(uint32_t bytes0, uint32_t bytes1, uint32_t rt, uint32_t ct, bool block) {
  const MathTiming& costs = run->timing.math;
  const Cycles product =
      run->program->device.fidelity * costs.matmul_phase + costs.matmul_tile;
  if (!block || rt * ct == 1) {
    return work_of_two(bytes0, bytes1, product + costs.matmul_single);
  }
  const bool rows_stay = ct >= rt;
  const uint32_t kept = rows_stay ? rt : ct;
  const uint32_t streamed = rows_stay ? ct : rt;
  const double kept_bytes = rows_stay ? bytes0 : bytes1;
  const double streamed_bytes = rows_stay ? bytes1 : bytes0;
  const double rate = run->timing.unpack.matmul_bytes;
  const uint32_t passes = (kept + 1) / 2;
  const uint32_t rows = kept < 2 ? kept : 2;
  const double bytes = kept * kept_bytes + passes * streamed * streamed_bytes;
  const Cycles math = rt * ct * product;
  const Cycles held = kept < 2 ? 0 : math - 2 * product;
  return {(rows * kept_bytes + streamed_bytes) / rate, bytes / rate, rows * product, math, held};
}

}  // namespace tt_mock
