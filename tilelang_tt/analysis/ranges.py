"""An arithmetic analyzer that knows the loops around a statement and that tensor extents are
positive."""

from __future__ import annotations

from collections.abc import Iterable

import tvm
from tvm import arith, tirx

from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame

_INT32_MAX = 2**31 - 1


def analyzer_for(func: tirx.PrimFunc) -> arith.Analyzer:
    """An analyzer in which every symbolic extent of a parameter is at least 1."""
    analyzer = arith.Analyzer()
    for buffer in func.buffer_map.values():
        for extent in buffer.shape:
            for var in tree.collect(extent, tirx.Var):
                analyzer.update(var, arith.ConstIntBound(1, _INT32_MAX), True)
    return analyzer


def enter(analyzer: arith.Analyzer, loops: Iterable[tirx.For]) -> None:
    """Tell the analyzer the ranges of these loops, outermost first."""
    for loop in loops:
        analyzer.bind(loop.loop_var, tvm.ir.Range.from_min_extent(loop.min, loop.extent), True)


def all_loops(func: tirx.PrimFunc) -> list[tirx.For]:
    """Every loop of the function, an outer one before those inside it."""
    frame = Frame.of(func)
    return [*frame.loops, *_loops_in(frame.body)]


def _loops_in(stmt: tirx.Stmt) -> list[tirx.For]:
    return list(reversed(tree.collect(stmt, tirx.For)))


def analyzer_of(func: tirx.PrimFunc) -> arith.Analyzer:
    """An analyzer that knows every loop of the function."""
    analyzer = analyzer_for(func)
    enter(analyzer, all_loops(func))
    return analyzer


def constant(expr: tirx.PrimExpr) -> int | None:
    """The value of an integer literal."""
    return int(expr.value) if isinstance(expr, tirx.IntImm) else None
