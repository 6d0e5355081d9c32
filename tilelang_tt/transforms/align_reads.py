"""Bring to its place what element-wise code reads elsewhere in a tile.

The units work on tiles element by element. A block that is not moved by whole tiles is put together
of its rows, or of its columns.

    before:  C[i, j] = S[i + 5, j]                   S (64, 96), C (32, 96)

    after:   for i, j in T.Parallel(32, 96):
                 S_moved[i, j] = 0
             for k in range(32):
                 for i, j in T.Parallel(32, 96):
                     S_moved[i, j] = T.if_then_else(i == k, S[k + 5, j], S_moved[i, j])
             C[i, j] = S_moved[i, j]

A vector takes one reduction: the sums of a block that has each element where it is wanted, and
zeros elsewhere. What is moved by whole tiles, and beyond the end where nothing is wanted of it, is
read as if the block repeated.

Needs:    `CompleteWrites`.
Leaves:   loads that `is_tile_access` refuses only where nothing brings them to their place, and of
          single rows and columns.
"""

from __future__ import annotations

from dataclasses import dataclass

from tvm import arith, tirx

from tilelang_tt.analysis import ranges
from tilelang_tt.ir import tree
from tilelang_tt.ir.exprs import same
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.ops import computed_in
from tilelang_tt.ir.tileops import Elementwise, Reduce, Region, is_global, leaf, map_loads
from tilelang_tt.tiles import TILE
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import cast, fill_over, fill_places


class AlignReads:
    """See the module docstring."""

    name = "tt.AlignReads"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        alignment = _Alignment(ranges.analyzer_of(func), frame.buffers)
        body = tree.rewrite_sequences(
            frame.body, lambda stmts: [new for stmt in stmts for new in alignment.align(stmt)]
        )
        return frame.build(body=body, buffers=alignment.buffers)


@dataclass(frozen=True)
class _Misplaced:
    """A load whose index along `axis`, counted from the end, is not where it is wanted."""

    load: tirx.BufferLoad
    axis: int
    shift: tirx.PrimExpr
    """How far from its place it is."""


@dataclass
class _Alignment:
    """Rewrites nests, and collects the buffers they need."""

    analyzer: arith.Analyzer
    buffers: list[tirx.Buffer]

    def align(self, stmt: tirx.Stmt) -> list[tirx.Stmt]:
        nest = leaf(stmt)
        if not isinstance(nest, Elementwise) or is_global(nest.dst):
            return [stmt]
        before: list[tirx.Stmt] = []
        is_changed = False
        while (misplaced := self._misplaced(nest)) is not None:
            is_changed = True
            made, aligned = self._aligned(misplaced, nest)
            before += made
            value = map_loads(
                nest.store.value,
                lambda load, old=misplaced.load, new=aligned: new if same(load, old) else None,
            )
            store = tirx.BufferStore(nest.dst, value, nest.store.indices)
            nest = Elementwise(nest.loops, store)
        if not is_changed:
            return [stmt]
        return [tree.located_throughout(piece, stmt) for piece in (*before, nest.stmt())]

    def _misplaced(self, nest: Elementwise) -> _Misplaced | None:
        for load in nest.loads:
            for axis in range(1, min(len(load.indices), 2) + 1):
                found = self._misplacement(load, axis, nest)
                if found is not None:
                    return found
        return None

    def _misplacement(
        self, load: tirx.BufferLoad, axis: int, nest: Elementwise
    ) -> _Misplaced | None:
        index = load.indices[-axis]
        is_unit = ranges.constant(load.buffer.shape[-axis]) == 1
        is_number = nest.is_fixed(index)
        if is_unit or is_number or is_global(load.buffer) or isinstance(index, tirx.FloorMod):
            return None
        if not all(nest.is_fixed(leading) for leading in load.indices[:-2]):
            return None
        has_axis = axis <= len(nest.store.indices)
        stored = nest.store.indices[-axis] if has_axis else tirx.const(0, "int32")
        shift = arith.Analyzer().simplify(index - stored)
        is_kept = nest.is_fixed(shift) and self._is_aligned(shift)
        if is_kept:
            size, wanted = load.buffer.shape[-axis], nest.dst.shape[-axis]
            starts = self.analyzer.can_prove(shift >= 0)
            is_kept = starts and self.analyzer.can_prove(shift + wanted <= size)
        is_moved = has_axis and not is_kept and nest.is_fixed(shift)
        return _Misplaced(load, axis, shift) if is_moved else None

    def _is_aligned(self, shift: tirx.PrimExpr) -> bool:
        return self.analyzer.can_prove(tirx.floormod(shift, TILE) == 0)

    def _aligned(
        self, misplaced: _Misplaced, nest: Elementwise
    ) -> tuple[list[tirx.Stmt], tirx.PrimExpr]:
        """What brings a load to its place, and the load there."""
        load, axis, shift = misplaced.load, misplaced.axis, misplaced.shift
        if self._is_aligned(shift):
            return [], _wrapped(load, axis)
        dtype = computed_in(load.dtype)
        if len(load.indices) == 1:
            return self._vector(load, shift, nest, dtype)
        return self._block(load, axis, shift, nest, dtype)

    def _vector(
        self, load: tirx.BufferLoad, shift: tirx.PrimExpr, nest: Elementwise, dtype: str
    ) -> tuple[list[tirx.Stmt], tirx.PrimExpr]:
        size, wanted = load.buffer.shape[0], nest.dst.shape[-1]
        terms = self._fresh(load, "terms", [wanted, size], dtype)
        moved = self._fresh(load, "moved", [wanted], dtype)

        def term(places: list[tirx.PrimExpr]) -> tirx.PrimExpr:
            element = cast(dtype, tirx.BufferLoad(load.buffer, [places[1]]))
            is_wanted = tirx.EQ(places[1], places[0] + shift)
            return tirx.if_then_else(is_wanted, element, tirx.const(0, dtype))

        added = Reduce(Region.whole(terms), Region.whole(moved), "sum", 1).stmt()
        made = [fill_places(Region.whole(terms), term), added]
        return made, cast(load.dtype, tirx.BufferLoad(moved, [nest.store.indices[-1]]))

    def _block(
        self, load: tirx.BufferLoad, axis: int, shift: tirx.PrimExpr, nest: Elementwise, dtype: str
    ) -> tuple[list[tirx.Stmt], tirx.PrimExpr]:
        shape = list(load.buffer.shape)[-2:]
        shape[-axis] = nest.dst.shape[-axis]
        moved = self._fresh(load, "moved", shape, dtype)
        place = tirx.Var("k", "int32")

        def placed(places: list[tirx.PrimExpr]) -> tirx.PrimExpr:
            there = list(places)
            there[-axis] = place + shift
            new = tirx.BufferLoad(load.buffer, [*load.indices[:-2], *there])
            old = tirx.BufferLoad(moved, places)
            return tirx.if_then_else(tirx.EQ(places[-axis], place), cast(dtype, new), old)

        whole = Region.whole(moved)
        lines = tirx.For(
            place,
            tirx.const(0, "int32"),
            shape[-axis],
            tirx.ForKind.SERIAL,
            fill_places(whole, placed),
        )
        indices = list(load.indices)[-2:]
        indices[-axis] = nest.store.indices[-axis]
        start = fill_over(whole, tirx.const(0, dtype))
        return [start, lines], cast(load.dtype, tirx.BufferLoad(moved, indices))

    def _fresh(
        self, load: tirx.BufferLoad, suffix: str, shape: list[tirx.PrimExpr], dtype: str
    ) -> tirx.Buffer:
        of = load.buffer
        buffer = fresh_buffer(f"{of.name}_{suffix}", of, self.buffers, shape, dtype)
        self.buffers.append(buffer)
        return buffer


def _wrapped(load: tirx.BufferLoad, axis: int) -> tirx.BufferLoad:
    """The load from a buffer that repeats along an axis: for places of which nothing is wanted."""
    indices = list(load.indices)
    period = tirx.floordiv(load.buffer.shape[-axis] + (TILE - 1), TILE) * TILE
    indices[-axis] = tirx.floormod(indices[-axis], period)
    return tirx.BufferLoad(load.buffer, indices)
