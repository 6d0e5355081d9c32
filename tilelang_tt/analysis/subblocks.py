"""The shape of the block of tiles that a matrix product keeps in DST."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tvm import tirx

from tilelang_tt.analysis import layout
from tilelang_tt.diagnostics import UnfitSubblock
from tilelang_tt.ir.attrs import COLUMN_MAJOR, CircularBuffer
from tilelang_tt.ir.tileops import Gemm


@dataclass(frozen=True)
class Subblock:
    """`rows` x `columns` tiles of the result."""

    rows: int
    columns: int

    def __str__(self) -> str:
        return f"{self.rows}x{self.columns}"

    @property
    def tiles(self) -> int:
        return self.rows * self.columns

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


def product_cycles(
    sub: Subblock, costs: Mapping[str, float], phases: int, tile_bytes: int
) -> float:
    """Cycles of one tile product of a subblock: those of the matrix unit, or of the unpacker where
    that takes longer. `costs` are the clock's; `tile_bytes` are those of an operand."""
    math = costs["math.matmul_phase"] * phases + costs["math.matmul_tile"]
    return max(math, sub.unpacked_per_product * tile_bytes / costs["unpack.matmul_bytes"])


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


def streams(gemm: Gemm, plan: Mapping[tirx.Var, CircularBuffer]) -> bool:
    """Whether rows of tiles of the second operand, as the product sees it, are kept together."""
    return (plan[gemm.b.buffer.data].order == COLUMN_MAJOR) == gemm.transpose_b


@dataclass(frozen=True)
class Subblocks:
    """The subblocks of a program's products. DST has `dst_tiles`; `forced`, rows and columns, is
    the user's choice."""

    plan: Mapping[tirx.Var, CircularBuffer]
    dst_tiles: int
    forced: tuple[int, int] | None = None

    def of(self, gemm: Gemm, stmt: tirx.Stmt, slots: int = 1) -> Subblock:
        """The subblock of a product, each tile of which takes so many slots of DST.

        Raises:
            UnfitSubblock: the user's choice cannot be; the error names the line of `stmt`.
        """
        grid = layout.tile_grid(gemm.c.buffer)
        assert grid is not None, gemm
        is_streamed = streams(gemm, self.plan)
        tiles = self.dst_tiles // slots
        if self.forced is None:
            return best_subblock(grid.rows, grid.columns if is_streamed else 1, tiles)
        forced, why = Subblock(*self.forced), ""
        if grid.rows % forced.rows or grid.columns % forced.columns:
            result = f"{gemm.c.buffer.name!r} has {grid.rows}x{grid.columns}"
            why = f"{result} tiles, which it does not divide"
        elif forced.tiles > tiles:
            each = f", {slots} for a tile" if slots > 1 else ""
            needed = forced.tiles * slots
            why = f"that takes {needed} destination registers{each}, {self.dst_tiles} are there"
        elif not is_streamed and forced.columns > 1:
            why = f"{gemm.b.buffer.name!r} is kept so that one column of tiles is made at a time"
        if why:
            raise UnfitSubblock.at(stmt, subblock=forced, why=why)
        return forced
