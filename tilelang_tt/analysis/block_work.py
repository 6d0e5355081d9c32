"""What one block of the grid moves and computes, and on which axes of the grid that depends.

The figures weigh alternatives against each other; `mock` predicts times.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt import formats
from tilelang_tt.analysis import access, layout, ranges
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Accumulation, Copy, Elementwise, Gemm, Leaf, is_global, leaf
from tilelang_tt.tiles import TILE

Axes = frozenset[int]

UNKNOWN_EXTENT = 8
"""What an extent counts as that only a launch tells."""

_VECTOR_CYCLES = 100
_PRODUCT_CYCLES = 16  # of one fidelity phase
_OTHER_CYCLES = 60


@dataclass(frozen=True, eq=False)
class Transfer:
    """A copy: bytes of a run of it, runs in a block, the axes its region depends on, and those that
    whether and how often it runs depends on.

    `is_alone` says that no tensor is written in the loop that it is in.
    """

    stmt: tirx.Stmt
    copy: Copy
    bytes: float
    runs: float
    region_axes: Axes
    control_axes: Axes
    is_alone: bool

    @property
    def is_load(self) -> bool:
        return is_global(self.copy.src.buffer)


@dataclass
class BlockWork:
    """`cycles` are those of the compute engine; `control_axes` those that the amount of work
    depends on."""

    transfers: list[Transfer] = field(default_factory=list)
    cycles: float = 0.0
    control_axes: Axes = frozenset()

    @property
    def bytes(self) -> float:
        """What a block moves to and from DRAM."""
        return sum(transfer.bytes * transfer.runs for transfer in self.transfers)


def block_work(frame: Frame, phases: int) -> BlockWork:
    """The work of a block.

    Args:
        frame: a tile program, its grid still in loops.
        phases: fidelity phases of the matrix unit.
    """
    walk = _Walk({loop.loop_var: axis for axis, loop in enumerate(frame.loops)}, phases)
    middle = {loop.loop_var: tirx.floordiv(loop.extent, 2) for loop in frame.loops}
    walk.visit(frame.body, _Place(1.0, frozenset(), middle, is_alone=not _stores(frame.body)))
    return walk.work


@dataclass(frozen=True)
class _Place:
    """Where a statement stands: how often it runs in a block, and what decides that; loop variables
    at the middle of their ranges."""

    runs: float
    control: Axes
    middle: Mapping[tirx.Var, tirx.PrimExpr]
    is_alone: bool


@dataclass
class _Walk:
    axis_of: dict[tirx.Var, int]
    phases: int

    def __post_init__(self) -> None:
        self.work = BlockWork()

    def visit(self, stmt: tirx.Stmt, place: _Place) -> None:
        if (view := leaf(stmt)) is not None:
            self._leaf(stmt, view, place)
            return
        match stmt:
            case tirx.SeqStmt():
                for child in stmt.seq:
                    self.visit(child, place)
            case tirx.For():
                self._loop(stmt, place)
            case tirx.IfThenElse():
                inner = self._controlled(place, [stmt.condition], place.runs)
                for case in (stmt.then_case, stmt.else_case):
                    if case is not None:
                        self.visit(case, inner)

    def _loop(self, loop: tirx.For, place: _Place) -> None:
        extent = arith.Analyzer().simplify(substitute(loop.extent, place.middle))
        count = ranges.constant(extent)
        runs = place.runs * (UNKNOWN_EXTENT if count is None else max(count, 1))
        inner = self._controlled(place, [loop.min, loop.extent], runs)
        middle = {**place.middle, loop.loop_var: loop.min + tirx.floordiv(loop.extent, 2)}
        self.visit(loop.body, _Place(runs, inner.control, middle, not _stores(loop.body)))

    def _controlled(self, place: _Place, by: Iterable[tirx.PrimExpr], runs: float) -> _Place:
        axes = place.control.union(*(self._axes(expr) for expr in by))
        self.work.control_axes |= axes
        return _Place(runs, axes, place.middle, place.is_alone)

    def _leaf(self, stmt: tirx.Stmt, view: Leaf, place: _Place) -> None:
        if isinstance(view, Copy):
            self.work.transfers.append(self._transfer(stmt, view, place))
        else:
            self.work.cycles += place.runs * statement_cycles(view, self.phases)

    def _transfer(self, stmt: tirx.Stmt, copy: Copy, place: _Place) -> Transfer:
        region = copy.src if is_global(copy.src.buffer) else copy.dst
        axes: Axes = frozenset().union(*(self._axes(low) for low in region.mins))
        return Transfer(
            stmt, copy, block_bytes(copy), place.runs, axes, place.control, place.is_alone
        )

    def _axes(self, expr: tirx.PrimExpr) -> Axes:
        """The axes that a value depends on; what is read from memory may depend on all."""
        if tree.collect(expr, tirx.BufferLoad):
            return frozenset(self.axis_of.values())
        variables = tree.collect(expr, tirx.Var)
        return frozenset(self.axis_of[var] for var in variables if var in self.axis_of)


def statement_cycles(view: Leaf, phases: int) -> float:
    """Cycles of the compute engine that a statement other than a copy takes."""
    if isinstance(view, Accumulation):
        return 0.0
    if isinstance(view, Gemm):
        products = math.prod(-(-size // TILE) for size in view.mnk)
        return products * (_PRODUCT_CYCLES * phases)
    if isinstance(view, Elementwise):
        operations = len(tree.collect(view.store.value, (tirx.Call, tirx.Add, tirx.Mul)))
        return tile_count(view.dst) * _VECTOR_CYCLES * max(operations, 1)
    return tile_count(access.writes(view)) * _OTHER_CYCLES


def block_bytes(copy: Copy) -> int:
    """What a copy between a tensor and a buffer moves, whole tiles."""
    buffer = copy.dst.buffer if is_global(copy.src.buffer) else copy.src.buffer
    return tile_count(buffer) * formats.BY_DTYPE[buffer.dtype].tile_bytes


def tile_count(buffer: tirx.Buffer) -> int:
    """The tiles of an on-chip buffer."""
    grid = layout.tile_grid(buffer)
    assert grid is not None, buffer
    return grid.tiles


def _stores(stmt: tirx.Stmt) -> bool:
    """Whether a tensor is written inside."""
    return any(
        isinstance(view, Copy) and is_global(view.dst.buffer) for _, view in access.leaves(stmt)
    )


def sides(extents: Sequence[int | None]) -> list[int]:
    """Extents with a number for those that only a launch tells."""
    return [UNKNOWN_EXTENT * UNKNOWN_EXTENT if extent is None else extent for extent in extents]
