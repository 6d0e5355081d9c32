"""Complete the sums of products subblock by subblock, in the last step that adds to them, and hand
the results over piece by piece.

A block of results is summed up in L1 and stored when all of it is complete: the packer has made
another pass over it, the writer has had nothing to do, and now the compute engine waits for it.
Rows of subblocks that are handed over as they are completed are stored while the next are computed.

    before:  T.accumulate_begin(C_l)             after:   T.accumulate_begin(C_l)
             for k in range(8):                           for k in range(8):
                 T.gemm(A_s, B_s, C_l, k == 0)                with T.attr(0, "tt.finish", k == 7):
             T.accumulate_end(C_l)                                T.gemm(A_s, B_s, C_l, k == 0)
             T.copy(C_l, C[...])                          T.accumulate_end(C_l)
                                                          T.copy(C_l, C[...])

An element-wise nest that makes the stored block of the sum joins the last step. There the sum so
far goes from L1 back to the destination registers, the products are added, and what the nest makes
of them is packed to the block that is stored.

    before:  T.accumulate_begin(C_l)             after:   T.accumulate_begin(C_l)
             for k in range(8):                           T.accumulate_begin(C_o)
                 T.gemm(A_s, B_s, C_l, k == 0)            for k in range(8):
             T.accumulate_end(C_l)                            with T.attr(0, "tt.finish", k == 7):
             for i, j in T.Parallel(64, 64):                      T.gemm(A_s, B_s, C_l, k == 0)
                 C_o[i, j] = T.max(C_l[i, j], 0)                  for i, j in T.Parallel(64, 64):
             T.copy(C_o, C[...])                                      C_o[i, j] = T.max(...)
                                                          T.accumulate_end(C_o)
                                                          T.copy(C_o, C[...])

The registers must hold the sum as exactly as L1 did, and all else that the nest reads be there
before the loop. Loads that stand between loop and nest move before the loop.

Needs:    `PlanCircularBuffers`.
Leaves:   `tt.finish` attributes; `parts` of the buffers that are handed over piece by piece.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from tvm import arith, tirx

from tilelang_tt.analysis import access, layout, ranges, scalars
from tilelang_tt.analysis.subblocks import subblock_of
from tilelang_tt.device import Device
from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.attrs import COMPUTE, FINISH, FP32_DEST, ROW_MAJOR, on_engine
from tilelang_tt.ir.exprs import same_all
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import (
    Accumulation,
    AccumulationKind,
    Copy,
    Elementwise,
    Gemm,
    Leaf,
    Region,
    is_global,
    leaf,
)
from tilelang_tt.transforms.lower_elementwise import nest_program


@dataclass(frozen=True)
class FinishProducts:
    """See the module docstring."""

    device: Device
    name: str = "tt.FinishProducts"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        is_fp32 = bool(func.attrs[FP32_DEST])
        finishing = _Finishing(frame, is_fp32, self.device.dst_tiles(is_fp32))
        body = tree.rewrite_sequences(frame.body, finishing.finish_all)
        return attrs.with_circular_buffers(Frame.of(frame.build(body=body)), finishing.plan)


@dataclass(frozen=True)
class _Sum:
    """Where a sum is made, as positions in a sequence: it is begun, added to by a loop, and ended;
    all three are one product that needs no loop."""

    begin: int
    adds: int
    end: int
    gemm: Gemm

    @property
    def buffer(self) -> tirx.Buffer:
        return self.gemm.c.buffer

    @property
    def is_looped(self) -> bool:
        return self.begin != self.adds


class _Finishing:
    def __init__(self, frame: Frame, is_fp32: bool, dst_tiles: int) -> None:
        self.leaves = [view for _, view in access.leaves(frame.body)]
        self.plan = attrs.circular_buffers(frame)
        self.is_fp32 = is_fp32
        self.dst_tiles = dst_tiles

    def finish_all(self, stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
        for begin in reversed(range(len(stmts))):
            if (found := _sum_from(stmts, begin)) is None:
                continue
            if self._is_stored(found.buffer):
                stmts = self._finish(stmts, found)
            elif (nest := self._epilogue(stmts, found)) is not None:
                stmts = self._finish_with(stmts, found, nest)
        return stmts

    def _finish(self, stmts: list[tirx.Stmt], found: _Sum) -> list[tirx.Stmt]:
        parts = self._parts(found.buffer, found.gemm, slots=1)
        if parts == 1:
            return stmts
        self._hand_over(found.buffer, parts)
        last = _with_last_step(stmts[found.adds], found, [])
        return [*stmts[: found.adds], last, *stmts[found.adds + 1 :]]

    def _finish_with(self, stmts: list[tirx.Stmt], found: _Sum, at: int) -> list[tirx.Stmt]:
        """The statements with the nest at position `at` in the last step."""
        nest = _leaf(stmts[at])
        assert isinstance(nest, Elementwise), stmts[at]
        slots = nest_program(nest, stmts[at], self.dst_tiles)[1]
        self._hand_over(nest.dst, self._parts(nest.dst, found.gemm, slots))
        last = _with_last_step(stmts[found.adds], found, [_own(stmts[at])])
        before, inside = stmts[: found.begin], stmts[found.begin : found.adds]
        between, after = stmts[found.end + 1 : at], stmts[at + 1 :]
        inputs = [load.buffer for load in nest.loads]
        early = [stmt for stmt in between if any(access.is_written(stmt, each) for each in inputs)]
        late = [stmt for stmt in between if stmt not in early]
        if not found.is_looped:
            return [*before, *early, last, *late, *after]
        others = stmts[found.adds + 1 : found.end]
        begin, end = (_mark(nest.dst, kind, stmts[at]) for kind in ("begin", "end"))
        return [*before, *early, *inside, begin, last, *others, end, *late, *after]

    # Where it may be done. ------------------------------------------------------------------------

    def _is_stored(self, buffer: tirx.Buffer) -> bool:
        """Whether one statement makes the buffer, and one, a store, takes it."""
        taken = self._taken(buffer)
        is_store = len(taken) == 1 and isinstance(taken[0], Copy) and is_global(taken[0].dst.buffer)
        return is_store and len(self._made(buffer)) == 1

    def _made(self, buffer: tirx.Buffer) -> list[Leaf]:
        writers = [view for view in self.leaves if buffer.same_as(access.writes(view))]
        return [view for view in writers if not isinstance(view, Accumulation)]

    def _taken(self, buffer: tirx.Buffer) -> list[Leaf]:
        return [view for view in self.leaves if buffer in access.consumed(view)]

    def _epilogue(self, stmts: list[tirx.Stmt], found: _Sum) -> int | None:
        """The position of the nest that can join the last step."""
        taken = self._taken(found.buffer)
        if len(self._made(found.buffer)) != 1 or len(taken) != 1:
            return None
        later = range(found.end + 1, len(stmts))
        at = next((at for at in later if access.is_read(stmts[at], found.buffer)), None)
        nest = None if at is None else _leaf(stmts[at])
        if at is None or not isinstance(nest, Elementwise) or not self._is_stored(nest.dst):
            return None
        is_free = not any(access.touches(stmt, nest.dst) for stmt in stmts[found.begin : at])
        can_join = self._can_join(nest, stmts[at], found)
        return at if is_free and can_join and self._is_ready(nest, stmts, found, at) else None

    def _can_join(self, nest: Elementwise, stmt: tirx.Stmt, found: _Sum) -> bool:
        """Whether the nest makes each tile of the same tile of the sum, which it finds in the
        registers as exact as in L1."""
        total = found.buffer
        loads = [load for load in nest.loads if total.same_as(load.buffer)]
        is_aligned = (
            nest.covers_dst
            and same_all(nest.dst.shape, total.shape)
            and all(same_all(load.indices, nest.store.indices) for load in loads)
        )
        planned = self.plan[total.data]
        is_exact = self.is_fp32 and total.dtype == "float32" and planned.unpack_to_dest
        if not is_aligned or (found.is_looped and not is_exact):
            return False
        program, _ = nest_program(nest, stmt, self.dst_tiles)
        reads = [ins for ins in program if any(total.same_as(load.buffer) for load in ins.loads)]
        return len(reads) == 1 and len(reads[0].loads) == 1 and planned.order == ROW_MAJOR

    def _is_ready(self, nest: Elementwise, stmts: list[tirx.Stmt], found: _Sum, at: int) -> bool:
        """Whether all else that the nest reads is there before the sum, or is loaded after it and
        can be loaded before."""
        new = {name for stmt in stmts[found.begin : at] for name in scalars.bound(stmt)}
        if scalars.used(stmts[at]) & new:
            return False
        for buffer in {load.buffer for load in nest.loads} - {found.buffer}:
            if any(access.is_written(stmt, buffer) for stmt in stmts[found.begin : found.end + 1]):
                return False
            makers = [stmt for stmt in stmts[found.end + 1 : at] if access.is_written(stmt, buffer)]
            if not all(self._is_movable(_leaf(stmt)) for stmt in makers):
                return False
            if any(scalars.used(stmt) & new for stmt in makers):
                return False
            if makers and any(
                access.is_read(stmt, buffer) for stmt in stmts[found.begin : found.end + 1]
            ):
                return False
        return True

    def _is_movable(self, view: Leaf | None) -> bool:
        """Whether this is a load of a tensor that the program does not change."""
        if not isinstance(view, Copy) or not is_global(view.src.buffer):
            return False
        return not any(view.src.buffer.same_as(access.writes(other)) for other in self.leaves)

    # What is handed over. -------------------------------------------------------------------------

    def _parts(self, buffer: tirx.Buffer, gemm: Gemm, slots: int) -> int:
        """The rows of subblocks in a block of the buffer."""
        grid = layout.tile_grid(buffer)
        assert grid is not None, buffer
        if self.plan[buffer.data].order != ROW_MAJOR:
            return 1
        return grid.rows // subblock_of(gemm, self.plan, self.dst_tiles // slots).rows

    def _hand_over(self, buffer: tirx.Buffer, parts: int) -> None:
        planned = self.plan[buffer.data]
        self.plan[buffer.data] = dataclasses.replace(planned, parts=parts)


def _sum_from(stmts: list[tirx.Stmt], begin: int) -> _Sum | None:
    """The sum that begins at a position."""
    view = _leaf(stmts[begin])
    if isinstance(view, Gemm) and view.always_clears and view.c.is_whole:
        return _Sum(begin, begin, begin, view)
    if not isinstance(view, Accumulation) or not view.is_fresh:
        return None
    buffer = view.dst.buffer
    after = [at for at in range(begin + 1, len(stmts)) if access.touches(stmts[at], buffer)][:2]
    if len(after) != 2:
        return None
    adds, end = after
    gemm = _only_product(stmts[adds], buffer)
    closing = _leaf(stmts[end])
    is_closed = isinstance(closing, Accumulation) and closing.kind == "end"
    return _Sum(begin, adds, end, gemm) if gemm is not None and is_closed else None


def _only_product(stmt: tirx.Stmt, buffer: tirx.Buffer) -> Gemm | None:
    """The product into the buffer where a loop of several steps has one in each."""
    if not isinstance(stmt, tirx.For) or (ranges.constant(stmt.extent) or 0) < 2:
        return None
    touching = [each for each in tree.statements(stmt.body) if access.touches(each, buffer)]
    view = _leaf(touching[0]) if len(touching) == 1 else None
    return view if isinstance(view, Gemm) else None


def _with_last_step(stmt: tirx.Stmt, found: _Sum, nest: list[tirx.Stmt]) -> tirx.Stmt:
    """`stmt`, the loop or the product, in which the product of the last step completes the sum, of
    which `nest` is then made."""
    if not found.is_looped:
        return _finished(stmt, tirx.IntImm("bool", 1), nest)
    assert isinstance(stmt, tirx.For), stmt
    last = arith.Analyzer().simplify(stmt.min + stmt.extent - 1)
    is_last = tirx.EQ(stmt.loop_var, last)
    children = [
        _finished(child, is_last, nest) if access.touches(child, found.buffer) else child
        for child in tree.statements(stmt.body)
    ]
    return tree.with_body(stmt, tree.sequence(children))


def _finished(product: tirx.Stmt, is_last: tirx.PrimExpr, nest: list[tirx.Stmt]) -> tirx.Stmt:
    *comments, own = tree.statements(product.body)
    zero = tirx.const(0, "int32")
    finish = tirx.AttrStmt(zero, FINISH, is_last, tree.sequence([own, *nest]))
    body = tree.sequence([*comments, tree.located(finish, product)])
    return tree.located(on_engine(COMPUTE, body), product)


def _mark(buffer: tirx.Buffer, kind: AccumulationKind, origin: tirx.Stmt) -> tirx.Stmt:
    mark = tree.located(Accumulation(Region.whole(buffer), kind).stmt(), origin)
    return tree.located(on_engine(COMPUTE, mark), origin)


def _own(stmt: tirx.Stmt) -> tirx.Stmt:
    """What an engine runs, without the comment."""
    return tree.statements(stmt.body)[-1]


def _leaf(stmt: tirx.Stmt) -> Leaf | None:
    """The view of the statement that an engine runs."""
    return None if attrs.engine_of(stmt) is None else leaf(_own(stmt))
