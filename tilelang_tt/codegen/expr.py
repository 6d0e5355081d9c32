"""Print a TIR expression as C++, or as the text of an extent in a plan.

Knows nothing of statements or roles.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

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
    kind: row
    for kind, row in _CPP.items()
    if kind not in (tirx.Div, tirx.Mod, tirx.And, tirx.Or, tirx.NE)
} | {
    tirx.FloorDiv: ("//", 60),
    tirx.FloorMod: ("%", 60),
}
_CPP_FUNCTIONS = {tirx.Min: "std::min<int32_t>", tirx.Max: "std::max<int32_t>"}
_PLAN_FUNCTIONS = {tirx.Min: "min", tirx.Max: "max"}
_CALLS = {ops.FLOOR_DIV.qualified: "floor_div", ops.FLOOR_MOD.qualified: "floor_mod"}
_UNARY = 70

Names = Mapping[tirx.Var, str]


def print_expr(expr: tirx.PrimExpr, names: Names, outer: int = 0) -> str:
    """C++ for `expr`.

    Parenthesised only where the operator around it, of precedence `outer`, binds tighter.
    """
    match expr:
        case tirx.Not():
            return f"!{print_expr(expr.a, names, _UNARY)}"
        case tirx.IntImm() if expr.dtype == "bool":
            return "true" if expr.value else "false"
        case tirx.Call() if isinstance(expr.op, ir.Op) and expr.op.name in _CALLS:
            args = ", ".join(print_expr(arg, names) for arg in expr.args)
            return f"{_CALLS[expr.op.name]}({args})"
        case tirx.Call() if expr.op.same_as(ops.FLOAT_BITS.op):
            return _float_bits(expr.args[0], names)
    return _print(expr, names, outer, _CPP, _CPP_FUNCTIONS, print_expr)


def print_extent(expr: tirx.PrimExpr, outer: int = 0) -> str:
    """The text of an extent or condition in a plan."""
    return _print(
        expr,
        {},
        outer,
        _PLAN,
        _PLAN_FUNCTIONS,
        lambda inner, _names, level=0: print_extent(inner, level),
    )


def _print(expr, names, outer, operators, functions, recurse) -> str:  # noqa: ANN001
    match expr:
        case tirx.IntImm():
            return str(expr.value) if expr.value >= 0 or outer == 0 else f"({expr.value})"
        case tirx.Var():
            return names[expr] if names else expr.name
        case tirx.Cast() if expr.dtype == "int32" and expr.value.dtype in ("int64", "bool"):
            return recurse(expr.value, names, outer)
    kind = type(expr)
    if kind in functions:
        return f"{functions[kind]}({recurse(expr.a, names)}, {recurse(expr.b, names)})"
    if kind not in operators:
        raise UnprintableExpr.at(None, kind=kind.__name__, expr=expr)
    symbol, precedence = operators[kind]
    text = f"{recurse(expr.a, names, precedence)} {symbol} {recurse(expr.b, names, precedence + 1)}"
    return f"({text})" if precedence < outer else text


def _float_bits(value: tirx.PrimExpr, names: Names) -> str:
    if isinstance(value, tirx.FloatImm):
        (bits,) = struct.unpack("<I", struct.pack("<f", value.value))
        return f"0x{bits:08x}u /* {value.value:g} */"
    return print_expr(value, names)
