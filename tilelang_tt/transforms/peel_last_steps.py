"""Take the last step out of a loop that does something else in it.

The set-up of the compute engine then changes once, not in every step.

    before:  for k in range(8):                      after:   for k in range(7):
                 T.cb_wait_front(A, p)                            T.cb_wait_front(A, p)
                 if k == 7:                                       one_step(k)
                     last_step(k)                                 T.cb_pop_front(A, p)
                 else:                                        T.cb_wait_front(A, p)
                     one_step(k)                              last_step(7)
                 T.cb_pop_front(A, p)                         T.cb_pop_front(A, p)

Needs:    `split_kernels`.
Leaves:   loops in which every step does the same.
"""

from __future__ import annotations

from tvm import arith, tirx
from tvm.tirx.stmt_functor import ir_transform, substitute

from tilelang_tt.analysis import ranges
from tilelang_tt.ir import tree
from tilelang_tt.ir.exprs import same
from tilelang_tt.ir.frame import Frame


class PeelLastSteps:
    """See the module docstring."""

    name = "tt.PeelLastSteps"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        return frame.build(body=tree.rewrite_sequences(frame.body, _peeled))


def _peeled(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
    return [new for stmt in stmts for new in _peel(stmt)]


def _peel(loop: tirx.Stmt) -> list[tirx.Stmt]:
    if not isinstance(loop, tirx.For) or (ranges.constant(loop.extent) or 0) < 2:
        return [loop]
    simplify = arith.Analyzer().simplify
    last = simplify(loop.min + loop.extent - 1)
    is_last = tirx.EQ(loop.loop_var, last)
    steps = tree.statements(loop.body)
    if not any(
        isinstance(step, tirx.IfThenElse) and same(step.condition, is_last) for step in steps
    ):
        return [loop]

    def chosen(step: tirx.Stmt, at_end: bool) -> tirx.Stmt:
        if not isinstance(step, tirx.IfThenElse) or not same(step.condition, is_last):
            return step
        other = tirx.Evaluate(0) if step.else_case is None else step.else_case
        return step.then_case if at_end else other

    early = tirx.For(
        loop.loop_var,
        loop.min,
        simplify(loop.extent - 1),
        loop.kind,
        tree.sequence(chosen(step, at_end=False) for step in steps),
        loop.thread_binding,
        loop.annotations,
    )
    final = tree.sequence(chosen(step, at_end=True) for step in steps)
    return [tree.located(early, loop), _simplified(substitute(final, {loop.loop_var: last}))]


def _simplified(stmt: tirx.Stmt) -> tirx.Stmt:
    """`stmt` with what the number of the step decides decided."""

    def fold(expr: tirx.PrimExpr) -> tirx.PrimExpr:
        return arith.Analyzer().simplify(expr)

    return ir_transform(stmt, None, fold, ["tirx.EQ", "tirx.NE", "tirx.Not"])
