"""Runs as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from benchmarks.gemm.generated import VARIANTS
from benchmarks.gemm.measure import Line, Run
from benchmarks.gemm.problem import Problem

_MEGA = 1e6


def tables(lines: Sequence[Line]) -> Iterator[str]:
    """Three tables and what they come to."""
    yield "## What cards measured, in the configurations that were measured\n"
    yield from _table(_AGAINST_PUBLISHED, [line for line in lines if line.row.tuned])
    yield ""
    yield from _errors(lines)
    yield "\n## The generated kernel and the one by hand, all operands in DRAM\n"
    unique = list({_problem(line): line for line in lines}.values())
    yield from _table(_AGAINST_HAND, unique)
    yield ""
    yield from _ratios(unique)
    yield "\n## What is moved, all operands in DRAM\n"
    yield from _table(_TRAFFIC, unique)


def _problem(line: Line) -> Problem:
    return line.dram.problem


Column = tuple[str, Callable[[Line], str]]


def _table(columns: Sequence[Column], lines: Iterable[Line]) -> Iterator[str]:
    yield "| " + " | ".join(heading for heading, _ in columns) + " |"
    yield "| --- |" + " ---: |" * (len(columns) - 1)
    for line in lines:
        yield "| " + " | ".join(text(line) for _, text in columns) + " |"


def _percent(run: Run | None) -> str:
    return "" if run is None else f"{100 * run.utilisation:.1f}"


def _cycles(run: Run | None) -> str:
    return "" if run is None else f"{run.cycles:.0f}"


def _error(line: Line, run: Run | None) -> float | None:
    return None if run is None else 100 * run.utilisation / line.row.share - 1


def _signed(share: float | None) -> str:
    return "" if share is None else f"{share:+.1%}"


def _ratio(line: Line, run: Run | None) -> str:
    return "" if run is None else f"{run.cycles / line.dram.cycles:.2f}"


def _without(technique: str) -> Column:
    def cell(line: Line) -> str:
        return f"x{line.without[technique]:.2f}" if line.without else ""

    return f"without {technique}", cell


def _compulsory(problem: Problem) -> int:
    """Bytes of A, B and C."""
    m, k, n = problem.tiles
    return (m * k + k * n + m * n) * problem.format.tile_bytes


def _moved(name: str, run_of: Callable[[Line], Run | None]) -> tuple[Column, ...]:
    def column(heading: str, text: Callable[[Run], str]) -> Column:
        def cell(line: Line) -> str:
            run = run_of(line)
            return "" if run is None else text(run)

        return f"{name}: {heading}", cell

    return (
        column("DRAM MB", lambda run: f"{run.traffic.dram / _MEGA:.1f}"),
        column("of A, B, C", lambda run: f"x{run.traffic.dram / _compulsory(run.problem):.1f}"),
        column("KB a core", lambda run: f"{run.traffic.dram / len(run.problem.cores) / 1e3:.0f}"),
        column("DRAM busy", lambda run: f"{run.traffic.dram_share:.0%}"),
        column("links MB", lambda run: f"{run.traffic.links / _MEGA:.0f}"),
        column("busiest link", lambda run: f"{run.traffic.busiest_share:.0%}"),
    )


_AGAINST_PUBLISHED: tuple[Column, ...] = (
    ("problem", lambda line: line.row.problem.name),
    ("published %", lambda line: f"{line.row.share:.1f}"),
    ("ttnn's kernels %", lambda line: _percent(line.ttnn)),
    ("error", lambda line: _signed(_error(line, line.ttnn))),
    ("by hand %", lambda line: _percent(line.hand)),
    ("to published", lambda line: _signed(_error(line, line.hand))),
    ("configuration", lambda line: "" if line.hand is None else line.hand.how),
)
_AGAINST_HAND: tuple[Column, ...] = (
    ("problem", lambda line: _problem(line).name),
    ("by hand, cycles", lambda line: _cycles(line.dram)),
    ("%", lambda line: _percent(line.dram)),
    ("generated, cycles", lambda line: _cycles(line.generated)),
    ("%", lambda line: _percent(line.generated)),
    ("to hand", lambda line: _ratio(line, line.generated)),
    ("plain to hand", lambda line: _ratio(line, line.plain)),
    *(_without(technique) for technique in VARIANTS),
    ("blocks by hand", lambda line: line.dram.how),
    ("generated", lambda line: "" if line.generated is None else line.generated.how),
)
_TRAFFIC: tuple[Column, ...] = (
    ("problem", lambda line: _problem(line).name),
    *_moved("hand", lambda line: line.dram),
    *_moved("generated", lambda line: line.generated),
)


def _errors(lines: Sequence[Line]) -> Iterator[str]:
    for name, run_of in (
        ("The kernel by hand", lambda line: line.hand),
        ("ttnn's kernels", lambda line: line.ttnn),
    ):
        errors = [abs(e) for line in lines if (e := _error(line, run_of(line))) is not None]
        if errors:
            mean = sum(errors) / len(errors)
            yield f"{name}: {len(errors)} rows, mean error {mean:.1%}, worst {max(errors):.1%}.\n"


def _ratios(lines: Sequence[Line]) -> Iterator[str]:
    ratios = [line.generated.cycles / line.dram.cycles for line in lines if line.generated]
    if ratios:
        yield (
            f"Generated to hand-written: {len(ratios)} problems, from {min(ratios):.2f} to "
            f"{max(ratios):.2f}."
        )
