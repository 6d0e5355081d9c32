"""A GEMM as experts write it: operands are multicast along rows and columns of cores.

Core (x, y) owns a rectangle of the output and computes it block by block. The first core of a row
of cores reads A's blocks for the row, the first of a column B's, and passes them on with a linked
multicast of data and flag once all receivers have room. A goes over one NoC, B and the output over
the other. Compute multiplies subblocks with `matmul_block`; the packer adds up in L1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.gemm.problem import Bytes, Outcome, Problem, zeros
from tilelang_tt import formats, mock
from tilelang_tt.mock.program import Kernel, Role, align_up
from tilelang_tt.mock.tensors import DRAM, Core, Layout, Sharded

KERNELS = Path(__file__).parent / "kernels"
_IN0, _IN1, _SHARD, _SUM, _OUT = 0, 1, 2, 3, 16
_BF16 = formats.BY_NAME["Float16_b"]
_DST_TILES = 8  # half the destination register
# Those that reuse operands best come first: the unpacker loads fewer tiles for each product.
_SUBBLOCKS = (
    *((2, 4), (4, 2), (2, 3), (3, 2), (1, 8), (8, 1), (1, 7), (7, 1), (2, 2), (1, 6), (6, 1)),
    *((1, 5), (5, 1), (1, 4), (4, 1), (1, 3), (3, 1), (1, 2), (2, 1), (1, 1)),
)


@dataclass(frozen=True)
class Config:
    """The knobs. `rows`, `columns` and `inner` are tiles of a block, `sub` those of a subblock.

    `depth` is how many blocks of each operand a core has room for, `noc` the NoC of B and of the
    output: 0, as in ttnn's factory, is the better one for reads of DRAM, 1 for writes. Where the
    senders are not `diagonal`, they are the first column and the first row of cores, as in ttnn.
    """

    rows: int
    columns: int
    inner: int
    sub: tuple[int, int]
    depth: int = 2
    multicast: bool = True
    noc: Literal[0, 1] = 0
    diagonal: bool = False

    @property
    def name(self) -> str:
        rows, columns = self.sub
        block = f"{self.rows}x{self.columns}x{self.inner}"
        senders = " diagonal" if self.diagonal else ""
        return f"{block} sub {rows}x{columns} x{self.depth} noc {self.noc}{senders}"


@dataclass(frozen=True)
class _Shape:
    """What follows from a problem and its configuration, in tiles and blocks of tiles."""

    problem: Problem
    config: Config

    def __post_init__(self) -> None:
        (m, k, n), (columns, rows), config = self.problem.tiles, self.problem.grid, self.config
        for what, whole, part in (
            ("rows of A", m, rows * config.rows),
            ("columns of B", n, columns * config.columns),
            ("inner tiles", k, config.inner),
            ("inner tiles of a shard", k // columns if self.sharded else k, config.inner),
            ("rows of a block", config.rows, config.sub[0]),
            ("columns of a block", config.columns, config.sub[1]),
        ):
            if whole % part:
                raise ValueError(f"{whole} {what} are no multiple of {part}")
        if config.sub[0] * config.sub[1] > _DST_TILES:
            sub_rows, sub_columns = config.sub
            raise ValueError(
                f"a subblock of {sub_rows}x{sub_columns} tiles, the register has {_DST_TILES}"
            )
        if self.sharded and self.output_blocks != 1:
            raise ValueError("an output in L1 is one block on each core")

    @property
    def sharded(self) -> bool:
        return self.problem.place == "l1"

    @property
    def row_blocks(self) -> int:
        """Of the output, on each core."""
        return self.problem.tiles[0] // self.problem.grid[1] // self.config.rows

    @property
    def column_blocks(self) -> int:
        return self.problem.tiles[2] // self.problem.grid[0] // self.config.columns

    @property
    def output_blocks(self) -> int:
        return self.row_blocks * self.column_blocks

    @property
    def inner_blocks(self) -> int:
        return self.problem.tiles[1] // self.config.inner

    @property
    def sum_beside(self) -> bool:
        """Whether sums have another format than the output, and so a place of their own."""
        whole = self.config.sub == (self.config.rows, self.config.columns)
        return self.problem.dtype != "bf16" and self.inner_blocks > 1 and not whole

    @property
    def named(self) -> dict[str, int]:
        """Compile-time arguments of all kernels."""
        config = self.config
        return {
            "rows": config.rows,
            "columns": config.columns,
            "inner": config.inner,
            "sub_rows": config.sub[0],
            "sub_columns": config.sub[1],
            "inner_blocks": self.inner_blocks,
            "row_blocks": self.row_blocks,
            "column_blocks": self.column_blocks,
            "output_blocks": self.output_blocks,
            "width": self.problem.tiles[2],
            "columns_of_cores": self.problem.grid[0],
            "ahead": int(config.depth > 2),
            "output_stays": int(self.sharded),
            "sum_beside": int(self.sum_beside),
        }

    @property
    def layouts(self) -> tuple[Layout, Layout, Layout]:
        """Where the pages of A, B and C are."""
        if not self.sharded:
            return DRAM, DRAM, DRAM
        (m, k, n), (columns, rows) = self.problem.tiles, self.problem.grid
        cores = self.problem.cores
        return (
            Sharded((m, k), (m // rows, k // columns), cores),
            DRAM,
            Sharded((m, n), (m // rows, n // columns), cores),
        )

    @property
    def circular_buffers(self) -> tuple[mock.CircularBuffer, ...]:
        config, own = self.config, self.problem.format
        output = config.rows * config.columns

        def buffer(
            index: int, pages: int, format_: formats.Format = own, tensor: str | None = None
        ) -> mock.CircularBuffer:
            return mock.CircularBuffer(
                index, f"cb{index}", format_, format_.tile_bytes, pages, buffer=tensor
            )

        buffers = [
            buffer(_IN0, config.rows * config.inner * config.depth),
            buffer(_IN1, config.inner * config.columns * config.depth),
            buffer(_OUT, output, tensor="c" if self.sharded else None),
        ]
        if self.sum_beside:
            buffers.append(buffer(_SUM, output, _BF16))
        if self.sharded:
            shard = config.rows * self.problem.tiles[1] // self.problem.grid[0]
            buffers.append(buffer(_SHARD, shard, tensor="a"))
        return tuple(buffers)

    @property
    def l1_bytes(self) -> int:
        """What the circular buffers take of a core, those on tensors included."""
        return sum(each.page_bytes * each.pages for each in self.circular_buffers)


def subblock(rows: int, columns: int) -> tuple[int, int]:
    """The subblock that divides a block and reuses its operands best."""
    return next(sub for sub in _SUBBLOCKS if rows % sub[0] == 0 and columns % sub[1] == 0)


def fits(problem: Problem, config: Config) -> bool:
    """Whether what a core needs of its L1 is there."""
    shape, device = _Shape(problem, config), problem.device
    slack = device.dram_read_alignment * len(shape.circular_buffers)
    return shape.l1_bytes + slack <= device.cb_bytes


def buffers(problem: Problem, config: Config, a: Bytes, b: Bytes, c: Bytes) -> list[mock.Buffer]:
    """The three tensors, given as the bytes of their tiles, where the configuration wants them."""
    device, size = problem.device, problem.format.tile_bytes
    next_dram, next_l1 = device.dram_first_address, device.l1_bytes
    made: list[mock.Buffer] = []
    for name, data, layout in zip("abc", (a, b, c), _Shape(problem, config).layouts, strict=True):
        if isinstance(layout, Sharded):
            next_l1 -= align_up(layout.core_pages * size, device.dram_read_alignment)
            next_l1 -= next_l1 % device.dram_read_alignment
            address = next_l1
        else:
            address = next_dram
            pages = -(-(data.size // size) // device.dram_banks)
            next_dram += pages * align_up(size, device.dram_read_alignment)
        contents = "result" if name == "c" else "input"
        made.append(mock.Buffer(name, data, size, address, contents, layout))
    return made


def _line(shape: _Shape, core: Core, along_x: bool) -> list[int]:
    """The fields of `Line` in passing.h, for the row or the column of the core.

    NoC 1 goes to lower coordinates, so its rectangles begin at their high corner.
    """
    (x, y), (columns, rows) = core, shape.problem.grid
    last = (columns if along_x else rows) - 1
    if last == 0 or not shape.config.multicast:
        return [1, x, y, x, y, x, y, 0]
    noc = 1 - shape.config.noc if along_x else shape.config.noc
    ends = (0, last) if noc == 0 else (last, 0)
    if along_x:
        sender = y % columns if shape.config.diagonal else 0
        return [int(x == sender), sender, y, ends[0], y, ends[1], y, last]
    sender = x % rows if shape.config.diagonal else 0
    return [int(y == sender), x, sender, x, ends[0], x, ends[1], last]


def _in0(shape: _Shape, address: int) -> tuple[str, dict[Core, Sequence[int]]]:
    """The kernel that brings A, and its arguments by core."""
    problem = shape.problem
    lines = {core: _line(shape, core, True) for core in problem.cores}
    if shape.sharded:
        columns = range(problem.grid[0])
        return "in0_sharded.cpp", {(x, y): (x, y, *lines[x, y], *columns) for x, y in problem.cores}
    first = shape.config.rows * shape.row_blocks
    return "in0.cpp", {(x, y): (address, y * first, *lines[x, y]) for x, y in problem.cores}


def _in1(shape: _Shape, in1: int, output: int) -> dict[Core, Sequence[int]]:
    """Arguments of the kernel that brings B and takes C away, by core."""
    rows = shape.config.rows * shape.row_blocks
    columns = shape.config.columns * shape.column_blocks
    return {
        (x, y): (
            in1,
            output,
            y * rows,
            x * columns,
            *_line(shape, (x, y), False),
        )
        for x, y in shape.problem.cores
    }


def program(problem: Problem, config: Config, tensors: Sequence[mock.Buffer]) -> mock.Program:
    """The kernels and their plan for the `buffers` of the same problem and configuration."""
    shape, device = _Shape(problem, config), problem.device
    a, b, c = tensors
    in0, in0_args = _in0(shape, a.address)
    named = tuple(shape.named.items())

    def kernel(
        role: Role, name: str, args: Mapping[Core, Sequence[int]], *layouts: mock.Buffer
    ) -> Kernel:
        words = tuple(word for tensor in layouts for word in tensor.accessor_args(device))
        source = (KERNELS / name).read_text(encoding="utf-8")
        return Kernel(
            role,
            name,
            source,
            args,
            words,
            named_compile_time_args=named,
            include_dirs=(str(KERNELS),),
        )

    roles: tuple[Role, Role] = ("reader", "writer")  # by NoC
    in1_args = _in1(shape, b.address, c.address)
    return mock.Program(
        (
            kernel(roles[1 - config.noc], in0, in0_args, *([] if shape.sharded else [a])),
            kernel(roles[config.noc], "in1_and_output.cpp", in1_args, b, c),
            kernel("compute", "compute.cpp", dict.fromkeys(problem.cores, ())),
        ),
        shape.circular_buffers,
        device,
        fidelity=problem.fidelity,
        semaphores=(0, 0, 0, 0),
    )


def run(problem: Problem, config: Config) -> Outcome:
    """One run on zeros.

    Raises:
        ValueError: the blocks do not divide the problem.
        mock.MockError: the mock found fault with the kernels.
    """
    m, k, n = problem.tiles
    tensors = buffers(
        problem, config, zeros(problem, m * k), zeros(problem, k * n), zeros(problem, m * n)
    )
    return Outcome.of(problem, program(problem, config, tensors).build().run(tensors))
