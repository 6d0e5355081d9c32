"""Element-wise operations with one input."""

from __future__ import annotations

import torch

from testing.mock_validation.bench import Bench, case, split
from tilelang_tt.mock.metal2 import Names

FOLDER = "eltwise/unary/device/kernels"
READER = f"{FOLDER}/dataflow/reader_unary_interleaved_start_id.cpp"
WRITER = f"{FOLDER}/dataflow/writer_unary_interleaved_start_id.cpp"
SFPU = f"{FOLDER}/compute/eltwise_sfpu.cpp"
READER2 = f"{FOLDER}/dataflow/reader_unary_interleaved_start_id_metal2.cpp"
WRITER2 = f"{FOLDER}/dataflow/writer_unary_interleaved_start_id_metal2.cpp"
SFPU2 = f"{FOLDER}/compute/eltwise_sfpu_metal2.cpp"
CORES = ((0, 0), (1, 0), (0, 1))


@case("unary", "exp, three cores", (READER, SFPU, WRITER))
def exp(bench: Bench) -> None:
    """Tiles are dealt out to three cores; the operation comes in as the macro
    SFPU_OP_CHAIN_0."""
    values = bench.random(96, 128)
    a = bench.chip.tensor(values, "bfloat16")
    c = bench.chip.empty(values.shape, "bfloat16")
    bench.program.circular_buffer(0, "bfloat16", 2)
    bench.program.circular_buffer(2, "bfloat16", 2)
    spans = split(a.pages, CORES)
    bench.kernel(
        "reader",
        READER,
        {core: (a.address, count, first) for core, (first, count) in spans.items()},
        compile_time_args=a.accessor_args,
    )
    bench.kernel(
        "compute",
        SFPU,
        {core: (count,) for core, (_, count) in spans.items()},
        defines={"SFPU_OP_CHAIN_0": "exp_tile_init(); exp_tile(0);", "SFPU_OP_EXP_INCLUDE": "1"},
    )
    bench.kernel(
        "writer",
        WRITER,
        {core: (c.address, count, first) for core, (first, count) in spans.items()},
        compile_time_args=(2, *c.accessor_args),
    )
    bench.expect(c, torch.exp(values.float()), 2**-7)


@case("unary", "sqrt, named arguments", (READER2, SFPU2, WRITER2))
def sqrt_named(bench: Bench) -> None:
    """The same plan with Metal 2.0's names for arguments, circular buffers and tensors."""
    values = bench.random(64, 96, low=0.0)
    a = bench.chip.tensor(values, "bfloat16")
    c = bench.chip.empty(values.shape, "bfloat16")
    bench.program.circular_buffer(0, "bfloat16", 2)
    bench.program.circular_buffer(2, "bfloat16", 2)
    spans = split(a.pages, CORES)
    spread = {core: (count, first) for core, (first, count) in spans.items()}
    pages = ("num_pages", "start_id")
    bench.kernel(
        "reader",
        READER2,
        spread,
        names=Names(pages, circular_buffers={"in": 0}, tensors={"src": a.buffer}),
    )
    bench.kernel(
        "compute",
        SFPU2,
        {core: (count,) for core, (_, count) in spans.items()},
        names=Names(("num_tiles",), circular_buffers={"in": 0, "out": 2}),
        defines={"SFPU_OP_CHAIN_0": "sqrt_tile_init(); sqrt_tile(0);", "SFPU_OP_SQRT_INCLUDE": "1"},
    )
    bench.kernel(
        "writer",
        WRITER2,
        spread,
        names=Names(pages, circular_buffers={"out": 2}, tensors={"dst": c.buffer}),
    )
    bench.expect(c, torch.sqrt(values.float()), 2**-7)
