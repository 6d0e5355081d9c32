"""Tiles of one value, one for each dtype, made once before the loop over blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tvm import tirx

from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Region
from tilelang_tt.tiles import TILE
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import fill_over


@dataclass
class ConstantTiles:
    """Tiles called after the buffer that first needed one and `suffix`."""

    suffix: str
    others: list[tirx.Buffer]
    tiles: dict[str, tirx.Buffer] = field(default_factory=dict)

    def of(self, like: tirx.Buffer) -> tirx.Buffer:
        """The tile of `like`'s dtype."""
        if like.dtype not in self.tiles:
            others = [*self.others, *self.tiles.values()]
            tile = fresh_buffer(f"{like.name}_{self.suffix}", like, others, (TILE, TILE))
            self.tiles[like.dtype] = tile
        return self.tiles[like.dtype]

    def made_before(
        self, frame: Frame, body: tirx.Stmt, value: Callable[[str], tirx.PrimExpr]
    ) -> tirx.PrimFunc:
        """The function with `body`, before which every tile is filled with the `value` of its
        dtype."""
        fills = [
            tree.located(fill_over(Region.whole(tile), value(tile.dtype)), frame.realize)
            for tile in self.tiles.values()
        ]
        buffers = [*frame.buffers, *self.tiles.values()]
        return frame.build(body=tree.sequence([*fills, body]), buffers=buffers)
