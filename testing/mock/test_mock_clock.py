"""The virtual clock: what must hold of times whatever the costs are."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from testing.mock import kernels as k
from testing.mock.matmuls import BLOCKS, TILES, Matmul
from tilelang_tt import device, mock
from tilelang_tt.mock import timing

ARCHS = ("wormhole_b0", "blackhole")
ENGINES = ("reader", "writer", "unpack", "math", "pack")


def product(
    matmul: Matmul,
    m: int,
    inner: int,
    n: int,
    costs: mock.Timing | None = None,
    record: bool = False,
) -> tuple[mock.Report, np.ndarray]:
    """One run for sizes in tiles: its report and result."""
    rng = np.random.default_rng(3)
    program = replace(matmul.program(m, inner, n), timing=costs)
    page = matmul.input.tile_bytes
    a, b = (
        k.encode(rng.standard_normal((rows * 32, columns * 32), dtype=np.float32), matmul.input)
        for rows, columns in ((m, inner), (inner, n))
    )
    data = [a, b, np.zeros(m * n * page, np.uint8)]
    addresses = mock.allocate(program.device, [(page, array.size // page) for array in data])
    buffers = [
        mock.Buffer(name, array, page, address)
        for name, array, address in zip("abc", data, addresses, strict=True)
    ]
    report = program.build().run(
        buffers, {"reader.cpp": addresses[:2], "writer.cpp": addresses[2:]}, record=record
    )
    return report, data[2]


def summed(pages: int = 2, arch: str = "wormhole_b0") -> mock.Report:
    a = np.ones((64, 512), np.float32)
    return k.Pipeline(k.ADD, arch=arch, pages=pages, cores=((0, 0), (1, 0))).launch(a, a)[0]


@pytest.mark.parametrize("arch", ARCHS)
def test_a_slower_network_is_never_faster(arch: str) -> None:
    costs = timing.load(arch)
    slower = [
        costs,
        costs.changed(noc__hop=30),
        costs.changed(noc__hop=30, noc__read_bytes=8, noc__link_bytes=8),
        costs.changed(noc__hop=30, noc__read_bytes=8, noc__link_bytes=8, dram__bytes=2),
    ]
    matmul = Matmul(block=(2, 2), sub=2, arch=arch)
    cycles = [product(matmul, 4, 4, 4, table)[0].cycles for table in slower]
    assert cycles == sorted(cycles)
    assert cycles[0] < cycles[-1]


def test_more_cores_are_never_slower_where_arithmetic_decides() -> None:
    cycles = [
        product(Matmul(block=block, sub=1), 4, 16, 4)[0].cycles
        for block in ((4, 4), (2, 4), (2, 2))
    ]
    assert cycles == sorted(cycles, reverse=True)
    assert cycles[-1] < 0.6 * cycles[0]


@pytest.mark.parametrize("arch", ARCHS)
def test_two_pages_are_faster_than_one_and_many_hardly_faster_than_two(arch: str) -> None:
    one, two, eight = (summed(pages, arch).cycles for pages in (1, 2, 8))
    assert two < one
    assert eight <= two


def test_low_fidelity_is_faster() -> None:
    cycles = [
        product(Matmul(fidelity=fidelity, block=(2, 4), sub=2), 2, 16, 4)[0].engine("math").busy
        for fidelity in mock.program.FIDELITIES
    ]
    assert cycles == sorted(cycles)
    assert cycles[0] < 0.4 * cycles[-1]


@pytest.mark.parametrize("arch", ARCHS)
def test_a_block_product_is_faster_than_single_products(arch: str) -> None:
    block, _ = product(Matmul(BLOCKS, (2, 4), sub=2, arch=arch), 2, 16, 4)
    tiles, _ = product(Matmul(TILES, (2, 4), arch=arch), 2, 16, 4)
    assert block.tile_products == tiles.tile_products == 2 * 16 * 4
    assert block.cycles < tiles.cycles


@pytest.mark.parametrize(
    "rows, columns, each, last",
    [
        (1, 4, 500, 400),  # five tiles are loaded for four products
        (2, 4, 900, 800),  # six for eight, of which three wait for the last two products
        (4, 2, 900, 800),
        (2, 2, 500, 400),
    ],
)
def test_a_pair_that_is_kept_leaves_no_bank_for_the_next(rows, columns, each, last) -> None:
    """A tile takes 100 cycles to load, and a product 100."""
    costs = timing.load("wormhole_b0").changed(
        math__matmul_phase=25, math__matmul_tile=0, unpack__matmul_bytes=20.48
    )
    calls = 6
    matmul = Matmul(block=(rows, columns), sub=rows)
    report, _ = product(matmul, rows, calls, columns, costs, record=True)
    products = [
        interval
        for interval in report.intervals
        if interval.engine == "math" and interval.name == "matmul_block" and not interval.is_wait
    ]
    assert products[-1].end - products[0].begin == pytest.approx((calls - 1) * each + last, abs=1)


@pytest.mark.parametrize("arch", ARCHS)
def test_a_block_of_one_product_is_a_single_product(arch: str) -> None:
    block, _ = product(Matmul(BLOCKS, (1, 1), arch=arch), 1, 16, 1)
    tiles, _ = product(Matmul(TILES, (1, 1), arch=arch), 1, 16, 1)
    assert block.engine("math").busy == tiles.engine("math").busy


@pytest.mark.parametrize("arch", ARCHS)
def test_engines_are_busy_or_wait_until_they_finish(arch: str) -> None:
    report = summed(arch=arch)
    for core in report.cores.values():
        assert set(core.engines) == set(ENGINES)
        for engine in core.engines.values():
            assert 0 < engine.busy <= engine.finished
            assert engine.busy + sum(engine.stalls.values()) == pytest.approx(
                engine.finished, abs=0.1
            )
    last = max(core.cycles for core in report.cores.values())
    assert report.cycles == pytest.approx(report.launch_cycles + last)


def test_the_network_accounts_for_every_byte() -> None:
    report = summed()
    read = sum(bank.bytes_read for bank in report.dram_banks)
    written = sum(bank.bytes_written for bank in report.dram_banks)
    assert (read, written) == (2 * 32 * 2048, 32 * 2048)
    assert report.dram_bytes == read + written
    assert all(bank.busy <= report.cycles for bank in report.dram_banks)
    assert {link.noc for link in report.links} == {0, 1}


def test_waits_are_told_by_circular_buffer() -> None:
    report = summed(pages=1)
    waits = {cb.name: cb for cb in report.cores[0, 0].circular_buffers}
    assert waits["a"].consumer_wait > 0  # the sum waits for its operands
    assert waits["c"].consumer_wait > 0
    assert waits["b"].producer_wait >= 0


def test_two_runs_take_the_same_cycles() -> None:
    first, second = summed(), summed()
    assert first == second


def test_values_do_not_depend_on_costs() -> None:
    matmul = Matmul(block=(2, 2), sub=2)
    costs = timing.load("wormhole_b0")
    report, values = product(matmul, 4, 4, 4, costs)
    slow_report, slow_values = product(matmul, 4, 4, 4, costs.slowed(10))
    assert values.tobytes() == slow_values.tobytes()
    assert slow_report.cycles == pytest.approx(10 * report.cycles, rel=1e-6)
    odd_report, odd_values = product(
        matmul, 4, 4, 4, costs.changed(dram__read_extra=9000, pack__tile=1)
    )
    assert values.tobytes() == odd_values.tobytes()
    assert odd_report.cycles != report.cycles


@pytest.mark.parametrize("arch", ARCHS)
def test_every_cost_of_the_table_is_needed(arch: str) -> None:
    program = k.Pipeline(k.ADD, arch=arch).program(1)
    values = timing.load(arch).values
    needed = [name for name in values if not name.startswith("noc.columns")]
    for name in needed:
        table = mock.Timing({n: value for n, value in values.items() if n != name})
        with pytest.raises(mock.AssertionFailure, match="table of costs lacks"):
            replace(program, timing=table).build().run([])


def test_a_recorded_run_gives_a_trace() -> None:
    matmul = Matmul(block=(2, 2), sub=2).program(2, 2, 2)
    page = 2048
    data = [np.zeros(4 * page, np.uint8) for _ in range(3)]
    addresses = mock.allocate(matmul.device, [(page, 4)] * 3)
    buffers = [mock.Buffer(n, d, page, a) for n, d, a in zip("abc", data, addresses, strict=True)]
    arguments = {"reader.cpp": addresses[:2], "writer.cpp": addresses[2:]}
    report = matmul.build().run(buffers, arguments, record=True)
    silent = matmul.build().run(buffers, arguments)
    assert silent.intervals == ()
    assert silent.cycles == report.cycles
    for engine in ENGINES:
        rows = [each for each in report.intervals if each.engine == engine]
        assert rows == sorted(rows, key=lambda each: each.begin)
        busy = sum(each.end - each.begin for each in rows if not each.is_wait)
        assert busy == pytest.approx(report.cores[0, 0].engines[engine].busy, abs=1)
    trace = json.loads(json.dumps(report.trace()))
    names = {event["name"] for event in trace["traceEvents"]}
    assert {"matmul_block", "pack_block", "noc_async_read_page", "wait: matmul_block"} <= names


PASS_ON = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  const uint32_t turn = get_arg_val<uint32_t>(0);
  const uint32_t next = get_arg_val<uint32_t>(1);
  volatile tt_l1_ptr uint32_t* mine =
      reinterpret_cast<volatile tt_l1_ptr uint32_t*>(get_semaphore(0));
  if (turn != 0) {
    noc_semaphore_wait_min(mine, 1);
  }
  if (next != 0) {
    noc_semaphore_inc(get_noc_addr(next, 0, get_semaphore(0)), 1);
    noc_async_atomic_barrier();
  }
}
"""


def test_a_chain_of_semaphores_takes_the_time_of_its_hops() -> None:
    """Each core waits for the one before it; the signal takes a one-way latency each time."""
    last = 5
    args = {(x, 0): (x, x + 1 if x < last else 0) for x in range(last + 1)}
    program = mock.Program(
        (mock.Kernel("reader", "reader.cpp", PASS_ON, args),),
        (mock.CircularBuffer(0, "a", k.U8, 64, 1),),
        device.load("wormhole_b0"),
        semaphores=(0,),
    )
    report = program.build().run([])
    waits = [report.cores[x, 0].engines["reader"].stalls["semaphore"] for x in range(last + 1)]
    assert waits[0] == 0
    assert waits == sorted(waits)
    values = timing.load("wormhole_b0").values
    one_way = values["noc.write_base"] / 2 + values["noc.hop"]
    assert all(later - earlier >= one_way for earlier, later in itertools.pairwise(waits))


def test_cores_that_share_a_bank_wait_for_each_other() -> None:
    """Page 0 is in one bank: eight cores that read it take nearly eight times as long."""
    source = k.READ_ONE.replace("noc_async_read_page(i, a", "noc_async_read_page(0, a")
    compute = k.compute_one("copy_tile(0, 0, 0);")
    cycles: list[float] = []
    for count in (1, 8):
        cores = tuple((x, 0) for x in range(count))
        pipeline = k.Pipeline(
            compute, inputs=(k.BF16,), reader=source, cores=cores, pages=16, arch="wormhole_b0"
        )
        matrix = np.ones((32 * count, 32 * 16), np.float32)
        report, _ = pipeline.launch(matrix)
        cycles.append(report.dram_banks[0].busy)
        assert report.dram_banks[0].busy <= report.cycles - report.launch_cycles
    assert cycles[1] >= 7 * cycles[0]


def test_a_page_is_not_overwritten_before_its_time() -> None:
    """A read without reserve is an error even where the mock has run the consumer already."""
    reader = k.READ_TWO.replace(
        "    cb_reserve_back(0, 1);\n", "    if (i < first + 2) { cb_reserve_back(0, 1); }\n"
    )
    a = np.ones((32, 128), np.float32)
    with pytest.raises(mock.UndefinedBehavior, match="cb_overwrite"):
        k.Pipeline(k.ADD, reader=reader, pages=1).run(a, a)
