"""Matrix products: one tile at a time, in blocks, and in blocks that are multicast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from testing.mock_validation.bench import Bench, Core, case, grid, split
from tilelang_tt.mock.chip import Tensor
from tilelang_tt.mock.metal2 import Names
from tilelang_tt.mock.program import Role

FOLDER = "matmul/device/kernels"
READER = f"{FOLDER}/dataflow/reader_bmm_8bank_output_tiles_partitioned.cpp"
READER_NAMED = f"{FOLDER}/dataflow/reader_bmm_8bank_output_tiles_partitioned_metal2.cpp"
BMM = f"{FOLDER}/compute/bmm.cpp"
BMM_NAMED = f"{FOLDER}/compute/bmm_metal2.cpp"
WRITER = "eltwise/unary/device/kernels/dataflow/writer_unary_interleaved_start_id.cpp"
WRITER_NAMED = f"{FOLDER}/dataflow/writer_unary_interleaved_start_id.cpp"
BLOCK_READER = f"{FOLDER}/dataflow/reader_bmm_tile_layout.cpp"
BLOCK_WRITER = f"{FOLDER}/dataflow/writer_bmm_tile_layout.cpp"
BLOCKS = f"{FOLDER}/compute/bmm_large_block_zm.cpp"
IN0_SENDER = f"{FOLDER}/dataflow/reader_bmm_tile_layout_in0_sender_padding.cpp"
IN0_SHARDED = (
    f"{FOLDER}/dataflow/reader_bmm_tile_layout_in0_sender_receiver_padding_block_sharded.cpp"
)
IN0_RECEIVER = f"{FOLDER}/dataflow/reader_bmm_tile_layout_in0_receiver.cpp"
IN1_SENDER = f"{FOLDER}/dataflow/reader_bmm_tile_layout_in1_sender_writer_padding.cpp"
IN1_RECEIVER = f"{FOLDER}/dataflow/reader_bmm_tile_layout_in1_receiver_writer_padding.cpp"
FUSED = f"{FOLDER}/compute/bmm_large_block_zm_fused_bias_activation.cpp"
CBS = {"cb_in0": 0, "cb_in1": 1, "cb_out": 4, "cb_intermed0": 5}
TOLERANCE = 2**-6


def tile_by_tile(bench: Bench, cores: tuple[Core, ...], named: bool) -> None:
    x, y = bench.random(2, 64, 96), bench.random(2, 96, 64)
    batch, mt, kt, nt = 2, 2, 3, 2
    a, b = bench.chip.tensor(x, "bfloat16"), bench.chip.tensor(y, "bfloat16")
    c = bench.chip.empty((2, 64, 64), "bfloat16")
    out = 16
    for index in (0, 1, out):
        bench.program.circular_buffer(index, "bfloat16", 2)
    spans = split(c.pages, cores)
    sizes = (mt, kt, nt, mt * kt, kt * nt, batch, 0)
    if named:
        words = (
            "Mt",
            "Kt",
            "Nt",
            "MtKt",
            "KtNt",
            "batch",
            "bcast_B",
            "output_tile_start_id",
            "num_output_tiles",
            "MtNt",
        )
        bench.kernel(
            "reader",
            READER_NAMED,
            {core: (*sizes, first, count, mt * nt) for core, (first, count) in spans.items()},
            names=Names(
                words,
                compile_time_args={"in0_last_ktile_w": 0, "in0_last_ktile_h": 0},
                circular_buffers={"in0": 0, "in1": 1},
                tensors={"in0": a.buffer, "in1": b.buffer},
            ),
        )
        bench.kernel(
            "compute",
            BMM_NAMED,
            {core: (1, 1, kt, count) for core, (_, count) in spans.items()},
            names=Names(
                ("batch", "Mt", "Kt", "Nt"), circular_buffers={"in0": 0, "in1": 1, "out": out}
            ),
        )
        bench.kernel(
            "writer",
            WRITER_NAMED,
            {core: (count, first) for core, (first, count) in spans.items()},
            names=Names(
                ("num_pages", "start_id"),
                circular_buffers={"out": out},
                tensors={"output": c.buffer},
            ),
        )
    else:
        buffers = {"cb_in0": 0, "cb_in1": 1, "cb_out": out}
        bench.kernel(
            "reader",
            READER,
            {
                core: (a.address, b.address, *sizes, first, count, mt * nt)
                for core, (first, count) in spans.items()
            },
            compile_time_args=(0, 0, *a.accessor_args, *b.accessor_args),
            named=buffers,
        )
        # A kernel for each number of tiles, which is a compile-time argument.
        for count in sorted({count for _, count in spans.values()}):
            own = {core: () for core, span in spans.items() if span[1] == count}
            bench.kernel("compute", BMM, own, compile_time_args=(1, 1, kt, count), named=buffers)
        bench.kernel(
            "writer",
            WRITER,
            {core: (c.address, count, first) for core, (first, count) in spans.items()},
            compile_time_args=(out, *c.accessor_args),
        )
    bench.expect(c, x.float() @ y.float(), TOLERANCE)


@case("matmul", "one core, tile by tile", (READER, BMM, WRITER))
def one_core(bench: Bench) -> None:
    """A batch of two; each output tile is a sum over the inner tiles in a destination register."""
    tile_by_tile(bench, ((0, 0),), False)


@case("matmul", "three cores, tile by tile", (READER, BMM, WRITER))
def three_cores(bench: Bench) -> None:
    """Output tiles are dealt out unevenly, so two compute kernels run on disjoint cores."""
    tile_by_tile(bench, ((0, 0), (1, 0), (2, 0)), False)


@case("matmul", "three cores, named arguments", (READER_NAMED, BMM_NAMED, WRITER_NAMED))
def three_cores_named(bench: Bench) -> None:
    """The same with Metal 2.0's names."""
    tile_by_tile(bench, ((0, 0), (1, 0), (2, 0)), True)


@dataclass(frozen=True)
class Plan:
    """Blocks of a product on a grid of cores, in tiles."""

    columns: int
    rows: int
    m: int  # tiles of the output of one core
    n: int
    k: int
    block: int  # of the inner axis
    subblock_h: int
    subblock_w: int
    row_blocks: int = 1  # of the output of one core
    column_blocks: int = 1

    @property
    def blocks(self) -> int:
        return self.k // self.block

    @property
    def block_h(self) -> int:
        return self.m // self.row_blocks

    @property
    def block_w(self) -> int:
        return self.n // self.column_blocks

    @property
    def width(self) -> int:
        return self.n * self.columns

    @property
    def height(self) -> int:
        return self.m * self.rows

    @property
    def subblock(self) -> int:
        return self.subblock_h * self.subblock_w

    def tensors(self, bench: Bench) -> tuple[Tensor, Tensor, Tensor]:
        """Both inputs and the output, with the product expected in it."""
        x = bench.random(32 * self.height, 32 * self.k)
        y = bench.random(32 * self.k, 32 * self.width)
        a, b = bench.chip.tensor(x, "bfloat16"), bench.chip.tensor(y, "bfloat16")
        c = bench.chip.empty((32 * self.height, 32 * self.width), "bfloat16")
        bench.expect(c, x.float() @ y.float(), TOLERANCE)
        return a, b, c

    def circular_buffers(self, bench: Bench) -> None:
        """Two blocks of each input; partial results lie where the output will."""
        program = bench.program
        program.circular_buffer(CBS["cb_in0"], "bfloat16", 2 * self.m * self.block)
        program.circular_buffer(CBS["cb_in1"], "bfloat16", 2 * self.block * self.n)
        program.circular_buffer(CBS["cb_out"], "bfloat16", self.m * self.n)
        program.circular_buffer(
            CBS["cb_intermed0"], "bfloat16", self.m * self.n, shares=CBS["cb_out"]
        )


@case("matmul", "four cores, in blocks", (BLOCK_READER, BLOCKS, BLOCK_WRITER))
def in_blocks(bench: Bench) -> None:
    """Each core reads its own rows and columns; partial results of a block of the inner axis are
    packed, and copied back before the next. They share the space of the output."""
    plan = Plan(2, 2, m=4, n=4, k=6, block=2, subblock_h=2, subblock_w=2)
    a, b, c = plan.tensors(bench)
    plan.circular_buffers(bench)
    bench.kernel(
        "reader",
        BLOCK_READER,
        {
            (x, y): (
                a.address,
                y * plan.m * plan.k,
                1,
                plan.k,
                plan.block,
                plan.block,
                plan.m,
                plan.block * plan.m,
                b.address,
                x * plan.n,
                1,
                plan.width,
                plan.block * plan.width,
                plan.n,
                plan.block,
                plan.n * plan.block,
                plan.blocks,
                plan.height * plan.k,
                plan.k * plan.width,
                1,
                0,
            )
            for x, y in grid(2, 2)
        },
        compile_time_args=(*a.accessor_args, *b.accessor_args),
        named=CBS,
    )
    per_row, per_column = plan.m // plan.subblock_h, plan.n // plan.subblock_w
    bench.kernel(
        "compute",
        BLOCKS,
        dict.fromkeys(grid(2, 2), ()),
        compile_time_args=(
            plan.block,
            per_row,
            plan.m * plan.block,
            plan.subblock_h * plan.block,
            per_column,
            plan.n * plan.block,
            plan.n,
            plan.blocks,
            plan.subblock_h,
            plan.subblock_w,
            plan.subblock,
            1,
        ),
        named=CBS,
    )
    bench.kernel(
        "writer",
        BLOCK_WRITER,
        {
            (x, y): (
                c.address,
                y * plan.m * plan.width + x * plan.n,
                1,
                plan.width,
                plan.subblock_w,
                plan.subblock_h * plan.width,
                plan.subblock_w,
                plan.subblock_h,
                plan.subblock,
                per_column,
                per_row,
                plan.height * plan.width,
                1,
            )
            for x, y in grid(2, 2)
        },
        compile_time_args=c.accessor_args,
        named=CBS,
    )


def multicast(bench: Bench, compute: str) -> None:
    plan = Plan(3, 2, m=2, n=2, k=4, block=2, subblock_h=1, subblock_w=2)
    tensors = plan.tensors(bench)
    plan.circular_buffers(bench)
    launch_multicast(bench, plan, tensors, compute)


def launch_multicast(
    bench: Bench,
    plan: Plan,
    tensors: tuple[Tensor, Tensor, Tensor],
    compute: str,
    *,
    sharded: bool = False,
    noc_of_in0: int = 0,
    defines: Mapping[str, str] | None = None,
) -> None:
    """The kernels, whose circular buffers are there.

    `sharded`: the left matrix and the output lie in L1, a block for each core. `defines` are of the
    compute kernel.
    """
    a, b, c = tensors
    stays = {"OUT_SHARDED": "1"} if sharded else None
    in0_role, in1_role = ("reader", "writer") if noc_of_in0 == 0 else ("writer", "reader")
    in0_sent, in0_ready, in1_sent, in1_ready = (bench.program.semaphore() for _ in range(4))
    cores = grid(plan.columns, plan.rows)
    last_y = plan.rows - 1
    named = {**CBS, "cb_sparsity": 7, "cb_in0_sharded": 2, "num_active": 0}
    bench.program.circular_buffer(7, "uint32", 1, page_bytes=32)
    none = (0, 32)  # arguments of a tensor that is not there
    if sharded:
        send_shards(bench, plan, a, in0_role, (in0_ready, in0_sent), named)
    else:
        send_in0(bench, plan, a, in0_role, (in0_ready, in0_sent), named)
    per_row, per_column = plan.block_h // plan.subblock_h, plan.block_w // plan.subblock_w
    out_strides = (
        1,
        plan.width,
        plan.subblock_w,
        plan.subblock_h * plan.width,
        plan.block_w,
        plan.block_h * plan.width,
        plan.subblock_w,
        plan.subblock_h,
        plan.subblock,
        plan.height * plan.width,
    )

    def start(x: int, y: int) -> int:
        return y * plan.m * plan.width + x * plan.n

    bench.kernel(
        in1_role,
        IN1_SENDER,
        {
            (x, 0): (
                b.address,
                x * plan.n,
                x,
                1,
                x,
                last_y,
                0,
                c.address,
                start(x, 0),
                plan.block_w,
                per_row,
                plan.subblock_h,
                0,
                per_column,
                per_column,
                plan.subblock_w,
                0,
                0,
                0,
                0,
                plan.column_blocks,
            )
            for x in range(plan.columns)
        },
        compile_time_args=(
            1,
            plan.width,
            plan.block * plan.width,
            plan.block_w,
            plan.block_w,
            plan.block,
            plan.block_w * plan.block,
            plan.blocks,
            plan.column_blocks,
            plan.row_blocks,
            in1_ready,
            in1_sent,
            last_y,
            last_y,
            plan.k * plan.width,
            1,
            0,
            0,
            32,
            *out_strides,
            0,
            0,
            0,
            0,
            *b.accessor_args,
            *none,
            *c.accessor_args,
        ),
        named=named,
        defines=stays,
    )
    bench.kernel(
        in1_role,
        IN1_RECEIVER,
        {
            (x, y): (
                x,
                0,
                c.address,
                start(x, y),
                per_row,
                per_row,
                plan.subblock_h,
                0,
                per_column,
                per_column,
                plan.subblock_w,
                0,
                0,
                plan.row_blocks,
                plan.column_blocks,
            )
            for x, y in cores
            if y > 0
        },
        compile_time_args=(
            plan.block_w * plan.block,
            plan.blocks,
            plan.column_blocks,
            plan.row_blocks,
            in1_ready,
            in1_sent,
            1,
            *out_strides,
            0,
            0,
            *c.accessor_args,
        ),
        named=named,
        defines=stays,
    )
    head = (
        plan.block,
        per_row,
        plan.block_h * plan.block,
        plan.subblock_h * plan.block,
        per_column,
        plan.block_w * plan.block,
        plan.block_w,
        plan.blocks,
    )
    tail = (plan.subblock_h, plan.subblock_w, plan.subblock, 1)
    output = plan.block_h * plan.block_w
    fused = (plan.column_blocks, plan.row_blocks, *tail, output, 0, 0, 0)
    bench.kernel(
        "compute",
        compute,
        dict.fromkeys(cores, ()),
        compile_time_args=(*head, *(fused if compute == FUSED else tail)),
        named=named,
        defines=defines,
    )


def send_in0(
    bench: Bench,
    plan: Plan,
    a: Tensor,
    role: Role,
    semaphores: tuple[int, int],
    named: Mapping[str, int],
) -> None:
    """The first core of each row of cores reads the left matrix and sends it along the row."""
    last_x = plan.columns - 1
    none = (0, 32)  # arguments of a tensor that is not there
    bench.kernel(
        role,
        IN0_SENDER,
        {
            (0, y): (a.address, y * plan.m * plan.k, 1, y, last_x, y, plan.block_h, 0)
            for y in range(plan.rows)
        },
        compile_time_args=(
            1,
            plan.k,
            plan.block,
            plan.block_h * plan.k,
            plan.block,
            plan.block_h,
            plan.block * plan.block_h,
            0,
            0,
            0,
            0,
            0,
            plan.blocks,
            plan.column_blocks,
            plan.row_blocks,
            *semaphores,
            last_x,
            last_x,
            plan.height * plan.k,
            1,
            1,
            0,
            0,
            32,
            0,
            0,
            0,
            *a.accessor_args,
            *none,
            0,
        ),
        named=named,
    )
    bench.kernel(
        role,
        IN0_RECEIVER,
        {(x, y): (0, y) for x, y in grid(plan.columns, plan.rows) if x > 0},
        compile_time_args=(
            plan.block_h * plan.block,
            plan.blocks,
            plan.column_blocks,
            plan.row_blocks,
            *semaphores,
            1,
            0,
        ),
        named=named,
    )


def send_shards(
    bench: Bench,
    plan: Plan,
    a: Tensor,
    role: Role,
    semaphores: tuple[int, int],
    named: Mapping[str, int],
) -> None:
    """The cores of a row send their parts of the left matrix along it by turns."""
    tiles, shard = plan.block_h * plan.block, plan.k // plan.columns
    columns = range(plan.columns)
    bench.kernel(
        role,
        IN0_SHARDED,
        {
            (x, y): (x, 0, y, plan.columns - 1, y, *columns, y)
            for x, y in grid(plan.columns, plan.rows)
        },
        compile_time_args=(
            1,
            1,
            tiles,
            tiles * a.format.tile_bytes,
            0,
            0,
            plan.blocks,
            plan.column_blocks,
            plan.row_blocks,
            *semaphores,
            plan.columns,
            plan.columns,
            plan.columns,
            1,
            0,
            shard,
            plan.m,
            plan.block,
            plan.block_h,
            1,
            0,
        ),
        named=named,
    )


SENDERS = (IN0_SENDER, IN0_RECEIVER, IN1_SENDER, IN1_RECEIVER)


@case(
    "matmul",
    "six cores, both inputs multicast",
    (*SENDERS, BLOCKS),
    findings=("missing_barrier",),
)
def multicast_blocks(bench: Bench) -> None:
    """The first column of cores reads the left matrix and multicasts along its row of cores, the
    first row reads the right matrix and multicasts down its column. Linked multicasts, four
    semaphores. The receiver of the right matrix ends with increments of a semaphore that it has not
    waited for, which the mock reports."""
    multicast(bench, BLOCKS)


@case(
    "matmul",
    "six cores, both inputs multicast, fused kernel",
    (*SENDERS, FUSED),
    findings=("missing_barrier",),
)
def multicast_fused(bench: Bench) -> None:
    """The same with the compute kernel that can add a bias and an activation; here it does
    neither."""
    multicast(bench, FUSED)
