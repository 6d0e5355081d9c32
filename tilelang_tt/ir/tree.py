"""Small functions over statement trees, for passes that rewrite sequences rather than single nodes.

TVM's Python mutator loses nodes, and `ir_transform` cannot see a statement's neighbours; these can.
Every function keeps the source span of what it rebuilds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from tilelang.ir import get_stmt_span, set_stmt_span, stamp_stmt_spans
from tvm import tirx
from tvm.tirx.stmt_functor import post_order_visit

StmtT = TypeVar("StmtT", bound=tirx.Stmt)


def statements(stmt: tirx.Stmt) -> list[tirx.Stmt]:
    """The statements of a sequence, nested sequences flattened.

    A single statement is a sequence of one.
    """
    if isinstance(stmt, tirx.SeqStmt):
        return [inner for child in stmt.seq for inner in statements(child)]
    return [stmt]


def sequence(stmts: Iterable[tirx.Stmt]) -> tirx.Stmt:
    """One statement that runs all; the inverse of `statements`."""
    flat = [inner for stmt in stmts for inner in statements(stmt)]
    if len(flat) < 2:
        return flat[0] if flat else tirx.Evaluate(0)
    return tirx.SeqStmt(flat)


def is_nothing(stmt: tirx.Stmt) -> bool:
    """Whether the statement does nothing."""
    return isinstance(stmt, tirx.Evaluate) and isinstance(stmt.value, tirx.IntImm)


def located(stmt: StmtT, origin: tirx.Stmt) -> StmtT:
    """`stmt`, which says the same as the user's `origin`, with its source position."""
    span = get_stmt_span(origin)
    if span is not None and get_stmt_span(stmt) is None:
        set_stmt_span(stmt, span)
    return stmt


def located_throughout(stmt: StmtT, origin: tirx.Stmt) -> StmtT:
    """`stmt`, made of several statements, each with the source position of the user's `origin`."""
    inherit_spans(located(stmt, origin))
    return stmt


def inherit_spans(stmt: tirx.Stmt) -> None:
    """Give every statement without a source position that of the nearest one around it.

    TileLang's own passes lose the positions of some statements that they rewrite.
    """
    for outer in collect(stmt, (tirx.For, tirx.SBlockRealize, tirx.AttrStmt, tirx.IfThenElse)):
        stamp_stmt_spans(outer, get_stmt_span(outer))


def with_body(stmt: tirx.Stmt, body: tirx.Stmt) -> tirx.Stmt:
    """The loop, attribute or block `stmt` around another body."""
    match stmt:
        case tirx.For():
            new = tirx.For(
                stmt.loop_var,
                stmt.min,
                stmt.extent,
                stmt.kind,
                body,
                stmt.thread_binding,
                stmt.annotations,
            )
        case tirx.AttrStmt():
            new = tirx.AttrStmt(stmt.node, stmt.attr_key, stmt.value, body)
        case tirx.SBlockRealize():
            new = tirx.SBlockRealize(
                stmt.iter_values, stmt.predicate, block_with(stmt.block, body=body)
            )
        case _:
            raise AssertionError(f"{type(stmt).__name__} has no single body")
    return located(new, stmt)


def block_with(
    block: tirx.SBlock,
    *,
    body: tirx.Stmt | None = None,
    buffers: Sequence[tirx.Buffer] | None = None,
    annotations: dict[str, object] | None = None,
) -> tirx.SBlock:
    """`block` with the given parts replaced."""
    return tirx.SBlock(
        block.iter_vars,
        block.reads,
        block.writes,
        block.name_hint,
        block.body if body is None else body,
        block.init,
        block.alloc_buffers if buffers is None else list(buffers),
        block.match_buffers,
        block.annotations if annotations is None else annotations,
    )


def map_bodies(stmt: tirx.Stmt, rewrite: Callable[[tirx.Stmt], tirx.Stmt]) -> tirx.Stmt:
    """Apply `rewrite` to each statement directly inside `stmt`; a leaf is returned as it is."""
    match stmt:
        case tirx.SeqStmt():
            return sequence(rewrite(child) for child in stmt.seq)
        case tirx.IfThenElse():
            then = rewrite(stmt.then_case)
            other = None if stmt.else_case is None else rewrite(stmt.else_case)
            return located(tirx.IfThenElse(stmt.condition, then, other), stmt)
        case tirx.For() | tirx.AttrStmt():
            return with_body(stmt, rewrite(stmt.body))
        case tirx.SBlockRealize():
            return with_body(stmt, rewrite(stmt.block.body))
    return stmt


def rewrite_sequences(
    stmt: tirx.Stmt,
    rewrite: Callable[[list[tirx.Stmt]], Iterable[tirx.Stmt]],
    *,
    into_nests: bool = False,
) -> tirx.Stmt:
    """Replace every maximal sequence of statements, innermost first; a lone body counts as a
    sequence of one.

    A nest of parallel loops is one statement, unless `into_nests`.
    """

    def visit(inner: tirx.Stmt) -> tirx.Stmt:
        return sequence(
            rewrite(
                [
                    child if is_opaque(child) else map_bodies(child, visit)
                    for child in statements(inner)
                ]
            )
        )

    def is_opaque(child: tirx.Stmt) -> bool:
        return (
            isinstance(child, tirx.For) and child.kind == tirx.ForKind.PARALLEL and not into_nests
        )

    return visit(stmt)


def collect(stmt: tirx.Stmt | tirx.PrimExpr, kind: type | tuple[type, ...]) -> list:
    """Every node of a type, innermost first."""
    found: list = []
    post_order_visit(stmt, lambda node: found.append(node) if isinstance(node, kind) else None)
    return found


def line_of(stmt: tirx.Stmt) -> tuple[str, int] | None:
    """File and line of the TileLang statement that `stmt` comes from."""
    span = get_stmt_span(stmt)
    return None if span is None else (span.source_name.name, span.line)


def where(stmt: tirx.Stmt) -> str:
    """The line of the TileLang statement that `stmt` comes from, as errors call it."""
    known = line_of(stmt)
    return "a statement" if known is None else f"line {known[1]}"
