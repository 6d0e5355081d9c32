"""Operations that move data: transpose, concat, slice, embedding."""

from __future__ import annotations

import torch

from testing.mock_validation.bench import Bench, case, split
from tilelang_tt.mock.metal2 import Names

TRANSPOSE = "data_movement/transpose/device/kernels"
WH_READER = f"{TRANSPOSE}/dataflow/reader_unary_transpose_wh_interleaved_start_id.cpp"
WH = f"{TRANSPOSE}/compute/transpose_wh.cpp"
WH_NAMED = f"{TRANSPOSE}/compute/transpose_wh_metal2.cpp"
CN_READER = f"{TRANSPOSE}/dataflow/reader_unary_transpose_cn_interleaved_start_id.cpp"
CN_WRITER = f"{TRANSPOSE}/dataflow/writer_unary_transpose_cn_interleaved_start_id.cpp"
HC_READER = f"{TRANSPOSE}/dataflow/reader_unary_transpose_hc_interleaved_partitioned_rm.cpp"
HC_WRITER = f"{TRANSPOSE}/dataflow/writer_unary_transpose_hc_interleaved_start_id_rm.cpp"
UNARY = "eltwise/unary/device/kernels/dataflow"
TILE_WRITER = f"{UNARY}/writer_unary_interleaved_start_id.cpp"
PAGE_WRITER = f"{UNARY}/writer_unary_interleaved_start_id_metal2.cpp"
CONCAT = "data_movement/concat/device/kernels/dataflow"
CONCAT_TILES = f"{CONCAT}/reader_concat_interleaved_start_id.cpp"
CONCAT_ROWS = f"{CONCAT}/reader_concat_stick_layout_interleaved_start_id.cpp"
SLICE = "data_movement/slice/device/kernels/dataflow"
SLICE_TILES = f"{SLICE}/reader_unary_unpad_dims_interleaved_start_id.cpp"
SLICE_TILES_WRITER = f"{SLICE}/writer_unary_interleaved_start_id.cpp"
SLICE_ROWS = f"{SLICE}/slice_reader_unary_unpad_dims_rm_interleaved_start_id.cpp"
SLICE_ROWS_WRITER = f"{SLICE}/slice_writer_unary_stick_layout_interleaved_start_id.cpp"
STRIDED = f"{SLICE}/strided_slice_reader_rm_interleaved_nd.cpp"
STRIDED_WRITER = f"{SLICE}/strided_slice_writer_rm_interleaved.cpp"
EMBEDDING = "embedding/device/kernels/dataflow/embeddings.cpp"

CORES = ((0, 0), (1, 0), (2, 0))
PAGES = ("num_pages", "start_id")


def transpose_tiles(bench: Bench, named: bool) -> None:
    n, height, width = 3, 64, 96
    values = bench.random(n, height, width)
    ht, wt = height // 32, width // 32
    a = bench.chip.tensor(values, "bfloat16")
    c = bench.chip.empty((n, width, height), "bfloat16")
    bench.program.circular_buffer(0, "bfloat16", 2)
    bench.program.circular_buffer(16, "bfloat16", 2)
    spans = split(a.pages, CORES)
    area = ht * wt
    starts = {}
    for core, (first, count) in spans.items():
        image, rest = divmod(first, area)
        column, row = divmod(rest, ht)
        starts[core] = (count, image * area + row * wt + column, row, column, ht, wt, area)
    bench.kernel(
        "reader",
        WH_READER,
        starts,
        names=Names(
            ("num_tiles", "start_id", "start_ht", "start_wt", "Ht", "Wt", "HtWt"),
            circular_buffers={"in0": 0},
            tensors={"src": a.buffer},
        ),
    )
    counts = {core: (count,) for core, (_, count) in spans.items()}
    if named:
        names = Names(("NHtWt",), circular_buffers={"cb_in": 0, "cb_out": 16})
        bench.kernel("compute", WH_NAMED, counts, names=names)
    else:
        bench.kernel("compute", WH, counts)
    bench.kernel(
        "writer",
        TILE_WRITER,
        {core: (c.address, count, first) for core, (first, count) in spans.items()},
        compile_time_args=(16, *c.accessor_args),
    )
    bench.expect(c, values.float().transpose(1, 2), 0)


@case("transpose", "last two axes", (WH_READER, WH, TILE_WRITER))
def transpose_wh(bench: Bench) -> None:
    """The reader takes tiles column by column, the compute kernel transposes each."""
    transpose_tiles(bench, False)


@case("transpose", "last two axes, named arguments", (WH_READER, WH_NAMED, TILE_WRITER))
def transpose_wh_named(bench: Bench) -> None:
    """The same with the compute kernel's names."""
    transpose_tiles(bench, True)


@case("transpose", "first two axes", (CN_READER, CN_WRITER))
def transpose_cn(bench: Bench) -> None:
    """Whole tiles change places; two cores."""
    n, channels = 2, 3
    values = bench.random(n, channels, 32, 64)
    a = bench.chip.tensor(values, "bfloat16")
    c = bench.chip.empty((channels, n, 32, 64), "bfloat16")
    bench.program.circular_buffer(0, "bfloat16", 2)
    area = 2
    batch_step, channel_step = channels * area - area, a.pages - area
    starts = {}
    spans = split(a.pages, CORES[:2])
    for core, (first, count) in spans.items():
        done, hw = divmod(first, area)
        begin = first + done * batch_step - done // n * channel_step
        starts[core] = (n, channels, area, batch_step, channel_step, count, begin, hw, done % n)
    words = ("N", "C", "HtWt", "batch_step", "channel_step", "num_pages", "start_id", "hw", "n")
    bench.kernel(
        "reader",
        CN_READER,
        starts,
        names=Names(
            words,
            compile_time_args={"page_size": a.page_bytes, "read_size": a.page_bytes},
            circular_buffers={"in0": 0},
            tensors={"src": a.buffer},
        ),
    )
    bench.kernel(
        "writer",
        CN_WRITER,
        {core: (count, first) for core, (first, count) in spans.items()},
        names=Names(
            PAGES,
            compile_time_args={"page_size": c.page_bytes, "write_size": c.page_bytes},
            circular_buffers={"in0": 0},
            tensors={"dst": c.buffer},
        ),
    )
    bench.expect(c, values.float().transpose(0, 1), 0)


@case("transpose", "axes 1 and 2 of rows", (HC_READER, HC_WRITER))
def transpose_hc(bench: Bench) -> None:
    """Rows of a row-major tensor change places, several to a barrier."""
    n, channels, height, width = 2, 3, 4, 48
    values = bench.random(n, channels, height, width)
    a = bench.chip.tensor(values, "bfloat16", tiled=False)
    c = bench.chip.empty((n, height, channels, width), "bfloat16", tiled=False)
    bench.program.circular_buffer(0, "bfloat16", 6, page_bytes=a.page_bytes)
    sticks, together = a.pages, 3
    bench.kernel(
        "reader",
        HC_READER,
        {(0, 0): (sticks // together, together, 0, 0, 0, 0)},
        names=Names(
            (
                "num_sticks_per_core_read",
                "num_read_per_barrier",
                "start_id",
                "curr_c",
                "curr_h",
                "curr_n",
            ),
            compile_time_args={"H": height, "C": channels, "W_size_bytes": a.page_bytes},
            circular_buffers={"in0": 0},
            tensors={"src": a.buffer},
        ),
    )
    bench.kernel(
        "writer",
        HC_WRITER,
        {(0, 0): (sticks // together, together, 0)},
        names=Names(
            ("num_sticks_per_core_read", "num_read_per_barrier", "start_id"),
            compile_time_args={"W_size_bytes": a.page_bytes},
            circular_buffers={"out0": 0},
            tensors={"dst": c.buffer},
        ),
    )
    bench.expect(c, values.float().transpose(1, 2), 0)


@case("concat", "tiles along the rows", (CONCAT_TILES, PAGE_WRITER))
def concat_tiles(bench: Bench) -> None:
    """Two tensors side by side: of each row of tiles, first those of the one, then of the other.
    Two cores, the second begins in the middle of a row."""
    x, y = bench.random(96, 64), bench.random(96, 96)
    a, b = bench.chip.tensor(x, "bfloat16"), bench.chip.tensor(y, "bfloat16")
    c = bench.chip.empty((96, 160), "bfloat16")
    bench.program.circular_buffer(0, "bfloat16", 2)
    blocks = (2, 3)
    starts = {}
    spans = split(c.pages, CORES[:2])
    for core, (first, count) in spans.items():
        row, rest = divmod(first, 5)
        tensor = 0 if rest < blocks[0] else 1
        inside = rest - (0 if tensor == 0 else blocks[0])
        ids = [row * blocks[0], row * blocks[1]]
        if tensor == 1:
            ids[0] += blocks[0]
        ids[tensor] += inside
        starts[core] = (count, tensor, inside, *blocks, *ids)
    bench.kernel(
        "reader",
        CONCAT_TILES,
        starts,
        names=Names(
            ("num_tiles", "start_tensor", "start_tensor_id"),
            circular_buffers={"in": 0},
            tensor_groups={"inputs": (a.buffer, b.buffer)},
        ),
    )
    bench.kernel(
        "writer",
        PAGE_WRITER,
        {core: (count, first) for core, (first, count) in spans.items()},
        names=Names(PAGES, circular_buffers={"out": 0}, tensors={"dst": c.buffer}),
    )
    bench.expect(c, torch.cat([x.float(), y.float()], 1), 0)


@case("concat", "rows one after the other", (CONCAT_ROWS, PAGE_WRITER))
def concat_rows(bench: Bench) -> None:
    """Row-major tensors, stacked along the second of three axes."""
    x, y = bench.random(2, 3, 64), bench.random(2, 5, 64)
    a = bench.chip.tensor(x, "bfloat16", tiled=False)
    b = bench.chip.tensor(y, "bfloat16", tiled=False)
    c = bench.chip.empty((2, 8, 64), "bfloat16", tiled=False)
    bench.program.circular_buffer(0, "bfloat16", 2, page_bytes=c.page_bytes)
    bench.kernel(
        "reader",
        CONCAT_ROWS,
        {(0, 0): (c.pages, 0, 0, 3, 5, 0, 0)},
        names=Names(
            ("num_pages", "start_tensor", "start_tensor_id"),
            compile_time_varargs=(a.page_bytes, b.page_bytes),
            circular_buffers={"in": 0},
            tensor_groups={"inputs": (a.buffer, b.buffer)},
        ),
    )
    bench.kernel(
        "writer",
        PAGE_WRITER,
        {(0, 0): (c.pages, 0)},
        names=Names(PAGES, circular_buffers={"out": 0}, tensors={"dst": c.buffer}),
    )
    bench.expect(c, torch.cat([x.float(), y.float()], 1), 0)


@case("slice", "tiles", (SLICE_TILES, SLICE_TILES_WRITER))
def slice_tiles(bench: Bench) -> None:
    """A box of tiles out of a tensor of rank 3; the reader keeps its place in scratch memory."""
    values = bench.random(2, 128, 128)
    a = bench.chip.tensor(values, "bfloat16")
    c = bench.chip.empty((2, 64, 96), "bfloat16")
    bench.program.circular_buffer(0, "bfloat16", 2)
    bench.program.circular_buffer(1, "uint32", 1, page_bytes=32)
    # Tiles along each axis, innermost first, and what to skip at the end of each.
    inside, skipped = (3, 2, 2), (1, 2 * 4, 0)
    start = 1 * 4 + 1
    bench.kernel(
        "reader",
        SLICE_TILES,
        {(0, 0): (start, c.pages, 0, 0, 0)},
        common_args=(*inside, *skipped),
        names=Names(
            ("start_id", "num_tiles"),
            compile_time_args={"num_dims": 3},
            circular_buffers={"in": 0},
            scratchpads={"id_per_dim": 1},
            tensors={"src": a.buffer},
        ),
    )
    bench.kernel(
        "writer",
        SLICE_TILES_WRITER,
        {(0, 0): (c.pages, 0)},
        names=Names(PAGES, circular_buffers={"out": 0}, tensors={"dst": c.buffer}),
    )
    bench.expect(c, values.float()[:, 32:96, 32:128], 0)


@case("slice", "rows", (SLICE_ROWS, SLICE_ROWS_WRITER))
def slice_rows(bench: Bench) -> None:
    """Part of each row, of some rows; the part begins between two aligned addresses, so the reader
    moves it in L1."""
    values = bench.random(3, 8, 80)
    a = bench.chip.tensor(values, "bfloat16", tiled=False)
    c = bench.chip.empty((3, 4, 48), "bfloat16", tiled=False)
    size, misalignment = 96, 40 % 32
    page = 128
    bench.program.circular_buffer(0, "bfloat16", 4, page_bytes=page)
    bench.program.circular_buffer(1, "uint32", 1, page_bytes=32)
    sticks, together = c.pages, 2
    bench.kernel(
        "reader",
        SLICE_ROWS,
        {
            (0, 0): (
                size,
                page,
                2,
                misalignment,
                2,
                sticks,
                sticks // together,
                together,
                size,
                1,
                size,
                40 - misalignment,
                4,
                3,
                4,
                0,
                0,
                0,
            )
        },
        names=Names(
            (
                "unpadded_stick_size",
                "stick_size_offset",
                "num_dims",
                "misalignment",
                "start_id",
                "num_sticks_per_core",
                "num_sticks_per_core_read",
                "num_read_per_barrier",
                "chunk_size",
                "num_chunks_per_stick",
                "last_chunk_size",
                "src_offset_bytes",
            ),
            circular_buffers={"in": 0},
            scratchpads={"id_per_dim": 1},
            tensors={"src": a.buffer},
        ),
    )
    bench.kernel(
        "writer",
        SLICE_ROWS_WRITER,
        {(0, 0): (size, page, sticks, sticks // together, together, 0, size, 1, size)},
        names=Names(
            (
                "stick_size",
                "stick_size_offset",
                "num_sticks_per_core",
                "num_sticks_per_core_read",
                "num_read_per_barrier",
                "start_id",
                "chunk_size",
                "num_chunks_per_stick",
                "last_chunk_size",
            ),
            circular_buffers={"out": 0},
            tensors={"dst": c.buffer},
        ),
    )
    bench.expect(c, values.float()[:, 2:6, 20:68], 0)


@case("embedding", "rows of a table", (EMBEDDING, PAGE_WRITER))
def embedding(bench: Bench) -> None:
    """Each number of the index tensor picks a row of the table; blocks of 16 indices. Each of two
    cores has a kernel of its own, since this one keeps variables outside its functions, which the
    mock's cores would share."""
    table = bench.random(50, 64)
    indices = torch.randint(0, 50, (2, 32), generator=bench.generator)
    weights = bench.chip.tensor(table, "bfloat16", tiled=False)
    index = bench.chip.tensor(indices.to(torch.int32), "uint32", tiled=False)
    c = bench.chip.empty((2, 32, 64), "bfloat16", tiled=False)
    row = weights.page_bytes
    block = 16
    bench.program.circular_buffer(0, "bfloat16", 2, page_bytes=row)
    bench.program.circular_buffer(1, "uint32", 1, page_bytes=4 * block)
    for batch, core in enumerate(CORES[:2]):
        bench.kernel(
            "reader",
            EMBEDDING,
            {core: (batch, 0, 32, 0)},
            names=Names(
                ("batch_offset", "weights_offset", "num_rows", "index_idx"),
                compile_time_args={
                    "input_page_size": index.page_bytes,
                    "weight_stick_size": row,
                    "rows_per_block": block,
                    "input_block_size_bytes": 4 * block,
                    "chunk_size": row,
                    "num_chunks": 1,
                    "last_chunk_size": row,
                },
                circular_buffers={"in0": 0},
                scratchpads={"in1": 1},
                tensors={"input": index.buffer, "weights": weights.buffer},
            ),
        )
    bench.kernel(
        "writer",
        PAGE_WRITER,
        {core: (32, 32 * batch) for batch, core in enumerate(CORES[:2])},
        names=Names(PAGES, circular_buffers={"out": 0}, tensors={"dst": c.buffer}),
    )
    bench.expect(c, table.float()[indices], 0)
