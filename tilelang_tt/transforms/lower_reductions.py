"""Turn each reduction into tile reductions in DST.

The matrix unit adds what it finds in one tile to what it found in those before.

    before:  T.reduce(S, m, "max", 1, True, one)     S (64, 64), m (64, 1), one (32, 32)

    after:   with T.attr(0, "tt.dst_section", ...):
                 for r, c in T.grid(2, 2):
                     T.reduce_max_row(S.data, one.data, r * 2 + c, r, m.data)
                 for t in range(2):
                     T.pack_tile(t, m.data, t)
             T.reduce_uninit()

The vector unit joins the tiles of a line element by element and then reduces the one that is left.

    before:  T.reduce(S, m, "max", 1, True)          S (32, 96) float32, m (32, 1)

    after:   with T.attr(0, "tt.dst_section", ...):
                 T.copy_tile(S.data, 0, 0)
                 for c in range(2):
                     T.copy_tile(S.data, c + 1, 1)
                     T.binary_max_tile(0, 1, 0)
                 T.sfpu_reduce_max_row_float32(0)
                 T.pack_tile(0, m.data, 0)

Needs:    `PlanCircularBuffers`, `MaterializeScalers`.
Leaves:   no reductions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tvm import arith, tirx

from tilelang_tt.analysis import layout
from tilelang_tt.device import Device
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.attrs import FP32_DEST, CircularBuffer
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Reduce, leaf
from tilelang_tt.transforms.tile_loops import for_tiles, in_chunks, largest_divisor, nest_of

Plan = dict[tirx.Var, CircularBuffer]
_JOIN = {"sum": "add", "max": "max"}


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


@dataclass(frozen=True)
class _Lines:
    """A reduction of `kept` lines of `reduced` tiles each; `page` is that of a tile of a line."""

    view: Reduce
    dim: str
    kept: int
    reduced: int
    page: Callable[[tirx.PrimExpr, tirx.PrimExpr | int], tirx.PrimExpr]


def _lower(stmt: tirx.Stmt, plan: Plan, dst_tiles: int) -> list[tirx.Stmt]:
    view = leaf(stmt)
    if not isinstance(view, Reduce):
        return [stmt]
    src, dst = view.src.buffer, view.dst.buffer
    grid, result = layout.tile_grid(src), layout.tile_grid(dst)
    assert grid is not None, src
    assert result is not None, dst
    along_rows = view.dim == len(src.shape) - 1
    kept, reduced = (grid.rows, grid.columns) if along_rows else (grid.columns, grid.rows)
    is_on_fpu = view.scaler is not None
    slots = 1 if is_on_fpu or reduced == 1 else 2
    together = largest_divisor(kept, dst_tiles // slots)

    def block(leading: list[tirx.PrimExpr]) -> tirx.Stmt:
        def page(line: tirx.PrimExpr, step: tirx.PrimExpr | int) -> tirx.PrimExpr:
            row, column = (line, step) if along_rows else (step, line)
            return _simplify(grid.page(leading, row, column, plan[src.data].order))

        def section(first: tirx.PrimExpr) -> tirx.Stmt:
            lines = _Lines(view, "row" if along_rows else "column", together, reduced,
                           lambda line, step: page(first + line, step))  # fmt: skip
            math = [_on_fpu(lines)] if is_on_fpu else _on_sfpu(lines, slots)

            def pack(line: tirx.PrimExpr) -> tirx.Stmt:
                # The result is one row or one column of tiles: either way its pages are the lines.
                batch = leading[-len(result.leading) :]
                out = result.page(batch, 0, first + line, attrs.ROW_MAJOR)
                return ops.PACK_TILE.stmt(_simplify(line * slots), dst.data, _simplify(out))

            return attrs.dst_section([*math, for_tiles(together, pack)])

        return in_chunks(kept, together, section)

    blocks = nest_of([*grid.leading, 1, 1], lambda index: block(index[:-2]))
    pieces = [blocks, ops.REDUCE_UNINIT.stmt()] if is_on_fpu else [blocks]
    return [tree.located(piece, stmt) for piece in pieces]


def _on_fpu(lines: _Lines) -> tirx.Stmt:
    """Every tile is reduced and added to its line's register."""
    view = lines.view
    assert view.scaler is not None, view
    cb, scaler, out = (region.buffer.data for region in (view.src, view.scaler, view.dst))
    op = ops.REDUCE[view.kind, lines.dim]

    def reduce(index: list[tirx.PrimExpr]) -> tirx.Stmt:
        line, step = index
        return op.stmt(cb, scaler, lines.page(line, step), _simplify(line), out)

    return nest_of([lines.kept, lines.reduced], reduce)


def _on_sfpu(lines: _Lines, slots: int) -> list[tirx.Stmt]:
    """The tiles of a line become one, element by element, which then is reduced in itself."""
    view, cb = lines.view, lines.view.src.buffer.data
    dtype = view.src.buffer.dtype
    join = (ops.INT_BINARY if dtype == "int32" else ops.SFPU_BINARY)[_JOIN[view.kind]]

    def each(body: Callable[[tirx.PrimExpr], tirx.Stmt]) -> tirx.Stmt:
        return for_tiles(lines.kept, body)

    def load(step: tirx.PrimExpr | int, slot: int) -> tirx.Stmt:
        return each(
            lambda line: ops.COPY_TILE.stmt(
                cb, lines.page(line, step), _simplify(line * slots + slot)
            )
        )

    def joined(line: tirx.PrimExpr) -> tirx.Stmt:
        sum_, term = _simplify(line * slots), _simplify(line * slots + 1)
        return join.stmt(sum_, term, sum_)

    def reduced(line: tirx.PrimExpr) -> tirx.Stmt:
        return ops.SFPU_REDUCE[dtype, view.kind, lines.dim].stmt(_simplify(line * slots))

    def join_next(index: list[tirx.PrimExpr]) -> tirx.Stmt:
        return tirx.SeqStmt([load(index[0] + 1, 1), each(joined)])

    rest = [] if lines.reduced == 1 else [nest_of([lines.reduced - 1], join_next)]
    return [load(0, 0), *rest, each(reduced)]


def _simplify(expr: tirx.PrimExpr) -> tirx.PrimExpr:
    return arith.Analyzer().simplify(expr)
