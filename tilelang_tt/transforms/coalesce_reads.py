"""Let the reads of neighbouring blocks be in flight together.

The protocol waits for each block before the next is requested. Within a run of statements without a
loop over blocks in between, all blocks can be requested first and waited for once.

    before:  cb_reserve_back(A); noc_read(..., A); noc_read_barrier(); cb_push_back(A)
             cb_reserve_back(B); noc_read(..., B); noc_read_barrier(); cb_push_back(B)

    after:   cb_reserve_back(A); noc_read(..., A)
             cb_reserve_back(B); noc_read(..., B)
             noc_read_barrier(); cb_push_back(A); cb_push_back(B)

This cannot deadlock: the pages that B waits for were published in an earlier run of the same
statements, so the compute engine frees them without the pages that are held back here. A second
block of the same buffer is requested after the first is published, and what has been read is
published before the reader waits for other cores.

Needs:    `split_kernels`.
Leaves:   fewer barriers in the reader.
"""

from __future__ import annotations

from tvm import tirx

from tilelang_tt.ir import ops, tree
from tilelang_tt.ir.frame import Frame


class CoalesceReads:
    """See the module docstring."""

    name = "tt.CoalesceReads"

    def rewrite(self, func: tirx.PrimFunc) -> tirx.PrimFunc:
        frame = Frame.of(func)
        return frame.build(body=tree.rewrite_sequences(frame.body, _coalesce))


def _coalesce(stmts: list[tirx.Stmt]) -> list[tirx.Stmt]:
    result: list[tirx.Stmt] = []
    held: list[tirx.Stmt] = []
    reads = False  # since the last barrier

    def settle() -> None:
        nonlocal reads
        result.extend([ops.NOC_READ_BARRIER.stmt()] if reads else [])
        result.extend(held)
        held.clear()
        reads = False

    for stmt in stmts:
        op = ops.definition(stmt)
        if op is ops.NOC_READ_BARRIER:
            continue
        if op is ops.CB_PUSH_BACK:
            held.append(stmt)
            continue
        if op is ops.MULTICAST_SEND or (
            held and (_contains(stmt, *_HANDED_OVER) or _reserves(stmt, held))
        ):
            settle()
        result.append(stmt)
        # One that sends to other cores has waited for what it reads.
        reads |= _contains(stmt, ops.NOC_READ) and not _contains(stmt, ops.MULTICAST_SEND)
    if held:
        settle()
    return result


def _reserves(stmt: tirx.Stmt, held: list[tirx.Stmt]) -> bool:
    """Whether `stmt` waits for room in a buffer of which a block is held back."""
    if ops.definition(stmt) is not ops.CB_RESERVE_BACK:
        return False
    cb = ops.CB_RESERVE_BACK.operand(stmt.value, "cb")
    return any(cb.same_as(ops.CB_PUSH_BACK.operand(push.value, "cb")) for push in held)


def _contains(stmt: tirx.Stmt, *wanted: ops.OpDef) -> bool:
    return any(ops.definition(inner) in wanted for inner in tree.collect(stmt, tirx.Evaluate))


_HANDED_OVER = (
    *(ops.CB_PUSH_BACK, ops.CB_WAIT_FRONT),
    *ops.BETWEEN_CORES,
    *(ops.TENSOR_TAKE, ops.GIVE_SCALAR),
)
"""What hands pages, a tensor or a number over, to another engine or to other cores, or waits for
that."""
