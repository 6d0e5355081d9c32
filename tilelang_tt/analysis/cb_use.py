"""Which circular buffers a statement of the tile-instruction stage fills and drains."""

from __future__ import annotations

from collections.abc import Callable

from tvm import tirx

from tilelang_tt.ir import ops, tree


def fills(stmt: tirx.Stmt) -> set[tirx.Var]:
    """Circular buffers into whose pages `stmt` writes."""
    return _used(stmt, lambda op: (op.fills,) if op.fills else ())


def drains(stmt: tirx.Stmt) -> set[tirx.Var]:
    """Circular buffers whose pages `stmt` reads."""
    return _used(stmt, lambda op: op.reads)


def _used(stmt: tirx.Stmt, names: Callable[[ops.OpDef], tuple[str, ...]]) -> set[tirx.Var]:
    found: set[tirx.Var] = set()
    for evaluate in tree.collect(stmt, tirx.Evaluate):
        op = ops.definition(evaluate)
        if op is not None:
            found.update(op.operand(evaluate.value, name) for name in names(op))
    return found
