"""The block of tiles that a matrix product keeps in DST."""

import pytest

from tilelang_tt.analysis.subblocks import Subblock, best_subblock, product_cycles


@pytest.mark.parametrize(
    "rows, columns, dst_tiles, best",
    [
        (1, 1, 8, (1, 1)),
        (2, 2, 4, (2, 2)),
        (4, 4, 4, (2, 2)),
        (4, 4, 8, (2, 4)),
        (4, 2, 8, (4, 2)),
        (1, 8, 4, (1, 4)),
        (8, 1, 4, (4, 1)),
        (1, 8, 8, (1, 8)),
        (3, 3, 8, (1, 3)),
        (3, 3, 16, (3, 3)),
        (7, 5, 4, (1, 1)),
        (2, 3, 4, (1, 3)),
    ],
)
def test_best(rows, columns, dst_tiles, best):
    assert best_subblock(rows, columns, dst_tiles) == Subblock(*best)


@pytest.mark.parametrize("rows", range(1, 9))
@pytest.mark.parametrize("columns", range(1, 9))
def test_a_subblock_divides_the_result_and_fits(rows, columns):
    for dst_tiles in (4, 8):
        best = best_subblock(rows, columns, dst_tiles)
        assert rows % best.rows == columns % best.columns == 0
        assert best.rows * best.columns <= dst_tiles
        for r in range(1, rows + 1):
            for c in range(1, columns + 1):
                if rows % r == columns % c == 0 and r * c <= dst_tiles:
                    assert best.unpacked_per_product <= Subblock(r, c).unpacked_per_product


@pytest.mark.parametrize(
    "rows, columns, unpacked",
    [(1, 1, 2), (1, 4, 5 / 4), (4, 1, 5 / 4), (2, 2, 1), (2, 4, 6 / 8), (3, 3, 10 / 9)],
)
def test_what_is_unpacked_for_a_product(rows, columns, unpacked):
    assert Subblock(rows, columns).unpacked_per_product == pytest.approx(unpacked)


COSTS = {"math.matmul_phase": 16.0, "math.matmul_tile": 1.0, "unpack.matmul_bytes": 50.0}


@pytest.mark.parametrize(
    "rows, columns, phases, cycles",
    [(2, 4, 4, 65.0), (2, 4, 1, 30.0), (1, 1, 4, 80.0), (1, 1, 2, 80.0), (2, 2, 2, 40.0)],
)
def test_a_product_takes_as_long_as_the_slower_of_math_and_unpacker(rows, columns, phases, cycles):
    assert product_cycles(Subblock(rows, columns), COSTS, phases, 2000) == cycles
