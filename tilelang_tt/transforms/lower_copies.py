"""Turn each copy between a tensor and a buffer into a loop over pages on the NoC.

    before:  T.copy(A[by * 64, k * 32], A_s[0:64, 0:32])

    after:   for r in range(2):
                 T.noc_read(A.data, (by * 2 + r) * 8 + k, A_s.data, r)

Where tiles may lie outside of the tensor, the kernel looks, and fills such a page with zeros or
does not write it.

Of cores that share a load one reads and sends the block on to the others.

    before:  T.copy(A[...], A_s[0:64, 0:32], "row", "reader")

    after:   if column == row % columns:
                 for r in range(2):
                     T.noc_read(...)
                 T.noc_read_barrier()
                 T.multicast_send("row", A_s.data, 2)
             else:
                 T.multicast_receive("row")

The cores of a team hand each other blocks: one says that it has room, the other writes them there.

    before:  T.copy(C_net[child, 0, 0], C_part, "children")
             T.copy(C_sent, C_net[0, 0, 0], "parent")

    after:   T.part_receive("children", child, C_part.data)
             T.part_send("parent", 0, 1, C_sent.data, C_part.data, 4)

Needs:    `PlanCircularBuffers`, `GuardCopies`, `MapGrid`.
Leaves:   no copies.
"""

from __future__ import annotations

import functools

from tvm import arith, tirx

from tilelang_tt import partition, tiles
from tilelang_tt.analysis import access, layout, ranges
from tilelang_tt.analysis.layout import TileGrid
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.attrs import TiledAxes
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Copy, Region, is_global, leaf
from tilelang_tt.partition import CHILDREN, PEERS
from tilelang_tt.transforms.choose_tiled_axes import transfer
from tilelang_tt.transforms.tile_loops import loop, nest_of

_ZERO = tirx.const(0, "int32")


class LowerCopies:
    """See the module docstring."""

    name = "tt.LowerCopies"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        plan = attrs.circular_buffers(frame)
        axes = attrs.tiled_axes(frame)
        analyzer = ranges.analyzer_of(func)
        ends = {
            view.src.buffer: view.dst.buffer.data
            for _, view in access.leaves(frame.body)
            if isinstance(view, Copy) and view.group in PEERS
        }

        def lower(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
            return [lower_one(stmt) for stmt in stmts]

        def lower_one(stmt: tirx.Stmt) -> tirx.Stmt:
            view = leaf(stmt)
            if not isinstance(view, Copy):
                return stmt
            if view.group in PEERS:
                moved = _handed_over(view, ends, plan, attrs.core_args(func))
                return tree.located(moved, stmt)
            moved = _moved(view, plan, axes, analyzer)
            if view.group:
                moved = _shared(view, moved, plan, attrs.core_args(func))
            return tree.located(moved, stmt)

        return frame.build(body=tree.rewrite_sequences(frame.body, lower), ways=())


def _shared(
    copy: Copy,
    read: tirx.Stmt,
    plan: dict[tirx.Var, attrs.CircularBuffer],
    own: dict[str, tirx.Var],
) -> tirx.Stmt:
    """The sender of the group reads and sends, the others receive."""
    cb = copy.dst.buffer.data
    group = tirx.StringImm(copy.group)
    send = ops.MULTICAST_SEND.stmt(group, cb, plan[cb].pages)
    return tirx.IfThenElse(
        _is_sender(copy.group, own),
        tree.sequence([read, ops.NOC_READ_BARRIER.stmt(), send, ops.NOC_WRITES_FLUSHED.stmt()]),
        ops.MULTICAST_RECEIVE.stmt(group),
    )


def _handed_over(
    copy: Copy,
    ends: dict[tirx.Buffer, tirx.Var],
    plan: dict[tirx.Var, attrs.CircularBuffer],
    own: dict[str, tirx.Var],
) -> tirx.Stmt:
    """From or to a core of the team; `ends` are the buffers that what goes a way ends in."""
    peers = tirx.StringImm(copy.group)
    if is_global(copy.src.buffer):
        return ops.PART_RECEIVE.stmt(peers, copy.src.mins[0], copy.dst.buffer.data)
    cb, there = copy.src.buffer.data, ends[copy.dst.buffer]
    assert plan[there].depth == 1, there
    receivers = own["children"] if copy.group == CHILDREN else 1
    pages = plan[cb].pages
    return ops.PART_SEND.stmt(peers, copy.dst.mins[0], receivers, cb, there, pages)


def _is_sender(group: str, own: dict[str, tirx.Var]) -> tirx.PrimExpr:
    """Whether a core is the sender of its group."""
    if "core" in own:  # all the cores of a line are one group
        return tirx.EQ(own["core"], 0)
    core = own["column"], own["row"]
    place = partition.sender(group, core, (own["columns"], own["rows"]))
    matches = [at == there for at, there in zip(core, place, strict=True) if at is not there]
    return functools.reduce(tirx.And, matches)


def _moved(
    view: Copy,
    plan: dict[tirx.Var, attrs.CircularBuffer],
    axes: dict[tirx.Var, TiledAxes],
    analyzer: arith.Analyzer,
) -> tirx.Stmt:
    region, buffer = transfer(view)
    op = ops.NOC_READ if is_global(view.src.buffer) else ops.NOC_WRITE
    grid = layout.tile_grid(buffer)
    assert grid is not None, buffer
    order = plan[buffer.data].order
    tiled = axes[region.buffer.data]

    def move(index: list[tirx.PrimExpr], first_row: tirx.PrimExpr = _ZERO) -> tirx.Stmt:
        """The tile at `index` of the rows from `first_row` on, with which the pages begin."""
        *leading, row, column = index
        at = _tensor_index(region, tiled, grid, leading, first_row + row, column)
        page = analyzer.simplify(layout.tensor_page(region.buffer, tiled, at))
        cb_page = analyzer.simplify(grid.page(leading, row, column, order))
        moved = op.stmt(region.buffer.data, page, buffer.data, cb_page)
        if not view.guarded:
            return moved
        is_read = op is ops.NOC_READ
        zeros = ops.ZERO_PAGE.stmt(buffer.data, cb_page) if is_read else None
        return tirx.IfThenElse(_is_inside(region, tiled, at, view.guarded, analyzer), moved, zeros)

    planned = plan[buffer.data]
    rows = grid.rows // planned.parts

    def moved(first_row: tirx.PrimExpr) -> tirx.Stmt:
        extents = [*grid.leading, rows, grid.columns]
        return nest_of(extents, lambda index: move(index, first_row))

    if planned.parts == 1:
        return moved(_ZERO)
    part = tirx.Var("part", "int32")
    piece = [
        ops.CB_WAIT_FRONT.stmt(buffer.data, planned.part_pages),
        moved(part * rows),
        ops.NOC_WRITES_FLUSHED.stmt(),
        ops.CB_POP_FRONT.stmt(buffer.data, planned.part_pages),
    ]
    return loop(part, planned.parts, tree.sequence(piece))


def _is_inside(
    region: Region,
    tiled: TiledAxes,
    index: list[tirx.PrimExpr],
    guarded: tuple[int, ...],
    analyzer: arith.Analyzer,
) -> tirx.PrimExpr:
    """Whether the tensor has the tile at `index`."""
    conditions: list[tirx.PrimExpr] = []
    for axis in guarded:
        size = region.buffer.shape[axis]
        limit = layout.tiles_of(size) if axis in (tiled.row, tiled.column) else size
        at = analyzer.simplify(index[axis])
        if not analyzer.can_prove(region.mins[axis] >= 0):
            conditions.append(at >= 0)
        conditions.append(at < analyzer.simplify(limit))
    return functools.reduce(tirx.And, conditions)


def _tensor_index(
    region: Region,
    tiled: TiledAxes,
    grid: TileGrid,
    leading: list[tirx.PrimExpr],
    row: tirx.PrimExpr,
    column: tirx.PrimExpr,
) -> list[tirx.PrimExpr]:
    """Where a tile of the buffer lies in the tensor, an entry for each axis.

    Extents that are not 1 pair up in order.
    """
    tile = tirx.const(tiles.TILE, "int32")
    lead = [index for index, extent in zip(leading, grid.leading, strict=True) if extent != 1]
    index: list[tirx.PrimExpr] = []
    for axis, (low, extent) in enumerate(zip(region.mins, region.extents, strict=True)):
        if axis == tiled.row:
            index.append(tirx.floordiv(low, tile) + row)
        elif axis == tiled.column:
            index.append(tirx.floordiv(low, tile) + column)
        else:
            index.append(low if ranges.constant(extent) == 1 else low + lead.pop(0))
    assert not lead, region
    return index
