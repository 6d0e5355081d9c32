"""The packer of a compute kernel waits by itself, as the chip's third thread does."""

from __future__ import annotations

import numpy as np
import pytest

from testing.mock import kernels as k
from tilelang_tt import device, mock
from tilelang_tt.mock.chip import Tensor
from tilelang_tt.mock.program import Role

TILE = k.BF16.tile_bytes
# Hands over pages of the input; tells the writer through circular buffer 1 when so many were freed.
READER = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  const uint32_t tiles = get_arg_val<uint32_t>(0);
  const uint32_t freed = get_arg_val<uint32_t>(1);
  constexpr auto args = TensorAccessorArgs<0>();
  const auto tensor = TensorAccessor(args, get_common_arg_val<uint32_t>(0));
  for (uint32_t i = 0; i < tiles; ++i) {
    cb_reserve_back(0, 1);
    if (i == freed) {
      cb_reserve_back(1, 1);
      cb_push_back(1, 1);
    }
    noc_async_read_page(i, tensor, get_write_ptr(0));
    noc_async_read_barrier();
    cb_push_back(0, 1);
  }
}
"""
# Unpacks and frees a page before its packer asks for room.
COMPUTE = """
#include "api/compute/compute_kernel_api.h"
#include "api/compute/compute_kernel_hw_startup.h"
#include "api/compute/pack.h"
#include "api/compute/tile_move_copy.h"

void kernel_main() {
  const uint32_t tiles = get_arg_val<uint32_t>(0);
  compute_kernel_hw_startup(0, 0, 16);
  copy_init(0);
  for (uint32_t i = 0; i < tiles; ++i) {
    cb_wait_front(0, 1);
    tile_regs_acquire();
    copy_tile(0, 0, 0);
    tile_regs_commit();
    cb_pop_front(0, 1);
    cb_reserve_back(16, 1);
    tile_regs_wait();
    pack_tile(0, 16);
    tile_regs_release();
    cb_push_back(16, 1);
  }
}
"""
WRITER = """
#include "api/dataflow/dataflow_api.h"

void kernel_main() {
  const uint32_t tiles = get_arg_val<uint32_t>(0);
  constexpr auto args = TensorAccessorArgs<0>();
  const auto tensor = TensorAccessor(args, get_common_arg_val<uint32_t>(0));
  cb_wait_front(1, 1);
  cb_pop_front(1, 1);
  for (uint32_t i = 0; i < tiles; ++i) {
    cb_wait_front(16, 1);
    noc_async_write_page(i, tensor, get_read_ptr(16));
    noc_async_write_barrier();
    cb_pop_front(16, 1);
  }
}
"""
TILES = 12


def run(freed: int, compute: str = COMPUTE, dst_full_sync: bool = False) -> mock.Report:
    """The writer starts when `freed` pages of the input were freed."""
    wormhole = device.load("wormhole_b0")
    a, c = mock.allocate(wormhole, [(TILE, TILES)] * 2)
    core = (0, 0)
    program = mock.Program(
        (
            mock.Kernel(
                "reader", "reader.cpp", READER, {core: (TILES, freed)}, (2, TILE), (), (a,)
            ),
            mock.Kernel("compute", "compute.cpp", compute, {core: (TILES,)}),
            mock.Kernel("writer", "writer.cpp", WRITER, {core: (TILES,)}, (2, TILE), (), (c,)),
        ),
        tuple(mock.CircularBuffer(i, f"cb{i}", k.BF16, TILE, 1) for i in (0, 1, 16)),
        wormhole,
        dst_full_sync=dst_full_sync,
    )
    data = np.arange(TILES * TILE // 2, dtype=np.uint16).view(np.uint8) & 0x3F
    out = np.zeros_like(data)
    report = program.build().run([mock.Buffer("a", data, TILE, a), mock.Buffer("c", out, TILE, c)])
    np.testing.assert_array_equal(out, data)
    return report


def with_line(after: str, line: str) -> str:
    assert after in COMPUTE
    return COMPUTE.replace(after, f"{after}\n    {line}", 1)


@pytest.mark.parametrize("freed", [1, 2, 3])
def test_unpacking_goes_on_while_the_packer_waits(freed: int) -> None:
    """One page is with the writer, one fills each half of the destination register."""
    run(freed)


def test_a_register_full_of_results_stops_unpacking() -> None:
    """The deadlock is the real threads': nothing is packed until more is freed than can be."""
    with pytest.raises(mock.DeadlockError) as caught:
        run(8)
    assert caught.value.findings[0].message == "3 of 3 threads wait and none can run"
    assert caught.value.drawing((0, 0)) == [
        "core (0, 0), who waits for whom:",
        "  reader  --[circular buffer 0 (cb0): 1 free pages wanted, 0 available]--> compute",
        "  writer  --[circular buffer 1 (cb1): 1 filled pages wanted, 0 available]--> no kernel",
        "  compute --[circular buffer 16 (cb16): 1 free pages wanted, 0 available]--> no kernel",
    ]


def test_one_section_lets_one_tile_run_ahead() -> None:
    run(1, dst_full_sync=True)
    with pytest.raises(mock.DeadlockError):
        run(8, dst_full_sync=True)


def test_what_the_packer_does_late_is_in_order() -> None:
    """Its configuration changes between two tiles that it packs late."""
    source = with_line("cb_push_back(16, 1);", "pack_reconfig_data_format(16);")
    run(2, source)


def test_a_finding_of_a_packer_that_is_late_has_its_place() -> None:
    source = COMPUTE.replace("pack_tile(0, 16);", "pack_tile(i == 2 ? 1 : 0, 16);")
    with pytest.raises(mock.UndefinedBehavior, match="dst_uninitialised") as caught:
        run(3, source)
    place = caught.value.findings[0].place
    assert place is not None
    line = source.splitlines().index("    pack_tile(i == 2 ? 1 : 0, 16);") + 1
    assert (place.engine, place.call, place.line) == ("compute", "pack_tile", line)


# Packs a value twice onto the one page of a buffer of its own, which the first push has filled.
IN_PLACE = """
#include "api/compute/compute_kernel_api.h"
#include "api/compute/compute_kernel_hw_startup.h"
#include "api/compute/pack.h"
#include "api/compute/tile_move_copy.h"
#include "api/compute/eltwise_unary/negative.h"

void kernel_main() {
  compute_kernel_hw_startup(0, 0, 16);
  negative_tile_init();
  for (uint32_t i = 0; i < 3; ++i) {
    const uint32_t from = i == 0 ? 0 : 24, to = i == 2 ? 16 : 24;
    cb_wait_front(from, 1);
    if (i != 1) {
      cb_reserve_back(to, 1);
    }
    copy_init(from);
    tile_regs_acquire();
    copy_tile(from, 0, 0);
    negative_tile(0);
    tile_regs_commit();
    tile_regs_wait();
    pack_tile<true>(0, to, 0);
    tile_regs_release();
    if (i != 1) {
      cb_push_back(to, 1);
      cb_pop_front(from, 1);
    }
  }
}
"""


@pytest.mark.parametrize("pages", [1, 2])
def test_a_value_replaced_where_it_lies_is_reported_and_goes_on(pages: int) -> None:
    """A buffer with another page has the packer at a page that nobody has reserved."""
    values = np.arange(1024, dtype=np.float32).reshape(32, 32) % 128
    chip = mock.Chip("wormhole_b0")
    given, made = chip.tensor(values, "bfloat16"), chip.empty((32, 32), "bfloat16")
    program = chip.program()
    for index, count in ((0, 1), (16, 1), (24, pages)):
        program.circular_buffer(index, "bfloat16", count)
    roles: tuple[tuple[Role, str, Tensor], ...]
    roles = ("reader", k.READ_ONE, given), ("writer", k.WRITE, made)
    args = {(0, 0): (0, 1)}
    for role, source, tensor in roles:
        words = tensor.accessor_args
        program.kernel(role, source, args, compile_time_args=words, common_args=[tensor.address])
    program.kernel("compute", IN_PLACE, {(0, 0): []})
    if pages == 2:
        with pytest.raises(mock.UndefinedBehavior, match="page 0 is packed, 0 pages are reserved"):
            program.run(allow={"cb_overrun"})
        return
    report = program.run(allow={"cb_overrun"})
    assert [each.kind for each in report.findings] == ["cb_overrun"]
    np.testing.assert_array_equal(made.numpy(), -values)
