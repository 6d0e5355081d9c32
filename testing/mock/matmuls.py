"""Matrix products on the mock: one output block per core, and the program around the kernels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from testing.mock import kernels
from tilelang_tt import device, formats, mock

# Compile-time: tensors a and b; tiles of one block: rows, inner, columns; tiles of a row of b.
# Arguments: first row and first column of the block. The whole inner dimension is resident.
READER = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  const uint32_t row = get_arg_val<uint32_t>(0);
  const uint32_t column = get_arg_val<uint32_t>(1);
  constexpr auto a_args = TensorAccessorArgs<0>();
  constexpr auto b_args = TensorAccessorArgs<a_args.next_compile_time_args_offset()>();
  constexpr uint32_t rows = get_compile_time_arg_val(4);
  constexpr uint32_t inner = get_compile_time_arg_val(5);
  constexpr uint32_t columns = get_compile_time_arg_val(6);
  constexpr uint32_t width = get_compile_time_arg_val(7);
  const auto a = TensorAccessor(a_args, get_common_arg_val<uint32_t>(0));
  const auto b = TensorAccessor(b_args, get_common_arg_val<uint32_t>(1));
  cb_reserve_back(0, rows * inner);
  uint32_t to = get_write_ptr(0);
  for (uint32_t r = 0; r < rows; ++r) {
    for (uint32_t k = 0; k < inner; ++k) {
      noc_async_read_page((row + r) * inner + k, a, to);
      to += get_tile_size(0);
    }
  }
  cb_reserve_back(1, inner * columns);
  to = get_write_ptr(1);
  for (uint32_t k = 0; k < inner; ++k) {
    for (uint32_t c = 0; c < columns; ++c) {
      noc_async_read_page(k * width + column + c, b, to);
      to += get_tile_size(1);
    }
  }
  noc_async_read_barrier();
  cb_push_back(0, rows * inner);
  cb_push_back(1, inner * columns);
}
"""

WRITER = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  const uint32_t row = get_arg_val<uint32_t>(0);
  const uint32_t column = get_arg_val<uint32_t>(1);
  constexpr auto c_args = TensorAccessorArgs<0>();
  constexpr uint32_t rows = get_compile_time_arg_val(2);
  constexpr uint32_t columns = get_compile_time_arg_val(3);
  constexpr uint32_t width = get_compile_time_arg_val(4);
  const auto c = TensorAccessor(c_args, get_common_arg_val<uint32_t>(0));
  cb_wait_front(16, rows * columns);
  uint32_t from = get_read_ptr(16);
  for (uint32_t r = 0; r < rows; ++r) {
    for (uint32_t i = 0; i < columns; ++i) {
      noc_async_write_page((row + r) * width + column + i, c, from);
      from += get_tile_size(16);
    }
  }
  noc_async_write_barrier();
  cb_pop_front(16, rows * columns);
}
"""

# Compile-time: rows, inner, columns of the block; rows that fit the destination register.
BLOCKS = """
#include <cstdint>
#include "api/compute/compute_kernel_hw_startup.h"
#include "api/compute/matmul.h"

void kernel_main() {
  constexpr uint32_t rows = get_compile_time_arg_val(0);
  constexpr uint32_t inner = get_compile_time_arg_val(1);
  constexpr uint32_t columns = get_compile_time_arg_val(2);
  constexpr uint32_t sub = get_compile_time_arg_val(3);
  compute_kernel_hw_startup<SrcOrder::Reverse>(0, 1, 16);
  matmul_block_init(0, 1, 0, columns, sub, inner);
  cb_wait_front(0, rows * inner);
  cb_wait_front(1, inner * columns);
  cb_reserve_back(16, rows * columns);
  for (uint32_t r = 0; r < rows; r += sub) {
    tile_regs_acquire();
    for (uint32_t k = 0; k < inner; ++k) {
      matmul_block(0, 1, r * inner + k, k * columns, 0, 0, columns, sub, inner);
    }
    tile_regs_commit();
    tile_regs_wait();
    pack_block(0, 16, sub * columns);
    tile_regs_release();
  }
  cb_push_back(16, rows * columns);
  cb_pop_front(0, rows * inner);
  cb_pop_front(1, inner * columns);
}
"""

TILES = """
#include <cstdint>
#include "api/compute/compute_kernel_hw_startup.h"
#include "api/compute/matmul.h"

void kernel_main() {
  constexpr uint32_t rows = get_compile_time_arg_val(0);
  constexpr uint32_t inner = get_compile_time_arg_val(1);
  constexpr uint32_t columns = get_compile_time_arg_val(2);
  compute_kernel_hw_startup<SrcOrder::Reverse>(0, 1, 16);
  matmul_init(0, 1);
  cb_wait_front(0, rows * inner);
  cb_wait_front(1, inner * columns);
  cb_reserve_back(16, rows * columns);
  for (uint32_t r = 0; r < rows; ++r) {
    for (uint32_t c = 0; c < columns; ++c) {
      tile_regs_acquire();
      for (uint32_t k = 0; k < inner; ++k) {
        matmul_tiles(0, 1, r * inner + k, k * columns + c, 0);
      }
      tile_regs_commit();
      tile_regs_wait();
      pack_tile<true>(0, 16, r * columns + c);
      tile_regs_release();
    }
  }
  cb_push_back(16, rows * columns);
  cb_pop_front(0, rows * inner);
  cb_pop_front(1, inner * columns);
}
"""

# One inner tile at a time, summed in L1 by the packer.
L1_ACCUMULATION = """
#include <cstdint>
#include "api/compute/compute_kernel_hw_startup.h"
#include "api/compute/matmul.h"

void kernel_main() {
  constexpr uint32_t rows = get_compile_time_arg_val(0);
  constexpr uint32_t inner = get_compile_time_arg_val(1);
  constexpr uint32_t columns = get_compile_time_arg_val(2);
  compute_kernel_hw_startup<SrcOrder::Reverse>(0, 1, 16);
  matmul_block_init(0, 1, 0, columns, rows, inner);
  cb_wait_front(0, rows * inner);
  cb_wait_front(1, inner * columns);
  cb_reserve_back(16, rows * columns);
  for (uint32_t k = 0; k < inner; ++k) {
    pack_reconfig_l1_acc(k == 0 ? 0 : 1);
    tile_regs_acquire();
    matmul_block(0, 1, k, k * columns, 0, 0, columns, rows, inner);
    tile_regs_commit();
    tile_regs_wait();
    for (uint32_t i = 0; i < rows * columns; ++i) {
      pack_tile<true>(i, 16, i);
    }
    tile_regs_release();
  }
  cb_push_back(16, rows * columns);
  cb_pop_front(0, rows * inner);
  cb_pop_front(1, inner * columns);
}
"""


@dataclass
class Matmul:
    """c = a @ b with one block of `block` (rows, columns) tiles per core."""

    compute: str = BLOCKS
    block: tuple[int, int] = (2, 2)
    sub: int = 1
    arch: str = "wormhole_b0"
    fidelity: mock.program.Fidelity = "HiFi4"
    fp32_dest_acc: bool = False
    input: formats.Format = kernels.BF16
    output: formats.Format = kernels.BF16

    def program(self, m: int, k: int, n: int) -> mock.Program:
        """The program for sizes in tiles."""
        rows, columns = self.block
        cores = {
            (x, y): (y * rows, x * columns) for y in range(m // rows) for x in range(n // columns)
        }
        page, out = self.input.tile_bytes, self.output.tile_bytes
        buffer = mock.CircularBuffer
        return mock.Program(
            kernels=(
                mock.Kernel(
                    "reader", "reader.cpp", READER, cores, (2, page, 2, page, rows, k, columns, n)
                ),
                mock.Kernel(
                    "compute",
                    "compute.cpp",
                    self.compute,
                    dict.fromkeys(cores, ()),
                    (rows, k, columns, self.sub),
                ),
                mock.Kernel("writer", "writer.cpp", WRITER, cores, (2, out, rows, columns, n)),
            ),
            circular_buffers=(
                buffer(0, "a", self.input, page, rows * k),
                buffer(1, "b", self.input, page, k * columns),
                buffer(16, "c", self.output, out, rows * columns),
            ),
            device=device.load(self.arch),
            fidelity=self.fidelity,
            fp32_dest_acc=self.fp32_dest_acc,
        )

    def run(
        self, a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.generic]:
        (m, k), n = a.shape, b.shape[1]
        program = self.program(m // 32, k // 32, n // 32)
        data = [
            kernels.encode(a, self.input),
            kernels.encode(b, self.input),
            np.zeros(m * n * self.output.element_bytes, np.uint8),
        ]
        pages = [self.input.tile_bytes, self.input.tile_bytes, self.output.tile_bytes]
        sizes = [(page, array.size // page) for page, array in zip(pages, data, strict=True)]
        addresses = mock.allocate(program.device, sizes)
        buffers = [
            mock.Buffer(name, array, page, address)
            for name, array, page, address in zip("abc", data, pages, addresses, strict=True)
        ]
        program.build().run(buffers, {"reader.cpp": addresses[:2], "writer.cpp": addresses[2:]})
        return kernels.decode(data[2], self.output, m, n)
