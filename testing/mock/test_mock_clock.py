"""The virtual clock: what must hold of times whatever the costs are."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from testing.mock import kernels as k
from testing.mock.matmuls import BLOCKS, TILES, Matmul
from tilelang_tt import mock
from tilelang_tt.mock import timing

ARCHS = ("wormhole_b0", "blackhole")
ENGINES = ("reader", "writer", "unpack", "math", "pack")


def product(
    matmul: Matmul, m: int, inner: int, n: int, costs: mock.Timing | None = None
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
        buffers, {"reader.cpp": addresses[:2], "writer.cpp": addresses[2:]}
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
