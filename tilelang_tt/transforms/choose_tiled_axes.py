"""Decide in which two of its axes each tensor is tiled.

A block takes its rows and its columns from two axes of a tensor; the host lays the tensor out so
that these are the tiled ones. A (batch, sequence, heads, width) tensor of which blocks are
(sequence, width) is tiled in axes 1 and 3. A vector takes its elements from one axis; the tiles
then hold one row, or one column.

    before:  T.copy(Q[b, s * 64, h, 0], Q_s)         Q_s (64, 128)

    after:   with T.sblock_attr({"tt.tiled_axes": {Q.data: [1, 3]}})

A row or column of a tensor that blocks also use as a whole is read from the tiles of the blocks.

Needs:    `OrientVectors`.
Leaves:   the annotation `tt.tiled_axes`.
Errors:   TT2008.
"""

from __future__ import annotations

from tvm import tirx

from tilelang_tt.analysis import access, layout, ranges
from tilelang_tt.diagnostics import UntiledDimension
from tilelang_tt.ir import attrs
from tilelang_tt.ir.attrs import TiledAxes
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, Region, is_global


class ChooseTiledAxes:
    """See the module docstring."""

    name = "tt.ChooseTiledAxes"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        chosen: dict[tirx.Buffer, TiledAxes] = {}
        for stmt, view in access.leaves(frame.body):
            if isinstance(view, Copy):
                region, buffer = transfer(view)
                wanted = _wanted(region, buffer)
                known = chosen.get(region.buffer, wanted)
                chosen[region.buffer] = _joined(known, wanted, region, buffer, stmt)
        return attrs.with_tiled_axes(
            frame,
            {
                tensor.data: chosen.get(tensor, TiledAxes.default(len(tensor.shape)))
                for tensor in frame.tensors
            },
        )


def transfer(copy: Copy) -> tuple[Region, tirx.Buffer]:
    """The region of the tensor and the on-chip buffer between which a copy moves data."""
    if is_global(copy.src.buffer):
        return copy.src, copy.dst.buffer
    return copy.dst, copy.src.buffer


def _wanted(region: Region, buffer: tirx.Buffer) -> TiledAxes:
    moved = [axis for axis, extent in enumerate(region.extents) if ranges.constant(extent) != 1]
    column = moved.pop() if moved and not layout.is_column(buffer) else None
    row = moved.pop() if moved and not layout.is_row(buffer) else None
    return TiledAxes(row, column)


def _joined(
    known: TiledAxes, wanted: TiledAxes, region: Region, buffer: tirx.Buffer, stmt: tirx.Stmt
) -> TiledAxes:
    """Axes that serve both: an axis that one of them leaves open is the other's."""
    if known == wanted:
        return known
    row = wanted.row if known.row is None else known.row
    column = wanted.column if known.column is None else known.column
    both = TiledAxes(row, column)
    is_same = wanted.row in (None, row) and wanted.column in (None, column)
    if not is_same or row == column:
        axes = [[a for a in (x.row, x.column) if a is not None] for x in (known, wanted)]
        raise UntiledDimension.at(
            stmt, tensor=region.buffer.name, buffer=buffer.name, known=axes[0], wanted=axes[1]
        )
    return both
