"""Lay every vector out as a row or as a column of tiles, and turn what is used the other way round.

A tile has two dimensions. A 1-D buffer becomes a 2-D one with a dimension of extent 1: a column
where its elements belong to the rows of a block, a row where they belong to its columns.

    before:  T.reduce(S, m, "max", 1, True)          S (64, 32), m (64,), b (32,)
             for i, j in T.Parallel(64, 32):
                 P[i, j] = S[i, j] - m[i] + b[j]

    after:   T.reduce(S, m, "max", 1, True)          S (64, 32), m (64, 1), b (1, 32)
             for i, j in T.Parallel(64, 32):
                 P[i, j] = S[i, j] - m[i, 0] + b[0, j]

Vectors of one element-wise statement have one orientation. It is that of a reduction that writes
one of them, else the one that most uses ask for, else a row. So have vectors that are moved along
one axis of a tensor, which is tiled in one way. A use that asks for the other one, or
a block that is read with its last two indices exchanged, gets a transposed copy.

Needs:    `RenameVersions`, `CanonicalizeReductions`.
Leaves:   no 1-D buffers on the chip.
Errors:   TT1010.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tvm import arith, tirx

from tilelang_tt.analysis import access, ranges
from tilelang_tt.diagnostics import UnsupportedIndex
from tilelang_tt.ir import tree
from tilelang_tt.ir.exprs import same
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import (
    Copy,
    Elementwise,
    Leaf,
    Reduce,
    Region,
    Transpose,
    is_global,
    leaf,
    map_loads,
)
from tilelang_tt.transforms.buffers import fresh_buffer

ROW, COLUMN = "row", "column"
_ZERO, _ONE = tirx.const(0, "int32"), tirx.const(1, "int32")


class OrientVectors:
    """See the module docstring."""

    name = "tt.OrientVectors"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        views = access.leaves(frame.body)
        orientation = _infer(views)
        orienting = _Orienting(orientation)
        for buffer in frame.buffers:
            orienting.adopt(buffer)
        body = tree.rewrite_sequences(frame.body, orienting.orient_all)
        return frame.build(body=body, buffers=orienting.buffers)


def _is_vector(buffer: tirx.Buffer) -> bool:
    return not is_global(buffer) and len(buffer.shape) == 1


def _is_element(buffer: tirx.Buffer) -> bool:
    return all(ranges.constant(extent) == 1 for extent in buffer.shape)


# Inference. ---------------------------------------------------------------------------------------


@dataclass
class _Constraints:
    """Classes of vectors that go together, and what is asked of each."""

    parent: dict[tirx.Buffer, tirx.Buffer] = field(default_factory=dict)
    given: dict[tirx.Buffer, str] = field(default_factory=dict)
    asked: Counter[tuple[tirx.Buffer, str]] = field(default_factory=Counter)

    def find(self, buffer: tirx.Buffer) -> tirx.Buffer:
        while buffer in self.parent:
            buffer = self.parent[buffer]
        return buffer

    def join(self, left: tirx.Buffer, right: tirx.Buffer) -> None:
        one, other = self.find(left), self.find(right)
        if not one.same_as(other):
            self.parent[other] = one

    def solve(self, vectors: Sequence[tirx.Buffer]) -> dict[tirx.Buffer, str]:
        given: dict[tirx.Buffer, str] = {}
        asked: Counter[tuple[tirx.Buffer, str]] = Counter()
        for buffer, orientation in self.given.items():
            given.setdefault(self.find(buffer), orientation)
        for (buffer, orientation), count in self.asked.items():
            asked[self.find(buffer), orientation] += count

        def choice(buffer: tirx.Buffer) -> str:
            root = self.find(buffer)
            return given.get(root, COLUMN if asked[root, COLUMN] > asked[root, ROW] else ROW)

        return {vector: choice(vector) for vector in vectors}


def _infer(views: list[tuple[tirx.Stmt, Leaf]]) -> dict[tirx.Buffer, str]:
    constraints = _Constraints()
    vectors: dict[tirx.Buffer, None] = {}
    moved: dict[tuple[tirx.Buffer, int], tirx.Buffer] = {}
    for _, view in views:
        for buffer in (*access.reads(view), access.writes(view)):
            if _is_vector(buffer):
                vectors[buffer] = None
        if isinstance(view, Reduce) and _is_vector(view.dst.buffer):
            if len(view.src.buffer.shape) == 2 and not _is_element(view.dst.buffer):
                constraints.given[view.dst.buffer] = COLUMN if view.dim == 1 else ROW
        elif isinstance(view, Elementwise):
            _constrain(view, constraints)
        elif isinstance(view, Copy) and (axis := _moved_along(view)) is not None:
            tensor, vector = sorted((view.src.buffer, view.dst.buffer), key=_is_vector)
            constraints.join(moved.setdefault((tensor, axis), vector), vector)
    return constraints.solve(list(vectors))


def _moved_along(copy: Copy) -> int | None:
    """The axis of a tensor that a copy to or from a vector takes elements along."""
    for region, other in ((copy.src, copy.dst), (copy.dst, copy.src)):
        if is_global(region.buffer) and _is_vector(other.buffer):
            axes = [
                axis for axis, extent in enumerate(region.extents) if ranges.constant(extent) != 1
            ]
            return axes[0] if len(axes) == 1 else None
    return None


def _constrain(nest: Elementwise, constraints: _Constraints) -> None:
    for load in nest.loads:
        wanted = _wanted(load, nest)
        if _is_vector(load.buffer) and _is_vector(nest.dst):
            if not _is_element(load.buffer) and not _is_element(nest.dst):
                constraints.join(nest.dst, load.buffer)
        elif wanted is not None and _is_vector(load.buffer):
            constraints.asked[load.buffer, wanted] += 1
        elif _is_vector(nest.dst) and (own := _own_orientation(load.buffer)) is not None:
            constraints.given.setdefault(nest.dst, own)


def _wanted(load: tirx.BufferLoad, nest: Elementwise) -> str | None:
    """How a block that `nest` writes needs the vector `load` to lie; None where it does not
    matter."""
    if _is_element(load.buffer) or len(nest.store.indices) < 2:
        return None
    index = load.indices[-1]
    if _goes_along(index, nest.store.indices[-1], nest):
        return ROW
    return COLUMN if _goes_along(index, nest.store.indices[-2], nest) else None


def _goes_along(index: tirx.PrimExpr, stored: tirx.PrimExpr, nest: Elementwise) -> bool:
    """Whether `index` is the place that is stored to, perhaps moved."""
    return nest.is_fixed(arith.Analyzer().simplify(index - stored))


def _own_orientation(buffer: tirx.Buffer) -> str | None:
    """The orientation of a 2-D buffer that is a vector."""
    if _is_element(buffer) or len(buffer.shape) < 2:
        return None
    if ranges.constant(buffer.shape[-1]) == 1:
        return COLUMN
    return ROW if ranges.constant(buffer.shape[-2]) == 1 else None


# Rewriting. ---------------------------------------------------------------------------------------


@dataclass
class _Orienting:
    orientation: dict[tirx.Buffer, str]
    buffers: list[tirx.Buffer] = field(default_factory=list)
    matrix: dict[tirx.Buffer, tirx.Buffer] = field(default_factory=dict)

    def adopt(self, buffer: tirx.Buffer) -> None:
        if not _is_vector(buffer):
            self.buffers.append(buffer)
            return
        shape = self._widened(buffer, list(buffer.shape), _ONE)
        self.matrix[buffer] = self._fresh(buffer.name, buffer, shape)

    def orient_all(self, stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
        return [
            tree.located(new, stmt) if new is not stmt else stmt
            for stmt in stmts
            for new in self._orient(stmt)
        ]

    def _orient(self, stmt: tirx.Stmt) -> list[tirx.Stmt]:
        match leaf(stmt):
            case Elementwise() as nest:
                return self._nest(nest, stmt)
            case Reduce() as reduce:
                return self._reduce(reduce)
            case Copy() as copy:
                return [Copy(self._region(copy.src), self._region(copy.dst)).stmt()]
        return [stmt]

    def _nest(self, nest: Elementwise, stmt: tirx.Stmt) -> list[tirx.Stmt]:
        before: list[tirx.Stmt] = []

        def turn(load: tirx.BufferLoad) -> tirx.BufferLoad | None:
            if is_global(load.buffer):
                return None
            if _is_vector(load.buffer):
                return self._vector_load(load, nest, stmt, before)
            return self._block_load(load, nest, before)

        value = map_loads(nest.store.value, turn)
        dst, indices = nest.dst, list(nest.store.indices)
        if dst in self.matrix:
            dst, indices = self.matrix[dst], self._widened(nest.dst, indices, _ZERO)
        return [*before, Elementwise(nest.loops, tirx.BufferStore(dst, value, indices)).stmt()]

    def _vector_load(
        self,
        load: tirx.BufferLoad,
        nest: Elementwise,
        stmt: tirx.Stmt,
        before: list[tirx.Stmt],
    ) -> tirx.BufferLoad:
        buffer = self.matrix[load.buffer]
        has = self.orientation[load.buffer]
        wanted = _wanted(load, nest)
        if wanted is None and not _is_element(load.buffer):
            if len(nest.store.indices) > 1:
                names = ", ".join(var.name for var in nest.vars)
                raise UnsupportedIndex.at(stmt, access=load, loops=names)
            wanted = self.orientation.get(nest.dst, has)
        if wanted in (None, has):
            return tirx.BufferLoad(buffer, self._widened(load.buffer, list(load.indices), _ZERO))
        (index,) = load.indices
        turned = self._turned(buffer, before)
        return tirx.BufferLoad(turned, [_ZERO, index] if wanted == ROW else [index, _ZERO])

    def _block_load(
        self, load: tirx.BufferLoad, nest: Elementwise, before: list[tirx.Stmt]
    ) -> tirx.BufferLoad | None:
        stored = nest.store.indices
        if len(load.indices) < 2 or len(stored) < 2 or same(stored[-1], stored[-2]):
            return None
        *leading, row, column = load.indices
        if not (same(row, stored[-1]) and same(column, stored[-2])):
            return None
        return tirx.BufferLoad(self._turned(load.buffer, before), [*leading, column, row])

    def _reduce(self, reduce: Reduce) -> list[tirx.Stmt]:
        src, dst = reduce.src.buffer, reduce.dst.buffer
        view = dataclasses.replace(reduce, src=self._region(reduce.src))
        if _is_vector(src):
            dim = 0 if self.orientation[src] == COLUMN else 1
            return [dataclasses.replace(view, dst=self._region(reduce.dst), dim=dim).stmt()]
        if not _is_vector(dst):
            return [view.stmt()]
        natural = COLUMN if reduce.dim == len(src.shape) - 1 else ROW
        if _is_element(dst) or self.orientation[dst] == natural:
            return [dataclasses.replace(view, dst=self._region(reduce.dst)).stmt()]
        turned = self.matrix[dst]
        rows, columns = turned.shape
        own = self._fresh(f"{dst.name}_red", turned, [columns, rows])
        return [
            dataclasses.replace(view, dst=Region.whole(own)).stmt(),
            Transpose(Region.whole(own), Region.whole(turned)).stmt(),
        ]

    def _turned(self, buffer: tirx.Buffer, before: list[tirx.Stmt]) -> tirx.Buffer:
        *leading, rows, columns = buffer.shape
        turned = self._fresh(f"{buffer.name}_t", buffer, [*leading, columns, rows])
        before.append(Transpose(Region.whole(buffer), Region.whole(turned)).stmt())
        return turned

    def _region(self, region: Region) -> Region:
        if region.buffer not in self.matrix:
            return region
        return Region(
            self.matrix[region.buffer],
            tuple(self._widened(region.buffer, list(region.mins), _ZERO)),
            tuple(self._widened(region.buffer, list(region.extents), _ONE)),
        )

    def _widened(
        self, vector: tirx.Buffer, values: list[tirx.PrimExpr], unit: tirx.PrimExpr
    ) -> list[tirx.PrimExpr]:
        """The entries of a vector's only dimension, with one for the dimension it gains."""
        return [*values, unit] if self.orientation.get(vector) == COLUMN else [unit, *values]

    def _fresh(self, name: str, like: tirx.Buffer, shape: Sequence[tirx.PrimExpr]) -> tirx.Buffer:
        new = fresh_buffer(name, like, self.buffers, shape)
        self.buffers.append(new)
        return new
