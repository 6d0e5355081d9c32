"""Arrays as the bytes of pages: tiles of four faces, or rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tilelang_tt.formats import Format
from tilelang_tt.tiles import TILE

Bytes = npt.NDArray[np.uint8]
_FACE = TILE // 2


def to_bfloat16(values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint16]:
    """The bits of float32 values, rounded to nearest, ties to even."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return np.where(np.isnan(bits.view(np.float32)), 0x7FC0, rounded).astype(np.uint16)


def from_bfloat16(bits: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """float32 values of bfloat16 bits."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def elements(array: npt.NDArray[np.generic], format_: Format) -> npt.NDArray[np.generic]:
    """The array in the element type of a format; bfloat16 as its bits."""
    return to_bfloat16(array) if format_.dtype == "bfloat16" else array.astype(format_.dtype)


def values(stored: npt.NDArray[np.generic], format_: Format) -> npt.NDArray[np.generic]:
    """The inverse of `elements`; bfloat16 comes back as float32."""
    return from_bfloat16(stored) if format_.dtype == "bfloat16" else stored


def element_type(format_: Format) -> np.dtype[np.generic]:
    return np.dtype(np.uint16 if format_.dtype == "bfloat16" else format_.dtype)


def tiled_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """The shape with the last two extents rounded up to whole tiles; two axes at least."""
    height, width = _height_width(shape)
    return (*shape[:-2], -(-height // TILE) * TILE, -(-width // TILE) * TILE)


def _height_width(shape: Sequence[int]) -> tuple[int, int]:
    return (shape[-2] if len(shape) > 1 else 1, shape[-1] if shape else 1)


def tilize(array: npt.NDArray[np.generic], format_: Format, padding: float = 0) -> Bytes:
    """The bytes of an array as tiles, row of tiles by row of tiles; edges are filled up."""
    padded = np.full(tiled_shape(array.shape), padding, array.dtype)
    two_axes = array.reshape((1,) * (2 - array.ndim) + array.shape)
    height, width = _height_width(array.shape)
    padded[..., :height, :width] = two_axes
    rows, columns = padded.shape[-2:]
    faces = elements(padded, format_).reshape(-1, rows // TILE, 2, _FACE, columns // TILE, 2, _FACE)
    return np.ascontiguousarray(faces.transpose(0, 1, 4, 2, 5, 3, 6)).view(np.uint8).reshape(-1)


def untilize(data: Bytes, format_: Format, shape: Sequence[int]) -> npt.NDArray[np.generic]:
    """The inverse of `tilize`, cut to `shape`."""
    full = tiled_shape(shape)
    rows, columns = full[-2:]
    faces = data.view(element_type(format_)).reshape(
        -1, rows // TILE, columns // TILE, 2, 2, _FACE, _FACE
    )
    whole = np.ascontiguousarray(faces.transpose(0, 1, 3, 5, 2, 4, 6)).reshape(full)
    height, width = _height_width(shape)
    cut = whole[..., :height, :width]
    return values(np.ascontiguousarray(cut), format_).reshape(tuple(shape))


def rows(array: npt.NDArray[np.generic], format_: Format) -> Bytes:
    """The bytes of an array row by row; a page is a row."""
    return np.ascontiguousarray(elements(array, format_)).view(np.uint8).reshape(-1)


def unrows(data: Bytes, format_: Format, shape: Sequence[int]) -> npt.NDArray[np.generic]:
    """The inverse of `rows`."""
    return values(data.view(element_type(format_)).reshape(tuple(shape)), format_)
