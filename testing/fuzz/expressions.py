"""Random expressions, as TileLang source, over what an element-wise nest may read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[T]], T]

CONSTANTS = ("0.5", "-1.0", "2.0", "0.1", "3.0", "0.0")
INTEGER_CONSTANTS = ("1", "3", "-2", "7")

UNARY = (
    "-{}",
    "T.abs({})",
    "T.max({}, 0.0)",
    "T.exp(T.min({}, 2.0))",
    "T.exp2(T.min({}, 2.0))",
    "T.sigmoid({})",
    "T.tanh({})",
    "T.sqrt(T.abs({}))",
    "T.log(T.abs({}) + 0.5)",
    "T.rsqrt(T.abs({}) + 0.5)",
    "1.0 / (T.abs({}) + 1.0)",
)
UNARY_MORE = (
    "T.log2(T.abs({}) + 0.5)",
    "T.erf({})",
    "T.floor({})",
    "T.ceil({})",
    "T.clamp({}, -1.0, 1.5)",
    "T.pow(T.abs({}) + 0.5, 2.0)",
    "T.sin({})",
    "T.cos({})",
)
BINARY = (
    "{} + {}",
    "{} - {}",
    "{} * {}",
    "T.max({}, {})",
    "T.min({}, {})",
    "{} / (T.abs({}) + 1.0)",
)
WITH_CONSTANT = ("{} + {}", "{} - {}", "{} * {}", "T.max({}, {})", "T.min({}, {})")
"""Where the second operand may be a constant: TVM folds what is constant altogether."""
CHOICE = (
    "T.if_then_else({} > {}, {}, {})",
    "T.if_then_else({} <= {}, {}, {})",
    'T.Select({} < {}, T.Cast("float32", {}), T.Cast("float32", {}))',
)
INTEGER_UNARY = ("-{}", "({} & 7)", "({} << 1)", "({} >> 1)")
INTEGER_BINARY = (
    "{} + {}",
    "{} - {}",
    "{} * {}",
    "T.max({}, {})",
    "T.min({}, {})",
    "({} ^ {})",
    "{} // (({} & 7) + 1)",
    "{} % (({} & 7) + 1)",
)


def expression(
    draw: Draw,
    leaves: Sequence[str],
    *,
    depth: int,
    integer: bool = False,
    more: bool = False,
    masks: Sequence[str] = (),
) -> str:
    """An expression of at most `depth` operations in a row.

    Args:
        leaves: what may be read, all of one dtype.
        integer: whether that dtype is an integer.
        more: whether the functions that few programs use may occur.
        masks: conditions on indices that may choose.
    """
    if depth == 0 or draw(st.integers(0, 7)) == 7:
        return draw(st.sampled_from(leaves))
    form = draw(st.sampled_from(_forms(integer, more, masks)))
    parts = [
        expression(draw, leaves, depth=depth - 1, integer=integer, more=more, masks=masks)
        for _ in range(form.count("{}"))
    ]
    if form in WITH_CONSTANT and draw(st.integers(0, 3)) == 3:
        parts[1] = draw(st.sampled_from(INTEGER_CONSTANTS if integer else CONSTANTS))
    return "(" + form.format(*parts) + ")"


def _forms(integer: bool, more: bool, masks: Sequence[str]) -> list[str]:
    if integer:
        return [*INTEGER_BINARY, *INTEGER_UNARY]
    forms = [*BINARY, *BINARY, *UNARY]
    if more:
        forms += [*UNARY_MORE, *CHOICE]
    forms += [f"T.if_then_else({mask}, {{}}, {{}})" for mask in masks]
    return forms
