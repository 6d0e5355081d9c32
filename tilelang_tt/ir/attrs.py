"""Decisions of the planning passes, as frozen dataclasses, and how they are kept on a function.

The circular buffers stand in the annotation `tt.circular_buffers` of the block, a map from the
buffer's data variable; what concerns the whole program stands in function attributes. Both print
with the function.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tvm import tirx

from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.partition import Partition
from tilelang_tt.plan import Schedule

CIRCULAR_BUFFERS = "tt.circular_buffers"
TILED_AXES = "tt.tiled_axes"
ENGINE = "tt.engine"
SECTION = "tt.dst_section"
FINISH = "tt.finish"  # around what completes a sum, with the condition under which it does

GRID = "tt.grid"
PARTITION = "tt.partition"
CORE_ARGS = "tt.core_args"
FP32_DEST = "tt.fp32_dest_acc"
SPILLED = "tt.spilled"
ADDED = "tt.added"
SCHEDULE = "tt.schedule"
GRID_AXIS = "tt.grid_axis"  # of a loop inside the block
DIRECTIVES = "tt.directives"  # of the function; of a loop, the numbers of those about it

DEPTH, MULTICAST, SPLIT, CUT = "depth", "multicast", "split", "cut"
FUSE, SEPARATE = "fuse", "separate"
OF_LOOPS = (SPLIT, CUT)
"""The kinds of directives that are about loops; the others are about buffers."""
ANY_PARTS = 0
"""Of a loop that is split: as many as there are cores for each block. One part is no split."""

READER, COMPUTE, WRITER = "reader", "compute", "writer"
ENGINES = (READER, COMPUTE, WRITER)

ROW_MAJOR, COLUMN_MAJOR = "row", "column"


@dataclass(frozen=True)
class TiledAxes:
    """The axes of a tensor that its tiles have as rows and as columns.

    None stands for an axis of extent 1 that the tensor does not have: its tiles hold one row, or
    one column.
    """

    row: int | None
    column: int | None

    def order(self, rank: int) -> list[int]:
        """The axes from the slowest to the fastest: those that are not tiled, rows, columns."""
        tiled = [axis for axis in (self.row, self.column) if axis is not None]
        return [axis for axis in range(rank) if axis not in tiled] + tiled

    @classmethod
    def default(cls, rank: int) -> TiledAxes:
        """The last two axes; a 1-D tensor is one row."""
        return cls(rank - 2 if rank > 1 else None, rank - 1 if rank else None)


@dataclass(frozen=True)
class CircularBuffer:
    """One circular buffer: a block of `pages` tiles, `depth` blocks deep, in the given order of
    tiles.

    `producer` and `consumer` are engines. `unpack_to_dest` keeps all 32 bits on the way into DST.
    `least_depth` cannot deadlock; `reason` says why the buffer is as deep as it is. A block is
    handed over in `parts` pieces of the same size.
    """

    index: int
    pages: int
    depth: int
    least_depth: int
    order: str
    producer: str
    consumer: str
    unpack_to_dest: bool
    reason: str
    parts: int = 1

    @property
    def part_pages(self) -> int:
        """Tiles of a piece that is handed over."""
        return self.pages // self.parts


@dataclass(frozen=True)
class Directive:
    """What the program asks for about the buffer or the loop called `target`.

    `value` is a number of blocks, parts or cuts; 1 and 0 stand for yes and no. `place` is the file,
    line and column where it stands.
    """

    kind: str
    target: str
    value: int
    place: str

    @property
    def text(self) -> str:
        """As errors call it."""
        return f"directives.{self.kind}({self.target})"


def directives(func: tirx.PrimFunc) -> list[Directive]:
    """What the program asks for."""
    recorded = func.attrs.get(DIRECTIVES, "[]") if func.attrs is not None else "[]"
    return [Directive(**values) for values in json.loads(str(recorded))]


def with_directives(func: tirx.PrimFunc, found: Sequence[Directive]) -> tirx.PrimFunc:
    """The function with these recorded."""
    return func.with_attr(DIRECTIVES, json.dumps([dataclasses.asdict(each) for each in found]))


def with_renamed_directives(
    func: tirx.PrimFunc, names: Mapping[str, Sequence[str]]
) -> tirx.PrimFunc:
    """The function whose buffers have new names, or became several, with what is asked for about
    each. Loops know their directives by number: further ones come last."""
    found = directives(func)
    further: list[Directive] = []
    for number, each in enumerate(found):
        if each.kind not in OF_LOOPS and each.target in names:
            first, *others = names[each.target]
            found[number] = dataclasses.replace(each, target=first)
            further += [dataclasses.replace(each, target=name) for name in others]
    return with_directives(func, [*found, *further]) if found else func


def of_buffers(func: tirx.PrimFunc, *kinds: str) -> dict[str, Directive]:
    """The directives of these kinds, by the names of the buffers that they are about."""
    return {each.target: each for each in directives(func) if each.kind in kinds}


def of_loop(func: tirx.PrimFunc, loop: tirx.For, kind: str) -> Directive | None:
    """The directive of a kind that is about a loop."""
    numbers = loop.annotations.get(DIRECTIVES, ())
    found = [directives(func)[int(number)] for number in numbers]
    return next((each for each in found if each.kind == kind), None)


def of_loops(func: tirx.PrimFunc, kind: str) -> list[tuple[Directive, tirx.For | None]]:
    """The directives of a kind and the loops that they are about; None for one that is gone."""
    loops = {
        int(number): loop
        for loop in tree.collect(func.body, tirx.For)
        for number in loop.annotations.get(DIRECTIVES, ())
    }
    recorded = enumerate(directives(func))
    return [(each, loops.get(number)) for number, each in recorded if each.kind == kind]


def circular_buffers(frame: Frame) -> dict[tirx.Var, CircularBuffer]:
    """The plan of every on-chip buffer, by its data variable."""
    recorded = frame.annotations[CIRCULAR_BUFFERS]
    return {var: _decode(values) for var, values in recorded.items()}


def with_circular_buffers(frame: Frame, plan: Mapping[tirx.Var, CircularBuffer]) -> tirx.PrimFunc:
    """The function with this plan recorded."""
    encoded = {var: _encode(cb) for var, cb in plan.items()}
    return frame.build(annotations={**frame.annotations, CIRCULAR_BUFFERS: encoded})


def tiled_axes(frame: Frame) -> dict[tirx.Var, TiledAxes]:
    """The tiled axes of every tensor, by its data variable."""
    recorded = frame.annotations[TILED_AXES]
    axes = {var: [int(axis) for axis in pair] for var, pair in recorded.items()}
    return {
        var: TiledAxes(*(axis if axis >= 0 else None for axis in pair))
        for var, pair in axes.items()
    }


def with_tiled_axes(frame: Frame, axes: Mapping[tirx.Var, TiledAxes]) -> tirx.PrimFunc:
    """The function with these axes recorded; -1 stands for None."""
    encoded = {
        var: [-1 if axis is None else axis for axis in (tiled.row, tiled.column)]
        for var, tiled in axes.items()
    }
    return frame.build(annotations={**frame.annotations, TILED_AXES: encoded})


def partition(func: tirx.PrimFunc) -> Partition:
    """How the blocks of the grid are shared out."""
    recorded = func.attrs[PARTITION]
    columns, rows = ([int(axis) for axis in recorded[side]] for side in ("columns", "rows"))
    return Partition(str(recorded["kind"]), tuple(columns), tuple(rows), int(recorded["parts"]))


def with_partition(func: tirx.PrimFunc, chosen: Partition) -> tirx.PrimFunc:
    """The function with this partition recorded."""
    return func.with_attr(PARTITION, dataclasses.asdict(chosen))


def added(func: tirx.PrimFunc) -> frozenset[str]:
    """The names of the tensors of which every block owns the parts that it reads and writes."""
    return frozenset(map(str, func.attrs.get(ADDED, ())))


def with_added(func: tirx.PrimFunc, tensors: Sequence[str]) -> tirx.PrimFunc:
    """The function with these names recorded, if there are any."""
    return func.with_attr(ADDED, list(tensors)) if tensors else func


def schedule(func: tirx.PrimFunc) -> Schedule:
    """The statements, their iterations and their order."""
    return Schedule.from_data(json.loads(str(func.attrs[SCHEDULE])))


def with_schedule(func: tirx.PrimFunc, found: Schedule) -> tirx.PrimFunc:
    """The function with this schedule recorded."""
    return func.with_attr(SCHEDULE, json.dumps(dataclasses.asdict(found)))


def core_args(func: tirx.PrimFunc) -> dict[str, tirx.Var]:
    """The parameters that differ from core to core, by what they mean."""
    return {var.name: var for var in func.attrs[CORE_ARGS]}


def engine_of(stmt: tirx.Stmt) -> str | None:
    """The engine that a wrapped statement belongs to."""
    if isinstance(stmt, tirx.AttrStmt) and stmt.attr_key == ENGINE:
        return str(stmt.value.value)
    return None


def on_engine(engine: str, stmt: tirx.Stmt) -> tirx.AttrStmt:
    return tirx.AttrStmt(tirx.const(0, "int32"), ENGINE, tirx.StringImm(engine), stmt)


def dst_section(stmts: Iterable[tirx.Stmt]) -> tirx.AttrStmt:
    """Statements that compute into DST, then those that pack what they left there."""
    return tirx.AttrStmt(
        tirx.const(0, "int32"),
        SECTION,
        tirx.StringImm("math, then pack"),
        tree.sequence(stmts),
    )


def _encode(cb: CircularBuffer) -> dict[str, object]:
    """As a map, in which a block that is handed over as a whole has no `parts`."""
    return {
        name: value
        for name, value in dataclasses.asdict(cb).items()
        if name != "parts" or value != 1
    }


def _decode(values: Mapping[str, object]) -> CircularBuffer:
    typed = {
        name: str(value) if isinstance(value, str) else value for name, value in values.items()
    }
    return CircularBuffer(**{**typed, "unpack_to_dest": bool(typed["unpack_to_dest"])})
