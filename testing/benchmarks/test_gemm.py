"""The hand-written GEMM computes products, on both chips, in every configuration of its knobs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.gemm import hand
from benchmarks.gemm.hand import Config
from benchmarks.gemm.problem import Problem
from tilelang_tt import formats, mock
from tilelang_tt.mock import layouts

F32 = formats.BY_NAME["Float32"]
SMALL = Problem("WH", (2, 2), 128, 256, 256)
WIDE = Problem("WH", (3, 2), 128, 192, 384)


def encode(values: np.ndarray, format_: formats.Format) -> np.ndarray:
    """Tiles of a float32 matrix, rounded to the format."""
    if not format_.block_bits:
        return layouts.tilize(values, format_)
    rows = layouts.tilize(values, F32).view(np.float32).reshape(-1, 64, 16).astype(np.float64)
    largest = np.abs(rows).max(-1, keepdims=True)
    exponents = np.floor(np.log2(np.where(largest > 0, largest, 1)))
    bits = format_.block_bits - 1
    magnitude = np.minimum(np.abs(rows) / 2.0 ** (exponents - bits + 1) + 0.5, 2**bits - 1)
    elements = (magnitude.astype(np.uint8) | ((rows < 0) << bits)).astype(np.uint8)
    tiles = len(elements)
    if format_.block_bits == 4:
        elements = elements.reshape(tiles, -1, 2)
        elements = elements[..., 0] | elements[..., 1] << 4
    biased = (exponents + 127).astype(np.uint8)
    return np.concatenate([biased.reshape(tiles, -1), elements.reshape(tiles, -1)], 1).reshape(-1)


def decode(data: np.ndarray, format_: formats.Format, shape: tuple[int, int]) -> np.ndarray:
    """The inverse of `encode`."""
    if not format_.block_bits:
        return np.asarray(layouts.untilize(data, format_, shape))
    tiles = data.reshape(-1, format_.tile_bytes)
    elements = tiles[:, 64:]
    if format_.block_bits == 4:
        elements = np.stack([elements & 15, elements >> 4], -1)
    elements = elements.reshape(-1, 64, 16)
    bits = format_.block_bits - 1
    scale = 2.0 ** (tiles[:, :64, None].astype(np.float64) - 127 - bits + 1)
    values = (elements & (2**bits - 1)) * scale * np.where(elements >> bits, -1, 1)
    flat = values.astype(np.float32).reshape(-1).view(np.uint8)
    return np.asarray(layouts.untilize(flat, F32, shape))


def error(problem: Problem, config: Config) -> float:
    """The largest error of a run, relative to the largest value."""
    rng = np.random.default_rng(7)
    a, b = (
        encode(rng.standard_normal(shape, dtype=np.float32), problem.format)
        for shape in ((problem.m, problem.k), (problem.k, problem.n))
    )
    c = np.zeros(problem.tiles[0] * problem.tiles[2] * problem.format.tile_bytes, np.uint8)
    tensors = hand.buffers(problem, config, a, b, c)
    hand.program(problem, config, tensors).build().run(tensors)
    wanted = decode(a, problem.format, (problem.m, problem.k)).astype(np.float64) @ decode(
        b, problem.format, (problem.k, problem.n)
    )
    got = decode(c, problem.format, (problem.m, problem.n))
    return float(np.abs(got - wanted).max() / np.abs(wanted).max())


@pytest.mark.parametrize("arch", ["WH", "BH"])
@pytest.mark.parametrize(
    "problem, config",
    [
        pytest.param(SMALL, Config(2, 4, 2, (2, 2)), id="sum in place"),
        pytest.param(SMALL, Config(2, 2, 2, (2, 2)), id="sum in the register, two blocks"),
        pytest.param(SMALL, Config(1, 2, 1, (1, 1)), id="four output blocks"),
        pytest.param(SMALL, Config(2, 4, 8, (2, 4)), id="one inner block"),
        pytest.param(SMALL, Config(2, 4, 8, (1, 2)), id="one inner block of subblocks"),
        pytest.param(SMALL, Config(2, 4, 2, (1, 4), depth=3), id="reads ahead"),
        pytest.param(SMALL, Config(2, 4, 2, (2, 1), depth=1), id="no double buffer"),
        pytest.param(SMALL, Config(2, 4, 2, (2, 2), multicast=False), id="no multicast"),
        pytest.param(WIDE, Config(2, 4, 1, (2, 4)), id="three columns of cores"),
        pytest.param(WIDE, Config(2, 4, 1, (2, 4), noc=1), id="the other NoC"),
        pytest.param(
            WIDE, Config(2, 4, 2, (2, 2), depth=3, diagonal=True), id="senders on the diagonal"
        ),
        pytest.param(
            dataclasses.replace(WIDE, grid=(1, 1)), Config(2, 4, 2, (2, 4), depth=3), id="one core"
        ),
        pytest.param(
            dataclasses.replace(SMALL, place="l1"), Config(2, 4, 4, (2, 2)), id="whole shards"
        ),
        pytest.param(
            dataclasses.replace(SMALL, place="l1"), Config(2, 4, 2, (2, 2)), id="parts of shards"
        ),
        pytest.param(
            dataclasses.replace(SMALL, place="l1"),
            Config(2, 4, 2, (2, 2), multicast=False),
            id="each core reads the shards of the others",
        ),
        pytest.param(
            dataclasses.replace(SMALL, place="l1", grid=(1, 2)),
            Config(2, 8, 2, (2, 2)),
            id="shards of one column",
        ),
    ],
)
def test_products_are_right(arch: str, problem: Problem, config: Config) -> None:
    assert error(dataclasses.replace(problem, arch=arch), config) < 2**-6


@pytest.mark.parametrize("arch", ["WH", "BH"])
@pytest.mark.parametrize("place", ["dram", "l1"])
@pytest.mark.parametrize("dtype, limit", [("bfp8", 2**-5), ("bfp4", 2**-2)])
def test_block_formats_are_summed_in_bfloat16(arch, place, dtype, limit) -> None:
    problem = dataclasses.replace(SMALL, arch=arch, place=place, dtype=dtype, fidelity="HiFi2")
    assert error(problem, Config(2, 4, 2, (2, 2))) < limit
    assert error(problem, Config(2, 4, 4, (1, 4), depth=1)) < limit


@pytest.mark.parametrize(
    "problem, config, complaint",
    [
        (SMALL, Config(3, 4, 2, (1, 4)), "4 rows of A are no multiple of 6"),
        (SMALL, Config(2, 3, 2, (1, 3)), "8 columns of B are no multiple of 6"),
        (SMALL, Config(2, 4, 3, (2, 2)), "8 inner tiles are no multiple of 3"),
        (SMALL, Config(2, 4, 2, (2, 3)), "4 columns of a block are no multiple of 3"),
        (SMALL, Config(4, 4, 2, (4, 4)), "4 rows of A are no multiple of 8"),
        (dataclasses.replace(SMALL, m=256), Config(4, 4, 2, (4, 4)), "a subblock of 4x4 tiles"),
        (dataclasses.replace(SMALL, place="l1"), Config(1, 4, 2, (1, 4)), "is one block"),
        (
            dataclasses.replace(SMALL, place="l1"),
            Config(2, 4, 8, (2, 2)),
            "4 inner tiles of a shard are no multiple of 8",
        ),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(problem, config, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        hand.run(problem, config)


def test_each_technique_pays() -> None:
    """On a product that is large enough to be bound by arithmetic with all of them."""
    problem = Problem("WH", (4, 4), 1024, 1024, 1024, fidelity="HiFi2")
    best = hand.run(problem, Config(8, 8, 4, (2, 4))).cycles
    for config in (
        Config(8, 8, 4, (2, 4), multicast=False),
        Config(8, 8, 4, (2, 4), depth=1),
        Config(8, 8, 4, (1, 1)),
    ):
        assert hand.run(problem, config).cycles > 1.05 * best


def test_utilisation_is_that_of_the_math_thread() -> None:
    problem = Problem("BH", (2, 2), 128, 256, 256, fidelity="HiFi2")
    outcome = hand.run(problem, Config(2, 4, 2, (2, 4)))
    assert problem.ideal_cycles == 4 * 8 * 8 * 32 / 4
    math = outcome.report.engine("math").finished
    assert outcome.utilisation == problem.ideal_cycles / math
    assert isinstance(outcome.report, mock.Report)
