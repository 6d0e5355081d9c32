"""Make a write to a part of an on-chip buffer a write of the whole buffer.

A circular buffer hands over whole blocks. What is written to a part is made in a buffer of its own
and put in its place among what the rest of the buffer holds.

    before:  for i, j in T.Parallel(32, 64):         C_l (128, 64)
                 C_l[k * 32 + i, j] = A_s[i, j] * 2

    after:   for i, j in T.Parallel(32, 64):         C_l_part (32, 64)
                 C_l_part[i, j] = A_s[i, j] * 2
             for i, j in T.Parallel(128, 64):
                 C_l[i, j] = T.if_then_else(
                     k * 32 <= i and i < k * 32 + 32, C_l_part[(i - k * 32) % 32, j], C_l[i, j])

A part that is not made of whole tiles, nor a single row or column, has no tiles of its own: it is
computed at its place, for the whole buffer, and chosen there. What it is computed of moves along.

    before:  for i, j in T.Parallel(16, 64):         C_l (64, 64)
                 C_l[i + 8, j] = C_l[i + 8, j] + A_s[i, j]

    after:   for i, j in T.Parallel(64, 64):
                 C_l[i, j] = T.if_then_else(
                     8 <= i and i < 24, C_l[i, j] + A_s[i - 8, j], C_l[i, j])

Where the buffer certainly holds nothing yet, there is no rest to keep.

Needs:    `PlaceAccumulators`.
Leaves:   element-wise nests that write the whole of on-chip buffers.
Errors:   TT1010.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.analysis import ranges, webs
from tilelang_tt.analysis.webs import NOTHING
from tilelang_tt.ir import tree
from tilelang_tt.ir.exprs import same
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Elementwise, Region, is_global, leaf, map_loads
from tilelang_tt.tiles import TILE
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import box_of, fill_places


class CompleteWrites:
    """See the module docstring."""

    name = "tt.CompleteWrites"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        completion = _Completion(ranges.analyzer_of(func), frame.buffers)
        body = tree.rewrite_sequences(frame.body, completion.complete_all)
        if not completion.placements:
            return func
        return frame.build(body=completion.start(body), buffers=completion.buffers)


@dataclass(frozen=True)
class _Placement:
    """A part that is put into its buffer, as a statement."""

    stmt: tirx.Stmt
    of_nothing: tirx.Stmt
    """The same for a buffer of which nothing need be kept."""


@dataclass
class _Completion:
    """Rewrites sequences, and collects the buffers they need and the placements."""

    analyzer: arith.Analyzer
    buffers: list[tirx.Buffer]
    placements: list[_Placement] = field(default_factory=list)

    def complete_all(self, stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
        return [new for stmt in stmts for new in self._complete(stmt)]

    def _complete(self, stmt: tirx.Stmt) -> list[tirx.Stmt]:
        nest = leaf(stmt)
        if not isinstance(nest, Elementwise) or is_global(nest.dst) or nest.covers_dst:
            return [stmt]
        region = box_of(nest.dst, nest.store.indices, nest, stmt)
        if region.is_whole or not self._is_of_tiles(region):
            placement = _Placement(
                tree.located(self._in_place(nest, region, keeps=True), stmt),
                tree.located(self._in_place(nest, region, keeps=False), stmt),
            )
            self.placements.append(placement)
            return [placement.stmt]
        part = fresh_buffer(f"{nest.dst.name}_part", nest.dst, self.buffers, region.extents)
        self.buffers.append(part)
        places = [
            arith.Analyzer().simplify(index - low)
            for index, low in zip(nest.store.indices, region.mins, strict=True)
        ]
        made = Elementwise(nest.loops, tirx.BufferStore(part, nest.store.value, places)).stmt()
        placement = _Placement(
            tree.located(self._placed(part, region, keeps=True), stmt),
            tree.located(self._placed(part, region, keeps=False), stmt),
        )
        self.placements.append(placement)
        return [tree.located(made, stmt), placement.stmt]

    def _is_of_tiles(self, region: Region) -> bool:
        """Whether each extent is one element, or whole tiles up to the end of the buffer."""
        for low, extent, size in list(
            zip(region.mins, region.extents, region.buffer.shape, strict=True)
        )[-2:]:
            if ranges.constant(extent) == 1 or same(extent, size):
                continue
            ends = ranges.constant(tirx.floormod(extent, TILE)) == 0 or self.analyzer.can_prove(
                low + extent >= size
            )
            if not ends or not self.analyzer.can_prove(tirx.floormod(low, TILE) == 0):
                return False
        return True

    def _in_place(self, nest: Elementwise, region: Region, *, keeps: bool) -> tirx.Stmt:
        """The nest over the whole buffer, which keeps what is not in the region."""

        def value(places: list[tirx.PrimExpr]) -> tirx.PrimExpr:
            moved = {
                var: arith.Analyzer().simplify(place - low)
                for place, low, index in zip(places, region.mins, nest.store.indices, strict=True)
                for var in nest.vars
                if var in tree.collect(index, tirx.Var)
            }
            new = map_loads(substitute(nest.store.value, moved), _with_simple_indices)
            inside = [
                condition
                for axis, place in enumerate(places)
                for condition in self._inside(region, axis, place)[0]
            ]
            if not keeps or not inside:
                return new
            old = tirx.BufferLoad(region.buffer, places)
            return tirx.if_then_else(functools.reduce(tirx.And, inside), new, old)

        return fill_places(Region.whole(region.buffer), value)

    def _placed(self, part: tirx.Buffer, region: Region, *, keeps: bool) -> tirx.Stmt:
        """The nest that puts the part into its buffer, and keeps the rest of it."""

        def value(places: list[tirx.PrimExpr]) -> tirx.PrimExpr:
            conditions: list[tirx.PrimExpr] = []
            indices: list[tirx.PrimExpr] = []
            for axis, place in enumerate(places):
                inside, index = self._inside(region, axis, place)
                conditions += inside
                indices.append(index)
            new = tirx.BufferLoad(part, indices)
            if not keeps or not conditions:
                return new
            old = tirx.BufferLoad(region.buffer, places)
            return tirx.if_then_else(functools.reduce(tirx.And, conditions), new, old)

        return fill_places(Region.whole(region.buffer), value)

    def _inside(
        self, region: Region, axis: int, place: tirx.PrimExpr
    ) -> tuple[list[tirx.PrimExpr], tirx.PrimExpr]:
        """When a place lies in the part along an axis, and its index in the part.

        The index of a place outside is that of some other place.
        """
        low, extent, size = region.mins[axis], region.extents[axis], region.buffer.shape[axis]
        if ranges.constant(size) == 1:
            return [], place
        if ranges.constant(extent) == 1:
            return [tirx.EQ(place, low)], tirx.const(0, "int32")
        if same(extent, size):
            return [], place
        inside: list[tirx.PrimExpr] = []
        if ranges.constant(low) != 0:
            inside.append(tirx.GE(place, low))
        if not self.analyzer.can_prove(low + extent >= size):
            inside.append(tirx.LT(place, arith.Analyzer().simplify(low + extent)))
        is_tiled = axis >= len(region.extents) - 2
        period = tirx.floordiv(extent + (TILE - 1), TILE) * TILE if is_tiled else extent
        moved = place if ranges.constant(low) == 0 else place - low
        return inside, tirx.floormod(moved, period)

    def start(self, body: tirx.Stmt) -> tirx.Stmt:
        """`body`, where nothing is kept of buffers that hold nothing."""
        certain = {
            site.stmt
            for site in webs.find(body).sites
            if any(reaching == {NOTHING} for reaching in site.reaching.values())
        }
        simpler = {
            placement.stmt: placement.of_nothing
            for placement in self.placements
            if placement.stmt in certain
        }
        return tree.rewrite_sequences(body, lambda stmts: [simpler.get(s, s) for s in stmts])


def _with_simple_indices(load: tirx.BufferLoad) -> tirx.BufferLoad:
    indices = [arith.Analyzer().simplify(index) for index in load.indices]
    return tirx.BufferLoad(load.buffer, indices)
