"""Read the next block that a core sends on while it sends this one, and offer room for it ahead.

A sender waits for a block from DRAM, then for room in the cores that share it, then for the block
to leave: DRAM and NoC take turns. With room for a third block in its buffer, the next one is
requested before this one is sent, and nothing waits for this one to leave. The others offer room
for the next one before this one has come, if they share nothing else with that sender. The first
block is sent at once: everybody waits for it, and has room.

    before:  for k in range(8):              after:   T.cb_reserve_back(A, p)
                 T.cb_reserve_back(A, p)              if column == row % columns:
                 if column == row % columns:              T.noc_read(..., 0, A, 0)
                     T.noc_read(..., k, A, 0)         else:
                     T.noc_read_barrier()                 T.multicast_offer("row")
                     T.multicast_send("row", A, p)    for k in range(8):
                     T.noc_writes_flushed()               T.cb_reserve_back(A, p)
                 else:                                    if column == row % columns:
                     T.multicast_receive("row")               T.noc_read_barrier()
                 T.cb_push_back(A, p)                         if k > 0 and k + 1 < 8:
                                                                  T.cb_reserve_ahead(A)
                                                                  T.noc_read_ahead(..., k + 1, A, 0)
                                                              T.multicast_send("row", A, p)
                                                              if k <= 0 and k + 1 < 8:
                                                                  ...
                                                          else:
                                                              if k + 1 < 8:
                                                                  T.cb_reserve_back(A, 2 * p)
                                                                  T.multicast_offer("row")
                                                              T.multicast_await("row")
                                                          T.cb_push_back(A, p)

This cannot deadlock: a core that waits for room before it sends or takes the block of step k waits
for step k - 1 or an older one to be computed, which takes nothing but blocks that were sent before.
A page that is being sent is read into again two sends later, and a send waits for the one before it
to leave.

Needs:    `split_kernels`.
Leaves:   senders that are a block ahead, where the buffer has three blocks or more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tvm import tirx
from tvm.tirx.stmt_functor import ir_transform, substitute

from tilelang_tt.analysis import ranges, scalars
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.recurrences.clock import SENT_AHEAD


class ReadAhead:
    """See the module docstring."""

    name = "tt.ReadAhead"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        plan = attrs.circular_buffers(frame)
        deep = {cb: planned.pages for cb, planned in plan.items() if planned.depth >= SENT_AHEAD}
        calls = _Calls.of(frame.body)

        def rewrite(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
            return [new for stmt in stmts for new in _ahead(stmt, deep, calls)]

        return frame.build(body=tree.rewrite_sequences(frame.body, rewrite))


@dataclass(frozen=True)
class _Calls:
    """The circular buffers that are filled in a kernel, and the groups that blocks are sent in, one
    for each statement."""

    filled: list[tirx.Var]
    groups: list[str]

    @classmethod
    def of(cls, stmt: tirx.Stmt) -> _Calls:
        calls = tree.collect(stmt, tirx.Evaluate)
        pushes = [call.value for call in calls if ops.definition(call) is ops.CB_PUSH_BACK]
        sends = [call.value for call in calls if ops.definition(call) is ops.MULTICAST_SEND]
        return cls(
            [ops.CB_PUSH_BACK.operand(push, "cb") for push in pushes],
            [str(ops.MULTICAST_SEND.operand(send, "group").value) for send in sends],
        )

    def fills(self, cb: tirx.Var) -> int:
        return sum(cb.same_as(filled) for filled in self.filled)


@dataclass(frozen=True)
class _Sent:
    """A branch in which one core reads a block and sends it, and the others receive it."""

    stmt: tirx.IfThenElse
    cb: tirx.Var
    reads: list[tirx.Stmt]
    send: tirx.Stmt

    @property
    def group(self) -> tirx.PrimExpr:
        return ops.MULTICAST_SEND.operand(self.send.value, "group")

    @classmethod
    def of(cls, stmt: tirx.Stmt) -> _Sent | None:
        inner = tree.statements(stmt.then_case) if isinstance(stmt, tirx.IfThenElse) else []
        if [ops.definition(each) for each in inner[-3:]] != [
            ops.NOC_READ_BARRIER,
            ops.MULTICAST_SEND,
            ops.NOC_WRITES_FLUSHED,
        ]:
            return None
        if ops.definition(stmt.else_case) is not ops.MULTICAST_RECEIVE:
            return None
        cb = ops.MULTICAST_SEND.operand(inner[-2].value, "cb")
        return cls(stmt, cb, inner[:-3], inner[-2])


def _ahead(loop: tirx.Stmt, deep: Mapping[tirx.Var, int], calls: _Calls) -> list[tirx.Stmt]:
    if not isinstance(loop, tirx.For):
        return [loop]
    first: list[tirx.Stmt] = []
    body: list[tirx.Stmt] = []
    last: list[tirx.Stmt] = []
    for stmt in tree.statements(loop.body):
        sent = _Sent.of(stmt)
        if sent is None or sent.cb not in deep or not _is_alone(sent, loop):
            body.append(stmt)
            continue
        offers = calls.groups.count(str(sent.group.value)) == 1
        first.append(_first(sent, loop, offers))
        body.append(_overlapped(sent, loop, deep[sent.cb], offers))
        if calls.fills(sent.cb) > 1:  # what fills it elsewhere may not send
            last = [ops.NOC_WRITES_FLUSHED.stmt()]
    return [*first, tree.with_body(loop, tree.sequence(body)), *last] if first else [loop]


def _is_alone(sent: _Sent, loop: tirx.For) -> bool:
    """Whether an iteration fills one block of the buffer, and a core always or never sends it, from
    where it is known before."""
    is_always = loop.loop_var not in tree.collect(sent.stmt.condition, tirx.Var)
    is_known = not scalars.used(sent.stmt) & scalars.bound(loop.body)
    return is_always and is_known and _Calls.of(loop.body).fills(sent.cb) == 1


def _first(sent: _Sent, loop: tirx.For, offers: bool) -> tirx.Stmt:
    """The request or the offer for the first block, before the loop."""
    reserve = ops.CB_RESERVE_BACK.stmt(sent.cb, ops.BLOCK_PAGES.call(sent.cb))
    reads = tree.sequence(_at(loop.min, read, loop) for read in sent.reads)
    if offers:
        offer = ops.MULTICAST_OFFER.stmt(sent.group)
        asked = tree.sequence([reserve, tirx.IfThenElse(sent.stmt.condition, reads, offer)])
    else:
        asked = tirx.IfThenElse(sent.stmt.condition, tree.sequence([reserve, reads]), None)
    if (ranges.constant(loop.extent) or 0) < 1:
        asked = tirx.IfThenElse(tirx.GT(loop.extent, 0), asked, None)
    return tree.located(asked, sent.stmt)


def _overlapped(sent: _Sent, loop: tirx.For, pages: int, offers: bool) -> tirx.Stmt:
    """The branch, in which the next block is requested before this one is sent, and offered room
    for before this one has come."""
    following = loop.loop_var + 1
    goes_on = following < loop.min + loop.extent
    reads = [_into_next(_at(following, read, loop)) for read in sent.reads]
    request = tree.sequence([ops.RESERVE_AHEAD.stmt(sent.cb), *reads])
    is_first, is_later = loop.loop_var <= loop.min, loop.loop_var > loop.min
    sends = [
        ops.NOC_READ_BARRIER.stmt(),
        tirx.IfThenElse(tirx.And(is_later, goes_on), request, None),
        sent.send,
        tirx.IfThenElse(tirx.And(is_first, goes_on), request, None),
    ]
    takes: list[tirx.Stmt] = [ops.MULTICAST_RECEIVE.stmt(sent.group)]
    if offers:
        room = ops.CB_RESERVE_BACK.stmt(sent.cb, 2 * pages)
        offer = tree.sequence([room, ops.MULTICAST_OFFER.stmt(sent.group)])
        takes = [tirx.IfThenElse(goes_on, offer, None), ops.MULTICAST_AWAIT.stmt(sent.group)]
    new = tirx.IfThenElse(sent.stmt.condition, tree.sequence(sends), tree.sequence(takes))
    return tree.located(new, sent.stmt)


def _at(step: tirx.PrimExpr, read: tirx.Stmt, loop: tirx.For) -> tirx.Stmt:
    """The read in a certain iteration, with sums and products of numbers computed."""

    def folded(node: tirx.Add | tirx.Mul) -> tirx.PrimExpr:
        return node.a + node.b if isinstance(node, tirx.Add) else node.a * node.b

    return ir_transform(
        substitute(read, {loop.loop_var: step}), None, folded, ["tirx.Add", "tirx.Mul"]
    )


def _into_next(read: tirx.Stmt) -> tirx.Stmt:
    """What fills pages of a block, filling those of the next."""

    def moved(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
        return [
            stmt
            if (op := _AHEAD.get(ops.definition(stmt))) is None
            else tree.located(op.stmt(*stmt.value.args), stmt)
            for stmt in stmts
        ]

    return tree.rewrite_sequences(read, moved)


_AHEAD: dict[ops.OpDef | None, ops.OpDef] = {
    ops.NOC_READ: ops.NOC_READ_AHEAD,
    ops.ZERO_PAGE: ops.ZERO_PAGE_AHEAD,
}
