"""Make three functions of one: what the reader, the compute engine and the writer of a core run.

Each keeps its own statements and the loops and branches around them, and all numbers that steer the
program; the variables among them are the data-movement kernels'.

    before:  for k in range(8):                      after:   reader:   for k in range(8):
                 on reader:  noc_read(...)                                  noc_read(...)
                 on compute: matmul_block(...)                compute:  for k in range(8):
             on writer: noc_write(...)                                      matmul_block(...)
                                                              writer:   noc_write(...)

Needs:    `InsertCbProtocol`.
Leaves:   functions named reader, compute and writer, without `tt.engine` attributes.
"""

from __future__ import annotations

from tvm import IRModule, tirx

from tilelang_tt.ir import attrs, ops, tree
from tilelang_tt.ir.attrs import COMPUTE
from tilelang_tt.ir.frame import Frame

ROLE = "tt.role"


def split_kernels(func: tirx.PrimFunc) -> IRModule:
    """See the module docstring."""
    frame = Frame.of(func)
    kernels: dict[str, tirx.PrimFunc] = {}
    for engine in attrs.ENGINES:
        body = _slice(frame.body, engine)
        kernel = frame.build(body=tirx.Evaluate(0) if body is None else body)
        kernels[engine] = kernel.with_attr({"global_symbol": engine, ROLE: engine})
    return IRModule(kernels)


def _slice(stmt: tirx.Stmt, engine: str) -> tirx.Stmt | None:
    """What `engine` runs of `stmt`."""
    if (owner := attrs.engine_of(stmt)) is not None:
        return tree.located(stmt.body, stmt) if owner == engine else None
    match stmt:
        case tirx.SeqStmt():
            kept = [piece for child in stmt.seq if (piece := _slice(child, engine)) is not None]
            return tree.sequence(kept) if kept else None
        case tirx.IfThenElse():
            return _slice_branch(stmt, engine)
        case tirx.For():
            body = _slice(stmt.body, engine)
            return None if body is None else tree.with_body(stmt, body)
        case tirx.AttrStmt() if stmt.attr_key == attrs.SECTION:
            body = _slice(stmt.body, engine)
            return tree.with_body(stmt, body) if body is not None and engine == COMPUTE else body
        case tirx.Bind():
            return stmt
        case tirx.BufferStore():
            return None if engine == attrs.COMPUTE else stmt
    assert isinstance(stmt, tirx.Evaluate), stmt
    assert ops.definition(stmt) is None, stmt
    return None


def _slice_branch(stmt: tirx.IfThenElse, engine: str) -> tirx.Stmt | None:
    then = _slice(stmt.then_case, engine)
    other = None if stmt.else_case is None else _slice(stmt.else_case, engine)
    if then is None and other is None:
        return None
    if then is None:
        return tree.located(tirx.IfThenElse(tirx.Not(stmt.condition), other, None), stmt)
    return tree.located(tirx.IfThenElse(stmt.condition, then, other), stmt)
