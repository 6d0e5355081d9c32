"""Turn the grid of blocks into one loop over the blocks of a core.

A GPU starts a block for each point of the grid. Here a core runs a run of consecutive blocks, which
the host gives it: the same kernel serves any number of cores, with more blocks than cores or fewer.

    before:  for bx, by in T.grid(gx, gy):
                 with T.sblock("tilelang_root"):
                     ...

    after:   with T.sblock("tilelang_root"):
                 for block in T.serial(first_block, block_count):
                     ...   bx = block % gx, by = block // gx

Needs:    `CheckRegions`.
Leaves:   one loop inside the block, which owns the buffers; attribute `tt.grid`; parameters
          `first_block` and `block_count`.
"""

from __future__ import annotations

from tvm import tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.analysis import ranges
from tilelang_tt.ir import tree
from tilelang_tt.ir.attrs import BLOCK_COUNT, FIRST_BLOCK, GRID
from tilelang_tt.ir.frame import Frame


class MapGrid:
    """See the module docstring."""

    name = "tt.MapGrid"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        first, count = tirx.Var("first_block", "int32"), tirx.Var("block_count", "int32")
        block = tirx.Var("block", "int32")
        body = substitute(frame.body, _coordinates(block, frame.loops))
        loop = tree.located(tirx.For(block, first, count, tirx.ForKind.SERIAL, body), frame.realize)
        extents = [loop.extent for loop in frame.loops] or [tirx.const(1, "int32")]
        inner = frame.with_loops(()).build(body=loop)
        new = tirx.PrimFunc(
            [*func.params, first, count], inner.body, func.ret_type, func.buffer_map, func.attrs
        )
        return new.with_attr({GRID: extents, FIRST_BLOCK: first, BLOCK_COUNT: count})


def _coordinates(block: tirx.Var, loops: tuple[tirx.For, ...]) -> dict[tirx.Var, tirx.PrimExpr]:
    """Each grid variable by the number of the block; the first varies fastest, as on a GPU."""
    coordinates: dict[tirx.Var, tirx.PrimExpr] = {}
    rest: tirx.PrimExpr = block
    for position, loop in enumerate(loops):
        is_last = position == len(loops) - 1
        is_single = ranges.constant(loop.extent) == 1
        if is_single:
            coordinates[loop.loop_var] = tirx.const(0, "int32")
            continue
        coordinates[loop.loop_var] = rest if is_last else tirx.floormod(rest, loop.extent)
        rest = tirx.floordiv(rest, loop.extent)
    return coordinates
