"""Let the first matrix product after a clear overwrite its accumulator instead.

Clearing an accumulator costs a pass over it, and adding to zero costs another; the packer can
overwrite at no cost.

    before:  T.fill(C_l, 0)
             for k in range(8):
                 T.gemm(A_s, B_s, C_l)

    after:   for k in range(8):
                 T.gemm(A_s, B_s, C_l, clear_accum=k == 0)

Applies where the gemm is the first statement after the fill that touches the accumulator, certainly
runs, and nothing else in its loops touches the accumulator. A fill under a condition, such as
`if k == 0`, hands its condition on. Elsewhere the fill stays and is lowered as what it is.

Needs:    `LegalizeConstructs`.
Leaves:   fewer fills.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from tvm import arith, tirx

from tilelang_tt.analysis import access, ranges
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Fill, Gemm, leaf

_TRUE = tirx.IntImm("bool", 1)


class FoldClears:
    """See the module docstring."""

    name = "tt.FoldClears"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        analyzer = ranges.analyzer_of(func)
        return frame.build(
            body=tree.rewrite_sequences(frame.body, lambda stmts: _fold(stmts, analyzer))
        )


def _fold(stmts: list[tirx.Stmt], analyzer: arith.Analyzer) -> list[tirx.Stmt]:
    result = list(stmts)
    for stmt in stmts:
        if (clear := _clear_of(stmt)) is not None:
            _fold_one(result, stmt, clear, analyzer)
    return result


@dataclass(frozen=True)
class _Clear:
    """What a statement clears, and when."""

    buffer: tirx.Buffer
    condition: tirx.PrimExpr


def _clear_of(stmt: tirx.Stmt) -> _Clear | None:
    """The clear that a statement is, perhaps a conditional one."""
    if isinstance(stmt, tirx.IfThenElse) and stmt.else_case is None:
        inner = _clear_of(stmt.then_case)
        return (
            None if inner is None else _Clear(inner.buffer, _both(stmt.condition, inner.condition))
        )
    fill = leaf(stmt)
    if not isinstance(fill, Fill) or not fill.dst.is_whole:
        return None
    is_zero = isinstance(fill.value, tirx.IntImm | tirx.FloatImm) and fill.value.value == 0
    return _Clear(fill.dst.buffer, _TRUE) if is_zero else None


def _fold_one(
    stmts: list[tirx.Stmt], stmt: tirx.Stmt, clear: _Clear, analyzer: arith.Analyzer
) -> None:
    """Replace the clear `stmt` and the statement that next uses its buffer, in place, if that is
    possible."""
    start = next(i for i, other in enumerate(stmts) if other.same_as(stmt))
    for position in range(start + 1, len(stmts)):
        if access.touches(stmts[position], clear.buffer):
            cleared = _clear_first(stmts[position], clear, [], analyzer)
            if cleared is not None:
                stmts[position] = cleared
                del stmts[start]
            return


def _clear_first(
    stmt: tirx.Stmt, clear: _Clear, loops: list[tirx.For], analyzer: arith.Analyzer
) -> tirx.Stmt | None:
    """`stmt` with its first use of the buffer clearing it, None where that use is no gemm that
    certainly runs."""
    buffer = clear.buffer
    if isinstance(stmt, tirx.For) and leaf(stmt) is None:
        if not analyzer.can_prove(stmt.extent >= 1) or not _only_gemms_touch(stmt, buffer):
            return None
        body = _clear_in_sequence(tree.statements(stmt.body), clear, [*loops, stmt], analyzer)
        return None if body is None else tree.with_body(stmt, body)
    view = leaf(stmt)
    if not isinstance(view, Gemm) or not view.never_clears or not view.c.is_whole:
        return None
    if buffer.same_as(view.a.buffer) or buffer.same_as(view.b.buffer):
        return None
    when = _both(clear.condition, _first_iteration(loops))
    return tree.located(dataclasses.replace(view, clear=when).stmt(), stmt)


def _only_gemms_touch(stmt: tirx.Stmt, buffer: tirx.Buffer) -> bool:
    """Whether inside `stmt` only gemms, as their destination, touch the buffer."""
    return all(
        isinstance(view, Gemm) and not any(buffer.same_as(x.buffer) for x in (view.a, view.b))
        for inner, view in access.leaves(stmt)
        if access.touches(inner, buffer)
    )


def _clear_in_sequence(
    stmts: list[tirx.Stmt], clear: _Clear, loops: list[tirx.For], analyzer: arith.Analyzer
) -> tirx.Stmt | None:
    for position, stmt in enumerate(stmts):
        if access.touches(stmt, clear.buffer):
            cleared = _clear_first(stmt, clear, loops, analyzer)
            if cleared is None:
                return None
            return tree.sequence([*stmts[:position], cleared, *stmts[position + 1 :]])
    return None


def _first_iteration(loops: list[tirx.For]) -> tirx.PrimExpr:
    condition: tirx.PrimExpr = _TRUE
    for loop in loops:
        if ranges.constant(loop.extent) != 1:
            condition = _both(condition, tirx.EQ(loop.loop_var, loop.min))
    return condition


def _both(left: tirx.PrimExpr, right: tirx.PrimExpr) -> tirx.PrimExpr:
    """`left` and `right`, either of which may be `_TRUE`."""
    if isinstance(left, tirx.IntImm):
        return right
    return left if isinstance(right, tirx.IntImm) else tirx.And(left, right)
