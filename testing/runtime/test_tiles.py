"""Tensors to tiles and back."""

import numpy as np
import pytest

from tilelang_tt import tiles


@pytest.mark.parametrize("shape", [(32, 32), (64, 96), (2, 3, 32, 64), (100,), (33, 65), (1, 1)])
@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.uint8])
def test_untilize_is_the_inverse_of_tilize(shape, dtype):
    tensor = np.random.default_rng(0).integers(0, 255, shape).astype(dtype)
    flat = tiles.tilize(tensor)
    out = np.zeros_like(tensor)
    tiles.untilize(flat, out)
    assert flat.size == tiles.tile_count(shape) * 1024
    np.testing.assert_array_equal(out, tensor)


def test_a_tile_is_four_faces_row_by_row():
    tensor = np.arange(1024, dtype=np.uint32).reshape(32, 32)
    flat = tiles.tilize(tensor)
    np.testing.assert_array_equal(flat[:256].reshape(16, 16), tensor[:16, :16])
    np.testing.assert_array_equal(flat[256:512].reshape(16, 16), tensor[:16, 16:])
    np.testing.assert_array_equal(flat[512:768].reshape(16, 16), tensor[16:, :16])
    np.testing.assert_array_equal(flat[768:].reshape(16, 16), tensor[16:, 16:])


def test_tiles_follow_each_other_along_a_row():
    tensor = np.zeros((64, 64), np.uint16)
    tensor[:32, 32:] = 1
    tensor[32:, :32] = 2
    flat = tiles.tilize(tensor).reshape(4, 1024)
    assert [set(tile) for tile in flat.tolist()] == [{0}, {1}, {2}, {0}]


def test_padding_is_zero():
    flat = tiles.tilize(np.full((33, 1), 7, np.uint16))
    assert flat.size == 2048
    assert flat.sum() == 33 * 7
