"""Sums and maxima along axes."""

from __future__ import annotations

import struct

from testing.mock_validation.bench import Bench, case, split
from tilelang_tt.mock.metal2 import Names

FOLDER = "reduction/generic/device/kernels"
READER = f"{FOLDER}/dataflow/reader_unary_reduce_universal_start_id.cpp"
COLUMN_READER = f"{FOLDER}/dataflow/reader_unary_transpose_wh_universal_input_cols_partitioned.cpp"
COMPUTE = f"{FOLDER}/compute/reduce.cpp"
WRITER = "eltwise/unary/device/kernels/dataflow/writer_unary_interleaved_start_id_metal2.cpp"


def bits(value: float) -> int:
    return int.from_bytes(struct.pack("<f", value), "little")


def macros(operation: str, axis: str) -> dict[str, str]:
    return {
        "REDUCE_OP": f"ckernel::PoolType::{operation}",
        "REDUCE_DIM": f"ckernel::ReduceDim::REDUCE_{axis}",
        "ENABLE_FP32_DEST_ACC": "0",
        "DST_SYNC_FULL": "0",
    }


def along_rows(bench: Bench, operation: str) -> None:
    values = bench.random(2, 96, 128)
    height, width = 3, 4
    a = bench.chip.tensor(values, "bfloat16")
    c = bench.chip.empty((2, 96, 32), "bfloat16")
    for index, pages in ((0, 4), (2, 1), (3, 2)):
        bench.program.circular_buffer(index, "bfloat16", pages)
    spans = split(2 * height, ((0, 0), (1, 0)))
    one = bits(1.0)
    bench.kernel(
        "reader",
        READER,
        {core: (width * count, width * first, one) for core, (first, count) in spans.items()},
        names=Names(
            ("num_tiles", "start_id", "scaler_bits"),
            compile_time_args={"tiles_per_batch": 2},
            circular_buffers={"in0": 0, "scaler": 2},
            tensors={"src": a.buffer},
        ),
        defines=macros(operation, "ROW"),
    )
    bench.kernel(
        "compute",
        COMPUTE,
        {core: (count, width, 1) for core, (_, count) in spans.items()},
        names=Names(
            ("Ht", "Wt", "NC"),
            compile_time_args={"enable_fp32_sfpu": 0},
            circular_buffers={"in0": 0, "scaler": 2, "out": 3},
        ),
        defines=macros(operation, "ROW"),
    )
    bench.kernel(
        "writer",
        WRITER,
        {core: (count, first) for core, (first, count) in spans.items()},
        names=Names(
            ("num_pages", "start_id"), circular_buffers={"out": 3}, tensors={"dst": c.buffer}
        ),
    )
    whole = values.float()
    result = whole.sum(2) if operation == "SUM" else whole.max(2).values
    expected = whole.new_zeros(2, 96, 32)
    expected[..., 0] = result
    bench.expect(c, expected, 2**-6)


@case("reduction", "sum of rows", (READER, COMPUTE, WRITER))
def sum_rows(bench: Bench) -> None:
    """Two cores; the sums are in column 0 of the output's tiles, the packer clears the rest."""
    along_rows(bench, "SUM")


@case("reduction", "maximum of rows", (READER, COMPUTE, WRITER))
def max_rows(bench: Bench) -> None:
    """The same plan with the maximum."""
    along_rows(bench, "MAX")


@case("reduction", "sum of columns", (COLUMN_READER, COMPUTE, WRITER))
def sum_columns(bench: Bench) -> None:
    """The reader goes down the columns of tiles, as many side by side as the destination registers
    hold."""
    values = bench.random(96, 320)
    height, width = 3, 10
    a = bench.chip.tensor(values, "bfloat16")
    c = bench.chip.empty((32, 320), "bfloat16")
    for index, pages in ((0, 4), (2, 1), (3, 2)):
        bench.program.circular_buffer(index, "bfloat16", pages)
    bench.kernel(
        "reader",
        COLUMN_READER,
        {(0, 0): (0, 0, width, bits(1.0))},
        names=Names(
            ("col_start_tile_id", "curr_col_in_batch", "num_cols", "scaler_bits"),
            compile_time_args={
                "Ht": height,
                "Wt": width,
                "HtWt": height * width,
                "use_welford": 0,
                "enable_fp32_sfpu": 0,
                "tiles_per_batch": 1,
                "num_h_slices": 1,
                "slice_Ht": height,
            },
            circular_buffers={"in0": 0, "scaler": 2},
            tensors={"src": a.buffer},
        ),
        defines=macros("SUM", "COL"),
    )
    bench.kernel(
        "compute",
        COMPUTE,
        {(0, 0): (height, width, 1)},
        names=Names(
            ("Ht", "Wt", "NC"),
            compile_time_args={"enable_fp32_sfpu": 0},
            circular_buffers={"in0": 0, "scaler": 2, "out": 3},
        ),
        defines=macros("SUM", "COL"),
    )
    bench.kernel(
        "writer",
        WRITER,
        {(0, 0): (width, 0)},
        names=Names(
            ("num_pages", "start_id"), circular_buffers={"out": 3}, tensors={"dst": c.buffer}
        ),
    )
    expected = values.float().new_zeros(32, 320)
    expected[0] = values.float().sum(0)
    bench.expect(c, expected, 2**-6)
