"""The shape of the block of tiles that a matrix product keeps in DST."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Subblock:
    """`rows` x `columns` tiles of the result."""

    rows: int
    columns: int

    @property
    def unpacked_per_product(self) -> float:
        """Tiles that the unpacker reads for one tile product.

        The matrix unit holds two tiles of the smaller side at a time while it streams the larger; a
        side of one tile shares nothing. Source: `llk_unpack_AB_matmul.h` in tt-metal.
        """
        short, long = sorted((self.rows, self.columns))
        if short == 1:
            return (1 + long) / long
        pairs = (short + 1) // 2
        return pairs * (2 + long) / (short * long)


def best_subblock(rows: int, columns: int, dst_tiles: int) -> Subblock:
    """The subblock that divides `rows` x `columns` tiles, fits into `dst_tiles`, and unpacks least
    for its work.

    Among equals the one with most tiles, then the widest, as its tiles are packed to successive
    pages.
    """
    candidates = [
        Subblock(r, c)
        for r in range(1, rows + 1)
        for c in range(1, columns + 1)
        if rows % r == 0 and columns % c == 0 and r * c <= dst_tiles
    ]
    return min(
        candidates,
        key=lambda sub: (sub.unpacked_per_product, -sub.rows * sub.columns, -sub.columns),
    )
