"""Decide whether the destination registers hold 16-bit or 32-bit values.

32-bit registers are half as many, but keep what a float32 or int32 buffer promises, and conversions
from and to integers of 8 bits need them. They are chosen where the program keeps such a value on
the chip, or computes with one between 16-bit buffers, or mixes float16 with bfloat16, which share
no 16-bit form, or chooses between float16 values, for which `where_tile` has no 16-bit form; the
option `fp32_acc` overrides.

    before:  C_s[i, j] = T.Cast("bfloat16", T.Cast("float32", A_s[i, j]) * s + t)

    after:   the same, func with attrs {"tt.fp32_dest_acc": True}

A 16-bit register would cut every intermediate result. One operation alone is rounded to the result
either way; an expression of a 16-bit dtype asks for no more. The predicted price of the wide
registers is 0 to 5 % where all cores work on element-wise blocks, up to 14 % on one core. Where
terms cancel, the largest error falls from the size of the value to half a unit of the result.

Needs:    `FuseElementwise`.
Leaves:   attribute `tt.fp32_dest_acc`.
Errors:   TT4004.
"""

from __future__ import annotations

from dataclasses import dataclass

from tvm import tirx
from tvm.ir import Op

from tilelang_tt.diagnostics import PrecisionUnavailable
from tilelang_tt.ir import tree
from tilelang_tt.ir.attrs import FP32_DEST
from tilelang_tt.ir.frame import Frame

_ROUNDING = (tirx.Add, tirx.Sub, tirx.Mul, tirx.Div, tirx.Call)
_INTEGERS = ("int32", "int8", "uint8")
_EXACT_CALLS = ("tirx.if_then_else", "tirx.fabs")


def _rounds_in_float32(node: tirx.PrimExpr) -> bool:
    """Whether the node is an operation whose float32 result need not be exact."""
    is_exact = isinstance(node, tirx.Call) and (
        not isinstance(node.op, Op) or node.op.name in _EXACT_CALLS
    )
    return node.dtype == "float32" and isinstance(node, _ROUNDING) and not is_exact


def _computes_in_float32(body: tirx.Stmt) -> bool:
    """Whether a statement makes a float32 result of float32 results."""
    return any(
        sum(_rounds_in_float32(node) for node in tree.collect(store.value, tirx.PrimExpr)) > 1
        for store in tree.collect(body, tirx.BufferStore)
    )


def _has_choice(body: tirx.Stmt) -> bool:
    """Whether a value is chosen by a condition, which the vector unit does not do in float16."""
    calls = tree.collect(body, tirx.Call)
    names = {call.op.name for call in calls if isinstance(call.op, Op)}
    return "tirx.if_then_else" in names or bool(tree.collect(body, tirx.Select))


@dataclass(frozen=True)
class ChooseDstMode:
    """See the module docstring. `fp32_acc` is the user's option."""

    fp32_acc: bool | None
    name: str = "tt.ChooseDstMode"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        dtypes = {buffer.dtype for buffer in Frame.of(func).buffers}
        is_mixed = {"float16", "bfloat16"} <= dtypes
        if is_mixed and self.fp32_acc is False:
            raise PrecisionUnavailable.at(
                Frame.of(func).realize, what="mixing float16 with bfloat16"
            )
        integers = sorted(dtypes & set(_INTEGERS))
        if integers and self.fp32_acc is False:
            what = f"a value of {integers[0]}"
            raise PrecisionUnavailable.at(Frame.of(func).realize, what=what)
        chooses = "float16" in dtypes and _has_choice(func.body)
        if chooses and self.fp32_acc is False:
            raise PrecisionUnavailable.at(
                Frame.of(func).realize, what="a choice between float16 values"
            )
        keeps = "float32" in dtypes or bool(integers)
        is_wide = keeps or is_mixed or chooses or _computes_in_float32(func.body)
        wanted = is_wide if self.fp32_acc is None else self.fp32_acc
        return func.with_attr(FP32_DEST, bool(wanted))
