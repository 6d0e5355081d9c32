"""How a buffer is divided into tiles.

The last two dimensions are tiled 32x32; a 1-D buffer is one row of tiles of which row 0 holds the
values. The other dimensions count whole grids of tiles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tvm import tirx

from tilelang_tt.analysis import ranges
from tilelang_tt.ir.attrs import COLUMN_MAJOR
from tilelang_tt.tiles import TILE

_TILE = tirx.const(TILE, "int32")


@dataclass(frozen=True)
class TileGrid:
    """The tiles of an on-chip buffer: leading extents, rows and columns of tiles."""

    leading: tuple[int, ...]
    rows: int
    columns: int

    @property
    def tiles(self) -> int:
        return math.prod(self.leading) * self.rows * self.columns

    def page(
        self, leading: list[tirx.PrimExpr], row: tirx.PrimExpr, column: tirx.PrimExpr, order: str
    ) -> tirx.PrimExpr:
        """The page of a circular buffer that holds a tile, the tiles being kept in `order`."""
        linear: tirx.PrimExpr = tirx.const(0, "int32")
        for index, extent in zip(leading, self.leading, strict=True):
            linear = linear * extent + index
        if order == COLUMN_MAJOR:
            return (linear * self.columns + column) * self.rows + row
        return (linear * self.rows + row) * self.columns + column


def tile_grid(buffer: tirx.Buffer) -> TileGrid | None:
    """The tiles of an on-chip buffer, None where its shape is not a whole number of tiles or not
    constant."""
    shape = [ranges.constant(extent) for extent in buffer.shape]
    if any(extent is None for extent in shape):
        return None
    *leading, rows, columns = (
        [extent for extent in shape if extent is not None] if len(shape) > 1 else [1, shape[0] or 0]
    )
    if columns % TILE or (rows % TILE and rows != 1):
        return None
    return TileGrid(tuple(leading), max(1, rows // TILE), columns // TILE)


def is_row(buffer: tirx.Buffer) -> bool:
    """Whether the buffer is a row vector, held in row 0 of its tiles."""
    return len(buffer.shape) == 1 or ranges.constant(buffer.shape[-2]) == 1


def tensor_page(tensor: tirx.Buffer, index: list[tirx.PrimExpr]) -> tirx.PrimExpr:
    """The page of an interleaved tensor that holds the tile at `index`: leading indices, tile row,
    tile column.

    A 1-D tensor has tile row 0.
    """
    *leading, row, column = index
    page: tirx.PrimExpr = tirx.const(0, "int32")
    for at, extent in zip(leading, tensor.shape[:-2], strict=True):
        page = page * extent + at
    rows = tiles_of(tensor.shape[-2]) if len(tensor.shape) > 1 else tirx.const(1, "int32")
    return (page * rows + row) * tiles_of(tensor.shape[-1]) + column


def tiles_of(extent: tirx.PrimExpr) -> tirx.PrimExpr:
    """Tiles that `extent` elements fill, the last one perhaps in part."""
    return tirx.floordiv(extent + (TILE - 1), _TILE)
