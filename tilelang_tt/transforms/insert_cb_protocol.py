"""Hand the pages of every circular buffer from its producer to its consumer and back.

A buffer holds a value from the statement that writes it to the last one that may read it, on every
path through loops and branches. The producer reserves a block before it writes one and publishes it
after; the consumer waits for it before it first reads, and frees it after it last did, or where a
path begins on which nothing reads it any more. Data that moves over the NoC has arrived before it
is published, and has left before its pages are freed. A value that products are accumulated onto is
published after the last of them. What a statement hands over itself, piece by piece, is left to it.

    before:  on reader:  noc_read(..., A_s, 0)
             on compute: copy_tile(A_s, 0, 0)

    after:   on reader:  cb_reserve_back(A_s, pages)
                         noc_read(..., A_s, 0)
                         noc_read_barrier()
                         cb_push_back(A_s, pages)
             on compute: cb_wait_front(A_s, pages)
                         copy_tile(A_s, 0, 0)
                         cb_pop_front(A_s, pages)

Needs:    tile instructions (`LowerCopies`, `LowerGemms`, `LowerElementwise`).
Leaves:   the protocol, each call on its engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tvm import tirx

from tilelang_tt.analysis import cb_use
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.attrs import COMPUTE, WRITER, CircularBuffer, on_engine
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Accumulation, leaf


class InsertCbProtocol:
    """See the module docstring."""

    name = "tt.InsertCbProtocol"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        body = frame.body
        for cb, planned in attrs.circular_buffers(frame).items():
            protocol = _Protocol(cb, planned, _calls(body, cb))
            protected, is_full = protocol.protect(body, full_after=False)
            assert not is_full, f"circular buffer {cb} is read before it is written"
            body, _ = protocol.wait(protected, is_known=False)
        return frame.build(body=_without_accumulations(body))


@dataclass
class _Protocol:
    """The protocol of one circular buffer.

    `own` are the calls that statements make themselves, `is_open` while what is written makes no
    value yet, and `is_made` when the statement before begins the value that is being accumulated.
    """

    cb: tirx.Var
    planned: CircularBuffer
    own: frozenset[ops.OpDef]
    is_open: bool = False
    is_made: bool = False

    # From the end to the beginning: reserve, publish, free. ---------------------------------------

    def protect(self, stmt: tirx.Stmt, full_after: bool) -> tuple[tirx.Stmt, bool]:
        """`stmt` with all but the waits, and whether the buffer holds a value before it.

        `full_after` says whether it does so after it, that is, whether somebody still reads it.
        """
        if attrs.engine_of(stmt) is not None:
            return self._protect_leaf(stmt, full_after)
        match stmt:
            case tirx.SeqStmt():
                protected: list[tirx.Stmt] = []
                is_full = full_after
                for child in reversed(stmt.seq):
                    new, is_full = self.protect(child, is_full)
                    protected.append(new)
                return tree.sequence(reversed(protected)), is_full
            case tirx.IfThenElse():
                return self._protect_branch(stmt, full_after)
            case tirx.For():
                return self._protect_loop(stmt, full_after)
            case tirx.AttrStmt():
                body, is_full = self.protect(stmt.body, full_after)
                return tree.with_body(stmt, body), is_full
        return stmt, full_after

    def _protect_leaf(self, stmt: tirx.Stmt, full_after: bool) -> tuple[tirx.Stmt, bool]:
        if (view := _accumulation(stmt)) is not None:
            is_own = view.dst.buffer.data.same_as(self.cb)
            return self._protect_mark(view, stmt, full_after) if is_own else (stmt, full_after)
        if self._has(stmt, ops.CB_PUSH_BACK) and self._has(stmt, ops.CB_POP_FRONT):
            return stmt, False  # a value that only this statement makes and takes
        is_read = self.cb in cb_use.drains(stmt)
        is_written = self.cb in cb_use.fills(stmt) and not self.is_open
        pieces = [*(self._reserve() if is_written else []), stmt]
        if is_written and not self.is_made:
            pieces += self._publish()
        if is_read and (is_written or not full_after) and not self._has(stmt, ops.CB_POP_FRONT):
            pieces += self._free()
        if is_written and not self.is_made:
            pieces += self._unread(full_after)
        self.is_made = self.is_made and not is_written
        return tree.sequence(pieces), is_read or (full_after and not is_written)

    def _protect_mark(
        self, view: Accumulation, stmt: tirx.Stmt, full_after: bool
    ) -> tuple[tirx.Stmt, bool]:
        self.is_open = view.kind == "end"
        self.is_made = view.kind == "onto"
        if self.is_open:
            return tree.sequence([stmt, *self._publish(), *self._unread(full_after)]), False
        return tree.sequence([*([] if self.is_made else self._reserve()), stmt]), False

    def _protect_branch(self, stmt: tirx.IfThenElse, full_after: bool) -> tuple[tirx.Stmt, bool]:
        is_made = self.is_made
        then, in_then = self.protect(stmt.then_case, full_after)
        other, in_other = stmt.else_case, full_after
        if other is not None:
            self.is_made = is_made
            other, in_other = self.protect(other, full_after)
        is_full = in_then or in_other
        if is_full and not in_then:
            then = tree.sequence([*self._free(), then])
        if is_full and not in_other:
            other = tree.sequence([*self._free(), *([] if other is None else [other])])
        return tree.located(tirx.IfThenElse(stmt.condition, then, other), stmt), is_full

    def _protect_loop(self, loop: tirx.For, full_after: bool) -> tuple[tirx.Stmt, bool]:
        """The buffer is as full before each iteration as after the last one."""
        body, in_body = self.protect(loop.body, full_after)
        is_full = full_after or in_body
        if is_full != full_after:
            body, in_body = self.protect(loop.body, is_full)
        if is_full and not in_body:
            body = tree.sequence([*self._free(), body])
        new = tree.with_body(loop, body)
        if is_full and not full_after:
            new = tree.sequence([new, *self._free()])
        return new, is_full

    # From the beginning to the end: wait. ---------------------------------------------------------

    def wait(self, stmt: tirx.Stmt, is_known: bool) -> tuple[tirx.Stmt, bool]:
        """`stmt` with a wait before the first read of each value, and whether the value that is in
        the buffer after it is known to be there."""
        if attrs.engine_of(stmt) is not None:
            return self._wait_leaf(stmt, is_known)
        match stmt:
            case tirx.SeqStmt():
                children: list[tirx.Stmt] = []
                for child in stmt.seq:
                    new, is_known = self.wait(child, is_known)
                    children.append(new)
                return tree.sequence(children), is_known
            case tirx.IfThenElse():
                then, in_then = self.wait(stmt.then_case, is_known)
                other, in_other = stmt.else_case, is_known
                if other is not None:
                    other, in_other = self.wait(other, is_known)
                new = tirx.IfThenElse(stmt.condition, then, other)
                return tree.located(new, stmt), in_then and in_other
            case tirx.For():
                return self._wait_loop(stmt, is_known)
            case tirx.AttrStmt():
                body, is_known = self.wait(stmt.body, is_known)
                return tree.with_body(stmt, body), is_known
        return stmt, is_known

    def _wait_leaf(self, stmt: tirx.Stmt, is_known: bool) -> tuple[tirx.Stmt, bool]:
        is_freed = self._is(stmt, ops.CB_POP_FRONT)
        if self._has(stmt, ops.CB_WAIT_FRONT):
            return stmt, False
        if not is_freed and self.cb not in cb_use.drains(stmt):
            return stmt, is_known
        waited = stmt if is_known else tree.sequence([*self._wait(), stmt])
        return waited, not is_freed

    def _wait_loop(self, loop: tirx.For, is_known: bool) -> tuple[tirx.Stmt, bool]:
        changes = any(
            self._is(inner, op)
            for inner in tree.collect(loop.body, tirx.AttrStmt)
            for op in (ops.CB_POP_FRONT, ops.CB_PUSH_BACK)
        )
        if changes or ops.CB_WAIT_FRONT in _calls(loop.body, self.cb):
            return tree.with_body(loop, self.wait(loop.body, is_known=False)[0]), False
        is_read = not is_known and self.cb in cb_use.drains(loop.body)
        return tree.sequence([*(self._wait() if is_read else []), loop]), is_known or is_read

    # The calls. -----------------------------------------------------------------------------------

    def _reserve(self) -> list[tirx.Stmt]:
        if ops.CB_RESERVE_BACK in self.own:
            return []
        return [self._on(self.planned.producer, ops.CB_RESERVE_BACK)]

    def _publish(self) -> list[tirx.Stmt]:
        if ops.CB_PUSH_BACK in self.own:
            return []
        engine = self.planned.producer
        barrier = [on_engine(engine, ops.NOC_READ_BARRIER.stmt())]
        push = self._on(engine, ops.CB_PUSH_BACK)
        return [*(barrier if engine != COMPUTE else []), push]

    def _wait(self) -> list[tirx.Stmt]:
        return [self._on(self.planned.consumer, ops.CB_WAIT_FRONT)]

    def _free(self) -> list[tirx.Stmt]:
        """Free a block that may have been read; earlier reads of it may still be in flight."""
        barrier = [on_engine(WRITER, ops.NOC_WRITES_FLUSHED.stmt())]
        return [*(barrier if self.planned.consumer == WRITER else []), *self._discard()]

    def _discard(self) -> list[tirx.Stmt]:
        """Free a block that was not read."""
        return [self._on(self.planned.consumer, ops.CB_POP_FRONT)]

    def _unread(self, full_after: bool) -> list[tirx.Stmt]:
        """Free a block at once that nobody will read."""
        return [] if full_after else self._discard()

    def _on(self, engine: str, op: ops.OpDef) -> tirx.Stmt:
        return on_engine(engine, op.stmt(self.cb, ops.BLOCK_PAGES.call(self.cb)))

    def _has(self, stmt: tirx.Stmt, op: ops.OpDef) -> bool:
        """Whether `stmt` has this call on this buffer, and more."""
        return op in self.own and op in _calls(stmt, self.cb) and not self._is(stmt, op)

    def _is(self, stmt: tirx.Stmt, op: ops.OpDef) -> bool:
        """Whether `stmt`, on its engine, is this call on this buffer."""
        if attrs.engine_of(stmt) is None or ops.definition(stmt.body) is not op:
            return False
        return op.operand(stmt.body.value, "cb").same_as(self.cb)


_HANDOVERS = (ops.CB_RESERVE_BACK, ops.CB_PUSH_BACK, ops.CB_WAIT_FRONT, ops.CB_POP_FRONT)


def _calls(stmt: tirx.Stmt, cb: tirx.Var) -> frozenset[ops.OpDef]:
    """What `stmt` does to hand pages of a circular buffer over."""
    return frozenset(
        op
        for call in tree.collect(stmt, tirx.Evaluate)
        if (op := ops.definition(call)) in _HANDOVERS and op.operand(call.value, "cb").same_as(cb)
    )


def _accumulation(stmt: tirx.Stmt) -> Accumulation | None:
    """The begin or end of an accumulation that a wrapped statement is."""
    views = [leaf(inner) for inner in _inside(stmt)]
    return next((view for view in views if isinstance(view, Accumulation)), None)


def _inside(stmt: tirx.Stmt) -> Iterable[tirx.Stmt]:
    return tree.statements(stmt.body) if attrs.engine_of(stmt) is not None else ()


def _without_accumulations(stmt: tirx.Stmt) -> tirx.Stmt:
    def drop(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
        return [child for child in stmts if _accumulation(child) is None]

    return tree.rewrite_sequences(stmt, drop)
