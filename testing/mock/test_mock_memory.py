"""What is known about memory: plain loads and stores of kernels, bytes on their way, bytes nobody
has written."""

from __future__ import annotations

import re

import numpy as np
import pytest

from testing.mock import kernels as k
from tilelang_tt import device, mock

KERNEL = """
#include "api/dataflow/dataflow_api.h"

using Words = volatile tt_l1_ptr uint32_t*;

void kernel_main() {
  constexpr auto args = TensorAccessorArgs<0>();
  const auto in = TensorAccessor(args, get_common_arg_val<uint32_t>(0));
  const auto out = TensorAccessor(args, get_common_arg_val<uint32_t>(1));
  cb_reserve_back(0, 1);
  const uint32_t page = get_write_ptr(0);
  Words words = reinterpret_cast<Words>(page);
  noc_async_read_page(0, in, page);
  noc_async_read_barrier();
  cb_push_back(0, 1);
  cb_wait_front(0, 1);
  words[0] = words[0] + 1;
  noc_async_write_page(0, out, page);
  noc_async_write_barrier();
  cb_pop_front(0, 1);
}
"""
WRITER = """
#include "api/dataflow/dataflow_api.h"
void kernel_main() {
  volatile tt_l1_ptr uint32_t* words =
      reinterpret_cast<volatile tt_l1_ptr uint32_t*>(get_read_ptr(0));
  words[1] = 3;
}
"""


def launch(
    source: str,
    writer: str | None = None,
    contents: tuple[mock.program.Contents, mock.program.Contents] = ("given", "given"),
) -> np.ndarray:
    """Runs the kernel on one core with two tensors of two pages of 64 bytes."""
    wormhole = device.load("wormhole_b0")
    addresses = mock.allocate(wormhole, [(64, 2), (64, 2)])
    kernels = [
        mock.Kernel("reader", "reader.cpp", source, {(0, 0): ()}, (2, 64), (), addresses),
    ]
    if writer is not None:
        kernels.append(mock.Kernel("writer", "writer.cpp", writer, {(0, 0): ()}))
    program = mock.Program(
        tuple(kernels),
        (mock.CircularBuffer(0, "a", k.U8, 64, 2), mock.CircularBuffer(1, "b", k.U8, 64, 2)),
        wormhole,
        semaphores=(0,),
    )
    tensors = [np.arange(32, dtype=np.uint32), np.zeros(32, np.uint32)]
    program.build().run(
        [
            mock.Buffer(name, tensor.view(np.uint8), 64, address, content)
            for name, tensor, address, content in zip(
                "io", tensors, addresses, contents, strict=True
            )
        ]
    )
    return tensors[1]


def change(old: str, new: str) -> str:
    assert old in KERNEL
    return KERNEL.replace(old, new, 1)


def found(source: str, **options: object) -> mock.Finding:
    with pytest.raises(mock.UndefinedBehavior) as caught:
        launch(source, **options)  # pyright: ignore[reportArgumentType]
    return caught.value.findings[0]


def test_plain_accesses_in_a_window_are_right() -> None:
    np.testing.assert_array_equal(launch(KERNEL)[:3], [1, 1, 2])


ROUND = """
#include "api/dataflow/dataflow_api.h"

using Words = volatile tt_l1_ptr uint32_t*;

void kernel_main() {
  constexpr auto args = TensorAccessorArgs<0>();
  const auto in = TensorAccessor(args, get_common_arg_val<uint32_t>(0));
  const auto out = TensorAccessor(args, get_common_arg_val<uint32_t>(1));
  cb_reserve_back(0, 1);
  cb_push_back(0, 1);
  cb_wait_front(0, 1);
  cb_pop_front(0, 1);
  cb_reserve_back(0, 2);
  const uint32_t page = get_write_ptr(0), after = page - 64;
  noc_async_read_page(0, in, page);
  noc_async_read_page(1, in, after);
  noc_async_read_barrier();
  reinterpret_cast<Words>(after)[2] = 5;
  cb_push_back(0, 1);
  cb_push_back(0, 1);
  cb_wait_front(0, 1);
  noc_async_write_page(0, out, page);
  noc_async_write_barrier();
  cb_pop_front(0, 1);
  cb_wait_front(0, 1);
  reinterpret_cast<Words>(after)[3] += 1;
  noc_async_write_page(1, out, after);
  noc_async_write_barrier();
  cb_pop_front(0, 1);
}
"""


def test_pages_lie_round_the_end_of_a_buffer() -> None:
    assert launch(ROUND)[[0, 1, 16, 17, 18, 19, 20]].tolist() == [0, 1, 16, 17, 5, 20, 20]


def test_pages_round_the_end_have_to_be_reserved() -> None:
    finding = found(ROUND.replace("cb_reserve_back(0, 2)", "cb_reserve_back(0, 1)"))
    assert finding.kind == "cb_write_without_reserve"


STORE = "  words[0] = words[0] + 1;\n"
BARRIER = "  noc_async_read_barrier();\n"


@pytest.mark.parametrize(
    ("source", "kind", "line"),
    [
        pytest.param(
            change(BARRIER, "  words[1];\n" + BARRIER),
            "noc_read_in_flight",
            "  words[1];",
            id="load before the read was waited for",
        ),
        pytest.param(
            change(BARRIER, "  words[1] = 1;\n" + BARRIER),
            "noc_read_in_flight",
            "  words[1] = 1;",
            id="store before the read was waited for",
        ),
        pytest.param(
            change("  noc_async_write_barrier();\n", STORE + "  noc_async_write_barrier();\n"),
            "noc_source_overwritten",
            STORE.rstrip(),
            id="store before the write has left",
        ),
        pytest.param(
            change("  noc_async_read_page(0, in, page);\n", ""),
            "l1_uninitialised",
            STORE.rstrip(),
            id="load of what nobody wrote",
        ),
        pytest.param(
            change("  cb_wait_front(0, 1);\n", "  words[64];\n  cb_wait_front(0, 1);\n"),
            "l1_out_of_bounds",
            "  words[64];",
            id="load beyond the circular buffers",
        ),
        pytest.param(
            change("  cb_wait_front(0, 1);\n", "  words[16] = 0;\n  cb_wait_front(0, 1);\n"),
            "cb_write_without_reserve",
            "  words[16] = 0;",
            id="store to a page that is not reserved",
        ),
    ],
)
def test_a_plain_access_is_checked(source: str, kind: str, line: str) -> None:
    source = source.replace("mock.CircularBuffer(1", "")
    finding = found(source)
    assert finding.kind == kind, str(finding)
    assert finding.place is not None
    assert finding.place.call == "plain load or store"
    assert source.splitlines()[finding.place.line - 1] == line


def test_another_kernel_may_not_use_the_pages() -> None:
    writer = WRITER.replace("words[1] = 3;", "cb_wait_front(1, 1); words[1] = 3;")
    reader = KERNEL.replace("  cb_push_back(0, 1);\n", "  cb_push_back(0, 1);\n" + PUSH_B, 1)
    assert found(reader, writer=writer).kind == "cb_write_without_reserve"
    load = writer.replace("words[1] = 3;", "words[1];")
    assert found(reader, writer=load).kind == "cb_read_without_wait"


PUSH_B = "  cb_reserve_back(1, 1); cb_push_back(1, 1);\n"


def test_a_transfer_may_not_use_what_is_arriving() -> None:
    source = change(BARRIER, "  noc_async_write_page(1, out, page);\n" + BARRIER)
    finding = found(source)
    assert finding.kind == "noc_read_in_flight"
    assert finding.place is not None
    assert finding.place.call == "noc_async_write_page"


def test_a_read_may_not_overwrite_what_is_leaving() -> None:
    again = "  noc_async_read_page(1, in, page);\n  noc_async_read_barrier();\n"
    source = change("  noc_async_write_barrier();\n", again + "  noc_async_write_barrier();\n")
    assert found(source).kind == "noc_source_overwritten"
    flushed = source.replace(again, "  noc_async_writes_flushed();\n" + again)
    launch(flushed)


def test_a_semaphore_may_not_change_while_it_is_sent() -> None:
    source = change(
        "  cb_reserve_back(0, 1);\n",
        "  const uint32_t flag = get_semaphore(0);\n"
        "  noc_semaphore_set_remote(flag, get_noc_addr(0, 0, flag));\n"
        "  noc_semaphore_set(reinterpret_cast<Words>(flag), 2);\n"
        "  cb_reserve_back(0, 1);\n",
    )
    assert found(source).kind == "noc_source_overwritten"


def test_a_plain_pointer_does_not_reach_another_core() -> None:
    source = change("(page);\n  noc", "(page + (1u << 21));\n  noc")
    finding = found(source)
    assert finding.kind == "l1_out_of_bounds"
    assert "not in the L1 of this core" in finding.message


def test_a_page_that_nobody_filled_is_not_written_to_dram() -> None:
    source = change("  noc_async_read_page(0, in, page);\n", "").replace(STORE, "")
    finding = found(source)
    assert (finding.kind, finding.cb and finding.cb.name) == ("l1_uninitialised", "a")


def test_padding_is_not_a_value() -> None:
    """The tensor has pages of 64 bytes; a page of 32 read as 64 leaves the rest undefined."""
    source = change(
        "noc_async_read_page(0, in, page);", "noc_async_read(in.get_noc_addr(0), page, 32);"
    )
    assert found(source).kind == "l1_uninitialised"


@pytest.mark.parametrize("contents", ["result", "scratch"])
def test_a_tensor_without_values_is_not_read(contents: mock.program.Contents) -> None:
    finding = found(KERNEL, contents=(contents, "given"))
    assert finding.kind == "dram_uninitialised"
    assert "page 0 of buffer i" in finding.message


def test_a_result_is_written_whole() -> None:
    finding = found(KERNEL, contents=("given", "result"))
    assert finding.kind == "result_unwritten"
    assert "1 of 2 pages of buffer o" in finding.message
    write = "  noc_async_write_page(0, out, page);\n"
    launch(change(write, write + write.replace("(0", "(1")), contents=("given", "result"))
    launch(KERNEL, contents=("given", "scratch"))


def test_accumulation_needs_something_to_add_to() -> None:
    compute = k.ADD.replace("pack_tile(0, 16);", "pack_reconfig_l1_acc(1); pack_tile(0, 16);")
    ones = np.ones((32, 32), np.float32)
    with pytest.raises(mock.UndefinedBehavior, match="accumulating onto"):
        k.Pipeline(compute).run(ones, ones)


def test_a_page_beyond_a_tensor_is_not_one_of_its_neighbour() -> None:
    """Page 12 of the first tensor, of two pages, would be page 0 of the second one's bank."""
    finding = found(change("noc_async_read_page(0, in", "noc_async_read_page(12, in"))
    assert finding.kind == "noc_out_of_bounds"
    assert "a page of buffer i is asked for that lies in buffer o" in finding.message


def test_an_input_is_not_written() -> None:
    source = change("noc_async_write_page(0, out", "noc_async_write_page(0, in")
    assert launch(source)[1] == 0
    finding = found(source, contents=("input", "given"))
    assert finding.kind == "buffer_read_only"
    assert "page 0 of buffer i" in finding.message
    launch(KERNEL, contents=("input", "given"))


POLL = """
#include "api/dataflow/dataflow_api.h"
void kernel_main() {
  volatile tt_l1_ptr uint32_t* flag =
      reinterpret_cast<volatile tt_l1_ptr uint32_t*>(get_semaphore(0));
  while (*flag != 1) {
  }
}
"""
SET = """
#include "api/dataflow/dataflow_api.h"
void kernel_main() {
  volatile tt_l1_ptr uint32_t* flag =
      reinterpret_cast<volatile tt_l1_ptr uint32_t*>(get_semaphore(0));
  *flag = 1;
}
"""


def test_a_loop_that_polls_lets_the_others_run() -> None:
    launch(POLL, SET)
    launch(POLL, SET.replace("*flag = 1", "noc_semaphore_set(flag, 1)"))


def test_a_poll_that_nobody_ends_is_a_deadlock() -> None:
    with pytest.raises(mock.DeadlockError) as caught:
        launch(POLL, SET.replace("*flag = 1", "*flag = 2"))
    (blocked,) = caught.value.blocked
    assert (blocked.on, blocked.index, blocked.wanted, blocked.available) == (
        "semaphore",
        0,
        None,
        2,
    )
    assert re.search(
        r"reader +--\[semaphore 0 to change, now 2\]--> another core", str(caught.value)
    )


def test_a_poll_that_counts_ends() -> None:
    launch(
        POLL.replace("while (*flag != 1) {", "for (uint32_t i = 0; i < 5000 && *flag != 1; ++i) {")
    )
