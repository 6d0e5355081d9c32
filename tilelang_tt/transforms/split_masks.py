"""Leave out masks where a block needs none.

A mask costs several operations a tile, and most blocks lie on one side of it. Whether a comparison
of indices comes out the same for a whole block is a comparison of numbers, made once for it.

    before:  for i, j in T.Parallel(64, 64):
                 P[i, j] = T.if_then_else(block * 64 + i >= k * 64 + j, S[i, j], 0)

    after:   if block * 64 - k * 64 - 63 >= 0:
                 for i, j in T.Parallel(64, 64):
                     P[i, j] = S[i, j]
             else:
                 for i, j in T.Parallel(64, 64):
                     P[i, j] = T.if_then_else(block * 64 + i >= k * 64 + j, S[i, j], 0)

The side that is tried is the one whose value is not an infinity.

Needs:    `MapGrid`.
Leaves:   the program, with branches that need no mask.
"""

from __future__ import annotations

import functools
import math

from tvm import arith, tirx
from tvm.ir import Op
from tvm.tirx.stmt_functor import ir_transform

from tilelang_tt.analysis import ranges
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Elementwise, leaf

_ORDERED = (tirx.GE, tirx.GT, tirx.LE, tirx.LT)


class SplitMasks:
    """See the module docstring."""

    name = "tt.SplitMasks"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        analyzer = ranges.analyzer_of(func)
        return frame.build(body=_visit(frame.body, analyzer))


def _visit(stmt: tirx.Stmt, analyzer: arith.Analyzer) -> tirx.Stmt:
    nest = leaf(stmt)
    if isinstance(nest, Elementwise):
        return _split(nest, stmt, analyzer)
    if isinstance(stmt, tirx.IfThenElse) and _is_split(stmt):
        return stmt
    return tree.map_bodies(stmt, lambda body: _visit(body, analyzer))


def _is_split(stmt: tirx.IfThenElse) -> bool:
    """Whether the branches are those that this pass makes."""
    then = leaf(stmt.then_case)
    other = None if stmt.else_case is None else leaf(stmt.else_case)
    if not isinstance(then, Elementwise) or not isinstance(other, Elementwise):
        return False
    return then.dst.same_as(other.dst) and bool(_masks(other))


def _split(nest: Elementwise, stmt: tirx.Stmt, analyzer: arith.Analyzer) -> tirx.Stmt:
    """The nest, behind the question whether its masks decide anything, if that is ever so."""
    decided: dict[tirx.PrimExpr, bool] = {}
    conditions: list[tirx.PrimExpr] = []
    for choice in _masks(nest):
        side = not _is_infinite(choice.args[1])
        for comparison in _comparisons(choice.args[0]):
            certain = _certainly(comparison, side, nest)
            if certain is None or isinstance(choice.args[0], tirx.Not):
                return stmt
            decided[comparison] = side
            conditions.append(certain)
    if not conditions:
        return stmt
    is_certain = functools.reduce(tirx.And, conditions)
    if analyzer.can_prove(tirx.Not(is_certain)):
        return stmt
    value = _without(nest.store.value, decided)
    store = tirx.BufferStore(nest.dst, value, nest.store.indices)
    simple = tree.located(Elementwise(nest.loops, store).stmt(), stmt)
    return tree.located(tirx.IfThenElse(is_certain, simple, stmt), stmt)


def _masks(nest: Elementwise) -> list[tirx.Call]:
    """The choices by comparisons of integers that the nest's own variables take part in."""
    calls = tree.collect(nest.store.value, tirx.Call)
    choices = [
        call for call in calls if isinstance(call.op, Op) and call.op.name == "tirx.if_then_else"
    ]
    return [choice for choice in choices if _comparisons(choice.args[0])]


def _comparisons(condition: tirx.PrimExpr) -> list[tirx.PrimExpr]:
    """The comparisons of integers in a conjunction; none where it is something else."""
    if isinstance(condition, tirx.And):
        left, right = _comparisons(condition.a), _comparisons(condition.b)
        return [*left, *right] if left and right else []
    is_mask = isinstance(condition, _ORDERED) and condition.a.dtype in ("int32", "int64")
    return [condition] if is_mask and not tree.collect(condition, tirx.BufferLoad) else []


def _is_infinite(value: tirx.PrimExpr) -> bool:
    return isinstance(value, tirx.FloatImm) and math.isinf(value.value)


def _certainly(comparison: tirx.PrimExpr, side: bool, nest: Elementwise) -> tirx.PrimExpr | None:
    """A condition under which the comparison comes out as `side` for every element.

    None where none is known.
    """
    analyzer = arith.Analyzer()
    variables = list(nest.vars)
    difference = analyzer.simplify(comparison.a - comparison.b)
    *factors, rest = arith.detect_linear_equation(difference, variables) or [None]
    steps = [ranges.constant(factor) for factor in factors]
    extents = [ranges.constant(loop.extent) for loop in nest.loops]
    if rest is None or None in steps or None in extents or not any(steps):
        return None
    reach = [(step or 0) * ((extent or 0) - 1) for step, extent in zip(steps, extents, strict=True)]
    lowest, highest = sum(min(0, far) for far in reach), sum(max(0, far) for far in reach)
    at_least = isinstance(comparison, tirx.GE | tirx.GT) == side
    bound = rest + (lowest if at_least else highest)
    kinds = {tirx.GE: tirx.LT, tirx.GT: tirx.LE, tirx.LE: tirx.GT, tirx.LT: tirx.GE}
    kind = type(comparison) if side else kinds[type(comparison)]
    certain = analyzer.simplify(kind(bound, tirx.const(0, bound.dtype)))
    return None if isinstance(certain, tirx.IntImm) else certain


def _without(value: tirx.PrimExpr, decided: dict[tirx.PrimExpr, bool]) -> tirx.PrimExpr:
    """`value` where the comparisons are decided."""

    def choose(call: tirx.Call) -> tirx.PrimExpr | None:
        if not isinstance(call.op, Op) or call.op.name != "tirx.if_then_else":
            return None
        sides = {decided.get(comparison) for comparison in _comparisons(call.args[0])}
        if not sides or None in sides:
            return None
        return call.args[1] if all(sides) else call.args[2]

    chosen = ir_transform(tirx.Evaluate(value), None, choose, ["tirx.Call"]).value
    return _plain(chosen)


def _plain(value: tirx.PrimExpr) -> tirx.PrimExpr:
    """`value` without zeros that are added."""

    def drop(sum_: tirx.Add) -> tirx.PrimExpr | None:
        for zero, other in ((sum_.a, sum_.b), (sum_.b, sum_.a)):
            if isinstance(zero, tirx.FloatImm) and zero.value == 0:
                return other
        return None

    return ir_transform(tirx.Evaluate(value), None, drop, ["tirx.Add"]).value
