"""Numbers that a program reads from memory and that steer it.

    m: T.int32 = Mask[by, bx, k]              a definition, in every kernel that needs it
    if T.scalar(m, by, bx, k) != 0:           a use

A use names the loop variables that the number varies with, so whoever asks what an expression
depends on need not know where its numbers come from. To everybody else the number is unknown. A
number that the program computes step by step is in a buffer of one element with a scope of its own,
which is read by definitions and by what is stored in such buffers, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable

from tvm import tirx

from tilelang_tt import formats
from tilelang_tt.ir import ops, tree
from tilelang_tt.ir.frame import SCALAR
from tilelang_tt.ir.tileops import is_global

DTYPES = ("int32", "int8", "uint8", "bool")
"""Of tensors whose elements may steer a program."""


DEPTH = 4
"""Numbers that the reader may be ahead of the compute engine."""


def use(name: tirx.Var, varies: Iterable[tirx.Var]) -> tirx.Call:
    """The number that is bound to `name`, which varies with these loop variables."""
    return ops.SCALAR.call(name, *varies)


def used(node: tirx.Stmt | tirx.PrimExpr) -> set[tirx.Var]:
    """The names of the numbers that are used inside."""
    calls = tree.collect(node, tirx.Call)
    return {call.args[0] for call in calls if call.op.same_as(ops.SCALAR.op)}


def bound(stmt: tirx.Stmt) -> set[tirx.Var]:
    """The names that are bound inside."""
    return {bind.var for bind in tree.collect(stmt, tirx.Bind)}


def is_scalar(buffer: tirx.Buffer) -> bool:
    """Whether the buffer is a number that the program computes step by step."""
    return buffer.scope() == SCALAR


def is_store(stmt: tirx.Stmt) -> bool:
    """Whether the statement stores such a number."""
    return isinstance(stmt, tirx.BufferStore) and is_scalar(stmt.buffer)


def tensors(body: tirx.Stmt) -> list[tirx.Buffer]:
    """The tensors from which definitions read, in the order of the program."""
    loads = [
        load
        for bind in tree.collect(body, tirx.Bind)
        for load in tree.collect(bind.value, tirx.BufferLoad)
    ]
    return list(dict.fromkeys(load.buffer for load in loads if is_global(load.buffer)))


def l1_use(body: tirx.Stmt) -> tuple[int, int]:
    """How many circular buffers carry numbers between the kernels of a program and from DRAM, and
    their bytes, at most: one to the compute engine, and one for each data-movement kernel with a
    page of each tensor."""
    if not tree.collect(body, tirx.Bind):
        return 0, 0
    pages = DEPTH + 2 * len(tensors(body))
    return 3, pages * formats.BY_DTYPE["int32"].tile_bytes
