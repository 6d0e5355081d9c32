"""Turn each matrix product into blocks of tile products that accumulate in DST, and in L1 from step
to step.

    before:  T.gemm(A_s, B_s, C_l, clear_accum=k == 0)       A_s 64x32, B_s 32x64, C_l 64x64 float32

    after:   T.pack_reconfig_l1_acc(C_l.data, k != 0)
             with T.attr(0, "tt.dst_section", ...):
                 T.matmul_block(A_s.data, B_s.data, 0, 0, 0, transpose=0, ct=2, rt=2, kt=1)
                 for r, c in T.grid(2, 2):
                     T.pack_tile(r * 2 + c, C_l.data, r * 2 + c)
             T.pack_reconfig_l1_acc(C_l.data, 0)

The result is cut into subblocks of `rt` x `ct` tiles that fit into DST. One `matmul_block` adds one
step of the inner dimension to a whole subblock. The packer then overwrites the accumulator in L1 or
adds to it.

Needs:    `PlanCircularBuffers`, `MaterializeTransposes`, `PlaceAccumulators`.
Leaves:   no gemms.
"""

from __future__ import annotations

from dataclasses import dataclass

from tvm import arith, tirx

from tilelang_tt.analysis import layout
from tilelang_tt.analysis.subblocks import Subblock, best_subblock
from tilelang_tt.device import Device
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.attrs import COLUMN_MAJOR, FP32_DEST, CircularBuffer
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Gemm, leaf
from tilelang_tt.transforms.tile_loops import loop, nest_of

Plan = dict[tirx.Var, CircularBuffer]


@dataclass(frozen=True)
class LowerGemms:
    """See the module docstring."""

    device: Device
    name: str = "tt.LowerGemms"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        plan = attrs.circular_buffers(frame)
        tiles = self.device.dst_tiles(bool(func.attrs[FP32_DEST]))

        def lower(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
            return [new for stmt in stmts for new in _lower(stmt, plan, tiles)]

        return frame.build(body=tree.rewrite_sequences(frame.body, lower))


def _lower(stmt: tirx.Stmt, plan: Plan, dst_tiles: int) -> list[tirx.Stmt]:
    view = leaf(stmt)
    if not isinstance(view, Gemm):
        return [stmt]
    product = _product(view, plan, dst_tiles)
    if view.always_clears:
        return [tree.located(product, stmt)]
    accumulate = ops.PACK_ACCUMULATE.stmt(view.c.buffer.data, _simplify(tirx.Not(view.clear)))
    overwrite = ops.PACK_ACCUMULATE.stmt(view.c.buffer.data, 0)
    return [tree.located(piece, stmt) for piece in (accumulate, product, overwrite)]


def _product(gemm: Gemm, plan: Plan, dst_tiles: int) -> tirx.Stmt:
    a, b, c = (region.buffer for region in (gemm.a, gemm.b, gemm.c))
    grid = layout.tile_grid(c)
    inner = layout.tile_grid(a)
    assert grid is not None, c
    assert inner is not None, a
    depth = inner.columns
    streams = (plan[b.data].order == COLUMN_MAJOR) == gemm.transpose_b
    sub = best_subblock(grid.rows, grid.columns if streams else 1, dst_tiles)
    row_stride = 1 if plan[a.data].order == COLUMN_MAJOR else depth
    step_stride = inner.rows if plan[a.data].order == COLUMN_MAJOR else 1

    def section(index: list[tirx.PrimExpr]) -> tirx.Stmt:
        row, column = (at * size for at, size in zip(index, (sub.rows, sub.columns), strict=True))
        k = tirx.Var("kk", "int32")
        step = tirx.const(0, "int32") if depth == 1 else k
        page_b = step * grid.columns + column if streams else column * depth + step
        product = ops.MATMUL_BLOCK.stmt(
            a.data,
            b.data,
            _simplify(row * row_stride + step * step_stride),
            _simplify(page_b),
            0,
            int(gemm.transpose_b),
            sub.columns,
            sub.rows,
            row_stride,
        )
        steps = product if depth == 1 else loop(k, depth, product)
        return attrs.dst_section([steps, _pack(c, grid, sub, row, column, plan[c.data].order)])

    return nest_of([grid.rows // sub.rows, grid.columns // sub.columns], section)


def _pack(
    c: tirx.Buffer,
    grid: layout.TileGrid,
    sub: Subblock,
    row: tirx.PrimExpr,
    column: tirx.PrimExpr,
    order: str,
) -> tirx.Stmt:
    def pack(index: list[tirx.PrimExpr]) -> tirx.Stmt:
        at_row, at_column = index
        page = grid.page([0] * len(grid.leading), row + at_row, column + at_column, order)
        return ops.PACK_TILE.stmt(
            _simplify(at_row * sub.columns + at_column), c.data, _simplify(page)
        )

    return nest_of([sub.rows, sub.columns], pack)


def _simplify(expr: tirx.PrimExpr) -> tirx.PrimExpr:
    return arith.Analyzer().simplify(expr)
