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

Where the whole block is one subblock, and nothing else is computed in the loop, the sum stays in
the destination registers from the first step to the last, and the packer makes one pass in all. The
loop is part of a section of them then, and so is the nest.

    before:  T.accumulate_begin(C_l)             after:   with T.attr(0, "tt.dst_section", ...):
             for k in range(8):                               for k in range(8):
                 T.gemm(A_s, B_s, C_l, k == 0)                    T.gemm(A_s, B_s, C_l, k == 0)
             T.accumulate_end(C_l)                        T.copy(C_l, C[...])
             T.copy(C_l, C[...])

The option `accumulate` asks for that, or forbids it.

Needs:    `PlanCircularBuffers`.
Leaves:   `tt.finish` attributes; `parts` of the buffers that are handed over piece by piece;
          sections with products.
Errors:   TT4008, TT4009.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from tvm import arith, tirx

from tilelang_tt.analysis import access, layout, ranges, scalars
from tilelang_tt.analysis.subblocks import Subblocks
from tilelang_tt.diagnostics import SumOutsideRegisters
from tilelang_tt.ir import attrs, tree
from tilelang_tt.ir.attrs import COMPUTE, FINISH, FP32_DEST, ROW_MAJOR, on_engine
from tilelang_tt.ir.exprs import same, same_all
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
from tilelang_tt.options import Options
from tilelang_tt.transforms.lower_elementwise import nest_program


@dataclass(frozen=True)
class FinishProducts:
    """See the module docstring."""

    options: Options
    name: str = "tt.FinishProducts"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        finishing = _Finishing(frame, bool(func.attrs[FP32_DEST]), self.options)
        body = tree.rewrite_sequences(frame.body, finishing.finish_all)
        return attrs.with_circular_buffers(Frame.of(frame.build(body=body)), finishing.plan)


@dataclass(frozen=True)
class _Sum:
    """Where a sum is made, as positions in a sequence: it is begun, added to by a loop, and ended;
    all three are one product that needs no loop. `steps` are those of the loop where they are
    known, 1 without one."""

    begin: int
    adds: int
    end: int
    gemm: Gemm
    product: tirx.Stmt
    steps: int | None = 1

    @property
    def buffer(self) -> tirx.Buffer:
        return self.gemm.c.buffer

    @property
    def is_looped(self) -> bool:
        return self.begin != self.adds


class _Finishing:
    def __init__(self, frame: Frame, is_fp32: bool, options: Options) -> None:
        self.leaves = [view for _, view in access.leaves(frame.body)]
        self.plan = attrs.circular_buffers(frame)
        self.is_fp32 = is_fp32
        self.dst_tiles = options.device.dst_tiles(is_fp32)
        self.subblocks = Subblocks(self.plan, self.dst_tiles, options.subblock)
        self.accumulate = options.accumulate

    def finish_all(self, stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
        for begin in reversed(range(len(stmts))):
            stmts = self._finish_from(stmts, begin)
        return stmts

    def _finish_from(self, stmts: list[tirx.Stmt], begin: int) -> list[tirx.Stmt]:
        found = _sum_from(stmts, begin)
        if self._stays(stmts, begin, found):
            assert found is not None, stmts[begin]
            return self._keep(stmts, found)
        if found is None or (found.is_looped and (found.steps or 0) < 2):
            return stmts
        if self._is_stored(found.buffer):
            return self._finish(stmts, found)
        at = self._epilogue(stmts, found, in_registers=False)
        return stmts if at is None else self._finish_with(stmts, found, at)

    def _keep(self, stmts: list[tirx.Stmt], found: _Sum) -> list[tirx.Stmt]:
        """The statements with the sum in the registers all the time, and in the same section a nest
        that is made of it."""
        adds, at = stmts[found.adds], self._epilogue(stmts, found, in_registers=True)
        others = [*stmts[found.begin + 1 : found.adds], *stmts[found.adds + 1 : found.end]]
        if at is None:
            section = tree.located(attrs.dst_section([adds]), adds)
            return [*stmts[: found.begin], *others, section, *stmts[found.end + 1 :]]
        section = tree.located(attrs.dst_section([adds, stmts[at]]), adds)
        early, late = _around(stmts, found, at)
        return [*stmts[: found.begin], *early, *others, section, *late, *stmts[at + 1 :]]

    def _finish(self, stmts: list[tirx.Stmt], found: _Sum) -> list[tirx.Stmt]:
        parts = self._parts(found.buffer, found, slots=1)
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
        self._hand_over(nest.dst, self._parts(nest.dst, found, slots))
        last = _with_last_step(stmts[found.adds], found, [_own(stmts[at])])
        before, inside = stmts[: found.begin], stmts[found.begin : found.adds]
        after = stmts[at + 1 :]
        early, late = _around(stmts, found, at)
        if not found.is_looped:
            return [*before, *early, last, *late, *after]
        others = stmts[found.adds + 1 : found.end]
        begin, end = (_mark(nest.dst, kind, stmts[at]) for kind in ("begin", "end"))
        return [*before, *early, *inside, begin, last, *others, end, *late, *after]

    # Where it may be done. ------------------------------------------------------------------------

    def _stays(self, stmts: list[tirx.Stmt], begin: int, found: _Sum | None) -> bool:
        """Whether the sum that begins at a position stays in the registers.

        Raises:
            SumOutsideRegisters: it must, by the user's choice, and cannot.
        """
        mark = _leaf(stmts[begin])
        begins = isinstance(mark, Accumulation) and mark.kind != "end"
        if not begins or self.accumulate == "l1":
            return False
        assert isinstance(mark, Accumulation), mark
        why = self._obstacle(stmts, found)
        if why and self.accumulate == "dst":
            raise SumOutsideRegisters.at(_own(stmts[begin]), buffer=mark.dst.buffer.name, why=why)
        return not why

    def _obstacle(self, stmts: list[tirx.Stmt], found: _Sum | None) -> str:
        """Why a sum cannot stay in the registers, "" where it can."""
        if found is None:
            return "it is not made anew by one product in each step of one loop"
        total, loop = found.buffer, stmts[found.adds]
        if total.dtype == "float32" and not self.is_fp32:
            return "they have 16 bits, which would round it with each product"
        assert isinstance(loop, tirx.For), loop
        if not same(found.gemm.clear, tirx.EQ(loop.loop_var, loop.min)):
            return "it may begin anew in a later step"
        grid = layout.tile_grid(total)
        assert grid is not None, total
        sub = self.subblocks.of(found.gemm, found.product)
        if (sub.rows, sub.columns) != (grid.rows, grid.columns):
            return f"it has {grid.rows}x{grid.columns} tiles, of which they take {sub} at a time"
        inside = access.leaves(tree.sequence(stmts[found.begin + 1 : found.end]))
        made = [access.writes(view) for _, view in inside if not isinstance(view, Copy)]
        others = [buffer.name for buffer in made if not buffer.same_as(total)]
        return f"{others[0]!r} is computed in the same loop" if others else ""

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

    def _epilogue(self, stmts: list[tirx.Stmt], found: _Sum, in_registers: bool) -> int | None:
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
        can_join = self._can_join(nest, stmts[at], found, in_registers)
        return at if is_free and can_join and self._is_ready(nest, stmts, found, at) else None

    def _can_join(
        self, nest: Elementwise, stmt: tirx.Stmt, found: _Sum, in_registers: bool
    ) -> bool:
        """Whether the nest makes each tile of the same tile of the sum, which it finds in the
        registers as exact as in L1; where it is `in_registers`, there must be room for all."""
        total = found.buffer
        loads = [load for load in nest.loads if total.same_as(load.buffer)]
        is_aligned = (
            nest.covers_dst
            and same_all(nest.dst.shape, total.shape)
            and all(same_all(load.indices, nest.store.indices) for load in loads)
        )
        planned = self.plan[total.data]
        is_exact = self.is_fp32 and total.dtype == "float32" and planned.unpack_to_dest
        if not is_aligned or (found.is_looped and not in_registers and not is_exact):
            return False
        program, slots = nest_program(nest, stmt, self.dst_tiles)
        if in_registers and slots * planned.pages > self.dst_tiles:
            return False
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

    def _parts(self, buffer: tirx.Buffer, found: _Sum, slots: int) -> int:
        """The rows of subblocks in a block of the buffer."""
        grid = layout.tile_grid(buffer)
        assert grid is not None, buffer
        if self.plan[buffer.data].order != ROW_MAJOR:
            return 1
        return grid.rows // self.subblocks.of(found.gemm, found.product, slots).rows

    def _hand_over(self, buffer: tirx.Buffer, parts: int) -> None:
        planned = self.plan[buffer.data]
        self.plan[buffer.data] = dataclasses.replace(planned, parts=parts)


def _sum_from(stmts: list[tirx.Stmt], begin: int) -> _Sum | None:
    """The sum that begins at a position."""
    view = _leaf(stmts[begin])
    if isinstance(view, Gemm) and view.always_clears and view.c.is_whole:
        return _Sum(begin, begin, begin, view, _own(stmts[begin]))
    if not isinstance(view, Accumulation) or not view.is_fresh:
        return None
    buffer = view.dst.buffer
    after = [at for at in range(begin + 1, len(stmts)) if access.touches(stmts[at], buffer)][:2]
    if len(after) != 2:
        return None
    adds, end = after
    product = _only_product(stmts[adds], buffer)
    closing = _leaf(stmts[end])
    is_closed = isinstance(closing, Accumulation) and closing.kind == "end"
    if product is None or not is_closed:
        return None
    gemm = leaf(product)
    assert isinstance(gemm, Gemm), product
    return _Sum(begin, adds, end, gemm, product, ranges.constant(stmts[adds].extent))


def _only_product(stmt: tirx.Stmt, buffer: tirx.Buffer) -> tirx.Stmt | None:
    """The product into the buffer where a loop has one in each step."""
    if not isinstance(stmt, tirx.For):
        return None
    touching = [each for each in tree.statements(stmt.body) if access.touches(each, buffer)]
    is_product = len(touching) == 1 and isinstance(_leaf(touching[0]), Gemm)
    return _own(touching[0]) if is_product else None


def _around(
    stmts: list[tirx.Stmt], found: _Sum, at: int
) -> tuple[list[tirx.Stmt], list[tirx.Stmt]]:
    """What stands between a sum and the nest at position `at` that joins it: what the nest reads,
    to be loaded before the sum, and the rest."""
    nest, between = _leaf(stmts[at]), stmts[found.end + 1 : at]
    assert isinstance(nest, Elementwise), stmts[at]
    inputs = [load.buffer for load in nest.loads]
    early = [stmt for stmt in between if any(access.is_written(stmt, each) for each in inputs)]
    return early, [stmt for stmt in between if stmt not in early]


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
