"""What a statement reads and writes."""

from __future__ import annotations

from tvm import tirx

from tilelang_tt.ir import tree
from tilelang_tt.ir.tileops import (
    Accumulation,
    Copy,
    Elementwise,
    Fill,
    Gemm,
    Leaf,
    Reduce,
    Transpose,
    leaf,
)


def reads(view: Leaf) -> list[tirx.Buffer]:
    """Buffers whose old contents the statement uses; one that accumulates reads its destination."""
    match view:
        case Copy() | Transpose():
            return [view.src.buffer]
        case Gemm():
            carried = [] if view.always_clears else [view.c.buffer]
            return [view.a.buffer, view.b.buffer, *carried]
        case Reduce():
            scaler = [] if view.scaler is None else [view.scaler.buffer]
            return [view.src.buffer, *scaler, *([] if view.clear else [view.dst.buffer])]
        case Elementwise():
            return [load.buffer for load in view.loads]
        case Accumulation():
            return [view.dst.buffer] if view.kind == "onto" else []
        case Fill():
            return []


def consumed(view: Leaf) -> list[tirx.Buffer]:
    """Buffers whose old contents the statement takes out; an accumulator's stay where they are."""
    match view:
        case Gemm():
            return matrix_operands(view)
        case Accumulation():
            return []
    return reads(view)


def matrix_operands(view: Leaf) -> list[tirx.Buffer]:
    """Buffers that the matrix unit multiplies or reduces; without a scaler it reduces none."""
    match view:
        case Gemm():
            return [view.a.buffer, view.b.buffer]
        case Reduce():
            return [] if view.scaler is None else [view.src.buffer, view.scaler.buffer]
    return []


def writes(view: Leaf) -> tirx.Buffer:
    """The buffer the statement writes."""
    match view:
        case Copy() | Transpose() | Fill() | Reduce() | Accumulation():
            return view.dst.buffer
        case Gemm():
            return view.c.buffer
        case Elementwise():
            return view.dst


def leaves(stmt: tirx.Stmt) -> list[tuple[tirx.Stmt, Leaf]]:
    """Every statement with a view inside `stmt`, in program order."""
    if (view := leaf(stmt)) is not None:
        return [(stmt, view)]
    found: list[tuple[tirx.Stmt, Leaf]] = []

    def visit(child: tirx.Stmt) -> tirx.Stmt:
        found.extend(leaves(child))
        return child

    tree.map_bodies(stmt, visit)
    return found


def is_read(stmt: tirx.Stmt, buffer: tirx.Buffer) -> bool:
    return any(buffer.same_as(read) for _, view in leaves(stmt) for read in reads(view))


def is_written(stmt: tirx.Stmt, buffer: tirx.Buffer) -> bool:
    return any(buffer.same_as(writes(view)) for _, view in leaves(stmt))


def touches(stmt: tirx.Stmt, buffer: tirx.Buffer) -> bool:
    return is_read(stmt, buffer) or is_written(stmt, buffer)
