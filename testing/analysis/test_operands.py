"""How element-wise statements read their operands."""

import pytest
from tvm import tirx

from tilelang_tt.analysis.operands import classifier, is_tile_access
from tilelang_tt.ir.tileops import Elementwise

b, i, j = (tirx.Var(name, "int32") for name in "bij")
zero = tirx.const(0, "int32")


def buffer(*shape, dtype="bfloat16"):
    return tirx.decl_buffer(shape, dtype, "S", scope="shared.dyn")


def nest(*shape):
    """A statement that writes all of a buffer of this shape."""
    indices = [b, i, j][-len(shape) :]
    loops = [tirx.For(var, 0, 1, tirx.ForKind.PARALLEL, tirx.Evaluate(0)) for var in indices]
    store = tirx.BufferStore(buffer(*shape), tirx.const(0, "bfloat16"), indices)
    return Elementwise(tuple(loops), store)


ACCESSES = {
    "the same place": ((64, 64), (64, 64), (i, j), True),
    "the same place of each of a batch": ((2, 64, 64), (2, 64, 64), (b, i, j), True),
    "a matrix for each of a batch": ((2, 64, 64), (64, 64), (i, j), True),
    "a matrix for all, with its dimension of one": ((2, 64, 64), (1, 64, 64), (zero, i, j), True),
    "a row": ((64, 64), (64,), (j,), True),
    "a row with its dimension of one": ((64, 64), (1, 64), (zero, j), True),
    "one tile for all": (
        (64, 96),
        (32, 32),
        (tirx.floormod(i, 32), tirx.floormod(j, 32)),
        True,
    ),
    "transposed": ((64, 64), (64, 64), (j, i), False),
    "shifted": ((64, 64), (64, 64), (i, j + 1), False),
    "the first rows of a larger one": ((64, 64), (128, 64), (i, j), True),
    "of a smaller extent": ((64, 64), (32, 64), (i, j), False),
    "rows that are moved by a tile": ((64, 64), (128, 64), (i + 32, j), True),
    "rows that are moved by part of a tile": ((64, 64), (128, 64), (i + 16, j), False),
    "rows that are moved out of the buffer": ((64, 64), (128, 64), (i + 96, j), False),
    "a column": ((64, 64), (64, 1), (i, zero), True),
    "a column read by the columns": ((64, 64), (64, 1), (j, zero), False),
    "an element": ((64, 64), (1,), (zero,), True),
    "an element as a matrix": ((64, 64), (1, 1), (zero, zero), True),
    "a vector without its dimension of one": ((64, 64), (64,), (i,), False),
    "a part of a longer column": ((64, 64), (128, 1), (i, zero), True),
    "the second element of one": ((64, 64), (1, 1), (zero, zero + 1), False),
    "the first column of several": ((64, 64), (64, 64), (i, zero), False),
    "the first row of several": ((64, 64), (64, 64), (zero, j), False),
    "the second row of one": ((64, 64), (1, 64), (zero + 1, j), False),
    "one of several matrices": ((64, 64), (2, 64, 64), (zero + 1, i, j), True),
    "several matrices": ((64, 64), (64, 64, 64), (i, i, j), False),
    "one tile for a part of the last": (
        (48, 64),
        (32, 32),
        (tirx.floormod(i, 32), tirx.floormod(j, 32)),
        False,
    ),
    "several tiles modulo one": (
        (64, 64),
        (64, 64),
        (tirx.floormod(i, 32), tirx.floormod(j, 32)),
        False,
    ),
    "one tile in another order": (
        (64, 64),
        (32, 32),
        (tirx.floormod(j, 32), tirx.floormod(i, 32)),
        False,
    ),
    "a batch modulo": ((64, 64, 64), (3, 64, 64), (tirx.floormod(b - 1, 3), i, j), True),
    "several tiles modulo, moved": (
        (128, 64),
        (64, 64),
        (tirx.floormod(i - 32, 64), j),
        True,
    ),
    "moved modulo by part of a tile": (
        (128, 64),
        (64, 64),
        (tirx.floormod(i - 16, 64), j),
        False,
    ),
    "a part of a tile modulo": ((64, 64), (16, 64), (tirx.floormod(i, 16), j), False),
}


@pytest.mark.parametrize("written, read, indices, is_access", ACCESSES.values(), ids=ACCESSES)
def test_is_tile_access(written, read, indices, is_access):
    load = tirx.BufferLoad(buffer(*read), list(indices))
    assert is_tile_access(load, nest(*written)) is is_access


@pytest.mark.parametrize(
    "dtype, fpu_format",
    [("bfloat16", "Float16_b"), ("float16", "Float16"), ("float32", "")],
)
def test_the_matrix_unit_reads_16_bits_exactly(dtype, fpu_format):
    load = tirx.BufferLoad(buffer(64, 64, dtype=dtype), [i, j])
    assert classifier(buffer(64, 64))(load).fpu_format == fpu_format


@pytest.mark.parametrize(
    "read, indices, written, broadcast",
    [
        ((1, 64), [zero, j], (64, 64), "row"),
        ((64, 1), [i, zero], (64, 64), "column"),
        ((1, 1), [zero, zero], (64, 64), "scalar"),
        ((1, 1), [zero, zero], (1, 64), "column"),
        ((1, 1), [zero, zero], (64, 1), "row"),
        ((1, 1), [zero, zero], (1, 1), ""),
        ((64, 64), [i, j], (64, 64), ""),
        ((1, 64), [zero, j], (1, 64), ""),
        ((64, 1), [i, zero], (64, 1), ""),
        ((64,), [j], (64, 64), "row"),
        ((64,), [j], (64,), ""),
    ],
)
def test_what_of_an_operand_stands_for_all(read, indices, written, broadcast):
    load = tirx.BufferLoad(buffer(*read), indices)
    operand = classifier(buffer(*written))(load)
    assert operand.broadcast == broadcast
    assert operand.load.same_as(load)
