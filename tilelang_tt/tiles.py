"""Tensors to tiles and back: 32x32 tiles of the last two dimensions, each four 16x16 faces.

Values are moved, never converted. This file stands by itself: a saved kernel takes a copy along.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

TILE = 32
FACE = 16

Array = npt.NDArray[np.generic]


def arranged(tensor: Array, tiled: tuple[int | None, int | None]) -> Array:
    """A view of `tensor` whose last two axes are its tiled ones, the others in order before them.

    Args:
        tensor: any shape.
        tiled: the axes of rows and of columns; None for one that the tensor does not have.
    """
    named = [axis for axis in tiled if axis is not None]
    others = [axis for axis in range(tensor.ndim) if axis not in named]
    view = tensor.transpose([*others, *named])
    if tiled[1] is None:
        view = view[..., np.newaxis]
    return view if tiled[0] is not None else view[..., np.newaxis, :]


def tile_count(shape: tuple[int, ...]) -> int:
    """Tiles of a tensor of this shape, edges padded; a 1-D tensor is one row."""
    leading, rows, columns = _matrix(shape)
    return leading * _ceil(rows) * _ceil(columns)


def tilize(tensor: Array) -> Array:
    """The tiles of `tensor`, flat and in order; padding is zero.

    Args:
        tensor: any shape and any fixed-width dtype.
    """
    leading, rows, columns = _matrix(tensor.shape)
    row_tiles, column_tiles = _ceil(rows), _ceil(columns)
    padded = tensor.reshape(leading, rows, columns)
    if rows % TILE or columns % TILE:
        whole = np.zeros((leading, row_tiles * TILE, column_tiles * TILE), tensor.dtype)
        whole[:, :rows, :columns] = padded
        padded = whole
    faces = padded.reshape(leading, row_tiles, 2, FACE, column_tiles, 2, FACE)
    return np.ascontiguousarray(faces.transpose(0, 1, 4, 2, 5, 3, 6)).reshape(-1)


def untilize(tiles: Array, out: Array) -> None:
    """Write the tensor that `tiles` holds into `out`, leaving the padding away.

    The inverse of `tilize`.
    """
    leading, rows, columns = _matrix(out.shape)
    row_tiles, column_tiles = _ceil(rows), _ceil(columns)
    faces = tiles.reshape(leading, row_tiles, column_tiles, 2, 2, FACE, FACE).transpose(
        0, 1, 3, 5, 2, 4, 6
    )
    matrix = faces.reshape(leading, row_tiles * TILE, column_tiles * TILE)
    out[...] = matrix[:, :rows, :columns].reshape(out.shape)


def _matrix(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Leading extent, rows and columns of a shape of any rank."""
    padded = (1, 1, *shape)
    return math.prod(padded[:-2]), padded[-2], padded[-1]


def _ceil(extent: int) -> int:
    return -(-extent // TILE)
