"""Turn each reduction into tile reductions that add up in DST.

    before:  T.reduce(S, m, "max", 1, True, one)     S (64, 64), m (64, 1), one (32, 32)

    after:   with T.attr(0, "tt.dst_section", ...):
                 for r, c in T.grid(2, 2):
                     T.reduce_max_row(S.data, one.data, r * 2 + c, r, m.data)
                 for r in range(2):
                     T.pack_tile(r, m.data, r)
             T.reduce_uninit()

Needs:    `PlanCircularBuffers`, `MaterializeScalers`.
Leaves:   no reductions.
"""

from __future__ import annotations

from dataclasses import dataclass

from tvm import arith, tirx

from tilelang_tt.analysis import layout
from tilelang_tt.device import Device
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.attrs import FP32_DEST, CircularBuffer
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Reduce, leaf
from tilelang_tt.transforms.tile_loops import in_chunks, largest_divisor, loop, nest_of

Plan = dict[tirx.Var, CircularBuffer]


@dataclass(frozen=True)
class LowerReductions:
    """See the module docstring."""

    device: Device
    name: str = "tt.LowerReductions"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        plan = attrs.circular_buffers(frame)
        tiles = self.device.dst_tiles(bool(func.attrs[FP32_DEST]))

        def lower(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
            return [new for stmt in stmts for new in _lower(stmt, plan, tiles)]

        return frame.build(body=tree.rewrite_sequences(frame.body, lower))


def _lower(stmt: tirx.Stmt, plan: Plan, dst_tiles: int) -> list[tirx.Stmt]:
    view = leaf(stmt)
    if not isinstance(view, Reduce):
        return [stmt]
    src, dst = view.src.buffer, view.dst.buffer
    grid, result = layout.tile_grid(src), layout.tile_grid(dst)
    assert grid is not None, src
    assert result is not None, dst
    assert view.scaler is not None, stmt
    scaler = view.scaler.buffer
    along_rows = view.dim == len(src.shape) - 1
    op = ops.REDUCE[view.kind, "row" if along_rows else "column"]
    kept, reduced = (grid.rows, grid.columns) if along_rows else (grid.columns, grid.rows)
    together = largest_divisor(kept, dst_tiles)

    def block(leading: list[tirx.PrimExpr]) -> tirx.Stmt:
        def page(line: tirx.PrimExpr, step: tirx.PrimExpr) -> tirx.PrimExpr:
            row, column = (line, step) if along_rows else (step, line)
            return _simplify(grid.page(leading, row, column, plan[src.data].order))

        def section(first: tirx.PrimExpr) -> tirx.Stmt:
            def reduce(index: list[tirx.PrimExpr]) -> tirx.Stmt:
                line, step = index
                at = page(first + line, step)
                return op.stmt(src.data, scaler.data, at, _simplify(line), dst.data)

            def pack(line: tirx.PrimExpr) -> tirx.Stmt:
                row, column = (first + line, 0) if along_rows else (0, first + line)
                out = result.page(leading[-len(result.leading) :], row, column, attrs.ROW_MAJOR)
                return ops.PACK_TILE.stmt(_simplify(line), dst.data, _simplify(out))

            line = tirx.Var("t", "int32")
            packed = (
                pack(tirx.const(0, "int32")) if together == 1 else loop(line, together, pack(line))
            )
            return attrs.dst_section([nest_of([together, reduced], reduce), packed])

        return in_chunks(kept, together, section)

    blocks = nest_of([*grid.leading, 1, 1], lambda index: block(index[:-2]))
    return [tree.located(piece, stmt) for piece in (blocks, ops.REDUCE_UNINIT.stmt())]


def _simplify(expr: tirx.PrimExpr) -> tirx.PrimExpr:
    return arith.Analyzer().simplify(expr)
