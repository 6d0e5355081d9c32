"""Matrix products: tt-lang's ladder on one core, and tt-metal's GEMM tables on the whole chip."""

from __future__ import annotations

from benchmarks.calibration.harness import TILE, Job, Row, Rows, chip
from tilelang_tt.mock import timing
from tilelang_tt.mock.program import FIDELITIES, Fidelity

_LADDER = "tt-lang benchmarks/microbench/RESULTS.md"
_GEMM = "tt-metal tech_reports/GEMM_FLOPS"
_BLOCK = 8  # tiles of each side of a core's block in the ladder
_PHASES = dict(zip(FIDELITIES, (1, 2, 3, 4), strict=True))

# Arguments: tiles of both operands of a K block, number of K blocks.
_FEED = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  const uint32_t tiles = get_arg_val<uint32_t>(0);
  const uint32_t blocks = get_arg_val<uint32_t>(1);
  for (uint32_t b = 0; b < blocks; ++b) {
    for (uint32_t cb = 0; cb < 2; ++cb) {
      cb_reserve_back(cb, tiles);
      cb_push_back(cb, tiles);
    }
  }
}
"""
# Compile-time: rows and columns of the output block, its subblock's, inner tiles and number of K
# blocks, whether single products are called.
_COMPUTE = """
#include <cstdint>
#include "api/compute/compute_kernel_hw_startup.h"
#include "api/compute/matmul.h"
#include "api/compute/pack.h"

void kernel_main() {
  constexpr uint32_t rows = get_compile_time_arg_val(0);
  constexpr uint32_t columns = get_compile_time_arg_val(1);
  constexpr uint32_t sub_rows = get_compile_time_arg_val(2);
  constexpr uint32_t sub_columns = get_compile_time_arg_val(3);
  constexpr uint32_t inner = get_compile_time_arg_val(4);
  constexpr uint32_t blocks = get_compile_time_arg_val(5);
  constexpr bool single = get_compile_time_arg_val(6) != 0;
  compute_kernel_hw_startup<SrcOrder::Reverse>(0, 1, 16);
  if (single) {
    matmul_init(0, 1);
  } else {
    matmul_block_init(0, 1, 0, sub_columns, sub_rows, inner);
  }
  cb_reserve_back(16, rows * columns);
  for (uint32_t block = 0; block < blocks; ++block) {
    cb_wait_front(0, rows * inner);
    cb_wait_front(1, inner * columns);
    if (block < 2 && blocks > 1) {
      pack_reconfig_l1_acc(block);
    }
    for (uint32_t r = 0; r < rows; r += sub_rows) {
      for (uint32_t c = 0; c < columns; c += sub_columns) {
        tile_regs_acquire();
        if (single) {
          for (uint32_t i = 0; i < sub_rows * sub_columns; ++i) {
            const uint32_t row = r + i / sub_columns;
            for (uint32_t k = 0; k < inner; ++k) {
              matmul_tiles(0, 1, row * inner + k, k * columns + c + i % sub_columns, i);
            }
          }
        } else {
          for (uint32_t k = 0; k < inner; ++k) {
            matmul_block(0, 1, r * inner + k, k * columns + c, 0, 0, sub_columns, sub_rows, inner);
          }
        }
        tile_regs_commit();
        tile_regs_wait();
        for (uint32_t i = 0; i < sub_rows * sub_columns; ++i) {
          pack_tile<true>(i, 16, (r + i / sub_columns) * columns + c + i % sub_columns);
        }
        tile_regs_release();
      }
    }
    cb_pop_front(0, rows * inner);
    cb_pop_front(1, inner * columns);
  }
  cb_push_back(16, rows * columns);
}
"""
_DRAIN = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  cb_wait_front(16, get_arg_val<uint32_t>(0));
  cb_pop_front(16, get_arg_val<uint32_t>(0));
}
"""

# The first core of each row reads that row's blocks of the left operand and sends them along; the
# first core of each column does the same with the right operand, in the kernel that writes the
# result. Semaphores: receivers that are ready, and blocks that have come, for either operand.
# Compile-time: tensor, then tiles of a block along the outer and the inner dimension, number of K
# blocks, tiles between two rows of the tensor, number of cores along the line.
_SEND = """
#include "api/dataflow/dataflow_api.h"

template <uint32_t cb, uint32_t semaphore, bool along_x>
void pass_on(uint32_t tiles, uint32_t cores) {
  const uint32_t ready = get_semaphore(semaphore);
  const uint32_t valid = get_semaphore(semaphore + 1);
  volatile tt_l1_ptr uint32_t* ready_word = reinterpret_cast<volatile tt_l1_ptr uint32_t*>(ready);
  const uint32_t x = get_absolute_logical_x();
  const uint32_t y = get_absolute_logical_y();
  const uint32_t page = get_write_ptr(cb);
  noc_semaphore_wait(ready_word, cores - 1);
  noc_semaphore_set(ready_word, 0);
  // Rows are on NoC 1, whose rectangles begin at their high corner.
  const uint32_t x0 = along_x ? cores - 1 : x, y0 = along_x ? y : 1;
  const uint32_t x1 = along_x ? 1 : x, y1 = along_x ? y : cores - 1;
  const uint64_t data = get_noc_multicast_addr(x0, y0, x1, y1, page);
  noc_async_write_multicast(page, data, tiles * get_tile_size(cb), cores - 1, true);
  const uint64_t flags = get_noc_multicast_addr(x0, y0, x1, y1, valid);
  noc_semaphore_set_multicast(valid, flags, cores - 1);
  noc_async_writes_flushed();
}

template <uint32_t cb, uint32_t semaphore, bool along_x>
void receive() {
  const uint32_t valid = get_semaphore(semaphore + 1);
  volatile tt_l1_ptr uint32_t* valid_word = reinterpret_cast<volatile tt_l1_ptr uint32_t*>(valid);
  noc_semaphore_set(valid_word, 0);
  const uint32_t x = along_x ? 0 : get_absolute_logical_x();
  const uint32_t y = along_x ? get_absolute_logical_y() : 0;
  noc_semaphore_inc(get_noc_addr(x, y, get_semaphore(semaphore)), 1);
  noc_semaphore_wait(valid_word, 1);
}
"""
_LEFT = (
    _SEND
    + """
void kernel_main() {
  constexpr auto args = TensorAccessorArgs<0>();
  constexpr uint32_t rows = get_compile_time_arg_val(2);
  constexpr uint32_t inner = get_compile_time_arg_val(3);
  constexpr uint32_t blocks = get_compile_time_arg_val(4);
  constexpr uint32_t width = get_compile_time_arg_val(5);
  constexpr uint32_t cores = get_compile_time_arg_val(6);
  const auto tensor = TensorAccessor(args, get_common_arg_val<uint32_t>(0));
  const uint32_t first = get_absolute_logical_y() * rows;
  for (uint32_t block = 0; block < blocks; ++block) {
    cb_reserve_back(0, rows * inner);
    if (get_absolute_logical_x() == 0) {
      uint32_t to = get_write_ptr(0);
      for (uint32_t r = 0; r < rows; ++r) {
        for (uint32_t k = 0; k < inner; ++k) {
          noc_async_read_page((first + r) * width + block * inner + k, tensor, to);
          to += get_tile_size(0);
        }
      }
      noc_async_read_barrier();
      pass_on<0, 0, true>(rows * inner, cores);
    } else {
      receive<0, 0, true>();
    }
    cb_push_back(0, rows * inner);
  }
  noc_async_full_barrier();
}
"""
)
_RIGHT_AND_RESULT = (
    _SEND
    + """
void kernel_main() {
  constexpr auto args = TensorAccessorArgs<0>();
  constexpr uint32_t columns = get_compile_time_arg_val(2);
  constexpr uint32_t inner = get_compile_time_arg_val(3);
  constexpr uint32_t blocks = get_compile_time_arg_val(4);
  constexpr uint32_t width = get_compile_time_arg_val(5);
  constexpr uint32_t cores = get_compile_time_arg_val(6);
  constexpr uint32_t rows = get_compile_time_arg_val(7);
  const auto tensor = TensorAccessor(args, get_common_arg_val<uint32_t>(1));
  const auto result = TensorAccessor(args, get_common_arg_val<uint32_t>(2));
  const uint32_t first = get_absolute_logical_x() * columns;
  for (uint32_t block = 0; block < blocks; ++block) {
    cb_reserve_back(1, columns * inner);
    if (get_absolute_logical_y() == 0) {
      uint32_t to = get_write_ptr(1);
      for (uint32_t k = 0; k < inner; ++k) {
        for (uint32_t c = 0; c < columns; ++c) {
          noc_async_read_page((block * inner + k) * width + first + c, tensor, to);
          to += get_tile_size(1);
        }
      }
      noc_async_read_barrier();
      pass_on<1, 2, false>(columns * inner, cores);
    } else {
      receive<1, 2, false>();
    }
    cb_push_back(1, columns * inner);
  }
  cb_wait_front(16, rows * columns);
  uint32_t from = get_read_ptr(16);
  for (uint32_t r = 0; r < rows; ++r) {
    for (uint32_t c = 0; c < columns; ++c) {
      noc_async_write_page((get_absolute_logical_y() * rows + r) * width + first + c, result, from);
      from += get_tile_size(16);
    }
  }
  noc_async_full_barrier();
  cb_pop_front(16, rows * columns);
}
"""
)

# arch, single products, K blocks, per cent of the math thread's time, fitted
_UTILISATION = (
    ("BH", True, 1, 80.2, True),
    ("BH", False, 1, 87.9, False),
    ("BH", True, 3, 81.8, False),
    ("BH", False, 3, 90.8, False),
    ("WH", True, 1, 74.6, True),
    ("WH", False, 1, 82.9, False),
    ("WH", True, 3, 76.1, False),
    ("WH", False, 3, 87.1, False),
)
# arch, grid, M, K, N, inner tiles of a block, fidelity, per cent of the math kernel's time, fitted
_CHIP: tuple[tuple[str, tuple[int, int], int, int, int, int, Fidelity, float, bool], ...] = (
    ("WH", (8, 8), 512, 512, 512, 2, "HiFi4", 40.8, False),
    ("WH", (8, 8), 1024, 1024, 1024, 4, "HiFi4", 77.2, False),
    ("WH", (8, 8), 2048, 2048, 2048, 4, "HiFi4", 89.6, False),
    ("WH", (8, 8), 1024, 1024, 1024, 4, "HiFi2", 47.8, False),
    ("WH", (8, 8), 2048, 2048, 2048, 4, "HiFi2", 64.9, False),
    ("WH", (8, 8), 3072, 3072, 3072, 4, "HiFi4", 92.4, False),
    ("WH", (8, 8), 3072, 3072, 3072, 4, "HiFi2", 64.6, True),
    ("BH", (13, 10), 640, 832, 832, 2, "HiFi4", 41.3, False),
    ("BH", (13, 10), 640, 1664, 1664, 4, "HiFi4", 76.6, False),
    ("BH", (13, 10), 1280, 1664, 1664, 4, "HiFi4", 85.2, False),
    ("BH", (13, 10), 1280, 1664, 1664, 4, "HiFi2", 73.0, False),
    ("BH", (13, 10), 1280, 3328, 3328, 4, "HiFi4", 90.5, False),
    ("BH", (13, 10), 2560, 3328, 3328, 4, "HiFi4", 93.2, False),
    ("BH", (13, 10), 2560, 3328, 3328, 4, "HiFi2", 87.1, False),
)
# ttnn's, of an output that is sharded: one row of tiles.
_SUBBLOCK_COLUMNS = (8, 7, 6, 5, 4, 3, 2, 1)


def rows() -> Rows:
    for arch, single, blocks, share, fitted in _UTILISATION:
        name = f"{arch} {'single' if single else 'block'} products, {blocks} K blocks, one core"
        yield Row(name, _ladder(arch, single, blocks), share, "% of math", _LADDER, fitted)
    for arch, grid, m, k, n, inner, fidelity, share, fitted in _CHIP:
        name = f"{arch} GEMM {m}x{k}x{n} bf16 {fidelity}, {grid[0]}x{grid[1]} cores"
        model = _gemm(arch, grid, (m // 32, k // 32, n // 32), inner, fidelity)
        yield Row(name, model, share, "% of peak", _GEMM, fitted)


def _ladder(arch: str, single: bool, blocks: int) -> float:
    job = Job(
        chip(arch),
        {0: 2 * _BLOCK**2, 1: 2 * _BLOCK**2, 16: _BLOCK**2},
        reader=_FEED,
        compute=_COMPUTE,
        writer=_DRAIN,
    )
    shape = (_BLOCK, _BLOCK, 2, 4, _BLOCK, blocks, int(single))
    words = {"reader": (_BLOCK**2, blocks), "writer": (_BLOCK**2,)}
    report = job.run(words, compile_time={"compute": shape})
    startup = timing.load(job.chip.name).values["startup"]
    return 100 * report.tile_products * 64 / (report.engine("math").finished - startup)


def _gemm(
    arch: str,
    grid: tuple[int, int],
    tiles: tuple[int, int, int],
    inner: int,
    fidelity: Fidelity,
) -> float:
    m, k, n = tiles
    lines, columns = m // grid[1], n // grid[0]
    sub = 1, next(wide for wide in _SUBBLOCK_COLUMNS if columns % wide == 0)
    blocks = k // inner
    job = Job(
        chip(arch, grid),
        {0: 2 * lines * inner, 1: 2 * columns * inner, 16: lines * columns},
        [(x, y) for x in range(grid[0]) for y in range(grid[1])],
        reader=_RIGHT_AND_RESULT,
        compute=_COMPUTE,
        writer=_LEFT,
        fidelity=fidelity,
        semaphores=(0, 1, 0, 1),
    )
    report = job.run(
        {},
        (m * k, k * n, m * n),
        {
            "writer": (2, TILE, lines, inner, blocks, k, grid[0]),
            "reader": (2, TILE, columns, inner, blocks, n, grid[1], lines),
            "compute": (lines, columns, *sub, inner, blocks, 0),
        },
    )
    ideal = report.tile_products / len(job.cores) * 16 * _PHASES[fidelity]
    return 100 * ideal / report.engine("math").finished
