"""LimitStores: a condition on the place in a block becomes one on its tiles."""

import pytest
import tilelang.language as tl
from helpers import at, check, check_unchanged, fragment, scripted, tensor, until

from tilelang_tt.diagnostics import PartialTileWrite
from tilelang_tt.transforms.limit_stores import LimitStores

LIMIT = LimitStores()
BUFFERS = {"C": tensor(256, 64), "L": fragment(64, 64), "V": tensor(256, dtype="float32")}
OPTIONS = {"grid": {"b": 4}, "scalars": ["n"], **BUFFERS}


def nest(condition, store="C[b * 64 + i, j] = L[i, j]"):
    return f"""
for i in T.parallel(64):
    for j in T.parallel(64):
        if {condition}:
            {store}
"""


def tiles(condition):
    return f"""
for r in range(2):
    if {condition}:
        for i in T.parallel(32):
            for j in T.parallel(64):
                C[b * 64 + (r * 32 + i), j] = L[r * 32 + i, j]
"""


@pytest.mark.parametrize(
    "condition, limit",
    [
        ("i < n * 32", "r * 32 < n * 32"),
        ("n * 32 > i", "r * 32 < n * 32"),
        ("i <= n * 32 - 1", "r * 32 < n * 32"),
        ("n * 32 - 1 >= i", "r * 32 < n * 32"),
        ("b * 64 + i < n * 32", "r * 32 < n * 32 - b * 64"),
        ("i < n * 32 and i < 32", "r * 32 < T.min(n * 32, 32)"),
        ("i < n * 32 and n > b", "n > b and r * 32 < n * 32"),
        (
            "i < T.max(0, T.min(64, n * 32 - b * 64))",
            "r * 32 < T.max(0, T.min(64, n * 32 - b * 64))",
        ),
    ],
)
def test_rows_below_a_number(condition, limit):
    new = LIMIT.rewrite(scripted(nest(condition), **OPTIONS))
    text = new.script()
    assert "for i_tile in range(2):" in text
    if limit == "r * 32 < n * 32":
        check(LIMIT, scripted(nest(condition), **OPTIONS), scripted(tiles(limit), **OPTIONS))
    else:
        (line,) = [line.strip() for line in text.splitlines() if line.strip().startswith("if")]
        wanted = scripted(tiles(limit), **OPTIONS).script().replace("r * 32", "i_tile * 32")
        assert line in wanted


def test_rows_and_columns():
    text = LIMIT.rewrite(scripted(nest("i < n * 32 and j < 32"), **OPTIONS)).script()
    assert "for i_tile, j_tile in T.grid(2, 2):" in text
    assert "if i_tile * 32 < n * 32 and j_tile * 32 < 32:" in text
    assert "C[b * 64 + (i_tile * 32 + i), j_tile * 32 + j]" in text


@pytest.mark.parametrize(
    "body",
    [
        nest("i < n * 32", "L[i, j] = C[i, j]"),
        nest("L[i, j] > T.bfloat16(0)"),
        nest("i * 2 < n * 32"),
        nest("i + j < n * 32"),
        nest("i >= n * 32"),
        "if n > 0:\n    for i in T.parallel(64):\n        V[i] = T.float32(0)",
    ],
)
def test_untouched(body):
    check_unchanged(LIMIT, scripted(body, **OPTIONS))


@pytest.mark.parametrize("limit", ["n", "n * 16", "48"])
def test_a_number_that_may_end_inside_of_a_tile_is_refused(limit):
    with pytest.raises(PartialTileWrite, match="TT2010: a part of a tile of 'C' is written"):
        LIMIT.rewrite(scripted(nest(f"i < {limit}"), **OPTIONS))


def test_the_error_names_the_line():
    @tl.prim_func
    def kernel(A: tl.Tensor((64, 64), "float32"), C: tl.Tensor((64, 64), "float32"), n: tl.int32):
        with tl.Kernel(1):
            A_s = tl.alloc_shared((64, 64), "float32")
            tl.copy(A, A_s)
            for i, j in tl.Parallel(64, 64):  # <- here
                if i < n:
                    C[i, j] = A_s[i, j]

    with pytest.raises(PartialTileWrite, match=at("TT2010:", __file__, "# <- here")):
        LIMIT.rewrite(until(kernel, "tt.LimitStores"))
