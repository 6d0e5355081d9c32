"""Print a TIR expression as C++, or as the text of an extent in a plan.

Knows nothing of statements or roles.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tvm import ir, tirx

from tilelang_tt.diagnostics import UnprintableExpr
from tilelang_tt.ir import ops

_CPP = {
    tirx.Add: ("+", 50),
    tirx.Sub: ("-", 50),
    tirx.Mul: ("*", 60),
    tirx.Div: ("/", 60),
    tirx.Mod: ("%", 60),
    tirx.LT: ("<", 40),
    tirx.LE: ("<=", 40),
    tirx.GT: (">", 40),
    tirx.GE: (">=", 40),
    tirx.EQ: ("==", 30),
    tirx.NE: ("!=", 30),
    tirx.And: ("&&", 20),
    tirx.Or: ("||", 10),
}
_PLAN = {
    **{kind: _CPP[kind] for kind in (tirx.Add, tirx.Sub, tirx.Mul)},
    tirx.FloorDiv: ("//", 60),
    tirx.FloorMod: ("%", 60),
}
_CPP_FUNCTIONS = {tirx.Min: "std::min<int32_t>", tirx.Max: "std::max<int32_t>"}
_PLAN_FUNCTIONS = {tirx.Min: "min", tirx.Max: "max"}
_CALLS = {ops.FLOOR_DIV.qualified: "floor_div", ops.FLOOR_MOD.qualified: "floor_mod"}
_CHOICE = 5
_UNARY = 70
_SMALL = {"int8": "int8_t", "uint8": "uint8_t"}

Names = Mapping[tirx.Var, str]
Visit = Callable[[tirx.PrimExpr, int], str]


@dataclass(frozen=True)
class _Language:
    """How operators and functions are written, and what a variable is called."""

    operators: Mapping[type, tuple[str, int]]
    functions: Mapping[type, str]
    name_of: Callable[[tirx.Var], str]


def print_expr(expr: tirx.PrimExpr, names: Names, outer: int = 0) -> str:
    """C++ for `expr`; parenthesised only where the operator around it, of precedence `outer`, binds
    tighter."""
    language = _Language(_CPP, _CPP_FUNCTIONS, lambda var: names[var])

    def visit(inner: tirx.PrimExpr, outer: int) -> str:
        match inner:
            case tirx.Not():
                return f"!{visit(inner.a, _UNARY)}"
            case tirx.IntImm() if inner.dtype == "bool":
                return "true" if inner.value else "false"
            case tirx.Call() if isinstance(inner.op, ir.Op) and inner.op.name in _CALLS:
                args = ", ".join(visit(arg, 0) for arg in inner.args)
                return f"{_CALLS[inner.op.name]}({args})"
            case tirx.Call() if inner.op.same_as(ops.FLOAT_BITS.op):
                if inner.args[0].dtype == "int32":
                    return f"float_bits({visit(inner.args[0], 0)})"
                return _float_bits(inner.args[0], names)
        text = _steering(inner, outer, names, visit)
        return _print(inner, outer, language, visit) if text is None else text

    return visit(expr, outer)


def print_extent(expr: tirx.PrimExpr) -> str:
    """The text of an extent in a plan."""
    language = _Language(_PLAN, _PLAN_FUNCTIONS, lambda var: var.name)

    def visit(inner: tirx.PrimExpr, outer: int) -> str:
        return _print(inner, outer, language, visit)

    return visit(expr, 0)


def _print(
    expr: tirx.PrimExpr,
    outer: int,
    language: _Language,
    visit: Visit,
) -> str:
    """What both languages share; `visit` prints an operand."""
    match expr:
        case tirx.IntImm():
            return str(expr.value) if expr.value >= 0 or outer == 0 else f"({expr.value})"
        case tirx.Var():
            return language.name_of(expr)
        case tirx.Cast() if expr.dtype == "int32" and expr.value.dtype in ("int64", "bool"):
            return visit(expr.value, outer)
    kind = type(expr)
    if kind in language.functions:
        return f"{language.functions[kind]}({visit(expr.a, 0)}, {visit(expr.b, 0)})"
    if kind not in language.operators:
        raise UnprintableExpr.at(None, kind=kind.__name__, expr=expr)
    symbol, precedence = language.operators[kind]
    text = f"{visit(expr.a, precedence)} {symbol} {visit(expr.b, precedence + 1)}"
    return f"({text})" if precedence < outer else text


def _steering(expr: tirx.PrimExpr, outer: int, names: Names, visit: Visit) -> str | None:
    """What only numbers that steer a program are made of."""
    match expr:
        case tirx.Call() if expr.op.same_as(ops.SCALAR.op):
            return names[expr.args[0]]
        case tirx.BufferLoad():
            return names[expr.buffer.data]
        case tirx.Call(op=ir.Op(name="tirx.if_then_else")):
            condition, yes, no = (visit(part, _CHOICE + 1) for part in expr.args)
            text = f"{condition} ? {yes} : {no}"
            return f"({text})" if outer > _CHOICE else text
        case tirx.Cast() if expr.dtype in _SMALL:
            return f"static_cast<{_SMALL[expr.dtype]}>({visit(expr.value, 0)})"
        case tirx.Cast() if expr.dtype == "int32" and expr.value.dtype in _SMALL:
            return visit(expr.value, outer)
    return None


def _float_bits(value: tirx.PrimExpr, names: Names) -> str:
    if isinstance(value, tirx.FloatImm):
        (bits,) = struct.unpack("<I", struct.pack("<f", value.value))
        return f"0x{bits:08x}u /* {value.value:g} */"
    return print_expr(value, names)
