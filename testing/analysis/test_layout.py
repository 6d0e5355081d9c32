"""How buffers are divided into tiles."""

import itertools

import pytest
from tvm import arith, tirx

from tilelang_tt.analysis.layout import (
    TileGrid,
    is_column,
    is_row,
    tensor_page,
    tile_grid,
    tiles_of,
)
from tilelang_tt.ir.attrs import COLUMN_MAJOR, ROW_MAJOR, TiledAxes

n = tirx.Var("n", "int32")


def value(expr):
    return int(arith.Analyzer().simplify(expr))


@pytest.mark.parametrize(
    "shape, grid",
    [
        ((32, 32), TileGrid((), 1, 1)),
        ((64, 96), TileGrid((), 2, 3)),
        ((4, 64, 96), TileGrid((4,), 2, 3)),
        ((2, 3, 32, 32), TileGrid((2, 3), 1, 1)),
        ((64,), TileGrid((), 1, 2)),
        ((1, 64), TileGrid((), 1, 2)),
        ((3, 1, 64), TileGrid((3,), 1, 2)),
        ((64, 1), TileGrid((), 2, 1)),
        ((3, 64, 1), TileGrid((3,), 2, 1)),
        ((1, 1), TileGrid((), 1, 1)),
        ((1,), TileGrid((), 1, 1)),
        ((33, 32), None),
        ((2, 32), None),
        ((32, 31), None),
        ((31,), None),
        ((2,), None),
        ((1, 40), None),
        ((40, 1), None),
        ((n, 32), None),
        ((32, n), None),
    ],
)
def test_tile_grid(shape, grid):
    assert tile_grid(tirx.decl_buffer(shape, "float32")) == grid


@pytest.mark.parametrize("grid, tiles", [(TileGrid((), 2, 3), 6), (TileGrid((2, 3), 1, 4), 24)])
def test_tiles(grid, tiles):
    assert grid.tiles == tiles


@pytest.mark.parametrize("order", [ROW_MAJOR, COLUMN_MAJOR])
def test_pages_count_the_tiles_in_order(order):
    grid = TileGrid((2, 3), 4, 5)
    if order == ROW_MAJOR:
        tiles = itertools.product(range(2), range(3), range(4), range(5))
    else:
        by_column = itertools.product(range(2), range(3), range(5), range(4))
        tiles = ((a, b, row, column) for a, b, column, row in by_column)
    const = [tirx.const(number, "int32") for number in range(6)]
    pages = [
        value(grid.page([const[a], const[b]], const[row], const[column], order))
        for a, b, row, column in tiles
    ]
    assert pages == list(range(grid.tiles))


@pytest.mark.parametrize(
    "shape, tiled, index, page",
    [
        ((64, 96), (0, 1), (1, 2), 5),
        ((4, 64, 96), (1, 2), (3, 1, 2), 23),
        ((2, 3, 32, 32), (2, 3), (1, 2, 0, 0), 5),
        ((96,), (None, 0), (2,), 2),
        ((96,), (0, None), (2,), 2),
        ((64, 80), (0, 1), (1, 0), 3),
        ((33, 32), (0, 1), (1, 0), 1),
        ((2, 33, 32), (1, 2), (1, 0, 0), 2),
        # Batch, sequence, heads, width: rows from the sequence, which then follows the heads.
        ((2, 64, 5, 96), (1, 3), (1, 1, 4, 2), 59),
        ((64, 5, 96), (0, 2), (1, 2, 0), 15),
        ((64, 96), (1, 0), (1, 2), 5),
        ((64, 96), (None, 1), (40, 2), 122),
        ((64, 96), (0, None), (1, 70), 141),
    ],
)
def test_tensor_page(shape, tiled, index, page):
    index = [tirx.const(at, "int32") for at in index]
    tensor = tirx.decl_buffer(shape, "float32")
    assert value(tensor_page(tensor, TiledAxes(*tiled), index)) == page


@pytest.mark.parametrize(
    "shape, tiled",
    [
        ((2, 64, 3, 64), (1, 3)),
        ((2, 3, 64, 64), (2, 3)),
        ((3, 64, 2), (1, None)),
        ((64,), (None, 0)),
    ],
)
def test_the_pages_of_a_tensor_are_numbered_without_gaps(shape, tiled):
    tensor, axes = tirx.decl_buffer(shape, "float32"), TiledAxes(*tiled)
    counts = [extent // 32 if axis in tiled else extent for axis, extent in enumerate(shape)]
    indices = itertools.product(*(range(count) for count in counts))
    pages = [
        value(tensor_page(tensor, axes, [tirx.const(at, "int32") for at in index]))
        for index in indices
    ]
    assert sorted(pages) == list(range(len(pages)))


@pytest.mark.parametrize("extent, tiles", [(1, 1), (32, 1), (33, 2), (96, 3)])
def test_tiles_of(extent, tiles):
    assert value(tiles_of(tirx.const(extent, "int32"))) == tiles


@pytest.mark.parametrize(
    "shape, row", [((64,), True), ((1, 64), True), ((2, 1, 64), True), ((64, 64), False)]
)
def test_is_row(shape, row):
    assert is_row(tirx.decl_buffer(shape, "float32")) is row


@pytest.mark.parametrize(
    "shape, column",
    [
        ((64, 1), True),
        ((2, 64, 1), True),
        ((1, 1), True),
        ((1,), False),
        ((64,), False),
        ((1, 64), False),
        ((64, 64), False),
    ],
)
def test_is_column(shape, column):
    assert is_column(tirx.decl_buffer(shape, "float32")) is column
