"""Matrix products and reductions against numpy, and what fidelity and accumulation do to them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from testing.mock import kernels as k
from testing.mock import matmuls as m
from testing.reference.bounded import TF32_CUT

Array = npt.NDArray[np.float32]
ARCHS = ("wormhole_b0", "blackhole")


def operands(rng: np.random.Generator, rows: int, inner: int, columns: int) -> tuple[Array, Array]:
    a = k.round_bfloat16(rng.standard_normal((rows, inner), dtype=np.float32))
    b = k.round_bfloat16(rng.standard_normal((inner, columns), dtype=np.float32))
    return a, b


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("compute", [m.BLOCKS, m.TILES], ids=["blocks", "tiles"])
def test_product_with_float32_accumulation(
    rng: np.random.Generator, arch: str, compute: str
) -> None:
    a, b = operands(rng, 128, 96, 128)
    got = m.Matmul(compute, sub=2, arch=arch, fp32_dest_acc=True, output=k.F32).run(a, b)
    np.testing.assert_allclose(got, a.astype(np.float64) @ b, rtol=1e-5, atol=1e-5)


def test_a_16_bit_register_rounds_each_step(rng: np.random.Generator) -> None:
    a, b = operands(rng, 64, 256, 64)
    exact = a.astype(np.float64) @ b
    narrow = np.abs(m.Matmul().run(a, b) - exact).max()
    wide = np.abs(m.Matmul(fp32_dest_acc=True).run(a, b) - exact).max()
    assert wide < narrow < 2.0**-5 * np.abs(exact).max()


@pytest.mark.parametrize("output", [k.F32, k.BF16], ids=lambda f: f.name)
def test_the_packer_accumulates_in_l1(rng: np.random.Generator, output: k.formats.Format) -> None:
    a, b = operands(rng, 64, 160, 64)
    got = m.Matmul(m.L1_ACCUMULATION, fp32_dest_acc=True, output=output).run(a, b)
    exact = a.astype(np.float64) @ b
    bound = 1e-5 if output is k.F32 else 2.0**-6
    assert np.abs(got - exact).max() <= bound * np.abs(exact).max()


def test_fidelity_limits_what_the_multiplier_sees(rng: np.random.Generator) -> None:
    a, b = operands(rng, 64, 64, 64)
    exact = a.astype(np.float64) @ b
    errors = [
        float(
            np.abs(m.Matmul(fidelity=f, fp32_dest_acc=True, output=k.F32).run(a, b) - exact).max()
        )
        for f in ("LoFi", "HiFi2", "HiFi3", "HiFi4")
    ]
    assert errors[0] > 4 * errors[1] > 4 * errors[2]
    assert errors[3] < 1e-4


def test_lofi_product_truncates_five_and_seven_bits() -> None:
    a = np.full((32, 32), 1 + 2.0**-7, np.float32)
    compute = k.compute_two("mul_init(0, 1);", "mul_tiles(0, 1, 0, 0, 0);")
    results = {
        fidelity: k.Pipeline(compute, fidelity=fidelity, output=k.F32, fp32_dest_acc=True).run(
            a, a
        )[0, 0]
        for fidelity in ("LoFi", "HiFi2", "HiFi3", "HiFi4")
    }
    assert results == {
        "LoFi": 1.0,
        "HiFi2": 1 + 2.0**-7,
        "HiFi3": 1 + 2.0**-6,
        "HiFi4": (1 + 2.0**-7) ** 2,
    }


def test_float32_operands_lose_bits(rng: np.random.Generator) -> None:
    a = rng.standard_normal((64, 64), dtype=np.float32)
    b = rng.standard_normal((64, 64), dtype=np.float32)
    got = m.Matmul(fp32_dest_acc=True, input=k.F32, output=k.F32).run(a, b)
    error = np.abs(got - a.astype(np.float64) @ b).max()
    assert 1e-4 < error < 64 * 8 * TF32_CUT


REDUCTIONS = {
    "REDUCE_ROW": (1, (slice(None), slice(0, None, 32))),
    "REDUCE_COL": (0, (slice(0, None, 32), slice(None))),
}


@pytest.mark.parametrize("dim", REDUCTIONS)
@pytest.mark.parametrize("pool", ["SUM", "MAX"])
def test_tiles_are_reduced(rng: np.random.Generator, dim: str, pool: str) -> None:
    a = rng.integers(-8, 8, (64, 96)).astype(np.float32) - 10
    ones = np.ones_like(a)
    template = f"<PoolType::{pool}, ReduceDim::{dim}>"
    compute = k.compute_two(
        f"reduce_init{template}(0, 1, 16);", f"reduce_tile{template}(0, 1, 0, 0, 0);"
    )
    got = k.Pipeline(compute, fp32_dest_acc=True, output=k.F32).run(a, ones)
    axis, where = REDUCTIONS[dim]
    tiles = a.reshape(2, 32, 3, 32)
    reduce = np.max if pool == "MAX" else np.sum
    expected = np.zeros_like(a)
    expected[where] = reduce(tiles, axis=2 * axis + 1).reshape(expected[where].shape)
    np.testing.assert_array_equal(got, expected)


def test_the_reduction_mask_ends_with_its_uninit(rng: np.random.Generator) -> None:
    a = rng.integers(-8, 8, (32, 32)).astype(np.float32)
    template = "<PoolType::SUM, ReduceDim::REDUCE_ROW>"
    body = f"""reduce_init{template}(0, 1, 16);
    reduce_tile{template}(0, 1, 0, 0, 0);
    reduce_uninit();
    copy_init(0);
    copy_tile(0, 0, 0);"""
    np.testing.assert_array_equal(k.Pipeline(k.compute_two("", body)).run(a, np.ones_like(a)), a)
