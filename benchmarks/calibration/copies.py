"""Copy loops through the three compute engines: tt-lang's micro-benchmarks MB1 and MB2."""

from __future__ import annotations

from benchmarks.calibration.harness import TILE, Job, Row, Rows, chip

_SOURCE = "tt-lang benchmarks/microbench/RESULTS.md"

# A block of tiles goes round through one circular buffer. Arguments: iterations, tiles.
_ROUND_TRIP = """
#include <cstdint>
#include "api/compute/compute_kernel_api.h"
#include "api/compute/compute_kernel_hw_startup.h"
#include "api/compute/eltwise_unary/fill.h"
#include "api/compute/pack.h"
#include "api/compute/tile_move_copy.h"

void kernel_main() {
  const uint32_t iterations = get_arg_val<uint32_t>(0);
  const uint32_t tiles = get_arg_val<uint32_t>(1);
  compute_kernel_hw_startup(0, 0, 0);
  copy_init(0);
  fill_tile_init();
  cb_reserve_back(0, tiles);
  for (uint32_t i = 0; i < tiles; ++i) {
    tile_regs_acquire();
    fill_tile(0, 1.0F);
    tile_regs_commit();
    tile_regs_wait();
    pack_tile(0, 0);
    tile_regs_release();
  }
  cb_push_back(0, tiles);
  for (uint32_t i = 0; i < iterations; ++i) {
    cb_wait_front(0, tiles);
    cb_reserve_back(0, tiles);
    for (uint32_t first = 0; first < tiles; first += 8) {
      const uint32_t count = tiles - first < 8 ? tiles - first : 8;
      tile_regs_acquire();
      for (uint32_t t = 0; t < count; ++t) {
        copy_tile(0, first + t, t);
      }
      tile_regs_commit();
      tile_regs_wait();
      for (uint32_t t = 0; t < count; ++t) {
        pack_tile(t, 0);
      }
      tile_regs_release();
    }
    cb_pop_front(0, tiles);
    cb_push_back(0, tiles);
  }
  cb_wait_front(0, tiles);
  cb_pop_front(0, tiles);
}
"""
# Arguments: iterations, tiles of a block, whether each iteration has a block of its own.
_STREAM = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  const uint32_t iterations = get_arg_val<uint32_t>(0);
  const uint32_t tiles = get_arg_val<uint32_t>(1);
  const uint32_t blocks = get_arg_val<uint32_t>(2) != 0 ? iterations : 1;
  constexpr auto args = TensorAccessorArgs<0>();
  const auto tensor = TensorAccessor(args, get_common_arg_val<uint32_t>(0));
  for (uint32_t i = 0; i < blocks; ++i) {
    cb_reserve_back(0, tiles);
    uint32_t to = get_write_ptr(0);
    for (uint32_t t = 0; t < tiles; ++t) {
      noc_async_read_page(i * tiles + t, tensor, to);
      to += get_tile_size(0);
    }
    noc_async_read_barrier();
    cb_push_back(0, tiles);
  }
}
"""
_ACCUMULATE_HEAD = """
#include <cstdint>
#include "api/compute/compute_kernel_api.h"
#include "api/compute/compute_kernel_hw_startup.h"
#include "api/compute/eltwise_binary.h"
#include "api/compute/pack.h"
#include "api/compute/tile_move_copy.h"

void kernel_main() {
  const uint32_t iterations = get_arg_val<uint32_t>(0);
  const uint32_t tiles = get_arg_val<uint32_t>(1);
  const bool streamed = get_arg_val<uint32_t>(2) != 0;
  compute_kernel_hw_startup(0, 0, 16);
  copy_init(0);
  cb_reserve_back(16, tiles);
"""
_IN_L1 = (
    _ACCUMULATE_HEAD
    + """
  for (uint32_t i = 0; i < iterations; ++i) {
    if (i == 1) {
      pack_reconfig_l1_acc(1);
    }
    if (streamed || i == 0) {
      cb_wait_front(0, tiles);
    }
    tile_regs_acquire();
    for (uint32_t t = 0; t < tiles; ++t) {
      copy_tile(0, t, t);
    }
    tile_regs_commit();
    tile_regs_wait();
    for (uint32_t t = 0; t < tiles; ++t) {
      pack_tile<true>(t, 16, t);
    }
    tile_regs_release();
    if (streamed || i + 1 == iterations) {
      cb_pop_front(0, tiles);
    }
  }
  cb_push_back(16, tiles);
  cb_wait_front(16, tiles);
  cb_pop_front(16, tiles);
}
"""
)
_IN_DST = (
    _ACCUMULATE_HEAD
    + """
  tile_regs_acquire();
  for (uint32_t i = 0; i < iterations; ++i) {
    if (streamed || i == 0) {
      cb_wait_front(0, tiles);
    }
    if (i == 0) {
      for (uint32_t t = 0; t < tiles; ++t) {
        copy_tile(0, t, t);
      }
      add_reuse_dest_init<EltwiseBinaryReuseDestType::DEST_TO_SRCA>(0);
    } else {
      for (uint32_t t = 0; t < tiles; ++t) {
        add_reuse_dest_tiles<EltwiseBinaryReuseDestType::DEST_TO_SRCA>(0, t, t);
      }
    }
    if (streamed || i + 1 == iterations) {
      cb_pop_front(0, tiles);
    }
  }
  tile_regs_commit();
  tile_regs_wait();
  for (uint32_t t = 0; t < tiles; ++t) {
    pack_tile<true>(t, 16, t);
  }
  tile_regs_release();
  cb_push_back(16, tiles);
  cb_wait_front(16, tiles);
  cb_pop_front(16, tiles);
}
"""
)
_ROUND_TRIPS = {
    "BH": {1: 0.107, 2: 0.161, 4: 0.252, 8: 0.441, 16: 0.693},
    "WH": {1: 0.182, 2: 0.272, 4: 0.439, 8: 0.768, 16: 1.160},
}
# Of 16 and 8 iterations: arch, accumulator, streamed, blocks, tiles, us of both, fitted.
_SUMS = (
    ("BH", "L1", False, 2, 1, 1.40, 1.10, False),
    ("BH", "L1", False, 2, 4, 3.24, 2.06, True),
    ("BH", "DST", False, 2, 1, 1.64, 1.26, False),
    ("BH", "DST", False, 2, 4, 3.86, 2.60, True),
    ("BH", "L1", True, 2, 1, 7.59, 3.83, False),
    ("BH", "L1", True, 2, 2, 7.96, 4.18, False),
    ("BH", "L1", True, 2, 4, 9.25, 4.95, False),
    ("BH", "L1", True, 1, 2, 9.32, 4.86, False),
    ("WH", "L1", False, 2, 1, 2.17, 1.59, False),
    ("WH", "L1", False, 2, 4, 5.10, 3.14, True),
    ("WH", "DST", False, 2, 1, 2.03, 1.64, False),
    ("WH", "DST", False, 2, 4, 4.79, 3.21, True),
    ("WH", "L1", True, 2, 1, 8.19, 4.29, False),
    ("WH", "L1", True, 2, 2, 9.66, 4.98, False),
    ("WH", "L1", True, 2, 4, 11.77, 6.24, False),
    ("WH", "L1", True, 1, 2, 11.65, 6.13, False),
)


def rows() -> Rows:
    for arch, times in _ROUND_TRIPS.items():
        for tiles, microseconds in times.items():
            job = Job(chip(arch), {0: 2 * tiles}, compute=_ROUND_TRIP)
            runs = [job.run({"compute": (n, tiles)}).cycles for n in (4, 36)]
            cycles = microseconds * 1000 * job.chip.clock_ghz
            name = f"{arch} MB1 copy and pack, {tiles} tiles"
            model = (runs[1] - runs[0]) / 32
            yield Row(name, model, cycles, "cycles", _SOURCE, True)
    for arch, where, streamed, blocks, tiles, more, fewer, fitted in _SUMS:
        kernel = _IN_L1 if where == "L1" else _IN_DST
        pages = {0: blocks * tiles, 16: tiles}
        job = Job(chip(arch), pages, reader=_STREAM, compute=kernel)
        model = (_sum_cycles(job, 16, tiles, streamed) - _sum_cycles(job, 8, tiles, streamed)) / 8
        cycles = (more - fewer) / 8 * 1000 * job.chip.clock_ghz
        how = f"from DRAM, {blocks} blocks deep" if streamed else "from L1"
        name = f"{arch} MB2 sum in {where}, {tiles} tiles {how}"
        yield Row(name, model, cycles, "cycles", _SOURCE, fitted)


def _sum_cycles(job: Job, iterations: int, tiles: int, streamed: bool) -> float:
    words = (iterations, tiles, int(streamed))
    accessor = {"reader": (2, TILE)}
    return job.run({"reader": words, "compute": words}, [16 * tiles], accessor).cycles
