"""Hand-written kernels and a builder of small programs, shared by the tests of the mock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tilelang_tt import device, formats, mock

MOCK = Path(mock.__file__).parent

F32 = formats.BY_NAME["Float32"]
F16 = formats.BY_NAME["Float16"]
BF16 = formats.BY_NAME["Float16_b"]
I32 = formats.BY_NAME["Int32"]
U16 = formats.BY_NAME["UInt16"]
U8 = formats.BY_NAME["UInt8"]

# Arguments: first tile, number of tiles; common: the base address of each input.
READ_TWO = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  const uint32_t first = get_arg_val<uint32_t>(0);
  const uint32_t tiles = get_arg_val<uint32_t>(1);
  constexpr auto a_args = TensorAccessorArgs<0>();
  constexpr auto b_args = TensorAccessorArgs<a_args.next_compile_time_args_offset()>();
  const auto a = TensorAccessor(a_args, get_common_arg_val<uint32_t>(0));
  const auto b = TensorAccessor(b_args, get_common_arg_val<uint32_t>(1));
  // add.py:7: T.copy(A[by * 32, bx * 32], A_shared)
  for (uint32_t i = first; i < first + tiles; ++i) {
    cb_reserve_back(0, 1);
    noc_async_read_page(i, a, get_write_ptr(0));
    cb_reserve_back(1, 1);
    noc_async_read_page(i, b, get_write_ptr(1));
    noc_async_read_barrier();
    cb_push_back(0, 1);
    cb_push_back(1, 1);
  }
}
"""

READ_ONE = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  const uint32_t first = get_arg_val<uint32_t>(0);
  const uint32_t tiles = get_arg_val<uint32_t>(1);
  constexpr auto a_args = TensorAccessorArgs<0>();
  const auto a = TensorAccessor(a_args, get_common_arg_val<uint32_t>(0));
  for (uint32_t i = first; i < first + tiles; ++i) {
    cb_reserve_back(0, 1);
    noc_async_read_page(i, a, get_write_ptr(0));
    noc_async_read_barrier();
    cb_push_back(0, 1);
  }
}
"""

WRITE = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  const uint32_t first = get_arg_val<uint32_t>(0);
  const uint32_t tiles = get_arg_val<uint32_t>(1);
  constexpr auto c_args = TensorAccessorArgs<0>();
  const auto c = TensorAccessor(c_args, get_common_arg_val<uint32_t>(0));
  // add.py:11: T.copy(C_local, C[by * 32, bx * 32])
  for (uint32_t i = first; i < first + tiles; ++i) {
    cb_wait_front(16, 1);
    noc_async_write_page(i, c, get_read_ptr(16));
    noc_async_write_barrier();
    cb_pop_front(16, 1);
  }
}
"""

# Arguments: number of tiles. The body works on tile 0 of the inputs and leaves its result in
# destination tile 0.
_COMPUTE = """
#include <cstdint>
#include "api/compute/bcast.h"
#include "api/compute/binary_max_min.h"
#include "api/compute/common.h"
#include "api/compute/compute_kernel_api.h"
#include "api/compute/compute_kernel_hw_startup.h"
#include "api/compute/copy_dest_values.h"
#include "api/compute/eltwise_binary.h"
#include "api/compute/eltwise_binary_sfpu.h"
#include "api/compute/eltwise_unary/binop_with_scalar.h"
#include "api/compute/eltwise_unary/comp.h"
#include "api/compute/eltwise_unary/exp.h"
#include "api/compute/eltwise_unary/fill.h"
#include "api/compute/eltwise_unary/negative.h"
#include "api/compute/eltwise_unary/recip.h"
#include "api/compute/eltwise_unary/relu.h"
#include "api/compute/eltwise_unary/rounding.h"
#include "api/compute/eltwise_unary/rsqrt.h"
#include "api/compute/eltwise_unary/sqrt.h"
#include "api/compute/eltwise_unary/typecast.h"
#include "api/compute/eltwise_unary/where.h"
#include "api/compute/matmul.h"
#include "api/compute/pack.h"
#include "api/compute/reconfig_data_format.h"
#include "api/compute/reduce.h"
#include "api/compute/tile_move_copy.h"
#include "api/compute/transpose.h"

void kernel_main() {
  const uint32_t tiles = get_arg_val<uint32_t>(0);
  compute_kernel_hw_startup(0, %(second)d, 16);
  %(init)s
  // add.py:9: C_local[i, j] = A_shared[i, j] + B_shared[i, j]
  for (uint32_t i = 0; i < tiles; ++i) {
    cb_wait_front(0, 1);
%(wait)s    tile_regs_acquire();
    %(body)s
    tile_regs_commit();
    cb_pop_front(0, 1);
%(pop)s    cb_reserve_back(16, 1);
    tile_regs_wait();
    pack_tile(0, 16);
    tile_regs_release();
    cb_push_back(16, 1);
  }
}
"""


def compute_two(init: str, body: str) -> str:
    """A compute kernel over pairs of tiles of circular buffers 0 and 1."""
    waits = {"wait": "    cb_wait_front(1, 1);\n", "pop": "    cb_pop_front(1, 1);\n"}
    return _COMPUTE % {"second": 1, "init": init, "body": body, **waits}


def compute_one(body: str, init: str = "copy_init(0);") -> str:
    """A compute kernel over tiles of circular buffer 0."""
    return _COMPUTE % {"second": 0, "init": init, "body": body, "wait": "", "pop": ""}


ADD = compute_two("add_init(0, 1);", "add_tiles(0, 1, 0, 0, 0);")


def to_tiles(array: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    """The bytes of a matrix as tiles of four faces, row of tiles by row of tiles."""
    rows, columns = array.shape
    faces = array.reshape(rows // 32, 2, 16, columns // 32, 2, 16)
    return np.ascontiguousarray(faces.transpose(0, 3, 1, 4, 2, 5)).view(np.uint8).reshape(-1)


def from_tiles(
    data: npt.NDArray[np.uint8], dtype: npt.DTypeLike, rows: int, columns: int
) -> npt.NDArray[np.generic]:
    """The inverse of `to_tiles`."""
    faces = data.view(dtype).reshape(rows // 32, columns // 32, 2, 2, 16, 16)
    return np.ascontiguousarray(faces.transpose(0, 2, 4, 1, 3, 5)).reshape(rows, columns)


def to_bfloat16(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    """Rounds to nearest, ties away from zero, as the packer."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    return ((bits + 0x8000) >> 16).astype(np.uint16)


def from_bfloat16(bits: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    return (bits.astype(np.uint32) << 16).view(np.float32)


def encode(values: npt.NDArray[np.generic], format_: formats.Format) -> npt.NDArray[np.uint8]:
    """The tiles of a matrix in a format."""
    if format_ is BF16:
        return to_tiles(to_bfloat16(values.astype(np.float32)))
    return to_tiles(values.astype(format_.dtype))


def decode(
    data: npt.NDArray[np.uint8], format_: formats.Format, rows: int, columns: int
) -> npt.NDArray[np.generic]:
    if format_ is BF16:
        return from_bfloat16(from_tiles(data, np.uint16, rows, columns))
    return from_tiles(data, format_.dtype, rows, columns)


def round_bfloat16(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return from_bfloat16(to_bfloat16(values))


@dataclass
class Pipeline:
    """A program that reads one or two matrices tile by tile, computes, and writes one."""

    compute: str
    inputs: Sequence[formats.Format] = (BF16, BF16)
    output: formats.Format = BF16
    reader: str = ""
    writer: str = WRITE
    cores: Sequence[tuple[int, int]] = ((0, 0),)
    arch: str = "wormhole_b0"
    fidelity: mock.program.Fidelity = "HiFi4"
    fp32_dest_acc: bool = False
    numerics: mock.program.Numerics = "device"
    unpack_to_dest: bool = False
    pages: int = 2
    compute_args: Sequence[int] = ()
    extra: Sequence[mock.CircularBuffer] = field(default=())

    def program(self, tiles: int) -> mock.Program:
        return mock.Program(
            kernels=self._kernels(tiles),
            circular_buffers=self._circular_buffers(),
            device=device.load(self.arch),
            fidelity=self.fidelity,
            fp32_dest_acc=self.fp32_dest_acc,
            numerics=self.numerics,
        )

    def run(self, *matrices: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """The output matrix, of the shape of the inputs."""
        rows, columns = matrices[0].shape
        return decode(self.launch(*matrices)[1], self.output, rows, columns)

    def run_encoded(
        self, tiles: Sequence[npt.NDArray[np.uint8]], rows: int, columns: int
    ) -> npt.NDArray[np.generic]:
        """As `run`, on inputs that are tiles already."""
        count = rows * columns // formats.TILE_ELEMENTS
        return decode(self._launch(count, list(tiles))[1], self.output, rows, columns)

    def launch(
        self, *matrices: npt.NDArray[np.generic]
    ) -> tuple[mock.Report, npt.NDArray[np.uint8]]:
        """The report and the output tiles."""
        tiles = matrices[0].size // formats.TILE_ELEMENTS
        return self._launch(
            tiles, [encode(m, f) for m, f in zip(matrices, self.inputs, strict=True)]
        )

    def _launch(
        self, tiles: int, data: list[npt.NDArray[np.uint8]]
    ) -> tuple[mock.Report, npt.NDArray[np.uint8]]:
        program = self.program(tiles)
        data.append(np.zeros(tiles * self.output.tile_bytes, np.uint8))
        sizes = [f.tile_bytes for f in (*self.inputs, self.output)]
        addresses = mock.allocate(program.device, [(size, tiles) for size in sizes])
        buffers = [
            mock.Buffer(name, array, size, address)
            for name, array, size, address in zip("abcd", data, sizes, addresses, strict=False)
        ]
        report = program.build().run(
            buffers,
            common_args={"reader.cpp": addresses[:-1], "writer.cpp": addresses[-1:]},
        )
        return report, data[-1]

    def _kernels(self, tiles: int) -> tuple[mock.Kernel, ...]:
        each = tiles // len(self.cores)
        spans = {core: (i * each, each) for i, core in enumerate(self.cores)}
        two = len(self.inputs) == 2
        reader = self.reader or (READ_TWO if two else READ_ONE)
        read_args = tuple(word for f in self.inputs for word in (2, f.tile_bytes))
        counts = {core: (span[1], *self.compute_args) for core, span in spans.items()}
        return (
            mock.Kernel("reader", "reader.cpp", reader, spans, read_args),
            mock.Kernel("compute", "compute.cpp", self.compute, counts),
            mock.Kernel("writer", "writer.cpp", self.writer, spans, (2, self.output.tile_bytes)),
        )

    def _circular_buffers(self) -> tuple[mock.CircularBuffer, ...]:
        inputs = tuple(
            mock.CircularBuffer(i, "ab"[i], f, f.tile_bytes, self.pages, self.unpack_to_dest)
            for i, f in enumerate(self.inputs)
        )
        output = mock.CircularBuffer(16, "c", self.output, self.output.tile_bytes, self.pages)
        return (*inputs, output, *self.extra)
