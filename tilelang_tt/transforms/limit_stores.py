"""Write only those tiles of a block that a condition lets through.

The last block of a group of rows may reach into the rows of the next group, which another core
writes. A program leaves such rows out with a condition on the place in the block; where the number
of rows is one of whole tiles, it is one on tiles.

    before:  for i, j in T.Parallel(64, 64):         n a multiple of 32
                 if i < n:
                     C[m + i, j] = C_l[i, j]

    after:   for r in range(2):
                 if r * 32 < n:
                     for i, j in T.Parallel(32, 64):
                         C[m + r * 32 + i, j] = C_l[r * 32 + i, j]

A tile is written as a whole, so a number that may end inside of one is refused.

Needs:    `BindScalars`, `LegalizeConstructs`.
Leaves:   no conditions of this form around stores to tensors.
Errors:   TT2010.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from tvm import arith, tirx
from tvm.tirx.stmt_functor import substitute

from tilelang_tt.analysis import ranges
from tilelang_tt.diagnostics import PartialTileWrite
from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import is_global
from tilelang_tt.tiles import TILE


class LimitStores:
    """See the module docstring."""

    name = "tt.LimitStores"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        analyzer = ranges.analyzer_of(func)

        def limit(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
            return [
                stmt if (found := _Limited.of(stmt)) is None else found.by_tiles(stmt, analyzer)
                for stmt in stmts
            ]

        return frame.build(body=tree.rewrite_sequences(frame.body, limit))


@dataclass(frozen=True)
class _Limited:
    """A store to a tensor, under conditions on numbers, for the elements of a nest that lie below
    limits, one for some of its variables."""

    loops: Sequence[tirx.For]
    store: tirx.BufferStore
    limits: dict[tirx.Var, tirx.PrimExpr]
    conditions: Sequence[tirx.PrimExpr]

    @classmethod
    def of(cls, stmt: tirx.Stmt) -> _Limited | None:
        loops: list[tirx.For] = []
        conditions: list[tirx.PrimExpr] = []
        while not isinstance(stmt, tirx.BufferStore):
            if isinstance(stmt, tirx.For) and stmt.kind == tirx.ForKind.PARALLEL:
                loops.append(stmt)
                stmt = stmt.body
            elif isinstance(stmt, tirx.IfThenElse) and stmt.else_case is None:
                conditions += _terms(stmt.condition)
                stmt = stmt.then_case
            else:
                return None
        if not loops or not conditions or not is_global(stmt.buffer):
            return None
        if any(tree.collect(condition, tirx.BufferLoad) for condition in conditions):
            return None
        variables = [loop.loop_var for loop in loops]
        limits: dict[tirx.Var, tirx.PrimExpr] = {}
        fixed = [each for each in conditions if not _mentions(each, variables)]
        for condition in [each for each in conditions if _mentions(each, variables)]:
            limit = _limit(condition, variables)
            if limit is None:
                return None
            var, end = limit
            limits[var] = end if var not in limits else tirx.Min(limits[var], end)
        return cls(loops, stmt, limits, fixed)

    def by_tiles(self, origin: tirx.Stmt, analyzer: arith.Analyzer) -> tirx.Stmt:
        places: dict[tirx.Var, tirx.PrimExpr] = {}
        tiles: list[tirx.For] = []
        conditions = list(self.conditions)
        loops: list[tirx.For] = []
        for loop in self.loops:
            var = tirx.Var(loop.loop_var.name, "int32")
            places[loop.loop_var] = var
            extent = loop.extent
            if loop.loop_var in self.limits:
                end, count = self.limits[loop.loop_var], ranges.constant(extent)
                is_whole = analyzer.can_prove(tirx.floormod(end, TILE) == 0)
                if not is_whole or count is None or count % TILE or ranges.constant(loop.min) != 0:
                    raise PartialTileWrite.at(origin, buffer=self.store.buffer.name)
                tile = tirx.Var(f"{var.name}_tile", "int32")
                tiles.append(_loop(tile, count // TILE, tirx.ForKind.SERIAL))
                conditions.append(tile * TILE < end)
                places[loop.loop_var] = tile * TILE + var
                extent = tirx.const(TILE, "int32")
            loops.append(tirx.For(var, loop.min, extent, loop.kind, tirx.Evaluate(0)))
        body = tree.located(substitute(self.store, places), self.store)
        for loop in reversed(loops):
            body = tree.located(tree.with_body(loop, body), origin)
        guarded = tirx.IfThenElse(functools.reduce(tirx.And, conditions), body, None)
        body = tree.located(guarded, origin)
        for loop in reversed(tiles):
            body = tree.located(tree.with_body(loop, body), origin)
        return body


def _loop(var: tirx.Var, count: int, kind: int) -> tirx.For:
    zero, extent = (tirx.const(number, "int32") for number in (0, count))
    return tirx.For(var, zero, extent, kind, tirx.Evaluate(0))


def _mentions(expr: tirx.PrimExpr, variables: Sequence[tirx.Var]) -> bool:
    return any(var in variables for var in tree.collect(expr, tirx.Var))


def _terms(condition: tirx.PrimExpr) -> list[tirx.PrimExpr]:
    if isinstance(condition, tirx.And):
        return [*_terms(condition.a), *_terms(condition.b)]
    return [condition]


def _limit(
    condition: tirx.PrimExpr, variables: Sequence[tirx.Var]
) -> tuple[tirx.Var, tirx.PrimExpr] | None:
    """The variable that the condition keeps below a number, and the number."""
    match condition:
        case tirx.LT():
            less, more = condition.a, condition.b
        case tirx.GT():
            less, more = condition.b, condition.a
        case tirx.LE():
            less, more = condition.a, condition.b + 1
        case tirx.GE():
            less, more = condition.b, condition.a + 1
        case _:
            return None
    parts = arith.detect_linear_equation(less - more, list(variables))
    if len(parts) == 0:
        return None
    factors = [ranges.constant(part) for part in parts[:-1]]
    if sorted(factors, key=str) != sorted([1, *[0] * (len(factors) - 1)], key=str):
        return None
    end = arith.Analyzer().simplify(tirx.const(0, "int32") - parts[-1])
    return variables[factors.index(1)], end
