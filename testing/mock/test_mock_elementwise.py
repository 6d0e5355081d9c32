"""Element-wise operations of the FPU and the SFPU against numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from testing.mock import kernels as k
from tilelang_tt import mock

Array = npt.NDArray[np.float32]
ARCHS = ("wormhole_b0", "blackhole")


def matrix(rng: np.random.Generator, rows: int = 64, columns: int = 96) -> Array:
    """Values that bfloat16 holds exactly."""
    return k.round_bfloat16(rng.standard_normal((rows, columns), dtype=np.float32))


def column(values: Array) -> Array:
    """Each tile's first column, over the whole tile."""
    return np.repeat(values[:, ::32], 32, axis=1)


def row(values: Array) -> Array:
    return np.repeat(values[::32, :], 32, axis=0)


def scalar(values: Array) -> Array:
    return column(row(values))


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("cores", [((0, 0),), ((0, 0), (1, 0), (2, 3))])
def test_a_sum_is_rounded_once(
    rng: np.random.Generator, arch: str, cores: tuple[tuple[int, int], ...]
) -> None:
    a, b = matrix(rng), matrix(rng)
    got = k.Pipeline(k.ADD, arch=arch, cores=cores).run(a, b)
    assert np.abs(got - (a + b)).max() <= 2.0**-8 * np.abs(a + b).max()


BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
}
BROADCAST: dict[str, Callable[[Array], Array]] = {"rows": row, "cols": column, "scalar": scalar}


@pytest.mark.parametrize("name", BINARY)
def test_arithmetic_in_float32_is_exact_for_bfloat16_operands(
    rng: np.random.Generator, name: str
) -> None:
    a, b = matrix(rng), matrix(rng)
    compute = k.compute_two(f"{name}_init(0, 1);", f"{name}_tiles(0, 1, 0, 0, 0);")
    got = k.Pipeline(compute, fp32_dest_acc=True, output=k.F32).run(a, b)
    np.testing.assert_array_equal(got, BINARY[name](a, b))


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("shape", BROADCAST)
def test_the_second_operand_is_broadcast(rng: np.random.Generator, name: str, shape: str) -> None:
    a, b = matrix(rng), matrix(rng)
    compute = k.compute_two(
        f"{name}_bcast_{shape}_init(0, 1);", f"{name}_tiles_bcast_{shape}(0, 1, 0, 0, 0);"
    )
    got = k.Pipeline(compute, fp32_dest_acc=True, output=k.F32).run(a, b)
    np.testing.assert_array_equal(got, BINARY[name](a, BROADCAST[shape](b)))


@pytest.mark.parametrize(("name", "reference"), [("ROW", row), ("COL", column), ("SCALAR", scalar)])
def test_one_operand_is_broadcast(
    rng: np.random.Generator, name: str, reference: Callable[[Array], Array]
) -> None:
    a = matrix(rng)
    compute = k.compute_one(
        f"unary_bcast<BroadcastType::{name}>(0, 0, 0);",
        f"unary_bcast_init<BroadcastType::{name}>(0);",
    )
    np.testing.assert_array_equal(k.Pipeline(compute, inputs=(k.BF16,)).run(a), reference(a))


def test_a_16_bit_row_is_not_broadcast_into_32_bit_registers(rng: np.random.Generator) -> None:
    compute = k.compute_one(
        "unary_bcast<BroadcastType::ROW>(0, 0, 0);", "unary_bcast_init<BroadcastType::ROW>(0);"
    )
    with pytest.raises(mock.UndefinedBehavior, match="row of 16-bit data") as caught:
        k.Pipeline(compute, inputs=(k.BF16,), fp32_dest_acc=True).run(matrix(rng))
    assert caught.value.kind == "dst_width"


@pytest.mark.parametrize(
    ("reuse", "reference"),
    [("DEST_TO_SRCA", lambda a, b: (a + b) - b), ("DEST_TO_SRCB", lambda a, b: b - (a + b))],
)
def test_the_register_is_reused_as_an_operand(
    rng: np.random.Generator, reuse: str, reference: Callable[[Array, Array], Array]
) -> None:
    a = rng.integers(-8, 8, (64, 64)).astype(np.float32)
    b = rng.integers(-8, 8, (64, 64)).astype(np.float32)
    body = f"""add_init(0, 1);
    add_tiles(0, 1, 0, 0, 0);
    sub_reuse_dest_init<EltwiseBinaryReuseDestType::{reuse}>(1);
    sub_reuse_dest_tiles<EltwiseBinaryReuseDestType::{reuse}>(1, 0, 0);"""
    np.testing.assert_array_equal(k.Pipeline(k.compute_two("", body)).run(a, b), reference(a, b))


def test_a_product_adds_to_the_register(rng: np.random.Generator) -> None:
    a = rng.integers(-8, 8, (32, 32)).astype(np.float32)
    b = rng.integers(-8, 8, (32, 32)).astype(np.float32)
    twice = "mul_tiles(0, 1, 0, 0, 0); mul_tiles(0, 1, 0, 0, 0);"
    got = k.Pipeline(k.compute_two("mul_init(0, 1);", twice)).run(a, b)
    np.testing.assert_array_equal(got, 2 * a * b)


@pytest.mark.parametrize("format_", [k.BF16, k.F16, k.F32], ids=lambda f: f.name)
def test_a_tile_is_transposed(rng: np.random.Generator, format_: k.formats.Format) -> None:
    a = matrix(rng, 32, 32)
    compute = k.compute_one("transpose_tile(0, 0, 0);", "transpose_init(0);")
    got = k.Pipeline(compute, inputs=(format_,), output=format_, fp32_dest_acc=True).run(a)
    np.testing.assert_array_equal(got.astype(np.float32), a.T)


def test_a_copy_may_transpose(rng: np.random.Generator) -> None:
    a = matrix(rng, 32, 32)
    compute = k.compute_one("copy_tile(0, 0, 0);", "copy_init(0, 1, 1);")
    np.testing.assert_array_equal(k.Pipeline(compute, inputs=(k.BF16,)).run(a), a.T)
    halfway = k.compute_one("copy_tile(0, 0, 0);", "copy_init(0, 1, 0);")
    with pytest.raises(k.mock.Unsupported, match="together only"):
        k.Pipeline(halfway, inputs=(k.BF16,)).run(a)


@dataclass(frozen=True)
class Sfpu:
    """One operation on the element x: the calls, and what numpy makes of it."""

    name: str
    code: str
    reference: Callable[[Array], Array]
    positive: bool = False


def bits(value: float) -> str:
    return hex(int(np.float32(value).view(np.uint32)))


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


SFPU = (
    Sfpu("relu", "relu_tile_init(); relu_tile(0);", lambda x: np.maximum(x, 0)),
    Sfpu(
        "relu_max",
        f"relu_max_tile_init(); relu_max_tile(0, {bits(0.5)});",
        lambda x: np.clip(x, 0, 0.5),
    ),
    Sfpu(
        "relu_min",
        f"relu_min_tile_init(); relu_min_tile(0, {bits(0.5)});",
        lambda x: np.maximum(x, 0.5),
    ),
    Sfpu("exp", "exp_tile_init(); exp_tile(0);", np.exp),
    Sfpu("exp2", "exp2_tile_init(); exp2_tile(0);", np.exp2),
    Sfpu("log", "log_tile_init(); log_tile(0);", np.log, positive=True),
    Sfpu("sqrt", "sqrt_tile_init(); sqrt_tile(0);", np.sqrt, positive=True),
    Sfpu("rsqrt", "rsqrt_tile_init(); rsqrt_tile(0);", lambda x: 1 / np.sqrt(x), positive=True),
    Sfpu("recip", "recip_tile_init(); recip_tile(0);", lambda x: 1 / x, positive=True),
    Sfpu("tanh", "tanh_tile_init(); tanh_tile(0);", np.tanh),
    Sfpu("sigmoid", "sigmoid_tile_init(); sigmoid_tile(0);", _sigmoid),
    Sfpu("silu", "silu_tile_init(); silu_tile(0);", lambda x: x * _sigmoid(x)),
    Sfpu("abs", "abs_tile_init(); abs_tile(0);", np.abs),
    Sfpu("negative", "negative_tile_init(); negative_tile(0);", np.negative),
    Sfpu("square", "square_tile_init(); square_tile(0);", np.square),
    Sfpu("sign", "sign_tile_init(); sign_tile(0);", np.sign),
    Sfpu("floor", "rounding_op_tile_init(); floor_tile(0);", np.floor),
    Sfpu("ceil", "rounding_op_tile_init(); ceil_tile(0);", np.ceil),
    Sfpu("trunc", "rounding_op_tile_init(); trunc_tile(0);", np.trunc),
    Sfpu(
        "add_unary",
        f"binop_with_scalar_tile_init(); add_unary_tile(0, {bits(3)});",
        lambda x: x + 3,
    ),
    Sfpu(
        "rsub_unary",
        f"binop_with_scalar_tile_init(); rsub_unary_tile(0, {bits(3)});",
        lambda x: 3 - x,
    ),
    Sfpu(
        "mul_unary",
        f"binop_with_scalar_tile_init(); mul_unary_tile(0, {bits(0.5)});",
        lambda x: x / 2,
    ),
    Sfpu(
        "unary_max",
        f"unary_max_tile_init(); unary_max_tile(0, {bits(1)});",
        lambda x: np.maximum(x, 1),
    ),
    Sfpu(
        "unary_min",
        f"unary_min_tile_init(); unary_min_tile(0, {bits(1)});",
        lambda x: np.minimum(x, 1),
    ),
    Sfpu("eqz", "eqz_tile_init(); eqz_tile(0);", lambda x: np.float32(x == 0)),
    Sfpu("nez", "nez_tile_init(); nez_tile(0);", lambda x: np.float32(x != 0)),
    Sfpu("ltz", "ltz_tile_init(); ltz_tile(0);", lambda x: np.float32(x < 0)),
    Sfpu("gez", "gez_tile_init(); gez_tile(0);", lambda x: np.float32(x >= 0)),
    Sfpu(
        "unary_gt",
        f"unary_gt_tile_init(); unary_gt_tile(0, {bits(0.25)});",
        lambda x: np.float32(x > 0.25),
    ),
    Sfpu(
        "unary_le",
        f"unary_le_tile_init(); unary_le_tile(0, {bits(0.25)});",
        lambda x: np.float32(x <= 0.25),
    ),
    Sfpu("fill", "fill_tile_init(); fill_tile(0, 1.5f);", lambda x: np.full_like(x, 1.5)),
    Sfpu(
        "where",
        "copy_tile(0, 0, 1); copy_tile(0, 0, 2); negative_tile_init(); negative_tile(2); "
        "gtz_tile_init(); gtz_tile(0); where_tile_init(); "
        "where_tile<DataFormat::Float32>(0, 1, 2, 0);",
        np.abs,
    ),
    Sfpu(
        "copy_dest",
        "copy_dest_values_init(); copy_dest_values<DataFormat::Float32>(0, 3); "
        "add_binary_tile_init(); add_binary_tile(0, 3, 0);",
        lambda x: x + x,
    ),
    Sfpu(
        "binary_max",
        "copy_tile(0, 0, 1); negative_tile_init(); negative_tile(1); "
        "binary_max_tile_init(); binary_max_tile(0, 1, 0);",
        np.abs,
    ),
    Sfpu(
        "div_binary",
        "copy_tile(0, 0, 1); div_binary_tile_init(); div_binary_tile(0, 1, 0);",
        np.ones_like,
        positive=True,
    ),
)


def _sfpu_kernel() -> str:
    """All of the table in one kernel, chosen by a run-time argument: one compilation."""
    cases = "\n".join(f"    case {i}: {{ {row.code} break; }}" for i, row in enumerate(SFPU))
    return k.compute_one(
        f"copy_tile(0, 0, 0);\n    switch (get_arg_val<uint32_t>(1)) {{\n{cases}\n    }}"
    )


@pytest.mark.parametrize("index", range(len(SFPU)), ids=lambda i: SFPU[i].name)
def test_sfpu_operation(rng: np.random.Generator, index: int) -> None:
    row = SFPU[index]
    a = rng.standard_normal((32, 64), dtype=np.float32)
    a = np.abs(a) + np.float32(0.1) if row.positive else a
    got = k.Pipeline(
        _sfpu_kernel(),
        inputs=(k.F32,),
        output=k.F32,
        fp32_dest_acc=True,
        unpack_to_dest=True,
        compute_args=(index,),
    ).run(a)
    np.testing.assert_allclose(got, row.reference(a), rtol=2e-6, atol=1e-7)


def test_results_in_a_16_bit_register_are_bfloat16(rng: np.random.Generator) -> None:
    a = matrix(rng)
    compute = k.compute_one("copy_tile(0, 0, 0); exp_tile_init(); exp_tile(0);")
    got = k.Pipeline(compute, inputs=(k.BF16,), output=k.F32).run(a)
    np.testing.assert_array_equal(got.view(np.uint32) & 0xFFFF, 0)
    np.testing.assert_allclose(got, np.exp(a), rtol=2.0**-8)
