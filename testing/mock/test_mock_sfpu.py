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
    values[2] = max(0.75, low)
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


SPECIAL = np.float32([np.inf, -np.inf, np.nan, 0.0, -0.0, 1.0, -1.0, 3e38, -2e-38])
KINDS = (
    *("isinf", "isposinf", "isneginf", "isnan", "isfinite", "signbit", "sign"),
    *("eqz", "nez", "ltz", "gtz", "lez", "gez"),
)


@pytest.mark.parametrize("name", KINDS)
def test_special_values_are_told_apart(name: str) -> None:
    index = next(i for i, row in enumerate(FLOATS) if row.name == name)
    operands = np.resize(SPECIAL, (32, 96)).astype(np.float32)
    if name == "sign":  # of a NaN: the sign of its bits
        operands = np.where(np.isnan(operands), np.float32(1), operands)
    got = run(FLOATS, index, operands, k.F32, wide=True)
    np.testing.assert_array_equal(got, expected(FLOATS[index], operands))


def test_maximum_and_minimum_order_all_bits() -> None:
    """A NaN is beyond infinity, and minus zero below zero."""
    values = np.zeros((32, 96), np.float32)
    values[0, :3], values[0, 32:35] = [np.nan, 0.0, -0.0], [np.inf, -0.0, 0.0]
    table = {row.name: i for i, row in enumerate(FLOATS)}
    largest = run(FLOATS, table["binary_max"], values, k.F32, wide=True)[0, :3]
    smallest = run(FLOATS, table["binary_min"], values, k.F32, wide=True)[0, :3]
    assert np.isnan(largest[0])
    assert smallest[0] == np.inf
    np.testing.assert_array_equal(np.signbit(largest[1:]), [False, False])
    np.testing.assert_array_equal(np.signbit(smallest[1:]), [True, True])


CUT = ("add_unary", "add_binary", "sub_binary", "relu_max", "erfc")
EVEN = ("rsub_unary", "div_binary", "exp", "sqrt", "addcmul", "sigmoid")


@pytest.mark.parametrize("name", [*CUT, *EVEN])
def test_a_16_bit_register_cuts_or_rounds_as_the_routine_does(
    rng: np.random.Generator, name: str
) -> None:
    index = next(i for i, row in enumerate(FLOATS) if row.name == name)
    operands = operands_of(FLOATS[index], rng)
    whole = run(FLOATS, index, operands, k.F32, wide=True).view(np.uint32)
    even = whole + 0x7FFF + (whole >> 16 & 1)
    expected_bits = (whole if name in CUT else even) & np.uint32(0xFFFF0000)
    got = run(FLOATS, index, operands, k.BF16, wide=False).view(np.uint32)
    # The functions of the host round the last bit of a float32 in their own way.
    assert (got == expected_bits).mean() > (0.999 if name in ("exp", "sigmoid") else 0.9999)
