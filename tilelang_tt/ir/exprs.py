"""Equality of expressions by identity of what they name.

TVM's structural equality takes two buffers of one shape and dtype for equal, which is right for
functions and wrong inside one.
"""

from __future__ import annotations

from collections.abc import Iterable

from tvm import ir, tirx

_BINARY = (
    tirx.Add,
    tirx.Sub,
    tirx.Mul,
    tirx.Div,
    tirx.Mod,
    tirx.FloorDiv,
    tirx.FloorMod,
    tirx.Min,
    tirx.Max,
    tirx.EQ,
    tirx.NE,
    tirx.LT,
    tirx.LE,
    tirx.GT,
    tirx.GE,
    tirx.And,
    tirx.Or,
)


def same(left: tirx.PrimExpr, right: tirx.PrimExpr) -> bool:
    """Whether both certainly have the same value at the same place; False where that is not
    known."""
    if left.same_as(right):
        return True
    if type(left) is not type(right) or left.dtype != right.dtype:
        return False
    match left:
        case tirx.IntImm() | tirx.FloatImm():
            return left.value == right.value
        case tirx.BufferLoad():
            return left.buffer.same_as(right.buffer) and same_all(left.indices, right.indices)
        case tirx.Cast():
            return same(left.value, right.value)
        case tirx.Call(op=ir.Op()):
            return left.op.same_as(right.op) and same_all(left.args, right.args)
    return isinstance(left, _BINARY) and same(left.a, right.a) and same(left.b, right.b)


def same_all(left: Iterable[tirx.PrimExpr], right: Iterable[tirx.PrimExpr]) -> bool:
    """Whether two lists of expressions are the same, one by one."""
    lefts, rights = list(left), list(right)
    return len(lefts) == len(rights) and all(same(a, b) for a, b in zip(lefts, rights, strict=True))
