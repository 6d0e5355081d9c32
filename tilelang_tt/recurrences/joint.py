"""One schedule for all statements of a program: an affine time for each, found by isl's scheduler.

Times are vectors, compared lexicographically. Between instances there are three kinds of
dependence, and what depends on an instance comes after it:

* flow: a block is read after it is published;
* engine: an engine runs its instances one after the other, in the order of the program;
* reuse: block n + depth of a circular buffer is begun after block n is read for the last time.

Instances of one time are a wave: they may run at once. There are two objectives:

* "latency": each instance as early as what it depends on allows (Feautrier's algorithm), so that
  loads run ahead of the products as far as the buffers let them;
* "locality": instances that depend on each other close together (isl's own algorithm), so that
  blocks live shortly.

    for k in range(n):              latency:  load[k]    -> [k]          wave 1: load[1] use[0]
        load(A)    # reader                   use[k]     -> [k + 1]      wave 2: load[2] use[1]
        use(A)     # compute

Statements take one step each here, however long they are, so these schedules say what may overlap;
the clock says what does.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import islpy as isl

from tilelang_tt.plan import Statement
from tilelang_tt.recurrences.clock import Instance, coordinates, instances
from tilelang_tt.recurrences.system import System

Objective = Literal["latency", "locality"]

OBJECTIVES: Mapping[Objective, int] = {
    "latency": isl.schedule_algorithm.FEAUTRIER,
    "locality": isl.schedule_algorithm.ISL,
}
"""What isl's scheduler can aim at."""


@dataclass(frozen=True)
class Wave:
    """Instances of one time."""

    time: tuple[int, ...]
    instances: tuple[Instance, ...]


@dataclass(frozen=True)
class JointSchedule:
    """A time for every instance, by statement."""

    system: System
    times: Mapping[str, isl.Map]

    def time(self, instance: Instance) -> tuple[int, ...]:
        at = isl.Set.from_point(instance.point).apply(self.times[instance.statement.name])
        return coordinates(at.sample_point())

    def waves(self, iterations: int) -> list[Wave]:
        """Those of the first `iterations` of each loop, in their order."""
        found: dict[tuple[int, ...], list[Instance]] = defaultdict(list)
        for instance in instances(self.system, iterations):
            found[self.time(instance)].append(instance)
        return [Wave(time, tuple(found[time])) for time in sorted(found)]

    def in_flight(self, iterations: int) -> dict[str, int]:
        """The most blocks of each buffer that are taken at once in the first iterations: a block is
        taken from the wave that begins it to the last one that reads it."""
        begun: dict[tuple[str, int], int] = {}
        ended: dict[tuple[str, int], int] = {}
        for at, wave in enumerate(self.waves(iterations)):
            for instance in wave.instances:
                for block in (*instance.reserves, *instance.publishes, *instance.reads):
                    begun.setdefault(block, at)
                    ended[block] = at
        most: dict[str, int] = defaultdict(int)
        for (buffer, _), begin in begun.items():
            taken = (
                block
                for block, at in begun.items()
                if block[0] == buffer and at <= begin <= ended[block]
            )
            most[buffer] = max(most[buffer], sum(1 for _ in taken))
        return dict(most)

    def text(self, statement: Statement) -> str:
        """The time of a statement, as isl prints it; "never" for one that does not run."""
        if statement.name not in self.times:
            return "never"
        own = self.times[statement.name].gist_domain(self.system.domain(statement))
        return str(own.coalesce().drop_unused_params())


def joint_schedule(
    system: System, depths: Mapping[str, int], objective: Objective
) -> JointSchedule:
    """The schedule of a system whose circular buffers are so many blocks deep.

    The depths are safe ones (`System.is_safe`): with others there is no schedule.

    Raises:
        ValueError: an unknown objective.
    """
    if objective not in OBJECTIVES:
        raise ValueError(f"{objective!r} is no objective; known are {', '.join(OBJECTIVES)}")
    flow = _union(system.flow(buffer) for buffer in depths)
    reuse = (system.reuse(buffer, depth) for buffer, depth in depths.items())
    engines = dict.fromkeys(each.engine for each in system.schedule.statements)
    dependences = _union([flow, *reuse, *map(system.engine_order, engines)])
    wanted = isl.ScheduleConstraints.on_domain(system.all)
    wanted = wanted.set_validity(dependences).set_proximity(flow)
    with _algorithm(OBJECTIVES[objective]):
        found = wanted.compute_schedule().get_map()
    times = _without_constants(
        {
            each.name: isl.Map.from_union_map(found.intersect_domain(system.instances(each)))
            for each in system.schedule.statements
            if not system.domain(each).is_empty()
        }
    )
    assert _goes_forward(dependences, times), "isl's schedule breaks a dependence"
    return JointSchedule(system, times)


def forbidding(system: System, depths: Mapping[str, int], times: isl.UnionMap) -> isl.UnionMap:
    """The dependences that forbid another order of the instances, as fusing loops or shifting a
    statement by a stage of a pipeline makes one; none where it is legal.

    What is read must be published before, what uses pages again comes after those that read them,
    and the writes of a buffer keep their order: `time(consumer) >= time(producer) + 1`. Engines are
    not held to the order of the program.

    Args:
        system: the statements.
        depths: of the circular buffers, in blocks.
        times: instance -> time, all of one length.
    """
    needed = _union(
        relation
        for buffer, depth in depths.items()
        for relation in (
            system.flow(buffer),
            system.reuse(buffer, depth),
            system.in_order(buffer),
        )
    )
    return needed.subtract(times.lex_lt_union_map(times)).coalesce()


def _goes_forward(dependences: isl.UnionMap, times: Mapping[str, isl.Map]) -> bool:
    time = _union(map(isl.UnionMap.from_map, times.values()))
    steps = dependences.apply_domain(time).apply_range(time)
    space = next(iter(times.values())).range().get_space()
    return steps.is_subset(isl.UnionMap.from_map(isl.Map.lex_lt(space)))


@contextmanager
def _algorithm(algorithm: int) -> Iterator[None]:
    """All statements are scheduled together, though some could run to their end before others."""
    context = isl.DEFAULT_CONTEXT
    before = context.get_schedule_algorithm(), context.get_schedule_whole_component()
    context.set_schedule_algorithm(algorithm)
    context.set_schedule_whole_component(1)
    try:
        yield
    finally:
        context.set_schedule_algorithm(before[0])
        context.set_schedule_whole_component(before[1])


def _without_constants(times: dict[str, isl.Map]) -> dict[str, isl.Map]:
    """Times without the dimensions that are one and the same number for all."""
    out = isl.dim_type.out
    dimensions = max((each.dim(out) for each in times.values()), default=0)
    for at in reversed(range(dimensions)):
        fixed = [each.plain_get_val_if_fixed(out, at) for each in times.values()]
        if all(value.is_int() and value.eq(fixed[0]) for value in fixed):
            times = {name: each.project_out(out, at, 1) for name, each in times.items()}
    return times


def _union(relations: Iterable[isl.UnionMap]) -> isl.UnionMap:
    return functools.reduce(isl.UnionMap.union, relations, isl.UnionMap("{ }"))
