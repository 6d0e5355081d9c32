"""Round on-chip buffers up to whole tiles, and keep the padding out of sums, maxima and products.

    before:  for i, j in T.Parallel(64, 80):         P (64, 80), m (64, 1)
                 P[i, j] = T.exp(S[i, j])
             T.reduce(P, m, "sum", 1, True)

    after:   for i, j in T.Parallel(64, 96):         P (64, 96)
                 P[i, j] = T.exp(S[i, j])
             for i, j in T.Parallel(64, 96):
                 P_in[i, j] = T.if_then_else(j < 80, P[i, j], 0)
             T.reduce(P_in, m, "sum", 1, True)

What a copy brings in beyond the end of a tensor is zeros, which products and sums need not be kept
from.

Needs:    `OrientVectors`, `ChooseTiledAxes`; whole buffers in tile operations.
Leaves:   on-chip buffers of whole tiles; copies may leave out some of a buffer's last tile.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from tvm import arith, tirx

from tilelang_tt.analysis import access, ranges
from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.attrs import TiledAxes
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import (
    Accumulation,
    Copy,
    Elementwise,
    Gemm,
    Leaf,
    Reduce,
    Region,
    Transpose,
    is_global,
    leaf,
    map_loads,
)
from tilelang_tt.tiles import TILE
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.choose_tiled_axes import transfer
from tilelang_tt.transforms.elementwise import map_places, neutral


class PadBuffers:
    """See the module docstring."""

    name = "tt.PadBuffers"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        ragged = {buffer for buffer in frame.buffers if _padded_shape(buffer) is not None}
        if not ragged:
            return func
        axes = attrs.tiled_axes(frame)
        analyzer = ranges.analyzer_of(func)
        padding = _Padding(_zero_padded(frame, axes, analyzer))
        for buffer in frame.buffers:
            padding.adopt(buffer)
        body = tree.rewrite_sequences(frame.body, padding.pad_all)
        return frame.build(body=body, buffers=padding.buffers)


def _padded_shape(buffer: tirx.Buffer) -> list[tirx.PrimExpr] | None:
    """The shape in whole tiles, None where it is that already."""
    *leading, rows, columns = buffer.shape
    padded = [_round_up(extent) for extent in (rows, columns)]
    is_same = all(new is old for new, old in zip(padded, (rows, columns), strict=True))
    return None if is_same else [*leading, *padded]


def _round_up(extent: tirx.PrimExpr) -> tirx.PrimExpr:
    """A multiple of the tile size; 1, the extent of a vector's other dimension, stays."""
    size = ranges.constant(extent)
    if size is None or size == 1 or size % TILE == 0:
        return extent
    return tirx.const(-(-size // TILE) * TILE, "int32")


def _zero_padded(
    frame: Frame, axes: dict[tirx.Var, TiledAxes], analyzer: arith.Analyzer
) -> set[tirx.Buffer]:
    """Buffers that are only copied from tensors, up to the ends of those."""
    sources: dict[tirx.Buffer, list[bool]] = {}
    for _, view in access.leaves(frame.body):
        dst = access.writes(view)
        if not is_global(dst):
            sources.setdefault(dst, []).append(
                isinstance(view, Copy) and _ends_with_tensor(view, axes, analyzer)
            )
    return {buffer for buffer, are_zero in sources.items() if all(are_zero)}


def _ends_with_tensor(
    copy: Copy, axes: dict[tirx.Var, TiledAxes], analyzer: arith.Analyzer
) -> bool:
    region, _ = transfer(copy)
    tiled = axes[region.buffer.data]
    for axis in (tiled.row, tiled.column):
        if axis is None:
            continue
        low, extent, size = region.mins[axis], region.extents[axis], region.buffer.shape[axis]
        if ranges.constant(tirx.floormod(extent, TILE)) == 0:
            continue
        if not analyzer.can_prove(low + extent >= size):
            return False
    return True


@dataclass
class _Padding:
    zero_padded: set[tirx.Buffer]

    def __post_init__(self) -> None:
        self.buffers: list[tirx.Buffer] = []
        self.padded: dict[tirx.Buffer, tirx.Buffer] = {}

    def adopt(self, buffer: tirx.Buffer) -> None:
        shape = _padded_shape(buffer)
        if shape is None:
            self.buffers.append(buffer)
        else:
            self.padded[buffer] = self._fresh(buffer.name, buffer, shape)

    def pad_all(self, stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
        return [new for stmt in stmts for new in self._pad(stmt)]

    def _pad(self, stmt: tirx.Stmt) -> list[tirx.Stmt]:
        view = leaf(stmt)
        if view is None or not any(buffer in self.padded for buffer in _buffers(view)):
            return [stmt]
        before: list[tirx.Stmt] = []
        new = self._padded(view, before)
        return [tree.located(piece, stmt) for piece in (*before, new)]

    def _padded(self, view: Leaf, before: list[tirx.Stmt]) -> tirx.Stmt:
        match view:
            case Copy():
                src, dst = self._whole(view.src), self._whole(view.dst)
                return dataclasses.replace(view, src=src, dst=dst).stmt()
            case Transpose() | Accumulation():
                names = [field.name for field in dataclasses.fields(view)]
                regions = {name: getattr(view, name) for name in names}
                moved = {
                    name: self._whole(region)
                    for name, region in regions.items()
                    if isinstance(region, Region)
                }
                return dataclasses.replace(view, **moved).stmt()
            case Reduce():
                src = self._kept_out(view.src, view.dim, view.kind, before)
                return dataclasses.replace(view, src=src, dst=self._whole(view.dst)).stmt()
            case Gemm():
                return self._gemm(view, before)
            case Elementwise():
                return self._nest(view)
        raise AssertionError(view)

    def _gemm(self, gemm: Gemm, before: list[tirx.Stmt]) -> tirx.Stmt:
        inner_a = len(gemm.a.extents) - (2 if gemm.transpose_a else 1)
        inner_b = len(gemm.b.extents) - (1 if gemm.transpose_b else 2)
        a = self._kept_out(gemm.a, inner_a, "sum", before)
        b = self._kept_out(gemm.b, inner_b, "sum", before)
        m, n, k = (-(-size // TILE) * TILE for size in gemm.mnk)
        c = self._whole(gemm.c)
        return dataclasses.replace(gemm, a=a, b=b, c=c, mnk=(m, n, k)).stmt()

    def _kept_out(self, region: Region, axis: int, kind: str, before: list[tirx.Stmt]) -> Region:
        """The padded operand, with what a reduction of `kind` ignores in what pads it along
        `axis`."""
        buffer = region.buffer
        whole = self._whole(region)
        size = ranges.constant(buffer.shape[axis])
        is_neutral = kind == "sum" and buffer in self.zero_padded
        if size in (None, 1) or (size or 0) % TILE == 0 or is_neutral:
            return whole
        masked = Region.whole(self._fresh(f"{buffer.name}_in", whole.buffer, whole.buffer.shape))

        def keep(places: list[tirx.PrimExpr], value: tirx.PrimExpr) -> tirx.PrimExpr:
            is_inside = tirx.LT(places[axis], tirx.const(size, "int32"))
            return tirx.if_then_else(is_inside, value, neutral(kind, value.dtype))

        before.append(map_places(masked, whole, keep))
        return masked

    def _nest(self, nest: Elementwise) -> tirx.Stmt:
        indices = nest.store.indices[-2:]
        loops = tuple(
            tirx.For(loop.loop_var, loop.min, _round_up(loop.extent), loop.kind, loop.body)
            if any(loop.loop_var.same_as(index) for index in indices)
            else loop
            for loop in nest.loops
        )
        value = map_loads(
            nest.store.value,
            lambda load: tirx.BufferLoad(self.padded.get(load.buffer, load.buffer), load.indices),
        )
        dst = self.padded.get(nest.dst, nest.dst)
        return Elementwise(loops, tirx.BufferStore(dst, value, nest.store.indices)).stmt()

    def _whole(self, region: Region) -> Region:
        if region.buffer not in self.padded:
            return region
        return Region.whole(self.padded[region.buffer])

    def _fresh(self, name: str, like: tirx.Buffer, shape: list[tirx.PrimExpr]) -> tirx.Buffer:
        new = fresh_buffer(name, like, self.buffers, shape)
        self.buffers.append(new)
        return new


def _buffers(view: Leaf) -> list[tirx.Buffer]:
    return [*access.reads(view), access.writes(view)]
