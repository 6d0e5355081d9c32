"""Reductions of the matrix and of the vector unit, and transpositions in the register."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from testing.mock import kernels as k
from tilelang_tt import mock

Array = npt.NDArray[np.float32]

_REDUCE = """
#include "api/compute/common.h"
#include "api/compute/reduce.h"

void kernel_main() {
  const uint32_t tiles = get_arg_val<uint32_t>(0);
  compute_kernel_hw_startup(%(sources)s, 16);
  reduce_init<PoolType::%(pool)s, ReduceDim::REDUCE_%(dim)s>(0, 1, 16);
  cb_wait_front(0, tiles);
  cb_wait_front(1, tiles);
  tile_regs_acquire();
  for (uint32_t i = 0; i < tiles; ++i) {
    reduce_tile<PoolType::%(pool)s, ReduceDim::REDUCE_%(dim)s>(0, 1, i, 0, 0);
  }
  tile_regs_commit();
  cb_pop_front(0, tiles);
  cb_pop_front(1, tiles);
  cb_reserve_back(16, tiles);
  tile_regs_wait();
  for (uint32_t i = 0; i < tiles; ++i) {
    pack_tile(0, 16);
  }
  tile_regs_release();
  reduce_uninit();
  cb_push_back(16, tiles);
}
"""


def reduce_kernel(pool: str, dim: str) -> str:
    swapped = dim == "ROW" and pool != "MAX"
    return _REDUCE % {
        "pool": pool,
        "dim": dim,
        "sources": "1, 0" if swapped else "0, 1",
    }


def scaler(value: float, tiles: int) -> Array:
    """Row 0 of each face holds the scaler."""
    tile = np.zeros((32, 32), np.float32)
    tile[0] = tile[16] = value
    return np.tile(tile, (1, tiles))


POOLS: dict[str, Callable[..., Array]] = {"SUM": np.sum, "AVG": np.mean, "MAX": np.max}
# The axes of tiles, rows and columns that each reduction removes, and where its result stands.
DIMS = {
    "ROW": ((0, 2), np.s_[:, 0]),
    "COL": ((0, 1), np.s_[0, :]),
    "SCALAR": ((0, 1, 2), np.s_[0, 0]),
}


@pytest.mark.parametrize("format_", [k.BF16, k.F32], ids=lambda f: f.name)
@pytest.mark.parametrize("wide", [False, True], ids=["16-bit", "32-bit"])
@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("dim", DIMS)
def test_tiles_are_reduced_into_one(
    rng: np.random.Generator, pool: str, dim: str, wide: bool, format_: k.formats.Format
) -> None:
    tiles = 3
    a = k.round_bfloat16(rng.standard_normal((32, 32 * tiles), dtype=np.float32))
    axes, place = DIMS[dim]
    cube = a.reshape(32, tiles, 32).transpose(1, 0, 2)
    expected = POOLS[pool](cube, axis=axes)
    count = a.size / expected.size if pool == "AVG" else 1.0
    factor = 1 / np.sqrt(count) if dim == "SCALAR" else 1 / count
    factors = scaler(float(factor), tiles)
    pipeline = k.Pipeline(
        reduce_kernel(pool, dim),
        inputs=(format_, format_),
        output=k.F32 if wide else k.BF16,
        fp32_dest_acc=wide,
        pages=tiles,
    )
    got = pipeline.run(a, factors)[:, :32]
    rounded = factor / float(k.round_bfloat16(np.float32([factor]))[0]) if format_ is k.BF16 else 1
    exact = expected * (1 if pool == "MAX" else rounded ** -(2 if dim == "SCALAR" else 1))
    scale = np.abs(cube).sum() / expected.size * factor
    tolerance = 0 if pool == "MAX" else (4e-6 if wide else 3 * 2.0**-8) * scale + 2.0**-10 * scale
    np.testing.assert_allclose(got[place], exact, atol=tolerance, rtol=0)
    untouched = got.copy()
    untouched[place] = 0
    np.testing.assert_array_equal(untouched, 0)


@pytest.mark.parametrize("wide", [False, True], ids=["16-bit", "32-bit"])
def test_a_register_is_transposed_in_place(rng: np.random.Generator, wide: bool) -> None:
    a = k.round_bfloat16(rng.standard_normal((32, 32), dtype=np.float32))
    flag = "true" if wide else "false"
    body = f"copy_tile(0, 0, 0); transpose_dest_init<{flag}>(); transpose_dest<{flag}>(0);"
    kernel = '#include "api/compute/transpose_dest.h"\n' + k.compute_one(body)
    got = k.Pipeline(kernel, inputs=(k.BF16,), fp32_dest_acc=wide).run(a)
    np.testing.assert_array_equal(got, a.T)


def test_a_transposition_of_the_wrong_width_is_an_error() -> None:
    body = "copy_tile(0, 0, 0); transpose_dest_init(); transpose_dest(0);"
    kernel = '#include "api/compute/transpose_dest.h"\n' + k.compute_one(body)
    with pytest.raises(mock.UndefinedBehavior, match="16-bit transposition") as caught:
        k.Pipeline(kernel, inputs=(k.BF16,), fp32_dest_acc=True).run(np.zeros((32, 32)))
    assert caught.value.kind == "dst_width"


_SFPU_POOLS: dict[str, Callable[..., npt.NDArray[np.generic]]] = {
    "SUM": np.sum,
    "AVG": np.mean,
    "MAX": np.max,
    "MIN": np.min,
}
_U32 = k.formats.BY_NAME["UInt32"]


def _sfpu_reduce(pool: str, format_: k.formats.Format, call: str) -> str:
    name = f"PoolType::{pool}, DataFormat::{format_.name}"
    return k.compute_one(
        f"copy_tile(0, 0, 0); sfpu_reduce_init<{name}>(); sfpu_reduce<{name}{call}>(0);"
    )


@pytest.mark.parametrize("format_", [k.F32, k.I32, _U32, k.U16], ids=lambda f: f.name)
@pytest.mark.parametrize(
    ("pool", "dim"),
    [
        (pool, dim)
        for pool in _SFPU_POOLS
        for dim in ("ROW", "COL")
        if (pool, dim) != ("AVG", "ROW")
    ],
)
def test_the_vector_unit_reduces_a_tile(
    rng: np.random.Generator, pool: str, dim: str, format_: k.formats.Format
) -> None:
    low = -1000 if format_ in (k.I32, k.F32) else 0
    a = rng.integers(low, 1000, (32, 32)).astype(format_.dtype)
    pipeline = k.Pipeline(
        _sfpu_reduce(pool, format_, f", ReduceDim::REDUCE_{dim}"),
        inputs=(format_,),
        output=format_,
        fp32_dest_acc=True,
        unpack_to_dest=format_ is k.F32,
    )
    got = pipeline.run(a)[DIMS[dim][1]]
    exact = _SFPU_POOLS[pool](a.astype(np.float64), axis=1 if dim == "ROW" else 0)
    expected = exact if format_ is k.F32 else np.trunc(exact)
    np.testing.assert_array_equal(got, expected.astype(format_.dtype))


def test_the_vector_unit_has_no_mean_of_rows() -> None:
    pipeline = k.Pipeline(
        _sfpu_reduce("AVG", k.F32, ", ReduceDim::REDUCE_ROW"), inputs=(k.F32,), fp32_dest_acc=True
    )
    with pytest.raises(mock.KernelCompileError, match="maximum or minimum of rows"):
        pipeline.run(np.zeros((32, 32)))


def test_the_vector_unit_reduces_rows_over_several_tiles(rng: np.random.Generator) -> None:
    a = rng.integers(-99, 99, (32, 32)).astype(np.float32)
    body = """copy_tile(0, 0, 0); copy_tile(0, 0, 1); copy_tile(0, 0, 2);
    sfpu_reduce_init<PoolType::SUM, DataFormat::Float32>();
    sfpu_reduce<PoolType::SUM, DataFormat::Float32, ReduceDim::REDUCE_ROW>(0, 3, 1);"""
    got = k.Pipeline(k.compute_one(body), inputs=(k.BF16,), output=k.F32, fp32_dest_acc=True).run(a)
    np.testing.assert_array_equal(got[:, 0], 3 * a.sum(1))
    assert np.isnan(got[:, 1:]).all()


def test_columns_of_several_tiles_are_refused() -> None:
    body = """copy_tile(0, 0, 0);
    sfpu_reduce_init<PoolType::SUM, DataFormat::Float32>();
    sfpu_reduce<PoolType::SUM, DataFormat::Float32>(0, 2, 1);"""
    with pytest.raises(mock.UndefinedBehavior, match="takes one tile"):
        k.Pipeline(k.compute_one(body), inputs=(k.BF16,), fp32_dest_acc=True).run(
            np.zeros((32, 32))
        )


def test_running_sums_go_on_from_tile_to_tile(rng: np.random.Generator) -> None:
    a = rng.integers(-9, 9, (96, 32)).astype(np.float32)
    body = "copy_tile(0, 0, 0); cumsum_tile_init(); cumsum_tile(0, i == 0);"
    kernel = '#include "api/compute/cumsum.h"\n' + k.compute_one(body, init="")
    kernel = kernel.replace("copy_tile(0, 0, 0);", "copy_init(0); copy_tile(0, 0, 0);")
    got = k.Pipeline(kernel, inputs=(k.BF16,), output=k.F32, fp32_dest_acc=True).run(a)
    np.testing.assert_array_equal(got, np.cumsum(a, 0))


_BROADCASTS = [
    (f"sfpu_{name}_bcast_{shape}", function, shape)
    for name, function in (("add", np.add), ("sub", np.subtract), ("mul", np.multiply))
    for shape in ("col", "row")
]


def broadcast_kernel() -> str:
    """Every operation on tiles 0, 1, 2 of a matrix 96 wide, chosen by a run-time argument."""
    cases = [f"{name}_init(); {name}(0, 1);" for name, _, _ in _BROADCASTS]
    cases += [
        "sfpu_bcast_col_init(); sfpu_normalize_bcast_col(0, 1, 2);",
        "sfpu_bcast_row_init(); sfpu_normalize_bcast_col(0, 1, 2);",
    ]
    text = "\n".join(f"    case {i}: {case} break;" for i, case in enumerate(cases))
    body = f"""for (uint32_t t = 0; t < 3; ++t) {{ copy_tile(0, t, t); }}
    switch (get_arg_val<uint32_t>(1)) {{
{text}
    }}"""
    kernel = '#include "api/compute/sfpu_binary_bcast.h"\n' + k.compute_one(body)
    kernel = kernel.replace("cb_wait_front(0, 1)", "cb_wait_front(0, 3)")
    kernel = kernel.replace("cb_pop_front(0, 1)", "cb_pop_front(0, 3); i += 2")
    packed = "cb_reserve_back(16, 1);", "pack_tile(0, 16);", "cb_push_back(16, 1);"
    for call, repeated in zip(
        packed,
        (
            "cb_reserve_back(16, 3);",
            "for (uint32_t t = 0; t < 3; ++t) { pack_tile(0, 16); }",
            "cb_push_back(16, 3);",
        ),
        strict=True,
    ):
        kernel = kernel.replace(call, repeated)
    return kernel


def _broadcast(index: int, a: Array) -> Array:
    pipeline = k.Pipeline(
        broadcast_kernel(),
        inputs=(k.BF16,),
        output=k.F32,
        fp32_dest_acc=True,
        pages=3,
        compute_args=(index,),
    )
    return pipeline.run(a)[:, :32].astype(np.float32)


@pytest.mark.parametrize("index", range(len(_BROADCASTS)), ids=lambda i: _BROADCASTS[i][0])
def test_the_vector_unit_broadcasts(rng: np.random.Generator, index: int) -> None:
    _, function, shape = _BROADCASTS[index]
    a = k.round_bfloat16(rng.standard_normal((32, 96), dtype=np.float32))
    second = a[:, 32:33] if shape == "col" else a[0:1, 32:64]
    np.testing.assert_array_equal(_broadcast(index, a), function(a[:, :32], second))


def test_the_vector_unit_normalizes(rng: np.random.Generator) -> None:
    a = k.round_bfloat16(rng.standard_normal((32, 96), dtype=np.float32))
    expected = (a[:, :32] - a[:, 32:33]) * a[:, 64:65]
    np.testing.assert_array_equal(_broadcast(len(_BROADCASTS), a), expected)
    with pytest.raises(mock.UndefinedBehavior) as caught:
        _broadcast(len(_BROADCASTS) + 1, a)
    assert caught.value.kind == "missing_init"
