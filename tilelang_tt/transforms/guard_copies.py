"""Find the copies whose blocks may reach past the end of a tensor.

Blocks need not divide a tensor. A tile that lies outside of it is read as zeros and not written; a
tile that lies in it in part is whole in DRAM, where the host has filled it up with zeros. Which
tiles those are is for the kernel to find out, where it is not known that there are none.

    before:  T.copy(A[by * 64, k * 32], A_s)         A (100, 96)

    after:   T.copy(A[by * 64, k * 32], A_s, 0)      along axis 0

Needs:    `ChooseTiledAxes`; loops with their ranges.
Leaves:   copies that name the axes along which they need to look.
"""

from __future__ import annotations

import dataclasses

from tvm import arith, tirx

from tilelang_tt.analysis import layout, ranges
from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.attrs import TiledAxes
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, Region, leaf
from tilelang_tt.tiles import TILE
from tilelang_tt.transforms.choose_tiled_axes import transfer


class GuardCopies:
    """See the module docstring."""

    name = "tt.GuardCopies"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        axes = attrs.tiled_axes(frame)
        analyzer = ranges.analyzer_of(func)

        def guard(stmt: tirx.Stmt) -> tirx.Stmt:
            view = leaf(stmt)
            if not isinstance(view, Copy):
                return stmt
            region, _ = transfer(view)
            guarded = tuple(_doubtful(region, axes[region.buffer.data], analyzer))
            if guarded == view.guarded:
                return stmt
            return tree.located(dataclasses.replace(view, guarded=guarded).stmt(), stmt)

        return frame.build(
            body=tree.rewrite_sequences(frame.body, lambda stmts: [guard(stmt) for stmt in stmts])
        )


def _doubtful(region: Region, tiled: TiledAxes, analyzer: arith.Analyzer) -> list[int]:
    """The axes along which a tile of the region may lie outside of the tensor."""
    doubtful: list[int] = []
    for axis, (low, extent, size) in enumerate(
        zip(region.mins, region.extents, region.buffer.shape, strict=True)
    ):
        end, limit = low + extent, size
        if axis in (tiled.row, tiled.column):
            end, limit = low + layout.tiles_of(extent) * TILE, layout.tiles_of(size) * TILE
        if not (analyzer.can_prove(low >= 0) and analyzer.can_prove(end <= limit)):
            doubtful.append(axis)
    return doubtful
