"""Make tiles of the index expressions that element-wise code computes with.

The vector unit has no notion of an element's place. A value that is linear in the indices is a
constant tile, written once by the reader, plus a number that differs from tile to tile. A
comparison of integers is one of their difference with zero.

    before:  for block in ...:
                 for i, j in T.Parallel(64, 64):
                     P[i, j] = T.if_then_else(block * 64 + i >= k * 64 + j, S[i, j], 0)

    after:   for i, j in T.Parallel(32, 32):
                 index[i, j] = T.Cast("float32", i - j)
             for block in ...:
                 for i, j in T.Parallel(64, 64):
                     P[i, j] = T.if_then_else(
                         index[i % 32, j % 32]
                         + T.Cast("float32", T.max(T.min(
                             block * 64 - k * 64 + i // 32 * 32 - j // 32 * 32, 64), -64))
                         >= 0, S[i, j], 0)

A number that decides a comparison for a whole tile is clamped to what just decides it, which the
destination registers hold exactly.

Needs:    `MapGrid`, `ChooseDstMode`.
Leaves:   indices as values only in nests that the reader runs, and in numbers of whole tiles.
Errors:   TT1007.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tvm import arith, tirx
from tvm.tirx.stmt_functor import ir_transform

from tilelang_tt.analysis import access, ranges
from tilelang_tt.diagnostics import UnsupportedExpression
from tilelang_tt.ir import tree
from tilelang_tt.ir.attrs import FP32_DEST
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Elementwise, Region, leaf
from tilelang_tt.tiles import TILE
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import affine_over, cast

_COMPARISONS = (tirx.EQ, tirx.NE, tirx.LT, tirx.LE, tirx.GT, tirx.GE)
_INTEGERS = ("int32", "int64")
_EXACT = {"bfloat16": 2**8, "float16": 2**11, "float32": 2**24}
"""Up to where a float holds every integer."""


class MaterializeIndices:
    """See the module docstring."""

    name = "tt.MaterializeIndices"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        writers = Counter(access.writes(view) for _, view in access.leaves(frame.body))
        indices = _Indices(_index_dtype(func, frame), frame.buffers, writers)
        body = tree.rewrite_sequences(
            frame.body, lambda stmts: [indices.materialize(stmt) for stmt in stmts]
        )
        if not indices.tiles and body.same_as(frame.body):
            return func
        makers = [
            tree.located(affine_over(Region.whole(tile), *steps), frame.realize)
            for steps, tile in indices.tiles.items()
        ]
        buffers = [*frame.buffers, *indices.tiles.values()]
        return frame.build(body=tree.sequence([*makers, body]), buffers=buffers)


def _index_dtype(func: tirx.PrimFunc, frame: Frame) -> str:
    """The dtype of index tiles: that of the destination registers."""
    if func.attrs[FP32_DEST]:
        return "float32"
    return "float16" if any(buffer.dtype == "float16" for buffer in frame.buffers) else "bfloat16"


@dataclass
class _Indices:
    """The constant tiles, by what they grow by from row to row and from column to column."""

    dtype: str
    others: list[tirx.Buffer]
    writers: Counter[tirx.Buffer]
    tiles: dict[tuple[int, int], tirx.Buffer] = field(default_factory=dict)

    def _is_made(self, nest: Elementwise) -> bool:
        """Whether the reader can make what the nest does, and nobody else makes that buffer."""
        return nest.is_index_map and self.writers[nest.dst] == 1

    def materialize(self, stmt: tirx.Stmt) -> tirx.Stmt:
        nest = leaf(stmt)
        if not isinstance(nest, Elementwise) or self._is_made(nest):
            return stmt

        def replace(expr: tirx.PrimExpr) -> tirx.PrimExpr | None:
            if tree.collect(expr, tirx.BufferLoad):
                return None  # integers that are data
            if isinstance(expr, tirx.Cast):
                if expr.dtype.startswith(("float", "bfloat")) and expr.value.dtype in _INTEGERS:
                    return cast(expr.dtype, self._value(expr.value, nest, stmt))
            elif expr.a.dtype in _INTEGERS:
                kind = type(expr)
                difference = self._value(expr.a - expr.b, nest, stmt, is_compared=True)
                return kind(difference, tirx.const(0.0, difference.dtype))
            return None

        kinds = ["tirx.Cast", *(f"tirx.{kind.__name__}" for kind in _COMPARISONS)]
        value = ir_transform(tirx.Evaluate(nest.store.value), None, replace, kinds).value
        if value.same_as(nest.store.value):
            return stmt
        store = tirx.BufferStore(nest.dst, value, nest.store.indices)
        return tree.located(Elementwise(nest.loops, store).stmt(), stmt)

    def _value(
        self,
        expr: tirx.PrimExpr,
        nest: Elementwise,
        stmt: tirx.Stmt,
        *,
        is_compared: bool = False,
    ) -> tirx.PrimExpr:
        """A float that is `expr`, or in a comparison with zero stands for it."""
        steps, number = _linear(expr, nest, stmt)
        if is_compared and any(steps):
            bound = TILE * sum(map(abs, steps))
            number = tirx.max(tirx.min(number, bound), -bound)
            if 2 * bound > _EXACT[self.dtype]:
                raise UnsupportedExpression.at(
                    stmt, expr=expr, dtype=self.dtype, supported="smaller steps from index to index"
                )
        scalar = tirx.Cast(self.dtype, number)
        if not any(steps):
            return scalar
        rows, columns = (tirx.floormod(at, TILE) for at in nest.store.indices[-2:])
        tile = tirx.BufferLoad(self._tile(steps), [rows, columns])
        return tile if ranges.constant(number) == 0 else tile + scalar

    def _tile(self, steps: tuple[int, int]) -> tirx.Buffer:
        if steps not in self.tiles:
            like = tirx.decl_buffer((TILE, TILE), self.dtype, "index", scope="shared.dyn")
            others = [*self.others, *self.tiles.values()]
            self.tiles[steps] = fresh_buffer("index", like, others)
        return self.tiles[steps]


def _linear(
    expr: tirx.PrimExpr, nest: Elementwise, stmt: tirx.Stmt
) -> tuple[tuple[int, int], tirx.PrimExpr]:
    """By how much `expr` grows from row to row and column to column, and its value at the first
    element of a tile."""
    analyzer = arith.Analyzer()
    places = nest.store.indices[-2:]
    variables = [at for at in places if isinstance(at, tirx.Var)]
    parts = arith.detect_linear_equation(analyzer.simplify(expr), variables)
    constants = [ranges.constant(part) for part in parts[:-1]]
    if len(parts) == 0 or None in constants:
        raise UnsupportedExpression.at(
            stmt, expr=expr, dtype=expr.dtype, supported="integers that are linear in indices"
        )
    factors = iter(constants)
    steps = [next(factors) or 0 if isinstance(at, tirx.Var) else 0 for at in places]
    number = parts[-1]
    for at, step in zip(places, steps, strict=True):
        if step:
            number = number + tirx.floordiv(at, TILE) * (TILE * step)
    return (steps[0], steps[1]), analyzer.simplify(number)
