"""Accesses of several cores to one L1 must be ordered, whatever came first in the run."""

from __future__ import annotations

import numpy as np
import pytest

from testing.mock import kernels as k
from tilelang_tt import device, mock

# Core 0 sends pages to core 1, which says when its page is free and writes them to a tensor.
KERNEL = """
#include "api/dataflow/dataflow_api.h"

using Word = volatile tt_l1_ptr uint32_t*;
constexpr uint32_t rounds = 3;

void send(Word ready, uint64_t arrived) {
  for (uint32_t i = 0; i < rounds; ++i) {
    cb_reserve_back(0, 1);
    const uint32_t page = get_write_ptr(0);
    for (uint32_t j = 0; j < 16; ++j) {
      reinterpret_cast<Word>(page)[j] = 100 * i + j;
    }
    noc_semaphore_wait(ready, 1);
    noc_semaphore_set(ready, 0);
    noc_async_write(page, get_noc_addr(1, 0, get_write_ptr(1)), 64);
    noc_async_write_barrier();
    noc_semaphore_inc(arrived, 1);
    cb_push_back(0, 1);
    cb_wait_front(0, 1);
    cb_pop_front(0, 1);
  }
  noc_async_atomic_barrier();
}

void receive(Word arrived, uint64_t ready) {
  for (uint32_t i = 0; i < rounds; ++i) {
    cb_reserve_back(1, 1);
    noc_semaphore_inc(ready, 1);
    noc_semaphore_wait_min(arrived, i + 1);
    cb_push_back(1, 1);
  }
  noc_async_atomic_barrier();
}

void kernel_main() {
  Word ready = reinterpret_cast<Word>(get_semaphore(0));
  Word arrived = reinterpret_cast<Word>(get_semaphore(1));
  if (get_absolute_logical_x() == 0) {
    send(ready, get_noc_addr(1, 0, get_semaphore(1)));
  } else {
    receive(arrived, get_noc_addr(0, 0, get_semaphore(0)));
  }
}
"""
DRAIN = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  constexpr auto args = TensorAccessorArgs<0>();
  const auto out = TensorAccessor(args, get_common_arg_val<uint32_t>(0));
  for (uint32_t i = 0; i < 3; ++i) {
    cb_wait_front(1, 1);
    noc_async_write_page(i, out, get_read_ptr(1));
    noc_async_write_barrier();
    cb_pop_front(1, 1);
  }
}
"""


def launch(reader: str, writer: str = DRAIN, pages: int = 1) -> np.ndarray:
    wormhole = device.load("wormhole_b0")
    (address,) = mock.allocate(wormhole, [(64, 3)])
    data = np.zeros(3 * 64, np.uint8)
    program = mock.Program(
        (
            mock.Kernel("reader", "reader.cpp", reader, {(0, 0): (), (1, 0): ()}),
            mock.Kernel("writer", "writer.cpp", writer, {(1, 0): ()}, (2, 64), (), (address,)),
        ),
        tuple(mock.CircularBuffer(i, "ab"[i], k.U8, 64, pages) for i in (0, 1)),
        wormhole,
        semaphores=(0, 0),
    )
    program.build().run([mock.Buffer("out", data, 64, address, "result")])
    return data.view(np.uint32).reshape(3, 16)


def change(old: str, new: str, source: str = KERNEL) -> str:
    assert old in source
    return source.replace(old, new, 1)


def races(reader: str, writer: str = DRAIN) -> list[mock.Finding]:
    with pytest.raises(mock.UndefinedBehavior) as caught:
        launch(reader, writer)
    return [finding for finding in caught.value.findings if finding.kind == "l1_race"]


@pytest.mark.parametrize("pages", [1, 2])
def test_ordered_accesses_are_no_race(pages: int) -> None:
    source = KERNEL
    if pages == 2:  # both sides advance through their pages alike
        source = change(
            "get_noc_addr(1, 0, get_write_ptr(1))",
            "get_noc_addr(1, 0, get_write_ptr(1) + i % 2 * 64)",
        )
    expected = 100 * np.arange(3)[:, None] + np.arange(16)
    np.testing.assert_array_equal(launch(source, pages=pages), expected)


def test_a_page_may_be_read_late() -> None:
    """The next page has come meanwhile, right behind it: two signals, and the reader needs one."""
    source = change(
        "get_noc_addr(1, 0, get_write_ptr(1))",
        "get_noc_addr(1, 0, get_write_ptr(1) + i % 2 * 64)",
    )
    late = change(
        "cb_wait_front(1, 1);",
        "cb_wait_front(1, 1); for (uint32_t j = 0; j < 1000; ++j) get_common_arg_val<uint32_t>(0);",
        DRAIN,
    )
    launch(source, late, pages=2)


def test_a_write_that_does_not_wait_for_the_reader_of_the_page() -> None:
    """The page is free by luck of the run only: nothing tells core 0 so."""
    source = change("    noc_semaphore_wait(ready, 1);\n", "")
    finding = races(source)[0]
    assert finding.place is not None
    assert (finding.place.core, finding.place.call) == ((0, 0), "noc_async_write")
    assert finding.message.startswith("writing L1 bytes")
    assert "is not ordered with the read by core (1, 0), writer" in finding.message


def test_a_page_that_is_used_before_the_signal() -> None:
    source = change("    noc_semaphore_wait_min(arrived, i + 1);\n", "")
    found = races(source)
    assert found
    assert {finding.place.engine for finding in found if finding.place} == {"writer", "reader"}


def test_a_write_and_its_signal_to_the_same_core_need_no_barrier() -> None:
    """They take the same way through the NoC; the source may be used again after a flush."""
    source = change("noc_async_write_barrier();", "noc_async_writes_flushed();")
    source = change("  noc_async_atomic_barrier();", "  noc_async_full_barrier();", source)
    launch(source)


# Core 0 writes to core 1 and tells core 2, which tells core 1.
RELAY = """
#include "api/dataflow/dataflow_api.h"

using Word = volatile tt_l1_ptr uint32_t*;

void kernel_main() {
  Word flag = reinterpret_cast<Word>(get_semaphore(0));
  const uint32_t page = get_write_ptr(0);
  if (get_absolute_logical_x() == 0) {
    reinterpret_cast<Word>(page)[0] = 7;
    noc_async_write(page, get_noc_addr(1, 0, page), 16);
    noc_async_write_barrier();
    noc_semaphore_inc(get_noc_addr(2, 0, get_semaphore(0)), 1);
  } else {
    noc_semaphore_wait(flag, 1);
    if (get_absolute_logical_x() == 2) {
      noc_semaphore_inc(get_noc_addr(1, 0, get_semaphore(0)), 1);
    } else {
      ASSERT(reinterpret_cast<Word>(page)[0] == 7);
      reinterpret_cast<Word>(page)[1] = 1;
    }
  }
  noc_async_full_barrier();
}
"""


def relay(source: str) -> None:
    mock.Program(
        (mock.Kernel("reader", "reader.cpp", source, {(x, 0): () for x in range(3)}),),
        (mock.CircularBuffer(0, "a", k.U8, 64, 1),),
        device.load("wormhole_b0"),
        semaphores=(0,),
    ).build().run([])


def test_order_passes_through_a_third_core() -> None:
    relay(RELAY)


def test_a_signal_by_way_of_another_core_needs_the_barrier() -> None:
    with pytest.raises(mock.UndefinedBehavior, match="remote write by core") as caught:
        relay(change("    noc_async_write_barrier();\n", "", RELAY))
    finding = caught.value.findings[0]
    assert finding.kind == "l1_race"
    assert finding.place is not None
    assert finding.place.core == (1, 0)
    assert "page)[0] == 7" in RELAY.splitlines()[finding.place.line]


def test_two_cores_may_not_write_the_same_bytes() -> None:
    source = RELAY.replace("get_absolute_logical_x() == 0", "get_absolute_logical_x() != 1")
    source = source.replace("(2, 0, get", "(1, 0, get").replace("wait(flag, 1)", "wait(flag, 2)")
    with pytest.raises(mock.UndefinedBehavior, match=r"writing .* with the remote write"):
        relay(source)
    apart = source.replace("get_noc_addr(1, 0, page)", "get_noc_addr(1, 0, page + 16 * my_x[0])")
    relay(apart)


def test_a_remote_read_is_ordered_too() -> None:
    """Core 0 changes the page while core 1 may still read it."""
    body = """
#include "api/dataflow/dataflow_api.h"
using Word = volatile tt_l1_ptr uint32_t*;
void kernel_main() {
  Word flag = reinterpret_cast<Word>(get_semaphore(0));
  const uint32_t page = get_write_ptr(0);
  const uint64_t other = get_noc_addr(1 - get_absolute_logical_x(), 0, get_semaphore(0));
  if (get_absolute_logical_x() == 0) {
    reinterpret_cast<Word>(page)[0] = 7;
    noc_semaphore_inc(other, 1);
    noc_semaphore_wait(flag, 1);
    reinterpret_cast<Word>(page)[0] = 8;
  } else {
    noc_semaphore_wait(flag, 1);
    noc_async_read(get_noc_addr(0, 0, page), page, 16);
    noc_async_read_barrier();
    noc_semaphore_inc(other, 1);
  }
  noc_async_full_barrier();
}
"""
    relay(body.replace("kernel_main() {", "kernel_main() {\n  if (my_x[0] == 2) { return; }"))
    early = body.replace("    noc_semaphore_wait(flag, 1);\n    reinterpret", "    reinterpret")
    with pytest.raises(mock.UndefinedBehavior, match="l1_race"):
        relay(early.replace("kernel_main() {", "kernel_main() {\n  if (my_x[0] == 2) { return; }"))


def test_an_exact_wait_may_not_be_passed() -> None:
    source = change(
        "noc_semaphore_inc(ready, 1);", "noc_semaphore_inc(ready, 1); noc_semaphore_inc(ready, 1);"
    )
    with pytest.raises(mock.UndefinedBehavior) as caught:
        launch(source)
    assert {finding.kind for finding in caught.value.findings} & {
        "semaphore_passed",
        "semaphore_lost_signal",
    }


SIGNAL = """
#include "api/dataflow/dataflow_api.h"
using Word = volatile tt_l1_ptr uint32_t*;
void kernel_main() {
  Word flag = reinterpret_cast<Word>(get_semaphore(0));
  Word other = reinterpret_cast<Word>(get_semaphore(1));
  if (my_x[0] == 0) {
    noc_semaphore_inc(get_noc_addr(1, 0, get_semaphore(0)), 1);
    noc_semaphore_inc(get_noc_addr(1, 0, get_semaphore(1)), %s);
  }
  if (my_x[0] == 1) {
    noc_semaphore_wait_min(%s, 1);
    noc_semaphore_set(flag, 0);
  }
  noc_async_atomic_barrier();
}
"""


def signal(amount: str, awaited: str) -> None:
    mock.Program(
        (
            mock.Kernel(
                "reader", "reader.cpp", SIGNAL % (amount, awaited), {(0, 0): (), (1, 0): ()}
            ),
        ),
        (),
        device.load("wormhole_b0"),
        semaphores=(0, 1),
    ).build().run([])


def test_a_set_may_not_throw_a_signal_away() -> None:
    """Semaphore 1 starts at 1, so that its wait tells nothing about the other core."""
    signal("1", "flag")
    with pytest.raises(mock.UndefinedBehavior, match="semaphore_lost_signal"):
        signal("1", "other")


def test_a_semaphore_stays_in_its_range() -> None:
    signal("-1", "flag")
    with pytest.raises(mock.UndefinedBehavior, match=r"semaphore_range: .* is 1 and changes by -2"):
        signal("-2", "flag")
    with pytest.raises(mock.UndefinedBehavior, match="semaphore_range"):
        signal("0x7fffffff", "flag")


def test_a_semaphore_that_was_passed_is_named_in_the_deadlock() -> None:
    source = SIGNAL.replace("wait_min(%s, 1)", "wait(%s, 0)")
    program = mock.Program(
        (mock.Kernel("reader", "r.cpp", source % ("1", "other"), {(0, 0): (), (1, 0): ()}),),
        (),
        device.load("wormhole_b0"),
        semaphores=(0, 1),
    )
    with pytest.raises(mock.DeadlockError, match="past the awaited value"):
        program.build().run([])
