"""Element-wise operations with two inputs: ttnn's `binary_ng`, with and without broadcasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from testing.mock_validation.bench import Bench, Core, case, split
from tilelang_tt.mock.chip import Tensor
from tilelang_tt.mock.tensors import Sharded

FOLDER = "eltwise/binary_ng/device"
READER = f"{FOLDER}/kernels_ng/dataflow/reader_interleaved_no_bcast.cpp"
ROW_READER = f"{FOLDER}/kernels_ng/dataflow/reader_interleaved_row_bcast.cpp"
COLUMN_READER = f"{FOLDER}/kernels_ng/dataflow/reader_interleaved_col_bcast.cpp"
SCALAR_READER = f"{FOLDER}/kernels_ng/dataflow/reader_interleaved_scalar_bcast.cpp"
MIXED_READER = f"{FOLDER}/kernels_ng/dataflow/reader_interleaved_row_col_mixed_bcast.cpp"
ONE_READER = f"{FOLDER}/kernels/dataflow/reader_interleaved_no_bcast.cpp"
WRITER = f"{FOLDER}/kernels_ng/dataflow/writer_interleaved_no_bcast.cpp"
SCALAR_WRITER = f"{FOLDER}/kernels/dataflow/writer_interleaved_scalar.cpp"
FPU = f"{FOLDER}/kernels/compute/eltwise_binary_no_bcast.cpp"
FPU_BCAST = f"{FOLDER}/kernels/compute/eltwise_binary.cpp"
FPU_ROW = f"{FOLDER}/kernels_ng/compute/eltwise_binary_row_bcast.cpp"
FPU_COLUMN = f"{FOLDER}/kernels_ng/compute/eltwise_binary_col_bcast.cpp"
FPU_SCALAR_BCAST = f"{FOLDER}/kernels_ng/compute/eltwise_binary_scalar_bcast.cpp"
FPU_MIXED = f"{FOLDER}/kernels_ng/compute/eltwise_binary_row_col_bcast.cpp"
FPU_SCALAR = f"{FOLDER}/kernels/compute/eltwise_binary_scalar.cpp"
SFPU = f"{FOLDER}/kernels/compute/eltwise_binary_sfpu_no_bcast.cpp"

CORES = ((0, 0), (1, 0), (2, 0))
FREE = {"PROCESS_LHS_ACTIVATIONS(i)": "", "PROCESS_RHS_ACTIVATIONS(i)": ""}
SHARDED = {"SRC_SHARDED": "0", "SRC_SHARDED_B": "0", "DST_SHARDED": "0"}


def extents(tensor: Tensor) -> tuple[int, int, int, int, int]:
    """Tiles along D, N, C, height and width."""
    outer = (*(1,) * (5 - len(tensor.shape)), *tensor.shape)
    return (*outer[:3], -(-outer[3] // 32), -(-outer[4] // 32))


def strides(tensor: Tensor) -> tuple[int, int, int, int]:
    """Pages from one D*, D, N, C to the next; 0 along an axis that is broadcast."""
    d, n, c, height, width = extents(tensor)
    page = height * width
    return (
        page * c * n * d if d > 1 else 0,
        page * c * n * (d > 1),
        page * c * (n > 1),
        page * (c > 1),
    )


def defines(operation: str, **more: str) -> Mapping[str, str]:
    """The macros of the operation in the compute kernel."""
    kinds = {"add": "ELWADD", "sub": "ELWSUB", "mul": "ELWMUL"}
    return {
        **FREE,
        "PROCESS_POST_ACTIVATIONS(i)": "",
        "BINARY_OP": f"{operation}_tiles",
        "BINARY_OP_TYPE": f"EltwiseBinaryType::{kinds[operation]}",
        **more,
    }


def read_two(
    bench: Bench,
    path: str,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    spans: Mapping[Core, tuple[int, int]],
    macros: Mapping[str, str],
    widths: Sequence[int] = (),
) -> None:
    """The reader of two tensors; `widths` are the tile columns of each where the kernel asks."""
    shape = extents(c)
    bench.kernel(
        "reader",
        path,
        {
            core: (
                a.address,
                first,
                0,
                count,
                0,
                *strides(a),
                *shape,
                1,
                b.address,
                *strides(b),
                0,
                *widths,
            )
            for core, (first, count) in spans.items()
        },
        compile_time_args=(*a.accessor_args, *b.accessor_args, 0),
        defines={**SHARDED, **macros},
    )


def write_one(bench: Bench, c: Tensor, spans: Mapping[Core, tuple[int, int]]) -> None:
    shape = extents(c)
    bench.kernel(
        "writer",
        WRITER,
        {core: (c.address, first, count, 0, *shape, 1) for core, (first, count) in spans.items()},
        compile_time_args=(*c.accessor_args, 0),
        defines=SHARDED,
    )


def pages_of(bench: Bench, *indices: int, pages: int = 2) -> None:
    for index in indices:
        bench.program.circular_buffer(index, "bfloat16", pages)


@case("binary", "add, three cores", (READER, FPU, WRITER))
def add(bench: Bench) -> None:
    """Equal shapes of rank 4, tiles dealt out to three cores, two tiles in each turn of the compute
    kernel and one left over."""
    x, y = bench.random(2, 3, 64, 96), bench.random(2, 3, 64, 96)
    a, b = bench.chip.tensor(x, "bfloat16"), bench.chip.tensor(y, "bfloat16")
    c = bench.chip.empty(x.shape, "bfloat16")
    pages_of(bench, 0, 1, 2, pages=4)
    spans = split(c.pages, CORES)
    read_two(bench, READER, a, b, c, spans, {}, (3, 3))
    bench.kernel(
        "compute",
        FPU,
        {core: (count,) for core, (_, count) in spans.items()},
        compile_time_args=(2,),
        defines=defines("add"),
    )
    write_one(bench, c, spans)
    bench.expect(c, x.float() + y.float(), 2**-8)


@case("binary", "mul with relu of the result", (READER, FPU, WRITER))
def mul_relu(bench: Bench) -> None:
    """The packer's ReLU follows the product (PACK_RELU)."""
    x, y = bench.random(64, 64), bench.random(64, 64)
    a, b = bench.chip.tensor(x, "bfloat16"), bench.chip.tensor(y, "bfloat16")
    c = bench.chip.empty(x.shape, "bfloat16")
    pages_of(bench, 0, 1, 2)
    spans = split(c.pages, CORES[:1])
    read_two(bench, READER, a, b, c, spans, {}, (2, 2))
    bench.kernel(
        "compute",
        FPU,
        {(0, 0): (c.pages,)},
        compile_time_args=(1,),
        defines=defines("mul", PACK_RELU="1"),
    )
    write_one(bench, c, spans)
    bench.expect(c, torch.relu(x.float() * y.float()), 2**-8)


@case("binary", "add, both inputs sharded", (READER, FPU, WRITER))
def add_sharded(bench: Bench) -> None:
    """All three tensors are height-sharded over two cores, and their circular buffers lie on the
    shards: nothing is moved."""
    cores = CORES[:2]
    layout = Sharded((2, 3), (1, 3), cores)
    x, y = bench.random(64, 96), bench.random(64, 96)
    a = bench.chip.tensor(x, "bfloat16", layout=layout)
    b = bench.chip.tensor(y, "bfloat16", layout=layout)
    c = bench.chip.empty(x.shape, "bfloat16", layout=layout)
    for index, tensor in enumerate((a, b, c)):
        bench.program.circular_buffer(index, "bfloat16", 3, cores=cores, tensor=tensor)
    macros = dict.fromkeys(SHARDED, "1")
    zeros = (0,) * 23
    bench.kernel(
        "reader",
        READER,
        {core: (*zeros[:2], 3, *zeros[3:20], 3, *zeros[21:]) for core in cores},
        compile_time_args=(*a.accessor_args, *b.accessor_args, 1),
        defines=macros,
    )
    bench.kernel(
        "compute",
        FPU,
        dict.fromkeys(cores, (3,)),
        compile_time_args=(3,),
        defines=defines("add"),
    )
    bench.kernel(
        "writer",
        WRITER,
        dict.fromkeys(cores, zeros[:10]),
        compile_time_args=(*c.accessor_args, 1),
        defines=macros,
    )
    bench.expect(c, x.float() + y.float(), 2**-8)


def broadcast(
    bench: Bench, reader: str, compute: str, shape: tuple[int, ...], freq: int, operation: str
) -> None:
    """The second input is broadcast; its copies are made by the compute kernel or the reader."""
    x, y = bench.random(2, 64, 96), bench.random(2, *shape)
    a, b = bench.chip.tensor(x, "bfloat16"), bench.chip.tensor(y, "bfloat16")
    c = bench.chip.empty(x.shape, "bfloat16")
    pages_of(bench, 0, 1, 2, 6)
    spans = split(c.pages, CORES[:2])
    in_compute = compute in (FPU_ROW, FPU_COLUMN, FPU_SCALAR_BCAST)
    macros = {
        "SRC_BCAST": "0",
        "SRC_BCAST_B": "1",
        "BCAST_LLK": "1" if in_compute else "0",
        "FILL_TILE_WITH_FIRST_ROW_B": "fill_tile_with_first_row_bfloat16",
        "FILL_TILE_WITH_FIRST_COLUMN_B": "fill_tile_with_first_column_bfloat16",
        "FILL_TILE_WITH_FIRST_ELEMENT_B": "fill_tile_with_first_element_bfloat16",
    }
    read_two(bench, reader, a, b, c, spans, macros)
    bench.kernel(
        "compute",
        compute,
        {
            core: (count,) if freq == 0 else (count, freq, first % freq)
            for core, (first, count) in spans.items()
        },
        compile_time_args=(1,),
        defines=defines(operation, SRC_BCAST="0", SRC_BCAST_B="1", BCAST_INPUT="1"),
    )
    write_one(bench, c, spans)
    operations = {"add": torch.add, "sub": torch.sub, "mul": torch.mul}
    bench.expect(c, operations[operation](x.float(), y.float()), 2**-7)


@case("binary", "sub, row broadcast in the compute kernel", (ROW_READER, FPU_ROW, WRITER))
def sub_row(bench: Bench) -> None:
    """The second input has one row, which the compute kernel spreads over tiles of its own."""
    broadcast(bench, ROW_READER, FPU_ROW, (1, 96), 0, "sub")


@case("binary", "mul, column broadcast in the compute kernel", (COLUMN_READER, FPU_COLUMN, WRITER))
def mul_column(bench: Bench) -> None:
    """The second input has one column; each of its tiles serves a row of tiles."""
    broadcast(bench, COLUMN_READER, FPU_COLUMN, (64, 1), 3, "mul")


@case("binary", "add, column broadcast by the reader", (COLUMN_READER, FPU_BCAST, WRITER))
def add_column_reader(bench: Bench) -> None:
    """The reader itself writes the first column into the rest of the tile."""
    broadcast(bench, COLUMN_READER, FPU_BCAST, (64, 1), 3, "add")


@case(
    "binary",
    "add, scalar broadcast in the compute kernel",
    (SCALAR_READER, FPU_SCALAR_BCAST, WRITER),
)
def add_scalar_bcast(bench: Bench) -> None:
    """The second input has one element for each image; its tile serves a whole image."""
    broadcast(bench, SCALAR_READER, FPU_SCALAR_BCAST, (1, 1), 6, "add")


@case("binary", "mul by a number", (ONE_READER, FPU_SCALAR, SCALAR_WRITER))
def mul_number(bench: Bench) -> None:
    """The writer fills one tile with the number, which is a run-time argument."""
    x = bench.random(3, 64, 64)
    a = bench.chip.tensor(x, "bfloat16")
    c = bench.chip.empty(x.shape, "bfloat16")
    pages_of(bench, 0, 1, 2, pages=4)
    spans = split(c.pages, CORES)
    shape = extents(c)
    bench.kernel(
        "reader",
        ONE_READER,
        {
            core: (a.address, first, 0, count, 0, *strides(a), *shape, 1)
            for core, (first, count) in spans.items()
        },
        compile_time_args=(*a.accessor_args, 0),
        defines=SHARDED,
    )
    bench.kernel(
        "compute",
        FPU_SCALAR,
        {core: (count,) for core, (_, count) in spans.items()},
        compile_time_args=(2,),
        defines=defines("mul"),
    )
    half = 0x3F00
    bench.kernel(
        "writer",
        SCALAR_WRITER,
        {
            core: (half << 16 | half, c.address, first, count, 0, *shape, 1)
            for core, (first, count) in spans.items()
        },
        compile_time_args=(*c.accessor_args, 0),
        defines={**SHARDED, "FILL_WITH_VALUE": "fill_with_val_bfloat16"},
    )
    bench.expect(c, x.float() * 0.5, 2**-8)


@case("binary", "div on the vector unit", (READER, SFPU, WRITER))
def div_sfpu(bench: Bench) -> None:
    """Both inputs are copied to the destination registers."""
    x, y = bench.random(64, 96), bench.random(64, 96, low=0.5, high=2.0)
    a, b = bench.chip.tensor(x, "bfloat16"), bench.chip.tensor(y, "bfloat16")
    c = bench.chip.empty(x.shape, "bfloat16")
    pages_of(bench, 0, 1, 2)
    spans = split(c.pages, CORES)
    read_two(bench, READER, a, b, c, spans, {}, (3, 3))
    bench.kernel(
        "compute",
        SFPU,
        {core: (count,) for core, (_, count) in spans.items()},
        compile_time_args=(1,),
        defines={
            **FREE,
            "PROCESS_POST_ACTIVATIONS(i)": "",
            "BINARY_SFPU_INIT": "div_binary_tile_init();",
            "BINARY_SFPU_OP": "div_binary_tile",
        },
    )
    write_one(bench, c, spans)
    bench.expect(c, x.float() / y.float(), 2**-7)
