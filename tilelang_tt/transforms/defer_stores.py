"""Store a block while the next one is already being computed.

A writer that also loads would first store a block and then load what the next one begins with: the
compute engine waits for both. So the loads come first, as many as their buffer holds, and then the
store of the block before.

    before:  for turn in range(n):                   after:   for turn in range(n):
                 for k in range(8):                               for k in range(8):
                     load(turn, k)                                    load(turn, k)
                 store(turn)                                          if k == 1 and turn > 0:
                                                                          store(turn - 1)
                                                              if n > 0:
                                                                  store(n - 1)

This cannot deadlock: the loads before a store fit into their buffer, with what `ReadAhead` asks for
ahead of them, and what is stored has been computed from the loads of the turn before.

Needs:    `split_kernels`.
Leaves:   a writer with the same loads and stores in another order.
"""

from __future__ import annotations

from dataclasses import dataclass

from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.analysis import ranges, scalars
from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.recurrences.clock import SENT_AHEAD

_LOADS = (ops.NOC_READ, ops.MULTICAST_RECEIVE)
_STORES = (ops.NOC_WRITE, ops.PART_SEND)


class DeferStores:
    """See the module docstring."""

    name = "tt.DeferStores"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        turns = frame.body
        if not isinstance(turns, tirx.For):
            return func
        found = _Turn.of(turns, ranges.analyzer_of(func))
        if found is None:
            return func
        plan = attrs.circular_buffers(frame)
        room = min(_room(plan[cb].depth) for cb in _filled(found.loads))
        return frame.build(body=_deferred(turns, found, room))


@dataclass(frozen=True)
class _Turn:
    """What a turn does: something, a loop of loads, stores."""

    before: list[tirx.Stmt]
    loads: tirx.For
    stores: list[tirx.Stmt]

    @classmethod
    def of(cls, turns: tirx.For, analyzer: arith.Analyzer) -> _Turn | None:
        """The parts of a turn; None where it has others, or where the stores may not wait."""
        stmts = tree.statements(turns.body)
        last = max((at for at, stmt in enumerate(stmts) if _has(stmt, *_LOADS)), default=None)
        if last is None or last + 1 == len(stmts):
            return None
        before, loads, stores = stmts[:last], stmts[last], stmts[last + 1 :]
        if not isinstance(loads, tirx.For) or any(_has(stmt, *_STORES) for stmt in before):
            return None
        is_even = turns.loop_var not in tree.collect(loads.extent, tirx.Var)
        if not is_even or not analyzer.can_prove(loads.extent >= 1):
            return None
        if any(_has(stmt, ops.TENSOR_GIVE) for stmt in stmts):
            return None  # the reader waits for it
        if any(map(scalars.used, stores)):
            return None  # each turn has numbers of its own
        if _tensors(stmts, ops.NOC_READ) & _tensors(stmts, ops.NOC_WRITE):
            return None
        return cls(before, loads, stores)


def _room(depth: int) -> int:
    """How many blocks may come before a store; one more is asked for ahead, where there is room."""
    return depth - 1 if depth >= SENT_AHEAD else depth


def _deferred(turns: tirx.For, turn: _Turn, room: int) -> tirx.Stmt:
    loads, var = turn.loads, turns.loop_var

    def store(of: tirx.PrimExpr) -> tirx.Stmt:
        return tree.sequence([substitute(stmt, {var: of}) for stmt in turn.stores])

    simplify = arith.Analyzer().simplify
    enough = simplify(loads.min + tirx.Min(loads.extent, tirx.const(room, "int32")) - 1)
    is_due = tirx.And(tirx.EQ(loads.loop_var, enough), tirx.GT(var, turns.min))
    late = tirx.IfThenElse(is_due, store(var - 1), None)
    body = tree.with_body(loads, tree.sequence([loads.body, late]))
    rest = tirx.IfThenElse(tirx.GT(turns.extent, 0), store(turns.min + turns.extent - 1), None)
    return tree.sequence([tree.with_body(turns, tree.sequence([*turn.before, body])), rest])


def _has(stmt: tirx.Stmt, *wanted: ops.OpDef) -> bool:
    return any(ops.definition(inner) in wanted for inner in tree.collect(stmt, tirx.Evaluate))


def _tensors(stmts: list[tirx.Stmt], op: ops.OpDef) -> set[tirx.Var]:
    calls = (call for stmt in stmts for call in tree.collect(stmt, tirx.Evaluate))
    return {op.operand(call.value, "tensor") for call in calls if ops.definition(call) is op}


def _filled(loads: tirx.For) -> set[tirx.Var]:
    """The circular buffers that the loop fills."""
    pushes = (
        stmt
        for stmt in tree.collect(loads.body, tirx.Evaluate)
        if ops.definition(stmt) is ops.CB_PUSH_BACK
    )
    return {ops.CB_PUSH_BACK.operand(push.value, "cb") for push in pushes}
