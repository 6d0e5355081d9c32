"""The data-movement API in its spellings: each kernel copies a tensor, so its result is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from tilelang_tt import mock
from tilelang_tt.mock.chip import Chip, Tensor
from tilelang_tt.mock.metal2 import Names
from tilelang_tt.mock.tensors import DRAM, L1, Layout, Sharded

PAGES = 12
ONE = (0, 0)

# Copies pages first to last of tensor `a` to tensor `c` through circular buffer 0; the body moves
# page i, whose place in L1 is `l1`.
COPY = """
#include "api/dataflow/dataflow_api.h"
#include "api/dataflow/circular_buffer.h"
#include "api/dataflow/dataflow_buffer.h"
#include "api/core_local_mem.h"
#include "api/debug/dprint.h"
#include "api/tensor/noc_traits.h"

void kernel_main() {
  constexpr auto a_args = TensorAccessorArgs<0>();
  constexpr auto c_args = TensorAccessorArgs<a_args.next_compile_time_args_offset()>();
  const auto a = TensorAccessor(a_args, get_arg_val<uint32_t>(0));
  const auto c = TensorAccessor(c_args, get_arg_val<uint32_t>(1));
  const uint32_t first = get_arg_val<uint32_t>(2), last = get_arg_val<uint32_t>(3);
  constexpr uint32_t bytes = get_tile_size(0);
  constexpr uint32_t cb = 0;
  Noc noc;
  CircularBuffer buffer(cb);
  DataflowBuffer entries(cb);
  (void)bytes;
  for (uint32_t i = first; i < last; ++i) {
    cb_reserve_back(cb, 1);
    const uint32_t l1 = get_write_ptr(cb);
    (void)l1;
    %s
    cb_push_back(cb, 1);
    cb_wait_front(cb, 1);
    cb_pop_front(cb, 1);
  }
}
"""

READ = "noc_async_read_page(i, a, l1); noc_async_read_barrier();"
WRITE = "noc_async_write_page(i, c, l1); noc_async_write_barrier();"
PUSHED = "cb_push_back(cb, 1); cb_wait_front(cb, 1);"
AGAIN = "cb_pop_front(cb, 1); cb_reserve_back(cb, 1);"

BODIES = {
    "pages": f"{READ} {WRITE}",
    "tiles": """noc_async_read_tile(i, a, l1); noc_async_read_barrier();
        noc_async_write_tile(i, c, l1); noc_async_write_barrier();""",
    "addresses": """noc_async_read(get_noc_addr(i, a), l1, bytes); noc_async_read_barrier();
        noc_async_write(l1, c.get_noc_addr(i), bytes); noc_async_writes_flushed();
        noc_async_write_barrier();""",
    "halves by offset": """noc_async_read(get_noc_addr(i, a, 0), l1, bytes / 2);
        noc_async_read(a.get_noc_addr(i, bytes / 2), l1 + bytes / 2, bytes / 2);
        noc_async_read_barrier();
        noc_async_write(l1, get_noc_addr(i, c, 0), bytes / 2);
        noc_async_write(l1 + bytes / 2, get_noc_addr(i, c, bytes / 2), bytes / 2);
        noc_async_full_barrier();""",
    "one packet": """noc_async_read_one_packet(a.get_noc_addr(i), l1, bytes);
        noc_async_read_barrier();
        noc_async_write_one_packet(l1, c.get_noc_addr(i), bytes); noc_async_write_barrier();""",
    "one packet with state": """
        noc_async_read_one_packet_set_state(a.get_noc_addr(i), bytes / 2);
        noc_async_read_one_packet_with_state(uint32_t(a.get_noc_addr(i)), l1);
        noc_async_read_one_packet_with_state(uint32_t(a.get_noc_addr(i)) + bytes / 2,
                                             l1 + bytes / 2);
        noc_async_read_barrier();
        noc_async_write_one_packet_set_state(c.get_noc_addr(i), bytes);
        noc_async_write_one_packet_with_state(l1, uint32_t(c.get_noc_addr(i)));
        noc_async_write_barrier();""",
    "with state": """
        noc_async_read_set_state(a.get_noc_addr(i));
        noc_async_read_with_state(uint32_t(a.get_noc_addr(i)), l1, bytes);
        noc_async_read_barrier();
        noc_async_write_set_state(c.get_noc_addr(i));
        noc_async_write_with_state(l1, uint32_t(c.get_noc_addr(i)), bytes);
        noc_async_write_barrier();""",
    "transaction ids": """noc_async_read_set_trid(3);
        noc_async_read(a.get_noc_addr(i), l1, bytes); noc_async_read_barrier_with_trid(3);
        noc_async_write_one_packet_with_trid(l1, c.get_noc_addr(i), bytes, 5);
        noc_async_write_flushed_with_trid(5); noc_async_write_barrier_with_trid(5);""",
    "object of the NoC": f"""
        noc.async_read(a, buffer, bytes, {{.page_id = i}}, {{.offset_bytes = 0}});
        noc.async_read_barrier(); {PUSHED}
        noc.async_write(buffer, c, bytes, {{}}, {{.page_id = i}});
        noc.async_writes_flushed(); noc.async_write_barrier(); {AGAIN}""",
    "dataflow buffer": f"""
        noc.async_read(a, entries, entries.get_entry_size(), {{.page_id = i}},
                       {{.offset_bytes = 0}});
        noc.async_read_barrier(); {PUSHED}
        noc.async_write(entries, c, entries.get_tile_size(), {{}}, {{.page_id = i}});
        noc.async_full_barrier(); {AGAIN}""",
    "view of the other pointer": """
        noc.async_read(a, buffer, bytes, {.page_id = i}, {});
        noc.async_read_barrier();
        noc.async_write(use<CircularBuffer::AddrSelector::WRITE_PTR>(buffer), c, bytes, {},
                        {.page_id = i});
        noc.async_write_barrier();""",
    "local memory": """CoreLocalMem<uint32_t> memory(l1);
        noc.async_read(a, memory, bytes, {.page_id = i}, {});
        noc.async_read_barrier();
        noc.async_write(memory, c, bytes / 2, {}, {.page_id = i});
        noc.async_write(memory, c, bytes / 2, {.offset_bytes = bytes / 2},
                        {.page_id = i, .offset_bytes = bytes / 2});
        noc.async_write_barrier();""",
    "object with state and ids": """
        noc.set_async_read_state<NocOptions::DEFAULT, 2048>(a, bytes, {.page_id = i});
        noc.async_read_with_state<NocOptions::DEFAULT, 2048>(a, buffer, bytes, {.page_id = i}, {});
        noc.async_read_barrier();
        noc.async_read<NocOptions::TXN_ID>(a, buffer, bytes, {.page_id = i}, {}, {.trid = 2});
        noc.async_read_barrier<NocOptions::TXN_ID>({.trid = 2});
        const CoreLocalMem<uint32_t> memory(l1);
        noc.async_write<NocOptions::TXN_ID>(memory, c, bytes, {}, {.page_id = i}, {.trid = 1});
        noc.async_writes_flushed<NocOptions::TXN_ID>({.trid = 1});
        noc.async_write_barrier<NocOptions::TXN_ID>({.trid = 1});
        noc.set_async_write_state(c, bytes, {.page_id = i});
        noc.async_write_with_state(memory, c, bytes, {}, {.page_id = i});
        noc.async_write_barrier();""",
    "own core over the NoC": """
        noc.async_read(a, buffer, bytes, {.page_id = i}, {});
        noc.async_read_barrier();
        const UnicastEndpoint own;
        noc.async_read(own, buffer, bytes / 2,
                       {.noc_x = my_x[0], .noc_y = my_y[0], .addr = l1}, {});
        noc.async_read_barrier();
        noc_async_write(l1, c.get_noc_addr(i), bytes); noc_async_write_barrier();""",
    "plain loads and stores": f"""{READ}
        volatile tt_l1_ptr uint32_t* words = reinterpret_cast<volatile tt_l1_ptr uint32_t*>(l1);
        for (uint32_t word = 0; word < bytes / 4; ++word) {{ words[word] = words[word]; }}
        {WRITE}""",
    "zeros first": f"""noc.async_write_zeros(buffer, bytes, {{.offset_bytes = 0}});
        noc.write_zeros_l1_barrier();
        noc_async_read(get_noc_addr(MEM_ZEROS_BASE), l1, MEM_ZEROS_SIZE);
        noc_async_read_barrier(); {READ} {WRITE}""",
    "interface of the firmware": f"""{READ}
        const auto facts = get_local_cb_interface(cb);
        noc_async_write(facts.fifo_wr_ptr, c.get_noc_addr(i), facts.fifo_page_size);
        noc_async_write_barrier();""",
}

SHARDS = Sharded((3, 4), (1, 4), ((0, 0), (1, 0), (1, 1)))
BLOCKS = Sharded((3, 4), (2, 2), ((2, 0), (3, 0)))
PACKED = Sharded((3, 4), (1, 2), ((0, 2), (4, 4)), contiguous=True)
LAYOUTS: Mapping[str, Layout] = {
    "DRAM": DRAM,
    "L1": L1,
    "height-sharded": SHARDS,
    "block-sharded": BLOCKS,
    "contiguous shards": PACKED,
}


def copy_program(
    body: str, layout: Layout = DRAM, arch: str = "wormhole_b0"
) -> tuple[mock.Program, Tensor, Tensor, Chip]:
    chip = Chip(arch)
    values = np.arange(96 * 128, dtype=np.float32).reshape(96, 128) % 251
    a = chip.tensor(values, "bfloat16", layout=layout)
    c = chip.empty(values.shape, "bfloat16", layout=layout)
    program = chip.program()
    program.circular_buffer(0, "bfloat16", 2)
    program.kernel(
        "reader",
        COPY % body,
        {ONE: (a.address, c.address, 0, PAGES)},
        compile_time_args=(*a.accessor_args, *c.accessor_args),
    )
    return program.build(), a, c, chip


def run_copy(body: str, layout: Layout = DRAM, arch: str = "wormhole_b0") -> mock.Report:
    program, a, c, chip = copy_program(body, layout, arch)
    report = program.build().run([tensor.buffer for tensor in chip.tensors])
    np.testing.assert_array_equal(a.numpy(), c.numpy())
    return report


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_each_spelling_moves_the_pages(body: str) -> None:
    report = run_copy(body)
    counts = report.kernels["reader.cpp"]
    assert counts.bytes_read >= PAGES * 2048
    assert counts.bytes_written >= PAGES * 2048


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("arch", ["wormhole_b0", "blackhole"])
def test_each_layout_of_a_tensor(layout: Layout, arch: str) -> None:
    run_copy(BODIES["object of the NoC"], layout, arch)


@pytest.mark.parametrize(
    "body, kind",
    [
        ("noc_async_read_one_packet_with_state(0, l1);", "noc_state"),
        ("noc_async_read_set_state(a.get_noc_addr(i)); "
         "noc_async_read_one_packet_with_state(uint32_t(a.get_noc_addr(i)), l1);", "noc_state"),
        ("noc_async_read_set_trid(16);", "noc_transaction"),
        ("noc_async_read(MEM_ZEROS_BASE, l1, bytes);", "noc_out_of_bounds"),
        ("noc_async_read(get_noc_addr(MEM_ZEROS_BASE), l1, bytes);", "noc_out_of_bounds"),
        ("noc_async_read_set_trid(1); noc_async_read_page(i, a, l1); "
         "noc_async_read_barrier_with_trid(2);", "noc_read_in_flight"),
        (f"{READ} noc_async_write_one_packet_with_trid(l1, c.get_noc_addr(i), bytes, 1); "
         "noc_async_write_barrier_with_trid(2);", "noc_write_in_flight"),
        (f"{READ} noc_async_write_one_packet_with_trid(l1, c.get_noc_addr(i), bytes, 1); "
         "noc_async_write_flushed_with_trid(1);", "missing_barrier"),
        ("noc_async_read(get_noc_addr_from_bank_id<false>(999, 0), l1, 64);", "noc_out_of_bounds"),
    ],
)  # fmt: skip
def test_broken_rules_of_transfers(body: str, kind: str) -> None:
    with pytest.raises(mock.UndefinedBehavior) as caught:
        run_copy(body)
    assert caught.value.kind == kind, str(caught.value)


def test_pointers_move_by_whole_pages() -> None:
    turn = """get_local_cb_interface(cb).fifo_wr_ptr = entries.get_write_ptr();
        entries.evil_set_write_ptr(l1); entries.evil_set_read_ptr(entries.get_read_ptr());"""
    run_copy(f"{READ} {turn} {WRITE}")
    with pytest.raises(mock.UndefinedBehavior) as caught:
        run_copy(f"{READ} get_local_cb_interface(cb).fifo_wr_ptr += 32;")
    assert caught.value.kind == "cb_pointer"


def test_prints_reach_the_host() -> None:
    line = 'if (i < 2) { DPRINT("page {} of {:x}, {}", i, 255, 0.5f); }'
    report = run_copy(READ + WRITE + line)
    assert [str(each) for each in report.prints] == [
        "core (0, 0), reader: page 0 of ff, 0.5",
        "core (0, 0), reader: page 1 of ff, 0.5",
    ]
    with pytest.raises(mock.UndefinedBehavior) as caught:
        run_copy('DPRINT("before"); noc_async_read_set_trid(99);')
    assert [each.text for each in caught.value.prints] == ["before"]


@pytest.mark.parametrize("call", ['DPRINT("{}")', 'DPRINT("none", 1)'])
def test_a_format_that_does_not_fit(call: str) -> None:
    with pytest.raises(mock.UndefinedBehavior) as caught:
        run_copy(f"{call};")
    assert caught.value.kind == "print_format"


SHARD_COPY = """
#include "api/dataflow/dataflow_api.h"
#include "api/tensor/noc_traits.h"

void kernel_main() {
  constexpr auto a_args = TensorAccessorArgs<0>();
  constexpr auto c_args = TensorAccessorArgs<a_args.next_compile_time_args_offset()>();
  const auto a = TensorAccessor(a_args, get_arg_val<uint32_t>(0));
  const auto c = TensorAccessor(c_args, get_arg_val<uint32_t>(1));
  Noc noc;
  cb_reserve_back(0, 4);
  const uint32_t l1 = get_write_ptr(0);
  for (uint32_t shard = 0; shard < a.dspec().num_shards(); ++shard) {
    %s
  }
  cb_push_back(0, 4);
  cb_wait_front(0, 4);
  cb_pop_front(0, 4);
}
"""


@pytest.mark.parametrize(
    "layout, body",
    [
        (SHARDS, """noc_async_read_shard(shard, a, l1); noc_async_read_barrier();
            noc_async_write_shard(shard, c, l1); noc_async_write_barrier();"""),
        (BLOCKS, """for (const auto& page : a.shard_pages(shard)) {
              noc_async_read(page.noc_addr(), l1, 2048); noc_async_read_barrier();
              noc_async_write(l1, c.get_noc_addr(page.page_id()), 2048);
              noc_async_write_barrier();
            }"""),
        (BLOCKS, """if (shard == 0) { for (const auto& page : a.pages()) {
              noc_async_read(a.get_noc_addr(page.page_id()), l1, 2048); noc_async_read_barrier();
              const uint32_t at[2] = {page.page_id() / 4, page.page_id() % 4};
              noc_async_write(l1, c.get_noc_addr(at), 2048); noc_async_write_barrier();
            } }"""),
    ],
    ids=["whole shards", "pages of a shard", "pages of the tensor"],
)  # fmt: skip
def test_shards(layout: Layout, body: str) -> None:
    chip = Chip()
    values = np.random.default_rng(3).integers(0, 200, (96, 128)).astype(np.float32)
    a = chip.tensor(values, "bfloat16", layout=layout)
    c = chip.empty(values.shape, "bfloat16", layout=layout)
    program = chip.program()
    program.circular_buffer(0, "bfloat16", 4)
    program.kernel(
        "reader",
        SHARD_COPY % body,
        {ONE: (a.address, c.address)},
        compile_time_args=(*a.accessor_args, *c.accessor_args),
    )
    program.run()
    np.testing.assert_array_equal(c.numpy(), values)


SENDER = """
#include "api/dataflow/noc.h"
#include "api/dataflow/circular_buffer.h"
#include "api/semaphore.h"
#include "api/tensor/noc_traits.h"

void kernel_main() {
  const auto a = TensorAccessor(TensorAccessorArgs<0>(), get_arg_val<uint32_t>(0));
  Noc noc;
  CircularBuffer cb(0);
  Semaphore<> ready(0), sent(1);
  const uint32_t bytes = cb.get_tile_size();
  cb.reserve_back(1);
  noc.async_read(a, cb, bytes, {.page_id = 0}, {});
  noc.async_read_barrier();
  ready.wait(3);
  ready.set(0);
  %s
  cb.push_back(1);
}
"""

RECEIVER = """
#include "api/dataflow/noc.h"
#include "api/dataflow/circular_buffer.h"
#include "api/semaphore.h"

void kernel_main() {
  Noc noc;
  CircularBuffer cb(0);
  Semaphore<> ready(0), sent(1);
  cb.reserve_back(1);
  ready.up(noc, get_arg_val<uint32_t>(0), get_arg_val<uint32_t>(1), 1);
  noc.async_atomic_barrier();
  sent.wait_min(1);
  cb.push_back(1);
}
"""

KEEP = """
#include "api/dataflow/dataflow_api.h"
#include "api/tensor/noc_traits.h"

void kernel_main() {
  const auto c = TensorAccessor(TensorAccessorArgs<0>(), get_arg_val<uint32_t>(0));
  cb_wait_front(0, 1);
  noc_async_write_page(get_arg_val<uint32_t>(1), c, get_read_ptr(0));
  noc_async_write_barrier();
  cb_pop_front(0, 1);
}
"""

MULTICASTS = {
    "endpoint": """noc.async_write_multicast(
        cb_source(cb), MulticastEndpoint{}, bytes, 3, {.offset_bytes = 0},
        {.noc_x_start = 0, .noc_y_start = 0, .noc_x_end = 1, .noc_y_end = 1,
         .addr = cb.get_write_ptr()});
      noc.async_write_barrier();
      sent.set(1);
      sent.set_multicast(noc, 0, 0, 1, 1, 3);
      noc.async_write_barrier();""",
    "loopback": """noc.async_write_multicast<NocOptions::MCAST_INCL_SRC>(
        cb_source(cb), cb, bytes, 4, {},
        {.noc_x_start = 0, .noc_y_start = 0, .noc_x_end = 1, .noc_y_end = 1});
      noc.async_write_barrier();
      ready.set(1);
      ready.relay_multicast(noc, sent, 0, 0, 1, 1, 3);
      noc.async_write_barrier();""",
    "increments": """noc_async_write_multicast(cb.get_write_ptr(),
        get_noc_multicast_addr(0, 0, 1, 1, cb.get_write_ptr()), bytes, 3);
      noc_async_writes_flushed();
      noc_async_write_barrier();
      sent.inc_multicast(noc, 0, 0, 1, 1, 1, 3);
      noc.async_atomic_barrier();""",
    "words by value": """noc_async_write_multicast_loopback_src(cb.get_write_ptr(),
        get_noc_multicast_addr(0, 0, 1, 1, cb.get_write_ptr()), bytes, 4);
      noc_async_write_barrier();
      noc_inline_dw_write(get_noc_addr(1, 0, get_semaphore(1)), 1);
      noc.inline_dw_write(UnicastEndpoint{}, 1,
                          {.noc_x = 0, .noc_y = 1, .addr = get_semaphore(1)});
      ready.set(1);
      ready.relay_unicast(noc, sent, 1, 1);
      noc.async_write_barrier();""",
}


@pytest.mark.parametrize("body", MULTICASTS.values(), ids=MULTICASTS)
def test_multicasts_and_semaphores(body: str) -> None:
    chip = Chip()
    values = np.arange(1024, dtype=np.float32).reshape(32, 32) % 255
    a = chip.tensor(values, "bfloat16")
    c = chip.empty((4 * 32, 32), "bfloat16")
    cores = ((0, 0), (1, 0), (0, 1), (1, 1))
    program = chip.program()
    program.circular_buffer(0, "bfloat16", 1, cores=cores)
    assert (program.semaphore(), program.semaphore()) == (0, 1)
    source = "use<CircularBuffer::AddrSelector::WRITE_PTR>(cb)"
    program.kernel(
        "reader",
        SENDER % body.replace("cb_source(cb)", source),
        {cores[0]: (a.address,)},
        name="sender.cpp",
        compile_time_args=a.accessor_args,
    )
    program.kernel("reader", RECEIVER, dict.fromkeys(cores[1:], (0, 0)), name="receiver.cpp")
    program.kernel(
        "writer",
        KEEP,
        {core: (c.address, page) for page, core in enumerate(cores)},
        compile_time_args=c.accessor_args,
    )
    program.run()
    np.testing.assert_array_equal(c.numpy(), np.tile(values, (4, 1)))


LOCAL_SEMAPHORE = """
#include "api/dataflow/noc.h"
#include "api/semaphore.h"

void kernel_main() {
  Semaphore<> count(0);
  count.up(3);
  count.down(1);
  while (count.value() != 2) {}
  count.down(2);
  noc_semaphore_set(reinterpret_cast<volatile tt_l1_ptr uint32_t*>(get_semaphore(0)), 5);
  count.wait(%d);
}
"""


def test_a_semaphore_of_the_own_core() -> None:
    def program(last: int) -> None:
        builder = Chip().program()
        builder.semaphore()
        builder.kernel("reader", LOCAL_SEMAPHORE % last, {ONE: ()})
        builder.run()

    program(5)
    with pytest.raises(mock.DeadlockError):
        program(6)


NAMED = """
#include "api/dataflow/dataflow_buffer.h"
#include "api/semaphore.h"
#include "api/tensor/noc_traits.h"

void kernel_main() {
  constexpr uint32_t step = get_arg(args::step);
  const uint32_t first = get_arg(args::first);
  const uint32_t pages = get_arg(args::pages);
  Noc noc;
  DataflowBuffer in(dfb::in);
  Semaphore<> done(sem::done);
  const auto a = TensorAccessor(tensor::src);
  const auto c = TensorAccessor(tensor::dst);
  for (uint32_t i = first; i < pages; i += step) {
    in.reserve_back(1);
    noc.async_read(a, in, in.get_entry_size(), {.page_id = i}, {});
    noc.async_read_barrier();
    in.push_back(1);
    in.wait_front(1);
    noc.async_write(in, c, in.get_entry_size(), {}, {.page_id = i});
    noc.async_write_barrier();
    in.pop_front(1);
  }
  done.wait(get_vararg(1) - get_vararg(0) + get_common_vararg(0));
}
"""


@pytest.mark.parametrize("layout", [DRAM, BLOCKS], ids=["DRAM", "sharded"])
def test_named_arguments(layout: Layout) -> None:
    chip = Chip()
    values = np.arange(96 * 128, dtype=np.float32).reshape(96, 128) % 127
    a = chip.tensor(values, "bfloat16", layout=layout)
    c = chip.empty(values.shape, "bfloat16")
    program = chip.program()
    program.circular_buffer(3, "bfloat16", 2)
    done = program.semaphore(7)
    names = Names(
        ("first",),
        common_args={"pages": PAGES},
        compile_time_args={"step": 2},
        circular_buffers={"in": 3},
        tensors={"src": a.buffer, "dst": c.buffer},
        semaphores={"done": done},
    )
    program.kernel("reader", NAMED, {(0, 0): (0, 1, 4), (5, 1): (1, 1, 4)}, names=names,
                   common_args=(4,))  # fmt: skip
    program.run()
    np.testing.assert_array_equal(c.numpy(), values)


def test_a_named_argument_without_a_value() -> None:
    with pytest.raises(mock.ProgramError, match=r"0 of \('first',\) on core \(0, 0\)"):
        Chip().program().kernel("reader", NAMED, {ONE: ()}, names=Names(("first",)))


NAMED_COMPILE_TIME = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  static_assert(get_named_compile_time_arg_val("depth") == 7, "by name");
  static_assert(get_compile_time_arg_val(0) == 9 && kernel_compile_time_args.size() == 1);
  static_assert(get_dataformat(1) == DataFormat::Float32 && get_tile_size(1) == 4096);
  constexpr uint32_t other = get_named_compile_time_arg_val("%s");
  (void)other;
}
"""


def test_compile_time_facts() -> None:
    def build(name: str) -> None:
        program = Chip().program()
        program.circular_buffer(1, "float32", 2)
        source = NAMED_COMPILE_TIME % name
        program.kernel("reader", source, {ONE: ()}, compile_time_args=(9,), named={"depth": 7})
        program.run()

    build("depth")
    with pytest.raises(mock.KernelCompileError):
        build("width")
