"""Whole element-wise operations, tile by tile through DRAM, launch included."""

from __future__ import annotations

from benchmarks.calibration.harness import TILE, Job, Row, Rows, chip

# Arguments: tiles of each core, columns of the grid, number of inputs.
_READ = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  const uint32_t count = get_arg_val<uint32_t>(0);
  const uint32_t inputs = get_arg_val<uint32_t>(2);
  const uint32_t core =
      get_absolute_logical_x() + get_arg_val<uint32_t>(1) * get_absolute_logical_y();
  constexpr auto args = TensorAccessorArgs<0>();
  const auto a = TensorAccessor(args, get_common_arg_val<uint32_t>(0));
  const auto b = TensorAccessor(args, get_common_arg_val<uint32_t>(1));
  for (uint32_t i = core * count; i < (core + 1) * count; ++i) {
    cb_reserve_back(0, 1);
    noc_async_read_page(i, a, get_write_ptr(0));
    if (inputs == 2) {
      cb_reserve_back(1, 1);
      noc_async_read_page(i, b, get_write_ptr(1));
    }
    noc_async_read_barrier();
    cb_push_back(0, 1);
    if (inputs == 2) {
      cb_push_back(1, 1);
    }
  }
}
"""
_COMPUTE = """
#include <cstdint>
#include "api/compute/compute_kernel_api.h"
#include "api/compute/compute_kernel_hw_startup.h"
#include "api/compute/eltwise_binary.h"
#include "api/compute/pack.h"
#include "api/compute/tile_move_copy.h"

void kernel_main() {
  const uint32_t count = get_arg_val<uint32_t>(0);
  const bool binary = get_arg_val<uint32_t>(2) == 2;
  compute_kernel_hw_startup(0, 0, 16);
  if (binary) {
    add_init(0, 1);
  } else {
    copy_init(0);
    silu_tile_init();
  }
  for (uint32_t i = 0; i < count; ++i) {
    cb_wait_front(0, 1);
    tile_regs_acquire();
    if (binary) {
      cb_wait_front(1, 1);
      add_tiles(0, 1, 0, 0, 0);
      cb_pop_front(1, 1);
    } else {
      copy_tile(0, 0, 0);
      silu_tile(0);
    }
    tile_regs_commit();
    cb_pop_front(0, 1);
    cb_reserve_back(16, 1);
    tile_regs_wait();
    pack_tile(0, 16);
    tile_regs_release();
    cb_push_back(16, 1);
  }
}
"""
_WRITE = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  const uint32_t count = get_arg_val<uint32_t>(0);
  const uint32_t core =
      get_absolute_logical_x() + get_arg_val<uint32_t>(1) * get_absolute_logical_y();
  constexpr auto args = TensorAccessorArgs<0>();
  const auto c = TensorAccessor(args, get_common_arg_val<uint32_t>(2));
  for (uint32_t i = core * count; i < (core + 1) * count; ++i) {
    cb_wait_front(16, 1);
    noc_async_write_page(i, c, get_read_ptr(16));
    noc_async_write_barrier();
    cb_pop_front(16, 1);
  }
}
"""
_REPORTS = "tt-perf-report tests/data"
# name, arch, grid, tiles of each core, inputs, us, fitted, source
_OPERATIONS = (
    ("ADD 32x1280 bf16", "WH", (8, 5), 1, 2, 2.80, True, _REPORTS),
    ("ADD 32x768 bf16", "BH", (8, 3), 1, 2, 1.64, True, _REPORTS),
    ("silu 1024x1024 bf16", "WH", (8, 8), 16, 1, 25.5, False, "tt-metal PR 41949"),
    ("silu 2048x2048 bf16", "WH", (8, 8), 64, 1, 94.0, True, "tt-metal PR 41949"),
)


def rows() -> Rows:
    for name, arch, grid, count, inputs, microseconds, fitted, source in _OPERATIONS:
        cores = [(x, y) for x in range(grid[0]) for y in range(grid[1])]
        job = Job(chip(arch), {0: 2, 1: 2, 16: 2}, cores, _READ, _COMPUTE, _WRITE)
        tiles = count * len(cores)
        arguments = (count, grid[0], inputs)
        words = {"reader": arguments, "compute": arguments, "writer": arguments}
        accessor = {"reader": (2, TILE), "writer": (2, TILE)}
        report = job.run(words, [tiles] * 3, accessor)
        yield Row(f"{arch} {name}", report.microseconds, microseconds, "us", source, fitted)
