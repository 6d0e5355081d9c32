"""Integer operations of the vector unit against numpy, on every format each of them has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from testing.mock import kernels as k
from testing.mock import sfpu_rows
from testing.mock.test_mock_sfpu import run
from tilelang_tt import mock

Numbers = npt.NDArray[np.int64]
ROOT = "api/compute/"
UNARY = ROOT + "eltwise_unary/"
U32 = k.formats.BY_NAME["UInt32"]


@dataclass(frozen=True)
class Row:
    """One operation on tiles 0 and 1; `{f}` in a call stands for the format."""

    header: str
    init: str
    call: str
    reference: Callable[[Numbers, Numbers], npt.ArrayLike]
    formats: tuple[k.formats.Format, ...]
    domain: tuple[int, int] | None = None

    def spelled(self, format_: k.formats.Format) -> sfpu_rows.Row:
        template = f"<DataFormat::{format_.name}>"
        init, call = (text.replace("{f}", template) for text in (self.init, self.call))
        return sfpu_rows.Row(call, self.header, init, call, lambda a: a)


SIGNED = (k.I32,)
WIDE = (k.I32, U32)
ALL = (k.I32, U32, k.U16)
_shift_range = (0, 31)


def _shifts(direction: str) -> Callable[[Numbers, Numbers], Numbers]:
    """Shifts by 0 to 31 of the second operand's low bits, as the test's kernel makes them."""
    return (lambda a, b: a << (b & 31)) if direction == "left" else (lambda a, b: a >> (b & 31))


def _two(name: str, header: str, reference: Callable[[Numbers, Numbers], npt.ArrayLike]) -> Row:
    return Row(header, f"{name}_tile_init();", f"{name}_tile{{f}}(0, 1, 0);", reference, ALL)


def _compare(name: str, relation: Callable[[Numbers, Numbers], npt.ArrayLike]) -> tuple[Row, ...]:
    zero = Row(
        UNARY + "comp.h",
        f"{name}z_tile_init();",
        f"{name}z_tile_int32(0);",
        lambda a, b: relation(a, np.int64(0)),
        SIGNED,
    )
    scalar = Row(
        UNARY + "comp.h",
        f"unary_{name}_tile_init();",
        f"unary_{name}_tile_int32(0, 7);",
        lambda a, b: relation(a, np.int64(7)),
        SIGNED,
    )
    two = Row(
        ROOT + "binary_comp.h",
        f"{name}_int_tile_init{{f}}();",
        f"{name}_int_tile{{f}}(0, 1, 0);",
        relation,
        ALL,
    )
    names = {"eq": "eqz", "ne": "nez", "lt": "ltz", "gt": "gtz", "le": "lez", "ge": "gez"}
    assert names[name] == name + "z"
    return zero, scalar, two


BITWISE = ROOT + "binary_bitwise_sfpu.h"
SHIFT = ROOT + "binary_shift.h"
MASKED = "bitwise_and_tile_init(); bitwise_and_tile{f}(1, 31); binary_shift_tile_init();"
ROWS = (
    _two("add_int", ROOT + "add_int_sfpu.h", np.add),
    _two("sub_int", ROOT + "sub_int_sfpu.h", np.subtract),
    _two("rsub_int", ROOT + "sub_int_sfpu.h", lambda a, b: b - a),
    Row(
        ROOT + "mul_int_sfpu.h",
        "mul_int_tile_init{f}();",
        "mul_int_tile{f}(0, 1, 0);",
        lambda a, b: (a.astype(np.uint64) * b.astype(np.uint64)).astype(np.int64),
        ALL,
    ),
    *(
        row
        for name, relation in (
            ("eq", np.equal),
            ("ne", np.not_equal),
            ("lt", np.less),
            ("gt", np.greater),
            ("le", np.less_equal),
            ("ge", np.greater_equal),
        )
        for row in _compare(name, relation)
    ),
    *(
        Row(
            BITWISE,
            "binary_bitwise_tile_init();",
            f"bitwise_{name}_binary_tile{{f}}(0, 1, 0);",
            function,
            ALL,
        )
        for name, function in (
            ("and", np.bitwise_and),
            ("or", np.bitwise_or),
            ("xor", np.bitwise_xor),
        )
    ),
    *(
        Row(
            UNARY + "bitwise.h",
            f"bitwise_{name}_tile_init();",
            f"bitwise_{name}_tile{{f}}(0, 0x5A5A);",
            lambda a, b, function=function: function(a, np.int64(0x5A5A)),
            ALL,
        )
        for name, function in (
            ("and", np.bitwise_and),
            ("or", np.bitwise_or),
            ("xor", np.bitwise_xor),
        )
    ),
    Row(
        UNARY + "bitwise_not.h",
        "bitwise_not_tile_init();",
        "bitwise_not_tile(0);",
        lambda a, b: ~a,
        SIGNED,
    ),
    Row(SHIFT, MASKED, "binary_left_shift_tile{f}(0, 1, 0);", _shifts("left"), ALL),
    Row(SHIFT, MASKED, "binary_right_shift_tile{f}(0, 1, 0);", _shifts("right"), ALL),
    Row(
        SHIFT,
        MASKED,
        "binary_logical_right_shift_tile{f}(0, 1, 0);",
        lambda a, b: (a & 0xFFFFFFFF) >> (b & 31),
        ALL,
    ),
    Row(
        SHIFT,
        "binary_shift_tile_init();",
        "binary_left_shift_tile{f}(0, 1, 0);",
        lambda a, b: np.where((b >= 0) & (b < 32), a << (b & 31), 0),
        ALL,
    ),
    Row(
        UNARY + "shift.h",
        "left_shift_tile_init();",
        "left_shift_tile{f}(0, 3);",
        lambda a, b: a << 3,
        ALL,
    ),
    Row(
        UNARY + "shift.h",
        "right_shift_tile_init();",
        "right_shift_tile{f}(0, 3);",
        lambda a, b: a >> 3,
        ALL,
    ),
    *(
        Row(
            ROOT + "binary_max_min.h",
            f"binary_{name}_{spelling}_tile_init();",
            f"binary_{name}_{spelling}_tile(0, 1, 0);",
            function,
            (format_,),
        )
        for name, function in (("max", np.maximum), ("min", np.minimum))
        for spelling, format_ in (("int32", k.I32), ("uint32", U32))
    ),
    *(
        Row(
            ROOT + "compute_kernel_api.h",
            f"unary_{name}_{spelling}_tile_init();",
            f"unary_{name}_{spelling}_tile(0, 1000);",
            lambda a, b, function=function: function(a, np.int64(1000)),
            (format_,),
        )
        for name, function in (("max", np.maximum), ("min", np.minimum))
        for spelling, format_ in (("int32", k.I32), ("uint32", U32))
    ),
    *(
        Row(
            ROOT + "div_int32_floor.h",
            f"div_int32_{name}_tile_init();",
            f"div_int32_{name}_tile(0, 1, 0);",
            function,
            SIGNED,
            (-(10**9), 10**9),
        )
        for name, function in (
            ("floor", lambda a, b: a // b),
            ("trunc", lambda a, b: np.trunc(a / b).astype(np.int64)),
        )
    ),
    Row(
        ROOT + "binary_fmod.h",
        "fmod_int32_tile_init();",
        "fmod_int32_tile(0, 1, 0);",
        np.fmod,
        SIGNED,
    ),
    Row(
        ROOT + "binary_remainder.h",
        "remainder_int32_tile_init();",
        "remainder_int32_tile(0, 1, 0);",
        np.remainder,
        SIGNED,
    ),
    Row(
        ROOT + "binary_remainder.h",
        "remainder_uint32_tile_init();",
        "remainder_uint32_tile(0, 1, 0);",
        np.remainder,
        (U32,),
    ),
    Row(ROOT + "gcd.h", "gcd_tile_init();", "gcd_tile(0, 1, 0);", np.gcd, SIGNED, (-9999, 9999)),
    Row(ROOT + "lcm.h", "lcm_tile_init();", "lcm_tile(0, 1, 0);", np.lcm, SIGNED, (-9999, 9999)),
    Row(
        UNARY + "binop_with_scalar.h",
        "binop_with_scalar_tile_init();",
        "add_unary_tile_int32(0, 12345);",
        lambda a, b: a + 12345,
        SIGNED,
    ),
    Row(
        UNARY + "binop_with_scalar.h",
        "binop_with_scalar_tile_init();",
        "sub_unary_tile_int32(0, 12345);",
        lambda a, b: a - 12345,
        SIGNED,
    ),
    Row(
        UNARY + "rsub.h",
        "rsub_unary_int32_tile_init();",
        "rsub_unary_int32_tile(0, 12345);",
        lambda a, b: 12345 - a,
        SIGNED,
    ),
    Row(
        UNARY + "remainder.h",
        "remainder_tile_uint32_init();",
        "remainder_tile_uint32(0, 12345);",
        lambda a, b: a % 12345,
        (U32,),
    ),
    Row(
        UNARY + "clamp.h",
        "clamp_tile_init();",
        "clamp_tile_int32(0, (uint32_t)-1000, 1000);",
        lambda a, b: np.clip(a, -1000, 1000),
        SIGNED,
    ),
    Row(
        UNARY + "relu.h",
        "relu_tile_init();",
        "relu_tile_int32(0);",
        lambda a, b: np.maximum(a, 0),
        SIGNED,
    ),
    *(
        Row(
            UNARY + "relu.h",
            f"relu_{name}_tile_init();",
            f"relu_{name}_tile_{spelling}(0, 1000);",
            function,
            (format_,),
        )
        for name, function in (
            ("max", lambda a, b: np.clip(a, 0, 1000)),
            ("min", lambda a, b: np.maximum(a, 1000)),
        )
        for spelling, format_ in (("int32", k.I32), ("uint32", U32), ("uint16", k.U16))
    ),
    *(
        Row(UNARY + "comp.h", f"{name}_tile_init();", f"{name}_tile_{spelling}(0);", relation, (f,))
        for name, relation in (("eqz", lambda a, b: a == 0), ("nez", lambda a, b: a != 0))
        for spelling, f in (("uint16", k.U16), ("uint32", U32))
    ),
    Row(
        UNARY + "negative.h",
        "negative_tile_init();",
        "negative_tile_int32(0);",
        lambda a, b: -a,
        SIGNED,
    ),
    Row(
        ROOT + "compute_kernel_api.h",
        "abs_tile_init();",
        "abs_tile_int32(0);",
        lambda a, b: np.abs(a),
        SIGNED,
    ),
    Row(
        ROOT + "compute_kernel_api.h",
        "signbit_tile_int32_init();",
        "signbit_tile_int32(0);",
        lambda a, b: a < 0,
        SIGNED,
    ),
    Row(
        UNARY + "identity.h",
        "identity_tile_init();",
        "identity_tile_uint32(0);",
        lambda a, b: a,
        (U32,),
    ),
    Row(
        UNARY + "logical_not.h",
        "logical_not_tile_init();",
        "logical_not_tile{f}(0);",
        lambda a, b: a == 0,
        ALL,
    ),
    Row(
        UNARY + "fill.h",
        "fill_tile_init();",
        "fill_tile_int{f}(0, 54321);",
        lambda a, b: np.full_like(a, 54321),
        ALL,
    ),
    Row(
        UNARY + "where.h",
        "eqz_tile_init(); eqz_tile_int32(1); where_tile_init();",
        "where_tile<DataFormat::Int32>(1, 0, 2, 0);",
        lambda a, b: np.where(b == 0, a, -5),
        SIGNED,
    ),
)
# One kernel for all: every row in every format it has.
CASES = [(row, format_) for row in ROWS for format_ in row.formats]
SPELLED = [row.spelled(format_) for row, format_ in CASES]


def operands(row: Row, format_: k.formats.Format, rng: np.random.Generator) -> np.ndarray:
    """The whole range of the format, its ends, zeros, equal pairs, small second operands."""
    limits = np.iinfo(format_.dtype)
    low, high = row.domain or (limits.min, limits.max)
    values = rng.integers(low, high, (32, 96), endpoint=True)
    values[0, :32], values[1, :32] = low, high
    values[2:4, :32] = 0 if low <= 0 else low
    values[4, :32] = values[4, 32:64]
    values[5:20, 32:64] = rng.integers(1, 40, (15, 32))
    values[:, 32:64] += values[:, 32:64] == 0
    values[21, 32:64] = 1 if "int32_" in row.call or "gcd" in row.call or "lcm" in row.call else 0
    values[:, 64:] = -5 if limits.min < 0 else 5
    return values.astype(format_.dtype)


@pytest.mark.parametrize("index", range(len(CASES)), ids=lambda i: SPELLED[i].call.split(";")[-2])
def test_an_integer_operation_agrees_with_numpy(rng: np.random.Generator, index: int) -> None:
    row, format_ = CASES[index]
    values = operands(row, format_, rng)
    if "remainder" in row.call or "fmod" in row.call:
        values[21, 32:64] = 1
    a, b = (values[:, at : at + 32].astype(np.int64) for at in (0, 32))
    expected = np.asarray(row.reference(a, b), dtype=np.int64).astype(format_.dtype)
    got = run(SPELLED, index, values, format_, wide=True)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("index", range(len(CASES)), ids=lambda i: SPELLED[i].call.split(";")[-2])
def test_an_integer_operation_needs_its_init(rng: np.random.Generator, index: int) -> None:
    row, format_ = CASES[index]
    with pytest.raises(mock.UndefinedBehavior) as caught:
        run(SPELLED, index, operands(row, format_, rng), format_, wide=True, initialise=False)
    assert caught.value.kind == "missing_init"


def test_floats_are_not_taken_for_integers(rng: np.random.Generator) -> None:
    table = (
        sfpu_rows.Row(
            "a",
            ROOT + "add_int_sfpu.h",
            "add_int_tile_init();",
            "add_int_tile<DataFormat::Int32>(0, 1, 0);",
            lambda a: a,
        ),
        sfpu_rows.Row("b", UNARY + "relu.h", "relu_tile_init();", "relu_tile(0);", lambda a: a),
    )
    values = np.ones((32, 96))
    for index, format_ in enumerate((k.F32, k.I32)):
        with pytest.raises(mock.UndefinedBehavior, match="the operation needs") as caught:
            run(table, index, values.astype(format_.dtype), format_, wide=True)
        assert caught.value.kind == "dst_kind"
