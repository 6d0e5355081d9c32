"""Choose how the blocks of the grid are shared out among the cores, and which loads cores share.

Blocks of a matrix product that lie in a row read the same rows of one operand, those in a column
the same columns of the other. Where such blocks run on the cores of a row or of a column at the
same time, one core reads for all and multicasts. That some blocks read alike shows in their
regions, which do not depend on an axis of the grid; that they do it at the same time, in the loops
and branches around, which must not either.

    before:  for bx, by in T.grid(8, 8):             after:   func with "tt.partition": lattice,
                 T.copy(A[by * 64, k * 32], A_s)                      columns (0,), rows (1,)
                 T.copy(B[k * 32, bx * 64], B_s)          T.copy(A[...], A_s, "row", "reader")
                                                          T.copy(B[...], B_s, "column", "writer")

Loads for a column go to the writer, unless it stores in the same loop: two processors on two NoCs
then feed the compute engine.

A partition costs the time of its turns, each the longer one of computing and reading DRAM; sharing
is chosen where it saves a tenth, or as the option `multicast` says, or a directive of one buffer.
Blocks whose work differs, as under a causal mask, are else dealt out in a snake.

Needs:    `GuardCopies`; the grid in loops.
Leaves:   attribute `tt.partition`; copies with the group of cores that they serve.
Errors:   TT4006.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from tvm import tirx

from tilelang_tt.analysis import ranges
from tilelang_tt.analysis.block_work import BlockWork, Transfer, block_work, sides
from tilelang_tt.diagnostics import DirectiveRefused
from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.attrs import READER, WRITER, Directive
from tilelang_tt.ir.frame import Frame
from tilelang_tt.options import Options
from tilelang_tt.partition import LATTICE, LINE, RUNS, SNAKE, Partition, assign

_GAIN = 0.9
_HANDSHAKE_CYCLES = 500.0  # of a multicast: signals there and back


@dataclass(frozen=True)
class ChoosePartition:
    """See the module docstring."""

    options: Options
    name: str = "tt.ChoosePartition"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        if func.attrs is not None and attrs.PARTITION in func.attrs:
            _check_teams(func)
            return func  # `SplitLoops` has chosen
        frame = Frame.of(func)
        work = block_work(frame, self.options.phases)
        choice = self._best(frame, work)
        grouped = {transfer.stmt: _grouped(transfer, choice, work) for transfer in choice.groups}

        def replace(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
            return [grouped.get(stmt, stmt) for stmt in stmts]

        body = tree.rewrite_sequences(frame.body, replace)
        return attrs.with_partition(frame.build(body=body), choice.partition)

    def cycles(self, frame: Frame) -> float:
        """What the best partition costs, roughly."""
        work = block_work(frame, self.options.phases)
        extents = [ranges.constant(loop.extent) for loop in frame.loops]
        return self._cost(self._best(frame, work), work, sides(extents))

    def _best(self, frame: Frame, work: BlockWork) -> _Choice:
        extents = [ranges.constant(loop.extent) for loop in frame.loops]
        known = sides(extents)
        alone = _Choice(_unshared(work, extents), {})
        wishes = _Wishes.of(frame, work, self.options.multicast)
        choices = _sharings(work, extents, wishes.allowed)
        shared = [choice for choice in choices if choice.groups and wishes.met_by(choice)]
        if not shared and wishes.wanted:
            raise wishes.refusal(frame, work)
        if not shared:
            return alone
        best = min(shared, key=lambda choice: self._cost(choice, work, known))
        limit = _GAIN * self._cost(alone, work, known)
        if wishes.wanted or self.options.multicast or self._cost(best, work, known) < limit:
            return best
        return alone

    def _cost(self, choice: _Choice, work: BlockWork, extents: list[int]) -> float:
        """Cycles, roughly."""
        columns, rows = assign(choice.partition, extents, self.options.cores).grid
        sharers = {"": 1, "row": columns, "column": rows, "all": columns * rows}
        cores = min(math.prod(extents), columns * rows)
        read = sum(
            cores * transfer.bytes * transfer.runs / sharers[choice.groups.get(transfer, "")]
            for transfer in work.transfers
        )
        shaken = max([transfer.runs for transfer in choice.groups], default=0.0)
        bandwidth = self.options.device.dram_bytes_per_cycle
        times = read / bandwidth, work.cycles, shaken * _HANDSHAKE_CYCLES
        turns = _turns(choice.partition, extents, columns, rows)
        return turns * overlapped(times)


def overlapped(times: Collection[float]) -> float:
    """How long takes what is done at the same time, not all of it hidden."""
    return max(times) + 0.2 * sum(times)


def _turns(partition: Partition, extents: list[int], columns: int, rows: int) -> int:
    """How many blocks one after the other the busiest core runs."""
    if partition.kind != LATTICE:
        return -(-math.prod(extents) // (columns * rows))
    across, down = (
        math.prod(extents[axis] for axis in axes) for axes in (partition.columns, partition.rows)
    )
    return -(-across // columns) * -(-down // rows)


@dataclass(frozen=True)
class _Choice:
    """A partition, and the group that each shared transfer serves."""

    partition: Partition
    groups: Mapping[Transfer, str]


@dataclass(frozen=True)
class _Wishes:
    """The loads that the program wants shared, each with the directive that says so, and those that
    may be."""

    wanted: Mapping[Transfer, Directive]
    allowed: Collection[Transfer]

    @classmethod
    def of(cls, frame: Frame, work: BlockWork, option: bool | None) -> _Wishes:
        """Directives say it of one buffer, the option of all others."""
        said = attrs.of_buffers(frame.func, attrs.MULTICAST)
        loads = [transfer for transfer in work.transfers if transfer.is_load]
        by_load = {load: said.get(load.copy.dst.buffer.name) for load in loads}
        for name, directive in said.items():
            if all(load.copy.dst.buffer.name != name for load in loads):
                raise _refused(directive, f"no block of a tensor is loaded into {name!r}")
        wanted = {load: one for load, one in by_load.items() if one is not None and one.value}
        return cls(
            wanted,
            [
                load
                for load, one in by_load.items()
                if (option is not False if one is None else one.value)
            ],
        )

    def met_by(self, choice: _Choice) -> bool:
        return all(load in choice.groups for load in self.wanted)

    def refusal(self, frame: Frame, work: BlockWork) -> DirectiveRefused:
        """Why no partition shares all the loads that are wanted shared."""
        axes = {at for at, loop in enumerate(frame.loops) if ranges.constant(loop.extent) != 1}
        written = _written(work)
        for load, directive in self.wanted.items():
            tensor, where = load.copy.src.buffer, tree.where(load.stmt)
            if not axes:
                return _refused(directive, "there is one block, hence one core that reads")
            if tensor in written:
                return _refused(directive, f"blocks write {tensor.name!r}, which {where} reads")
            for fill in _fills(load, work):
                if not axes - (fill.region_axes | fill.control_axes):
                    names = _listed(frame.loops[at].loop_var.name for at in sorted(axes))
                    what = f"what {tree.where(fill.stmt)} loads, or how often, depends on {names}"
                    return _refused(directive, f"{what}: no two blocks read alike")
        names = _listed(dict.fromkeys(one.target for one in self.wanted.values()))
        directive = next(iter(self.wanted.values()))
        return _refused(directive, f"no order of the blocks lets cores share all of {names}")


def _refused(directive: Directive, why: str) -> DirectiveRefused:
    return DirectiveRefused.at_place(
        directive.place,
        directive=directive.text,
        why=why,
        instead="leave it out: loads are shared where blocks read alike and it pays",
    )


def _check_teams(func: tirx.PrimFunc) -> None:
    for directive in attrs.of_buffers(func, attrs.MULTICAST).values():
        if directive.value:
            raise _refused(
                directive, "the cores of a team, which share a loop, read for themselves"
            )


def _listed(names: Iterable[str]) -> str:
    return " and ".join(names)


def _unshared(work: BlockWork, extents: list[int | None]) -> Partition:
    """Runs of blocks, or a snake, slowest along the axes on which the amount of work depends."""
    uneven = tuple(axis for axis in sorted(work.control_axes) if extents[axis] != 1)
    return Partition(SNAKE, rows=uneven) if uneven else Partition(RUNS)


def _sharings(
    work: BlockWork, extents: list[int | None], allowed: Collection[Transfer]
) -> Iterator[_Choice]:
    """Every lattice, and the line, with what of `allowed` can be shared in them."""
    axes = [axis for axis, extent in enumerate(extents) if extent != 1]
    for count in range(1, len(axes)):
        for columns in itertools.combinations(axes, count):
            rows = tuple(axis for axis in axes if axis not in columns)
            across, down = frozenset(columns), frozenset(rows)
            options = {"all": across | down, "row": across, "column": down}
            yield _Choice(Partition(LATTICE, columns, rows), _groups(work, options, allowed))
    yield _Choice(Partition(LINE), _groups(work, {"all": frozenset(axes)}, allowed))


def _written(work: BlockWork) -> set[tirx.Buffer]:
    return {t.copy.dst.buffer for t in work.transfers if not t.is_load}


def _groups(
    work: BlockWork, options: Mapping[str, frozenset[int]], allowed: Collection[Transfer]
) -> dict[Transfer, str]:
    """The first group for each load whose cores all run it alike."""
    written = _written(work)
    groups: dict[Transfer, str] = {}
    for transfer in allowed:
        if transfer.copy.src.buffer in written:
            continue
        # Cores that share pages must fill the buffer the same number of times.
        control = frozenset[int]().union(*(fill.control_axes for fill in _fills(transfer, work)))
        for group, axes in options.items():
            if axes and not axes & (control | transfer.region_axes):
                groups[transfer] = group
                break
    return groups


def _grouped(transfer: Transfer, choice: _Choice, work: BlockWork) -> tirx.Stmt:
    fills = _fills(transfer, work)
    is_for_writer = all(choice.groups.get(t) == "column" and t.is_alone for t in fills)
    engine = WRITER if is_for_writer else READER
    copy = dataclasses.replace(transfer.copy, group=choice.groups[transfer], engine=engine)
    return tree.located(copy.stmt(), transfer.stmt)


def _fills(transfer: Transfer, work: BlockWork) -> list[Transfer]:
    """Everything that is loaded into the buffer of a load."""
    buffer = transfer.copy.dst.buffer
    return [other for other in work.transfers if other.copy.dst.buffer.same_as(buffer)]
