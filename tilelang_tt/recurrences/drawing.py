"""Drawings of programs: the flow of data as a graph, what runs when as a plot, and what may run at
once as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tilelang_tt.diagnostics import NoMatplotlib
from tilelang_tt.plan import CircularBuffer, Plan, Statement
from tilelang_tt.recurrences.clock import Clock, Run
from tilelang_tt.recurrences.joint import JointSchedule, Objective, joint_schedule
from tilelang_tt.recurrences.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ENGINES = ("reader", "compute", "writer")
_ITERATIONS = 4  # of each loop
_MOST_WAVES = 40
_LABELLED = 0.04  # of the width of a plot: what is shorter has no room for its name


def dot(plans: Sequence[Plan]) -> str:
    """The flow of data in programs that run one after the other, in Graphviz's language.

    Boxes are statements with their domains, grouped by engine; ellipses are circular buffers with
    their depths. An edge to a reader says which instance makes the block that it takes.
    """
    lines = ["digraph {", "  rankdir=LR", "  node [fontname=monospace, fontsize=10]"]
    lines.append("  edge [fontname=monospace, fontsize=8]")
    for number, plan in enumerate(plans):
        lines.append(f"  subgraph cluster_{number} {{")
        lines.append(f"    label={_quoted(plan.name)}")
        lines += [f"    {line}" for line in _program(plan, f"p{number}_")]
        lines.append("  }")
    return "\n".join([*lines, "}", ""])


def _program(plan: Plan, prefix: str) -> Iterator[str]:
    system = System(plan.schedule)
    for engine in _ENGINES:
        yield f"subgraph cluster_{prefix}{engine} {{"
        yield f"  label={engine}"
        for each in plan.schedule.statements:
            if each.engine == engine:
                text = [f"{each.name}: {each.result}", each.source, str(system.domain(each))]
                yield f"  {prefix}{each.name} [shape=box, label={_lines(text)}]"
        yield "}"
    for cb in plan.circular_buffers:
        yield from _buffer(cb, plan, system, prefix)
    if plan.schedule.unknowns:
        text = [f"{each.name} = {each.text}" for each in plan.schedule.unknowns]
        yield f"{prefix}unknowns [shape=note, label={_lines(text)}]"


def _buffer(cb: CircularBuffer, plan: Plan, system: System, prefix: str) -> Iterator[str]:
    node = _quoted(f"{prefix}cb{cb.index}")
    size = f"{cb.block_pages} tiles of {cb.dtype}"
    text = [cb.name, size, f"depth {cb.depth}, least {cb.least_depth}"]
    yield f"{node} [shape=ellipse, label={_lines(text)}]"
    flow = system.flow(cb.name)
    doubt = [] if system.is_exact(cb.name) else ["or from an earlier iteration"]
    for each in plan.schedule.statements:
        if each.result == cb.name:
            style = "" if cb.name in each.publishes else " [style=dashed]"
            yield f"{prefix}{each.name} -> {node}{style}"
        if cb.name in each.reads:
            maps = system.texts(flow.intersect_range(system.instances(each)))
            yield f"{node} -> {prefix}{each.name} [label={_lines([*maps, *doubt])}]"


def _lines(texts: Sequence[str]) -> str:
    r"""A label of several lines, each on the left: \l is Graphviz's end of a line."""
    return '"' + "".join(_quoted(text)[1:-1] + r"\l" for text in texts if text) + '"'


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


def plot(plans: Sequence[Plan], path: str | Path) -> None:
    """Write a picture of the first iterations of each loop, by estimated cycles: what each engine
    runs when, and how many blocks of each circular buffer are taken.

    Args:
        plans: programs that run one after the other.
        path: of a format that matplotlib writes, by its suffix.

    Raises:
        NoMatplotlib: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NoMatplotlib.because(why=error) from error
    heights = [rows for plan in plans for rows in (3, len(plan.circular_buffers))]
    figure = Figure(figsize=(14, 1 + 0.45 * sum(heights)), layout="constrained")
    axes = figure.subplots(len(heights), squeeze=False, height_ratios=heights)[:, 0]
    for number, plan in enumerate(plans):
        depths = {cb.name: cb.depth for cb in plan.circular_buffers}
        run = Clock(System(plan.schedule), _ITERATIONS).run(depths)
        _plot_engines(axes[2 * number], plan, run)
        _plot_buffers(axes[2 * number + 1], plan, run)
    figure.savefig(path)


def waves(plans: Sequence[Plan], objective: Objective) -> str:
    """The affine time of each statement in one schedule of all, and what may run at once in the
    first iterations of each loop."""
    return "\n\n".join("\n".join(_waves(plan, objective)) for plan in plans)


def _waves(plan: Plan, objective: Objective) -> Iterator[str]:
    depths = {cb.name: cb.depth for cb in plan.circular_buffers}
    found = joint_schedule(System(plan.schedule), depths, objective)
    yield f"{plan.name}: one schedule for all statements, {objective}"
    for each in plan.schedule.statements:
        yield f"  {each.name:4} {each.engine:8} {each.result:14} {found.text(each)}"
    yield from _table(found)
    yield f"blocks in flight, of the depth, in the first {_ITERATIONS} iterations of each loop"
    for buffer, blocks in found.in_flight(_ITERATIONS).items():
        yield f"  {buffer:14} {blocks} of {depths[buffer]}"


def _table(found: JointSchedule) -> Iterator[str]:
    yield f"the first {_MOST_WAVES} waves"
    for wave in found.waves(_ITERATIONS)[:_MOST_WAVES]:
        time = ", ".join(map(str, wave.time))
        names = (f"{each.statement.name}{list(each.iterations)}" for each in wave.instances)
        yield f"  [{time}]  {'  '.join(names)}"


def _plot_engines(axes: Axes, plan: Plan, run: Run) -> None:
    colours = {each.name: f"C{at % 10}" for at, each in enumerate(plan.schedule.statements)}
    for step in run.steps:
        row, length = _ENGINES.index(step.statement.engine), step.end - step.begin
        colour = colours[step.statement.name]
        axes.broken_barh([(step.begin, length)], (row - 0.4, 0.8), facecolor=colour, edgecolor="w")
        if length > _LABELLED * run.cycles:
            middle = step.begin + length / 2
            axes.text(middle, row, _label(step.statement), ha="center", va="center", fontsize=7)
    axes.set_title(f"{plan.name}: the first {_ITERATIONS} iterations of each loop")
    axes.set_yticks(range(len(_ENGINES)), _ENGINES)
    axes.set_xlim(0, run.cycles)
    axes.invert_yaxis()


def _label(statement: Statement) -> str:
    return f"{statement.name} {statement.result}"


def _plot_buffers(axes: Axes, plan: Plan, run: Run) -> None:
    """A row for each buffer, its blocks in flight as the height of what is filled."""
    names = []
    for row, cb in enumerate(plan.circular_buffers):
        changes = run.in_flight(cb.name)
        times = [time for time, _ in changes] + [run.cycles]
        heights = [row - 0.4 + 0.8 * blocks / cb.depth for _, blocks in changes]
        axes.fill_between(
            times, row - 0.4, [*heights, heights[-1]], step="post", color=f"C{row % 10}"
        )
        names.append(f"{cb.name} (0 to {cb.depth})")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.5, len(names) - 0.5)
    axes.set_xlim(0, run.cycles)
    axes.set_xlabel("cycles (estimate)")
    axes.set_title("blocks in flight")
