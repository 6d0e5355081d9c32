"""Deadlocks, semaphores, multicasts and the order of things."""

from __future__ import annotations

import numpy as np
import pytest

from testing.mock import kernels as k
from tilelang_tt import device, mock


def two_matrices() -> tuple[np.ndarray, np.ndarray]:
    a = np.arange(64 * 128, dtype=np.float32).reshape(64, 128) % 13
    return a, a + 1


def test_a_deadlock_lists_who_waits_for_what() -> None:
    reader = k.READ_TWO.replace("    cb_push_back(1, 1);\n", "")
    cores = ((0, 0), (1, 0))
    with pytest.raises(mock.DeadlockError) as caught:
        k.Pipeline(k.ADD, reader=reader, cores=cores).run(*two_matrices())
    error = caught.value
    waits = {(b.place.core, b.place.engine): b for b in error.blocked}
    assert set(waits) == {
        (core, engine) for core in cores for engine in ("reader", "writer", "compute")
    }
    compute = waits[(0, 0), "compute"]
    assert (compute.name, compute.index, compute.wanted, compute.available) == ("b", 1, 1, 0)
    assert compute.place.call == "cb_wait_front"
    assert "cb_wait_front(1, 1)" in k.ADD.splitlines()[compute.place.line - 1]
    reading = waits[(1, 0), "reader"]
    assert (reading.name, reading.wanted, reading.available) == ("a", 1, 0)
    assert reading.tilelang_line == "add.py:7: T.copy(A[by * 32, bx * 32], A_shared)"
    states = {(s.core, s.name): s for s in error.circular_buffers}
    assert states[(0, 0), "a"].filled == 2
    assert states[(0, 0), "b"].filled == 0
    text = str(error)
    assert "compute: cb_wait_front at compute.cpp:" in text
    assert "2 cores from (0, 0) to (1, 0)" in text
    assert "circular buffer 1 (b)" in text


def test_a_wait_of_one_core_of_many_is_found() -> None:
    """All other cores finish; the one that reads a tile too many is named."""
    reader = k.READ_TWO.replace(
        "first + tiles;", "first + tiles + (get_absolute_logical_x() == 3);"
    )
    cores = tuple((x, 0) for x in range(4))
    with pytest.raises(mock.RunError) as caught:
        k.Pipeline(k.ADD, reader=reader, cores=cores).run(*two_matrices())
    assert caught.value.place is not None
    assert caught.value.place.core == (3, 0)
    assert caught.value.kind in ("noc_out_of_bounds", "cb_unpopped_at_end")


def test_two_runs_give_the_same_bytes() -> None:
    rng = np.random.default_rng(1)
    a = rng.standard_normal((256, 128), dtype=np.float32)
    cores = tuple((x, y) for x in range(4) for y in range(4))
    pipeline = k.Pipeline(k.ADD, cores=cores)
    first, second = pipeline.launch(a, a), pipeline.launch(a, a)
    assert first[0] == second[0]
    assert first[1].tobytes() == second[1].tobytes()


def test_the_report_counts_work() -> None:
    a, b = two_matrices()
    report, _ = k.Pipeline(k.ADD).launch(a, b)
    reader, compute, writer = (
        report.kernels[f"{role}.cpp"] for role in ("reader", "compute", "writer")
    )
    assert reader.pages_pushed == 16
    assert reader.bytes_read == 16 * 2048
    assert compute.calls["binary"] == 8
    assert compute.calls["pack"] == 8
    assert writer.bytes_written == 8 * 2048


PING_PONG = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  const uint32_t turn = get_arg_val<uint32_t>(0);
  const uint32_t other = get_arg_val<uint32_t>(1);
  volatile tt_l1_ptr uint32_t* mine =
      reinterpret_cast<volatile tt_l1_ptr uint32_t*>(get_semaphore(0));
  const uint64_t theirs = get_noc_addr(other, 0, get_semaphore(0));
  for (uint32_t i = 0; i < 3; ++i) {
    if (turn == 0) {
      noc_semaphore_inc(theirs, 1);
    }
    noc_semaphore_wait_min(mine, i + 1);
    if (turn == 1) {
      noc_semaphore_inc(theirs, 1);
    }
  }
  noc_async_atomic_barrier();
  noc_semaphore_set(mine, 0);
}
"""


def cores_program(
    source: str, args: dict[tuple[int, int], tuple[int, ...]], pages: int = 1
) -> mock.Program:
    return mock.Program(
        (mock.Kernel("reader", "reader.cpp", source, args),),
        (mock.CircularBuffer(0, "a", k.U8, 64, pages),),
        device.load("wormhole_b0"),
        semaphores=(0, 5),
    )


def test_cores_take_turns_through_semaphores() -> None:
    program = cores_program(PING_PONG, {(0, 0): (0, 1), (1, 0): (1, 0)})
    report = program.build().run([])
    assert report.kernels["reader.cpp"].calls["semaphore"] > 0


def test_a_semaphore_that_never_comes_is_a_deadlock() -> None:
    source = PING_PONG.replace("if (turn == 1)", "if (turn == 2)")
    with pytest.raises(mock.DeadlockError) as caught:
        cores_program(source, {(0, 0): (0, 1), (1, 0): (1, 0)}).build().run([])
    waiting = {b.place.core: b for b in caught.value.blocked}
    assert (waiting[0, 0].on, waiting[0, 0].index, waiting[0, 0].wanted) == ("semaphore", 0, 1)


def test_an_atomic_needs_its_barrier() -> None:
    source = PING_PONG.replace("  noc_async_atomic_barrier();\n", "")
    with pytest.raises(mock.UndefinedBehavior, match="missing_barrier"):
        cores_program(source, {(0, 0): (0, 1), (1, 0): (1, 0)}).build().run([])


MULTICAST = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  volatile tt_l1_ptr uint32_t* flag =
      reinterpret_cast<volatile tt_l1_ptr uint32_t*>(get_semaphore(0));
  if (get_absolute_logical_x() == 0) {
    volatile tt_l1_ptr uint32_t* words =
        reinterpret_cast<volatile tt_l1_ptr uint32_t*>(get_write_ptr(0));
    for (uint32_t i = 0; i < 16; ++i) {
      words[i] = 7 * i;
    }
    const uint32_t page = get_write_ptr(0);
    noc_async_write_multicast(page, get_noc_multicast_addr(0, 0, 3, 0, page), 64, 3);
    noc_semaphore_set(flag, 1);
    const uint32_t semaphore = get_semaphore(0);
    noc_semaphore_set_multicast(semaphore, get_noc_multicast_addr(0, 0, 3, 0, semaphore), 3);
    noc_async_write_barrier();
  }
  noc_semaphore_wait(flag, 1);
  constexpr auto args = TensorAccessorArgs<0>();
  const auto out = TensorAccessor(args, get_common_arg_val<uint32_t>(0));
  noc_async_write_page(get_absolute_logical_x(), out, get_write_ptr(0));
  noc_async_write_barrier();
}
"""


def multicast(source: str, role: str = "reader") -> np.ndarray:
    wormhole = device.load("wormhole_b0")
    (address,) = mock.allocate(wormhole, [(64, 4)])
    data = np.zeros(256, np.uint8)
    cores = {(x, 0): () for x in range(4)}
    program = mock.Program(
        (mock.Kernel(role, f"{role}.cpp", source, cores, (2, 64), (), (address,)),),
        (mock.CircularBuffer(0, "a", k.U8, 64, 1),),
        wormhole,
        semaphores=(0,),
    )
    program.build().run([mock.Buffer("out", data, 64, address)])
    return data.view(np.uint32).reshape(4, 16)


def test_a_multicast_reaches_the_rectangle() -> None:
    np.testing.assert_array_equal(multicast(MULTICAST), np.tile(7 * np.arange(16), (4, 1)))


def test_a_multicast_must_count_its_destinations() -> None:
    with pytest.raises(mock.UndefinedBehavior, match="noc_multicast_count"):
        multicast(MULTICAST.replace("64, 3)", "64, 4)"))


def test_a_multicast_needs_a_destination() -> None:
    source = MULTICAST.replace("(0, 0, 3, 0, page), 64, 3)", "(0, 0, 0, 0, page), 64, 0)")
    with pytest.raises(mock.UndefinedBehavior, match="noc_multicast_count"):
        multicast(source)


@pytest.mark.parametrize("corners", ["0, 0, 3, 0", "3, 0, 0, 0"])
@pytest.mark.parametrize("role", ["reader", "writer"])
def test_a_multicast_begins_where_its_noc_comes_first(role: str, corners: str) -> None:
    source = MULTICAST.replace("0, 0, 3, 0", corners)
    if (role == "reader") == (corners == "0, 0, 3, 0"):
        np.testing.assert_array_equal(multicast(source, role), np.tile(7 * np.arange(16), (4, 1)))
    else:
        with pytest.raises(mock.UndefinedBehavior, match="noc_multicast_corners"):
            multicast(source, role)


@pytest.mark.parametrize("arch", ["wormhole_b0", "blackhole"])
def test_all_cores_run(arch: str) -> None:
    columns, rows = device.load(arch).grid
    cores = tuple((x, y) for y in range(rows) for x in range(columns))
    a = np.ones((rows * 32, columns * 32), np.float32)
    got = k.Pipeline(k.ADD, arch=arch, cores=cores).run(a, a)
    np.testing.assert_array_equal(got, 2)
