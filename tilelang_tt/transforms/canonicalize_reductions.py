"""Reduce every reduction to a sum or a maximum into a fresh buffer.

The matrix unit sums and takes maxima along the rows or columns of tiles. What else a reduction asks
for is element-wise work before or after it, and so is a conversion between integers and floats.

    before:  T.reduce(S[0:64, 0:64], m[0:64], "absmax", 1, False)

    after:   for i, j in T.Parallel(64, 64):
                 S_abs[i, j] = T.abs(S[i, j])
             T.reduce(S_abs[0:64, 0:64], m_red[0:64], "max", 1, True)
             for i in T.Parallel(64):
                 m[i] = T.max(m[i], m_red[i])

Needs:    `IsolateElementwise`, which finds reductions written as loops.
Leaves:   reductions "sum" and "max" of a whole buffer into another, which they overwrite. Its
          dtype is that of the result, so that a sum is rounded once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tvm import tirx

from tilelang_tt.ir import tree
from tilelang_tt.ir.frame import Frame
from tilelang_tt.ir.tileops import Reduce, Region, leaf
from tilelang_tt.transforms.buffers import fresh_buffer
from tilelang_tt.transforms.elementwise import cast, map_over

Unary = Callable[[tirx.PrimExpr], tirx.PrimExpr]


@dataclass(frozen=True)
class _Kind:
    """How a reduction is made of another.

    `before` is done to each element, `after` to each result, `combine` joins the result with what
    the destination held.
    """

    core: str
    combine: Callable[[tirx.PrimExpr, tirx.PrimExpr], tirx.PrimExpr]
    before: Unary | None = None
    after: Unary | None = None


def _negated(value: tirx.PrimExpr) -> tirx.PrimExpr:
    return tirx.Sub(tirx.const(0.0, value.dtype), value)


_KINDS = {
    "sum": _Kind("sum", tirx.Add),
    "max": _Kind("max", tirx.Max),
    "abssum": _Kind("sum", tirx.Add, before=tirx.abs),
    "absmax": _Kind("max", tirx.Max, before=tirx.abs),
    "min": _Kind("max", tirx.Min, before=_negated, after=_negated),
}


class CanonicalizeReductions:
    """See the module docstring."""

    name = "tt.CanonicalizeReductions"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        buffers = frame.buffers

        def canonical(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
            return [new for stmt in stmts for new in _canonical(stmt, buffers)]

        return frame.build(body=tree.rewrite_sequences(frame.body, canonical), buffers=buffers)


def _canonical(stmt: tirx.Stmt, buffers: list[tirx.Buffer]) -> list[tirx.Stmt]:
    view = leaf(stmt)
    if not isinstance(view, Reduce):
        return [stmt]
    kind = _KINDS[view.kind]
    pieces: list[tirx.Stmt] = []
    src, dst = view.src, view.dst
    is_converted = (src.buffer.dtype == "int32") != (dst.buffer.dtype == "int32")

    def fresh(name: str, region: Region, like: tirx.Buffer) -> Region:
        buffer = fresh_buffer(name, like, buffers, region.extents)
        buffers.append(buffer)
        return Region.whole(buffer)

    if kind.before is not None or not src.is_whole or is_converted:
        like = (view.dst if is_converted else view.src).buffer
        src = fresh(f"{src.buffer.name}_in", view.src, like)
        before = kind.before or _identity
        pieces.append(map_over(src, [view.src], lambda x: before(cast(like.dtype, x))))
    is_plain = view.clear and kind.after is None
    if not (is_plain and dst.is_whole):
        dst = fresh(f"{dst.buffer.name}_red", view.dst, view.dst.buffer)
    pieces.append(Reduce(src, dst, kind.core, view.dim).stmt())
    if dst is not view.dst:

        def finish(result: tirx.PrimExpr, old: tirx.PrimExpr | None = None) -> tirx.PrimExpr:
            result = (kind.after or _identity)(result)
            return result if old is None else kind.combine(old, result)

        sources = [dst] if view.clear else [dst, view.dst]
        pieces.append(map_over(view.dst, sources, finish))
    return [tree.located(piece, stmt) for piece in pieces]


def _identity(value: tirx.PrimExpr) -> tirx.PrimExpr:
    return value
