"""Between rows and tiles."""

from __future__ import annotations

from testing.mock_validation.bench import Bench, case, split
from tilelang_tt.mock.metal2 import Names

TILIZE = "data_movement/tilize/device/kernels"
ROWS_READER = f"{TILIZE}/dataflow/reader_unary_stick_layout_split_rows_singlecore.cpp"
ROWS_READER_CORES = f"{TILIZE}/dataflow/reader_unary_stick_layout_split_rows_multicore.cpp"
TILIZE_COMPUTE = f"{TILIZE}/compute/tilize.cpp"
UNARY = "eltwise/unary/device/kernels/dataflow"
TILE_WRITER = f"{UNARY}/writer_unary_interleaved_start_id.cpp"
UNTILIZE = "data_movement/untilize/device/kernels"
TILE_READER = f"{UNTILIZE}/dataflow/reader_unary_start_id.cpp"
TILE_READER_NAMED = f"{UNTILIZE}/dataflow/reader_unary_start_id_metal2.cpp"
UNTILIZE_COMPUTE = f"{UNTILIZE}/compute/untilize.cpp"
UNTILIZE_NAMED = f"{UNTILIZE}/compute/untilize_metal2.cpp"
ROWS_WRITER = f"{UNTILIZE}/dataflow/writer_unary_stick_layout_split_rows_single_core.cpp"
ROWS_WRITER_CORES = f"{UNTILIZE}/dataflow/writer_unary_stick_layout_split_rows_multi_core.cpp"


@case("tilize", "one core", (ROWS_READER, TILIZE_COMPUTE, TILE_WRITER))
def tilize_one(bench: Bench) -> None:
    """32 rows at a time become a row of tiles, in two blocks of two tiles."""
    values = bench.random(64, 128)
    a = bench.chip.tensor(values, "bfloat16", tiled=False)
    c = bench.chip.empty(values.shape, "bfloat16")
    bench.program.circular_buffer(0, "bfloat16", 4)
    bench.program.circular_buffer(16, "bfloat16", 4)
    block = 2
    bench.kernel(
        "reader",
        ROWS_READER,
        {(0, 0): (64, block, 64 * block, 2, 0)},
        names=Names(
            (
                "num_sticks",
                "num_tiles_per_block",
                "block_width_size",
                "num_full_blocks_in_row",
                "start_stick_id",
            ),
            compile_time_args={"tile_height": 32},
            circular_buffers={"in": 0},
            tensors={"src": a.buffer},
        ),
    )
    bench.kernel("compute", TILIZE_COMPUTE, {(0, 0): ()}, compile_time_args=(0, 16, 4, block))
    bench.kernel(
        "writer",
        TILE_WRITER,
        {(0, 0): (c.address, c.pages, 0)},
        compile_time_args=(16, *c.accessor_args),
    )
    bench.expect(c, values.float(), 0)


@case("tilize", "three cores", (ROWS_READER_CORES, TILIZE_COMPUTE, TILE_WRITER))
def tilize_cores(bench: Bench) -> None:
    """A row of tiles for each core."""
    values = bench.random(96, 64)
    a = bench.chip.tensor(values, "bfloat16", tiled=False)
    c = bench.chip.empty(values.shape, "bfloat16")
    bench.program.circular_buffer(0, "bfloat16", 2)
    bench.program.circular_buffer(16, "bfloat16", 2)
    cores = ((0, 0), (1, 0), (2, 0))
    bench.kernel(
        "reader",
        ROWS_READER_CORES,
        {core: (32, 2, 128, 1, 32 * row) for row, core in enumerate(cores)},
        names=Names(
            (
                "num_rows",
                "num_tiles_per_block",
                "block_width_size",
                "num_full_blocks_in_row",
                "start_page_id",
            ),
            compile_time_args={
                "tile_height": 32,
                "num_pages_in_row": 1,
                "size_of_valid_data_in_last_page_in_row": 128,
            },
            circular_buffers={"in": 0},
            tensors={"src": a.buffer},
        ),
    )
    bench.kernel(
        "compute", TILIZE_COMPUTE, dict.fromkeys(cores, ()), compile_time_args=(0, 16, 1, 2)
    )
    bench.kernel(
        "writer",
        TILE_WRITER,
        {core: (c.address, 2, 2 * row) for row, core in enumerate(cores)},
        compile_time_args=(16, *c.accessor_args),
    )
    bench.expect(c, values.float(), 0)


@case("untilize", "one core", (TILE_READER, UNTILIZE_COMPUTE, ROWS_WRITER))
def untilize_one(bench: Bench) -> None:
    """A row of tiles becomes 32 rows, in two blocks of two tiles."""
    values = bench.random(64, 128)
    a = bench.chip.tensor(values, "bfloat16")
    c = bench.chip.empty(values.shape, "bfloat16", tiled=False)
    bench.program.circular_buffer(0, "bfloat16", 4)
    bench.program.circular_buffer(16, "bfloat16", 4)
    bench.kernel(
        "reader",
        TILE_READER,
        {(0, 0): (a.address, a.pages, 0)},
        compile_time_args=(0, *a.accessor_args),
    )
    bench.kernel("compute", UNTILIZE_COMPUTE, {(0, 0): ()}, compile_time_args=(4, 2, 0, 16))
    bench.kernel(
        "writer",
        ROWS_WRITER,
        {(0, 0): ()},
        names=Names(
            compile_time_args={
                "tile_height": 32,
                "num_blocks_across_height": 2,
                "num_output_columns_of_blocks": 1,
                "num_blocks_per_output_column_row": 2,
                "num_tiles_per_output_block": 2,
                "output_single_block_width_size": 128,
            },
            circular_buffers={"out": 16},
            tensors={"dst": c.buffer},
        ),
    )
    bench.expect(c, values.float(), 0)


@case(
    "untilize",
    "two cores, named arguments",
    (TILE_READER_NAMED, UNTILIZE_NAMED, ROWS_WRITER_CORES),
)
def untilize_cores(bench: Bench) -> None:
    """Rows of ten tiles, more than the destination registers hold at once."""
    values = bench.random(128, 320)
    a = bench.chip.tensor(values, "bfloat16")
    c = bench.chip.empty(values.shape, "bfloat16", tiled=False)
    bench.program.circular_buffer(0, "bfloat16", 20)
    bench.program.circular_buffer(16, "bfloat16", 20)
    spans = split(4, ((0, 0), (1, 0)))
    bench.kernel(
        "reader",
        TILE_READER_NAMED,
        {core: (10 * count, 10 * first) for core, (first, count) in spans.items()},
        names=Names(
            ("num_tiles", "start_id"), circular_buffers={"in": 0}, tensors={"src": a.buffer}
        ),
    )
    bench.kernel(
        "compute",
        UNTILIZE_NAMED,
        dict.fromkeys(spans, ()),
        names=Names(
            compile_time_args={"per_core_block_cnt": 2, "per_core_block_tile_cnt": 10},
            circular_buffers={"src": 0, "out": 16},
        ),
    )
    bench.kernel(
        "writer",
        ROWS_WRITER_CORES,
        {core: (count, first, 320, 0, 0) for core, (first, count) in spans.items()},
        names=Names(
            (
                "num_input_blocks_to_process",
                "height_wise_input_block_start_index",
                "num_unpadded_cols_per_input_block",
                "width_wise_output_block_start_index",
                "num_cols_already_processed_in_first_output_block",
            ),
            compile_time_args={
                "tile_height": 32,
                "num_tiles_per_input_block": 10,
                "num_output_blocks_across_width": 1,
                "output_element_size": 2,
                "num_cols_per_input_block": 320,
                "num_cols_per_output_block": 320,
            },
            circular_buffers={"out": 16},
            tensors={"dst": c.buffer},
        ),
    )
    bench.expect(c, values.float(), 0)
