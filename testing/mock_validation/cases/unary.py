"""Element-wise operations with one input."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

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
IDENTITY = f"{FOLDER}/compute/eltwise_identity_kernel.cpp"
HARDSWISH = f"{FOLDER}/compute/hardswish_kernel.cpp"
LOGSIGMOID = f"{FOLDER}/compute/logsigmoid_kernel.cpp"
LOGIT = f"{FOLDER}/compute/logit_kernel.cpp"
WHERE = f"{FOLDER}/compute/where_tss_kernel.cpp"
MULTIPLY_ADD = f"{FOLDER}/compute/mac_tss_kernel.cpp"
CORES = ((0, 0), (1, 0), (0, 1))
IN, OUT, SCRATCH = 0, 2, 1


def bits(value: float) -> int:
    return int.from_bytes(struct.pack("<f", value), "little")


@case("unary", "exp, three cores", (READER, SFPU, WRITER))
def exp(bench: Bench) -> None:
    """Tiles are dealt out to three cores; the operation comes in as the macro
    SFPU_OP_CHAIN_0."""
    values = bench.random(96, 128)
    a = bench.chip.tensor(values, "bfloat16")
    c = bench.chip.empty(values.shape, "bfloat16")
    bench.program.circular_buffer(IN, "bfloat16", 2)
    bench.program.circular_buffer(OUT, "bfloat16", 2)
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
        compile_time_args=(OUT, *c.accessor_args),
    )
    bench.expect(c, torch.exp(values.float()), 2**-7)


def named(
    bench: Bench,
    compute: str,
    values: torch.Tensor,
    expected: torch.Tensor,
    *,
    compile_time_args: Mapping[str, int] | None = None,
    scalars: Sequence[float] = (),
    defines: Mapping[str, str] | None = None,
) -> None:
    """A compute kernel with Metal 2.0's names between its reader and writer, on three cores."""
    a = bench.chip.tensor(values, "bfloat16")
    c = bench.chip.empty(values.shape, "bfloat16")
    for index in (IN, OUT, SCRATCH):
        bench.program.circular_buffer(index, "bfloat16", 2)
    spans = split(a.pages, CORES)
    spread = {core: (count, first) for core, (first, count) in spans.items()}
    pages = ("num_pages", "start_id")
    bench.kernel(
        "reader",
        READER2,
        spread,
        names=Names(pages, circular_buffers={"in": IN}, tensors={"src": a.buffer}),
    )
    words = tuple(map(bits, scalars))
    bench.kernel(
        "compute",
        compute,
        {core: (count, *words) for core, (_, count) in spans.items()},
        names=Names(
            ("num_tiles", *(f"packed_scalar{number + 1}" for number in range(len(scalars)))),
            compile_time_args=compile_time_args or {},
            circular_buffers={"in": IN, "out": OUT, "tmp0": SCRATCH},
        ),
        defines=defines,
    )
    bench.kernel(
        "writer",
        WRITER2,
        spread,
        names=Names(pages, circular_buffers={"out": OUT}, tensors={"dst": c.buffer}),
    )
    bench.expect(c, expected, 2**-6)


@case("unary", "sqrt, named arguments", (READER2, SFPU2, WRITER2))
def sqrt(bench: Bench) -> None:
    """The same plan with Metal 2.0's names for arguments, circular buffers and tensors."""
    values = bench.random(64, 96, low=0.0)
    chain = {"SFPU_OP_CHAIN_0": "sqrt_tile_init(); sqrt_tile(0);", "SFPU_OP_SQRT_INCLUDE": "1"}
    named(bench, SFPU2, values, values.float().sqrt(), defines=chain)


@case("unary", "identity", (READER2, IDENTITY, WRITER2))
def identity(bench: Bench) -> None:
    """A copy through the destination registers, made of ttnn's chains of operations."""
    values = bench.random(64, 96)
    named(bench, IDENTITY, values, values.float())


@case("unary", "hardswish", (READER2, HARDSWISH, WRITER2))
def hardswish(bench: Bench) -> None:
    """The product of the input and a destination register (reuse of the register as a source)."""
    values = bench.random(64, 96, low=-4.0, high=4.0)
    kinds = {"is_float32": 0, "is_int": 0}
    expected = torch.nn.functional.hardswish(values.float())
    named(bench, HARDSWISH, values, expected, compile_time_args=kinds)


@case("unary", "logsigmoid", (READER2, LOGSIGMOID, WRITER2))
def logsigmoid(bench: Bench) -> None:
    """Two copies of the input in the registers, one for the exponential of its negative."""
    values = bench.random(64, 96, low=-4.0, high=4.0)
    named(bench, LOGSIGMOID, values, torch.nn.functional.logsigmoid(values.float()))


@case("unary", "logit", (READER2, LOGIT, WRITER2))
def logit(bench: Bench) -> None:
    """The argument is clamped, and an intermediate result goes through a circular buffer of the
    compute kernel's own."""
    values = bench.random(64, 96, low=0.05, high=0.95)
    low, high = 0.125, 0.875
    expected = torch.logit(values.float().clamp(low, high))
    clamp = {"do_clamp": 1}
    named(bench, LOGIT, values, expected, compile_time_args=clamp, scalars=(low, high))


@case(
    "unary",
    "where, between two numbers",
    (READER2, WHERE, WRITER2),
    findings=("missing_init",),
)
def where(bench: Bench) -> None:
    """Two registers are filled with the numbers, which are run-time arguments. The helpers
    set all operations up before the loop, so that a fill follows the set-up of the selection, which
    the mock reports."""
    values = bench.random(64, 96).round() + 0.0  # no negative zeros
    expected = torch.where(values.float() != 0, 1.5, -2.0)
    named(bench, WHERE, values, expected, scalars=(1.5, -2.0))


@case("unary", "multiply and add numbers", (READER2, MULTIPLY_ADD, WRITER2))
def multiply_add(bench: Bench) -> None:
    """The operation is the macro SFPU_OP_CHAIN_0 over three registers."""
    values = bench.random(64, 96)
    chain = {
        "SFPU_OP_CHAIN_0": "mac_tile_init<DataFormat::Float16_b>();"
        " mac_tile<DataFormat::Float16_b>(0, 1, 2, 0);",
        "SFPU_OP_MAC_INCLUDE": "1",
    }
    expected = values.float() * 1.25 + 0.5
    named(bench, MULTIPLY_ADD, values, expected, scalars=(1.25, 0.5), defines=chain)
