"""Which configuration of the hand-written kernel is the best for a problem, out of a few."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from benchmarks.gemm import hand
from benchmarks.gemm.hand import Config
from benchmarks.gemm.problem import Outcome, Problem

_MOST_INNER = 8  # tiles; longer blocks only lengthen the first read
_LEAST_INNER = 4  # tiles; shorter ones spend their time packing
_SAMPLE = 1 << 16  # tile products that are enough to tell configurations apart


def best(problem: Problem) -> Config:
    """The candidate with the highest utilisation, of the problem or of one with a shorter inner
    dimension that takes the mock less time; then the senders and the NoC with the fewest cycles."""

    def run(config: Config) -> Outcome:
        return hand.run(shortened(problem, config.inner), config)

    found = list(candidates(problem))
    chosen = max(found, key=lambda config: run(config).utilisation) if len(found) > 1 else found[0]
    placed = (chosen, replace(chosen, diagonal=True), replace(chosen, diagonal=True, noc=1))
    return min(placed, key=lambda config: run(config).cycles)


def candidates(problem: Problem) -> Iterator[Config]:
    """Output blocks as large as L1 allows, then a few lengths and numbers of operand blocks."""
    k, columns = problem.tiles[1], problem.grid[0]
    inner = k // columns if problem.place == "l1" else k
    lengths = [length for length in range(_MOST_INNER, 0, -1) if inner % length == 0]
    lengths = [length for length in lengths if length >= min(_LEAST_INNER, lengths[0] // 2)]
    small = problem.products <= _SAMPLE
    for rows, width in _output_blocks(problem):
        sub = hand.subblock(rows, width)
        fitting = [
            config
            for depth, most in (((2, 3), (3, 2)) if small else ((2, 2), (3, 1)))
            for config in _fitting(problem, Config(rows, width, 0, sub, depth), lengths)[:most]
        ]
        if fitting:
            yield from fitting
            return


def _fitting(problem: Problem, config: Config, lengths: list[int]) -> list[Config]:
    """The configuration with those of the lengths of blocks that L1 has room for."""
    every = (replace(config, inner=length) for length in lengths)
    return [each for each in every if hand.fits(problem, each)]


def shortened(problem: Problem, inner: int) -> Problem:
    """The problem with few enough products, still whole blocks of `inner` tiles on each core."""
    m, k, n = problem.tiles
    step = inner * (problem.grid[0] if problem.place == "l1" else 1)
    wanted = max(_SAMPLE // (m * n), 3 * inner)
    blocks = min(k // step, math.ceil(wanted / step))
    return replace(problem, k=32 * step * blocks)


def _output_blocks(problem: Problem) -> list[tuple[int, int]]:
    """Rows and columns that divide what a core has, the largest and squarest first."""
    rows, columns = problem.tiles[0] // problem.grid[1], problem.tiles[2] // problem.grid[0]
    if problem.place == "l1":
        return [(rows, columns)]
    pairs = [
        (r, c)
        for r in range(1, rows + 1)
        if rows % r == 0
        for c in range(1, columns + 1)
        if columns % c == 0
    ]
    return sorted(pairs, key=lambda pair: (-pair[0] * pair[1], abs(pair[0] - pair[1])))
