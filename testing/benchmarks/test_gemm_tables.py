"""The rows of the GEMM benchmark: what was measured, what is tried, what is printed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.gemm import generated, hand, ttnn, tuning
from benchmarks.gemm.hand import Config
from benchmarks.gemm.measure import measure
from benchmarks.gemm.problem import Problem
from benchmarks.gemm.published import Row, rows
from benchmarks.gemm.tables import tables

ROWS = list(rows())
TUNED = [row for row in ROWS if row.tuned]
TINY = Problem("WH", (2, 2), 128, 128, 128)


def name(row: Row) -> str:
    return row.problem.name


@pytest.mark.parametrize("row", TUNED, ids=name)
def test_what_was_measured_fits_the_chip(row: Row) -> None:
    config = row.config
    assert config is not None
    assert hand.fits(row.problem, config)


def test_what_was_measured_is_what_the_benchmark_chose() -> None:
    chosen = {row.problem.name: row.config for row in TUNED}
    assert chosen["WH 8x8 bf16 HiFi4 3072x3072x3072, L1"] == Config(12, 12, 3, (1, 6))
    assert chosen["WH 8x8 bf16 HiFi4 4096x4096x4096"] == Config(8, 8, 16, (4, 2))
    assert chosen["WH 8x8 bfp4 LoFi 4096x4096x4096, L1"] == Config(16, 16, 8, (1, 8))
    assert chosen["BH 13x10 bf16 HiFi2 4160x4160x4160"] == Config(13, 10, 10, (1, 5))
    assert [row.config for row in ROWS if not row.tuned] == [None] * 8


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_candidates_fit_and_are_tried_on_whole_blocks(row: Row) -> None:
    found = list(tuning.candidates(row.problem))
    assert 1 <= len(found) <= 5
    for config in found:
        assert hand.fits(row.problem, config)
        sample = tuning.shortened(row.problem, config.inner)
        assert hand.fits(sample, config)
        assert sample.products <= row.problem.products


@pytest.mark.parametrize("row", [row for row in ROWS if row.problem.dtype == "bf16"], ids=name)
def test_blocks_of_the_generated_kernel_divide_the_problem(row: Row) -> None:
    problem = row.problem
    tried = list(generated.sensible(problem))
    assert len(set(tried)) == len(tried)
    for blocks in tried:
        assert problem.m % blocks.m == problem.n % blocks.n == problem.k % blocks.k == 0
        assert blocks.m % 32 == blocks.n % 32 == blocks.k % 32 == 0


def test_ttnn_and_the_kernel_by_hand_do_the_same_work() -> None:
    for problem, config in (
        (TINY, Config(1, 1, 1, (1, 1))),
        (replace(TINY, place="l1"), Config(2, 2, 1, (1, 2))),
        (replace(TINY, place="l1", dtype="bfp8"), Config(2, 2, 2, (1, 2))),
    ):
        ours, theirs = (each.run(problem, config).report for each in (hand, ttnn))
        assert ours.tile_products == theirs.tile_products == problem.products


def test_a_row_is_printed_in_all_tables() -> None:
    lines = [
        measure(Row(TINY, 50.0), with_ttnn=False),
        measure(Row(replace(TINY, dtype="bfp8"), 50.0, tuned=False), with_ttnn=False),
    ]
    text = "\n".join(tables(lines))
    published, compared, moved = text.split("\n## ")
    assert published.count("WH 2x2 bf16 HiFi4 128x128x128") == 1
    assert "bfp8" not in published  # nobody knows how it was run
    for part in (compared, moved):
        assert part.count("WH 2x2 bf16 HiFi4 128x128x128") == 1
        assert part.count("WH 2x2 bfp8 HiFi4 128x128x128") == 1
    assert "The kernel by hand: 1 rows" in text
    assert "Generated to hand-written: 1 problems" in text
