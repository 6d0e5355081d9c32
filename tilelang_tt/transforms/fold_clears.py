"""Let the first matrix product after a clear overwrite its accumulator instead.

Clearing an accumulator costs a pass over it, and adding to zero costs another; the packer can
overwrite at no cost.

    before:  T.fill(C_l, 0)
             for k in range(8):
                 T.gemm(A_s, B_s, C_l)

    after:   for k in range(8):
                 T.gemm(A_s, B_s, C_l, clear_accum=k == 0)

Applies where the gemm is the first statement after the fill that touches the accumulator and
certainly runs. Elsewhere the fill stays and is lowered as what it is.

Needs:    `LegalizeConstructs`.
Leaves:   fewer fills.
"""

from __future__ import annotations

import dataclasses

from tvm import arith, tirx

from tilelang_tt.analysis import access, ranges
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Fill, Gemm, leaf


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
    for fill in stmts:
        view = leaf(fill)
        if isinstance(view, Fill) and _is_clear(view):
            _fold_one(result, fill, view.dst.buffer, analyzer)
    return result


def _fold_one(
    stmts: list[tirx.Stmt], fill: tirx.Stmt, buffer: tirx.Buffer, analyzer: arith.Analyzer
) -> None:
    """Replace `fill` and the statement after it that uses `buffer`, in place, if that is
    possible."""
    start = next(i for i, stmt in enumerate(stmts) if stmt.same_as(fill))
    for position in range(start + 1, len(stmts)):
        if access.touches(stmts[position], buffer):
            cleared = _clear_first(stmts[position], buffer, [], analyzer)
            if cleared is not None:
                stmts[position] = cleared
                del stmts[start]
            return


def _is_clear(fill: Fill) -> bool:
    is_zero = isinstance(fill.value, tirx.IntImm | tirx.FloatImm) and fill.value.value == 0
    return is_zero and fill.dst.is_whole


def _clear_first(
    stmt: tirx.Stmt, buffer: tirx.Buffer, loops: list[tirx.For], analyzer: arith.Analyzer
) -> tirx.Stmt | None:
    """`stmt` with its first use of `buffer` clearing it, None where that use is no gemm that
    certainly runs."""
    if isinstance(stmt, tirx.For) and leaf(stmt) is None:
        if not analyzer.can_prove(stmt.extent >= 1):
            return None
        body = _clear_in_sequence(tree.statements(stmt.body), buffer, [*loops, stmt], analyzer)
        return None if body is None else tree.with_body(stmt, body)
    view = leaf(stmt)
    if not isinstance(view, Gemm) or not view.never_clears or not view.c.is_whole:
        return None
    if buffer.same_as(view.a.buffer) or buffer.same_as(view.b.buffer):
        return None
    return tree.located(dataclasses.replace(view, clear=_first_iteration(loops)).stmt(), stmt)


def _clear_in_sequence(
    stmts: list[tirx.Stmt], buffer: tirx.Buffer, loops: list[tirx.For], analyzer: arith.Analyzer
) -> tirx.Stmt | None:
    for position, stmt in enumerate(stmts):
        if access.touches(stmt, buffer):
            cleared = _clear_first(stmt, buffer, loops, analyzer)
            if cleared is None:
                return None
            return tree.sequence([*stmts[:position], cleared, *stmts[position + 1 :]])
    return None


def _first_iteration(loops: list[tirx.For]) -> tirx.PrimExpr:
    condition: tirx.PrimExpr = tirx.IntImm("bool", 1)
    for loop in loops:
        if ranges.constant(loop.extent) != 1:
            first = tirx.EQ(loop.loop_var, loop.min)
            condition = first if isinstance(condition, tirx.IntImm) else tirx.And(condition, first)
    return condition
