"""Take single rows, columns and elements out of blocks that an element-wise nest reads.

The tile engine has no access to a single row. One that is chosen by a number, the same for the
whole nest, is what is left when all other rows are made zeros and the columns are added up.

    before:  for i in T.Parallel(64):            after:   for i, j in T.Parallel(4, 64):
                 v[i] = S[k, i] * 2                           S_kept[i, j] = T.if_then_else(
                                                                  i == k, S[i, j], 0)
                                                          T.reduce(S_kept, S_taken, "sum", 0, True)
                                                          for i in T.Parallel(64):
                                                              v[i] = S_taken[i] * 2

Of a block of several tiles only the tiles around the row are looked at.

Needs:    `AlignReads`.
Leaves:   no loads of on-chip buffers that a nest's variables run through in one dimension of a tile
          only, but for dimensions of extent 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tvm import arith, tirx

from tilelang_tt.analysis import ranges
from tilelang_tt.ir import tree
from tilelang_tt.ir.exprs import same
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.ops import computed_in
from tilelang_tt.ir.tileops import Elementwise, Reduce, Region, is_global, leaf, map_loads
from tilelang_tt.tiles import TILE
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import cast, fill_places


class SelectElements:
    """See the module docstring."""

    name = "tt.SelectElements"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        buffers = list(frame.buffers)

        def select(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
            return [new for stmt in stmts for new in _select(stmt, buffers)]

        body = tree.rewrite_sequences(frame.body, select)
        return frame.build(body=body, buffers=buffers)


def _select(stmt: tirx.Stmt, buffers: list[tirx.Buffer]) -> list[tirx.Stmt]:
    nest = leaf(stmt)
    if not isinstance(nest, Elementwise):
        return [stmt]
    selection = _Selection(nest, buffers)
    value = map_loads(nest.store.value, selection.value)
    if not selection.stmts:
        return [stmt]
    store = tirx.BufferStore(nest.dst, value, nest.store.indices)
    new = Elementwise(nest.loops, tree.located(store, nest.store)).stmt()
    return [tree.located_throughout(piece, stmt) for piece in (*selection.stmts, new)]


@dataclass
class _Selection:
    """The statements that take out what a nest reads of single rows and columns."""

    nest: Elementwise
    buffers: list[tirx.Buffer]
    stmts: list[tirx.Stmt] = field(default_factory=list)
    known: list[tuple[tirx.BufferLoad, tirx.BufferLoad]] = field(default_factory=list)

    def value(self, load: tirx.BufferLoad) -> tirx.PrimExpr | None:
        """What is chosen, or None where everything is read."""
        new = self._loaded(load)
        return None if new is None else cast(load.dtype, new)

    def _loaded(self, load: tirx.BufferLoad) -> tirx.BufferLoad | None:
        axis = None if is_global(load.buffer) else self._chosen_axis(load)
        if axis is None:
            return None
        for old, new in self.known:
            if same(old, load):
                return new
        taken = self._taken(load, axis)
        element = self._loaded(taken)  # where the other index is a number too
        new = taken if element is None else element
        self.known.append((load, new))
        return new

    def _chosen_axis(self, load: tirx.BufferLoad) -> int | None:
        """The first of the last two dimensions whose index is a number for the nest, other than
        the first row or column of a tile for the first of the result's."""
        rank = len(load.indices)
        for axis in range(max(rank - 2, 0), rank):
            index, back = load.indices[axis], rank - axis
            if not self.nest.is_fixed(index) or ranges.constant(load.buffer.shape[axis]) == 1:
                continue
            stored = self.nest.store.indices
            from_there = index - stored[-back] if back <= len(stored) else index
            if not self.nest.is_fixed(from_there) or not _is_aligned(from_there):
                return axis
        return None

    def _taken(self, load: tirx.BufferLoad, axis: int) -> tirx.BufferLoad:
        """The load of a vector that holds the elements at this index, which is made first."""
        buffer, chosen = load.buffer, load.indices[axis]
        rank = len(load.indices)
        leading = list(load.indices[: max(rank - 2, 0)])
        shape = list(buffer.shape[len(leading) :])
        inner = axis - len(leading)
        low = _tile_of(chosen, shape[inner])
        if low is not None:
            shape[inner] = tirx.const(TILE, "int32")
        dtype = computed_in(buffer.dtype)
        kept = self._fresh(f"{buffer.name}_kept", buffer, shape, dtype)
        out_shape = [size for at, size in enumerate(shape) if at != inner] or [1]
        taken = self._fresh(f"{buffer.name}_taken", buffer, out_shape, dtype)

        def value(places: list[tirx.PrimExpr]) -> tirx.PrimExpr:
            place, there = places[inner], list(places)
            if low is not None:
                place = low + place
                there[inner] = tirx.floormod(place, buffer.shape[axis])  # surely inside
            old = cast(dtype, tirx.BufferLoad(buffer, [*leading, *there]))
            return tirx.if_then_else(tirx.EQ(place, chosen), old, tirx.const(0, dtype))

        self.stmts.append(fill_places(Region.whole(kept), value))
        self.stmts.append(
            Reduce(Region.whole(kept), Region.whole(taken), "sum", inner, clear=True).stmt()
        )
        rest = [index for at, index in enumerate(load.indices) if at >= len(leading) and at != axis]
        return tirx.BufferLoad(taken, rest or [tirx.const(0, "int32")])

    def _fresh(
        self, name: str, like: tirx.Buffer, shape: list[tirx.PrimExpr | int], dtype: str
    ) -> tirx.Buffer:
        buffer = fresh_buffer(name, like, self.buffers, shape, dtype)
        self.buffers.append(buffer)
        return buffer


def _is_aligned(distance: tirx.PrimExpr) -> bool:
    return arith.Analyzer().can_prove(tirx.floormod(distance, TILE) == 0)


def _tile_of(index: tirx.PrimExpr, size: tirx.PrimExpr) -> tirx.PrimExpr | None:
    """Where the tile begins that holds the index, in a dimension of several whole tiles."""
    extent = ranges.constant(size)
    if extent is None or extent <= TILE or extent % TILE:
        return None
    return tirx.floordiv(index, TILE) * TILE
