"""Dependences between the statements of a program, and what circular buffers need, as isl maps.

Each statement has a domain, the iterations it runs in, and a place in the program. Instances in
the order of the program, a 2d+1 schedule, are the witness of every proof here:

* each engine runs its own instances in that order;
* a reader takes the block that was published last before it (`flow`);
* with buffers `depth` blocks deep, what makes block n + depth waits for the readers of block n
  (`reuse`).

An order in which every instance comes after all that it waits for shows that there is no circle
among the waits, and without a circle nothing deadlocks, whatever the engines' speeds: each of them
is sequential and waits for circular buffers only. So a depth is safe when the order of the program
agrees with its reuse. One less than the least such depth deadlocks where an instance waits for
itself: it makes a block of the buffer before it is through with the old one. (The compute engine is
three threads. A block that fits into the destination registers at once would pass from unpacker to
packer all the same; that is not counted on.)

Unknown numbers are parameters, of one value. Whether a statement makes a block of what it reads
does not depend on them, so safety holds whatever they are, and however they change during a run.
Which block a reader takes may depend on that; `is_exact` tells.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import islpy as isl

from tilelang_tt.plan import Schedule, Statement


@dataclass(frozen=True)
class Least:
    """The least safe depth, in blocks, and for a depth above 1 the statement that a lower one would
    have wait for itself."""

    depth: int
    statement: Statement | None


class System:
    """The statements of `schedule` with their dependences."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        levels = max((len(each.loops) for each in schedule.statements), default=0)
        self._domains = {each.name: isl.Set(each.domain) for each in schedule.statements}
        self._orders = {each.name: isl.Map(each.order(levels)) for each in schedule.statements}
        self._never = isl.Set(
            f"{{ [{', '.join(f't{at}' for at in range(2 * levels + 1))}] : false }}"
        )

    def domain(self, statement: Statement) -> isl.Set:
        """The instances of a statement."""
        return self._domains[statement.name]

    def flow(self, buffer: str) -> isl.UnionMap:
        """Which instance publishes the block that an instance reads: publisher -> reader."""
        access = isl.UnionAccessInfo.from_sink(self._accesses(buffer, _READS))
        access = access.set_must_source(self._accesses(buffer, _PUBLISHES))
        flow = access.set_schedule_map(self._order).compute_flow().get_must_dependence()
        return flow.coalesce()

    def in_order(self, buffer: str) -> isl.UnionMap:
        """Which instance writes the buffer after which: the steps that make a block, and the blocks
        one after the other."""
        written = self._accesses(buffer, lambda each: (each.result,))
        access = isl.UnionAccessInfo.from_sink(written).set_must_source(written)
        return access.set_schedule_map(self._order).compute_flow().get_must_dependence().coalesce()

    def reuse(self, buffer: str, depth: int) -> isl.UnionMap:
        """Which instance may use the pages of a block again: reader -> what makes the block
        `depth` blocks later."""
        back = self._order.reverse()
        times = isl.UnionMap.from_map(self._reuse_times(buffer, depth))
        return self._order.apply_range(times).apply_range(back).intersect_domain(self.all)

    def engine_order(self, engine: str) -> isl.UnionMap:
        """Which instance an engine runs after which: each -> the next one."""
        own = [each for each in self.schedule.statements if each.engine == engine]
        times = functools.reduce(isl.Set.union, map(self._time, own), self._never)
        later = isl.Map.lex_lt(times.get_space()).intersect_domain(times).intersect_range(times)
        order = self._order.intersect_domain(self._united(own))
        following = isl.UnionMap.from_map(later.lexmin())
        return order.apply_range(following).apply_range(order.reverse())

    def is_safe(self, buffer: str, depth: int) -> bool:
        """Whether the order of the program agrees with the reuse of pages at this depth."""
        times = self._reuse_times(buffer, depth)
        return times.is_subset(isl.Map.lex_lt(times.get_space().domain()))

    def least_depth(self, buffer: str) -> Least:
        """The least safe depth.

        The first block made at or after the time of a reader is the one after that which it reads.
        So one block is enough unless a reader makes that block itself, and two are always enough:
        the block after that one is made later.
        """
        reads = self._times(buffer, _READS)
        at_once = reads.intersect(self._times(buffer, _RESERVES))
        return Least(1, None) if at_once.is_empty() else Least(2, self._at(at_once))

    def is_made_once(self, buffer: str) -> bool:
        """Whether at most one block of the buffer is ever made."""
        times = self._times(buffer, _RESERVES)
        later = isl.Map.lex_lt(times.get_space())
        return later.intersect_domain(times).intersect_range(times).is_empty()

    def is_exact(self, buffer: str) -> bool:
        """Whether `flow` is what happens in every run.

        Unknown numbers are parameters of it, each with one value. One that changes from iteration
        to iteration of a loop may be thought constant where no block outlives such an iteration.
        """
        flow = self.flow(buffer)
        writers = [each for each in self.schedule.statements if buffer in each.publishes]
        depth = max((self._varying(each) for each in writers), default=0)
        if depth == 0:
            return True
        readers = self._accesses(buffer, _READS).domain()
        if not readers.is_subset(flow.range()):
            return False
        return all(_stays_within(pair, depth) for pair in _maps(flow))

    def instances(self, statement: Statement) -> isl.UnionSet:
        """As `domain`."""
        return isl.UnionSet.from_set(self._domains[statement.name])

    def texts(self, relation: isl.UnionMap) -> list[str]:
        """A relation between instances as isl prints it, one text for each pair of statements,
        without the conditions that the domains have anyway."""
        short = relation.gist_domain(self.all).gist_range(self.all).coalesce()
        return sorted(str(piece.drop_unused_params()) for piece in _maps(short))

    # Times: the range of the schedule. ------------------------------------------------------------

    def _reuse_times(self, buffer: str, depth: int) -> isl.Map:
        """As `reuse`, between times."""
        reads = self._times(buffer, _READS)
        made = self._times(buffer, _RESERVES)
        space = made.get_space()
        times = isl.Map.lex_le(space).intersect_domain(reads).intersect_range(made).lexmin()
        following = isl.Map.lex_lt(space).intersect_domain(made).intersect_range(made).lexmin()
        for _ in range(depth - 1):
            times = times.apply_range(following)
        return times

    def _times(self, buffer: str, of: Callable[[Statement], Sequence[str]]) -> isl.Set:
        times = (self._time(each) for each in self.schedule.statements if buffer in of(each))
        return functools.reduce(isl.Set.union, times, self._never)

    def _time(self, statement: Statement) -> isl.Set:
        return self._domains[statement.name].apply(self._orders[statement.name])

    def _at(self, times: isl.Set) -> Statement:
        """The first statement that has an instance at one of these times."""
        return next(
            each
            for each in self.schedule.statements
            if not self._time(each).intersect(times).is_empty()
        )

    # Instances. -----------------------------------------------------------------------------------

    def _accesses(self, buffer: str, of: Callable[[Statement], Sequence[str]]) -> isl.UnionMap:
        accesses = (
            isl.UnionMap(f"{{ {each.instance} -> block[] }}")
            for each in self.schedule.statements
            if buffer in of(each)
        )
        union = functools.reduce(isl.UnionMap.union, accesses, isl.UnionMap("{ }"))
        return union.intersect_domain(self.all)

    @functools.cached_property
    def _order(self) -> isl.UnionMap:
        maps = map(isl.UnionMap.from_map, self._orders.values())
        return functools.reduce(isl.UnionMap.union, maps, isl.UnionMap("{ }"))

    @functools.cached_property
    def all(self) -> isl.UnionSet:
        """The instances of all statements."""
        return self._united(self.schedule.statements)

    def _united(self, statements: Iterable[Statement]) -> isl.UnionSet:
        sets = map(self.instances, statements)
        return functools.reduce(isl.UnionSet.union, sets, isl.UnionSet("{ }"))

    def _varying(self, statement: Statement) -> int:
        """The loops, counted from the outermost, down to the last one in which an unknown number
        of the domain changes."""
        used = self._domains[statement.name].get_var_names(isl.dim_type.param)
        loops = {
            loop for each in self.schedule.unknowns if each.name in used for loop in each.loops
        }
        return max((at + 1 for at, loop in enumerate(statement.loops) if loop in loops), default=0)


_READS: Callable[[Statement], tuple[str, ...]] = operator.attrgetter("reads")
_RESERVES: Callable[[Statement], tuple[str, ...]] = operator.attrgetter("reserves")
_PUBLISHES: Callable[[Statement], tuple[str, ...]] = operator.attrgetter("publishes")


def _maps(relation: isl.UnionMap) -> list[isl.Map]:
    found: list[isl.Map] = []
    relation.foreach_map(found.append)
    return found


def _stays_within(pair: isl.Map, depth: int) -> bool:
    """Whether both instances are in the same iterations of the outer `depth` loops."""
    if min(pair.dim(isl.dim_type.in_), pair.dim(isl.dim_type.out)) < depth:
        return False
    same = isl.Map.universe(pair.get_space())
    for at in range(depth):
        same = same.equate(isl.dim_type.in_, at, isl.dim_type.out, at)
    return pair.is_subset(same)
