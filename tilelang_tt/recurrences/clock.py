"""When the statements of a program run, by their estimated cycles.

Every loop is cut to a few iterations, which show its beginning and its steady state. Each engine
runs its instances one after the other; one waits until the blocks it reads are published, and until
the blocks it makes have room.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import islpy as isl

from tilelang_tt.plan import Statement
from tilelang_tt.recurrences.system import System

SENT_AHEAD = 3
"""Blocks of which one can be read while another is sent on to other cores and one is used."""

_LARGE = 2**20  # more than the iterations that are looked at
_MOST_INSTANCES = 3000


@dataclass(frozen=True)
class Step:
    """An instance, at one time of the program, in cycles."""

    statement: Statement
    time: tuple[int, ...]
    begin: float
    end: float


@dataclass(frozen=True)
class Block:
    """The pages of one block of a circular buffer are taken from `begin` to `end`."""

    buffer: str
    begin: float
    end: float


@dataclass(frozen=True)
class Run:
    """What the engines did. `is_stuck` where they wait for each other."""

    steps: tuple[Step, ...]
    blocks: tuple[Block, ...]
    is_stuck: bool

    @property
    def cycles(self) -> float:
        return max((step.end for step in self.steps), default=0.0)

    def in_flight(self, buffer: str) -> list[tuple[float, int]]:
        """How many blocks of a buffer are taken, from each time at which that changes."""
        changes: dict[float, int] = defaultdict(int)
        for block in self.blocks:
            if block.buffer == buffer:
                changes[block.begin] += 1
                changes[block.end] -= 1
        levels, level = [(0.0, 0)], 0
        for time in sorted(changes):
            level += changes[time]
            levels.append((time, level))
        return levels


class Clock:
    """Times of the first `iterations` of each loop of a system, of fewer where loops nest deep."""

    def __init__(self, system: System, iterations: int) -> None:
        self._queues: dict[str, list[Instance]] = defaultdict(list)
        for instance in instances(system, iterations):
            self._queues[instance.statement.engine].append(instance)

    def run(self, depths: Mapping[str, int]) -> Run:
        """What happens with circular buffers of these depths, in blocks."""
        running = _Running(depths)
        at = dict.fromkeys(self._queues, 0)
        goes_on = True
        while goes_on:
            goes_on = False
            for engine, queue in self._queues.items():
                while at[engine] < len(queue) and running.goes(engine, queue[at[engine]]):
                    at[engine] += 1
                    goes_on = True
        is_stuck = any(at[engine] < len(queue) for engine, queue in self._queues.items())
        blocks = tuple(
            Block(buffer, begin, running.released.get((buffer, number), running.cycles))
            for (buffer, number), begin in running.reserved.items()
        )
        return Run(tuple(running.steps), blocks, is_stuck)


_Block = tuple[str, int]


@dataclass(eq=False)
class Instance:
    """A statement in one iteration of its loops, at one time of the program.

    Blocks are (buffer, number), counted from 0. `releases` are those that nobody uses later.
    """

    statement: Statement
    point: isl.Point
    time: tuple[int, ...]
    reserves: list[_Block] = field(default_factory=list)
    publishes: list[_Block] = field(default_factory=list)
    reads: list[_Block] = field(default_factory=list)
    releases: list[_Block] = field(default_factory=list)

    @property
    def iterations(self) -> tuple[int, ...]:
        return self.time[1::2]


def instances(system: System, iterations: int) -> list[Instance]:
    """The first `iterations` of each loop, of fewer where loops nest deep, in the order of the
    program."""
    levels = [len(each.loops) for each in system.schedule.statements]
    while iterations > 2 and sum(iterations**level for level in levels) > _MOST_INSTANCES:
        iterations -= 1
    found = sorted(_instances(system, iterations), key=lambda each: each.time)
    _link(found)
    return found


@dataclass
class _Running:
    depths: Mapping[str, int]
    free: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    reserved: dict[_Block, float] = field(default_factory=dict)
    published: dict[_Block, float] = field(default_factory=dict)
    released: dict[_Block, float] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    @property
    def cycles(self) -> float:
        return max(self.free.values(), default=0.0)

    def goes(self, engine: str, instance: Instance) -> bool:
        """Run the next instance of an engine, if all that it waits for has a time."""
        begin = self.free[engine]
        for block in instance.reads:
            if block not in self.published:
                return False
            begin = max(begin, self.published[block])
        for buffer, number in instance.reserves:
            before = (buffer, number - self.depths[buffer])
            if before[1] >= 0:
                if before not in self.released:
                    return False
                begin = max(begin, self.released[before])
        self._run(engine, instance, begin)
        return True

    def _run(self, engine: str, instance: Instance, begin: float) -> None:
        end = begin + self._cycles(instance.statement)
        self.free[engine] = end
        self.reserved.update(dict.fromkeys(instance.reserves, begin))
        self.published.update(dict.fromkeys(instance.publishes, end))
        self.released.update(dict.fromkeys(instance.releases, end))
        self.steps.append(Step(instance.statement, instance.time, begin, end))

    def _cycles(self, statement: Statement) -> float:
        is_ahead = all(self.depths[buffer] >= SENT_AHEAD for buffer in statement.reserves)
        join = max if is_ahead else sum
        return join((statement.cycles, statement.send_cycles))


def _parameters(system: System) -> isl.Set:
    """One value of each parameter, with which as many statements run as can, and that is large."""
    values = isl.Set("{ : }")
    for statement in system.schedule.statements:
        values = _narrowed(values, system.domain(statement).params())
    for name in values.get_var_names(isl.dim_type.param):
        values = _narrowed(values, isl.Set(f"[{name}] -> {{ : {name} >= {_LARGE} }}"))
    return isl.Set.from_point(values.sample_point())


def _narrowed(values: isl.Set, wanted: isl.Set) -> isl.Set:
    """`values` that are `wanted`, if there are any."""
    both = values.intersect(wanted)
    return values if both.is_empty() else both


def _instances(system: System, iterations: int) -> Iterator[Instance]:
    parameters = _parameters(system)
    for statement in system.schedule.statements:
        domain = system.domain(statement).intersect_params(parameters)
        for point in _points(domain, iterations):
            time = [statement.place[0]]
            for iteration, place in zip(coordinates(point), statement.place[1:], strict=True):
                time += [iteration, place]
            yield Instance(statement, point, tuple(time))


def coordinates(point: isl.Point) -> tuple[int, ...]:
    """The numbers of a point, without its parameters."""
    levels = range(point.get_space().dim(isl.dim_type.set))
    values = (point.get_coordinate_val(isl.dim_type.set, at) for at in levels)
    return tuple(int(value.to_python()) for value in values)


def _points(domain: isl.Set, iterations: int) -> list[isl.Point]:
    """The iterations below a number, of a domain whose parameters have one value."""
    levels = domain.dim(isl.dim_type.set)
    for at in range(levels):
        domain = domain.upper_bound_val(isl.dim_type.set, at, iterations - 1)
    points: list[isl.Point] = []
    domain.foreach_point(points.append)
    return points


def _link(instances: Sequence[Instance]) -> None:
    """Number the blocks, in the order of the program, that each instance makes and takes."""
    reserved: dict[str, int] = defaultdict(lambda: -1)
    published: dict[str, int] = defaultdict(lambda: -1)
    last: dict[_Block, Instance] = {}
    for instance in instances:
        statement = instance.statement
        instance.reads = [(name, published[name]) for name in statement.reads if name in published]
        for name in statement.reserves:
            reserved[name] += 1
        for name in statement.publishes:
            published[name] = reserved[name]
        instance.reserves = [(name, reserved[name]) for name in statement.reserves]
        instance.publishes = [(name, published[name]) for name in statement.publishes]
        for block in (*instance.reads, *instance.reserves, *instance.publishes):
            last[block] = instance
    for block, instance in last.items():
        instance.releases.append(block)
