"""All runs of one row of the published tables."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from benchmarks.gemm import generated, hand, ttnn, tuning
from benchmarks.gemm.generated import VARIANTS
from benchmarks.gemm.hand import Config
from benchmarks.gemm.problem import Outcome, Problem
from benchmarks.gemm.published import Row
from tilelang_tt import mock


@dataclass(frozen=True)
class Traffic:
    """What a run moved, in bytes. `busiest` is of the link of the NoC that carried most, and
    `busiest_share` the part of the cycles that it did; `dram_share` is of the peak of all banks."""

    dram: int
    dram_share: float
    links: int
    busiest: int
    busiest_share: float

    @classmethod
    def of(cls, problem: Problem, report: mock.Report) -> Traffic:
        busiest = max(report.links, key=lambda link: link.bytes)
        return cls(
            report.dram_bytes,
            mock.roofline(report, problem.device).dram,
            sum(link.bytes for link in report.links),
            busiest.bytes,
            busiest.busy / report.cycles,
        )


@dataclass(frozen=True)
class Run:
    """What is left of an outcome. `how` names the configuration or the blocks."""

    problem: Problem
    how: str
    cycles: float
    utilisation: float
    traffic: Traffic

    @classmethod
    def of(cls, problem: Problem, how: str, outcome: Outcome) -> Run:
        traffic = Traffic.of(problem, outcome.report)
        return cls(problem, how, outcome.cycles, outcome.utilisation, traffic)


@dataclass(frozen=True)
class Line:
    """One row with its runs.

    `hand` and `ttnn` are the hand-written kernel and ttnn's in the configuration that was measured.
    `dram` is the hand-written one at its best with all operands in DRAM, as `generated` and `plain`
    have them, and `without` by how much the generated one takes longer without a technique.
    """

    row: Row
    hand: Run | None
    ttnn: Run | None
    dram: Run
    generated: Run | None
    plain: Run | None
    without: Mapping[str, float] = field(default_factory=dict)


def measure(row: Row, with_ttnn: bool = True) -> Line:
    """Runs everything."""
    logging.getLogger("tilelang").setLevel(logging.WARNING)  # it tells of each kernel it compiles
    problem = replace(row.problem, place="dram")
    chosen = _generated(problem, None)
    return Line(
        row,
        _published(row, hand.run),
        _published(row, ttnn.run) if with_ttnn else None,
        _by_hand(problem),
        chosen,
        _generated(problem, generated.PLAIN),
        {} if chosen is None else _without(problem, chosen.cycles),
    )


def _published(row: Row, run: Callable[[Problem, Config], Outcome]) -> Run | None:
    if row.config is None:
        return None
    return Run.of(row.problem, row.config.name, run(row.problem, row.config))


@functools.cache
def _by_hand(problem: Problem) -> Run:
    config = tuning.best(problem)
    return Run.of(problem, config.name, hand.run(problem, config))


@functools.cache
def _generated(problem: Problem, blocks: generated.Blocks | None) -> Run | None:
    made = generated.run(problem, blocks)
    return None if made is None else Run.of(problem, made[1].name, made[0])


@functools.cache
def _without(problem: Problem, cycles: float) -> Mapping[str, float]:
    """By how much the generated kernel takes longer than `cycles` without each technique."""
    made = {name: generated.run(problem, None, options) for name, options in VARIANTS.items()}
    return {name: each[0].cycles / cycles for name, each in made.items() if each is not None}
