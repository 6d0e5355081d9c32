"""Turn each copy between a tensor and a buffer into a loop over pages on the NoC.

    before:  T.copy(A[by * 64, k * 32], A_s[0:64, 0:32])

    after:   for r in range(2):
                 T.noc_read(A.data, (by * 2 + r) * 8 + k, A_s.data, r)

Needs:    `PlanCircularBuffers`.
Leaves:   no copies.
"""

from __future__ import annotations

from tvm import arith, tirx

from tilelang_tt import tiles
from tilelang_tt.analysis import layout, ranges
from tilelang_tt.analysis.layout import TileGrid
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, Region, is_global, leaf
from tilelang_tt.transforms.tile_loops import nest_of


class LowerCopies:
    """See the module docstring."""

    name = "tt.LowerCopies"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        plan = attrs.circular_buffers(frame)
        analyzer = ranges.analyzer_of(func)

        def lower(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
            return [_lower(stmt, plan, analyzer) for stmt in stmts]

        return frame.build(body=tree.rewrite_sequences(frame.body, lower))


def _lower(
    stmt: tirx.Stmt, plan: dict[tirx.Var, attrs.CircularBuffer], analyzer: arith.Analyzer
) -> tirx.Stmt:
    view = leaf(stmt)
    if not isinstance(view, Copy):
        return stmt
    is_read = is_global(view.src.buffer)
    region, buffer = (view.src, view.dst.buffer) if is_read else (view.dst, view.src.buffer)
    op = ops.NOC_READ if is_read else ops.NOC_WRITE
    grid = layout.tile_grid(buffer)
    assert grid is not None, buffer
    order = plan[buffer.data].order

    def move(index: list[tirx.PrimExpr]) -> tirx.Stmt:
        *leading, row, column = index
        page = analyzer.simplify(_tensor_page(region, grid, leading, row, column))
        cb_page = analyzer.simplify(grid.page(leading, row, column, order))
        return op.stmt(region.buffer.data, page, buffer.data, cb_page)

    return tree.located(nest_of([*grid.leading, grid.rows, grid.columns], move), stmt)


def _tensor_page(
    region: Region,
    grid: TileGrid,
    leading: list[tirx.PrimExpr],
    row: tirx.PrimExpr,
    column: tirx.PrimExpr,
) -> tirx.PrimExpr:
    """The page of the tensor that belongs to a tile of the buffer.

    Extents that are not 1 pair up in order.
    """
    tile = tirx.const(tiles.TILE, "int32")
    lead = [index for index, extent in zip(leading, grid.leading, strict=True) if extent != 1]
    index: list[tirx.PrimExpr] = []
    for low, extent in zip(region.mins[:-2], region.extents[:-2], strict=True):
        index.append(low if ranges.constant(extent) == 1 else low + lead.pop(0))
    if len(region.mins) > 1:
        index.append(tirx.floordiv(region.mins[-2], tile) + row)
    else:
        index.append(tirx.const(0, "int32"))
    last = len(region.mins) - 1
    index.append(tirx.floordiv(region.mins[last], tile) + column)
    assert not lead, region
    return layout.tensor_page(region.buffer, index)
