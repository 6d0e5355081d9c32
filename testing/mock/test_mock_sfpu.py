"""Every operation of the vector unit against torch, and without its init."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from testing.mock import kernels as k
from testing.mock import sfpu_rows as rows
from tilelang_tt import mock

# The operands are column blocks of one matrix, each a tile wide: tiles 0, 1, 2 of CB 0.
_KERNEL = """
#include "api/compute/common.h"
#include "api/compute/tile_move_copy.h"
%(includes)s

void kernel_main() {
  const uint32_t row = get_arg_val<uint32_t>(0);
  const bool initialise = get_arg_val<uint32_t>(1) != 0;
  compute_kernel_hw_startup(0, 16);
  copy_init(0);
  cb_wait_front(0, 3);
  tile_regs_acquire();
  for (uint32_t tile = 0; tile < 3; ++tile) {
    copy_tile(0, tile, tile);
  }
  switch (row) {
%(cases)s
  }
  tile_regs_commit();
  cb_pop_front(0, 3);
  cb_reserve_back(16, 1);
  tile_regs_wait();
  pack_tile(0, 16);
  tile_regs_release();
  cb_push_back(16, 1);
}
"""


def kernel(table: Sequence[rows.Row]) -> str:
    """All rows in one kernel, chosen by a run-time argument: one compilation."""
    headers = sorted({row.header for row in rows.FLOAT_ROWS} | {row.header for row in table})
    cases = "\n".join(
        f"    case {i}: if (initialise) {{ {row.init} }} {row.call} break;"
        for i, row in enumerate(table)
    )
    includes = "\n".join(f'#include "{header}"' for header in headers)
    return _KERNEL % {"includes": includes, "cases": cases}


def run(
    table: Sequence[rows.Row],
    index: int,
    operands: np.ndarray,
    format_: k.formats.Format,
    *,
    wide: bool,
    output: k.formats.Format | None = None,
    initialise: bool = True,
) -> np.ndarray:
    """The result tile of one row on three operand tiles, given as a 32x96 matrix."""
    program = mock.Program(
        (
            mock.Kernel(
                "reader", "reader.cpp", k.READ_ONE, {(0, 0): (0, 3)}, (2, format_.tile_bytes)
            ),
            mock.Kernel(
                "compute", "compute.cpp", kernel(table), {(0, 0): (index, int(initialise))}
            ),
            mock.Kernel(
                "writer",
                "writer.cpp",
                k.WRITE,
                {(0, 0): (0, 1)},
                (2, (output or format_).tile_bytes),
            ),
        ),
        (
            mock.CircularBuffer(0, "a", format_, format_.tile_bytes, 3, wide and format_ is k.F32),
            mock.CircularBuffer(16, "c", output or format_, (output or format_).tile_bytes, 1),
        ),
        k.device.load("blackhole"),
        fp32_dest_acc=wide,
    )
    data = k.encode(operands, format_)
    out_format = output or format_
    out = np.zeros(out_format.tile_bytes, np.uint8)
    sizes = [(format_.tile_bytes, 3), (out_format.tile_bytes, 1)]
    addresses = mock.allocate(program.device, sizes)
    program.build().run(
        [
            mock.Buffer("a", data, format_.tile_bytes, addresses[0]),
            mock.Buffer("c", out, out_format.tile_bytes, addresses[1]),
        ],
        common_args={"reader.cpp": addresses[:1], "writer.cpp": addresses[1:]},
    )
    return k.decode(out, out_format, 32, 32)


def operands_of(row: rows.Row, rng: np.random.Generator) -> np.ndarray:
    """Values that bfloat16 holds exactly, with some zeros and equal ones among them."""
    low, high = row.domain
    values = rng.uniform(low, high, (32, 96)).astype(np.float32)
    if low < 0:
        values[0, ::5] = 0.0
    values[1, :32] = values[1, 32:64]
    values[2] = 0.75
    return k.round_bfloat16(values)


def expected(row: rows.Row, operands: np.ndarray) -> np.ndarray:
    """What torch computes in double precision."""
    tiles = [
        torch.from_numpy(operands[:, i * 32 : i * 32 + 32].astype(np.float64)) for i in range(3)
    ]
    return row.reference(*tiles[: row.operands]).detach().numpy()


FLOATS = rows.FLOAT_ROWS


@pytest.mark.parametrize("index", range(len(FLOATS)), ids=lambda i: FLOATS[i].name)
def test_a_float_operation_agrees_with_torch(rng: np.random.Generator, index: int) -> None:
    row = FLOATS[index]
    operands = operands_of(row, rng)
    got = run(FLOATS, index, operands, k.F32, wide=True)
    np.testing.assert_allclose(got, expected(row, operands), rtol=4e-6, atol=5e-7)


@pytest.mark.parametrize("index", range(len(FLOATS)), ids=lambda i: FLOATS[i].name)
def test_an_operation_needs_its_init(rng: np.random.Generator, index: int) -> None:
    with pytest.raises(mock.UndefinedBehavior) as caught:
        run(FLOATS, index, operands_of(FLOATS[index], rng), k.F32, wide=True, initialise=False)
    assert caught.value.kind == "missing_init"
