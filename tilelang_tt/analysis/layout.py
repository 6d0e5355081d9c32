"""How buffers and tensors are divided into tiles.

The last two dimensions of an on-chip buffer are tiled 32x32; where one of them has extent 1, only
row 0 or column 0 of a tile holds values. The other dimensions count whole grids of tiles. A tensor
is tiled in whichever of its axes the blocks that are copied take their rows and columns from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tvm import tirx

from tilelang_tt.analysis import ranges
from tilelang_tt.ir.attrs import COLUMN_MAJOR, TiledAxes
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

    def place(
        self, tile: tirx.PrimExpr
    ) -> tuple[list[tirx.PrimExpr], tirx.PrimExpr, tirx.PrimExpr]:
        """Leading indices, row and column of the `tile`-th tile in row-major order."""
        column = tirx.floormod(tile, self.columns)
        row = tirx.floormod(tirx.floordiv(tile, self.columns), self.rows)
        rest = tirx.floordiv(tile, self.rows * self.columns)
        leading: list[tirx.PrimExpr] = []
        for extent in reversed(self.leading):
            leading.insert(0, tirx.floormod(rest, extent))
            rest = tirx.floordiv(rest, extent)
        return leading, row, column

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
    sizes = [extent for extent in shape if extent is not None]
    *leading, rows, columns = sizes if len(sizes) > 1 else [1, *sizes]
    if any(extent % TILE and extent != 1 for extent in (rows, columns)):
        return None
    return TileGrid(tuple(leading), max(1, rows // TILE), max(1, columns // TILE))


def is_row(buffer: tirx.Buffer) -> bool:
    """Whether the buffer has one row, held in row 0 of its tiles."""
    return len(buffer.shape) == 1 or ranges.constant(buffer.shape[-2]) == 1


def is_column(buffer: tirx.Buffer) -> bool:
    """Whether the buffer has one column, held in column 0 of its tiles."""
    return len(buffer.shape) > 1 and ranges.constant(buffer.shape[-1]) == 1


def tensor_page(tensor: tirx.Buffer, tiled: TiledAxes, index: list[tirx.PrimExpr]) -> tirx.PrimExpr:
    """The page of an interleaved tensor that holds a tile.

    `index` has an entry for each axis of the tensor: the number of the tile along a tiled axis,
    else an element.
    """
    page: tirx.PrimExpr = tirx.const(0, "int32")
    for axis in tiled.order(len(tensor.shape)):
        is_tiled = axis in (tiled.row, tiled.column)
        page = page * (tiles_of(tensor.shape[axis]) if is_tiled else tensor.shape[axis])
        page = page + index[axis]
    return page


def tiles_of(extent: tirx.PrimExpr) -> tirx.PrimExpr:
    """Tiles that `extent` elements fill, the last one perhaps in part."""
    return tirx.floordiv(extent + (TILE - 1), _TILE)
