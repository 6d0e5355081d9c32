"""Rows in order, the first values of rows, and their places."""

from __future__ import annotations

import torch

from testing.mock_validation.bench import Bench, case
from tilelang_tt.mock.metal2 import Names

FOLDER = "reduction/topk/device/kernels"
READER = f"{FOLDER}/dataflow/reader_create_index_tensor.cpp"
COMPUTE = f"{FOLDER}/compute/topk.cpp"
WRITER = f"{FOLDER}/dataflow/writer_binary_interleaved.cpp"
SORT_FOLDER = "data_movement/sort/device/kernels"
SORT_READER = f"{SORT_FOLDER}/dataflow/reader_single_row_single_core.cpp"
SORT = f"{SORT_FOLDER}/compute/sort_single_row_single_core.cpp"
SORT_WRITER = f"{SORT_FOLDER}/dataflow/writer_single_row_single_core.cpp"
CORES = ((0, 0), (1, 0))
VALUE, INDEX, PLACED_VALUE, PLACED_INDEX, KEPT_VALUE, KEPT_INDEX, OUT_VALUE, OUT_INDEX = range(8)
SYNCHRONIZATION = 8


def topk(bench: Bench, values: torch.Tensor, k: int, largest: bool, stable: bool) -> None:
    """Rows of tiles are dealt out to two cores, which take turns."""
    height, width = values.shape[0] // 32, values.shape[1] // 32
    kept = k // 32
    a = bench.chip.tensor(values, "bfloat16")
    c = bench.chip.empty((values.shape[0], k), "bfloat16")
    d = bench.chip.empty((values.shape[0], k), "uint16")
    for index, pages in (
        (VALUE, 4),
        (PLACED_VALUE, 4),
        (KEPT_VALUE, 2 * kept),
        (OUT_VALUE, 2),
    ):
        bench.program.circular_buffer(index, "bfloat16", pages)
        bench.program.circular_buffer(index + 1, "uint16", pages)
    sizes = {"Ht": height, "Wt": width}
    shares = {core: (number, height // len(CORES)) for number, core in enumerate(CORES)}
    bench.kernel(
        "reader",
        READER,
        shares,
        names=Names(
            ("id", "work_per_core"),
            compile_time_args={**sizes, "total_number_of_cores": len(CORES), "uint16_output": 1},
            circular_buffers={"input": VALUE, "index": INDEX},
            tensors={"input": a.buffer},
        ),
        defines={"GENERATE_INDICES": "1"},
    )
    bench.kernel(
        "compute",
        COMPUTE,
        {core: (count,) for core, (_, count) in shares.items()},
        names=Names(
            ("work_per_core",),
            compile_time_args={
                **sizes,
                "output_tiles": kept,
                "largest": int(largest),
                "stable_sort": int(stable),
                "rank_stamped": 0,
            },
            circular_buffers={
                "input": VALUE,
                "index": INDEX,
                "transposed_val": PLACED_VALUE,
                "transposed_ind": PLACED_INDEX,
                "result_prep_val": KEPT_VALUE,
                "result_prep_ind": KEPT_INDEX,
                "output_val": OUT_VALUE,
                "output_ind": OUT_INDEX,
            },
        ),
    )
    bench.kernel(
        "writer",
        WRITER,
        shares,
        names=Names(
            ("id", "work_per_core"),
            compile_time_args={"Ht": height, "Kt": kept, "total_number_of_cores": len(CORES)},
            circular_buffers={"values": OUT_VALUE, "indices": OUT_INDEX},
            tensors={"values": c.buffer, "indices": d.buffer},
        ),
    )
    order = torch.sort(values.float(), dim=-1, descending=largest, stable=True)
    bench.expect(c, order.values[:, :k], 0)
    bench.expect(d, order.indices[:, :k], 0)


def different(bench: Bench, rows: int, columns: int) -> torch.Tensor:
    """Each row has every number from 0 on once; bfloat16 holds those below 256."""
    places = torch.rand(rows, columns, generator=bench.generator).argsort(-1)
    return places.to(torch.bfloat16)


@case("top-k", "the 32 largest", (READER, COMPUTE, WRITER))
def largest(bench: Bench) -> None:
    """Rows of four tiles on two cores. The reader makes the indices; each next tile is sorted
    together with the best 32 so far."""
    topk(bench, different(bench, 128, 128), 32, True, False)


@case("top-k", "the 64 smallest", (READER, COMPUTE, WRITER))
def smallest(bench: Bench) -> None:
    """Two tiles are kept: what falls out of the first goes on to the second."""
    topk(bench, different(bench, 128, 160), 64, False, False)


@case("top-k", "the 64 largest, equal ones in order", (READER, COMPUTE, WRITER))
def stable(bench: Bench) -> None:
    """Eight values only, so that most are equal: they keep the order of their indices."""
    values = torch.randint(0, 8, (64, 128), generator=bench.generator).to(torch.bfloat16)
    topk(bench, values, 64, True, True)


@case("sort", "rows, largest first", (SORT_READER, SORT, SORT_WRITER), findings=("cb_overrun",))
def descending(bench: Bench) -> None:
    """Pairs of tiles are sorted in alternating directions and then merged; the reader writes the
    indices back, the writer makes them. Two cores. Merged tiles are packed over the pages that
    they came from, which are pushed and not reserved; the mock reports that."""
    values = different(bench, 64, 256)
    height, width = values.shape[0] // 32, values.shape[1] // 32
    a = bench.chip.tensor(values, "bfloat16")
    c = bench.chip.empty(values.shape, "bfloat16")
    d = bench.chip.empty(values.shape, "uint16")
    for index, pages in ((VALUE, 4), (PLACED_VALUE, width), (OUT_VALUE, 2)):
        bench.program.circular_buffer(index, "bfloat16", pages)
        bench.program.circular_buffer(index + 1, "uint16", pages)
    bench.program.circular_buffer(SYNCHRONIZATION, "uint8", 1)
    turns = {core: (height // len(CORES),) for core in CORES}
    columns, rows = bench.chip.device.grid
    shape = {
        "Wt": width,
        "Ht": height,
        "total_number_of_cores": len(CORES),
        "compute_with_storage_grid_size_x": columns,
        "compute_with_storage_grid_size_y": rows,
        "W_value_bytes": 2 * values.shape[1],
    }
    bench.kernel(
        "reader",
        SORT_READER,
        turns,
        names=Names(
            ("core_loop_count",),
            compile_time_args={**shape, "W_index_bytes": 2 * values.shape[1]},
            circular_buffers={"input_tensor": VALUE, "index_tensor_output": OUT_INDEX},
            tensors={"input_tensor": a.buffer, "index_tensor": d.buffer},
        ),
    )
    bench.kernel(
        "compute",
        SORT,
        turns,
        names=Names(
            ("core_loop_count",),
            compile_time_args={"Wt": width, "descending": 1, "stable": 0},
            circular_buffers={
                "input_tensor": VALUE,
                "index_tensor": INDEX,
                "input_tensor_transposed": PLACED_VALUE,
                "index_tensor_transposed": PLACED_INDEX,
                "value_tensor": OUT_VALUE,
                "index_tensor_output": OUT_INDEX,
                "synchronization": SYNCHRONIZATION,
            },
        ),
    )
    bench.kernel(
        "writer",
        SORT_WRITER,
        turns,
        names=Names(
            ("core_loop_count",),
            compile_time_args={**shape, "is_32_bit_data": 0},
            circular_buffers={"index_tensor": INDEX, "value_tensor": OUT_VALUE},
            tensors={"value_tensor": c.buffer},
        ),
    )
    order = torch.sort(values.float(), dim=-1, descending=True)
    bench.expect(c, order.values, 0)
    bench.expect(d, order.indices, 0)
