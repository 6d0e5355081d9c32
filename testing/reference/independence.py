"""Which serial loops may run all iterations at once, and which stores accumulate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from tvm import tirx

from tilelang_tt.ir import tree
from tilelang_tt.ir.exprs import same_all

_ELEMENT_WISE = (tirx.For, tirx.BufferStore, tirx.IfThenElse, tirx.SeqStmt)


StmtT = TypeVar("StmtT", bound=tirx.Stmt)
Answer = TypeVar("Answer")


class Decisions(Generic[StmtT, Answer]):
    """What a question about a statement is answered, asked once for each statement."""

    def __init__(self, ask: Callable[[StmtT], Answer]) -> None:
        self._ask = ask
        self._known: dict[StmtT, Answer] = {}

    def of(self, stmt: StmtT) -> Answer:
        if stmt not in self._known:
            self._known[stmt] = self._ask(stmt)
        return self._known[stmt]


def is_independent(loop: tirx.For) -> bool:
    """Whether each iteration of a serial loop certainly writes and reads elements of its own in
    every buffer that the loop writes.

    That is so where all accesses to such a buffer have the same indices, one of which is the loop's
    variable plus something else.
    """
    if loop.kind not in (tirx.ForKind.SERIAL, tirx.ForKind.UNROLLED, tirx.ForKind.VECTORIZED):
        return False
    if not all(isinstance(stmt, _ELEMENT_WISE) for stmt in tree.collect(loop.body, tirx.Stmt)):
        return False
    if tree.collect(loop.body, tirx.Call) and any(
        call.op.name.startswith("tl.atomic") for call in tree.collect(loop.body, tirx.Call)
    ):
        return False
    stores = tree.collect(loop.body, tirx.BufferStore)
    loads = tree.collect(loop.body, tirx.BufferLoad)
    return all(
        _separates(store.indices, loop.loop_var)
        and all(
            same_all(store.indices, other.indices)
            for other in (*stores, *loads)
            if other.buffer.data.same_as(store.buffer.data)
        )
        for store in stores
    )


def _separates(indices: Sequence[tirx.PrimExpr], var: tirx.Var) -> bool:
    return any(_is_offset(index, var) for index in indices)


def _is_offset(index: tirx.PrimExpr, var: tirx.Var) -> bool:
    """Whether `index` is `var` plus something that does not contain it."""
    if index.same_as(var):
        return True
    if not isinstance(index, tirx.Add):
        return False
    return any(
        _is_offset(part, var) and not _contains(rest, var)
        for part, rest in ((index.a, index.b), (index.b, index.a))
    )


def _contains(expr: tirx.PrimExpr, var: tirx.Var) -> bool:
    return any(found.same_as(var) for found in tree.collect(expr, tirx.Var))


def added_term(stmt: tirx.BufferStore) -> tirx.PrimExpr | None:
    """`x` where the statement is `r[i] = r[i] op x`; None where it is something else."""
    value = stmt.value
    if not isinstance(value, tirx.Add | tirx.Max | tirx.Min):
        return None
    for old, term in ((value.a, value.b), (value.b, value.a)):
        if (
            isinstance(old, tirx.BufferLoad)
            and old.buffer.same_as(stmt.buffer)
            and same_all(old.indices, stmt.indices)
        ):
            return term
    return None


def reduced_term(stmt: tirx.BufferStore) -> tirx.PrimExpr | None:
    """`x` where the statement is `r[i] = r[i] op x` and `x` is read at more places than `r`."""
    term = added_term(stmt)
    if term is None:
        return None
    kept = [var for index in stmt.indices for var in tree.collect(index, tirx.Var)]
    loads = tree.collect(term, tirx.BufferLoad)
    read = [var for load in loads for i in load.indices for var in tree.collect(i, tirx.Var)]
    return term if any(not any(var.same_as(k) for k in kept) for var in read) else None
