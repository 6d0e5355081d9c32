"""Softmax and layer normalization."""

from __future__ import annotations

import torch

from testing.mock_validation.bench import Bench, case, split
from tilelang_tt.mock.metal2 import Names

SOFTMAX = "normalization/softmax/device/kernels/attention"
READER = f"{SOFTMAX}/dataflow/reader_unary_interleaved_sm.cpp"
COMPUTE = f"{SOFTMAX}/compute/softmax.cpp"
WRITER = f"{SOFTMAX}/dataflow/writer_unary_interleaved_start_id_blocked_sm.cpp"
LAYERNORM = "normalization/layernorm/device/kernels"
LN_READER = f"{LAYERNORM}/dataflow/reader_unary_interleaved_ln.cpp"
LN_COMPUTE = f"{LAYERNORM}/compute/layernorm.cpp"
LN_WRITER = f"{LAYERNORM}/dataflow/writer_unary_interleaved_start_id_blocked.cpp"
DATAFLOW = {"ENABLE_FP32_DEST_ACC": "0", "DST_SYNC_FULL": "0"}


def softmax(bench: Bench, stable: bool) -> None:
    rows, width, block = 4, 6, 2
    values = bench.random(32 * rows, 32 * width, low=-4.0, high=4.0)
    a = bench.chip.tensor(values, "bfloat16")
    c = bench.chip.empty(values.shape, "bfloat16")
    buffers = {"in0": 0, "out0": 11, "max_scaler": 2, "sum_scaler": 12, "exps": 6,
               "recip_sum_exps": 7, "mask_padded": 5, "max": 8}  # fmt: skip
    sizes = {"in0": 2 * width, "out0": 2 * block, "exps": width}
    for name, index in buffers.items():
        bench.program.circular_buffer(index, "bfloat16", sizes.get(name, 1))
    spans = split(rows, ((0, 0), (1, 0), (2, 0)))
    capacity = {"in0_t": 2 * width}
    bench.kernel(
        "reader",
        READER,
        {core: (block, count, width * first, width) for core, (first, count) in spans.items()},
        names=Names(
            ("blk", "num_rows", "tile_offset", "Wt"),
            compile_time_args=capacity,
            circular_buffers={name: buffers[name] for name in ("in0", "max_scaler", "sum_scaler")},
            tensors={"src": a.buffer},
        ),
        defines=DATAFLOW,
    )
    macros = {"EXP_APPROX": "0", **({"NUMERIC_STABLE": "1"} if stable else {})}
    bench.kernel(
        "compute",
        COMPUTE,
        {core: (count, rows, width, block, 0) for core, (_, count) in spans.items()},
        names=Names(
            ("num_rows", "Ht", "Wt", "blk", "start_ht"),
            compile_time_args=capacity,
            circular_buffers=buffers,
        ),
        defines=macros,
    )
    bench.kernel(
        "writer",
        WRITER,
        {
            core: (width * count, width * first, block, width, 0)
            for core, (first, count) in spans.items()
        },
        names=Names(
            ("num_tiles", "tile_offset", "blk", "Wt", "mask_padded_data"),
            compile_time_args={"num_datum_padded": 0, "tile_hw": 1024},
            circular_buffers={name: buffers[name] for name in ("out0", "mask_padded")},
            tensors={"dst": c.buffer},
        ),
    )
    bench.expect(c, torch.softmax(values.float(), 1), 2**-5)


@case("softmax", "of rows", (READER, COMPUTE, WRITER))
def plain(bench: Bench) -> None:
    """Rows of six tiles on three cores: exponentials, their sum by a reduction, its reciprocal,
    and a product that spreads a column."""
    softmax(bench, False)


@case("softmax", "of rows, with their maximum", (READER, COMPUTE, WRITER))
def stable(bench: Bench) -> None:
    """The same after the largest element of each row was taken away (NUMERIC_STABLE)."""
    softmax(bench, True)


def layernorm(bench: Bench, affine: bool) -> None:
    rows, width, block = 3, 4, 2
    values = bench.random(32 * rows, 32 * width, low=-2.0, high=3.0)
    scale, shift = bench.random(32 * width, low=0.5, high=1.5), bench.random(32 * width)
    a = bench.chip.tensor(values, "bfloat16")
    gamma, beta = (bench.chip.tensor(each, "bfloat16") for each in (scale, shift))
    c = bench.chip.empty(values.shape, "bfloat16")
    buffers = {
        "in": 0,
        "scaler": 2,
        "eps": 3,
        "out": 16,
        "xmm": 24,
        "ex": 18,
        "ex2": 19,
        "xmm2": 20,
        "ex2pe": 21,
    }
    if affine:
        buffers |= {"gamma": 5, "beta": 6, "fusion": 22}
    single = {"scaler", "eps", "ex", "ex2"}
    for name, index in buffers.items():
        bench.program.circular_buffer(index, "bfloat16", 1 if name in single else 2 * width)
    spans = split(rows, ((0, 0), (1, 0)))
    tensors = {"src": a.buffer, **({"gamma": gamma.buffer, "beta": beta.buffer} if affine else {})}
    macros = {"FUSE_GAMMA": "1", "FUSE_BETA": "1"} if affine else {}
    eps = 0x3C24  # 0.01 as bfloat16
    filled = ("in", "scaler", "eps", *(("gamma", "beta") if affine else ()))
    bench.kernel(
        "reader",
        LN_READER,
        {core: (count, width, first, eps << 16 | eps) for core, (first, count) in spans.items()},
        names=Names(
            ("NCHt", "Wt", "reader_start", "eps"),
            compile_time_args={"block_size": block, "W": 32 * width},
            circular_buffers={name: buffers[name] for name in filled},
            tensors=tensors,
        ),
        defines={**DATAFLOW, **macros},
    )
    bench.kernel(
        "compute",
        LN_COMPUTE,
        {core: (count,) for core, (_, count) in spans.items()},
        names=Names(
            ("NCHt",),
            compile_time_args={
                "Wt": width,
                "block_size": block,
                "do_gamma": int(affine),
                "do_beta": int(affine),
                "fp32_dest_acc_en": 0,
                "float32_reduction": 0,
                "W": 32 * width,
                "tile_width": 32,
            },
            circular_buffers=buffers,
        ),
        defines=macros,
    )
    bench.kernel(
        "writer",
        LN_WRITER,
        {core: (width, count, width * first) for core, (first, count) in spans.items()},
        names=Names(
            ("Wt", "num_tile_rows", "writer_start"),
            compile_time_args={"block_size": block},
            circular_buffers={"out": buffers["out"]},
            tensors={"dst": c.buffer},
        ),
    )
    weights = (scale.float(), shift.float()) if affine else (None, None)
    size = (32 * width,)
    expected = torch.nn.functional.layer_norm(values.float(), size, *weights, eps=0.01)
    bench.expect(c, expected, 2**-5)


@case("layernorm", "of rows", (LN_READER, LN_COMPUTE, LN_WRITER), findings=("l1_uninitialised",))
def layernorm_plain(bench: Bench) -> None:
    """Rows of four tiles on two cores: mean, difference, mean of its squares, and their quotient.
    The reader fills one column of the tile with epsilon and a sum reads all of it, which the mock
    reports; the sums that come of the rest are not used."""
    layernorm(bench, False)


@case(
    "layernorm",
    "of rows, with weights",
    (LN_READER, LN_COMPUTE, LN_WRITER),
    findings=("l1_uninitialised",),
)
def layernorm_affine(bench: Bench) -> None:
    """The same with a factor and a summand for each column, spread over the rows."""
    layernorm(bench, True)
